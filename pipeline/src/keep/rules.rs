//! The rules of a policy, as the worker asks them.

use std::borrow::Cow;
use std::time::Duration;

use enter_span::native::EndedSpan;
use opentelemetry::KeyValue;
use opentelemetry::trace::TraceId;

use crate::host::clock::Reading;
use crate::host::unwind::shielded;
use crate::keep::local_trace::{LocalTrace, scope_of};
use crate::keep::pending_trace::PendingTrace;
use crate::keep::policy::{Bounds, ByRule, Keep, RootFilter};
use crate::keep::verdict::{Reason, Verdict};
use crate::sampling::sampler::is_in;

/// A policy whose keys have numbers.
pub(super) struct Rules {
    pub(super) bounds: Bounds,
    keys: Vec<Cow<'static, str>>,
    all: RuleSet,
    /// Each set keeps a trace with an error: nothing that is still unknown changes that.
    keeps_errors: bool,
    /// The keys for which the same holds.
    early_keys: Vec<u16>,
}

struct RuleSet {
    errors: bool,
    slower: Option<Duration>,
    with: Vec<u16>,
    by: Vec<Box<ByRule>>,
    fraction: f64,
    others: Vec<(RootFilter, RuleSet)>,
}

/// A verdict, and how many rules of the application's have panicked for it.
pub(super) struct Judgement {
    pub(super) verdict: Verdict,
    pub(super) panics: u64,
}

impl Rules {
    pub(super) fn new(keep: Keep) -> Self {
        let bounds = keep.bounds;
        let mut keys = Vec::new();
        let all = RuleSet::new(keep, &mut keys);
        let is_early = |key: &u16| all.each(&|set| set.with.contains(key));
        Rules {
            bounds,
            early_keys: (0..keys.len() as u16).filter(is_early).collect(),
            keeps_errors: all.each(&|set| set.errors),
            keys,
            all,
        }
    }

    /// The text of a reason's key.
    pub(super) fn key(&self, number: u16) -> &str {
        self.keys.get(usize::from(number)).map_or("", |key| key)
    }

    /// The keys that rules look for, among these attributes.
    #[inline]
    pub(super) fn find_keys(&self, attributes: &[KeyValue], found: &mut Vec<u16>) {
        for (number, key) in (0..).zip(&self.keys) {
            let mut attributes = attributes.iter();
            if attributes.any(|one| one.key.as_str() == key) && !found.contains(&number) {
                found.push(number);
            }
        }
    }

    #[inline]
    pub(super) fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Why this trace is kept, whatever comes.
    #[inline]
    pub(super) fn early_reason(&self, trace: &PendingTrace) -> Option<Reason> {
        if trace.has_error && self.keeps_errors {
            return Some(Reason::Error);
        }
        let mut early = self.early_keys.iter();
        let found = early.find(|key| trace.keys.contains(key))?;
        Some(Reason::With(*found))
    }

    /// By what is known of it.
    pub(super) fn judge(&self, trace: &PendingTrace, reading: &Reading) -> Judgement {
        let set = self.all.of_root(trace.root_span());
        let mut judgement = Judgement {
            verdict: Verdict::NotKept,
            panics: 0,
        };
        let reason = set
            .reason_known(trace, reading)
            .or_else(|| set.reason_by(trace, reading, &mut judgement.panics))
            .or_else(|| set.reason_fraction(trace.trace_id()));
        if let Some(reason) = reason {
            judgement.verdict = Verdict::Kept(reason);
        }
        judgement
    }
}

impl RuleSet {
    fn new(keep: Keep, keys: &mut Vec<Cow<'static, str>>) -> Self {
        let number = |key| number_of(key, keys);
        let with = keep.with.into_iter().filter_map(number).collect();
        let others = keep.others.into_iter();
        let others = others.map(|(filter, keep)| (filter, RuleSet::new(keep, keys)));
        RuleSet {
            errors: keep.errors,
            slower: keep.slower,
            with,
            by: keep.by,
            fraction: keep.fraction.unwrap_or_default(),
            others: others.collect(),
        }
    }

    /// Whether this holds for it and all others.
    fn each(&self, holds: &dyn Fn(&RuleSet) -> bool) -> bool {
        holds(self) && self.others.iter().all(|(_, set)| set.each(holds))
    }

    fn of_root(&self, root: Option<&EndedSpan>) -> &RuleSet {
        let Some(span) = root else {
            return self;
        };
        let fits = |filter: &RootFilter| match filter {
            RootFilter::Name(name) => name == span.name(),
            RootFilter::Scope(name) => name == scope_of(span),
        };
        let mut others = self.others.iter().rev();
        match others.find(|(filter, _)| fits(filter)) {
            Some((_, set)) => set.of_root(root),
            None => self,
        }
    }

    fn reason_known(&self, trace: &PendingTrace, reading: &Reading) -> Option<Reason> {
        if self.errors && trace.has_error {
            return Some(Reason::Error);
        }
        if self.slower.is_some_and(|most| trace.lasted(reading) > most) {
            return Some(Reason::Slower);
        }
        let mut with = self.with.iter();
        let found = with.find(|key| trace.keys.contains(key));
        found.map(|key| Reason::With(*key))
    }

    fn reason_by(
        &self,
        trace: &PendingTrace,
        reading: &Reading,
        panics: &mut u64,
    ) -> Option<Reason> {
        let local_trace = LocalTrace {
            trace_id: trace.trace_id(),
            spans: &trace.spans,
            root: trace.root,
            reading,
        };
        let mut keeps = |rule: &ByRule| {
            shielded(|| rule(&local_trace)).unwrap_or_else(|| {
                *panics += 1;
                true
            })
        };
        let is_kept = self.by.iter().any(|rule| keeps(rule));
        is_kept.then_some(Reason::By)
    }

    fn reason_fraction(&self, trace_id: TraceId) -> Option<Reason> {
        is_in(self.fraction, trace_id).then_some(Reason::Fraction)
    }
}

/// `None` where there are more keys than numbers.
fn number_of(key: Cow<'static, str>, keys: &mut Vec<Cow<'static, str>>) -> Option<u16> {
    let known = keys.iter().position(|known| *known == key);
    let number = known.unwrap_or_else(|| {
        keys.push(key);
        keys.len() - 1
    });
    u16::try_from(number).ok()
}

/// The rules are the application's, and so are their destructors.
impl Drop for RuleSet {
    fn drop(&mut self) {
        for rule in self.by.drain(..) {
            shielded(|| drop(rule));
        }
    }
}
