//! Why a pipeline could not do what it was asked to.

use std::fmt;
use std::io;
use std::time::Duration;

/// Why a pipeline could not do what it was asked to.
///
/// ```
/// use enter_span_pipeline::{Console, Error, Pipeline};
///
/// let install = || Pipeline::builder().with_exporter(Console::new()).install();
/// let pipeline = install()?;
/// assert!(matches!(install(), Err(Error::AlreadyInstalled)));
/// drop(pipeline);
/// install()?;
/// # Ok::<(), enter_span_pipeline::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Another pipeline is installed; shut it down, or drop it, before.
    AlreadyInstalled,
    /// The operating system failed to spawn a thread.
    NoThread(io::Error),
    /// It took longer than this time.
    TimedOut(Duration),
    /// This is a forked child, where the pipeline of the parent is off.
    Forked,
    /// The pipeline's own thread has panicked. What it had was dropped, and all that came later.
    Died,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::AlreadyInstalled => formatter.write_str(
                "a pipeline is installed already; drop its handle before installing another one",
            ),
            Error::NoThread(error) => write!(
                formatter,
                "failed to spawn a thread for the pipeline: {error}"
            ),
            Error::TimedOut(time) => write!(formatter, "timed out after {time:?}"),
            Error::Forked => formatter.write_str("the pipeline is its parent process's"),
            Error::Died => formatter.write_str("the pipeline's thread has panicked"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::NoThread(error) => Some(error),
            Error::AlreadyInstalled | Error::TimedOut(_) | Error::Forked | Error::Died => None,
        }
    }
}
