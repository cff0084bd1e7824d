//! What a returned value says about its span, and how much of it leaves.

use std::error::Error;
use std::fmt;
use std::ops::ControlFlow;

use enter_span::testing::{RecordedSpan, Recorder, Trace};
use enter_span::{ErrorDetail, Failure, Outcome, Span, Status, Value, enter_span, in_span};

use crate::support::check::{check, check_async};

#[derive(Debug)]
struct Declined {
    source: std::num::ParseIntError,
}

impl fmt::Display for Declined {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("declined")
    }
}

impl Error for Declined {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

#[enter_span]
fn charge(amount: &str) -> Result<u64, Declined> {
    amount.parse().map_err(|source| Declined { source })
}

fn text(span: &RecordedSpan, key: &str) -> String {
    match span.attribute(key) {
        Some(value) => format!("{value:?}"),
        None => "absent".to_owned(),
    }
}

/// An `Err` is an error status, a type, and one event; the source chain stays at home.
#[test]
fn an_error_is_told_by_type_and_text() {
    let trace = check(|| charge("x"), "charge !Declined");
    let span = trace.find("charge");
    assert_eq!(span.status(), &Status::error("declined"));
    assert!(text(span, "error.type").contains("outcome::Declined"));
    assert_eq!(span.events().len(), 1);
    let event = &span.events()[0];
    assert_eq!(event.name(), "exception");
    assert_eq!(
        event.attribute("exception.message"),
        Some(Value::from("declined"))
    );
}

/// Success says nothing: never an automatic `Ok`.
#[test]
fn a_success_leaves_the_status_unset() {
    let trace = check(|| charge("1"), "charge");
    assert_eq!(trace.find("charge").status(), &Status::Unset);
    assert!(trace.find("charge").events().is_empty());
}

fn at(detail: ErrorDetail) -> Trace {
    Recorder::new()
        .with_error_detail(detail)
        .run(|| charge("x"))
}

/// The installation decides how much an error may say.
#[test]
fn the_installation_sets_the_detail() {
    let full = at(ErrorDetail::Full);
    assert_eq!(
        full.find("charge").status(),
        &Status::error("declined: invalid digit found in string")
    );
    let typed = at(ErrorDetail::Type);
    assert_eq!(typed.find("charge").status(), &Status::error(""));
    assert_eq!(typed.find("charge").events().len(), 1);
    assert_eq!(
        typed.find("charge").events()[0].attribute("exception.message"),
        None
    );
    let status = at(ErrorDetail::Status);
    assert!(status.find("charge").events().is_empty());
    assert!(text(status.find("charge"), "error.type").contains("Declined"));
}

#[enter_span(err = type)]
fn quiet() -> Result<(), Declined> {
    charge("x").map(drop)
}

#[enter_span(err = message)]
fn plain() -> Result<(), Declined> {
    charge("x").map(drop)
}

/// A function lowers what the installation allows, and cannot raise it.
#[test]
fn a_function_can_only_lower_the_detail() {
    let trace = Recorder::new()
        .with_error_detail(ErrorDetail::Full)
        .run(|| (quiet(), plain()));
    assert_eq!(trace.find("quiet").status(), &Status::error(""));
    assert_eq!(trace.find("plain").status(), &Status::error("declined"));
    let trace = Recorder::new()
        .with_error_detail(ErrorDetail::Status)
        .run(|| (quiet(), plain()));
    assert_eq!(trace.find("plain").status(), &Status::error(""));
    assert!(trace.find("quiet").events().is_empty());
}

/// `logs` of the semantic conventions' opt-in takes exceptions off the span.
#[test]
fn exceptions_can_be_left_to_log_records() {
    let trace = Recorder::new()
        .without_exception_events()
        .run(|| charge("x"));
    trace.assert_tree("charge !Declined");
    assert!(trace.find("charge").events().is_empty());
}

/// The forms of `err`, in one tree.
#[test]
fn err_says_what_counts_as_a_failure() {
    #[enter_span(err = ignore)]
    fn ignores() -> Result<(), Declined> {
        charge("x").map(drop)
    }
    #[enter_span(err = status)]
    fn status() -> Result<(), Declined> {
        charge("x").map(drop)
    }
    #[enter_span(err = |error| error.len() > 3)]
    fn judges(error: &'static str) -> Result<(), &'static str> {
        Err(error)
    }
    #[enter_span(err = |_| panic!("a judge that panics finds a failure"))]
    fn judges_badly() -> Result<(), &'static str> {
        Err("x")
    }
    check(
        || {
            (
                ignores(),
                status(),
                judges("404"),
                judges("fatal"),
                judges_badly(),
            )
        },
        "
        ignores
          charge !Declined
        status !Declined
          charge !Declined
        judges
        judges !&str
        judges_badly !&str
        ",
    );
}

/// Pain 5: the type behind a `dyn Error` is found where it can be.
#[test]
fn a_boxed_error_is_named_by_its_innermost_known_type() {
    #[enter_span]
    fn boxed() -> Result<(), Box<dyn Error>> {
        Err(charge("x").expect_err("no number").into())
    }
    #[enter_span]
    fn sendable() -> Result<(), Box<dyn Error + Send + Sync>> {
        Err("only text".into())
    }
    #[enter_span]
    fn anyhow() -> anyhow::Result<()> {
        charge("x")?;
        Ok(())
    }
    let trace = check(
        || (boxed().is_err(), sendable().is_err(), anyhow().is_err()),
        "
        boxed !ParseIntError
          charge !Declined
        sendable !Box
        anyhow !ParseIntError
          charge !Declined
        ",
    );
    assert_eq!(trace.find("boxed").status(), &Status::error("declined"));
    assert_eq!(trace.find("sendable").status(), &Status::error("only text"));
}

/// An error without `Display` has its type alone.
#[test]
fn an_error_without_text_has_its_type() {
    struct Bare;
    #[enter_span]
    fn bare() -> Result<(), Bare> {
        Err(Bare)
    }
    let trace = check(bare, "bare !Bare");
    assert_eq!(trace.find("bare").status(), &Status::error(""));
}

/// In generic code without bounds nothing more is read than the type.
#[test]
fn generic_code_without_bounds_reads_no_text() {
    #[enter_span]
    fn generic<E>(error: E) -> Result<(), E> {
        Err(error)
    }
    #[enter_span]
    fn value<T>(value: T) -> T {
        value
    }
    let trace = check(
        || (generic("secret"), value(Err::<(), _>("secret"))),
        "
        generic !&str
        value
        ",
    );
    assert_eq!(trace.find("generic").status(), &Status::error(""));
}

/// Control flow is no failure.
#[test]
fn absence_and_control_flow_are_no_failures() {
    #[enter_span]
    fn nothing() -> Option<u8> {
        None
    }
    #[enter_span]
    fn breaks() -> ControlFlow<u8> {
        ControlFlow::Break(1)
    }
    check(|| (nothing(), breaks()), "nothing\nbreaks");
}

struct Response(u16);

impl Outcome for Response {
    fn failure(&self) -> Option<Failure<'_>> {
        assert!(self.0 != 999, "an outcome that panics");
        (self.0 >= 500).then(|| Failure::new(self.0.to_string()).message(&"server error"))
    }
}

