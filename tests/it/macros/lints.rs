//! Code that asks for every lint gets none from what a span adds.
//!
//! What stands here is checked by the build, and by clippy.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    keyword_idents,
    let_underscore,
    nonstandard_style,
    refining_impl_trait,
    rust_2018_compatibility,
    rust_2018_idioms,
    unused,
    absolute_paths_not_starting_with_crate,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    meta_variable_misuse,
    missing_abi,
    missing_copy_implementations,
    missing_debug_implementations,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unreachable_pub,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]
// Some of clippy's restrictions that services like to set.
#![deny(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::dbg_macro,
    clippy::default_numeric_fallback,
    clippy::exit,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    clippy::let_underscore_untyped,
    clippy::mem_forget,
    clippy::min_ident_chars,
    clippy::missing_docs_in_private_items,
    clippy::mod_module_files,
    clippy::multiple_inherent_impl,
    clippy::multiple_unsafe_ops_per_block,
    clippy::panic,
    clippy::panic_in_result_fn,
    clippy::pattern_type_mismatch,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::ref_patterns,
    clippy::same_name_method,
    clippy::semicolon_inside_block,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::shadow_unrelated,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::todo,
    clippy::undocumented_unsafe_blocks,
    clippy::unneeded_field_pattern,
    clippy::unreachable,
    clippy::unwrap_used,
    clippy::use_debug,
    clippy::wildcard_enum_match_arm
)]

use core::fmt::{Debug, Display};
use core::future::{Ready, pending, ready};

use enter_span::prelude::*;
use enter_span::{Attributes, Envelope, Key, Span, Tracer, enter_span, in_span, start_span};
use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{self, Stream, StreamExt as _};

use crate::support::check::{check, check_async};

/// A key.
const TENANT: &str = "tenant.id";

/// A key that knows its values.
const SIZE: Key<u64> = Key::new("size");

/// What is known.
#[derive(Debug, Attributes)]
#[attributes(prefix = "facts")]
struct Facts<'a> {
    /// Text.
    text: &'a str,
    /// Typed.
    #[attributes(key = SIZE)]
    size: u64,
    /// Shown.
    #[attributes(?)]
    shown: [u8; 1],
    /// More of it.
    #[attributes(prefix = "more")]
    more: Option<More>,
}

/// More.
#[derive(Clone, Copy, Debug, Attributes)]
struct More {
    /// One thing.
    one: bool,
}

/// Adds to the caller's span.
#[enter_span(current, attributes(..facts, SIZE = facts.size), ret(text = |text| *text))]
fn add<'a>(facts: &Facts<'a>) -> Option<&'a str> {
    let text = facts.text.split('a').next()?;
    Some(text)
}

/// Adds to the caller's span, later.
#[enter_span(current, attributes(number), ret(sum = |sum| *sum))]
async fn add_later(number: u32) -> u32 {
    let one = ready(1_u32).await;
    number.saturating_add(one)
}

/// Adds what it is given.
#[enter_span(current, |span|, attributes(number))]
async fn add_before(number: u32) {
    let one = ready(1_u32).await;
    _ = span.set_attribute("one", one);
}

/// Where spans are made.
static TRACER: Tracer = enter_span::tracer!();

/// What a function fails with.
#[derive(Debug)]
struct Refused;

impl Display for Refused {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("refused")
    }
}

impl core::error::Error for Refused {}

/// Every argument that a function can have.
#[enter_span(
    "everything",
    kind = client,
    start(first = number),
    attributes(
        number,
        text,
        order.id = number.saturating_add(1),
        "http.route" = text,
        shown = %value,
        debugged = ?value,
        TENANT = 7_u32,
        literal = "text",
    ),
    links(Span::current()),
    tracer = TRACER,
    ends_children,
    when = number > 0,
    ret(size = |size| *size),
    err = |error| matches!(error, Refused),
)]
fn everything<T: Debug + Display>(number: u32, text: &str, value: T) -> Result<usize, Refused> {
    drop(value);
    match number {
        1 => Err(Refused),
        _ => Ok(text.len()),
    }
}

/// The same, later.
#[enter_span(
    "everything later",
    kind = server,
    start(first = number),
    attributes(number, text, debugged = ?value, TENANT = 7_u32),
    root,
    ret,
    err = type,
    |span|
)]
async fn everything_later(
    number: u32,
    text: &str,
    value: Vec<u32>,
    _unused: u32,
) -> Result<usize, Refused> {
    ready(()).await;
    drop(value);
    let _: &Span = span.set_attribute("late", true);
    match number {
        1 => Err(Refused),
        _ => Ok(text.len()),
    }
}

/// With a name that is computed, and a parent that is given.
#[enter_span(name = name, parent = Span::current(), err = ignore)]
fn named(name: &str) -> Option<u8> {
    name.bytes().next()
}

