//! Spans of ours as spans of `tracing`.

mod carried;
mod closed;
mod filters;
mod robust;
mod shown;

use std::sync::{Arc, Mutex};

use enter_span::testing::{Recorder, Trace};
use tracing::dispatcher::with_default;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::lines::Lines;

/// Lines of the plain format, without time and target.
fn lines<S>(lines: &Lines) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer()
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .with_writer(lines.clone())
}

/// What is recorded while a subscriber is this thread's, without our layer.
fn record_by<R>(subscriber: impl Into<Dispatch>, work: impl FnOnce() -> R) -> Trace {
    let subscriber = subscriber.into();
    with_default(&subscriber, || Recorder::new().run(work))
}

/// Writes down each call of a layer, with the name of the span.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    /// What was called since this was asked before.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("the calls"))
    }

    fn write(&self, call: String) {
        self.0.lock().expect("the calls").push(call);
    }

    fn write_of<S>(&self, call: &str, id: &Id, context: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let name = context.metadata(id).expect("a span").name();
        self.write(format!("{call} {name}"));
    }
}

/// Fields as ` key=value`.
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0 += &format!(" {field}={value:?}");
    }
}

impl<S> Layer<S> for Calls
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut fields = Fields(String::new());
        attributes.record(&mut fields);
        self.write(format!("new {}{}", attributes.metadata().name(), fields.0));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut fields = Fields(String::new());
        values.record(&mut fields);
        self.write_of("record", id, &context);
        let mut calls = self.0.lock().expect("the calls");
        *calls.last_mut().expect("a call") += &fields.0;
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.write_of("enter", id, &context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.write_of("exit", id, &context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.write_of("close", &id, &context);
    }
}
