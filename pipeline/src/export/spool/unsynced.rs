//! Files that were written, and that a crash of the machine would cost.

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

/// Files that are open until they are synced.
const MOST: usize = 64;

pub(super) struct Unsynced {
    interval: Duration,
    files: Vec<File>,
    /// When these are to be synced.
    time: Option<Instant>,
}

impl Unsynced {
    pub(super) fn new(interval: Duration) -> Self {
        Unsynced {
            interval,
            files: Vec::new(),
            time: None,
        }
    }

    /// Whether each file is synced before it has its name.
    pub(super) fn is_never_late(&self) -> bool {
        self.interval.is_zero()
    }

    /// Returns whether it is time to sync.
    pub(super) fn add(&mut self, file: File) -> bool {
        if self.interval.is_zero() || self.interval == Duration::MAX {
            return false;
        }
        self.files.push(file);
        let now = Instant::now();
        // A time that is too far for the clock is none.
        self.time = self.time.or(now.checked_add(self.interval));
        self.time.is_some_and(|time| time <= now) || self.files.len() >= MOST
    }

    pub(super) fn time(&self) -> Option<Instant> {
        self.time
    }

    /// Returns whether there were any.
    pub(super) fn sync(&mut self) -> io::Result<bool> {
        self.time = None;
        let had_any = !self.files.is_empty();
        for file in self.files.drain(..) {
            file.sync_data()?;
        }
        Ok(had_any)
    }
}
