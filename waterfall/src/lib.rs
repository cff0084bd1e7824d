//! Finished traces as waterfalls: [`Console`] for a terminal, [`HtmlFiles`] for a browser.
//!
//! Both are exporters, and both wait until a trace is finished.
//!
//! The [book](https://github.com/enter-span/enter-span/tree/main/docs) begins with them:
//! [getting started](https://github.com/enter-span/enter-span/blob/main/docs/getting-started.md).
//!
//! # What *finished* means
//!
//! An exporter sees spans when they have ended, and never those that are open. So a span is *settled*
//! once everything above it in this process has been exported too:
//!
//! - A span without a parent, or whose parent is in another process, is the top of what is below it.
//!   When it is exported, it is shown at the end of that export, with all that hangs below it.
//! - As long as its top is open, or is still on its way, a span is held.
//! - What arrives after its top was shown is shown immediately, as one more part of its trace: a child that
//!   outlives its parent, or one of another thread that comes in a later batch than the root. The
//!   heading says `continued`.
//! - What is still held at a flush or a shutdown is shown as it is. The heading says `incomplete`.
//!   The rest of such a trace is a part of its own later.
//! - No more than 50,000 spans in 1,000 traces and about 64 MiB are held. Beyond that the trace that
//!   came first is shown as incomplete.
//!
//! So each exported span is shown, or counted in a row of those that are folded, exactly once. The ids
//! of the last 100,000 spans that were shown are remembered; what arrives below a span that is
//! forgotten is held until the next flush.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod console;
mod draw;
mod files;
mod folder;
mod html;
mod index;
mod json;
mod page_name;
mod parents;
mod state;
mod summary;
mod terminal;
mod text;
mod trace_collector;
mod tree;

pub use console::Console;
pub use draw::draw;
pub use files::HtmlFiles;
pub use html::page;
pub use text::Color;
