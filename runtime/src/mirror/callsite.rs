//! The callsite of a site: made once, at its first span while a subscriber is there, and leaked. There are as many
//! as sites, which live as long as the process.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr;
use std::sync::OnceLock;

use tracing_core::callsite::{self, Callsite as _, DefaultCallsite, Identifier};
use tracing_core::field::{Field, FieldSet};
use tracing_core::subscriber::Interest;
use tracing_core::{Dispatch, Kind, LevelFilter, Metadata};

use crate::mirror::settings::Settings;
use crate::mirror::subscriber::{call, is_called};

/// What a site has for its mirrors.
#[derive(Debug)]
pub(crate) struct SiteMirror {
    /// The keys that are written at the site.
    pub(crate) fields: &'static [&'static str],
    callsite: OnceLock<&'static Callsite>,
}

/// What is known of a site.
pub(crate) struct Source {
    pub(crate) name: &'static str,
    pub(crate) module: &'static str,
    pub(crate) file: &'static str,
    pub(crate) line: u32,
}

/// The fields of a mirror with values: as many as `tracing` takes in one call.
pub(crate) const MOST_FIELDS: usize = 32;

/// Behind the keys of the site: the name, all other attributes, the marker.
const OWN_FIELDS: usize = 3;

/// Marks mirrors, and is never recorded. The layer of `enter-span-tracing` knows those of all versions by it.
pub(crate) const MARKER: &str = "enter_span.mirror";

const NAME: &str = "otel.name";
const ATTRIBUTES: &str = "attributes";

/// A callsite of `tracing`, whose interest is kept in one of `tracing`'s own: that is registered without a lock.
pub(crate) struct Callsite {
    metadata: &'static Metadata<'static>,
    default: DefaultCallsite,
    fields: Vec<Field>,
    /// Of the fields that attributes have for themselves.
    keys: &'static [&'static str],
}

/// What the metadata of a callsite name as it: they are needed to make it.
struct Identity(OnceLock<&'static Callsite>);

impl callsite::Callsite for Identity {
    fn set_interest(&self, interest: Interest) {
        if let Some(callsite) = self.0.get() {
            callsite.default.set_interest(interest);
        }
    }

    fn metadata(&self) -> &Metadata<'_> {
        match self.0.get() {
            Some(callsite) => callsite.metadata,
            None => unreachable!("it is set before anybody has it"),
        }
    }
}

/// Nothing of it is ever half-changed.
impl UnwindSafe for Callsite {}
impl RefUnwindSafe for Callsite {}

impl fmt::Debug for Callsite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.metadata, formatter)
    }
}

impl SiteMirror {
    pub(crate) const fn new() -> Self {
        SiteMirror {
            fields: &[],
            callsite: OnceLock::new(),
        }
    }

    /// Its callsite, if a subscriber may want its spans.
    #[inline]
    pub(crate) fn wanted(
        &'static self,
        source: impl FnOnce() -> Source,
    ) -> Option<&'static Callsite> {
        let callsite = match self.callsite.get() {
            Some(callsite) => callsite,
            None => self.make(source())?,
        };
        callsite.is_wanted().then_some(callsite)
    }

    /// Subscribers are asked when it is registered, so that is before others see it, and under no lock. Of two
    /// threads, one makes it in vain.
    #[cold]
    #[inline(never)]
    fn make(&'static self, source: Source) -> Option<&'static Callsite> {
        if is_called() {
            return None;
        }
        let callsite = Callsite::leak(self.fields, source);
        let _ = call(|| callsite.default.register());
        Some(self.callsite.get_or_init(|| callsite))
    }
}

impl Callsite {
    fn leak(keys: &[&'static str], source: Source) -> &'static Self {
        let identity: &Identity = Box::leak(Box::new(Identity(OnceLock::new())));
        let settings = Settings::current();
        let names = names(keys);
        let metadata: &Metadata<'_> = Box::leak(Box::new(Metadata::new(
            source.name,
            settings.target.unwrap_or(source.module),
            settings.level,
            Some(source.file).filter(|file| !file.is_empty()),
            Some(source.line).filter(|line| *line > 0),
            Some(source.module),
            FieldSet::new(names, Identifier(identity)),
            Kind::SPAN,
        )));
        let callsite: &Self = Box::leak(Box::new(Callsite {
            metadata,
            default: DefaultCallsite::new(metadata),
            fields: metadata.fields().iter().collect(),
            keys: &names[..names.len() - OWN_FIELDS],
        }));
        let _ = identity.0.set(callsite);
        callsite
    }

    #[inline]
    fn is_wanted(&'static self) -> bool {
        *self.metadata.level() <= LevelFilter::current() && !self.default.interest().is_never()
    }

    /// Whether a subscriber wants a span now. One that looks at more than the callsite is asked each time: its filter
    /// would otherwise let the span through to other layers.
    pub(crate) fn is_enabled(&'static self, dispatch: &Dispatch) -> bool {
        let interest = self.default.interest();
        interest.is_always() || (!interest.is_never() && dispatch.enabled(self.metadata))
    }

    /// Makes no more mirrors until the subscribers change.
    pub(crate) fn disable(&self) {
        self.default.set_interest(Interest::never());
    }

    #[inline]
    pub(crate) fn metadata(&self) -> &'static Metadata<'static> {
        self.metadata
    }

    #[inline]
    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The place of a key among the fields, if it has one of its own. Most are in the order of the site, so it is
    /// looked for at `next` first.
    #[inline]
    pub(crate) fn position(&self, key: &str, next: usize) -> Option<usize> {
        // Both are the text that is written at the site: few compare more than where it is.
        let is_key = |own: &&str| ptr::eq(*own, key) || *own == key;
        if self.keys.get(next).is_some_and(is_key) {
            Some(next)
        } else {
            self.keys.iter().position(is_key)
        }
    }

    pub(crate) fn name_position(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn attributes_position(&self) -> usize {
        self.keys.len() + 1
    }
}

/// The keys of a site, each once, and the fields that all mirrors have.
fn names(keys: &[&'static str]) -> &'static [&'static str] {
    let own = [NAME, ATTRIBUTES, MARKER];
    let mut names = Vec::with_capacity(keys.len() + OWN_FIELDS);
    for key in keys.iter().take(MOST_FIELDS - OWN_FIELDS) {
        if !names.contains(key) && !own.contains(key) {
            names.push(*key);
        }
    }
    names.extend(own);
    names.leak()
}
