//! The mirror of a scope, which shows it as a span of `tracing`: see `mirror/`.
//!
//! It starts when the scope is entered first, with all that was set until then. Without the feature `tracing` all of
//! this is empty.

#[cfg(not(feature = "tracing"))]
pub(crate) use disabled::{EnteredMirror, ScopeMirror, enter_of, rename, set_attribute};
#[cfg(feature = "tracing")]
pub(crate) use enabled::{EnteredMirror, ScopeMirror, enter_of, rename, set_attribute};

#[cfg(feature = "tracing")]
mod enabled {
    use std::borrow::Cow;
    use std::sync::Arc;

    use opentelemetry::{Context, KeyValue, Value};

    use crate::backend::StartOptions;
    use crate::backend::site::Site;
    use crate::backend::size::{Content, Name};
    use crate::mirror;
    use crate::mirror::kept_attributes::KeptAttributes;
    pub(crate) use crate::mirror::span::EnteredMirror;
    use crate::mirror::span::{MirrorSpan, OpenMirror};
    use crate::span::recorded_mirror::{self, MirrorState, RecordedMirror};
    use crate::span::recording::Recording;

    pub(crate) struct ScopeMirror {
        /// What the span has said before it is entered.
        name: Option<Cow<'static, str>>,
        attributes: KeptAttributes,
    }

    impl ScopeMirror {
        pub(crate) fn empty() -> Self {
            ScopeMirror {
                name: None,
                attributes: KeptAttributes::default(),
            }
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
                MirrorState::Open(span) => span.set_attribute(key.as_ref(), &value.clone().into()),
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
        pub(crate) fn enter(&self, site: &'static Site, recording: &Recording) -> EnteredMirror {
            if mirror::is_silent() {
                EnteredMirror::default()
            } else {
                self.enter_wanted(site, &recording.mirror)
            }
        }

        #[cold]
        #[inline(never)]
        fn enter_wanted(&self, site: &'static Site, recorded: &RecordedMirror) -> EnteredMirror {
            if mirror::is_called() {
                return EnteredMirror::default();
            }
            let state = match recorded.state() {
                MirrorState::Unasked => self.start(site, recorded),
                state => state,
            };
            match state {
                MirrorState::Open(span) => EnteredMirror::new(span),
                MirrorState::Unasked | MirrorState::Closed => EnteredMirror::default(),
            }
        }

        /// Of two threads that enter it first, one makes it in vain: no subscriber is called under a lock.
        fn start(&self, site: &'static Site, recorded: &RecordedMirror) -> MirrorState {
            let Some(callsite) = site.wanted_mirror() else {
                return MirrorState::Unasked;
            };
            let name = self.name.as_deref();
            let started = OpenMirror::start(callsite, name, &self.attributes);
            recorded.keep(started.map_or(MirrorState::Closed, |open| {
                MirrorState::Open(MirrorSpan::new(recorded.take_spare(), open))
            }))
        }

        /// Closes it.
        #[inline(always)]
        pub(crate) fn close(&mut self, recording: Option<&Recording>) {
            if self.name.is_some() || !self.attributes.is_empty() {
                self.forget();
            }
            if let Some(recording) = recording {
                recording.mirror.close();
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
    pub(crate) fn enter_of(context: &Context) -> EnteredMirror {
        find(context).map(EnteredMirror::new).unwrap_or_default()
    }

    /// An attribute that a handle sets.
    #[inline]
    pub(crate) fn set_attribute(context: &Context, key: &str, value: &Value) {
        if let Some(span) = find(context) {
            span.set_attribute(key, value);
        }
    }

    #[inline]
    pub(crate) fn rename(context: &Context, name: &str) {
        if let Some(span) = find(context) {
            span.set_name(name);
        }
    }

    #[inline]
    fn find(context: &Context) -> Option<Arc<MirrorSpan>> {
        if mirror::is_called() {
            return None;
        }
        recorded_mirror::find(context)
    }
}

#[cfg(not(feature = "tracing"))]
mod disabled {
    use opentelemetry::{Context, Value};

    use crate::backend::StartOptions;
    use crate::backend::site::Site;
    use crate::backend::size::{Content, Name};
    use crate::span::recording::Recording;

    pub(crate) struct ScopeMirror;

    #[derive(Default)]
    pub(crate) struct EnteredMirror(());

    impl ScopeMirror {
        pub(crate) fn empty() -> Self {
            ScopeMirror
        }

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
        pub(crate) fn enter(&self, _: &'static Site, _: &Recording) -> EnteredMirror {
            EnteredMirror(())
        }

        #[inline(always)]
        pub(crate) fn close(&mut self, _: Option<&Recording>) {}
    }

    #[inline(always)]
    pub(crate) fn enter_of(_: &Context) -> EnteredMirror {
        EnteredMirror(())
    }

    #[inline(always)]
    pub(crate) fn set_attribute(_: &Context, _: &str, _: &Value) {}

    #[inline(always)]
    pub(crate) fn rename(_: &Context, _: &str) {}
}
