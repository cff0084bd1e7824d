//! A span on its way: entered, told its attributes, attached while its body runs, ended.
//!
//! One type for all forms, sync and async; the forms differ in who attaches it, and when.

use std::borrow::Cow;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;

use opentelemetry::{Context as OtelContext, ContextGuard, KeyValue};

use crate::backend::{Live, Start as BackendStart};
use crate::context::{Context, SpanContext};
use crate::installed;
use crate::probe::Reading;
use crate::recording::{Ending, Recording};
use crate::relation::{ToLinks, ToParent};
use crate::site::Site;
use crate::span::Span;
use crate::thread::{self, Payload};
use crate::value::{Slot, ToAttribute, Value};

/// A span that has started, or nothing.
#[must_use]
pub struct Entered(Option<Box<Scope>>);

struct Scope {
    site: &'static Site,
    live: Live,
}

/// A panic that passes a span leaves it ended, and nothing of it half-done.
impl UnwindSafe for Entered {}
impl RefUnwindSafe for Entered {}

/// What is said of a span before it starts. Only generated code fills one in.
pub struct Start {
    current: OtelContext,
    /// Where to hang, if not on the current span.
    elsewhere: Option<OtelContext>,
    start: BackendStart,
}

/// Text for a span's name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the name of a span",
    label = "not text",
    note = "`name` takes a `&str`, a `String` or a `Cow<str>`"
)]
pub trait ToName {
    #[doc(hidden)]
    fn to_name(&self) -> Cow<'static, str>;
}

impl<T: AsRef<str> + ?Sized> ToName for T {
    fn to_name(&self) -> Cow<'static, str> {
        Cow::Owned(self.as_ref().to_owned())
    }
}

/// Enters a span at `site`, below the current one.
#[cold]
pub fn enter(site: &'static Site) -> Entered {
    enter_with(site, &mut [])
}

/// Says one thing of a span before it starts.
pub(crate) type Describe<'a> = &'a mut dyn FnMut(&mut Start);

/// Enters a span that more is said about.
#[cold]
pub fn enter_with(site: &'static Site, described: &mut [Describe<'_>]) -> Entered {
    let Some(current) = thread::current() else {
        return Entered::OFF;
    };
    if current.is_telemetry_suppressed() {
        return Entered::OFF;
    }
    let mut start = Start::at(site, current);
    // What panics costs what it says, and neither the rest nor the span.
    for describe in described {
        let _ = thread::shielded(|| describe(&mut start));
    }
    // So does a sampler or a provider that panics, which costs the span.
    Entered(thread::shielded(|| start.enter()).flatten())
}

impl Start {
    fn at(site: &'static Site, current: OtelContext) -> Self {
        Start {
            current,
            elsewhere: None,
            start: BackendStart {
                site,
                name: Cow::Borrowed(site.name()),
                attributes: Vec::new(),
                links: Vec::new(),
            },
        }
    }

    pub fn name<T: ToName + ?Sized>(&mut self, name: &T) {
        self.start.name = name.to_name();
    }

    pub(crate) fn static_name(&mut self, name: Cow<'static, str>) {
        self.start.name = name;
    }

    pub fn root(&mut self) {
        self.elsewhere = Some(installed::root_of(&self.current));
    }

    pub fn parent<T: ToParent + ?Sized>(&mut self, parent: &T) {
        let root = Context(installed::root_of(&self.current));
        self.elsewhere = Some(parent.to_parent(root).0);
    }

    pub fn links<T: ToLinks + ?Sized>(&mut self, links: &T) {
        links.to_links(&mut |linked| self.link(linked));
    }

    fn link(&mut self, SpanContext(linked): SpanContext) {
        let id = |link: &opentelemetry::trace::SpanContext| (link.trace_id(), link.span_id());
        let known = self.start.links.iter().any(|link| id(link) == id(&linked));
        if linked.is_valid() && !known {
            self.start.links.push(linked);
        }
    }

    pub fn text(&mut self, key: &'static str, value: &'static str) {
        self.upsert(key, Some(Value::from_static(value)));
    }

    pub fn attribute<T: ToAttribute>(&mut self, key: &'static str, value: &T) {
        self.attribute_with(key, &mut |slot| slot.set(value));
    }

    pub fn attribute_with(&mut self, key: &'static str, value: &mut dyn FnMut(&mut Slot)) {
        self.upsert(key, Slot::fill(value));
    }

    fn upsert(&mut self, key: &'static str, value: Option<Value>) {
        let Some(Value(value)) = value.filter(|_| !key.is_empty()) else {
            return;
        };
        let attributes = &mut self.start.attributes;
        match attributes.iter_mut().find(|a| a.key.as_str() == key) {
            Some(known) => known.value = value,
            None => attributes.push(KeyValue::new(key, value)),
        }
    }

