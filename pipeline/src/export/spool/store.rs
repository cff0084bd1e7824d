//! What is in the folder: writes, claims and removes files, within the limits of the spool.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::ops::Bound;
use std::time::Instant;

use crate::export::encode::EncodedRequest;
use crate::export::exporter::Rest;
use crate::export::overflow::{Claim, Loan};
use crate::export::spool::file_name::{self, FileName, Named};
use crate::export::spool::folder::{self, Folder};
use crate::export::spool::format::{self, Content, HEADER};
use crate::export::spool::settings::{Spool, WhenFull};
use crate::export::spool::unsynced::Unsynced;
use crate::stats::spool_counts::SpoolFate;

pub(super) struct Store {
    folder: Folder,
    spool: Spool,
    files: BTreeMap<FileName, Entry>,
    /// Of all files.
    bytes: u64,
    /// By exporter: the file that was tried last. The next one is after it.
    cursors: BTreeMap<u16, FileName>,
    unsynced: Unsynced,
    /// What was removed, and is to be counted: the exporter's number, and its spans.
    pub(super) removed: Vec<(u16, SpoolFate, usize)>,
}

struct Entry {
    bytes: u64,
    /// It cannot be used by this process.
    is_skipped: bool,
}

/// Why a request was not written.
#[derive(Debug)]
pub(super) enum WriteFault {
    Full,
    Failed(io::Error),
}

/// What a file takes at least: a block.
const LEAST_BYTES: u64 = 4096;

impl Store {
    /// Checks that files can be made in it.
    ///
    /// # Errors
    ///
    /// Why it cannot be used, and what to do.
    pub(super) fn open(spool: Spool) -> Result<Self, String> {
        let folder = Folder::open(&spool.folder)?;
        let unsynced = Unsynced::new(spool.sync_interval);
        let store = Store {
            folder,
            spool,
            files: BTreeMap::new(),
            bytes: 0,
            cursors: BTreeMap::new(),
            unsynced,
            removed: Vec::new(),
        };
        let probe = store.draft(0, 0);
        let probe = probe.and_then(|(name, _)| store.folder.remove(&name.draft()));
        probe.map_err(|error| {
            format!("no file can be created in it: {error}; name a folder that this user can write")
        })?;
        Ok(store)
    }

    /// Reads the folder anew. What others have removed is forgotten; what a dead process was writing is removed.
    pub(super) fn scan(&mut self) -> io::Result<()> {
        let (mut found, mut drafts) = (Vec::new(), Vec::new());
        self.folder
            .for_each_name(|name| match file_name::read(name) {
                Named::File(name) => found.push(name),
                Named::Draft => drafts.push(name.to_owned()),
                Named::Foreign => {}
            })?;
        for draft in drafts {
            if let Ok(Some(_lock)) = self.folder.claim(&draft) {
                self.folder.remove(&draft)?;
            }
        }
        let mut known = std::mem::take(&mut self.files);
        self.bytes = 0;
        for name in found {
            let entry = known.remove(&name).or_else(|| {
                let bytes = self.folder.size(&name.to_string())?;
                Some(Entry::new(bytes))
            });
            if let Some(entry) = entry {
                self.add(name, entry);
            }
        }
        self.expire()
    }

    fn add(&mut self, name: FileName, entry: Entry) {
        self.bytes += entry.bytes;
        self.files.insert(name, entry);
    }

    fn forget(&mut self, name: &FileName) {
        if let Some(entry) = self.files.remove(name) {
            self.bytes = self.bytes.saturating_sub(entry.bytes);
        }
    }

    /// Spans in the folder for this exporter.
    pub(super) fn waiting(&self, lane: u16) -> u64 {
        let names = self.files.keys().filter(|name| name.lane == lane);
        names.map(|name| u64::from(name.spans)).sum()
    }

    pub(super) fn has_files(&self, lane: u16) -> bool {
        let mut files = self.files.iter();
        files.any(|(name, entry)| name.lane == lane && !entry.is_skipped)
    }

    /// Writes a file. It has its name when it is whole.
    pub(super) fn write(&mut self, lane: u16, request: &EncodedRequest) -> Result<(), WriteFault> {
        let spans = u32::try_from(request.spans).map_err(|_| WriteFault::Full)?;
        let entry = Entry::new((HEADER + request.bytes.len()) as u64);
        if request.bytes.len() > format::MOST_BYTES || !self.make_room(entry.bytes)? {
            return Err(WriteFault::Full);
        }
        let (name, file) = self.draft(lane, spans).map_err(WriteFault::Failed)?;
        let written = self.fill(name, &file, &request.bytes);
        if let Err(error) = written {
            // The first error is the one to report.
            let _ = self.folder.remove(&name.draft());
            return Err(WriteFault::Failed(error));
        }
        self.add(name, entry);
        if self.unsynced.add(file) {
            self.sync().map_err(WriteFault::Failed)?;
        }
        Ok(())
    }

    pub(super) fn sync_at(&self) -> Option<Instant> {
        self.unsynced.time()
    }