/// Arguments that have no name, or none to use.
#[enter_span(leaf, attributes(used))]
fn nameless(_: u32, _unused: &str, used: u32, (_, other): (u32, u32)) -> u32 {
    used.saturating_add(other)
}

/// Returns nothing.
#[enter_span]
fn nothing(list: &mut Vec<u32>) {
    list.push(1);
}

/// Returns nothing, later.
#[enter_span]
async fn nothing_later(list: &mut Vec<u32>) {
    ready(()).await;
    list.push(2);
}

/// Never returns.
#[enter_span]
async fn never_later() -> ! {
    loop {
        pending::<()>().await;
    }
}

/// A future that it returns.
#[enter_span(attributes(number), ret)]
fn future(number: u32) -> impl Future<Output = u32> + Send {
    ready(number)
}

/// A future that it gives when it is ready itself.
#[enter_span(call_only)]
async fn future_later(number: u32) -> Ready<u32> {
    ready(()).await;
    ready(number)
}

/// The same, of which nothing is read.
#[enter_span(err = ignore)]
async fn opaque_later(number: u32) -> impl Future<Output = u32> {
    ready(()).await;
    ready(number)
}

/// A boxed one.
#[enter_span(attributes(number), ret)]
fn boxed_future<'text>(number: u32, text: &'text str) -> BoxFuture<'text, usize> {
    async move { text.len().saturating_add(usize::from(number > 0)) }.boxed()
}

/// A stream that it returns.
#[enter_span(attributes(number))]
fn items(number: u32) -> impl Stream<Item = u32> + Send {
    stream::iter([number, number])
}

/// Who calls it is seen.
#[enter_span]
#[track_caller]
fn tracked(line: &mut u32) {
    *line = core::panic::Location::caller().line();
}

/// Bodies of one line, which the lints on braces look at.
#[rustfmt::skip]
mod one_line {
    use enter_span::enter_span;

    /// With a value.
    #[enter_span]
    pub(super) fn value() -> Option<u32> { Some(1) }

    /// With a value, later.
    #[enter_span]
    pub(super) async fn value_later() -> Option<u32> { value() }

    /// Without one.
    #[enter_span]
    pub(super) fn nothing() {}

    /// Without one, later.
    #[enter_span]
    pub(super) async fn nothing_later() {}
}

/// A type whose methods all have spans.
#[derive(Debug, Clone)]
struct Cart {
    /// Its content.
    items: Vec<u32>,
}

#[enter_span(kind = internal)]
impl Cart {
    /// A constant.
    const fn new(items: Vec<u32>) -> Self {
        Self { items }
    }

    /// With attributes.
    #[enter_span(attributes(items = self.items.len()), ret, err = status)]
    fn total(&self) -> Result<u32, Refused> {
        match self.items.as_slice() {
            &[] => Err(Refused),
            items => Ok(items.iter().sum()),
        }
    }

    /// Consumes, later.
    async fn close(mut self) -> Vec<u32> {
        ready(()).await;
        self.items.clear();
        self.items
    }

    /// Nothing.
    #[enter_span(skip)]
    fn skipped(&self) -> usize {
        usize::from(self.items.contains(&1))
    }
}

/// What `#[async_trait]` makes asynchronous.
#[async_trait::async_trait]
trait Store {
    /// With an argument that the span alone names.
    async fn load(&self, key: u32, names: Vec<u32>) -> u32;

    /// The same, with a body.
    #[enter_span(attributes(key), when = !name.is_empty())]
    async fn name(&self, key: u32, name: &str) -> &'static str {
        "store"
    }
}

#[async_trait::async_trait]
impl Store for More {
    #[enter_span(start(key), attributes(names = names.len()))]
    async fn load(&self, key: u32, mut names: Vec<u32>) -> u32 {
        names.push(1);
        u32::from(self.one)
    }
}

/// Lints of a function that its span hides can be expected as before.
mod expected {
    use enter_span::enter_span;

    /// Without an await, and with a reason.
    #[expect(clippy::unused_async, reason = "the interface is asynchronous")]
    #[enter_span]
    pub(super) async fn unused_async() {}

    /// Below the span, and beside another lint.
    #[enter_span]
    #[expect(
        clippy::needless_return,
        unused_variables,
        reason = "as generated code is"
    )]
    pub(super) fn needless_return(unused: u32) -> u32 {
        return 1;
    }

    /// Always `Some`.
    #[expect(
        clippy::unnecessary_wraps,
        clippy::missing_const_for_fn,
        reason = "the signature is given"
    )]
    #[enter_span]
    pub(super) fn unnecessary_wraps() -> Option<u32> {
        Some(1)
    }
}

/// Functions that return explicitly, and that a span gives no implicit return.
mod explicit {
    #![deny(clippy::implicit_return)]

    use core::future::{Future, ready};

    use enter_span::enter_span;

    /// At the call.
    #[enter_span]
    pub(super) fn now(number: u32) -> u32 {
        return number;
    }

