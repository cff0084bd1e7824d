//! Short names for the eye.

use enter_span::invocation::{MachineName, display_name, display_name_as};
use proptest::prelude::*;
use rstest::rstest;

use crate::support::allocations;

/// The parts of a machine name, and its short name.
#[rstest]
#[case(
    "workflow//./src/workflows/order//handleOrder",
    "handleOrder",
    "./src/workflows/order"
)]
#[case(
    "workflow//mypackage@1.0.0//handleOrder",
    "handleOrder",
    "mypackage@1.0.0"
)]
#[case(
    "workflow//@myorg/tasks@2.0.0//processOrder",
    "processOrder",
    "@myorg/tasks@2.0.0"
)]
#[case("workflow//./src/app//nested//function//name", "name", "./src/app")]
#[case("workflow//./path//", "", "./path")]
#[case("step//./path//", "", "./path")]
#[case("workflow//./src/jobs/order//default", "order", "./src/jobs/order")]
#[case("workflow//mypackage@1.0.0//default", "mypackage", "mypackage@1.0.0")]
#[case("workflow//@myorg/tasks@2.0.0//default", "tasks", "@myorg/tasks@2.0.0")]
#[case(
    "step//./src/workflows/order//processOrder",
    "processOrder",
    "./src/workflows/order"
)]
#[case(
    "step//mypackage@1.0.0//processOrder",
    "processOrder",
    "mypackage@1.0.0"
)]
#[case(
    "step//./app/api/generate/route//handleStep",
    "handleStep",
    "./app/api/generate/route"
)]
#[case("step//builtin//__builtin_fetch", "__builtin_fetch", "builtin")]
#[case(
    "step//./src/jobs/order//processOrder/innerStep",
    "innerStep",
    "./src/jobs/order"
)]
#[case(
    "step//./src/jobs/order//MyClass.staticMethod",
    "MyClass.staticMethod",
    "./src/jobs/order"
)]
#[case(
    "step//./src/jobs/order//MyClass#instanceMethod",
    "MyClass#instanceMethod",
    "./src/jobs/order"
)]
#[case("class//./src/models/point//Point", "Point", "./src/models/point")]
#[case("class//point@0.0.1//Point", "Point", "point@0.0.1")]
#[case(
    "class//@myorg/models@1.2.3//UserData",
    "UserData",
    "@myorg/models@1.2.3"
)]
#[case(
    "class//./workflows/user-signup//UserData",
    "UserData",
    "./workflows/user-signup"
)]
fn a_machine_name_has_parts(#[case] name: &str, #[case] short: &str, #[case] module: &str) {
    let (tag, _) = name.split_once("//").expect("a tag");
    let parsed = MachineName::parse(tag, name).expect("a machine name");
    assert_eq!((parsed.short_name(), parsed.module()), (short, module));
}

/// The function of a machine name is all that follows its module.
#[rstest]
#[case(
    "workflow//./src/app//nested//function//name",
    "nested//function//name"
)]
#[case(
    "step//./src/jobs/order//processOrder/innerStep",
    "processOrder/innerStep"
)]
#[case("workflow//./path//", "")]
fn a_function_may_have_parts(#[case] name: &str, #[case] function: &str) {
    let (tag, _) = name.split_once("//").expect("a tag");
    let parsed = MachineName::parse(tag, name).expect("a machine name");
    assert_eq!(parsed.function(), function);
}

/// What is no machine name, or that of another kind, has no parts.
#[rstest]
#[case("workflow", "invalid")]
#[case("workflow", "workflow//")]
#[case("workflow", "step//path//fn")]
#[case("step", "step//")]
#[case("step", "workflow//path//fn")]
#[case("class", "class//")]
#[case("class", "step//path//fn")]
#[case("class", "workflow//path//fn")]
fn another_form_has_no_parts(#[case] tag: &str, #[case] name: &str) {
    assert_eq!(MachineName::parse(tag, name), None);
}

/// The short name with its module, or the text as it was.
#[rstest]
#[case(
    "step",
    "step//./workflows/1_simple//add",
    "add (./workflows/1_simple)"
)]
#[case(
    "workflow",
    "workflow//./workflows/1_simple//simple",
    "simple (./workflows/1_simple)"
)]
#[case(
    "step",
    "step//@myorg/tasks@2.0.0//processOrder",
    "processOrder (@myorg/tasks@2.0.0)"
)]
#[case(
    "step",
    "step//./workflows/order//processOrder/innerStep",
    "innerStep (./workflows/order)"
)]
#[case("step", "something-weird", "something-weird")]
#[case("workflow", "step//wrong-tag//fn", "step//wrong-tag//fn")]
fn a_name_is_shown_with_its_module(#[case] tag: &str, #[case] name: &str, #[case] shown: &str) {
    let parsed = MachineName::parse(tag, name).map(|parsed| parsed.to_string());
    assert_eq!(parsed.unwrap_or_else(|| name.to_owned()), shown);
}

