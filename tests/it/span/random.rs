//! Random programs of spans, compared with a model that knows nothing of contexts.
//!
//! A program is a tree of steps. The interpreter runs it, and hands down through every step, as an
//! argument, where the next span has to hang. What it notes on the way is the model; what the
//! recorder has seen must be the same.

use std::collections::HashMap;
use std::mem;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use enter_span::prelude::*;
use enter_span::testing::{RecordedSpan, Recorder, Trace};
use enter_span::{
    Context, Span, SpanId, Status, TraceId, Value, enter_span, enter_span_async, start_span, task,
};
use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::runtime::Builder;
use tokio::task::{JoinHandle, yield_now};

/// Whatever a program does on one thread, its spans hang and end as the model says.
#[test]
fn random_programs_make_the_tree_of_the_model() {
    check_programs(10_000, Builder::new_current_thread);
}

/// The same on two workers, between which the tasks wander.
#[test]
fn random_programs_make_the_tree_of_the_model_on_two_workers() {
    check_programs(500, || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2);
        builder
    });
}

fn check_programs(cases: u32, runtime: fn() -> Builder) {
    // On a thread of its own: what one program leaves attached is not there for the next.
    let check = |program| thread::spawn(move || check(program, runtime())).join();
    let checked = TestRunner::new(unrecorded(cases)).run(&programs(), |program| {
        check(program).unwrap_or_else(|panic| resume_unwind(panic))
    });
    checked.unwrap_or_else(|failed| panic!("{failed}"));
}

/// So many cases, of which none is written to a file beside the tests if it fails.
pub(crate) fn unrecorded(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

fn check(program: Block, mut runtime: Builder) -> Result<(), TestCaseError> {
    let recorder = Recorder::new();
    let model = Model::default();
    let of_worker = model.clone();
    let runtime = runtime
        .on_thread_stop(move || of_worker.inspect_thread())
        .build()
        .expect("a runtime");
    let scope = Scope::outermost(&recorder, &model);
    // A panic that nothing catches comes out here.
    let _ = runtime.block_on(async { spawn(Kin::Plain, program, &scope).await });
    // Tasks that still run are cancelled.
    drop(runtime);
    model.inspect_thread();
    let noted = mem::take(&mut *model.lock());
    prop_assert_eq!(noted.threads_in_a_span, 0);
    let trace = recorder.trace();
    prop_assert_eq!(recorded(&trace), noted.spans);
    prop_assert!(begin_in_order(trace.spans()));
    Ok(())
}

// The program.

/// Steps, one after the other.
#[derive(Clone, Debug)]
struct Block {
    /// Whether the future of these steps owns something whose destructor makes a span.
    closing: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Yield,
    /// A sync span, which polls its block once and drops it.
    Enter(Block),
    EnterAsync(Block),
    /// A span with an owner, into which the block is put; it ends when that is done, or dropped.
    Own(Block),
    Join(Vec<Block>),
    /// Polls so many times, and drops what is not ready by then.
    Cancel(u8, Block),
    Spawn(Kin, Fate, Block),
    /// Made here, and polled and dropped inside of a span that starts later.
    Carry(Kin, Block),
    Panic,
    Catch(Block),
}

/// What work that goes elsewhere is to the span that sends it.
#[derive(Clone, Copy, Debug)]
enum Kin {
    Child,
    Linked,
    Plain,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Joined,
    Detached,
    /// After so many turns.
    Aborted(u8),
}

fn programs() -> impl Strategy<Value = Block> {
    let simple = prop_oneof![8 => Just(Step::Yield), 1 => Just(Step::Panic)];
    let step = simple.prop_recursive(5, 30, 3, |step| {
        let block = blocks(step, 4);
        let kin = prop_oneof![Just(Kin::Child), Just(Kin::Linked), Just(Kin::Plain)];
        let fate = prop_oneof![
            Just(Fate::Joined),
            Just(Fate::Detached),
            (0..3_u8).prop_map(Fate::Aborted)
        ];
        prop_oneof![
            1 => Just(Step::Yield),
            2 => block.clone().prop_map(Step::Enter),
            6 => block.clone().prop_map(Step::EnterAsync),
            2 => block.clone().prop_map(Step::Own),
            2 => vec(block.clone(), 1..3).prop_map(Step::Join),
            2 => (0..4_u8, block.clone()).prop_map(|(polls, block)| Step::Cancel(polls, block)),
            4 => (kin.clone(), fate, block.clone())
                .prop_map(|(kin, fate, block)| Step::Spawn(kin, fate, block)),
            2 => (kin, block.clone()).prop_map(|(kin, block)| Step::Carry(kin, block)),
            1 => block.prop_map(Step::Catch),
        ]
    });
    blocks(step, 6)
}

fn blocks(step: impl Strategy<Value = Step>, most: usize) -> impl Strategy<Value = Block> + Clone {
    let block = (proptest::bool::weighted(0.3), vec(step, 0..=most));
    let block = block.prop_map(|(closing, steps)| Block { closing, steps });
    Arc::new(block)
}

// The interpreter.

/// What every step is handed by the one around it.
#[derive(Clone)]
struct Scope {
    recorder: Recorder,
    model: Model,
    place: Place,
    /// The open spans that a panic would pass from here.
    in_its_way: Vec<usize>,
}

/// Where the next span has to hang.
#[derive(Clone, Default)]
struct Place {
    root: Option<usize>,
    parent: Option<usize>,
    links: Vec<usize>,
}

impl Place {
    /// What work that is linked to this place is linked to: the span; before there is one, what that
    /// would be linked to.
    fn cause(&self) -> Vec<usize> {
        match self.parent {
            Some(parent) => vec![parent],
            None => self.links.clone(),
        }
    }
}

fn run(block: Block, scope: Scope) -> BoxFuture<'static, ()> {
    let closing = block.closing.then(|| Closing(scope.clone()));
    let work = async move {
        let _closing = closing;
        scope.sign();
        for step in block.steps {
            perform(step, &scope).await;
            scope.sign();
        }
    };
    work.boxed()
}

