//! A span while it is recorded, within its limits: for a backend that takes it when it ends.
//!
//! One place from start to end, of a known type: the backend fills it at the start and takes from it at the
//! end. With a boxed record behind a trait a child took 2,466 instructions, and 1,989 now. Its memory is used
//! again by the next span. The values are handed over and not the memory, which would go from core to core:
//! the first touch of a box that came back cost 60 ns. Hot values go from registers into their place, since
//! reading in one piece what was just written in several is slow.

use std::borrow::Cow;
use std::iter;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceId, TraceState};
use opentelemetry::{Context, KeyValue, Value};

use crate::attribute::value::Scalar;
use crate::backend::contents::Contents;
use crate::backend::ended_span::{
    EndedSpan, Parentage, RecordedEvent, SpanSource, SpanStart, StatusCode, Timestamp,
};
use crate::backend::record_config::{Extras, RecordConfig};
use crate::backend::site::Site;
use crate::backend::size::{self, Content, Name};

#[derive(Default)]
pub struct Record {
    span: EndedSpan,
    /// Kept here until it ends, so that the list is used again.
    attributes: Vec<KeyValue>,
    /// Bytes that it holds, about, beside itself.
    held: usize,
    /// From the first span on.
    config: Option<Arc<RecordConfig>>,
    /// Of a span that is not recorded.
    declined: Option<SpanContext>,
}

/// A record that holds room for more attributes is not used again.
const MOST_KEPT: usize = 64;

impl Record {
    /// A new span in the place of the last one, which has ended. It starts below what is current in `parent`.
    #[inline(always)]
    pub fn begin(
        &mut self,
        config: &Arc<RecordConfig>,
        span_start: SpanStart,
        state: &TraceState,
        parent: &Context,
    ) {
        self.know(config);
        let (name, of_name) = size::bound(span_start.name, config.limits.bytes / 2);
        self.held = of_name + size::of_origin(&span_start.source);
        let span = &mut self.span;
        span.parentage = span_start.parentage;
        span.kind = span_start.kind;
        span.name = Some(name);
        span.source = span_start.source;
        let site = span.source.site();
        let has_place = config.note_extras(&mut self.span, parent);
        self.place(site.filter(|_| has_place), config);
        match span_start.start {
            Timestamp::Ticks(start) => self.span.start = start,
            Timestamp::Wall(start) => self.keep_start(start),
        }
        if *state != TraceState::NONE {
            self.keep_state(state);
        }
    }

    /// The same for a span that has only its site. Each field goes from a register into its place.
    #[inline(always)]
    pub fn begin_at(
        &mut self,
        site: &'static Site,
        config: &Arc<RecordConfig>,
        parentage: Parentage,
        start: u64,
        state: &TraceState,
        parent: &Context,
    ) {
        self.know(config);
        self.held = 0;
        let span = &mut self.span;
        span.parentage = parentage;
        span.kind = site.role().into();
        span.source = SpanSource::Site(site);
        span.start = start;
        span.name = None;
        if site.name_len() > config.limits.bytes / 2 {
            self.bound_name(site, config);
        }
        let has_place = config.note_extras(&mut self.span, parent) && site.has_location();
        self.place(has_place.then_some(site), config);
        if *state != TraceState::NONE {
            self.keep_state(state);
        }
    }

    #[inline(always)]
    fn know(&mut self, config: &Arc<RecordConfig>) {
        let is_own = |own: &Arc<RecordConfig>| Arc::ptr_eq(own, config);
        if !self.config.as_ref().is_some_and(is_own) {
            self.learn(config);
        }
    }

    #[cold]
    #[inline(never)]
    fn bound_name(&mut self, site: &'static Site, config: &RecordConfig) {
        let (name, held) = size::bound(Cow::Borrowed(site.name()), config.limits.bytes / 2);
        self.span.name = Some(name);
        self.held = held;
    }