/// The short name of a machine name, also in its form for queues, where `$` is `-` too.
#[rstest]
#[case("workflow", "workflow//./src/jobs/order//processOrder", "processOrder")]
#[case("step", "step//./src/jobs/order//chargeCard", "chargeCard")]
#[case("workflow", "workflow//@myorg/shared@1.2.3//sync", "sync")]
#[case("workflow", "workflow----src-jobs-order--processOrder", "processOrder")]
#[case("step", "step----src-jobs-order--chargeCard", "chargeCard")]
#[case("step", "step----src-jobs-order--processOrder-innerStep", "innerStep")]
#[case("workflow", "workflow----src-jobs-order--default", "order")]
#[case("step", "step----src-jobs-order--default", "order")]
#[case("workflow", "workflow----src-jobs-order--__default", "order")]
#[case("step", "step----src-jobs-order--process-Order", "Order")]
#[case("workflow", "my-plain-name", "my-plain-name")]
#[case("step", "workflow--wrong-tag--fn", "workflow--wrong-tag--fn")]
fn a_machine_name_has_a_short_form(#[case] tag: &str, #[case] name: &str, #[case] short: &str) {
    assert_eq!(display_name_as(tag, name), short);
    if name.starts_with(tag) || short == "my-plain-name" {
        assert_eq!(display_name(name), short);
    }
}

/// A name that would be shown as nothing stays as it is.
#[rstest]
#[case("workflow//./path//")]
#[case("step//./path//a/")]
#[case("workflow--path--")]
#[case("workflow//")]
#[case("workflow")]
#[case("")]
fn nothing_is_no_name(#[case] name: &str) {
    assert_eq!(display_name(name), name);
}

/// The same for paths in Rust: the last name, without generics, closures and `r#`.
#[rstest]
#[case("shop::orders::Order::charge", "charge")]
#[case("crate::mod_a::Type::method", "method")]
#[case("shop::orders::charge::{{closure}}", "charge")]
#[case("shop::orders::charge::{{closure}}::{{closure}}", "charge")]
#[case("shop::orders::charge::{closure#0}", "charge")]
#[case("shop::orders::charge<alloc::string::String>", "charge")]
#[case("shop::orders::charge::<u8>", "charge")]
#[case("shop::orders::charge::<fn(u8) -> Vec<u8>>", "charge")]
#[case("alloc::vec::Vec<alloc::string::String>::push", "push")]
#[case("<shop::Order as core::fmt::Display>::fmt", "fmt")]
#[case("<impl Fn(u8) -> u8>::call", "call")]
#[case("Vec<T>", "Vec")]
#[case("r#type", "type")]
#[case("shop::r#type::r#match", "match")]
#[case("größe::straße", "straße")]
#[case("charge", "charge")]
#[case("workflow//shop//orders::Order<T>::charge", "charge")]
fn a_path_has_a_last_name(#[case] path: &str, #[case] name: &str) {
    assert_eq!(display_name(path), name);
}

/// What only looks like a path in part stays as it is.
#[rstest]
#[case("GET /orders/{id}")]
#[case("no such file: std::io")]
#[case("a::")]
#[case("::")]
#[case("a::1")]
#[case("a::<")]
#[case("a >")]
#[case("<>")]
#[case("{{closure}}")]
#[case("->")]
#[case("r#")]
#[case("a ::b c")]
fn another_text_stays_as_it_is(#[case] text: &str) {
    assert_eq!(display_name(text), text);
}

/// It is cut out of what was given, never panics, and never allocates.
#[test]
fn a_short_name_is_cut_out() {
    let part =
        "[a-z:/<>{}#@$&.,_ é-]{0,12}|::|//|--|default|step|workflow|r#|::\\{\\{closure\\}\\}";
    proptest!(crate::span::random::unrecorded(1000), |(parts in prop::collection::vec(part, 0..8))| {
        let name = parts.concat();
        let mut short = None;
        let allocated = allocations::count(|| short = Some(display_name(&name)));
        let short = short.expect("a name");
        prop_assert!(name.contains(&*short));
        prop_assert_eq!(allocated, 0);
        prop_assert_eq!(short.is_empty(), name.is_empty());
        let has_tag = ["step", "workflow", "class"].iter().any(|tag| short.starts_with(tag));
        prop_assert!(has_tag || display_name(&short) == short, "{:?} of {:?}", short, name);
    });
}
