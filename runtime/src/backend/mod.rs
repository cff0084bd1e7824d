//! The small trait that the runtime records through.
//!
//! Behind it is any OpenTelemetry provider, which keeps its own spans (`foreign.rs`), or a backend made for it,
//! such as that of `enter-span-pipeline`, whose spans are kept in a `Record`.
//!
//! The decision comes before the description: if the sampler needs only the parent, `Backend::decide` answers
//! first, and names, links and attributes are evaluated only for a span that is sampled.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, Status};
use opentelemetry::{Context, KeyValue, Value};

use crate::backend::ended_span::Parentage;
use crate::backend::record::Record;
use crate::backend::site::{Library, Site};

pub(crate) mod active_backend;
mod contents;
pub(crate) mod context_backend;
#[expect(missing_docs, reason = "reached by `enter-span-pipeline` only")]
pub(crate) mod ended_span;
pub(crate) mod foreign;
pub(crate) mod last_roots;
pub(crate) mod process_backend;
#[expect(missing_docs, reason = "reached by `enter-span-pipeline` only")]
pub(crate) mod record;
pub(crate) mod record_config;
pub(crate) mod record_sink;
#[expect(missing_docs, reason = "reached by generated code only")]
pub(crate) mod site;
pub(crate) mod size;
mod source_path;
pub(crate) mod tracer;

/// Everything about a span that is known before it starts.
pub struct Start<'a> {
    pub site: &'static Site,
    /// Most spans have no more than their site.
    pub options: Option<&'a mut StartOptions>,
    /// What `decide` has said of it.
    pub parentage: Option<Parentage>,
}

/// What a span has beyond its site, for the backend to take.
#[derive(Default)]
pub struct StartOptions {
    pub library: Option<Library>,
    pub name: Option<Cow<'static, str>>,
    /// Seen by samplers, with the `code.*` of the site.
    pub attributes: Vec<KeyValue>,
    pub links: Vec<SpanContext>,
}

impl Start<'_> {
    pub fn library(&self) -> &Library {
        let options = self
            .options
            .as_ref()
            .and_then(|options| options.library.as_ref());
        options.unwrap_or_else(|| self.site.library())
    }

    pub fn take_name(&mut self) -> Cow<'static, str> {
        let options = self
            .options
            .as_mut()
            .and_then(|options| options.name.take());
        options.unwrap_or(Cow::Borrowed(self.site.name()))
    }
}

/// What became of a start.
pub enum StartResult {
    /// No span: what runs there belongs to what is around it.
    Nothing,
    /// A span that is not recorded: the record was told what its children and headers say of it.
    Unrecorded,
    /// A span that is kept in the record that was given.
    Recorded,
    /// A span that is kept elsewhere.
    Foreign(Box<dyn ForeignSpan>),
}

/// Makes spans.
pub trait Backend: Send + Sync + 'static {
    /// Starts a span below `parent`.
    fn start(&self, start: Start<'_>, parent: &Context, record: &mut Record) -> StartResult;

    /// The same for one that has nothing but its site, if that runs no code of the user's, who may
    /// not run while `parent` is borrowed. `None` if it does.
    fn start_plain(
        &self,
        _site: &'static Site,
        _parent: &Context,
        _record: &mut Record,
    ) -> Option<StartResult> {
        None
    }

    /// Whether nothing is recorded below a local span that is not sampled.
    fn follows_parent(&self) -> bool {
        false
    }

    /// Where a span below `parent` stands, and whether it is sampled, if that needs nothing which would have
    /// to be evaluated. It is then started there. `None` if a sampler has to be shown more.
    fn decide(&self, _parent: &Context) -> Option<Parentage> {
        None
    }

    /// Whether it makes no spans for this library, or none any more. Nothing is evaluated for them.
    fn mutes(&self, _library: &Library) -> bool {
        false
    }
}

/// A span that somebody else records. It is called under the lock of its recording, and ended outside of
/// it. It does not panic: what runs code of others catches it.
pub trait ForeignSpan: Send + Sync {
    fn identity(&self) -> SpanContext;

    /// Replaces the value of a key, but for those that the site has said already.
    fn set_attribute(&mut self, attribute: KeyValue);

    /// Sets what says how the span ended, unless the key is there. It comes before what is over the
    /// limits.
    fn set_default(&mut self, key: &'static str, value: Value);

    /// At this moment, if no time is given.
    fn add_event(
        &mut self,
        name: Cow<'static, str>,
        time: Option<SystemTime>,
        attributes: Vec<KeyValue>,
    );

    fn add_link(&mut self, linked: SpanContext, attributes: Vec<KeyValue>);

    fn update_name(&mut self, name: Cow<'static, str>);

    /// Now, if no time is given; a status if one was set.
    fn end(self: Box<Self>, time: Option<SystemTime>, status: Option<Status>);
}
