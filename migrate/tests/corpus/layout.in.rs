use std::io;
use tracing::{
    // Events.
    debug, info,
    instrument,
    Span,
};

/// A function.
#[instrument(
    // The name on the dashboards.
    name = "checkout",
    level = "debug",
    skip(order, payment),
    fields(
        order.id = %order.id, // the number
        total,
        items = order.items.len(),
    ),
    err, // errors
)]
#[inline]
pub(crate)   async fn checkout( order : Order, payment : Payment )->io::Result< () > {
	body( )   ;
}

#[instrument(skip_all,
             name = "aligned",
             level = "info")]
fn aligned() {}

#[ instrument ( skip_all , fields ( a = 1 ) ) ]
fn spaced() {}

#[instrument(
    skip_all
)]
fn one_line_each() {}

mod inner {
    use tracing::instrument; #[instrument(skip_all)] fn one_line() {}

    impl A {
        #[instrument(
            skip(
                self,
                other,
            ),
            fields(
                // Only one of them.
                later = tracing::field::Empty,
                id = self.id,
            )
        )]
        fn method(&self, other: u8) { fn nested() { #[instrument(err)] fn deep() -> Result<(), ()> {} } }
    }
}
