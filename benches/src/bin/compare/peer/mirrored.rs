//! `enter_span` with its mirror in `tracing`, and a bare span of `tracing`, both in a registry that formats nothing.

use tracing_subscriber::registry;

use super::ours::{OnPipeline, Ours};
use super::through_tracing::Instrumented;
use crate::peer::{Arrived, Peer};
use crate::scenario::{Scenario, Work, work};

fn install_registry() {
    if let Err(error) = tracing::subscriber::set_global_default(registry()) {
        eprintln!("the subscriber is not installed: {error}");
    }
}

/// The pipeline, and a registry that knows each span as a span of `tracing` too.
#[derive(Default)]
pub(crate) struct Mirrored(OnPipeline);

impl Peer for Mirrored {
    fn install(&mut self) {
        self.0.install();
        install_registry();
    }

    fn work(&self, scenario: Scenario) -> Work {
        work::<Ours>(scenario)
    }

    fn settle(&mut self) {
        self.0.settle();
    }

    fn take_arrived(&mut self) -> Arrived {
        self.0.take_arrived()
    }
}

/// `#[instrument]` in the same registry: nothing is recorded anywhere.
#[derive(Default)]
pub(crate) struct Bare;

impl Peer for Bare {
    fn install(&mut self) {
        install_registry();
    }

    fn work(&self, scenario: Scenario) -> Work {
        work::<Instrumented>(scenario)
    }

    fn settle(&mut self) {}

    fn take_arrived(&mut self) -> Arrived {
        Arrived::NotCounted
    }
}
