//! Structs whose fields are attributes.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use enter_span::testing::Recorder;
use enter_span::{Attributes, Key, Span, ToAttribute, Value, enter_span, in_span};

use crate::support::allocations;

use crate::support::check::{check, check_async};

const TENANT: Key<u64> = Key::new("tenant.id");

#[derive(Attributes)]
#[attributes(prefix = "order")]
struct Order<'a> {
    id: u64,
    coupon: Option<&'a str>,
    #[attributes(key = items.count)]
    items: usize,
    #[attributes(key = "shop-name")]
    shop: String,
    #[attributes(key = TENANT)]
    tenant: u64,
    #[attributes(?)]
    state: State,
    #[attributes(key = paid, %)]
    total: Euro,
    r#type: bool,
    #[attributes(skip)]
    _card: Card,
}

#[derive(Debug)]
enum State {
    Open,
}

struct Euro(u32);

impl fmt::Display for Euro {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}€", self.0)
    }
}

struct Card;

fn order() -> Order<'static> {
    Order {
        id: 7,
        coupon: None,
        items: 2,
        shop: "s".to_owned(),
        tenant: 3,
        state: State::Open,
        total: Euro(5),
        r#type: true,
        _card: Card,
    }
}

const ORDER: &str = "order.id=7 order.items.count=2 order.shop-name=s tenant.id=3 order.state=Open order.paid=5€ order.type=true";

#[enter_span(attributes(before = 1, ..order, after = 2))]
fn place(order: &Order<'_>) {}

#[enter_span(start(..order()), ret(ok = |v| v))]
async fn place_later() -> bool {
    true
}

#[test]
fn fields_become_attributes() {
    check(
        || {
            let order = order();
            enter_span("one", |span| _ = span.set_attributes(&order));
        },
        &format!("one {ORDER}"),
    );
}

#[test]
fn a_struct_is_spread_into_the_attribute() {
    check(
        || place(&order()),
        &format!("place before=1 {ORDER} after=2"),
    );
    check_async(place_later(), &format!("place_later {ORDER} ok=true"));
    check(
        || in_span!("block", attributes(..[("a", 1), ("b", 2)]), |_| ()),
        "block a=1 b=2",
    );
}

#[derive(Attributes)]
struct Delivery {
    #[attributes(nested)]
    from: Address,
    #[attributes(prefix = "to")]
    to: Option<Address>,
    #[attributes(prefix = by.hand)]
    by: Box<Person>,
}

#[derive(Attributes)]
struct Address {
    city: &'static str,
    #[attributes(key = TENANT)]
    tenant: u64,
}

#[derive(Attributes)]
#[attributes(prefix = person)]
struct Person {
    #[attributes(prefix = home)]
    home: Address,
}

/// A prefix stands before text, a constant is whole, and `None` writes nothing.
#[test]
fn structs_are_nested() {
    let address = |city| Address { city, tenant: 3 };
    let delivery = |to| Delivery {
        from: address("a"),
        to,
        by: Box::new(Person { home: address("c") }),
    };
    check(
        || in_span!("both", attributes(..delivery(Some(address("b")))), |_| ()),
        "both city=a tenant.id=3 to.city=b by.hand.person.home.city=c",
    );
    check(
        || in_span!("one", attributes(..delivery(None)), |_| ()),
        "one city=a tenant.id=3 by.hand.person.home.city=c",
    );
}

#[derive(Attributes)]
struct Page<'a, T, U: ?Sized, const N: usize>
where
    T: Clone,
{
    item: Option<T>,
    rest: &'a U,
    #[attributes(?)]
    shown: Vec<T>,
    sizes: [u8; N],
}

#[test]
fn a_struct_can_be_generic() {
    let page = Page {
        item: Some(4_u8),
        rest: "r",
        shown: vec![5],
        sizes: [6, 7],
    };
    check(
        || in_span!("one", attributes(..page), |_| ()),
        "one item=4 rest=r shown=[5] sizes=[6,7]",
    );
}

static READ: AtomicU32 = AtomicU32::new(0);

struct Counted;

impl ToAttribute for Counted {
    fn to_attribute(&self) -> Option<Value> {
        READ.fetch_add(1, Ordering::Relaxed);
        1.to_attribute()
    }
}

#[derive(Attributes)]
struct Counting {
    counted: Counted,
}

/// Nothing is read where nothing is traced.
#[test]
fn a_struct_is_read_only_while_the_span_is_traced() {
    fn facts() -> Counting {
        READ.fetch_add(1, Ordering::Relaxed);
        Counting { counted: Counted }
    }
    #[enter_span(attributes(..facts()))]
    fn work() {
        Span::current().set_attributes(&Counting { counted: Counted });
        Span::current().add_event("e", Counting { counted: Counted });
    }
    // Below a span that is not sampled.
    Recorder::new().with_sampler(|_| false).run(work);
    assert_eq!(READ.load(Ordering::Relaxed), 0);
    check(work, "work counted=1");
    assert_eq!(READ.load(Ordering::Relaxed), 4);
}

struct Broken;

impl fmt::Debug for Broken {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("of an attribute")
    }
}