    /// The local root of its span, also after its end, if that is recorded, and the mark of its config.
    pub fn root(&self) -> (SpanId, usize) {
        match &self.config {
            Some(config) if config.extras.include(Extras::ROOT) => (self.span.root, config.mark()),
            Some(config) => (SpanId::INVALID, config.mark()),
            None => (SpanId::INVALID, 0),
        }
    }

    /// Forgets whose spans it had: another provider's is in its place.
    pub(crate) fn forget(&mut self) {
        self.config = None;
    }

    #[cold]
    #[inline(never)]
    fn learn(&mut self, config: &Arc<RecordConfig>) {
        self.config = Some(Arc::clone(config));
    }

    /// Has the span tell its place in source, as far as its limits allow.
    #[inline(always)]
    fn place(&mut self, site: Option<&'static Site>, config: &RecordConfig) {
        let span = &mut self.span;
        span.code = 0;
        if site.is_some() {
            let code = Site::CODE_KEYS.len().min(config.limits.attributes);
            span.code = code as u8;
            span.dropped_attributes = (Site::CODE_KEYS.len() - code) as u32;
        }
    }

    /// When it started, as its sink counts; `None` if that was told.
    #[cfg(feature = "open-spans")]
    #[inline]
    pub(crate) fn counted_start(&self) -> Option<(&Arc<RecordConfig>, u64)> {
        let details = self.span.details.as_ref();
        let is_told = details.is_some_and(|details| details.start.is_some());
        let config = self.config.as_ref().filter(|_| !is_told);
        config.map(|config| (config, self.span.start))
    }

    #[cold]
    fn keep_start(&mut self, start: SystemTime) {
        self.span.details.get_or_insert_default().start = Some(start);
    }

    #[cold]
    fn keep_state(&mut self, state: &TraceState) {
        self.held += size::of_state(state);
        self.span.details.get_or_insert_default().state = state.clone();
    }

    /// There is a span of this identity, which is not recorded.
    pub fn decline(&mut self, identity: SpanContext) {
        self.declined = Some(identity);
    }

    pub(crate) fn take_declined(&mut self) -> SpanContext {
        self.declined.take().unwrap_or(SpanContext::NONE)
    }

    #[inline]
    pub fn identity(&self) -> SpanContext {
        self.span.identity()
    }

    #[inline(always)]
    pub(crate) fn write_identity(&self, identity: &mut SpanContext) {
        self.span.write_identity(identity);
    }

    pub(crate) fn trace_id(&self) -> TraceId {
        self.span.parentage.trace_id
    }

    /// The specification's upsert: the last value of a key holds. What the site says already stays.
    #[inline(always)]
    pub fn set_attribute(&mut self, KeyValue { key, value, .. }: KeyValue) {
        self.set(key, value);
    }

    #[inline(always)]
    fn upsert(&mut self, key: impl Name, value: impl Content) {
        let Some(config) = &self.config else {
            return;
        };
        let limits = &config.limits;
        let held = self.held + size::of_new(&key, &value);
        let most = self.span.most_attributes(limits);
        let has_room = self.attributes.len() < most && held <= limits.bytes;
        let is_plain = has_room && limits.text.is_none();
        if is_plain && (self.attributes.is_empty() || !self.has(key.as_ref())) {
            self.held = held;
            // Made in its place: a push would make it elsewhere and copy it.
            let attribute = iter::once_with(|| KeyValue::new(key, value));
            self.attributes.extend(attribute);
        } else {
            self.replace(KeyValue::new(key, value));
        }
    }

    #[inline(never)]
    fn has(&self, key: &str) -> bool {
        self.attributes.iter().any(|own| own.key.as_str() == key)
    }

    /// The same, where there is a value already, or it has to be made to fit.
    #[cold]
    #[inline(never)]
    fn replace(&mut self, attribute: KeyValue) {
        if let Some((contents, _)) = self.contents() {
            contents.set(attribute);
        }
    }

