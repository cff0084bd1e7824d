//! What is read from a carrier and written to one.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use opentelemetry::Context as OtelContext;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt as _};

use super::carrier::{ExtractorCarrier, Incoming, InjectorCarrier, Outgoing};
use super::destination::Destinations;
use super::remote::Remote;
use super::{baggage, traceparent, tracestate};
use crate::context::identity::Context;
use crate::context::stack;

/// Carries spans and baggage between processes, by W3C Trace Context, level 2, and W3C Baggage.
///
/// Both are read from what comes in, and the span is written to what goes out. Of the baggage, only the
/// keys that [`with_baggage_keys`](Propagator::with_baggage_keys) names are written: it is the
/// application's, and some of it may be private.
///
/// It is an OpenTelemetry propagator too. As such it extracts into the context that it is given, which
/// is what OpenTelemetry asks for; [`extract`](Propagator::extract) starts from nothing. And it writes to
/// OpenTelemetry's `Injector`, which cannot remove a header: what is there under a name that has nothing to
/// say stays. Use a new carrier for each message, or one of [`Outgoing`].
///
/// ```
/// use enter_span::propagation::{Destinations, Propagator, set_propagator};
///
/// let propagator = Propagator::new()
///     .with_baggage_keys(["tenant"])
///     .with_destinations(Destinations::hosts(["*.internal"]));
/// set_propagator(propagator);
/// ```
#[derive(Clone, Debug)]
pub struct Propagator {
    trace_context: Choice,
    baggage: Choice,
    keys: Option<Arc<[Cow<'static, str>]>>,
    destinations: Destinations,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Used,
    LeftOut,
}

/// That of the process. `None` until it is set.
static PROCESS: RwLock<Option<Propagator>> = RwLock::new(None);

/// Has [`inject`], [`inject_to`] and [`extract`] use this one, and makes it OpenTelemetry's global
/// propagator.
///
/// An application calls it once, early; a library never does. Until then they use
/// [`Propagator::new`]. The pipeline's `install` sets what `OTEL_PROPAGATORS` says.
pub fn set_propagator(propagator: Propagator) {
    opentelemetry::global::set_text_map_propagator(propagator.clone());
    let before = replace(|_| Some(propagator));
    drop(before);
}

/// The one that is used if the application sets none.
pub(crate) fn set_default_propagator(propagator: Propagator) {
    let before = replace(|set| set.clone().or(Some(propagator)));
    drop(before);
}

/// What was there drops outside of the lock, since its predicate is the user's.
fn replace(by: impl FnOnce(&Option<Propagator>) -> Option<Propagator>) -> Option<Propagator> {
    let mut process = PROCESS.write().unwrap_or_else(PoisonError::into_inner);
    let by = by(&process);
    std::mem::replace(&mut *process, by)
}

pub(crate) fn of_process() -> Propagator {
    let process = PROCESS.read().unwrap_or_else(PoisonError::into_inner);
    process.clone().unwrap_or_default()
}

/// Reads the span that a request, a message or the start of this process came from.
///
/// It starts from nothing, never from what is current, and cannot fail: what is not as W3C Trace
/// Context, level 2, says gives a [`Remote`] that is not valid. Nothing of it is ever printed. Work and
/// memory are bounded, whatever was sent: `tracestate` is thrown away if it has more than 32 members or
/// 16 KiB, and of the baggage 64 members and 8 KiB are read. Of a long `tracestate` spans carry 512 bytes,
/// whole members, as the specification asks for; what is sent on is all of it.
///
/// ```
/// use enter_span::propagation::extract;
///
/// let headers = [
///     ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
///     ("baggage", "tenant=shop%20one"),
/// ];
/// let caller = extract(&headers);
/// assert_eq!(caller.span_context().span_id().to_string(), "b7ad6b7169203331");
/// assert_eq!(caller.baggage("tenant"), Some("shop one"));
/// ```
pub fn extract<C: Incoming + ?Sized>(carrier: &C) -> Remote {
    of_process().extract(carrier)
}

/// Writes the current span into a request or a message, for its receiver.
///
/// Call it inside of the client's or the producer's span, last and once: that span, and not its caller,
/// is then the parent of what the receiver does. (A `leaf` is never current.)
///
/// `traceparent`, `tracestate` and `baggage` replace what is there under their names, once; a name that has
/// nothing to say is removed. So headers that were received, or used for another request, can be used again.
/// If you set a `baggage` header of your own, set it after this call, or leave that name to yourself with
/// [`Propagator::without_baggage`]. Without a span nothing is written, and what is there stays.
///
/// ```
/// use std::collections::HashMap;
///
/// use enter_span::enter_span;
/// use enter_span::propagation::inject;
///
/// #[enter_span(kind = client)]
/// fn call() -> HashMap<String, String> {
///     let mut headers = HashMap::new();
///     inject(&mut headers);
///     headers
/// }
///
/// assert!(call().is_empty(), "nothing is installed here");
/// let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
/// enter_span::set_tracer_provider(provider);
/// assert!(call()["traceparent"].starts_with("00-"));
/// ```
pub fn inject<C: Outgoing + ?Sized>(carrier: &mut C) {
    of_process().inject(carrier);
}

/// The same, if the host is one of the [`Destinations`]; else nothing is written, and what is there stays.
///
/// ```
/// use std::collections::HashMap;
///
/// use enter_span::propagation::inject_to;
///
/// let mut headers = HashMap::<String, String>::new();
/// inject_to("api.partner.example", &mut headers);
/// ```
pub fn inject_to<C: Outgoing + ?Sized>(host: &str, carrier: &mut C) {
    of_process().inject_to(host, carrier);
}

impl Default for Propagator {
    fn default() -> Self {
        Propagator::new()
    }
}

impl Propagator {
    /// Trace context both ways, and baggage that comes in.
    pub const fn new() -> Self {
        Propagator {
            trace_context: Choice::Used,
            baggage: Choice::Used,
            keys: None,
            destinations: Destinations::all(),
        }
    }

