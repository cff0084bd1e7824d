use tracing::{info, instrument};

#[instrument(skip_all)]
fn converted() {}

#[instrument(skip_all, parent = &self.span)]
fn parent(&self) {}

#[instrument(follows_from = causes)]
fn follows_from(causes: &[Id]) {}

#[instrument(skip_all, fields({key()} = 1))]
fn computed_key() {}

#[instrument(fields(id = id, id = %id))]
fn twice(id: u8) {}

#[instrument(fields(n = load()?))]
fn leaves_early() {}

#[instrument(fields(n = load().await))]
async fn awaits() {}

#[instrument(skip_al)]
fn unknown() {}

#[instrument(name = "")]
fn nameless() {}

#[enter_span::enter_span]
#[instrument]
fn both() {}

#[fastrace::trace(crate = my::fastrace)]
fn facade() {}

macro_rules! make {
    ($name:ident) => {
        #[instrument(skip_all)]
        fn $name() {}
    };
}

some_macro! {
    #[cfg_attr(feature = "trace", tracing::instrument)]
    fn f() {}
}

mod without_import {
    #[instrument]
    fn f() {}

    #[trace]
    fn g() {}
}
