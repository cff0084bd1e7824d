//! Scoped, OpenTelemetry-native spans.
//!
//! [`#[enter_span]`](macro@enter_span) turns a function, sync or async, into a span.
//! [`in_span!`], [`enter_span()`] and [`enter_span_async`] do it for a block.
//! Parents are found by the async context and never passed by hand.
//! A span ends when its scope ends: by return, by `?`, by panic, by cancellation.
//!
//! The [book](https://github.com/enter-span/enter-span/tree/main/docs) explains it by task: [getting started](https://github.com/enter-span/enter-span/blob/main/docs/getting-started.md),
//! [arguments](https://github.com/enter-span/enter-span/blob/main/docs/arguments.md), [testing](https://github.com/enter-span/enter-span/blob/main/docs/testing.md).
//! Attributes are opt-in and evaluated only while the span is traced.
//!
//! ```
//! use enter_span::enter_span;
//!
//! #[enter_span(attributes(order.items = items.len()))]
//! fn checkout(items: &[u64]) -> Result<u64, String> {
//!     items.iter().map(|&item| price(item)).sum()
//! }
//!
//! #[enter_span(attributes(item))]
//! fn price(item: u64) -> Result<u64, String> {
//!     match item {
//!         0 => Err("no such item".to_owned()),
//!         _ => Ok(item * 100),
//!     }
//! }
//!
//! assert_eq!(checkout(&[1, 2]), Ok(300));
//! ```
//!
//! # In libraries
//!
//! Depend on `enter-span`, annotate, and install nothing: an application that installs nothing
//! pays one relaxed load for each call and nothing else. Spans are recorded under the
//! instrumentation scope of the annotated crate, by its name and version.
//!
//! # In applications
//!
//! Until the application says where spans go, everything is off. Say it once, early in `main`: with
//! `enter-span-pipeline`, which is made for it and configured by OpenTelemetry's standard variables; with
//! [`set_tracer_provider`] and any OpenTelemetry provider; or with [`use_global_tracer_provider`] where OpenTelemetry is set
//! up already. Shut it down before the process ends, so that its last batch leaves.
//!
//! # Nothing arrives
//!
//! [`diagnose`] tells why, as far as the process can know: what is installed, by which call and where,
//! what an environment variable turned off, what was sampled out, dropped or refused, and where a
//! context was lost.
//!
//! ```
//! eprintln!("{}", enter_span::diagnose());
//! ```
//!
//! # What it costs
//!
//! | | |
//! |---|---|
//! | compiled out, with `--cfg enter_span_off` in `RUSTFLAGS` | nothing: the compiler sees that no span can start |
//! | off | one relaxed atomic load; no argument is evaluated, nothing is allocated |
//! | not sampled, on the pipeline, below a span of this process | a look at the current context; the same holds |
//! | not sampled, on the pipeline, at a root or below another process | one allocation: the context that tells it to headers and to what is below. No argument is evaluated that the sampler need not see |
//! | recorded, on the pipeline | two allocations, those of OpenTelemetry's context, for a child as for a root; none for a `leaf` |
//! | recorded by another provider | what that costs, and a few allocations of ours |
//!
//! `benches/README.md` has the figures, beside those of others.
//!
//! # Cancellation and panics
//!
//! A future that is dropped before it is ready ends its span with
//! `enter_span.outcome = "cancelled"` and no error; its destructors run inside the span.
//! A panic passes unchanged and marks its span with an error and `error.type = "panic"`.
//!
//! # Privacy
//!
//! No argument and no value leaves that was not named. What leaves unasked:
//!
//! - of an error that a function returns, its type and its own `Display` text, without its sources;
//! - of a panic, its message;
//! - `code.function.name`, `code.file.path` (inside of its crate) and `code.line.number`.
//!
//! [`set_error_detail`] takes the texts away for the process, and `err = type`, `err = status` or
//! `err = ignore` for a function, its panics included.
//!
//! `#[derive(Attributes)]` records the fields that it makes attributes of, and no others. What leaves for other
//! processes, by [`inject`] and in messages:
//!
//! - the identity of the current span, and the `tracestate` that came in;
//! - of the baggage, the keys that the application [names](propagation::Propagator::with_baggage_keys);
//! - the ids of a [run](invocation), and the baggage that came with its origin.
//!
//! Values of headers are never printed.
//!
//! # Tasks and threads
//!
//! Futures that are awaited, joined or selected find their parent by themselves. A task or thread
//! of its own starts without a context: give it its span, as a child, or linked if it outlives its
//! cause. The guide [crossing boundaries](guide::crossing_boundaries) has a recipe for each
//! construct.
//!
//! ```
//! use enter_span::enter_span;
//! use enter_span::prelude::*;
//!
//! #[enter_span]
//! fn work() {}
//!
//! std::thread::spawn(work.in_current_span()).join().unwrap();
//! std::thread::spawn(work.linked_to_current_span()).join().unwrap();
//! ```
//!
//! # Processes
//!
//! W3C's `traceparent`, `tracestate` and `baggage` travel in any carrier: [`extract`] gives the span that a
//! request came from, as a `parent`, and [`inject`] tells the receiver of the next one which span is
//! current. See [`propagation`].
//!
//! ```
//! use std::collections::HashMap;
//!
//! use enter_span::{enter_span, extract, inject};
//!
//! #[enter_span(kind = server, parent = extract(&headers))]
//! fn handle(headers: HashMap<String, String>) {
//!     call();
//! }
//!
//! #[enter_span(kind = client)]
//! fn call() {
//!     let mut headers = HashMap::<String, String>::new();
//!     inject(&mut headers);
//! }
//! # handle(HashMap::new());
//! ```
//!
//! # Queues and workers
//!
//! [`invocation`] makes a trace of its own for each delivery of a message, linked to what caused it, so that
//! work which goes on for days is not one endless trace.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `serde` | carriers and messages of [invocations](invocation) as maps of texts |
//! | `testing` | `testing::Recorder`: assert the tree of spans, in tests that run in parallel |
//! | `http` | spans travel in `http::HeaderMap` |
//! | `tonic` | and in gRPC's `MetadataMap` |
//! | `tokio` | `task`: `spawn_in_current_span`, `spawn_linked` and their kin |
//! | `tracing` | `mirror`: each span is a span of `tracing` too, for its log formatters. For applications, not for libraries |
//! | `open-spans` | `open_spans()`: what is in progress; `watch_roots()`: what stays open |
//!
//! # What it emits
//!
//! No span that is not written in the source. Its name is what is written there, or the function's. So is its
//! kind; where none is written it is `internal`, and `consumer` for an invocation. Beside the attributes that
//! are written, spans carry these. A change of them is a breaking change. Those of requests are in the
//! docs of `enter-span-http`.
//!
//! | | on | when | tells of the program |
//! |---|---|---|---|
//! | `code.function.name`, `code.file.path`, `code.line.number` | attributes | always, where a macro saw the call site | names and places in source |
//! | `error.type` | attribute | a failure or a panic | the type of the error, or `panic` |
//! | the status, with a description | status | a failure or a panic | the error's own text, unless lowered |
//! | `exception` with `exception.type` and `exception.message` | event | a failure or a panic, unless lowered to `status`, or `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN=logs` | the same |
//! | `enter_span.outcome` = `cancelled` | attribute | its future, or the owner of it, was dropped before its end | nothing |
//! | `enter_span.outcome` = `abandoned` | attribute | still open when a scope above it, with `ends_children`, ended | nothing |
//! | `enter_span.trace.mode` = `linked` | attribute | the start of a run, and each of its invocations | nothing |
//! | `enter_span.trace.mode` = `continuous` | attribute | the same, where that mode is chosen | nothing |
//! | `enter_span.trace.propagated` | attribute | an invocation | whether an origin came that could be used |
//! | `return` | attribute | `ret` is written | the value |

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod attribute;
#[expect(missing_docs, reason = "reached by `enter-span-pipeline` only")]
mod backend;
mod context;
mod diagnose;
#[cfg(any(doc, doctest))]
pub mod guide;
mod instrument;
pub mod invocation;
#[cfg(feature = "tracing")]
#[cfg_attr(docsrs, doc(cfg(feature = "tracing")))]
pub mod mirror;
#[doc(hidden)]
pub mod native;
pub mod otel;
mod outcome;
#[doc(hidden)]
pub mod private;
pub mod propagation;
mod span;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;

