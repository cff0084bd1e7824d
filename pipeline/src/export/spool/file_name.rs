//! The name of a file: when it was written, a random number, for which exporter, and how many spans it has.
//!
//! Names sort by time. The random number keeps processes apart, also where their ids repeat, as in containers.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::sampling::id;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileName {
    /// Microseconds since 1970.
    time: u64,
    random: u64,
    /// The number of the exporter in its pipeline.
    pub(super) lane: u16,
    pub(super) spans: u32,
}

const TIME_DIGITS: usize = 17;
const RANDOM_DIGITS: usize = 16;
const SUFFIX: &str = ".otlp";
const DRAFT: &str = ".draft";

/// What a name says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    File(FileName),
    /// A file that is written, or was to be.
    Draft,
    /// Not of a spool.
    Foreign,
}

impl FileName {
    /// A new one, for a file that is written now.
    pub(super) fn new(lane: u16, spans: u32) -> Self {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let time = time.unwrap_or_default().as_micros();
        FileName {
            time: u64::try_from(time).unwrap_or_default(),
            random: u64::from_be_bytes(id::span_id().to_bytes()),
            lane,
            spans,
        }
    }

    pub(super) fn draft(&self) -> String {
        format!("{self}{DRAFT}")
    }

    /// By the system's clock. One that was stepped back makes it no older.
    pub(super) fn age(&self) -> Duration {
        let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_micros(self.time));
        let age = time.and_then(|time| SystemTime::now().duration_since(time).ok());
        age.unwrap_or_default()
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FileName {
            time,
            random,
            lane,
            spans,
        } = self;
        write!(
            formatter,
            "{time:0TIME_DIGITS$}-{random:0RANDOM_DIGITS$x}-{lane}-{spans}{SUFFIX}"
        )
    }
}

/// Reads a name of the folder. Only what is written here, to the letter, is one of a spool.
pub(super) fn read(name: &str) -> Named {
    match name.strip_suffix(DRAFT) {
        Some(name) => parse(name).map_or(Named::Foreign, |_| Named::Draft),
        None => parse(name).map_or(Named::Foreign, Named::File),
    }
}

fn parse(text: &str) -> Option<FileName> {
    let mut parts = text.strip_suffix(SUFFIX)?.split('-');
    let mut next = || parts.next();
    let name = FileName {
        time: next()?.parse().ok()?,
        random: u64::from_str_radix(next()?, 16).ok()?,
        lane: next()?.parse().ok()?,
        spans: next()?.parse().ok()?,
    };
    (name.to_string() == text).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_written() {
        let name = FileName::new(3, 512);
        assert_eq!(read(&name.to_string()), Named::File(name));
        assert_eq!(read(&name.draft()), Named::Draft);
        assert!(name.age() < Duration::from_secs(60));
    }

    #[test]
    fn other_names_are_foreign() {
        let right = "00001700000000000-00000000000000ff-0-7.otlp";
        assert!(matches!(read(right), Named::File(_)));
        let wrong = [
            "",
            ".draft",
            ".otlp",
            "notes.txt",
            "1700000000000-ff-0-7.otlp",
            "00001700000000000-00000000000000FF-0-7.otlp",
            "00001700000000000-00000000000000ff-0-+7.otlp",
            "00001700000000000-00000000000000ff-0-07.otlp",
            "00001700000000000-00000000000000ff-0-7-8.otlp",
            "00001700000000000-00000000000000ff-99999-7.otlp",
            "00001700000000000-00000000000000ff-0-7.otlp.draft.draft",
        ];
        for name in wrong {
            assert_eq!(read(name), Named::Foreign, "{name}");
        }
    }
}