/// A type of the user's tells for itself, sync and async, and in a block.
#[test]
fn a_type_of_ones_own_can_fail() {
    #[enter_span]
    fn respond(status: u16) -> Response {
        Response(status)
    }
    #[enter_span]
    async fn respond_later(status: u16) -> Response {
        Response(status)
    }
    check_async(
        async {
            respond(200);
            respond(503);
            respond(999);
            respond_later(500).await;
            in_span!("block", |_| Response(502));
            in_span!("later", async |_| Response(504)).await;
        },
        "
        respond
        respond !503
        respond
        respond_later !500
        block !502
        later !504
        ",
    );
}

/// What the body says by hand holds against what its value says.
#[test]
fn the_bodys_own_word_holds() {
    #[enter_span]
    fn fine_after_all() -> Result<(), Declined> {
        Span::current().set_status(Status::Ok);
        charge("x").map(drop)
    }
    #[enter_span]
    fn described() -> Result<(), Declined> {
        let failed = charge("x").map(drop);
        let span = Span::current();
        span.set_status(Status::error("by hand"));
        span.set_attribute("error.type", "mine");
        span.record_error(failed.as_ref().expect_err("no number"));
        failed
    }
    let trace = check(
        || (fine_after_all(), described()),
        "
        fine_after_all
          charge !Declined
        described !mine
          charge !Declined
        ",
    );
    assert_eq!(trace.find("fine_after_all").status(), &Status::Ok);
    assert_eq!(trace.find("described").status(), &Status::error("by hand"));
    assert_eq!(trace.find("described").events().len(), 1);
}

