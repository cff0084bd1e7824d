//! Writes finished traces into a folder, a page for each.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::folder::Folder;
use super::html::{key_values, page_in_folder};
use super::index::{self, Appended};
use super::page_name::page_names;
use super::summary::summary;
use super::trace_collector::{Part, TraceCollector};

/// Writes each trace into a file of its own when it is finished: a page that shows it as a waterfall,
/// opens from disk and loads nothing. What *finished* means is in the
/// [documentation of the crate](crate).
///
/// ```
/// use enter_span_pipeline::{HtmlFiles, Pipeline};
///
/// # let folder = std::env::temp_dir().join(format!("enter-span-doc-{}", std::process::id()));
/// let files = HtmlFiles::in_folder(&folder);
/// let pipeline = Pipeline::builder().with_exporter(files).install()?;
/// # pipeline.shutdown(std::time::Duration::from_secs(5))?;
/// # Ok::<(), enter_span_pipeline::Error>(())
/// ```
///
/// A page is named `trace-<start of the trace, in microseconds>-<trace id>.html`, and a further part of
/// a trace has its own. The folder keeps the newest 1,000 pages, those of earlier runs included. The oldest are
/// removed whenever a tenth of the limit was written, and at the shutdown.
///
/// Open `index.html` first: it lists the pages with their names, services, durations, errors and links, sorted and
/// searched as you like. It holds the newest 10,000. In a page, a link or a parent of another process leads to the
/// page that has it.
///
/// Several processes can share a folder: each appends to the index, and none overwrites a page of another.
/// A file appears under its name when it is whole. On Unix only its owner may read it, and only the
/// owner may enter a folder that is made here. No symbolic link inside the folder is followed.
/// Nothing else in the folder is touched: an `index.html` that is not of this kind stays, and there is no index.
///
/// # Which folders are refused
///
/// - A symbolic link, with or without a `/` or `/.` at its end. Links in the path above it are followed:
///   `/tmp` is one on some systems.
/// - On Unix, a folder that every user can write to, such as `/tmp`, sticky or not. Others could put pages
///   of their own among those that you open in a browser, and have yours removed as the oldest. Name a
///   folder inside it, such as `/tmp/traces`: it is created for you alone. Your group may have write access.
///
/// The folders above are not checked: anyone who can rename one of them can replace it.
///
/// A trace that cannot be written is the error of that export, and is not tried again.
pub struct HtmlFiles {
    folder: Folder,
    limit: usize,
    /// Pages that were written since the folder was last tidied. `NEVER` before the first time.
    untidied: AtomicUsize,
    resource: Vec<KeyValue>,
    collector: TraceCollector,
}

const NEVER: usize = usize::MAX;

/// What is read and rewritten when the folder is tidied is bounded by its limit. This share of the limit is written
/// between two times, so a page costs the same however many there are.
const TIDIED_AFTER: usize = 10;

impl HtmlFiles {
    /// Writes into this folder, which is made when the first trace is finished.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        HtmlFiles {
            folder: Folder::new(&folder.into()),
            limit: 1_000,
            untidied: AtomicUsize::new(NEVER),
            resource: Vec::new(),
            collector: TraceCollector::new(),
        }
    }

    /// Keeps this many pages, and at least one. The index lists the newest 10,000 of them.
    #[must_use]
    pub fn with_limit(mut self, files: usize) -> Self {
        self.limit = files.max(1);
        self
    }

    /// Writes all of them, also where one cannot be written, and gives the first error.
    fn write(&self, parts: &[Part]) -> OTelSdkResult {
        let written = parts.iter().map(|part| self.write_part(part));
        let written = written.fold(Ok(()), Result::and);
        let tidied = written.and_then(|()| match parts {
            [] => Ok(()),
            _ => self.tidy_after(self.limit / TIDIED_AFTER),
        });
        tidied.map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &io::Error) -> OTelSdkError {
        let folder = self.folder.path().display();
        OTelSdkError::InternalFailure(format!("a trace could not be written to {folder}: {error}"))
    }

    fn write_part(&self, part: &Part) -> io::Result<()> {
        self.folder.make()?;
        let summary = summary(part, &self.resource).to_string();
        let page = page_in_folder(part, &self.resource, &summary);
        let name = self
            .folder
            .write_new(page_names(&part.spans), page.as_bytes())?;
        let untidied = self.untidied.load(Ordering::Relaxed);
        let next = match index::append(&self.folder, &name, &summary)? {
            Appended::Yes => untidied.saturating_add(1),
            // It is written when the folder is tidied.
            Appended::NoIndex => NEVER,
        };
        self.untidied.store(next, Ordering::Relaxed);
        Ok(())
    }

    /// Removes the oldest pages and rewrites the index, if more pages than this were written since the last time.
    fn tidy_after(&self, pages: usize) -> io::Result<()> {
        if self.untidied.load(Ordering::Relaxed) <= pages {
            return Ok(());
        }
        self.untidied.store(0, Ordering::Relaxed);
        let names = self.folder.pages()?;
        let (old, kept) = names.split_at(names.len().saturating_sub(self.limit));
        old.iter().try_for_each(|name| self.folder.remove(name))?;
        self.folder.remove_old_drafts()?;
        index::rewrite(&self.folder, kept)
    }

    fn finish(&self) -> OTelSdkResult {
        self.write(&self.collector.shut_down()?)?;
        match self.untidied.load(Ordering::Relaxed) {
            NEVER => Ok(()),
            _ => self.tidy_after(0).map_err(|error| self.failure(&error)),
        }
    }
}

impl SpanExporter for HtmlFiles {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.write(&self.collector.add(batch)?)
    }

    /// Writes what is held, finished or not.
    fn force_flush(&self) -> OTelSdkResult {
        self.write(&self.collector.flush())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.finish()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = key_values(resource);
    }
}

impl fmt::Debug for HtmlFiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HtmlFiles")
            .field("folder", &self.folder)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
