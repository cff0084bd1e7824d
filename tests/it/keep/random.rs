//! Random forests over threads, compared with a plain re-implementation over the whole list.
//!
//! Each step runs on one of a few threads, and the next one begins when it is done, so that it is known what had
//! ended when a trace was decided. A context goes from thread to thread by OpenTelemetry alone.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::thread;

use enter_span::{OwnedSpan, Status, start_span};
use enter_span_pipeline::{Keep, LocalTrace};
use opentelemetry::Context;
use opentelemetry::trace::{
    Status as OtelStatus, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{KeyValue, trace::TraceId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

use super::{Rig, assert_balanced, caller, rig};
use crate::pipeline::AGES;
use crate::span::random::unrecorded;

#[test]
fn what_is_exported_is_what_the_whole_list_says() {
    let mut runner = TestRunner::new(unrecorded(400));
    let program = (vec(step(), 1..60), policy());
    let checked = runner.run(&program, |(steps, policy)| check(&steps, &policy));
    checked.unwrap_or_else(|failed| panic!("{failed}"));
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Of ours, or of an OpenTelemetry tracer.
    Ours,
    Theirs,
    /// Ours, and over when it has begun.
    Leaf,
    OwnRoot,
    TheirRoot,
    /// Below a caller of one of a few traces.
    Remote(u128),
    /// In a trace of its own, with a link to its parent.
    Linked,
}

#[derive(Clone, Debug)]
enum Step {
    Start {
        kind: Kind,
        parent: Index,
        thread: usize,
    },
    End {
        which: Index,
        thread: usize,
        fails: bool,
        debugs: bool,
    },
    Flush,
}

/// What the policy says, in parts that the oracle reads too.
#[derive(Clone, Debug)]
struct Policy {
    errors: bool,
    debug: bool,
    even: bool,
    fraction: f64,
    /// Roots of theirs are decided by errors alone, if at all.
    theirs: Option<bool>,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        4 => Just(Kind::Ours),
        3 => Just(Kind::Theirs),
        1 => Just(Kind::Leaf),
        2 => Just(Kind::OwnRoot),
        1 => Just(Kind::TheirRoot),
        2 => (1..3_u128).prop_map(Kind::Remote),
        1 => Just(Kind::Linked),
    ];
    let start = (kind, any::<Index>(), 0..THREADS).prop_map(|(kind, parent, thread)| Step::Start {
        kind,
        parent,
        thread,
    });
    let rarely = || prop::bool::weighted(0.15);
    let end = (any::<Index>(), 0..THREADS, rarely(), rarely());
    let end = end.prop_map(|(which, thread, fails, debugs)| Step::End {
        which,
        thread,
        fails,
        debugs,
    });
    prop_oneof![6 => start, 6 => end, 1 => Just(Step::Flush)]
}

fn policy() -> impl Strategy<Value = Policy> {
    let fraction = prop_oneof![2 => Just(0.0), 1 => Just(0.5), 1 => Just(1.0)];
    let theirs = prop::option::weighted(0.3, any::<bool>());
    (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        fraction,
        theirs,
    )
        .prop_map(|(errors, debug, even, fraction, theirs)| Policy {
            errors,
            debug,
            even,
            fraction,
            theirs,
        })
}

impl Policy {
    fn keep(&self) -> Keep {
        let mut keep = Keep::fraction(self.fraction);
        if self.errors {
            keep = keep.or_errors();
        }
        if self.debug {
            keep = keep.or_with("debug");
        }
        if self.even {
            keep = keep.or_by(|trace: &LocalTrace<'_>| trace.spans().count() % 2 == 0);
        }
        match self.theirs {
            Some(true) => keep.for_scope("theirs", Keep::errors()),
            Some(false) => keep.for_scope("theirs", Keep::none()),
            None => keep,
        }
    }

    /// By all that had ended.
    fn keeps(&self, root: &Node, ended: &[&Node]) -> bool {
        let has_error = ended.iter().any(|node| node.fails);
        match self.theirs {
            Some(errors) if matches!(root.kind, Kind::TheirRoot) => errors && has_error,
            _ => {
                (self.errors && has_error)
                    || (self.debug && ended.iter().any(|node| node.debugs))
                    || (self.even && ended.len() % 2 == 0)
                    || is_part(self.fraction, root.trace_id)
            }
        }
    }
}

/// As OpenTelemetry's ratio sampler decides: by the lower 63 bits of the upper end.
fn is_part(fraction: f64, trace_id: TraceId) -> bool {
    let text = trace_id.to_string();
    let lower = u64::from_str_radix(&text[16..], 16).expect("a number");
    (lower >> 1) < (fraction * 2_f64.powi(63)) as u64
}

/// A span, as the model knows it.
struct Node {
    kind: Kind,
    name: String,
    /// The number of its local root.
    root: usize,
    trace_id: TraceId,
    context: Context,
    fails: bool,
    debugs: bool,
    /// How many flushes there were before.
    ended: Option<usize>,
}

/// What is there to be ended.
enum Open {
    Ours(OwnedSpan),
    Theirs(Context),
}

const THREADS: usize = 3;

/// Threads that do what they are sent, one thing after another.
struct Threads(Vec<mpsc::Sender<Box<dyn FnOnce() + Send>>>);

impl Threads {
    fn start() -> Self {
        let start = |_| {
            let (sends, work) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
            thread::spawn(move || work.iter().for_each(|work| work()));
            sends
        };
        Threads((0..THREADS).map(start).collect())
    }

    fn run<R: Send + 'static>(
        &self,
        thread: usize,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> R {
        let (sends, done) = mpsc::channel();
        let work = Box::new(move || {
            sends.send(work()).ok();
        });
        self.0[thread].send(work).expect("a thread");
        done.recv().expect("no panic")
    }
}

struct Run {
    rig: Rig,
    threads: Threads,
    nodes: Vec<Node>,
    open: Vec<Option<Open>>,
    flushes: usize,
}

fn check(steps: &[Step], policy: &Policy) -> Result<(), TestCaseError> {
    let mut run = Run {
        rig: rig(policy.keep()),
        threads: Threads::start(),
        nodes: Vec::new(),
        open: Vec::new(),
        flushes: 0,
    };
    for step in steps {
        run.step(step);
    }
    run.rig.pipeline.shutdown(AGES).expect("in time");
    assert_balanced(run.rig.pipeline.counts());
    let exported = run.rig.taken();
    let exported: BTreeSet<_> = exported.iter().map(|span| span.name.to_string()).collect();
    prop_assert_eq!(exported, expected(&run.nodes, policy));
    // What is open ends with nobody to take it.
    run.open.clear();
    Ok(())
}

/// The names of what is exported: of each root, all or nothing.
fn expected(nodes: &[Node], policy: &Policy) -> BTreeSet<String> {
    let of_root = |number: usize| {
        let own = nodes.iter().filter(move |node| node.root == number);
        own.filter(|node| node.ended.is_some())
    };
    let is_kept = |number: usize| {
        let Some(decided) = nodes[number].ended else {
            // At the shutdown.
            return true;
        };
        let before = of_root(number).filter(|node| node.ended <= Some(decided));
        policy.keeps(&nodes[number], &before.collect::<Vec<_>>())
    };
    let roots = (0..nodes.len()).filter(|number| nodes[*number].root == *number);
    let kept = roots.filter(|number| is_kept(*number)).flat_map(of_root);
    kept.map(|node| node.name.clone()).collect()
}

impl Run {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Flush => {
                self.rig.pipeline.flush(AGES).expect("flushed in time");
                assert_balanced(self.rig.pipeline.counts());
                self.flushes += 1;
            }
            Step::Start {
                kind,
                parent,
                thread,
            } => self.start(*kind, *parent, *thread),
            Step::End {
                which,
                thread,
                fails,
                debugs,
            } => {
                let open: Vec<_> = (0..self.open.len())
                    .filter(|number| self.open[*number].is_some())
                    .collect();
                if !open.is_empty() {
                    let number = open[which.index(open.len())];
                    self.end(number, *thread, (*fails, *debugs));
                }
            }
        }
    }

    /// Any span of ours may be a parent, and of theirs one that is open: of one that has ended, nothing is left in
    /// the context to say which of several roots it was below.
    fn parent(&self, parent: Index) -> Option<usize> {
        let may = |number: &usize| match self.nodes[*number].kind {
            Kind::Leaf => false,
            Kind::Theirs | Kind::TheirRoot => self.open[*number].is_some(),
            _ => true,
        };
        let all: Vec<_> = (0..self.nodes.len()).filter(may).collect();
        (!all.is_empty()).then(|| all[parent.index(all.len())])
    }

    fn start(&mut self, kind: Kind, parent: Index, thread: usize) {
        let number = self.nodes.len();
        let parent = self.parent(parent);
        let kind = match (kind, parent) {
            (Kind::Ours | Kind::Leaf | Kind::Linked, None) => Kind::OwnRoot,
            (Kind::Theirs, None) => Kind::TheirRoot,
            (kind, _) => kind,
        };
        let root = match kind {
            Kind::Ours | Kind::Theirs | Kind::Leaf => {
                parent.map_or(number, |above| self.nodes[above].root)
            }
            _ => number,
        };
        let above = parent.map_or_else(Context::new, |above| self.nodes[above].context.clone());
        let name = format!("{number}");
        let (tracer, provider) = (self.rig.tracer.clone(), self.rig.provider());
        let own_name = name.clone();
        let (open, context) = self.threads.run(thread, move || {
            let attached = above.clone().attach();
            let other = provider.tracer("theirs");
            let ours = |span: OwnedSpan| {
                let context = span.enter(Context::current);
                (Open::Ours(span), context)
            };
            let theirs = |below: &Context| {
                let span = other.start_with_context(own_name.clone(), below);
                let context = below.with_span(span);
                (Open::Theirs(context.clone()), context)
            };
            let started = match kind {
                Kind::Ours => ours(start_span!(name = own_name.clone(), tracer = tracer)),
                Kind::Leaf => ours(start_span!(name = own_name.clone(), leaf, tracer = tracer)),
                Kind::OwnRoot => ours(start_span!(name = own_name.clone(), root, tracer = tracer)),
                Kind::Remote(trace) => ours(start_span!(
                    name = own_name.clone(),
                    parent = caller(trace),
                    tracer = tracer
                )),
                Kind::Linked => {
                    let current = enter_span::Span::current();
                    ours(start_span!(
                        name = own_name.clone(),
                        root,
                        links(current),
                        tracer = tracer
                    ))
                }
                Kind::Theirs => theirs(&above),
                Kind::TheirRoot => theirs(&Context::new()),
            };
            drop(attached);
            started
        });
        let trace_id = match &open {
            Open::Ours(span) => {
                TraceId::from_bytes(span.trace_id().expect("it is recorded").to_bytes())
            }
            Open::Theirs(context) => context.span().span_context().trace_id(),
        };
        self.nodes.push(Node {
            kind,
            name,
            root,
            trace_id,
            context,
            fails: false,
            debugs: false,
            ended: None,
        });
        self.open.push(Some(open));
        if let Kind::Leaf = kind {
            self.end(number, thread, (false, false));
        }
    }

    fn end(&mut self, number: usize, thread: usize, (fails, debugs): (bool, bool)) {
        let Some(open) = self.open[number].take() else {
            return;
        };
        self.threads.run(thread, move || match open {
            Open::Ours(span) => {
                if fails {
                    span.set_status(Status::error(""));
                }
                if debugs {
                    span.set_attribute("debug", true);
                }
            }
            Open::Theirs(context) => {
                let span = context.span();
                if fails {
                    span.set_status(OtelStatus::error(""));
                }
                if debugs {
                    span.set_attribute(KeyValue::new("debug", true));
                }
                span.end();
            }
        });
        let node = &mut self.nodes[number];
        (node.fails, node.debugs) = (fails, debugs);
        node.ended = Some(self.flushes);
    }
}
