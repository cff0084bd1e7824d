//! Why nothing arrives, and what is open.

pub(crate) mod diagnosis;
pub(crate) mod global_provider;
pub(crate) mod install_log;
pub(crate) mod later_work;
#[cfg(feature = "open-spans")]
pub(crate) mod open_list;
#[cfg(feature = "open-spans")]
pub(crate) mod open_spans;
pub(crate) mod report;
#[cfg(feature = "open-spans")]
pub(crate) mod root_watch;
#[cfg(feature = "open-spans")]
mod start_time;
pub(crate) mod undeclared_root;
pub(crate) mod versions;
