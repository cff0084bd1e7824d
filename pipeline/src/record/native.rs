//! The pipeline as the runtime's own backend: nothing between a call site and its record.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;

use enter_span::native::{
    Backend, Beginning, Library, Moment, Origin, Place, Record, Site, Start, Started,
};
use opentelemetry::Context;
use opentelemetry::trace::{Link, SpanContext, TraceContextExt as _};
use opentelemetry_sdk::trace::ShouldSample;

use crate::record::core::{Core, Decision};

pub(crate) struct Native(pub(crate) Arc<Core>);

impl Backend for Native {
    fn start(&self, mut start: Start<'_>, context: &Context, record: &mut Record) -> Started {
        let Native(core) = self;
        if core.is_off() || core.is_muted(start.library().name()) {
            return Started::Nothing;
        }
        let counted = core.clock.now();
        let site = start.site;
        let kind = site.role().into();
        let name = start.take_name();
        let said = start.said.map(mem::take).unwrap_or_default();
        let links = links(said.links);
        let ask = |sampler: &dyn ShouldSample, parent: Option<&Context>, trace_id| {
            let mut shown = said.attributes.clone();
            if core.terms.tells_place {
                site.each_code(|pair| shown.push(pair));
            }
            sampler.should_sample(parent, trace_id, &name, &kind, &shown, &links)
        };
        let decision = match start.place {
            Some(place) => Some(Decision::at(place, context)),
            None => core.decide(context, &said.attributes, ask),
        };
        let Some(decision) = decision else {
            return Started::Nothing;
        };
        if !decision.is_recorded {
            record.decline(decision.identity());
            return Started::Unrecorded;
        }
        let beginning = Beginning {
            place: decision.place,
            kind,
            name,
            origin: match said.library {
                None => Origin::Site(site),
                Some(library) => Origin::Library(Box::new((site, library))),
            },
            start: Moment::Counted(counted),
        };
        record.begin(&core.terms, beginning, &decision.state);
        for list in [said.attributes, decision.attributes] {
            list.into_iter().for_each(|one| record.set_attribute(one));
        }
        links.into_iter().for_each(|link| record.add_link(link));
        Started::Recorded
    }

    fn start_plain(
        &self,
        site: &'static Site,
        context: &Context,
        record: &mut Record,
    ) -> Option<Started> {
        let Native(core) = self;
        if core.is_off() || core.is_muted(site.library().name()) {
            return Some(Started::Nothing);
        }
        if core.has_to_ask() {
            return None;
        }
        let start = core.clock.now();
        let above = context.span();
        let parent = above.span_context();
        let place = core.follow(parent);
        if !place.flags.is_sampled() {
            record.decline(place.identity(parent.trace_state().clone()));
            return Some(Started::Unrecorded);
        }
        let beginning = Beginning {
            place,
            kind: site.role().into(),
            name: Cow::Borrowed(site.name()),
            origin: Origin::Site(site),
            start: Moment::Counted(start),
        };
        record.begin(&core.terms, beginning, parent.trace_state());
        Some(Started::Recorded)
    }

    fn follows_parent(&self) -> bool {
        self.0.sampler.follows_parent()
    }

    fn decide(&self, parent: &Context) -> Option<Place> {
        let Native(core) = self;
        core.decide_by_place(parent.span().span_context())
    }

    fn mutes(&self, library: &Library) -> bool {
        let Native(core) = self;
        core.muting.mutes(library.name()) || core.is_over()
    }
}

fn links(said: Vec<SpanContext>) -> Vec<Link> {
    match said.is_empty() {
        true => Vec::new(),
        false => said.into_iter().map(Link::with_context).collect(),
    }
}
