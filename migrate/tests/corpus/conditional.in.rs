#[cfg_attr(feature = "trace", tracing::instrument(skip_all, fields(%id)))]
fn one(id: u8) {}

#[cfg_attr(all(feature = "trace", not(test)), inline, tracing::instrument, must_use)]
fn among_others() -> u8 {}

#[cfg_attr(a, cfg_attr(b, tracing::instrument(err)))]
fn nested() -> Result<(), ()> {}

#[cfg_attr(feature = "fast", fastrace::trace(short_name = true))]
#[cfg_attr(docsrs, doc(cfg(feature = "instrument")))]
fn of_fastrace() {}
