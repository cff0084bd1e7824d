//! Which spans were made, and which have arrived how: by their numbers, in memory that is there from the start.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// Spans that are made in a second, at most.
pub(crate) const MOST_A_SECOND: u64 = 10_000;

pub(crate) struct Book {
    made: AtomicU64,
    spans: Vec<AtomicU8>,
}

/// It has arrived, and an answer went out in time.
const ANSWERED: u8 = 1;
/// It has arrived, and nobody knows whether the answer has.
const UNSURE: u8 = 2;
/// It has arrived again after an answer in time.
const AGAIN: u8 = 4;

#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    /// Those that have arrived at least once.
    pub(crate) spans: u64,
    pub(crate) answered: u64,
    /// Those with an answer that may be lost.
    pub(crate) unsure: u64,
    pub(crate) again: u64,
}

/// Whether the sender has the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    InTime,
    Unsure,
}

impl Book {
    pub(crate) fn new(seconds: u64) -> Self {
        let most = usize::try_from((seconds + 1) * MOST_A_SECOND).unwrap_or_default();
        let spans: Vec<AtomicU8> = (0..most).map(|_| AtomicU8::new(0)).collect();
        // Pages that are read only are not counted as resident.
        for span in &spans {
            span.store(0, Ordering::Relaxed);
        }
        Book {
            made: AtomicU64::new(0),
            spans,
        }
    }

    /// A number for one more span; none if there were too many.
    pub(crate) fn next(&self) -> Option<u64> {
        let most = self.spans.len() as u64;
        let next = |made: u64| (made < most).then_some(made + 1);
        let relaxed = Ordering::Relaxed;
        self.made.fetch_update(relaxed, relaxed, next).ok()
    }

    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    pub(crate) fn arrive(&self, number: u64, answer: Answer) {
        let Some(span) = self
            .spans
            .get(usize::try_from(number).unwrap_or(usize::MAX))
        else {
            return;
        };
        let mark = match answer {
            Answer::InTime => ANSWERED,
            Answer::Unsure => UNSURE,
        };
        let before = span.fetch_or(mark, Ordering::Relaxed);
        if before & ANSWERED > 0 {
            span.fetch_or(AGAIN, Ordering::Relaxed);
        }
    }

    pub(crate) fn arrivals(&self) -> Arrivals {
        let mut arrivals = Arrivals::default();
        for span in &self.spans {
            let span = span.load(Ordering::Relaxed);
            arrivals.spans += u64::from(span > 0);
            arrivals.answered += u64::from(span & ANSWERED > 0);
            arrivals.unsure += u64::from(span & UNSURE > 0);
            arrivals.again += u64::from(span & AGAIN > 0);
        }
        arrivals
    }
}