async fn perform(step: Step, scope: &Scope) {
    match step {
        Step::Yield => yield_now().await,
        Step::Enter(block) => enter_span("sync", |_| {
            let inner = scope.begin();
            run(block, inner.clone()).now_or_never();
            inner.finish();
        }),
        Step::EnterAsync(block) => {
            let body = |_| async {
                let inner = scope.begin();
                run(block, inner.clone()).await;
                inner.finish();
            };
            enter_span_async("async", body).await;
        }
        Step::Own(block) => own(block, scope).await,
        Step::Join(blocks) => {
            let branches = blocks.into_iter().map(|block| run(block, scope.clone()));
            join_all(branches).await;
        }
        Step::Cancel(polls, block) => {
            let mut work = pin!(run(block, scope.clone()));
            for _ in 0..polls {
                if futures::poll!(work.as_mut()).is_ready() {
                    break;
                }
                yield_now().await;
            }
        }
        Step::Spawn(kin, fate, block) => meet(fate, spawn(kin, block, scope)).await,
        Step::Carry(kin, block) => {
            let work = AssertUnwindSafe(carry(kin, block, scope)).catch_unwind();
            let body = |_| async {
                let inner = scope.begin();
                let _ = work.await;
                inner.finish();
            };
            enter_span_async("elsewhere", body).await;
        }
        Step::Panic => scope.panic(),
        Step::Catch(block) => {
            let work = run(block, scope.catching());
            let _ = AssertUnwindSafe(work).catch_unwind().await;
        }
    }
}

async fn own(block: Block, scope: &Scope) {
    let number = scope.note();
    let owner = Owner(scope.model.clone(), number);
    let span = start_span("owned");
    let inner = scope.below(number);
    span.enter(|| inner.sign());
    run(block, inner).in_span(&span).await;
    // One that is never current, and ends after what began in the meantime.
    let number = scope.note();
    let other_owner = Owner(scope.model.clone(), number);
    let detached = start_span!("detached", leaf, attributes(number));
    span.end();
    owner.end();
    yield_now().await;
    detached.end();
    other_owner.end();
}

