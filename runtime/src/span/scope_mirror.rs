//! The mirror of a scope, which shows it as a span of `tracing`: see `mirror/`.
//!
//! It starts when the scope is entered first, with all that was set until then. Without the feature `tracing` all of
//! this is empty.

pub(crate) use crate::span::entered_mirror::EnteredMirror;
#[cfg(not(feature = "tracing"))]
pub(crate) use disabled::{ScopeMirror, enter_of, rename, set_attribute};
#[cfg(feature = "tracing")]
pub(crate) use enabled::{ScopeMirror, enter_of, rename, set_attribute};

#[cfg(feature = "tracing")]
mod enabled {
    use std::borrow::Cow;
    use std::mem;
    use std::sync::Arc;

    use opentelemetry::{Context, KeyValue, Value};

    use crate::backend::StartOptions;
    use crate::backend::site::Site;
    use crate::backend::size::{Content, Name};
    use crate::mirror;
    use crate::mirror::kept_attributes::KeptAttributes;
    use crate::mirror::span::MirrorSpan;
    use crate::span::entered_mirror::{self, EnteredMirror};
    use crate::span::recorded_mirror::{MirrorState, RecordedMirror};
    use crate::span::recording::Recording;

    pub(crate) struct ScopeMirror {
        /// In the mirror of its recording, until it ends.
        has_share: bool,
        /// What the span has said before it is entered.
        name: Option<Cow<'static, str>>,
        attributes: KeptAttributes,
    }

    impl ScopeMirror {
        pub(crate) fn empty() -> Self {
            ScopeMirror {
                has_share: false,
                name: None,
                attributes: KeptAttributes::default(),
            }
        }

        /// It has its recording from now on.
        #[inline(always)]
        pub(crate) fn join(&mut self) {
            self.has_share = true;
        }

        /// It ends the span in place of another scope, which enters it no more.
        pub(crate) fn take_share(&mut self, other: &mut ScopeMirror) {
            self.has_share = mem::take(&mut other.has_share);
        }

        /// What is written about a span before it starts.
        pub(crate) fn describe(&mut self, site: &'static Site, options: &StartOptions) {
            if mirror::is_silent() || site.wanted_mirror().is_none() {
                return;
            }
            self.name.clone_from(&options.name);
            for KeyValue { key, value, .. } in &options.attributes {
                self.keep(key, value);
            }
        }

        #[inline]
        fn keep(&mut self, key: &impl Name, value: &impl Content) {
            match value.owned_text() {
                Some(text) => self.attributes.push_text(key.clone(), text),
                None => self.attributes.push(key.clone(), value.clone()),
            }
        }

        /// An attribute that the scope sets, before the recording has it.
        #[inline(always)]
        pub(crate) fn set(
            &mut self,
            site: &'static Site,
            recording: &Recording,
            key: &impl Name,
            value: &impl Content,
        ) {
            if !mirror::is_silent() {
                self.set_wanted(site, &recording.mirror, key, value);
            }
        }

        #[cold]
        #[inline(never)]
        fn set_wanted(
            &mut self,
            site: &'static Site,
            recorded: &RecordedMirror,
            key: &impl Name,
            value: &impl Content,
        ) {
            if mirror::is_called() {
                return;
            }
            match recorded.state() {
                MirrorState::Open => {
                    if let Some(span) = recorded.with_room() {
                        span.set_attribute(key.as_ref(), &value.clone().into());
                    }
                }
                MirrorState::Closed => {}
                MirrorState::Unasked => {
                    let is_wanted = !self.attributes.is_empty() || site.wanted_mirror().is_some();
                    if is_wanted {
                        self.keep(key, value);
                    }
                }
            }
        }

        /// Enters it, once the context of its span is attached.
        #[inline(always)]
        pub(crate) fn enter(
            &self,
            site: &'static Site,
            recording: &Recording,
        ) -> Option<EnteredMirror> {
            if mirror::is_silent() || !self.has_share {
                None
            } else {
                self.enter_wanted(site, &recording.mirror)
            }
        }

