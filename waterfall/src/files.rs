//! Writes finished traces into a folder, a page for each.

use std::fmt;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::iter;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::html::{key_values, page_of};
use super::state::length;
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
/// A file is named `trace-<start of the trace, in microseconds>-<trace id>.html`, and a further part of
/// a trace has its own. A thousand such files may be in the folder; beyond that the oldest are removed,
/// those of earlier runs too. Nothing else in the folder is touched.
///
/// A file appears under its name when it is whole. On Unix only its owner may read it, and only the
/// owner may enter a folder that is made here. No symbolic link inside the folder is followed.
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
    folder: PathBuf,
    limit: usize,
    resource: Vec<KeyValue>,
    collector: TraceCollector,
}

impl HtmlFiles {
    /// Writes into this folder, which is made when the first trace is finished.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        HtmlFiles {
            folder: trimmed(&folder.into()),
            limit: 1_000,
            resource: Vec::new(),
            collector: TraceCollector::new(),
        }
    }

    /// Keeps this many files, and at least one.
    #[must_use]
    pub fn with_limit(mut self, files: usize) -> Self {
        self.limit = files.max(1);
        self
    }

    /// Writes all of them, also where one cannot be written, and gives the first error.
    fn write(&self, parts: &[Part]) -> OTelSdkResult {
        let written = parts.iter().map(|part| self.write_part(part));
        let written = written.fold(Ok(()), Result::and);
        written
            .and_then(|()| match parts {
                [] => Ok(()),
                _ => self.remove_oldest(),
            })
            .map_err(|error| {
                let folder = self.folder.display();
                OTelSdkError::InternalFailure(format!(
                    "a trace could not be written to {folder}: {error}"
                ))
            })
    }

    fn write_part(&self, part: &Part) -> io::Result<()> {
        make_folder(&self.folder)?;
        let page = page_of(&part.spans, &self.resource, part.gaps);
        let target = self.free_path(&file_name(&part.spans));
        let draft = self.folder.join(draft_name());
        let written = write_new(&draft, page.as_bytes()).and_then(|()| fs::rename(&draft, &target));
        if written.is_err() {
            // The first error is the one to tell.
            let _ = fs::remove_file(&draft);
        }
        written
    }

    /// Another part of a trace may have started at the same time.
    fn free_path(&self, name: &str) -> PathBuf {
        let further = |number: u32| self.folder.join(format!("{name}-{number}.html"));
        let is_free = |path: &PathBuf| fs::symlink_metadata(path).is_err();
        let first = self.folder.join(format!("{name}.html"));
        iter::once(first)
            .chain(PARTS.map(further))
            .find(is_free)
            .unwrap_or_else(|| further(*PARTS.end()))
    }

    fn remove_oldest(&self) -> io::Result<()> {
        let entries = fs::read_dir(&self.folder)?.flatten();
        // A folder or a link is not made here, whatever its name is.
        let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
        let names = files.filter_map(|entry| entry.file_name().into_string().ok());
        let mut own: Vec<String> = names.filter(|name| is_own(name)).collect();
        let over = own.len().saturating_sub(self.limit);
        // They begin with their time, in as many digits.
        own.sort_unstable();
        own.iter()
            .take(over)
            .try_for_each(|name| remove(&self.folder.join(name)))
    }
}

/// Somebody else who writes into the same folder may have been faster.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

const DIGITS: usize = 17;

/// The numbers of the parts that follow the first one, as far as they have names of their own.
const PARTS: RangeInclusive<u32> = 2..=1_000;

fn file_name(spans: &[SpanData]) -> String {
    let start = spans.iter().map(|span| span.start_time).min();
    let start = length(
        SystemTime::UNIX_EPOCH,
        start.unwrap_or(SystemTime::UNIX_EPOCH),
    );
    let trace = spans
        .first()
        .map(|span| span.span_context.trace_id().to_string());
    let trace = trace.unwrap_or_default();
    format!("trace-{:0DIGITS$}-{trace}", start.as_micros())
}

/// Of its own for each file of this process.
fn draft_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!(".trace-{}-{number}.part", std::process::id())
}

/// Whether a name is one of those that are made here, to the letter.
fn is_own(name: &str) -> bool {
    let parts = name
        .strip_prefix("trace-")
        .and_then(|name| name.strip_suffix(".html"));
    let mut parts = parts.unwrap_or_default().splitn(3, '-');
    let mut is = |length, is_right: fn(char) -> bool| {
        let part = parts.next().unwrap_or_default();
        part.len() == length && part.chars().all(is_right)
    };
    is(DIGITS, |c| c.is_ascii_digit())
        && is(32, |c| matches!(c, '0'..='9' | 'a'..='f'))
        && parts.next().is_none_or(is_part_number)
}

/// That of a further part of a trace.
fn is_part_number(text: &str) -> bool {
    let number = text.parse().ok();
    number.is_some_and(|number: u32| PARTS.contains(&number) && number.to_string() == text)
}

/// Without a `/` or `/.` at its end, which would have a link followed before it is seen.
fn trimmed(folder: &Path) -> PathBuf {
    let trimmed: PathBuf = folder.components().collect();
    if trimmed.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        trimmed
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            new_folder().create(folder)?;
            // Somebody else may have been faster.
            check(&fs::symlink_metadata(folder)?)
        }
        found => check(&found?),
    }
}

fn check(folder: &Metadata) -> io::Result<()> {
    let refused = |kind, reason| Err(io::Error::new(kind, reason));
    if folder.is_symlink() {
        let reason = "it is a symbolic link; name the folder that it leads to";
        refused(io::ErrorKind::NotADirectory, reason)
    } else if !folder.is_dir() {
        refused(io::ErrorKind::NotADirectory, "it is not a folder")
    } else if is_writable_by_all(folder) {
        let reason = "every user can write to it; name a folder of your own inside";
        refused(io::ErrorKind::PermissionDenied, reason)
    } else {
        Ok(())
    }
}

/// Also where it is sticky: that keeps others from removing what is there, and from nothing else.
#[cfg(unix)]
fn is_writable_by_all(folder: &Metadata) -> bool {
    const OTHERS_WRITE: u32 = 0o002;
    std::os::unix::fs::MetadataExt::mode(folder) & OTHERS_WRITE != 0
}

#[cfg(not(unix))]
fn is_writable_by_all(_: &Metadata) -> bool {
    false
}

fn new_folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Follows no link: what stands there is left of a process that had the same number, and is removed.
fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let _ = fs::remove_file(path);
    let mut file: File = new_file().open(path)?;
    file.write_all(content)
}

fn new_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
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
        self.write(&self.collector.shut_down()?)
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