#[derive(Attributes)]
struct Half {
    #[attributes(?)]
    broken: Broken,
    whole: u8,
}

#[test]
fn a_field_that_panics_is_lost_alone() {
    check(
        || {
            in_span!(
                "one",
                attributes(
                    ..Half {
                        broken: Broken,
                        whole: 1
                    }
                ),
                |_| ()
            )
        },
        "one whole=1",
    );
}

/// Text, typed keys and structs, and what is not there.
#[test]
fn events_have_typed_attributes() {
    let order = order();
    let trace = Recorder::new().run(|| {
        enter_span("one", |span| {
            span.add_event("none", ());
            span.add_event("struct", &order);
            span.add_event(
                "pairs",
                ((TENANT, 3), ("cause", "timeout"), ("x", None::<u8>)),
            );
            span.add_event("list", vec![(String::from("a"), 0.5)]);
        });
    });
    let events = trace.find("one").events();
    let names: Vec<&str> = events.iter().map(|event| event.name()).collect();
    assert_eq!(names, ["none", "struct", "pairs", "list"]);
    assert_eq!(events[1].attribute("order.id"), Some(Value::from(7)));
    assert_eq!(events[1].attribute("order.coupon"), None);
    assert_eq!(events[2].attribute("tenant.id"), Some(Value::from(3)));
    assert_eq!(events[2].attribute("cause"), Some("timeout".into()));
    assert_eq!(events[2].attribute("x"), None);
    assert_eq!(events[3].attribute("a"), Some(Value::from(0.5)));
}

/// A struct of names that generated code could stumble over.
#[test]
fn fields_may_have_any_name() {
    #[derive(Attributes)]
    struct Names {
        sink: u8,
        key: u8,
        value: u8,
        span: u8,
        __enter_span_sink: u8,
    }
    let names = Names {
        sink: 1,
        key: 2,
        value: 3,
        span: 4,
        __enter_span_sink: 5,
    };
    check(
        || in_span!("one", attributes(..names), |_| ()),
        "one sink=1 key=2 value=3 span=4 __enter_span_sink=5",
    );
}

/// A struct of another crate, to which `enter-span` has another name.
#[test]
fn a_struct_may_name_the_crate() {
    let facts = enter_span_facade::Facts { id: 7 };
    check(
        || in_span!("one", attributes(..facts), |_| ()),
        "one renamed.id=7",
    );
}

#[derive(Attributes)]
struct Plain {
    #[attributes(key = a.number)]
    number: u64,
    #[attributes(key = TENANT)]
    tenant: u64,
    #[attributes(nested)]
    more: Ratio,
}

#[derive(Attributes)]
struct Ratio {
    ratio: f64,
}

/// Keys that are constant and values that are no text allocate nothing beside what text as a key does.
#[test]
fn a_struct_costs_what_its_attributes_cost() {
    fn count(work: fn()) -> usize {
        Recorder::new().enter(|| {
            work();
            allocations::count(work)
        })
    }
    let plain = count(|| in_span!("one", attributes(a = 1, b = 2, c = 0.5), |_| ()));
    let spread = count(|| {
        let more = Ratio { ratio: 0.5 };
        let facts = Plain {
            number: 1,
            tenant: 2,
            more,
        };
        in_span!("one", attributes(..facts), |_| ());
    });
    assert_eq!(spread, plain);
}