    /// As an `async fn`.
    #[enter_span]
    pub(super) async fn later(number: u32) -> u32 {
        return ready(number).await;
    }

    /// As an `async fn` that returns nothing.
    #[enter_span]
    pub(super) async fn nothing_later() {}

    /// In a future.
    #[enter_span]
    pub(super) fn future(number: u32) -> impl Future<Output = u32> {
        return ready(number);
    }
}

/// `#![deny(warnings)]`, `#![forbid(unsafe_code)]`, `#![deny(missing_docs)]`,
/// `#![deny(clippy::pedantic)]` in the user's crate, and lints raised by generated code.
#[test]
#[expect(clippy::too_many_lines, reason = "one tree of many spans")]
fn functions_are_clean_under_hostile_lints() {
    let trace = check(
        || {
            assert!(everything(1, "ab", 3_u8).is_err());
            assert_eq!(named("computed"), Some(b'c'));
            assert_eq!(nameless(1, "two", 3, (4, 5)), 8);
            let mut list = Vec::new();
            nothing(&mut list);
            let mut line = 0;
            tracked(&mut line);
            assert_eq!(line, line!().saturating_sub(1));
            let cart = Cart::new(list);
            assert_eq!(cart.total().ok(), Some(1));
            assert_eq!(cart.skipped(), 1);
            let sum = in_span!("block", attributes(cart.items = cart.items.len()), |span| {
                let _: &Span = span.set_attribute("inside", 1_u32);
                cart.items.iter().sum::<u32>()
            });
            assert_eq!(sum, 1);
            let owned = start_span!("owned", kind = server, attributes(cart.items = sum));
            assert_eq!(owned.enter(|| TRACER.enter_span("handle", |_| sum)), 1);
            let work = || nothing(&mut Vec::new());
            work.in_span(&owned)();
            owned.end();
            Envelope::new(1_u32).open_child(drop);
            assert_eq!(expected::needless_return(2), 1);
            assert_eq!(expected::unnecessary_wraps(), Some(1));
            assert_eq!(explicit::now(1), 1);
        },
        "
            everything [client] first=1 number=1 text=ab order.id=2 http.route=ab shown=3 debugged=3 tenant.id=7 literal=text !Refused
            computed
            nameless used=3
            nothing
            tracked
            Cart::total items=1 return=1
            block cart.items=1 inside=1
            owned [server] cart.items=1
              handle
              nothing
            needless_return
            unnecessary_wraps
            now
        ",
    );
    assert_eq!(trace.spans().len(), 13);
}

/// The same, for what works later.
#[test]
#[expect(clippy::too_many_lines, reason = "one tree of many spans")]
fn async_functions_are_clean_under_hostile_lints() {
    let trace = check_async(
        async {
            assert!(everything_later(1, "ab", vec![1], 2).await.is_err());
            let mut list = Vec::new();
            nothing_later(&mut list).await;
            assert!(never_later().now_or_never().is_none());
            assert_eq!(one_line::value_later().await, Some(1));
            one_line::nothing();
            one_line::nothing_later().await;
            assert_eq!(future(3).await, 3);
            assert_eq!(future_later(3).await.await, 3);
            assert_eq!(opaque_later(3).in_current_span().await.await, 3);
            assert_eq!(boxed_future(4, "ab").await, 3);
            assert_eq!(items(5).collect::<Vec<u32>>().await, [5, 5]);
            assert!(Cart::new(list).close().await.is_empty());
            let facts = Facts {
                text: "ba",
                size: 7,
                shown: [1],
                more: Some(More { one: true }),
            };
            let added = in_span!("added", async |_span| {
                assert_eq!(add(&facts), Some("b"));
                add_before(1).await;
                add_later(2).await
            });
            assert_eq!(added.await, 3);
            let size = in_span!("block", kind = producer, async |_span| ready(6_u32).await);
            assert_eq!(size.await, 6);
            assert_eq!(More { one: true }.load(7, Vec::new()).await, 1);
            assert_eq!(More { one: true }.name(8, "ab").await, "store");
            expected::unused_async().await;
            assert_eq!(explicit::later(9).await, 9);
            explicit::nothing_later().await;
            assert_eq!(explicit::future(10).await, 10);
        },
        "
            everything later [server] first=1 number=1 text=ab debugged=[1] tenant.id=7 late=true !Refused
            nothing_later
            never_later ~cancelled
            value_later
              value
            nothing
            nothing_later
            future number=3 return=3
            future_later
            opaque_later
            boxed_future number=4 return=3
            items number=5
            Cart::close
            added facts.text=ba size=7 facts.shown=[1] facts.more.one=true text=b number=2 one=1 sum=3
            block [producer]
            load key=7 names=0
            name key=8
            unused_async
            later
            nothing_later
            future
        ",
    );
    assert_eq!(trace.spans().len(), 21);
}
