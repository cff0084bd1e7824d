//! The handle for code that has a context: the same trees, and a provider of its own.

use std::sync::Arc;

use enter_span::testing::{Recorder, Trace};
use enter_span::{Tracer, enter_span, enter_span_async, in_span, start_span};
use tokio::task::yield_now;

use crate::support::check::{block_on, check};
use crate::support::child::is_child;

static TRACER: Tracer = enter_span::tracer!();

/// What a user's own handler is given.
struct Handler {
    tracer: Arc<Tracer>,
}

/// One program through each door.
struct Doors;

impl Doors {
    #[enter_span("outer", tracer = TRACER, attributes(path = "attribute"))]
    fn attribute() -> Result<u8, String> {
        #[enter_span(tracer = &TRACER)]
        fn inner(n: u8) -> Result<u8, String> {
            Err(n.to_string())
        }
        inner(1)
    }

    fn block() -> Result<u8, String> {
        in_span!("outer", tracer = TRACER, attributes(path = "block"), |_| {
            in_span!("inner", tracer = TRACER, |_| Err::<u8, _>(1.to_string()))
        })
    }

    fn handle(tracer: &Tracer) -> Result<u8, String> {
        tracer.enter_span("outer", |outer| {
            outer.set_attribute("path", "handle");
            let value = tracer.enter_span("inner", |inner| {
                let value = Err(1.to_string());
                inner.set_outcome(&value);
                value
            });
            outer.set_outcome(&value);
            value
        })
    }

    fn owned(tracer: &Tracer) -> Result<u8, String> {
        let outer = tracer.start_span("outer");
        outer.set_attribute("path", "owned");
        let value = outer.enter(|| {
            let inner = start_span!("inner", tracer = tracer);
            let value = Err(1.to_string());
            inner.set_outcome(&value);
            value
        });
        outer.set_outcome(&value);
        value
    }
}

/// The tree, without the attribute that says through which door it came.
fn tree(trace: &Trace) -> Vec<String> {
    let tree = trace.tree();
    let without = |line: &str| line.split(" path=").next().map(str::to_owned);
    let rest = |line: &str| line.rsplit(' ').next().map(str::to_owned);
    tree.lines()
        .map(|line| without(line).unwrap_or_default() + &rest(line).unwrap_or_default())
        .collect()
}

