//! What a process has one of, for all versions of `enter-span` in it.
//!
//! An application and its libraries may depend on different versions of `enter-span`. Each version has statics
//! of its own, so what belongs to the process is here: the [switch](state), [what records spans](SharedBackend),
//! the [versions](members) that take part, and how much [errors](error_detail) may show.
//!
//! The [book](https://github.com/enter-span/enter-span/tree/main/docs) of `enter-span` has a page on
//! [stability](https://github.com/enter-span/enter-span/blob/main/docs/stability.md).
//!
//! This crate is for `enter-span` itself. It has no dependencies, and version 1 stays compatible: a type of
//! another crate is never part of its API. A version hands values to others in a [`SharedBackend`], each of its own
//! type; a version finds the types that it knows.
//!
//! ```
//! use enter_span_core::{SharedBackend, current, flags, install, state, uninstall};
//!
//! let backend = SharedBackend::new("enter-span 0.1.0").with_part("what this version records with");
//! let generation = install(backend, flags::INSTALLED);
//! assert_ne!(state(), 0);
//!
//! let (_, found) = current();
//! let part = found.and_then(|backend| backend.part::<&str>());
//! assert_eq!(part, Some("what this version records with"));
//!
//! uninstall(generation);
//! assert_eq!(state(), 0);
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod context_override;
mod error_detail;
mod members;
mod process;
mod shared_backend;

pub use context_override::ContextOverride;
pub use error_detail::{error_detail, set_error_detail};
pub use members::{Member, Way, join, members};
pub use process::{current, flags, generation, install, state, uninstall};
pub use shared_backend::{GlobalProvider, Origin, SharedBackend};
