//! Numbers as attributes: what arrives is what the number's own text says.

use enter_span::{Attributes, Key, Value, enter_span, in_span};
use enter_span_pipeline::Pipeline;
use opentelemetry::{Array, KeyValue};
use opentelemetry_sdk::trace::SpanData;
use rstest::rstest;

use crate::pipeline::{AGES, build, finished, in_memory, tracer};

/// The one span that `work` makes on a pipeline.
fn exported(work: impl FnOnce(&enter_span::Tracer)) -> SpanData {
    let exporter = in_memory();
    let builder = Pipeline::builder().with_exporter(exporter.clone());
    let pipeline = build(builder.without_code_attributes());
    work(&tracer(&pipeline));
    pipeline.flush(AGES).expect("flushed in time");
    let mut spans = finished(&exporter);
    assert_eq!(spans.len(), 1);
    spans.remove(0)
}

/// The float whose shortest text is the same: the text is what a reader of either would write.
#[rstest]
#[case(0.1, 0.1)]
#[case(1.1, 1.1)]
#[case(-0.3, -0.3)]
#[case(0.5, 0.5)]
#[case(-0.0, -0.0)]
#[case(16_777_216.0, 16_777_216.0)]
#[case(1e10, 1e10)]
#[case(f32::MAX, 3.402_823_5e38)]
#[case(f32::MIN_POSITIVE, 1.175_494_4e-38)]
#[case(1e-45, 1e-45)]
#[case(f32::INFINITY, f64::INFINITY)]
#[case(f32::NEG_INFINITY, f64::NEG_INFINITY)]
fn a_short_float_keeps_its_text(#[case] short: f32, #[case] long: f64) {
    assert_eq!(Value::from(short), Value::from(long));
    let span = exported(|tracer| {
        in_span!("work", tracer = tracer, attributes(short), |_| ());
    });
    assert_eq!(span.attributes, [KeyValue::new("short", long)]);
    let opentelemetry::Value::F64(value) = span.attributes[0].value else {
        panic!("a float");
    };
    assert_eq!(value.is_sign_negative(), short.is_sign_negative());
}

#[test]
fn what_is_no_number_stays_none() {
    let span = exported(|tracer| {
        in_span!(
            "work",
            tracer = tracer,
            attributes(short = f32::NAN),
            |_| ()
        );
    });
    let opentelemetry::Value::F64(value) = span.attributes[0].value else {
        panic!("a float");
    };
    assert!(value.is_nan());
}

#[derive(Attributes)]
struct Load {
    ratio: f32,
    last: Option<f32>,
    all: Vec<f32>,
}

/// By whatever way it comes.
#[test]
fn a_short_float_keeps_its_text_everywhere() {
    const RATIO: Key<f64> = Key::new("typed");
    const RATIOS: Key<[f32]> = Key::new("typed.list");
    let list = [0.1_f32, 0.7];
    let load = Load {
        ratio: 0.1,
        last: Some(0.1),
        all: list.to_vec(),
    };
    let span = exported(|tracer| {
        in_span!("work", tracer = tracer, start(start = 0.1_f32), |span| {
            span.set_attribute(RATIO, 0.1_f32)
                .set_attribute(RATIO, Some(&0.1_f32))
                .set_attribute(RATIOS, &list[..])
                .set_attribute("boxed", Box::new(0.1_f32))
                .set_attributes(&load)
                .set_attributes([("pair", 0.1_f32)])
                .add_event("event", (("one", 0.1_f32), ("list", list)));
        });
    });
    let floats = || opentelemetry::Value::Array(Array::F64(vec![0.1, 0.7]));
    assert_eq!(
        span.attributes,
        [
            KeyValue::new("start", 0.1),
            KeyValue::new("typed", 0.1),
            KeyValue::new("typed.list", floats()),
            KeyValue::new("boxed", 0.1),
            KeyValue::new("ratio", 0.1),
            KeyValue::new("last", 0.1),
            KeyValue::new("all", floats()),
            KeyValue::new("pair", 0.1),
        ]
    );
    assert_eq!(
        span.events[0].attributes,
        [KeyValue::new("one", 0.1), KeyValue::new("list", floats())]
    );
}

/// What the attribute writes, and a value that the function returns.
#[test]
fn a_short_float_keeps_its_text_in_the_attribute() {
    const RATIO: Key<f64> = Key::new("typed");
    #[enter_span(tracer = tracer, attributes(ratio, list, RATIO = ratio), ret)]
    fn work(tracer: &enter_span::Tracer, ratio: f32, list: &[f32]) -> f32 {
        ratio
    }
    let span = exported(|tracer| _ = work(tracer, 0.1, &[0.1]));
    let list = opentelemetry::Value::Array(Array::F64(vec![0.1]));
    assert!(span.attributes.contains(&KeyValue::new("ratio", 0.1)));
    assert!(span.attributes.contains(&KeyValue::new("list", list)));
    assert!(span.attributes.contains(&KeyValue::new("typed", 0.1)));
    let is_returned = |a: &KeyValue| !["ratio", "list", "typed"].contains(&a.key.as_str());
    let returned = span.attributes.iter().find(|a| is_returned(a));
    assert_eq!(returned.map(|a| &a.value), Some(&0.1.into()));
}