    /// Neither reads nor writes `traceparent` and `tracestate`.
    #[must_use]
    pub fn without_trace_context(self) -> Self {
        Propagator {
            trace_context: Choice::LeftOut,
            ..self
        }
    }

    /// Neither reads, writes nor removes `baggage`.
    #[must_use]
    pub fn without_baggage(self) -> Self {
        Propagator {
            baggage: Choice::LeftOut,
            ..self
        }
    }

    /// What may leave of the baggage: these keys, in this order, and at most 64 of 8192 bytes.
    #[must_use]
    pub fn with_baggage_keys(
        self,
        keys: impl IntoIterator<Item = impl Into<Cow<'static, str>>>,
    ) -> Self {
        Propagator {
            keys: Some(keys.into_iter().map(Into::into).collect()),
            ..self
        }
    }

    /// The same, and this key.
    pub(crate) fn with_baggage_key(self, key: Cow<'static, str>) -> Self {
        let named = self.keys.as_deref().unwrap_or_default();
        if named.contains(&key) {
            return self;
        }
        let keys = named.iter().cloned().chain([key]).collect();
        Propagator {
            keys: Some(keys),
            ..self
        }
    }

    /// Which hosts [`inject_to`] writes for. The default is all of them.
    #[must_use]
    pub fn with_destinations(self, destinations: Destinations) -> Self {
        Propagator {
            destinations,
            ..self
        }
    }

    /// [`extract`] with this one.
    pub fn extract<C: Incoming + ?Sized>(&self, carrier: &C) -> Remote {
        let nothing = OtelContext::new();
        Remote::new(self.extract_into(&nothing, carrier).unwrap_or(nothing))
    }

    /// [`inject`] with this one.
    pub fn inject<C: Outgoing + ?Sized>(&self, carrier: &mut C) {
        // The carrier's own code runs outside of the borrow.
        if let Some(headers) = stack::map_current(|current| self.headers(current)).flatten() {
            headers.set(carrier);
        }
    }

    /// [`inject_to`] with this one.
    pub fn inject_to<C: Outgoing + ?Sized>(&self, host: &str, carrier: &mut C) {
        if self.destinations.include(host) {
            self.inject(carrier);
        }
    }

    /// [`inject`] with this one, for the span of `context` instead of the current one.
    pub fn inject_context_of<C: Outgoing + ?Sized>(&self, context: &Context, carrier: &mut C) {
        if let Some(headers) = self.headers(&context.0) {
            headers.set(carrier);
        }
    }