/// The same trees through attribute, block and handle, under the same library.
#[test]
fn each_door_leads_to_the_same_tree() {
    let expected = check(
        Doors::attribute,
        "
        outer path=attribute !String
          inner !String
        ",
    );
    let doors: [fn() -> Result<u8, String>; 3] = [
        Doors::block,
        || Doors::handle(&TRACER),
        || Doors::owned(&TRACER),
    ];
    for door in doors {
        let trace = Recorder::new().run(door);
        assert_eq!(tree(&trace), tree(&expected));
        for (span, expected) in trace.spans().iter().zip(expected.spans()) {
            assert_eq!(span.library(), expected.library());
            assert_eq!(span.status(), expected.status());
        }
    }
    let ours = ("enter-span-tests", Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(expected.find("outer").library(), ours);
}

/// And async.
#[test]
fn each_async_door_leads_to_the_same_tree() {
    #[enter_span("outer", tracer = handler.tracer)]
    async fn attribute(handler: &Handler) {
        yield_now().await;
        in_span!("inner", tracer = handler.tracer, async |_| yield_now()
            .await)
        .await;
    }
    async fn handle(handler: &Handler) {
        let inner = async || {
            handler
                .tracer
                .enter_span_async("inner", |_| yield_now())
                .await
        };
        handler.tracer.enter_span_async("outer", |_| inner()).await;
    }
    let handler = Handler {
        tracer: Arc::new(TRACER.clone()),
    };
    for trace in [
        block_on(Recorder::new().run_async(attribute(&handler))),
        block_on(Recorder::new().run_async(handle(&handler))),
    ] {
        trace.assert_tree("outer\n  inner");
        assert_eq!(trace.find("outer").library().0, "enter-span-tests");
        assert_eq!(trace.find("inner").library().0, "enter-span-tests");
    }
}

#[enter_span]
fn below() {
    enter_span("further below", |_| {});
}

/// A provider of its own: for its spans and all below them, also while the process is off.
#[test]
fn a_tracer_brings_its_provider() {
    if !is_child("span::tracers::a_tracer_brings_its_provider") {
        return;
    }
    let recorder = Recorder::new();
    let provider = recorder.tracer_provider();
    let tracer = Tracer::new(provider, "tenant").with_version("7");
    assert!(!enter_span::is_enabled());
    below();
    tracer.enter_span("work", |span| {
        assert!(span.is_traced() && enter_span::is_enabled());
        below();
    });
    block_on(tracer.enter_span_async("async work", |_| async { below() }));
    let span = tracer.start_span("owned work");
    span.enter(below);
    drop(span);
    assert!(!enter_span::is_enabled());
    let trace = recorder.trace();
    trace.assert_tree(
        "
        work
          below
            further below
        async work
          below
            further below
        owned work
          below
            further below
        orphan below
        orphan further below
        ",
    );
    assert_eq!(trace.find("work").library(), ("tenant", Some("7")));
    assert_eq!(trace.find("below").library().0, "enter-span-tests");
}

/// A root below it keeps its provider; and its spans are children of what is current.
#[test]
fn a_tracers_provider_is_kept_by_roots() {
    #[enter_span(root)]
    fn root() {
        below();
    }
    let (own, around) = (Recorder::new(), Recorder::new());
    let tracer = Tracer::new(own.tracer_provider(), String::from("made up"));
    around.run(|| {
        enter_span("around", |_| {
            tracer.enter_span("inside", |_| root());
            below();
        });
    });
    around.trace().assert_tree(
        "
        around
          below
            further below
        ",
    );
    let trace = own.trace();
    let (above, inside) = (around.trace(), trace.find("inside"));
    assert_eq!(inside.parent_id(), Some(above.find("around").span_id()));
    assert_eq!(inside.library(), ("made up", None));
    trace.assert_tree(
        "
        inside
        root
          below
            further below
        ",
    );
}

/// It prevails over what a parent brings along.
#[test]
fn a_tracers_provider_prevails_over_its_parents() {
    let (own, other) = (Recorder::new(), Recorder::new());
    let tracer = Tracer::new(own.tracer_provider(), "tenant");
    in_span!("own", tracer = tracer, parent = other.context(), |_| below(
    ));
    other.trace().assert_tree("");
    own.trace().assert_tree(
        "
        own
          below
            further below
        ",
    );
}

/// A trace that its provider does not sample: everything below is its provider's all the same.
#[test]
fn a_tracers_provider_decides_below_it() {
    let (own, around) = (Recorder::new().with_sampler(|_| false), Recorder::new());
    let tracer = Tracer::new(own.tracer_provider(), "tenant");
    let trace = around.run(|| tracer.enter_span("inside", |_| below()));
    trace.assert_tree("");
    own.trace().assert_tree("");
}

/// The functions without a tracer are this library's own.
#[test]
fn the_functions_have_a_library_of_their_own() {
    let trace = check(
        || {
            enter_span("sync", |_| {});
            drop(start_span("owned"));
            block_on(enter_span_async("async", |_| async {}));
            drop(start_span!("macro"));
        },
        "
        sync
        owned
        async
        macro
        ",
    );
    for name in ["sync", "owned", "async"] {
        assert_eq!(trace.find(name).library().0, "enter_span");
    }
    assert_eq!(trace.find("macro").library().0, "enter-span-tests");
}

/// A tracer for a part of a crate has the name of that part.
#[test]
fn a_tracer_can_be_named() {
    static PART: Tracer = enter_span::tracer!("part");
    let trace = check(|| PART.enter_span("named", |_| {}), "named");
    assert_eq!(trace.find("named").library(), ("part", None));
}

struct Service {
    tracer: Tracer,
}

#[enter_span(tracer = self.tracer)]
impl Service {
    fn serve(&self) -> u8 {
        self.helper()
    }

    fn helper(&self) -> u8 {
        3
    }
}

/// A whole `impl` can have a tracer.
#[test]
fn an_impl_can_have_a_tracer() {
    let recorder = Recorder::new();
    let tracer = Tracer::new(recorder.tracer_provider(), "service");
    assert!(format!("{tracer:?}").contains("service"));
    assert_eq!(Service { tracer }.serve(), 3);
    let trace = recorder.trace();
    trace.assert_tree("Service::serve\n  Service::helper");
    assert_eq!(trace.find("Service::helper").library().0, "service");
}
