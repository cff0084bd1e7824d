//! A span that is recorded here, as plain data: what is handed over when it has ended.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};

use crate::backend::site::{Library, Site};

/// It is kept small: each goes once from its thread's cache to another one's.
pub struct Ended {
    pub place: Place,
    pub kind: SpanKind,
    pub status: StatusCode,
    /// How many attributes of the place in source are written after its own.
    pub code: u8,
    /// How many of those beside it are its own.
    pub attributes: u32,
    pub dropped_attributes: u32,
    pub name: Cow<'static, str>,
    pub origin: Origin,
    /// Readings of the sink's counter. Of a time that was told, which stands in the details, it says nothing.
    pub start: u64,
    pub end: u64,
    /// Most spans have none.
    pub details: Option<Box<Details>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusCode {
    #[default]
    Unset,
    Ok,
    Error,
}

/// Where a span stands in its trace, and whether it is sampled.
///
/// Without holes: a trace id asks for 16 bytes' alignment, and would make a record larger by an eighth.
#[derive(Clone, Copy)]
#[repr(Rust, packed)]
pub struct Place {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub flags: TraceFlags,
    /// Not valid for a root.
    pub parent: SpanId,
    pub parent_is_remote: bool,
}

/// When something happened.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// A reading of the sink's counter.
    Counted(u64),
    /// Said by who made the span, who has a clock of their own.
    Told(SystemTime),
}

/// Who made a span, and where.
pub enum Origin {
    Site(&'static Site),
    Library(Box<(&'static Site, Library)>),
    Scope(Arc<InstrumentationScope>),
    Nowhere,
}

#[derive(Default)]
pub struct Details {
    /// The times that were told by who made the span, who has a clock of their own.
    pub start: Option<SystemTime>,
    pub end: Option<SystemTime>,
    pub state: TraceState,
    /// Of an error.
    pub description: Cow<'static, str>,
    pub events: Vec<Happened>,
    pub dropped_events: u32,
    pub links: Vec<Link>,
    pub dropped_links: u32,
}

pub struct Happened {
    pub name: Cow<'static, str>,
    pub moment: Moment,
    pub attributes: Vec<KeyValue>,
    pub dropped_attributes: u32,
}

const _: () = assert!(size_of::<Ended>() <= 112, "a record is larger than it was");

impl Place {
    #[inline]
    pub fn identity(&self, state: TraceState) -> SpanContext {
        SpanContext::new(self.trace_id, self.span_id, self.flags, false, state)
    }
}

impl Origin {
    /// If attributes of its place in source can be written.
    #[inline]
    pub fn site(&self) -> Option<&'static Site> {
        match self {
            Origin::Site(site) => site.place().is_some().then_some(site),
            Origin::Library(both) => both.0.place().is_some().then_some(both.0),
            Origin::Scope(_) | Origin::Nowhere => None,
        }
    }

    pub fn scope(&self) -> InstrumentationScope {
        match self {
            Origin::Site(site) => site.library().scope(),
            Origin::Library(both) => both.1.scope(),
            Origin::Scope(scope) => (**scope).clone(),
            Origin::Nowhere => InstrumentationScope::default(),
        }
    }
}

/// An empty one.
impl Default for Ended {
    fn default() -> Self {
        Ended {
            place: Place {
                trace_id: TraceId::INVALID,
                span_id: SpanId::INVALID,
                flags: TraceFlags::NOT_SAMPLED,
                parent: SpanId::INVALID,
                parent_is_remote: false,
            },
            kind: SpanKind::Internal,
            status: StatusCode::Unset,
            code: 0,
            attributes: 0,
            dropped_attributes: 0,
            name: Cow::Borrowed(""),
            origin: Origin::Nowhere,
            start: 0,
            end: 0,
            details: None,
        }
    }
}

impl Ended {
    /// The status, taken out.
    #[inline]
    pub fn take_status(&mut self) -> Status {
        match (self.status, &mut self.details) {
            (StatusCode::Unset, _) => Status::Unset,
            (StatusCode::Ok, _) => Status::Ok,
            (StatusCode::Error, details) => Status::Error {
                description: match details {
                    Some(details) => mem::take(&mut details.description),
                    None => Cow::Borrowed(""),
                },
            },
        }
    }

    #[inline]
    pub(crate) fn identity(&self) -> SpanContext {
        match &self.details {
            None => self.place.identity(TraceState::NONE),
            Some(details) => self.place.identity(details.state.clone()),
        }
    }
}