        #[cold]
        #[inline(never)]
        fn enter_wanted(
            &self,
            site: &'static Site,
            recorded: &RecordedMirror,
        ) -> Option<EnteredMirror> {
            if mirror::is_called() {
                return None;
            }
            let span = match recorded.state() {
                MirrorState::Unasked => self.start(site, recorded),
                MirrorState::Open => recorded.span(),
                MirrorState::Closed => None,
            };
            span.map(EnteredMirror::by_scope)
        }

        /// Of two threads that enter it first, one makes it in vain.
        fn start(&self, site: &'static Site, recorded: &RecordedMirror) -> Option<MirrorSpan> {
            let callsite = site.wanted_mirror()?;
            let name = self.name.as_deref();
            recorded.keep(MirrorSpan::start(callsite, name, &self.attributes))
        }

        /// Closes it.
        #[inline(always)]
        pub(crate) fn close(&mut self, recording: Option<&Recording>) {
            if self.name.is_some() || !self.attributes.is_empty() {
                self.forget();
            }
            if mem::take(&mut self.has_share) {
                if let Some(recording) = recording {
                    recording.mirror.close();
                }
            }
        }

        #[cold]
        #[inline(never)]
        fn forget(&mut self) {
            self.name = None;
            self.attributes.clear();
        }
    }

    /// Enters the mirror of the span of a context that was carried elsewhere, if that is open.
    #[inline]
    pub(crate) fn enter_of(context: &Context) -> Option<EnteredMirror> {
        find(context).and_then(EnteredMirror::by_context)
    }

    /// An attribute that a handle sets.
    #[inline]
    pub(crate) fn set_attribute(context: &Context, key: &str, value: &Value) {
        show(context, &|span| span.set_attribute(key, value));
    }

    #[inline]
    pub(crate) fn rename(context: &Context, name: &str) {
        show(context, &|span| span.set_name(name));
    }

    /// Its share keeps it open meanwhile.
    #[inline]
    fn show(context: &Context, show: &dyn Fn(&MirrorSpan)) {
        if let Some(recording) = find(context).filter(|found| found.mirror.try_share()) {
            if let Some(span) = recording.mirror.with_room() {
                show(&span);
            }
            recording.mirror.release();
        }
    }

    #[inline]
    fn find(context: &Context) -> Option<Arc<Recording>> {
        if mirror::is_called() {
            return None;
        }
        entered_mirror::find(context)
    }
}

#[cfg(not(feature = "tracing"))]
mod disabled {
    use opentelemetry::{Context, Value};

    use crate::backend::StartOptions;
    use crate::backend::site::Site;
    use crate::backend::size::{Content, Name};
    use crate::span::entered_mirror::EnteredMirror;
    use crate::span::recording::Recording;

    pub(crate) struct ScopeMirror;

    impl ScopeMirror {
        pub(crate) fn empty() -> Self {
            ScopeMirror
        }

        #[inline(always)]
        pub(crate) fn join(&mut self) {}

        #[inline(always)]
        pub(crate) fn take_share(&mut self, _: &mut ScopeMirror) {}

        #[inline(always)]
        pub(crate) fn describe(&mut self, _: &'static Site, _: &StartOptions) {}

        #[inline(always)]
        pub(crate) fn set(
            &mut self,
            _: &'static Site,
            _: &Recording,
            _: &impl Name,
            _: &impl Content,
        ) {
        }

        #[inline(always)]
        pub(crate) fn enter(&self, _: &'static Site, _: &Recording) -> Option<EnteredMirror> {
            None
        }

        #[inline(always)]
        pub(crate) fn close(&mut self, _: Option<&Recording>) {}
    }

    #[inline(always)]
    pub(crate) fn enter_of(_: &Context) -> Option<EnteredMirror> {
        None
    }

    #[inline(always)]
    pub(crate) fn set_attribute(_: &Context, _: &str, _: &Value) {}

    #[inline(always)]
    pub(crate) fn rename(_: &Context, _: &str) {}
}