/// `ret` shows the value, the `Ok` part, or projections that may borrow from it.
#[test]
fn ret_shows_the_value() {
    #[enter_span(ret)]
    fn number() -> u8 {
        7
    }
    #[enter_span(ret)]
    fn maybe() -> Option<u8> {
        None
    }
    #[enter_span(ret)]
    fn parsed(text: &str) -> Result<u8, std::num::ParseIntError> {
        text.parse()
    }
    #[enter_span(ret(len = |list| list.len(), first = |list| list[0].as_str(), "a b" = |_| true))]
    fn list() -> Result<Vec<String>, String> {
        Ok(vec!["one".to_owned()])
    }
    #[enter_span(ret(broken = |list| list[9], len = |list| list.len()))]
    async fn panics_in_a_projection() -> Vec<u8> {
        vec![1]
    }
    check_async(
        async {
            let _ = (number(), maybe(), parsed("8"), parsed("x"), list());
            panics_in_a_projection().await;
        },
        "
        number return=7
        maybe
        parsed return=8
        parsed !ParseIntError
        list len=1 first=one \"a b\"=true
        panics_in_a_projection len=1
        "
        .replace("\"a b\"", "a b")
        .as_str(),
    );
}

/// The message of a panic follows the same policy as that of an error.
#[test]
fn a_panics_text_follows_the_policy() {
    fn panics(recorder: Recorder) -> (Status, usize) {
        let trace = recorder.run(|| {
            let _ = std::panic::catch_unwind(|| {
                enter_span("panics", |_| panic!("the card is {}", 4711));
            });
        });
        trace.assert_tree("panics !panic");
        let span = trace.find("panics");
        (span.status().clone(), span.events().len())
    }
    let (status, events) = panics(Recorder::new());
    assert_eq!((status, events), (Status::error("the card is 4711"), 1));
    let (status, events) = panics(Recorder::new().with_error_detail(ErrorDetail::Type));
    assert_eq!((status, events), (Status::error(""), 1));
}

/// TW30a: a `Display` that panics costs the text, and neither the span nor the caller.
#[test]
fn an_error_whose_text_panics_keeps_its_type() {
    #[derive(Debug)]
    struct Rude;
    impl fmt::Display for Rude {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("a Display that panics")
        }
    }
    impl Error for Rude {}
    #[enter_span]
    fn rude() -> Result<(), Rude> {
        Err(Rude)
    }
    let trace = check(|| assert!(rude().is_err()), "rude !Rude");
    assert_eq!(trace.find("rude").status(), &Status::error(""));
}

/// So does one whose sources panic, when they are asked for a name.
#[test]
fn an_error_whose_sources_panic_does_no_harm() {
    #[derive(Debug)]
    struct Rootless;
    impl fmt::Display for Rootless {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("rootless")
        }
    }
    impl Error for Rootless {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            panic!("a source that panics")
        }
    }
    #[enter_span]
    fn rootless() -> Result<(), Box<dyn Error>> {
        Err(Box::new(Rootless))
    }
    check(|| assert!(rootless().is_err()), "rootless !Box");
}

/// A function's own limit holds for its panics too: they may hold the `Debug` of anything.
#[test]
fn a_functions_limit_holds_for_panics() {
    #[enter_span(err = type)]
    fn typed() -> Result<(), String> {
        let secret: Result<(), _> = "secret".parse::<u8>().map(drop);
        secret.unwrap();
        Ok(())
    }
    #[enter_span(err = ignore)]
    async fn ignored() -> Result<(), String> {
        panic!("secret")
    }
    let trace = Recorder::new().run(|| {
        assert!(std::panic::catch_unwind(typed).is_err());
        let ignored = || crate::support::check::block_on(ignored());
        assert!(std::panic::catch_unwind(ignored).is_err());
    });
    trace.assert_tree("typed !panic\nignored !panic");
    let typed = trace.find("typed");
    assert_eq!(typed.status(), &Status::error(""));
    assert_eq!(typed.events()[0].attribute("exception.message"), None);
    assert!(trace.find("ignored").events().is_empty());
}

/// What is said by hand follows the installation as well.
#[test]
fn errors_told_by_hand_follow_the_installation() {
    fn tell(recorder: Recorder) -> RecordedSpan {
        let trace = recorder.run(|| {
            enter_span("told", |span| {
                span.set_outcome(&charge("x"));
                span.record_error(&charge("x").expect_err("no number"));
            });
        });
        trace.find("told").clone()
    }
    let full = tell(Recorder::new().with_error_detail(ErrorDetail::Full));
    assert_eq!(full.status(), &Status::error("declined"));
    let message = Value::from("declined: invalid digit found in string");
    assert_eq!(
        full.events()[1].attribute("exception.message"),
        Some(message)
    );
    let status = tell(Recorder::new().with_error_detail(ErrorDetail::Status));
    assert_eq!(status.status(), &Status::error(""));
    assert!(status.events().is_empty());
    let to_logs = tell(Recorder::new().without_exception_events());
    assert!(to_logs.events().is_empty());
}
