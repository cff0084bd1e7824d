use tracing::instrument;

#[instrument]
fn above() {
    #[instrument(skip_all)]
    fn inside() {}
}

trait Service {
    #[instrument]
    fn with_a_body(&self) {}
}

#[async_trait]
impl Service for A {
    #[instrument(skip(self), err)]
    async fn call(&self) -> Result<(), Error> {}
}

mod below {
    use super::*;

    #[instrument]
    fn f() {}
}

mod of_its_own {
    mod instrument {}

    #[other::instrument]
    fn f() {}
}

mod clash {
    use tracing::{info, instrument};

    fn enter_span() {}

    #[instrument(skip_all)]
    fn f() {}

    #[tracing::instrument]
    fn g() {}
}

fn clash_inside() {
    use elsewhere::enter_span;

    #[instrument]
    fn f() {}
}