pub use attribute::{Attributes, Key, ToAttribute, Value};
pub use backend::active_backend::set_error_detail;
pub use backend::process_backend::is_enabled;
pub use backend::tracer::Tracer;
pub use context::identity::{Context, ParseIdError, SpanContext, SpanId, TraceId};
pub use diagnose::diagnosis::{Diagnosis, diagnose};
#[cfg(feature = "open-spans")]
#[cfg_attr(docsrs, doc(cfg(feature = "open-spans")))]
pub use diagnose::open_spans::{OpenSpan, OpenSpans, open_spans};
#[cfg(feature = "open-spans")]
#[cfg_attr(docsrs, doc(cfg(feature = "open-spans")))]
pub use diagnose::root_watch::{RootWatch, watch_roots};
/// Makes attributes of the fields of a struct: of each its value, under its name.
///
/// ```
/// use enter_span::{Attributes, Key, Span, enter_span};
///
/// const TENANT: Key<u64> = Key::new("tenant.id");
///
/// #[derive(Attributes)]
/// #[attributes(prefix = "order")]
/// struct Order<'a> {
///     id: u64,                                    // order.id
///     coupon: Option<&'a str>,                    // order.coupon, unless it is `None`
///     #[attributes(key = items.count)]
///     items: usize,                               // order.items.count
///     #[attributes(key = TENANT)]
///     tenant: u64,                                // tenant.id: a constant takes no prefix
///     #[attributes(?)]
///     state: State,                               // its `Debug` text
///     #[attributes(%)]
///     total: std::num::NonZeroU32,                // its `Display` text
///     #[attributes(prefix = "to")]
///     address: Address,                           // order.to.city
///     #[attributes(skip)]
///     card: Card,
/// }
///
/// #[derive(Attributes)]
/// struct Address {
///     city: String,
/// }
///
/// # #[derive(Debug)] struct State;
/// # struct Card;
/// #[enter_span(attributes(..order))]
/// fn place(order: &Order<'_>) {}
///
/// fn note(order: &Order<'_>) {
///     Span::current().set_attributes(order);
///     Span::current().add_event("order.placed", order);
/// }
/// ```
///
/// | on the struct | |
/// |---|---|
/// | `prefix = ..` | stands with a dot before each key that is text |
/// | `crate = path` | where `enter_span` is, if it is re-exported |
///
/// | on a field | |
/// |---|---|
/// | `key = ..` | another key than the field's name: dotted, as text, or a constant |
/// | `%`, `?` | the `Display` or the `Debug` text, and not the value |
/// | `nested` | the attributes of its own struct, which derives too |
/// | `prefix = ..` | the same, below a prefix |
/// | `skip` | nothing |
///
/// A field of a type that is not an attribute does not compile, so nothing leaves by accident.
/// Fields are read only while the span is traced; one that panics costs its own attribute. Keys are
/// put together by the compiler, but for those of a nested struct below a prefix, which are allocated
/// for each span. A field whose type names a type parameter asks for what it needs of that type.
pub use enter_span_macros::Attributes;
/// Turns a function, or every method of an `impl` block, into a span.
///
/// ```
/// use enter_span::enter_span;
///
/// # struct User { plan: &'static str }
/// # struct Invoice { total: u64 }
/// # async fn bill(_: &User) -> Result<Invoice, String> { Ok(Invoice { total: 3 }) }
/// #[enter_span(kind = client, attributes(user.plan = user.plan), ret(invoice.total = |i| i.total))]
/// async fn charge(user: &User) -> Result<Invoice, String> {
///     bill(user).await
/// }
/// ```
///
/// | argument | what it does |
/// |---|---|
/// | `"name"` or `name = expr` | the span's name; without it the function's, or `Type::method` in an annotated `impl` |
/// | `\|span\|` | binds the handle for the body |
/// | `kind = client` | `server`, `client`, `producer`, `consumer` or `internal` (the default) |
/// | `attributes(..)` | attributes, evaluated at entry, only if the span is traced |
/// | `start(..)` | the same, for samplers: see [what is evaluated](#what-is-evaluated) |
/// | `ret`, `ret(key = \|value\| ..)` | the `Ok` value (or the value) as `return`; or projections of it, which may spell the type: `\|value: &T\|` |
/// | `err = message`, `type`, `status`, `ignore`, `\|e\| bool` | how much of an `Err` to record, or which `Err`s are failures |
/// | `root`, `parent = expr` | a new trace; an explicit parent. The rest of the context stays, but below what came from another process: see [`ToParent`] |
/// | `links(expr, ..)` | links to other spans |
/// | `invocation = expr` | one delivery of a message: where the span hangs, its links, its attributes and its baggage; the kind is `consumer` unless another one is written. See [`invocation`](mod@invocation) |
/// | `when = expr` | no span where this is false; its children go to its parent |
/// | `future`, `stream` | the function returns an alias of a boxed future or stream, whose work is in the span |
/// | `call_only` | only the call is in the span, and not what the returned value does later |
/// | `leaf` | timed and exported, and never made current: for hot functions that make no spans |
/// | `ends_children` | what is still open below it ends before it, with `enter_span.outcome = "abandoned"` |
/// | `tracer = expr` | the library, and the provider if it has one, of a [`Tracer`] |
/// | `crate = path` | where `enter_span` is, if it is re-exported |
/// | `current` | no span of its own: `attributes(..)` and `ret(..)` go to the current one |
/// | `skip` | on a method of an annotated `impl`: no span; also for one that has no `self`, where the block's arguments name it |
///
/// # What it becomes
///
/// One static for the call site, and a call or two around the body, of which nothing runs while the process is
/// off:
///
/// | argument | in the expansion |
/// |---|---|
/// | none | `static SITE: Site = Site::new(..); if is_on() { enter(&SITE) } else { OFF }`, the body, and `span.end(..)` |
/// | `"name"`, `kind = client`, `leaf`, `ends_children` | part of the static: `Site::new("name", ..).kind(Kind::Client).leaf()` |
/// | `name = expr` | `enter_with(&SITE, .., &mut [\|start\| start.name(&expr)])` |
/// | `\|span\|` | `let span = entered.handle();` before the body |
/// | `attributes(id, total = sum(x))` | `.attribute("id", &id)`, `.attribute_with("total", \|slot\| slot.set(&sum(x)))` |
/// | `attributes(a = ?x, b = %x, ..facts)` | `slot.debug(&x)`, `slot.display(&x)`, `.attributes_with(\|facts\| ..)` |
/// | `start(k = v)` | `start.attribute_with("k", ..)`, before the sampler |
/// | `ret`, `ret(k = \|v\| ..)` | `.attribute_with("return", ..)`, after the body, of the `Ok` value |
/// | `err = ..` | what is read of the value at `span.end(ReturnCheck::of(&Probe(&value)))`, and how much of it may leave |
/// | `root`, `parent = expr`, `links(expr)`, `invocation = expr`, `tracer = expr` | `start.root()`, `start.parent(&expr)`, `start.links(&expr)`, `start.invocation(&expr)`, `start.tracer(&expr)` |
/// | `when = expr` | `if is_on() && holds(\|\| expr)` |
/// | `future`, `stream` | the returned value is put into the span: `InSpan::new(span, value)` |
/// | `call_only` | the returned value stays what it is: `span.end(..)` |
/// | `current` | no static and no span: `Span::current()` gets the attributes |
/// | `crate = path` | the path before all of these |
/// | `skip` | the method as it is written |
///
/// # Attributes
///
/// ```
/// # use enter_span::enter_span;
/// # struct Order { id: u64, total: f64 }
/// # #[derive(Debug)] struct Body;
/// # const TENANT: enter_span::Key<u64> = enter_span::Key::new("tenant.id");
/// # #[derive(enter_span::Attributes)] struct Facts { a: u32 }
/// #[enter_span(attributes(
///     attempt,                     // the argument, under its own name
///     order.id = order.id,         // a dotted key and an expression
///     "http.route" = route,        // a key as text
///     ?body,                       // its `Debug` text
///     %order.total,                // the `Display` text of a field, under the key `order.total`
///     shown = %order.id,           // the same under another key
///     TENANT = 7,                  // a constant as key: text, or a typed `Key`
///     ..facts                      // those of a struct, by `#[derive(Attributes)]`
/// ))]
/// fn place(attempt: u32, order: &Order, route: &str, body: Body, facts: &Facts) {}
/// ```
///
/// Nothing is captured that is not named. A value needs `ToAttribute`: numbers, text, bools, lists
/// of them, `Option`s of them, and types of your own. `?value` and `%value` need `Debug` or
/// `Display`, and a key unless they are a name or a field. The same key again replaces the value.
/// Expressions may borrow arguments and cannot consume them, and cannot contain `?`, `return` or
/// `.await`. One that panics loses its attribute and nothing else.
///
/// # What is evaluated
///
/// While the process is off, nothing is. While it is on:
///
/// | | evaluated |
/// |---|---|
/// | `when`, `tracer`, `parent`, `invocation` | always: they say whether there is a span, and where |
/// | `name = expr`, `links(..)`, `start(..)` | if the span is traced. Where a sampler has to see them, before it decides, so also for spans that it does not take |
/// | `attributes(..)` | if the span is traced |
/// | `ret`, `err = \|e\| ..` | if the span is traced, after the body |
///
/// The samplers of `enter-span-pipeline` decide without them, but for `Sampler::Custom`, and for
/// `Sampler::Runs` at a root and below another process. Other providers, as that of the OpenTelemetry SDK, do
/// not tell what their sampler looks at, so they are shown the three for every span, also below a span that is
/// not sampled. Nothing is evaluated for a span of a muted library.
///
/// # Adding to the current span
///
/// With `current` a function has no span of its own: what it is given and returns stands on the span
/// that is current where it begins, if that is traced. Only `attributes(..)`, `ret(..)`, `when`,
/// `|span|` and `crate` have a meaning beside it.
///
/// ```
/// # use enter_span::enter_span;
/// #[enter_span]
/// fn handle() {
///     authenticate("u7");
/// }
///
/// #[enter_span(current, attributes(user.id = user), ret(user.is_admin = |admin| admin))]
/// fn authenticate(user: &str) -> bool {
///     user == "u1"
/// }
/// # handle();
/// ```
///
/// # Sync, async, futures, streams
///
/// The span of an `async fn` starts, and finds its parent, when it is first polled. That of a
/// function which *returns* a future starts at the call: its body runs then. What is returned may work on after
/// that. If it can be put into the span, it is, and the span ends with it; this is seen in the signature.
/// Whatever else is a future or a stream is found by its type, and the compiler warns.
///
/// | returned, by a function or by an async one | what it does later |
/// |---|---|
/// | `impl Future`, `impl FusedFuture`, `impl TryFuture`, `impl IntoFuture` | in the span |
/// | `Pin<Box<dyn Future>>`, `Box<dyn Future>`, both with any of Send, Sync and Unpin, `BoxFuture`, `LocalBoxFuture` | in the span |
/// | `impl Stream`, `impl FusedStream`, `impl TryStream` | in the span |
/// | `Pin<Box<dyn Stream>>`, `Box<dyn Stream>`, with the same, `BoxStream`, `LocalBoxStream` | in the span |
/// | an alias of such a box, where `future` or `stream` is among the arguments | in the span |
/// | any other type that implements Future, IntoFuture or Stream: a `struct`, a parameter `F: Future`, `Self`, `&mut F`, `Ready`, `Pin<Box<dyn FusedFuture>>`, `impl Job` for a trait of yours, an alias of a box without the argument | a warning of the compiler |
/// | Tokio's `JoinHandle`, `oneshot::Receiver`, `Notified` and `Sleep`, also boxed or pinned, with the feature of that name: they wait for what is done elsewhere | not in the span |
/// | anything, where `call_only` is among the arguments | not in the span |
/// | what holds a future: an `Option` or a tuple (an error if the signature shows the future), a `Vec`; what is called later: `impl Iterator`, `impl Fn` | not in the span, and not seen |
///
/// To mend a warning, return `impl Future`, `impl IntoFuture` or `impl Stream`, or a box; or say with
/// `call_only` that the work belongs elsewhere, as that of a task which was spawned.
///
/// ```
/// # use enter_span::enter_span;
/// # struct Task; impl Future for Task { type Output = (); fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<()> { std::task::Poll::Ready(()) } }
/// # fn spawn(_: impl Future) -> Task { Task }
/// #[enter_span(call_only)]
/// fn start() -> Task {
///     spawn(async { /* in no span, or in one of its own */ })
/// }
/// ```
///
/// # Outcome
///
/// What the returned value says is decided by its type, so aliases of `Result` work. An `Err` sets
/// the status, `error.type` and one `exception` event. Success sets nothing. What the body set by
/// hand holds. Types of your own tell with `enter_span::Outcome`. `err` alone, without `=`, asks
/// that the type has an outcome. A `Box<dyn Error>` tells its type only if it holds an error of the
/// standard library.
///
/// # Limits
///
/// A `const fn` cannot have a span. With `#[track_caller]` the value cannot be read: the function
/// returns nothing, or says `err = ignore`; nor can a returned closure. A literal new root is `root`,
/// not `parent = None`, whose type is open. An argument that the body may consume, or that is `mut`,
/// drops at the end of the body.
///
/// An `async fn` stores an argument a second time if the body consumes it. In these cases it needs
/// more than the plain function does:
///
/// - `mut self` cannot be given a borrow of a local. Write `let mut this = self;` in the body.
/// - A struct behind an alias that hides its lifetime cannot lend what outlives the call. Write both
///   lifetimes in the signature: `Buffer<'static>` and `&'static mut [u8]`.
/// - A future that holds a type which is `Send` for `'static` alone is not `Send`, even without an
///   `.await`. Return the future: `fn f(..) -> impl Future<Output = T> + Send { async move { .. } }`.
/// - A closure does not find its types through a trait of yours, as in `impl Callback` for
///   `trait Callback: Fn(&str)`. Write them: `|text: &str| ..`. An annotated `fn` needs that too.
///
/// A future or stream inside of another value is not seen. An opaque one that is put into the span is
/// that and fused, if it was, and nothing more: `impl Future + Clone` and `impl Stream + Sink` need
/// `call_only`. A type of your own whose name is that of a known one, as `BoxFuture`, needs it too.
///
/// Lints report of a function what they report without its span, with these exceptions:
///
/// - `clippy::default_numeric_fallback` also reports the value of the function. Write `1.2_f64`.
/// - `clippy::implicit_return` reports an `async fn` that returns `!`.
/// - These are silent: `clippy::implicit_return`, `inline_always`, `manual_async_fn`,
///   `missing_const_for_fn`, `missing_errors_doc` (of a returned future), `needless_lifetimes`,
///   `needless_return`, `ptr_arg` (in an `async fn`), `unnecessary_wraps` and `unused_async`.
///   `#[expect(..)]` of one of them is not reported as unfulfilled on a function; on a module it may
///   be.
pub use enter_span_macros::enter_span;
/// Runs a block in a span: the arguments of `#[enter_span]`, then a closure that gets the handle.
///
/// ```
/// # use enter_span::in_span;
/// # async fn send(_: &str) -> Result<u16, std::io::Error> { Ok(200) }
/// # async fn run() {
/// let url = "https://example.com";
/// let sum = in_span!("sum", |span| {
///     span.set_attribute("terms", 2);
///     1 + 2
/// });
/// let sent = in_span!("send", kind = client, attributes(url), async |span| send(url).await).await;
/// # }
/// ```
///
/// With `async |span| ..` the macro gives a future whose span starts when it is first polled. With
/// a plain closure the span starts when the block is reached. `return` and `?` leave the closure, not
/// the function around it.
///
/// A future or a stream that the closure gives is put into the span, whatever its type is, and the span
/// ends with it: the block gives another future or stream around it. Tokio's handles, such as
/// `JoinHandle`, stay what they are (feature `tokio`), and so does everything with `call_only`. What
/// implements `IntoFuture` alone is warned about.
///
/// ```
/// # use enter_span::in_span;
/// # async fn fetch(_: u32) -> u32 { 3 }
/// # async fn run() {
/// let both = in_span!("both", |_| async { fetch(1).await + fetch(2).await });
/// let sum = both.await;
/// # }
/// ```
///
/// The closure's value needs a type of its own. Where that is inferred from outside of the block,
/// write it: `|span| -> Vec<u8> { items.collect() }`. A block that never gives a value, as
/// `|span| exit(1)`, takes any type; an `async { exit(1) }` inside of a plain closure has to say one.
///
/// The name comes first, and must be given. `|span|`, `future`, `stream` and `skip` have no
/// meaning here.
pub use enter_span_macros::in_span;
/// Starts a span that its owner ends: the arguments of `#[enter_span]`, and no closure.
///
/// It gives an [`OwnedSpan`], below the span that is current here, or where `root`, `parent` or
/// `links(..)` say. It is not current by itself; with `leaf` it never is. Arguments that speak of a
/// returned value, `ret` and `err`, have no meaning here. The name comes first, and must be given.
///
/// ```
/// use enter_span::start_span;
///
/// let peer = "10.0.0.7";
/// let span = start_span!("connection", kind = server, root, attributes(peer));
/// span.enter(|| { /* in the span */ });
/// span.end();
/// ```
pub use enter_span_macros::start_span;
pub use instrument::envelope::Envelope;
pub use instrument::functions::{enter_span, enter_span_async, start_span};
pub use instrument::in_span::{Carried, ClosureInSpan, FutureInSpan, StreamInSpan};
#[cfg(feature = "tokio")]
#[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
pub use instrument::task;
pub use otel::{set_tracer_provider, use_global_tracer_provider};
pub use outcome::failure::{ErrorDetail, Failure, Outcome};
pub use propagation::{extract, inject};
pub use span::handle::{Span, Status, is_traced, span_id, trace_id};
pub use span::owned::OwnedSpan;
pub use span::to_parent::{ToLinks, ToParent};

/// The methods that put futures, closures, streams and task sets into a span.
///
/// ```
/// use enter_span::prelude::*;
/// ```
pub mod prelude {
    pub use crate::instrument::in_span::{ClosureInSpan, FutureInSpan, StreamInSpan};
    #[cfg(feature = "tokio")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tokio")))]
    pub use crate::instrument::task::JoinSetInSpan;
}