/// Notes how a span with an owner ends: silently, or cancelled, if a panic takes the owner.
struct Owner(Model, usize);

impl Owner {
    fn end(self) {
        self.0.set_outcome(self.1, Outcome::Finished);
        mem::forget(self);
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let outcome = if thread::panicking() {
            Outcome::Cancelled
        } else {
            Outcome::Finished
        };
        self.0.set_outcome(self.1, outcome);
    }
}

fn spawn(kin: Kin, block: Block, scope: &Scope) -> JoinHandle<()> {
    let work = run(block, scope.sent(kin));
    match kin {
        Kin::Child => task::spawn_in_current_span(work),
        Kin::Linked => task::spawn_linked(work),
        // Without any context, it would not find the recorder.
        Kin::Plain => tokio::spawn(work.in_span(&scope.recorder.context())),
    }
}

fn carry(kin: Kin, block: Block, scope: &Scope) -> BoxFuture<'static, ()> {
    let work = run(block, scope.sent(kin));
    match kin {
        Kin::Child => work.in_current_span().boxed(),
        Kin::Linked => work.linked_to_current_span().boxed(),
        Kin::Plain => work.in_span(&scope.recorder.context()).boxed(),
    }
}

async fn meet(fate: Fate, task: JoinHandle<()>) {
    match fate {
        Fate::Detached => {}
        Fate::Joined => drop(task.await),
        Fate::Aborted(turns) => {
            for _ in 0..turns {
                yield_now().await;
            }
            task.abort();
            drop(task.await);
        }
    }
}

/// Makes a span in its destructor.
struct Closing(Scope);

impl Drop for Closing {
    fn drop(&mut self) {
        enter_span("closing", |_| self.0.begin().finish());
    }
}

// The model.

/// What must have been recorded, as the steps note it.
#[derive(Clone, Default)]
struct Model(Arc<Mutex<Noted>>);

#[derive(Default)]
struct Noted {
    spans: Vec<Line>,
    threads_in_a_span: usize,
}

/// A span, in numbers instead of ids.
#[derive(Debug, PartialEq)]
struct Line {
    number: usize,
    root: usize,
    parent: Option<usize>,
    links: Vec<usize>,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Finished,
    Cancelled,
    Panicked,
    Open,
    /// It says two things at the same time.
    Contradictory,
}

impl Model {
    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().expect("no panic under this lock")
    }

    fn set_outcome(&self, number: usize, outcome: Outcome) {
        self.lock().spans[number].outcome = outcome;
    }

    /// After all work, nothing may be left attached.
    fn inspect_thread(&self) {
        if enter_span::is_enabled() || Context::current().span_context().is_valid() {
            self.lock().threads_in_a_span += 1;
        }
    }
}

impl Scope {
    fn outermost(recorder: &Recorder, model: &Model) -> Self {
        Scope {
            recorder: recorder.clone(),
            model: model.clone(),
            place: Place::default(),
            in_its_way: Vec::new(),
        }
    }

    /// A span has begun here; gives the scope of its body.
    fn begin(&self) -> Scope {
        let number = self.note();
        let in_its_way = [&self.in_its_way[..], &[number]].concat();
        let inner = Scope {
            in_its_way,
            ..self.below(number)
        };
        inner.sign();
        inner
    }

    /// A span has begun here. What does not end, is cancelled.
    fn note(&self) -> usize {
        let mut noted = self.model.lock();
        let number = noted.spans.len();
        noted.spans.push(Line {
            number,
            root: self.place.root.unwrap_or(number),
            parent: self.place.parent,
            links: self.place.links.clone(),
            outcome: Outcome::Cancelled,
        });
        number
    }

    /// What is in the span of this number.
    fn below(&self, number: usize) -> Scope {
        let place = Place {
            root: Some(self.place.root.unwrap_or(number)),
            parent: Some(number),
            links: Vec::new(),
        };
        Scope {
            place,
            ..self.clone()
        }
    }

