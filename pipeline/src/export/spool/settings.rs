//! What the application asks of a spool.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Keeps in files what cannot wait in memory, and sends it later: when the receiver is back, or in the next run.
///
/// ```
/// use std::time::Duration;
///
/// use enter_span_pipeline::{Pipeline, Spool, WhenFull};
///
/// # let folder = std::env::temp_dir().join(format!("enter-span-spool-doc-{}", std::process::id()));
/// let spool = Spool::in_folder(&folder)
///     .with_max_bytes(64 << 20)
///     .with_max_age(Duration::from_secs(3_600))
///     .with_sync_interval(Duration::from_secs(5))
///     .with_when_full(WhenFull::DropOldest);
/// let builder = Pipeline::builder().with_otlp().with_spool(spool);
/// # let builder = builder.with_warnings(|_| {}).with_environment(|name| {
/// #     (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| "http://127.0.0.1:9".to_owned())
/// # });
/// let pipeline = builder.build()?;
/// pipeline.tracer("shop").enter_span("order", |_| {});
/// pipeline.shutdown(Duration::from_secs(5))?;
/// // No collector was there, so the span waits in the folder for the next run.
/// assert_eq!(pipeline.counts().spooled, 1);
/// # drop(std::fs::remove_dir_all(&folder));
/// # Ok::<(), enter_span_pipeline::Error>(())
/// ```
///
/// It serves the exporters of OTLP. Other exporters, and pipelines without one, use no files. It needs Unix: on
/// other systems the pipeline warns and goes on without it.
///
/// # What goes to the folder
///
/// - What does not fit the queue. If three quarters of an exporter's share are used, the oldest batches are
///   written, and make room.
/// - What was sent again for [`Limits::retry_time`](crate::Limits::retry_time).
/// - What has not left at [`Pipeline::shutdown`](crate::Pipeline::shutdown). After the first request that fails
///   there, the others are written and not tried. If the exporter is busy for longer, the last quarter of the
///   time of the shutdown, at most two seconds, is for the files. The shutdown succeeds if all spans are in
///   files by then; otherwise it times out, and the pipeline counts and warns as without a spool.
///
/// New spans come first. The files are sent one by one when nothing else waits and the receiver takes requests.
/// While it is away, a file serves as the request that is tried. A file that the receiver refuses for good is
/// removed, and counted as [`SpoolCounts::refused`](crate::SpoolCounts::refused). One whose failure may pass
/// stays, up to its age.
///
/// # Processes
///
/// Several processes may share a folder, also in different containers of a machine: a file is locked while it is
/// sent, and the lock ends with its process. The folder must be on a local file system. A process sends
/// the files of all others, so processes share a folder only if they export to the same receiver with the same
/// headers. Files have no receiver: if you change the endpoint, the next run sends them to the new one. What
/// another process leaves is found at the start, and then at most once a minute while spans are exported.
///
/// # What arrives twice
///
/// In the ordinary case nothing: a file is removed when the receiver has taken it. A request can arrive twice if
///
/// - the connection is lost before the answer, as without a spool,
/// - the process is killed between the answer and the removal of the file, or the file cannot be removed,
/// - it was on its way when the time of a shutdown was over: then it is in a file too.
///
/// # What can be lost
///
/// A killed process loses what it has in memory. Its files stay. If the machine loses power, files can be lost
/// that were not [synced](Spool::with_sync_interval). A file is whole, or its checksum is wrong: then it is removed, and
/// counted as [`SpoolCounts::broken_files`](crate::SpoolCounts::broken_files).
///
/// An error at writing (a full or read-only file system, a broken disk) ends the writing with one warning, and
/// never the process. The pipeline then goes on as without a spool. What is in the folder is still sent.
///
/// # The folder
///
/// It is created with access for its owner alone (0700), its files with 0600. Spans are stored as they are sent:
/// in plain text, not compressed. The pipeline warns and goes on without a spool if the folder is a symbolic
/// link, belongs to another user, lets others write (a volume often does: name a folder inside it), or
/// cannot be written. Files whose names are not those of a spool are left alone. Files in a newer format are left for a
/// newer version, up to their age. Drafts of processes that died are removed.
///
/// # What a collector does better
///
/// A spool is for overflow and shutdown. A span that fits the queue is in memory alone, and a killed process loses
/// it. A collector on the same host, with `file_storage` for its sending queue, takes spans within
/// milliseconds, stores each of them, survives the death of your process, and compresses. Prefer it where you can run it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a spool is used when a builder has it"]
pub struct Spool {
    pub(super) folder: PathBuf,
    pub(super) max_bytes: u64,
    pub(super) max_age: Duration,
    pub(super) sync_interval: Duration,
    pub(super) when_full: WhenFull,
}

/// Which spans are lost when the spool is full.
///
/// ```
/// use enter_span_pipeline::{Spool, WhenFull};
///
/// // The first minutes of an outage matter more than the last ones.
/// let spool = Spool::in_folder("/var/spool/shop").with_when_full(WhenFull::DropNewest);
/// # let _ = spool;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// The oldest files are removed: [`SpoolCounts::evicted`](crate::SpoolCounts::evicted).
    #[default]
    DropOldest,
    /// What would be written is dropped: [`Dropped::spool_full`](crate::Dropped::spool_full).
    DropNewest,
}

impl Spool {
    /// Uses this folder, which is created when the pipeline is built. `~` and variables are not replaced.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Spool {
            folder: trimmed(&folder.into()),
            max_bytes: 256 << 20,
            max_age: Duration::from_secs(24 * 60 * 60),
            sync_interval: Duration::from_secs(1),
            when_full: WhenFull::DropOldest,
        }
    }

    /// Sets the most bytes in the folder, of all processes together. The default is 256 MiB.
    ///
    /// A file counts as 4 KiB at least. Each process learns once a minute what others have written, so several
    /// of them can exceed it by that much.
    pub fn with_max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Sets how long a file is kept. The default is a day; [`Duration::MAX`] is for ever.
    ///
    /// Older ones are removed, and counted as [`SpoolCounts::expired`](crate::SpoolCounts::expired). The age is that
    /// by the system's clock.
    pub fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Sets how long a file may be written and not synced (`fsync`). The default is a second.
    ///
    /// [`Duration::ZERO`] syncs each file before it gets its name, and [`Duration::MAX`] none. A flush and a
    /// shutdown sync what was written before. Only a crash of the machine, or a loss of power, costs what
    /// is not synced; and on a file system that does not do what it is asked, any file.
    pub fn with_sync_interval(mut self, sync_interval: Duration) -> Self {
        self.sync_interval = sync_interval;
        self
    }

    /// Sets which spans are lost when the folder is full. The default is the oldest ones.
    pub fn with_when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }
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
