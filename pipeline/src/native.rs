//! The pipeline as the runtime's own backend: nothing between a call site and its record.

use std::sync::Arc;

use enter_span::backend::{Backend, Start, Started};
use opentelemetry::Context;
use opentelemetry::trace::Link;

use crate::core::Core;
use crate::record::{Beginning, Origin, Record};
use crate::sampling::Asked;

pub(crate) struct Native(pub(crate) Arc<Core>);

impl Backend for Native {
    fn start(&self, start: Start, context: &Context) -> Started {
        let Native(core) = self;
        if core.queue.is_closed() {
            return Started::Nothing;
        }
        let moment = core.clock.now();
        let kind = start.site.role().into();
        let links: Vec<Link> = start.links.into_iter().map(Link::with_context).collect();
        let mut shown = Vec::new();
        if core.sampler.asks() {
            shown.clone_from(&start.attributes);
            shown.extend(start.site.code().into_iter().flatten());
        }
        let decision = core.decide(&Asked {
            context,
            name: &start.name,
            kind: &kind,
            attributes: &shown,
            links: &links,
        });
        if !decision.is_recorded {
            return Started::Unrecorded(decision.identity);
        }
        let identity = decision.identity.clone();
        let mut record = Record::begin(
            core,
            Beginning {
                identity: decision.identity,
                parent: decision.parent,
                parent_is_remote: decision.parent_is_remote,
                kind,
                name: start.name,
                origin: Origin::Site(start.site, start.library),
                start: moment,
            },
        );
        for attribute in start.attributes.into_iter().chain(decision.attributes) {
            record.set_attribute(attribute);
        }
        for link in links {
            record.add_link(link);
        }
        Started::Recorded(identity, record)
    }
}
