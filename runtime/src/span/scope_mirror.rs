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
    use std::sync::{Arc, OnceLock};

    use opentelemetry::trace::{SpanId, TraceContextExt as _};
    use opentelemetry::{Context, KeyValue, Value};

    use crate::backend::StartOptions;
    use crate::backend::site::Site;
    use crate::backend::size::{Content, Name};
    pub(crate) use crate::mirror::span::EnteredMirror;
    use crate::mirror::span::MirrorSpan;
    use crate::mirror::{self, table};

    pub(crate) struct ScopeMirror {
        /// What the span has said before it is entered.
        name: Option<Cow<'static, str>>,
        attributes: Vec<KeyValue>,
        /// Empty until a subscriber was asked; then what it wanted.
        span: OnceLock<Option<Arc<MirrorSpan>>>,
    }

    /// Attributes that are kept before the start: the standard limit of a span.
    const MOST_ATTRIBUTES: usize = 128;

    impl ScopeMirror {
        pub(crate) fn empty() -> Self {
            ScopeMirror {
                name: None,
                attributes: Vec::new(),
                span: OnceLock::new(),
            }
        }

        /// What is written about a span before it starts.
        pub(crate) fn describe(&mut self, site: &'static Site, options: &StartOptions) {
            if mirror::is_silent() || site.wanted_mirror().is_none() {
                return;
            }
            self.name.clone_from(&options.name);
            let attributes = options.attributes.iter().take(MOST_ATTRIBUTES);
            self.attributes.extend(attributes.cloned());
        }

        /// An attribute that the scope sets.
        #[inline(always)]
        pub(crate) fn set(&mut self, site: &'static Site, key: &impl Name, value: &impl Content) {
            if !mirror::is_silent() {
                self.set_wanted(site, key, value);
            }
        }

        #[cold]
        #[inline(never)]
        fn set_wanted(&mut self, site: &'static Site, key: &impl Name, value: &impl Content) {
            match self.span.get() {
                _ if mirror::is_called() => {}
                Some(Some(span)) => span.set_attribute(key.as_ref(), &value.clone().into()),
                Some(None) => {}
                None if self.attributes.is_empty() && site.wanted_mirror().is_none() => {}
                None if self.attributes.len() < MOST_ATTRIBUTES => {
                    self.attributes
                        .push(KeyValue::new(key.clone(), value.clone()));
                }
                None => {}
            }
        }

        /// Enters it, once the context of its span is attached.
        #[inline(always)]
        pub(crate) fn enter(
            &self,
            site: &'static Site,
            shown: impl FnOnce() -> SpanId,
        ) -> EnteredMirror {
            if mirror::is_silent() {
                EnteredMirror::default()
            } else {
                self.enter_wanted(site, shown())
            }
        }

        #[cold]
        #[inline(never)]
        fn enter_wanted(&self, site: &'static Site, shown: SpanId) -> EnteredMirror {
            if mirror::is_called() {
                return EnteredMirror::default();
            }
            let span = match self.span.get() {
                Some(span) => span.clone(),
                None => self.start(site, shown),
            };
            span.map(EnteredMirror::new).unwrap_or_default()
        }

        /// Of two threads that enter it first, one makes it in vain: no subscriber is called under a lock.
        fn start(&self, site: &'static Site, shown: SpanId) -> Option<Arc<MirrorSpan>> {
            let callsite = site.wanted_mirror()?;
            let name = self.name.as_deref();
            let span = MirrorSpan::start(callsite, shown, name, &self.attributes).map(Arc::new);
            if self.span.set(span.clone()).is_err() {
                return self.span.get().cloned().flatten();
            }
            if let Some(span) = &span {
                table::insert(span);
            }
            span
        }

        /// Closes it.
        #[inline(always)]
        pub(crate) fn close(&mut self) {
            if self.span.get().is_some() || self.name.is_some() || !self.attributes.is_empty() {
                self.close_used();
            }
        }

        #[cold]
        #[inline(never)]
        fn close_used(&mut self) {
            self.name = None;
            self.attributes.clear();
            if let Some(Some(span)) = self.span.take() {
                drop(table::remove(&span));
            }
        }

        /// Moves it, and leaves none.
        pub(crate) fn take(&mut self) -> Self {
            let none = ScopeMirror {
                span: OnceLock::from(None),
                ..ScopeMirror::empty()
            };
            std::mem::replace(self, none)
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
        if !table::is_used() || mirror::is_called() {
            return None;
        }
        table::find(context.span().span_context().span_id())
    }
}

#[cfg(not(feature = "tracing"))]
mod disabled {
    use opentelemetry::trace::SpanId;
    use opentelemetry::{Context, Value};

    use crate::backend::StartOptions;
    use crate::backend::site::Site;
    use crate::backend::size::{Content, Name};

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
        pub(crate) fn set(&mut self, _: &'static Site, _: &impl Name, _: &impl Content) {}

        #[inline(always)]
        pub(crate) fn enter(&self, _: &'static Site, _: impl FnOnce() -> SpanId) -> EnteredMirror {
            EnteredMirror(())
        }

        #[inline(always)]
        pub(crate) fn close(&mut self) {}

        pub(crate) fn take(&mut self) -> Self {
            ScopeMirror
        }
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
