use enter_span::enter_span;

#[enter_span]
fn above() {
    #[enter_span]
    fn inside() {}
}

trait Service {
    #[enter_span]
    fn with_a_body(&self) {}
}

#[async_trait]
impl Service for A {
    #[enter_span(err)]
    async fn call(&self) -> Result<(), Error> {}
}

mod below {
    use super::*;

    #[enter_span]
    fn f() {}
}

mod of_its_own {
    mod instrument {}

    #[other::instrument]
    fn f() {}
}

mod clash {
    use tracing::info;

    fn enter_span() {}

    #[::enter_span::enter_span]
    fn f() {}

    #[::enter_span::enter_span]
    fn g() {}
}

fn clash_inside() {
    use elsewhere::enter_span;

    #[::enter_span::enter_span]
    fn f() {}
}