    fn contents(&mut self) -> Option<(Contents<'_>, &RecordConfig)> {
        let config = self.config.as_ref()?;
        let contents = Contents {
            span: &mut self.span,
            attributes: &mut self.attributes,
            held: &mut self.held,
            limits: &config.limits,
        };
        Some((contents, config))
    }

    /// The same, but for what the site says already.
    #[inline(always)]
    pub(crate) fn set(&mut self, key: impl Name, value: impl Content) {
        if !self.is_code_key(key.as_ref()) {
            self.upsert(key, value);
        }
    }

    /// The same for what most attributes are. Out of line, so that all have it.
    #[inline(never)]
    pub(crate) fn set_scalar(&mut self, key: &'static str, value: Scalar) {
        if !key.is_empty() {
            self.set(key, value);
        }
    }

    /// Sets what says how the span ended, unless the key is there.
    pub(crate) fn set_default(&mut self, key: &'static str, value: Value) {
        if !self.has(key) {
            self.set(key, value);
        }
    }

    #[inline]
    fn is_code_key(&self, key: &str) -> bool {
        key.starts_with("code.") && self.span.code > 0 && Site::CODE_KEYS.contains(&key)
    }

    /// At this moment, if no time is given. Says whether there was room.
    pub fn add_event(
        &mut self,
        name: Cow<'static, str>,
        time: Option<SystemTime>,
        attributes: Vec<KeyValue>,
    ) -> bool {
        let Some((contents, config)) = self.contents() else {
            return false;
        };
        let timestamp = match contents.span.wall_time(time) {
            Some(wall) => Timestamp::Wall(wall),
            None => Timestamp::Ticks(config.sink.now()),
        };
        contents.add_event(RecordedEvent {
            name: size::bound(name, usize::MAX).0,
            timestamp,
            attributes,
            dropped_attributes: 0,
        })
    }

    pub fn add_link(&mut self, link: Link) {
        if let Some((contents, _)) = self.contents() {
            contents.add_link(link);
        }
    }

    pub(crate) fn set_kind(&mut self, kind: SpanKind) {
        self.span.kind = kind;
    }

    pub fn update_name(&mut self, name: Cow<'static, str>) {
        let span = &mut self.span;
        let most = self
            .config
            .as_ref()
            .map_or(0, |config| config.limits.bytes / 2);
        let (name, of_name) = size::bound(name, most);
        let before = span.name.as_ref().map_or(0, size::of_text);
        self.held = (self.held + of_name).saturating_sub(before);
        span.name = Some(name);
    }

    /// An error does not replace `Ok`, which is the operator's word; else the last call holds.
    pub fn set_status(&mut self, status: Status) {
        let (code, description) = match status {
            Status::Unset => return,
            Status::Ok => (StatusCode::Ok, Cow::Borrowed("")),
            Status::Error { description } => (StatusCode::Error, description),
        };
        if self.span.status != StatusCode::Ok {
            self.span.status = code;
            self.describe(description);
        }
    }

    fn describe(&mut self, description: Cow<'static, str>) {
        let Some(config) = &self.config else {
            return;
        };
        // An error without a text needs no box.
        if description.is_empty() && self.span.details.is_none() {
            return;
        }
        let (description, _) = size::bound(description, config.limits.bytes / 2);
        self.span.details.get_or_insert_default().description = description;
    }

    /// Hands it over: now, if no time is given. What is not taken is gone.
    #[inline(always)]
    pub fn end(&mut self, time: Option<SystemTime>) {
        let Some(config) = &self.config else {
            return;
        };
        if let Some(end) = self.span.wall_time(time) {
            self.span.details.get_or_insert_default().end = Some(end);
        }
        let bytes = size::of_span(&self.span, self.held);
        let (span, attributes) = (&mut self.span, &mut self.attributes);
        config.sink.take(span, attributes, bytes);
        if self.attributes.capacity() > MOST_KEPT {
            self.attributes = Vec::new();
        }
    }
}