    /// `None` if there is nothing that can be used.
    fn extract_into<C: Incoming + ?Sized>(
        &self,
        context: &OtelContext,
        carrier: &C,
    ) -> Option<OtelContext> {
        let span = match self.trace_context {
            Choice::Used => extract_span(context, carrier),
            Choice::LeftOut => None,
        };
        let baggage = match self.baggage {
            Choice::Used => baggage::read(carrier.values_of(baggage::NAME)),
            Choice::LeftOut => None,
        };
        match baggage {
            Some(baggage) => Some(span.as_ref().unwrap_or(context).with_baggage(baggage)),
            None => span,
        }
    }

    /// What is to be written for the span of `context`. `None` if there is none.
    fn headers(&self, context: &OtelContext) -> Option<Headers> {
        let span = context.span();
        let trace = match self.trace_context {
            Choice::Used => Some(TraceHeaders::of(context, span.span_context())?),
            Choice::LeftOut => None,
        };
        let baggage = match self.baggage {
            Choice::Used => self.baggage_header(context),
            Choice::LeftOut => BaggageHeader::LeftOut,
        };
        Some(Headers { trace, baggage })
    }

    fn baggage_header(&self, context: &OtelContext) -> BaggageHeader {
        let keys = self.keys.as_deref().unwrap_or_default();
        match baggage::write(context.baggage(), keys) {
            Some(entries) => BaggageHeader::Entries(entries),
            None => BaggageHeader::Nothing,
        }
    }
}

fn extract_span<C: Incoming + ?Sized>(context: &OtelContext, carrier: &C) -> Option<OtelContext> {
    let parent = traceparent::read(carrier.values_of(traceparent::NAME))?;
    let mut tracestate = tracestate::read(carrier.values_of(tracestate::NAME));
    let remote_tracestate = tracestate.take_remote(parent.trace_id);
    let state = tracestate.state;
    let span = SpanContext::new(parent.trace_id, parent.span_id, parent.flags, true, state);
    Some(remote_tracestate.add_to(context.with_remote_span_context(span)))
}

struct Headers {
    trace: Option<TraceHeaders>,
    baggage: BaggageHeader,
}

enum BaggageHeader {
    /// It is not ours to write.
    LeftOut,
    Nothing,
    Entries(String),
}

struct TraceHeaders {
    traceparent: String,
    tracestate: String,
}

impl TraceHeaders {
    fn of(context: &OtelContext, span: &SpanContext) -> Option<Self> {
        Some(TraceHeaders {
            traceparent: traceparent::write(span)?,
            tracestate: tracestate::header(context, span),
        })
    }
}

impl Headers {
    fn set<C: Outgoing + ?Sized>(self, carrier: &mut C) {
        if let Some(trace) = self.trace {
            carrier.set(traceparent::NAME, trace.traceparent);
            if trace.tracestate.is_empty() {
                carrier.unset(tracestate::NAME)
            } else {
                carrier.set(tracestate::NAME, trace.tracestate)
            }
        }
        match self.baggage {
            BaggageHeader::Entries(entries) => carrier.set(baggage::NAME, entries),
            // Neither must what was written for another request.
            BaggageHeader::Nothing => carrier.unset(baggage::NAME),
            BaggageHeader::LeftOut => {}
        }
    }
}

impl TextMapPropagator for Propagator {
    fn inject_context(&self, context: &OtelContext, injector: &mut dyn Injector) {
        if let Some(headers) = self.headers(context) {
            headers.set(&mut InjectorCarrier(injector));
        }
    }

    fn extract_with_context(
        &self,
        context: &OtelContext,
        extractor: &dyn Extractor,
    ) -> OtelContext {
        let extracted = self.extract_into(context, &ExtractorCarrier(extractor));
        extracted.unwrap_or_else(|| context.clone())
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 3]> = LazyLock::new(|| {
            [traceparent::NAME, tracestate::NAME, baggage::NAME].map(String::from)
        });
        let fields: &[String] = &*FIELDS;
        let (of_trace, of_baggage) = fields.split_at(2);
        FieldIter::new(match (self.trace_context, self.baggage) {
            (Choice::Used, Choice::Used) => fields,
            (Choice::Used, Choice::LeftOut) => of_trace,
            (Choice::LeftOut, Choice::Used) => of_baggage,
            (Choice::LeftOut, Choice::LeftOut) => &[],
        })
    }
}
