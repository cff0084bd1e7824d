//! Projections that spell types: `ret(key = |value: &Type| -> Type { .. })`.

use enter_span::{enter_span, in_span};

use crate::support::check::{check, check_async};

struct Order {
    id: u32,
    items: Vec<u8>,
}

fn order() -> Order {
    Order {
        id: 7,
        items: vec![1, 2],
    }
}

#[enter_span(ret(len = |text: &String| text.len()))]
fn owned() -> String {
    "four".to_owned()
}

#[enter_span(ret(len = |text: &str| text.len()))]
fn borrowed() -> &'static str {
    "four"
}

#[enter_span(ret(len = |text: &str| text.len()))]
fn through_the_owned() -> String {
    "four".to_owned()
}

/// The type is that of the value, by reference, or one that it dereferences to.
#[test]
fn the_type_is_what_the_value_coerces_to() {
    check(
        || drop((owned(), borrowed(), through_the_owned())),
        "
        owned len=4
        borrowed len=4
        through_the_owned len=4
        ",
    );
}

#[enter_span(ret(id = |order: &Order| order.id, items = |Order { items, .. }: &Order| items.len()))]
async fn of_a_result(fails: bool) -> Result<Order, String> {
    if fails {
        Err("none".to_owned())
    } else {
        Ok(order())
    }
}

/// Of a `Result` it is the type of the success.
#[test]
fn the_type_is_that_of_the_success() {
    check_async(
        async { (of_a_result(false).await, of_a_result(true).await) },
        "
        of_a_result id=7 items=2
        of_a_result !String
        ",
    );
}

#[enter_span(ret(parsed = |text: &String| -> u32 { text.parse().unwrap_or_default() }))]
fn converted() -> String {
    "12".to_owned()
}

/// What the closure returns decides what its body makes.
#[test]
fn the_type_of_the_result_is_used() {
    check(|| drop(converted()), "converted parsed=12");
}

#[test]
fn a_block_has_typed_projections() {
    check(
        || {
            drop(in_span!(
                "block",
                ret(id = |order: &Order| order.id),
                || order()
            ))
        },
        "block id=7",
    );
}
