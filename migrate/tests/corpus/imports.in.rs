mod alone {
    use tracing::instrument;

    #[instrument]
    fn f() {}
}

mod two {
    use tracing::{info, instrument};

    #[instrument]
    fn f() {}
}

mod three {
    use tracing::{info, instrument, Span};

    #[instrument]
    fn f() {}
}

mod of_itself {
    use tracing::{self, instrument};

    #[instrument]
    fn f() {}
}

mod single_in_braces {
    use tracing::{instrument};

    #[instrument]
    fn f() {}
}

mod nested {
    use {std::io, tracing::{instrument, Span}};

    #[instrument]
    fn f() {}
}

mod nested_alone {
    use {std::io, tracing::{instrument}};

    #[instrument]
    fn f() {}
}

mod absolute {
    use ::tracing::{debug, instrument};

    #[instrument]
    fn f() {}
}

mod renamed {
    use tracing::instrument as traced;

    #[traced(skip_all)]
    fn f() {}
}

mod renamed_in_braces {
    use tracing::{info, instrument as traced};

    #[traced(skip_all)]
    fn f() {}
}

mod conditional {
    #[cfg(feature = "trace")]
    use tracing::{info, instrument};

    #[cfg_attr(feature = "trace", instrument(skip_all))]
    fn f() {}
}

mod glob {
    use tracing::*;

    #[instrument(skip_all)]
    fn f() {}
}

mod there_already {
    use enter_span::{Span, enter_span};
    use tracing::{info, instrument};

    #[instrument]
    fn f() {}
}

mod of_both {
    use fastrace::trace;
    use tracing::instrument;

    #[instrument]
    fn f() {}

    #[trace(short_name = true)]
    fn g() {}
}

mod unused {
    use tracing::instrument;
}

mod exported {
    pub(crate) use tracing::instrument;

    #[instrument]
    fn f() {}
}

mod other {
    use elsewhere::instrument;
}

fn local() {
    use tracing::instrument;

    #[instrument]
    fn f() {}
}
