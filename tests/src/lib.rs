//! Compiles and runs each example of README, of the book in `docs/` and of the crates' READMEs.

/// One module for each page, with the page as its documentation.
macro_rules! pages {
    ($($name:ident $path:literal)*) => {
        $(#[doc = include_str!(concat!("../../", $path))] pub mod $name {})*

        /// The paths of the pages, from the root of the repository.
        pub const PAGES: &[&str] = &[$($path),*];
    };
}

pages! {
    readme "README.md"
    runtime_readme "runtime/README.md"
    pipeline_readme "pipeline/README.md"
    http_readme "http/README.md"
    semconv_readme "semconv/README.md"
    tracing_readme "tracing/README.md"
    waterfall_readme "waterfall/README.md"
    book "docs/README.md"
    arguments "docs/arguments.md"
    collector "docs/collector.md"
    compare "docs/compare.md"
    costs "docs/costs.md"
    from_opentelemetry "docs/from-opentelemetry.md"
    from_tracing "docs/from-tracing.md"
    getting_started "docs/getting-started.md"
    http "docs/http.md"
    keep "docs/keep.md"
    linked_traces "docs/linked-traces.md"
    logs "docs/logs.md"
    privacy "docs/privacy.md"
    production "docs/production.md"
    propagation "docs/propagation.md"
    queues "docs/queues.md"
    recipes "docs/recipes.md"
    spans "docs/spans.md"
    stability "docs/stability.md"
    tasks "docs/tasks.md"
    testing "docs/testing.md"
    tracing "docs/tracing.md"
}
