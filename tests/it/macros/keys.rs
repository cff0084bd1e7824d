//! Keys that know the types of their values.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use enter_span::attribute::{AttributeKey, OwnedKey};
use enter_span::testing::Recorder;
use enter_span::{Key, ToAttribute, Value, enter_span, in_span, start_span};
use enter_span_semconv::{
    self as semconv, HttpRequestMethod, OneOf, http_request_header, k8s_pod_label,
};

use crate::support::check::{check, check_async};

const ORDER_ID: Key<u64> = Key::new("order.id");
const COUPON: Key<str> = Key::new("order.coupon");
const SIZE: Key<i64> = Key::new("size");
const RATIO: Key<f64> = Key::new("ratio");
const TAGS: Key<[String]> = Key::new("tags");
const TENANT: Key<Tenant> = Key::new("tenant");
const PLAIN: &str = "plain";

mod more {
    pub(super) const RETRIES: enter_span::Key<u8> = enter_span::Key::new("retries");
}

#[derive(Clone)]
struct Tenant(u8);

impl ToAttribute for Tenant {
    fn to_attribute(&self) -> Option<Value> {
        self.0.to_attribute()
    }
}

#[test]
fn a_key_names_its_attribute() {
    check(
        || {
            enter_span("one", |span| {
                span.set_attribute(ORDER_ID, 7);
                span.set_attribute(COUPON, "spring");
                span.set_attribute(PLAIN, true);
                span.set_attribute_with(more::RETRIES, || 2);
                span.set_attribute(OwnedKey::<u8>::new(format!("level.{}", 3)), 3);
            });
        },
        "one order.id=7 order.coupon=spring plain=true retries=2 level.3=3",
    );
}

/// What a span has whose only attribute is set so.
fn said<V: ToAttribute>(key: impl AttributeKey<V>, value: V) -> Option<Value> {
    let trace =
        Recorder::new().run(|| enter_span("one", |span| _ = span.set_attribute(key, value)));
    let one = trace.find("one");
    let keys = one.keys();
    one.attribute(keys.iter().find(|key| !key.starts_with("code."))?)
}

/// Text is text, however it is held; an integer is one, whatever its width.
#[test]
fn a_key_takes_all_forms_of_its_type() {
    let (text, some): (String, Option<String>) = ("t".into(), Some("t".into()));
    let texts = [
        said(COUPON, "t"),
        said(COUPON, &text),
        said(COUPON, Some(&text)),
        said(COUPON, &some),
        said(COUPON, some),
        said(COUPON, Cow::Borrowed(&*text)),
        said(COUPON, Box::<str>::from("t")),
        said(COUPON, Rc::<str>::from("t")),
        said(COUPON, Arc::<str>::from("t")),
        said(COUPON, 't'),
        said(COUPON, ["t"].first()),
    ];
    assert!(
        texts.iter().all(|text| *text == Some("t".into())),
        "{texts:?}"
    );
    assert_eq!(said(COUPON, None::<String>), None);

    let sizes = [
        said(SIZE, 1),
        said(SIZE, 1_u8),
        said(SIZE, text.len()),
        said(SIZE, Some(1_i128)),
        said(SIZE, Some(&1_i64)),
    ];
    assert!(
        sizes.iter().all(|size| *size == Some(1.into())),
        "{sizes:?}"
    );
    assert_eq!(said(RATIO, 0.5), said(RATIO, 0.5_f32));

    let tags = said(TAGS, ["t"]);
    assert!(tags.is_some());
    assert_eq!(said(TAGS, vec![text.clone()]), tags);
    assert_eq!(said(TAGS, &[text][..]), tags);
    assert_eq!(said(TAGS, &["t"][..]), tags);

    let tenant = Tenant(1);
    let tenants = [
        said(TENANT, &tenant),
        said(TENANT, Some(&tenant)),
        said(TENANT, Arc::new(tenant.clone())),
        said(TENANT, tenant),
    ];
    assert!(
        tenants.iter().all(|tenant| *tenant == Some(1.into())),
        "{tenants:?}"
    );
}

#[enter_span(attributes(
    ORDER_ID = id,
    COUPON = "spring",
    more::RETRIES = 2,
    TENANT = tenant,
    PLAIN = ?id,
    semconv::HTTP_ROUTE = %id,
))]
fn place(id: u64, tenant: Option<&Tenant>) {}

#[test]
fn keys_stand_in_the_attribute() {
    check(
        || place(7, Some(&Tenant(3))),
        "place order.id=7 order.coupon=spring retries=2 tenant=3 plain=7 http.route=7",
    );
    check(
        || place(7, None),
        "place order.id=7 order.coupon=spring retries=2 plain=7 http.route=7",
    );
}

#[enter_span(start(ORDER_ID = id, COUPON = "spring"), ret(SIZE = |v| v.len(), TAGS = |v| v))]
fn list(id: u64) -> Result<Vec<String>, String> {
    Ok(vec!["a".to_owned(), id.to_string()])
}

#[enter_span(attributes(ORDER_ID = id), ret(SIZE = |v| v))]
async fn later(id: u64) -> u64 {
    id + 1
}

#[test]
fn keys_stand_in_start_and_ret() {
    check(
        || list(7),
        r#"list order.id=7 order.coupon=spring size=2 tags=["a","7"]"#,
    );
    check_async(later(7), "later order.id=7 size=8");
}

#[test]
fn keys_stand_in_blocks_and_owned_spans() {
    check(
        || {
            in_span!("block", attributes(ORDER_ID = 7), ret(SIZE = |v| v), |_| 1);
            start_span!("owned", attributes(ORDER_ID = 8)).end();
        },
        "block order.id=7 size=1\nowned order.id=8",
    );
}

/// The semantic conventions: `http.request.method` is `GET`, or a method they do not know.
#[test]
fn a_list_has_what_is_known_and_lets_others_through() {
    assert_eq!(OneOf::from("GET"), HttpRequestMethod::GET);
    assert_eq!(HttpRequestMethod::GET.as_str(), "GET");
    let method = "BREW";
    check(
        || {
            in_span!(
                "one",
                attributes(semconv::HTTP_REQUEST_METHOD = OneOf::from(method)),
                |span| {
                    span.set_attribute(semconv::NETWORK_TYPE, semconv::NetworkType::IPV6);
                    span.set_attribute(semconv::HTTP_RESPONSE_STATUS_CODE, 200_u16);
                }
            );
        },
        "one http.request.method=BREW network.type=ipv6 http.response.status_code=200",
    );
}

/// A template has a key for each name below it.
#[test]
fn a_template_is_a_function() {
    check(
        || {
            enter_span("one", |span| {
                span.set_attribute(http_request_header("accept"), ["a", "b"]);
                span.set_attribute(k8s_pod_label("app"), "shop");
            });
        },
        r#"one http.request.header.accept=["a","b"] k8s.pod.label.app=shop"#,
    );
}

/// A value that panics costs its attribute, with a typed key as with text.
#[test]
fn a_value_that_panics_is_lost_alone() {
    fn broken() -> u64 {
        panic!("of an attribute")
    }
    let trace = Recorder::new().run(|| {
        in_span!("one", attributes(ORDER_ID = broken(), PLAIN = 1), |_| ());
    });
    trace.assert_tree("one plain=1");
}
