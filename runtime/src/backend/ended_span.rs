//! A span that is recorded here, as plain data: what is handed over when it has ended.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};

use crate::attribute::limit::SpanLimits;
use crate::backend::site::{Library, Site};
use crate::context::clock::wall_now;

/// It is kept small: each goes once from its thread's cache to another one's.
#[derive(Clone)]
pub struct EndedSpan {
    pub parentage: Parentage,
    /// Its local root, as far as that was known at its start: itself, or its parent where nobody knew better.
    /// Written only if the config asks for it.
    pub root: SpanId,
    pub kind: SpanKind,
    pub status: StatusCode,
    /// How many attributes of the place in source are written after its own.
    pub code: u8,
    /// How many of those beside it are its own.
    pub attributes: u32,
    pub dropped_attributes: u32,
    /// `None` where it is that of its site.
    pub name: Option<Cow<'static, str>>,
    pub source: SpanSource,
    /// Readings of the sink's counter. They are not set for a time that the caller gave: that is in the details.
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

/// The place of a span in its trace, and whether it is sampled.
///
/// Without holes: a trace id asks for 16 bytes' alignment, and would make a record larger by an eighth.
#[derive(Clone, Copy)]
#[repr(Rust, packed)]
pub struct Parentage {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub flags: TraceFlags,
    /// Not valid for a root.
    pub parent: SpanId,
    pub parent_is_remote: bool,
}

/// When something happened.
#[derive(Clone, Copy, Debug)]
pub enum Timestamp {
    /// A reading of the sink's counter.
    Ticks(u64),
    /// Said by who made the span, who has a clock of their own.
    Wall(SystemTime),
}

/// Who made a span, and where.
#[derive(Clone)]
pub enum SpanSource {
    Site(&'static Site),
    Library(Box<(&'static Site, Library)>),
    Scope(Arc<InstrumentationScope>),
    Unknown,
}

#[derive(Clone, Default)]
pub struct Details {
    /// The times that were told by who made the span, who has a clock of their own.
    pub start: Option<SystemTime>,
    pub end: Option<SystemTime>,
    pub state: TraceState,
    /// Of an error.
    pub description: Cow<'static, str>,
    pub events: Vec<RecordedEvent>,
    pub dropped_events: u32,
    pub links: Vec<Link>,
    pub dropped_links: u32,
}

#[derive(Clone)]
pub struct RecordedEvent {
    pub name: Cow<'static, str>,
    pub timestamp: Timestamp,
    pub attributes: Vec<KeyValue>,
    pub dropped_attributes: u32,
}

const _: () = assert!(
    size_of::<EndedSpan>() <= 120,
    "a record is larger than it was"
);

/// What is known of a span when it starts.
pub struct SpanStart {
    pub parentage: Parentage,
    pub kind: SpanKind,
    pub name: Cow<'static, str>,
    pub source: SpanSource,
    pub start: Timestamp,
}

impl Parentage {
    #[inline]
    pub fn identity(&self, state: TraceState) -> SpanContext {
        SpanContext::new(self.trace_id, self.span_id, self.flags, false, state)
    }
}

impl SpanSource {
    /// If attributes of its place in source can be written.
    #[inline]
    pub fn site(&self) -> Option<&'static Site> {
        match self {
            SpanSource::Site(site) => site.location().is_some().then_some(site),
            SpanSource::Library(both) => both.0.location().is_some().then_some(both.0),
            SpanSource::Scope(_) | SpanSource::Unknown => None,
        }
    }

    /// The name of a span that was given no other.
    #[inline]
    fn name(&self) -> &'static str {
        match self {
            SpanSource::Site(site) => site.name(),
            SpanSource::Library(both) => both.0.name(),
            SpanSource::Scope(_) | SpanSource::Unknown => "",
        }
    }

    pub fn scope(&self) -> InstrumentationScope {
        match self {
            SpanSource::Site(site) => site.library().scope(),
            SpanSource::Library(both) => both.1.scope(),
            SpanSource::Scope(scope) => (**scope).clone(),
            SpanSource::Unknown => InstrumentationScope::default(),
        }
    }
}

/// An empty one.
impl Default for EndedSpan {
    fn default() -> Self {
        EndedSpan {
            parentage: Parentage {
                trace_id: TraceId::INVALID,
                span_id: SpanId::INVALID,
                flags: TraceFlags::NOT_SAMPLED,
                parent: SpanId::INVALID,
                parent_is_remote: false,
            },
            root: SpanId::INVALID,
            kind: SpanKind::Internal,
            status: StatusCode::Unset,
            code: 0,
            attributes: 0,
            dropped_attributes: 0,
            name: None,
            source: SpanSource::Unknown,
            start: 0,
            end: 0,
            details: None,
        }
    }
}

impl EndedSpan {
    #[inline]
    pub fn name(&self) -> &str {
        match &self.name {
            Some(name) => name,
            None => self.source.name(),
        }
    }

    /// The name, taken out.
    #[inline]
    pub fn take_name(&mut self) -> Cow<'static, str> {
        match self.name.take() {
            Some(name) => name,
            None => Cow::Borrowed(self.source.name()),
        }
    }

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
            None => self.parentage.identity(TraceState::NONE),
            Some(details) => self.parentage.identity(details.state.clone()),
        }
    }

    /// Writes its identity in the place of another one: each field goes from a register into its place.
    #[inline(always)]
    pub(crate) fn write_identity(&self, identity: &mut SpanContext) {
        if self.details.is_none() {
            *identity = self.parentage.identity(TraceState::NONE);
        } else {
            *identity = self.identity();
        }
    }

    /// Takes out what it holds.
    #[inline(always)]
    pub fn take(&mut self) -> Self {
        EndedSpan {
            parentage: self.parentage,
            root: self.root,
            kind: self.kind.clone(),
            status: mem::take(&mut self.status),
            code: self.code,
            attributes: self.attributes,
            dropped_attributes: mem::take(&mut self.dropped_attributes),
            name: self.name.take(),
            source: mem::replace(&mut self.source, SpanSource::Unknown),
            start: self.start,
            end: self.end,
            details: self.details.take(),
        }
    }

    /// Drops what it holds, but for its root: what starts below it later asks for that.
    pub fn clear(&mut self) {
        *self = EndedSpan {
            root: self.root,
            ..EndedSpan::default()
        };
    }

    /// A start that was given comes from another clock.
    #[inline]
    pub(crate) fn wall_time(&self, time: Option<SystemTime>) -> Option<SystemTime> {
        match &self.details {
            Some(details) if details.start.is_some() => Some(time.unwrap_or_else(wall_now)),
            _ => time,
        }
    }

    /// Room for so many attributes, with those of the place in source.
    #[inline]
    pub(crate) fn most_attributes(&self, limits: &SpanLimits) -> usize {
        limits.attributes - usize::from(self.code)
    }
}
