mod the_module_too {
    use tracing::instrument;

    #[instrument]
    fn f() {
        instrument::WithSubscriber::with_current_subscriber(g());
    }
}
