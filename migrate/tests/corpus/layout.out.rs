use std::io;
use enter_span::enter_span;
use tracing::{
    // Events.
    debug, info,
    Span,
};

/// A function.
#[enter_span(
    // The name on the dashboards.
    "checkout",
    attributes(
        order.id = %order.id, // the number
        items = order.items.len(),
    ),
    err, // errors
)]
#[inline]
pub(crate)   async fn checkout( order : Order, payment : Payment )->io::Result< () > {
	body( )   ;
}

#[enter_span("aligned")]
fn aligned() {}

#[ enter_span ( attributes ( a = 1 ) ) ]
fn spaced() {}

#[enter_span]
fn one_line_each() {}

mod inner {
    use enter_span::enter_span; #[enter_span] fn one_line() {}

    impl A {
        #[enter_span(
            attributes(
                // Only one of them.
                id = self.id,
            )
        )]
        fn method(&self, other: u8) { fn nested() { #[enter_span(err)] fn deep() -> Result<(), ()> {} } }
    }
}
