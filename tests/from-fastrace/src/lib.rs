#![doc = include_str!("../../../docs/from-fastrace.md")]
// A package of its own: the tests need nothing else of what fastrace brings.

#[cfg(test)]
mod tests {
    use enter_span::testing::Recorder;
    use fastrace::collector::{Config, TestReporter};

    include!("border.rs");

    const PAGE: &str = include_str!("../../../docs/from-fastrace.md");

    /// The functions of the page hand the parent over, in both directions.
    #[test]
    fn a_border_keeps_the_parent() {
        assert!(PAGE.contains(include_str!("border.rs")));
        let (reporter, theirs) = TestReporter::new();
        fastrace::set_reporter(reporter, Config::default());
        let ours = Recorder::new().run(|| {
            outwards();
            let root = Span::root("root", SpanContext::random());
            let _guard = root.set_local_parent();
            inwards();
        });
        fastrace::flush();
        let theirs = theirs.lock();
        let their = |name: &str| {
            let found = theirs.iter().find(|span| span.name == name);
            found.expect("a span that was reported")
        };
        let outwards = ours.find("outwards").span_id();
        assert_eq!(
            their("theirs").parent_id.0.to_be_bytes(),
            outwards.to_bytes()
        );
        let parent = ours.find("ours").parent_id().expect("a parent");
        assert_eq!(parent.to_bytes(), their("root").span_id.0.to_be_bytes());
    }
}
