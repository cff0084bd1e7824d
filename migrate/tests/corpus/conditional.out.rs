#[cfg_attr(feature = "trace", enter_span::enter_span(attributes(%id)))]
fn one(id: u8) {}

#[cfg_attr(all(feature = "trace", not(test)), inline, enter_span::enter_span, must_use)]
fn among_others() -> u8 {}

#[cfg_attr(a, cfg_attr(b, enter_span::enter_span(err)))]
fn nested() -> Result<(), ()> {}

#[cfg_attr(feature = "fast", enter_span::enter_span)]
#[cfg_attr(docsrs, doc(cfg(feature = "instrument")))]
fn of_fastrace() {}
