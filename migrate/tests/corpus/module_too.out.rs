mod the_module_too {
    use enter_span::enter_span;
    use tracing::instrument;

    #[enter_span]
    fn f() {
        instrument::WithSubscriber::with_current_subscriber(g());
    }
}
