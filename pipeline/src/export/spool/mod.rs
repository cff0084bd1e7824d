//! A folder for batches that cannot wait in memory, and the thread that writes and reads it.
//!
//! A file holds one request of OTLP. It is claimed by a lock (`flock`) and not by a name: the kernel releases the
//! lock of a process that dies, whatever the number of the process and the container it was in. Who has the
//! lock, and finds that the file still has a name, may send and remove it. A draft is locked while it is
//! written, so one without a lock is left of a process that died.
//!
//! No other thread touches the folder. A disk that stands still costs what does not fit the memory.

use std::sync::Arc;

use self::settings::Spool;
use crate::export::exporter::Export;
use crate::export::overflow::Overflow;

#[cfg(unix)]
mod file_name;
#[cfg(unix)]
mod folder;
#[cfg(unix)]
mod format;
pub(crate) mod settings;
#[cfg(unix)]
mod spool_lane;
#[cfg(unix)]
mod spool_overflow;
#[cfg(unix)]
mod spool_queue;
#[cfg(unix)]
mod spool_thread;
#[cfg(unix)]
mod store;
#[cfg(unix)]
mod unsynced;

/// # Errors
///
/// Why these exporters have no spool, and what to do.
#[cfg(unix)]
pub(crate) fn open(
    spool: Spool,
    exporters: &[Box<dyn Export>],
) -> Result<Arc<dyn Overflow>, String> {
    if !exporters
        .iter()
        .any(|exporter| exporter.encoder().is_some())
    {
        return Err("the spool is not used, since no exporter sends OTLP; add one with `with_otlp`, or leave the spool out".to_owned());
    }
    Ok(Arc::new(spool_overflow::SpoolOverflow::open(spool)?))
}

/// # Errors
///
/// There are no spools here.
#[cfg(not(unix))]
pub(crate) fn open(_: Spool, _: &[Box<dyn Export>]) -> Result<Arc<dyn Overflow>, String> {
    Err("the spool is not used, since it needs Unix".to_owned())
}
