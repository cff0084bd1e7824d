//! The macros of `enter-span`: tokens become arguments and a function, together a plan, and the
//! plan is printed.
//!
//! Nothing here knows how a span works; that is `enter_span::private`.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod args;
mod attribute;
mod block;
mod errors;
mod expand;
mod expression;
mod function;
mod impl_block;
mod pair;
mod plan;
mod shape;
mod signature;

use proc_macro::TokenStream;

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
/// | `start(..)` | the same, evaluated before the sampler decides, which sees them |
/// | `ret`, `ret(key = \|value\| ..)` | the `Ok` value (or the value) as `return`; or projections of it |
/// | `err = message`, `type`, `status`, `ignore`, `\|e\| bool` | what is told of an `Err`, or whether it is a failure at all |
/// | `root`, `parent = expr` | a new trace; an explicit parent |
/// | `links(expr, ..)` | links to other spans |
/// | `when = expr` | no span where this is false; its children go to its parent |
/// | `future`, `stream` | the function returns an alias of a boxed future or stream |
/// | `leaf` | timed and exported, and never made current: for hot functions that make no spans |
/// | `crate = path` | where `enter_span` is, if it is re-exported |
/// | `skip` | on a method of an annotated `impl`: no span |
///
/// # Attributes
///
/// ```
/// # use enter_span::enter_span;
/// # struct Order { id: u64 }
/// # #[derive(Debug)] struct Body;
/// # const TENANT: &str = "tenant.id";
/// #[enter_span(attributes(
///     attempt,                     // the argument, under its own name
///     order.id = order.id,         // a dotted key and an expression
///     "http.route" = route,        // a key as text
///     body = ?body,                // its `Debug` text
///     shown = %order.id,           // its `Display` text
///     TENANT = 7,                  // a constant as key
/// ))]
/// fn place(attempt: u32, order: &Order, route: &str, body: Body) {}
/// ```
///
/// Nothing is captured that is not named. A value needs `ToAttribute`: numbers, text, bools, lists
/// of them, `Option`s of them, and types of your own. The same key again replaces the value.
/// Expressions may borrow arguments and cannot consume them, and cannot contain `?`, `return` or
/// `.await`. One that panics loses its attribute and nothing else.
///
/// # Sync, async, futures, streams
///
/// The span of an `async fn` starts, and finds its parent, when it is first polled. That of a
/// function which *returns* a future starts at the call: its body runs then. `-> impl Future`,
/// `Pin<Box<dyn Future<..>>>`, `BoxFuture`, and the same for streams, are seen in the signature; an
/// alias of a boxed one needs `future` or `stream`, and is warned about without it. Items that an
/// `impl Iterator` yields later are not in the span.
///
/// # Outcome
///
/// What the returned value says is decided by its type, so aliases of `Result` work. An `Err` sets
/// the status, `error.type` and one `exception` event. Success sets nothing. What the body set by
/// hand holds. Types of your own tell with `enter_span::Outcome`.
///
/// # Limits
///
/// A `const fn` cannot have a span. With `#[track_caller]` the value cannot be read: the function
/// returns nothing, or says `err = ignore`. An `async fn` holds a by-value argument that its body
/// consumes a second time. In an `async fn`, an argument that is borrowed is bound as `mut`.
#[proc_macro_attribute]
pub fn enter_span(args: TokenStream, item: TokenStream) -> TokenStream {
    attribute::expand(args.into(), item.into()).into()
}

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
/// a plain closure the span starts at once; if the closure returns a future, that is put into the
/// span and has to be awaited. `return` and `?` leave the closure, not the function around it.
///
/// The name comes first, and must be given. `|span|`, `future`, `stream` and `skip` have no
/// meaning here.
#[proc_macro]
pub fn in_span(input: TokenStream) -> TokenStream {
    block::expand(input.into()).into()
}
