//! `InstrumentationScope` of `opentelemetry.proto.common.v1`, and which spans are of the same.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::ptr;
use std::sync::Arc;

use enter_span::native::SpanSource;
use opentelemetry::InstrumentationScope;

use super::attribute::attributes;
use super::writer::{Writer, message};

/// What made a span, wherever it is kept.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    name: &'a str,
    version: Option<&'a str>,
    /// All of it, if it has more than that.
    whole: Option<&'a InstrumentationScope>,
}

/// Scopes that have more than a name and a version, and differ in that, are few.
impl Hash for Scope<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.name, self.version).hash(state);
    }
}

impl PartialEq for Scope<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.name, self.version, self.whole) == (other.name, other.version, other.whole)
    }
}

impl Eq for Scope<'_> {}

impl<'a> Scope<'a> {
    fn of(source: &'a SpanSource) -> Self {
        let library = match source {
            SpanSource::Site(site) => site.library(),
            SpanSource::Library(both) => &both.1,
            SpanSource::Scope(scope) => return Scope::whole(scope),
            SpanSource::Unknown => return Scope::named("", None),
        };
        Scope::named(library.name(), library.version())
    }

    fn named(name: &'a str, version: Option<&'a str>) -> Self {
        Scope {
            name,
            version,
            whole: None,
        }
    }

    fn whole(scope: &'a InstrumentationScope) -> Self {
        let has_more = scope.schema_url().is_some() || scope.attributes().next().is_some();
        Scope {
            whole: has_more.then_some(scope),
            ..Scope::named(scope.name(), scope.version())
        }
    }

    pub(super) fn schema_url(&self) -> &'a str {
        let url = self.whole.and_then(InstrumentationScope::schema_url);
        url.unwrap_or_default()
    }

    /// In a field of this tag.
    pub(super) fn write(&self, writer: &mut Writer, tag: u8) {
        const NAME: u8 = message(1);
        const VERSION: u8 = message(2);
        const ATTRIBUTE: u8 = message(3);
        let start = writer.written();
        if let Some(whole) = self.whole {
            let all: Vec<_> = whole.attributes().collect();
            attributes(writer, ATTRIBUTE, all.into_iter());
        }
        writer.text(VERSION, self.version.unwrap_or_default());
        writer.text(NAME, self.name);
        writer.wrap(tag, start);
    }
}

/// The scopes of one batch, numbered in the order in which they are met.
#[derive(Default)]
pub(super) struct Scopes<'a> {
    pub(super) all: Vec<Scope<'a>>,
    numbers: HashMap<Scope<'a>, u32>,
    /// Some that were met, by their addresses, which no other has as long as the batch is borrowed.
    recent: [Option<(usize, u32)>; 16],
}

impl<'a> Scopes<'a> {
    #[inline]
    pub(super) fn number_of(&mut self, source: &'a SpanSource) -> u32 {
        let address = match source {
            SpanSource::Site(site) => ptr::from_ref(site.library()).addr(),
            SpanSource::Scope(scope) => Arc::as_ptr(scope).addr(),
            // Each span has its own copy of it.
            SpanSource::Library(_) | SpanSource::Unknown => return self.find(source),
        };
        let slot = (address / align_of::<InstrumentationScope>()) % self.recent.len();
        match self.recent[slot] {
            Some((known, number)) if known == address => number,
            _ => {
                let number = self.find(source);
                self.recent[slot] = Some((address, number));
                number
            }
        }
    }

    fn find(&mut self, source: &'a SpanSource) -> u32 {
        let scope = Scope::of(source);
        let number = *self.numbers.entry(scope).or_insert(self.all.len() as u32);
        if number as usize == self.all.len() {
            self.all.push(scope);
        }
        number
    }
}