    fn enter(self) -> Option<Box<Scope>> {
        let site = self.start.site;
        let parent = self.elsewhere.as_ref().unwrap_or(&self.current);
        let Some(installed) = installed::for_context(parent) else {
            #[cfg(feature = "testing")]
            crate::testing::orphan(&self.start.name);
            return None;
        };
        #[cfg(feature = "testing")]
        crate::testing::started(parent, &self.start.name);
        let live = installed.start(self.start, parent);
        // A parent from elsewhere is made current even if its child says nothing more: what the
        // body makes must not hang on what happens to lie on the thread.
        let live = live.or_else(|| {
            let context = self.elsewhere?;
            Some(Live {
                context,
                recording: None,
            })
        })?;
        Some(Box::new(Scope { site, live }))
    }
}

impl Entered {
    pub const OFF: Entered = Entered(None);

    #[inline]
    pub fn is_off(&self) -> bool {
        self.0.is_none()
    }

    fn recording(&self) -> Option<&Arc<Recording>> {
        self.0.as_ref()?.live.recording.as_ref()
    }

    pub fn handle(&self) -> Span {
        match &self.0 {
            Some(scope) if scope.live.recording.is_some() => Span::of(scope.live.context.clone()),
            _ => Span::none(),
        }
    }

    // These take the span and give it back, so that the code which calls them has nothing to drop
    // if they unwind; and they stay out of line, since every annotated function calls them.

    #[inline(never)]
    pub fn text(self, key: &'static str, value: &'static str) -> Self {
        if let Some(recording) = self.recording() {
            recording.set_attribute(KeyValue::new(key, value));
        }
        self
    }

    #[inline(never)]
    pub fn attribute<T: ToAttribute>(self, key: &'static str, value: &T) -> Self {
        self.attribute_with(key, &mut |slot| slot.set(value))
    }

    #[inline(never)]
    pub fn attribute_with(self, key: &'static str, value: &mut dyn FnMut(&mut Slot)) -> Self {
        let Some(recording) = self.recording() else {
            return self;
        };
        if let Some(Value(value)) = Slot::fill(value) {
            recording.set_attribute(KeyValue::new(key, value));
        }
        self
    }

    #[cold]
    #[inline(never)]
    fn attach(&self) -> Attached {
        match &self.0 {
            Some(scope) if scope.site.is_leaf() => Attached::leaf(scope.site),
            Some(scope) => Attached::context(scope.live.context.clone()),
            None => Attached::default(),
        }
    }

    /// The same, by value: the caller has nothing to drop if this unwinds.
    #[cold]
    #[inline(never)]
    fn attach_owned(self) -> (Self, Attached) {
        let guard = self.attach();
        (self, guard)
    }

    /// The end of a span that is none, for the compiler: there is nothing to drop.
    #[inline(always)]
    pub fn vanish(self) {
        std::mem::forget(self);
    }

    /// Ends the span with what its value says, at the detail that is allowed.
    pub fn end(self, reading: Reading<'_>) {
        let Some(recording) = self.recording() else {
            return;
        };
        let detail = recording.policy().detail;
        let ending = thread::shielded(|| match &reading {
            Reading::Nothing => Ending::Silent,
            Reading::Ask(value) => match value.failure() {
                Some(failure) => Ending::failed(&failure, detail),
                None => Ending::Silent,
            },
        });
        self.conclude(ending.unwrap_or(Ending::Silent));
    }

    pub(crate) fn panicked(self, payload: &Payload) {
        if let Some(recording) = self.recording() {
            let ending = Ending::panicked(payload, recording.policy().detail);
            self.conclude(ending);
        }
    }

    /// The provider's processors and exporters run here; one that panics costs its span.
    fn conclude(self, ending: Ending) {
        if let Some(recording) = self.recording() {
            thread::shielded(|| recording.end(ending));
        }
    }

    pub(crate) fn take(&mut self) -> Entered {
        Entered(self.0.take())
    }
}

/// Detaches when dropped.
#[derive(Default)]
struct Attached {
    _context: Option<ContextGuard>,
    #[cfg(feature = "testing")]
    _leaf: Option<crate::testing::Leaf>,
}

impl Attached {
    fn context(context: OtelContext) -> Self {
        Attached {
            _context: thread::attach(context),
            #[cfg(feature = "testing")]
            _leaf: None,
        }
    }

    #[cfg_attr(
        not(feature = "testing"),
        expect(unused_variables, reason = "only the testing recorder asks for leaves")
    )]
    fn leaf(site: &'static Site) -> Self {
        Attached {
            _context: None,
            #[cfg(feature = "testing")]
            _leaf: crate::testing::Leaf::enter(site),
        }
    }
}

/// A span whose body has run, and which is still attached.
///
/// It detaches before anything else happens, together with that: one call less in each function.
#[must_use]
pub struct Leaving {
    entered: Entered,
    guard: Attached,
}

impl Leaving {
    #[inline(always)]
    pub fn is_off(&self) -> bool {
        self.entered.is_off()
    }

    /// The end of a span that is none, for the compiler: there is nothing to drop.
    #[inline(always)]
    pub fn vanish(self) {
        std::mem::forget(self);
    }

    #[cold]
    #[inline(never)]
    fn detach(self) -> Entered {
        drop(self.guard);
        self.entered
    }

    #[inline(never)]
    pub fn attribute<T: ToAttribute>(self, key: &'static str, value: &T) -> Self {
        self.attribute_with(key, &mut |slot| slot.set(value))
    }

