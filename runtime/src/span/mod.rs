//! One span from its start to its end.

#[expect(missing_docs, reason = "reached by generated code only")]
pub(crate) mod active;
pub(crate) mod attach;
pub(crate) mod body;
pub(crate) mod bridged_span;
#[expect(missing_docs, reason = "reached by generated code only")]
pub(crate) mod builder;
pub(crate) mod context_span;
#[expect(missing_docs, reason = "reached by generated code only")]
pub(crate) mod current;
pub(crate) mod entered_mirror;
pub(crate) mod forwarding_span;
#[expect(missing_docs, reason = "reached by generated code only")]
pub(crate) mod guard;
mod habit;
pub(crate) mod handle;
pub(crate) mod local_root;
pub(crate) mod owned;
pub(crate) mod parent;
pub(crate) mod recorded_mirror;
pub(crate) mod recorded_root;
pub(crate) mod recorder_hooks;
pub(crate) mod recording;
pub(crate) mod recording_place;
pub(crate) mod recording_state;
mod root_overflow;
mod root_slot;
pub(crate) mod root_table;
pub(crate) mod scope;
pub(crate) mod scope_mirror;
pub(crate) mod spare_list;
pub(crate) mod start;
pub(crate) mod to_parent;
mod unsampled;
