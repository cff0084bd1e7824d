//! The names of the spans that some work makes, sorted.

use std::sync::{Arc, Mutex, PoisonError};

use enter_span::testing::Recorder;
use fastrace::collector::{Config, TestReporter};
use fastrace::prelude::{Span, SpanContext};
use tracing::span::{Attributes, Id};
use tracing::subscriber::with_default;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

type Names = Vec<String>;

struct Collector {
    module: &'static str,
    names: Arc<Mutex<Names>>,
}

impl<S: tracing::Subscriber> Layer<S> for Collector {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        // `call` is made by a macro in the body, which stays as it is.
        if metadata.target().starts_with(self.module) && metadata.name() != "call" {
            let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            names.push(metadata.name().to_owned());
        }
    }
}

/// Those that `tracing` sees of one crate.
pub fn of_tracing(module: &'static str, work: impl FnOnce()) -> Names {
    let names = Arc::new(Mutex::new(Names::new()));
    let collector = Collector {
        module,
        names: Arc::clone(&names),
    };
    with_default(Registry::default().with(collector), work);
    let names = names.lock().unwrap_or_else(PoisonError::into_inner).clone();
    sorted(names)
}

pub fn of_fastrace(work: impl FnOnce()) -> Names {
    let (reporter, spans) = TestReporter::new();
    fastrace::set_reporter(reporter, Config::default());
    {
        let root = Span::root("root", SpanContext::random());
        let _guard = root.set_local_parent();
        work();
    }
    fastrace::flush();
    let spans = spans.lock();
    let names = spans.iter().map(|span| span.name.to_string());
    sorted(names.filter(|name| name != "root").collect())
}

pub fn of_enter_span(work: impl FnOnce()) -> Names {
    let trace = Recorder::new().run(work);
    sorted(
        trace
            .spans()
            .iter()
            .map(|span| span.name().to_owned())
            .collect(),
    )
}

fn sorted(mut names: Names) -> Names {
    names.sort();
    names
}