    /// The body of this scope's span has come to its end.
    fn finish(&self) {
        self.sign();
        let ended = self.place.parent.into_iter();
        ended.for_each(|number| self.model.set_outcome(number, Outcome::Finished));
    }

    /// Writes the number of the span that must be current onto the one that is.
    fn sign(&self) {
        let number = self.place.parent.unwrap_or(NONE);
        Span::current().set_attribute("number", number);
    }

    fn panic(&self) -> ! {
        for &number in &self.in_its_way {
            self.model.set_outcome(number, Outcome::Panicked);
        }
        // The hook, which would print it, is not called.
        resume_unwind(Box::new("a step of the program"));
    }

    /// For work whose panics go no further.
    fn catching(&self) -> Scope {
        Scope {
            in_its_way: Vec::new(),
            ..self.clone()
        }
    }

    /// For work that goes elsewhere, where its panics are caught.
    fn sent(&self, kin: Kin) -> Scope {
        let place = match kin {
            Kin::Child => self.place.clone(),
            Kin::Linked => Place {
                links: self.place.cause(),
                ..Place::default()
            },
            Kin::Plain => Place::default(),
        };
        Scope {
            place,
            ..self.catching()
        }
    }
}

// The comparison.

/// What stands for a span that is not there.
const NONE: usize = usize::MAX;

/// The spans of a trace in the words of the model, by number.
fn recorded(trace: &Trace) -> Vec<Line> {
    let numbers = Numbers::of(trace.spans());
    let mut lines: Vec<Line> = trace
        .spans()
        .iter()
        .map(|span| numbers.line(span))
        .collect();
    lines.sort_by_key(|line| line.number);
    lines
}

/// A span's parent began before it, and is of the same trace.
fn begin_in_order(spans: &[RecordedSpan]) -> bool {
    let trace_id = |span: &RecordedSpan| span.span_context().trace_id();
    spans.iter().enumerate().all(|(place, span)| {
        let Some(parent) = span.parent_id() else {
            return true;
        };
        let mut earlier = spans[..place].iter();
        let parent = earlier.find(|above| above.span_id() == parent);
        parent.is_some_and(|parent| trace_id(parent) == trace_id(span))
    })
}

/// What the identities of recorded spans stand for.
#[derive(Default)]
struct Numbers {
    spans: HashMap<SpanId, usize>,
    roots: HashMap<TraceId, usize>,
}

impl Numbers {
    fn of(spans: &[RecordedSpan]) -> Self {
        let mut numbers = Numbers::default();
        for span in spans {
            let signed = span.attribute("number");
            let mut possible = 0..spans.len();
            let number = possible.find(|&number| signed == Some(Value::from(number)));
            let number = number.unwrap_or(NONE);
            numbers.spans.insert(span.span_id(), number);
            if span.parent_id().is_none() {
                let trace_id = span.span_context().trace_id();
                numbers.roots.insert(trace_id, number);
            }
        }
        numbers
    }

    fn line(&self, span: &RecordedSpan) -> Line {
        let number = |id: SpanId| self.spans.get(&id).copied().unwrap_or(NONE);
        let root = self.roots.get(&span.span_context().trace_id());
        let links = span.links().iter().map(|link| number(link.span_id()));
        Line {
            number: number(span.span_id()),
            root: root.copied().unwrap_or(NONE),
            parent: span.parent_id().map(number),
            links: links.collect(),
            outcome: outcome(span),
        }
    }
}

fn outcome(span: &RecordedSpan) -> Outcome {
    let cancelled = span.attribute("enter_span.outcome") == Some("cancelled".into());
    let panicked = span.attribute("error.type") == Some("panic".into());
    match (span.is_ended(), span.status(), cancelled, panicked) {
        (false, ..) => Outcome::Open,
        (true, Status::Unset, false, false) => Outcome::Finished,
        (true, Status::Unset, true, false) => Outcome::Cancelled,
        (true, Status::Error(_), false, true) => Outcome::Panicked,
        _ => Outcome::Contradictory,
    }
}
