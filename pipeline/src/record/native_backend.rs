//! The pipeline as the runtime's own backend: nothing between a call site and its record.

use std::mem;
use std::sync::Arc;

use enter_span::native::{
    Backend, Extras, Library, Parentage, Record, Site, SpanSource, SpanStart, Start, StartResult,
    Timestamp,
};
use opentelemetry::Context;
use opentelemetry::trace::{Link, SpanContext, TraceContextExt as _};
use opentelemetry_sdk::trace::ShouldSample;

use crate::record::core::{Core, Decision};

pub(crate) struct NativeBackend(pub(crate) Arc<Core>);

impl Backend for NativeBackend {
    fn start(&self, mut start: Start<'_>, context: &Context, record: &mut Record) -> StartResult {
        let NativeBackend(core) = self;
        if core.is_off() || core.is_muted(start.library().name()) {
            return StartResult::Nothing;
        }
        let counted = core.clock.now();
        let site = start.site;
        let kind = site.role().into();
        let name = start.take_name();
        let options = start.options.map(mem::take).unwrap_or_default();
        let links = links(options.links);
        let ask = |sampler: &dyn ShouldSample, parent: Option<&Context>, trace_id| {
            let mut shown = options.attributes.clone();
            if core.config.extras.include(Extras::PLACE) {
                site.each_code(|pair| shown.push(pair));
            }
            sampler.should_sample(parent, trace_id, &name, &kind, &shown, &links)
        };
        let known = start
            .parentage
            .map(|parentage| Decision::at(parentage, context));
        let decision = known.or_else(|| core.decide(context, &options.attributes, ask));
        let Some(decision) = decision else {
            return StartResult::Nothing;
        };
        if !decision.is_recorded {
            record.decline(decision.identity());
            return StartResult::Unrecorded;
        }
        let span_start = SpanStart {
            parentage: decision.parentage,
            kind,
            name,
            source: source(site, options.library),
            start: Timestamp::Ticks(counted),
        };
        record.begin(&core.config, span_start, &decision.state, context);
        let attributes = options.attributes.into_iter().chain(decision.attributes);
        attributes.for_each(|one| record.set_attribute(one));
        links.into_iter().for_each(|link| record.add_link(link));
        StartResult::Recorded
    }

    fn start_plain(
        &self,
        site: &'static Site,
        context: &Context,
        record: &mut Record,
    ) -> Option<StartResult> {
        let NativeBackend(core) = self;
        if core.is_off() || core.is_muted(site.library().name()) {
            return Some(StartResult::Nothing);
        }
        if core.has_to_ask() {
            return None;
        }
        let start = core.clock.now();
        let above = context.span();
        let parent = above.span_context();
        let parentage = core.follow(parent);
        if !parentage.flags.is_sampled() {
            record.decline(parentage.identity(parent.trace_state().clone()));
            return Some(StartResult::Unrecorded);
        }
        record.begin_at(
            site,
            &core.config,
            parentage,
            start,
            parent.trace_state(),
            context,
        );
        Some(StartResult::Recorded)
    }

    fn follows_parent(&self) -> bool {
        self.0.sampler.follows_parent()
    }

    fn decide(&self, parent: &Context) -> Option<Parentage> {
        let NativeBackend(core) = self;
        core.decide_by_place(parent.span().span_context())
    }

    fn mutes(&self, library: &Library) -> bool {
        let NativeBackend(core) = self;
        core.muting.mutes(library.name()) || core.is_over()
    }
}

fn source(site: &'static Site, library: Option<Library>) -> SpanSource {
    match library {
        None => SpanSource::Site(site),
        Some(library) => SpanSource::Library(Box::new((site, library))),
    }
}

fn links(options: Vec<SpanContext>) -> Vec<Link> {
    if options.is_empty() {
        Vec::new()
    } else {
        options.into_iter().map(Link::with_context).collect()
    }
}