    #[inline(never)]
    pub fn attribute_with(self, key: &'static str, value: &mut dyn FnMut(&mut Slot)) -> Self {
        Leaving {
            entered: self.detach().attribute_with(key, value),
            guard: Attached::default(),
        }
    }

    #[cold]
    pub fn end(self, reading: Reading<'_>) {
        self.detach().end(reading);
    }
}

/// Runs a body in its span and hands the span on, for what its value says.
///
/// If the body panics, the span ends with that, and the panic goes on. Inlined whole, so that the
/// body is in the binary once, whether the span is on or off; what belongs to the span is cold and
/// out of line, and takes it by value.
#[inline(always)]
pub fn run_held<R>(entered: Entered, body: impl FnOnce() -> R) -> (Leaving, R) {
    let (entered, guard) = match entered.is_off() {
        true => (entered, Attached::default()),
        false => entered.attach_owned(),
    };
    match thread::catch(body) {
        Ok(value) => (Leaving { entered, guard }, value),
        Err(payload) => panicked(entered, guard, payload),
    }
}

/// The same for a value that takes the span with it.
#[inline(always)]
pub fn run_open<R>(entered: Entered, body: impl FnOnce() -> R) -> (Entered, R) {
    match run_held(entered, body) {
        (leaving, value) if leaving.is_off() => {
            leaving.vanish();
            (Entered::OFF, value)
        }
        (leaving, value) => (leaving.detach(), value),
    }
}

/// The same for a value that says nothing.
#[inline(always)]
pub fn run<R>(entered: Entered, body: impl FnOnce() -> R) -> R {
    let (leaving, value) = run_held(entered, body);
    match leaving.is_off() {
        true => leaving.vanish(),
        false => leaving.end(Reading::Nothing),
    }
    value
}

/// Runs one poll, in the same way.
#[inline(always)]
pub(crate) fn attached<R>(entered: &mut Entered, work: impl FnOnce() -> R) -> R {
    let guard = match entered.is_off() {
        true => Attached::default(),
        false => entered.attach(),
    };
    match thread::catch(work) {
        Ok(value) => {
            match entered.is_off() {
                true => std::mem::forget(guard),
                false => detach(guard),
            }
            value
        }
        Err(payload) => panicked(entered.take(), guard, payload),
    }
}

#[cold]
#[inline(never)]
fn detach(guard: Attached) {
    drop(guard);
}

#[cold]
#[inline(never)]
fn panicked(entered: Entered, guard: Attached, payload: Payload) -> ! {
    drop(guard);
    entered.panicked(&payload);
    thread::resume(payload)
}

/// Drops what was not finished inside its span, so that its destructors are attributed to it.
#[cold]
#[inline(never)]
pub(crate) fn abandon<F>(entered: Entered, mut rest: Pin<&mut Option<F>>) {
    let guard = entered.attach();
    let outcome = thread::catch(|| rest.set(None));
    abandoned(entered, guard, outcome);
}

#[inline(never)]
fn abandoned(entered: Entered, guard: Attached, outcome: Result<(), Payload>) {
    drop(guard);
    match outcome {
        Ok(()) => entered.conclude(Ending::Cancelled),
        Err(payload) => {
            entered.panicked(&payload);
            // A second panic would abort the process: telemetry keeps it from that.
            if !std::thread::panicking() {
                thread::resume(payload);
            }
        }
    }
}

/// For values that say nothing.
pub fn finish<T>(entered: Entered, _: &T) {
    entered.end(Reading::Nothing);
}

/// A span without a closure around its body, for `#[track_caller]`.
///
/// It sees a panic, though not what it says.
#[must_use]
pub struct Guard {
    entered: Entered,
    attached: Attached,
    panicking_before: bool,
}

impl Guard {
    pub fn new(entered: Entered) -> Self {
        let attached = entered.attach();
        Guard {
            entered,
            attached,
            panicking_before: std::thread::panicking(),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(std::mem::take(&mut self.attached));
        match std::thread::panicking() && !self.panicking_before {
            true => self.entered.take().panicked(&(Box::new(()) as Payload)),
            false => self.entered.take().end(Reading::Nothing),
        }
    }
}

/// `when = ..`: a condition that panics does not hold.
pub fn holds(condition: impl FnOnce() -> bool) -> bool {
    thread::shielded(condition).unwrap_or(false)
}

/// `err = |error| ..`, which needs an error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Result`, so `err = |error| ..` has nothing to judge",
    label = "not a `Result`",
    note = "return a `Result`, or remove `err`"
)]
pub trait Judged {
    type Error;

    /// A judgement that panics finds a failure.
    fn is_failure(&self, judge: impl FnOnce(&Self::Error) -> bool) -> bool;
}

impl<T, E> Judged for Result<T, E> {
    type Error = E;

    fn is_failure(&self, judge: impl FnOnce(&E) -> bool) -> bool {
        match self {
            Ok(_) => false,
            Err(error) => thread::shielded(|| judge(error)).unwrap_or(true),
        }
    }
}