    /// Syncs what was written before, and the names.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.unsynced.sync()? {
            self.folder.sync()?;
        }
        Ok(())
    }

    /// An empty file, locked, under a name that is not yet one of a file.
    fn draft(&self, lane: u16, spans: u32) -> io::Result<(FileName, File)> {
        const TRIES: usize = 3;
        for _ in 0..TRIES {
            let name = FileName::new(lane, spans);
            if let Some(file) = self.folder.create(&name.draft())? {
                return Ok((name, file));
            }
        }
        Err(io::Error::other("others remove what is written here"))
    }

    fn fill(&self, name: FileName, mut file: &File, body: &[u8]) -> io::Result<()> {
        file.write_all(&format::header(body, name.spans))?;
        file.write_all(body)?;
        let is_synced = self.unsynced.is_never_late();
        if is_synced {
            file.sync_data()?;
        }
        self.folder.rename(&name.draft(), &name.to_string())?;
        if is_synced {
            self.folder.sync()?;
        }
        folder::unlock(file)
    }

    /// Returns whether there is room for so many bytes.
    fn make_room(&mut self, bytes: u64) -> Result<bool, WriteFault> {
        self.expire().map_err(WriteFault::Failed)?;
        let most = self.spool.max_bytes;
        let mut last = Bound::Unbounded;
        while self.bytes.saturating_add(bytes) > most {
            let mut later = self.files.range((last, Bound::Unbounded));
            let oldest = later.next().map(|(name, _)| *name);
            match oldest {
                Some(name) if bytes <= most && self.spool.when_full == WhenFull::DropOldest => {
                    last = Bound::Excluded(name);
                    let discarded = self.discard(name, SpoolFate::Evicted);
                    discarded.map_err(WriteFault::Failed)?;
                }
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Removes what is too old.
    pub(super) fn expire(&mut self) -> io::Result<()> {
        let max_age = self.spool.max_age;
        let old = self.files.keys().take_while(|name| name.age() > max_age);
        let old: Vec<FileName> = old.copied().collect();
        old.into_iter()
            .try_for_each(|name| self.discard(name, SpoolFate::Expired))
    }

    /// Removes a file that nobody is sending.
    fn discard(&mut self, name: FileName, fate: SpoolFate) -> io::Result<()> {
        let text = name.to_string();
        match self.folder.claim(&text) {
            Ok(Some(_lock)) => {
                self.folder.remove(&text)?;
                self.removed.push((name.lane, fate, name.spans as usize));
                self.forget(&name);
            }
            Ok(None) if self.folder.size(&text).is_none() => self.forget(&name),
            // Somebody is sending it.
            Ok(None) => {}
            Err(_) => self.skip(&name),
        }
        Ok(())
    }

    fn skip(&mut self, name: &FileName) {
        if let Some(entry) = self.files.get_mut(name) {
            entry.is_skipped = true;
        }
    }

    /// Claims the next file of this exporter, in their order and then from the first one again: one that the
    /// receiver cannot take does not block the others.
    pub(super) fn lend(&mut self, lane: u16) -> io::Result<Option<Loan>> {
        self.expire()?;
        // Each of them once.
        for _ in 0..self.files.len() {
            let Some(name) = self.next(lane) else {
                break;
            };
            self.cursors.insert(lane, name);
            if let Some(loan) = self.claim(name)? {
                return Ok(Some(loan));
            }
        }
        Ok(None)
    }

    fn next(&self, lane: u16) -> Option<FileName> {
        let cursor = self.cursors.get(&lane).copied();
        let after = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        let later = self.files.range((after, Bound::Unbounded));
        let mut all = later.chain(&self.files);
        let next = all.find(|(name, entry)| name.lane == lane && !entry.is_skipped);
        next.map(|(name, _)| *name)
    }

    /// `None` if it is nothing to be sent now.
    fn claim(&mut self, name: FileName) -> io::Result<Option<Loan>> {
        let text = name.to_string();
        let lock = match self.folder.claim(&text) {
            Ok(Some(lock)) => lock,
            Ok(None) => {
                if self.folder.size(&text).is_none() {
                    self.forget(&name);
                }
                return Ok(None);
            }
            // No file, or one that cannot be opened.
            Err(_) => {
                self.skip(&name);
                return Ok(None);
            }
        };
        match read(&lock) {
            Ok(Content::Request(request)) => Ok(Some(Loan {
                claim: Claim {
                    name: text,
                    spans: request.spans,
                    lock,
                },
                rest: Rest {
                    requests: VecDeque::from([request]),
                },
            })),
            Ok(Content::Broken) => {
                self.folder.remove(&text)?;
                self.removed.push((name.lane, SpoolFate::Broken, 1));
                self.forget(&name);
                Ok(None)
            }
            Ok(Content::Newer) | Err(_) => {
                self.skip(&name);
                Ok(None)
            }
        }
    }

    /// The receiver is done with it. If it cannot be removed, this process does not send it again.
    pub(super) fn remove(&mut self, claim: &Claim) -> io::Result<()> {
        let Named::File(name) = file_name::read(&claim.name) else {
            return Ok(());
        };
        match self.folder.remove(&claim.name) {
            Ok(()) => {
                self.forget(&name);
                Ok(())
            }
            Err(error) => {
                self.skip(&name);
                Err(error)
            }
        }
    }
}

impl Entry {
    fn new(bytes: u64) -> Self {
        Entry {
            bytes: bytes.max(LEAST_BYTES),
            is_skipped: false,
        }
    }
}

fn read(file: &File) -> io::Result<Content> {
    let most = (HEADER + format::MOST_BYTES) as u64;
    let length = file.metadata()?.len();
    if length > most {
        return Ok(Content::Broken);
    }
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(format::read(bytes.into()))
}
