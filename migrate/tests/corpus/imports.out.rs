mod alone {
    use enter_span::enter_span;

    #[enter_span]
    fn f() {}
}

mod two {
    use enter_span::enter_span;
    use tracing::info;

    #[enter_span]
    fn f() {}
}

mod three {
    use enter_span::enter_span;
    use tracing::{info, Span};

    #[enter_span]
    fn f() {}
}

mod of_itself {
    use enter_span::enter_span;
    use tracing::{self};

    #[enter_span]
    fn f() {}
}

mod single_in_braces {
    use enter_span::enter_span;

    #[enter_span]
    fn f() {}
}

mod nested {
    use enter_span::enter_span;
    use {std::io, tracing::Span};

    #[enter_span]
    fn f() {}
}

mod nested_alone {
    use enter_span::enter_span;
    use std::io;

    #[enter_span]
    fn f() {}
}

mod absolute {
    use ::enter_span::enter_span;
    use ::tracing::debug;

    #[enter_span]
    fn f() {}
}

mod renamed {
    use enter_span::enter_span as traced;

    #[traced]
    fn f() {}
}

mod renamed_in_braces {
    use enter_span::enter_span as traced;
    use tracing::info;

    #[traced]
    fn f() {}
}

mod conditional {
    #[cfg(feature = "trace")]
    use enter_span::enter_span;
    #[cfg(feature = "trace")]
    use tracing::info;

    #[cfg_attr(feature = "trace", enter_span)]
    fn f() {}
}

mod glob {
    use tracing::*;

    #[enter_span::enter_span]
    fn f() {}
}

mod there_already {
    use enter_span::{Span, enter_span};
    use tracing::info;

    #[enter_span]
    fn f() {}
}

mod of_both {
    use enter_span::enter_span;

    #[enter_span]
    fn f() {}

    #[enter_span]
    fn g() {}
}

mod unused {
    use tracing::instrument;
}

mod exported {
    pub(crate) use tracing::instrument;

    #[enter_span::enter_span]
    fn f() {}
}

mod other {
    use elsewhere::instrument;
}

fn local() {
    use enter_span::enter_span;

    #[enter_span]
    fn f() {}
}
