//! What a span says before its mirror starts.

use opentelemetry::{Key, Value};

use crate::mirror::place::Place;

/// Attributes in memory that the next span of the scope uses again.
#[derive(Default)]
pub(crate) struct KeptAttributes {
    all: Vec<(Key, KeptValue)>,
    /// All texts, one after the other.
    texts: String,
}

enum KeptValue {
    Value(Value),
    /// The end of its part of the texts. It begins at that of the one before.
    Text(usize),
}

/// The standard limit of a span.
const MOST: usize = 128;

/// Bytes of texts that are kept for the next span.
const MOST_SPARE: usize = 1024;

impl KeptAttributes {
    #[inline]
    pub(crate) fn push(&mut self, key: impl Into<Key>, value: impl Into<Value>) {
        if self.all.len() < MOST {
            self.all.push((key.into(), KeptValue::Value(value.into())));
        }
    }

    /// The same for a text that would have to be allocated.
    #[inline]
    pub(crate) fn push_text(&mut self, key: impl Into<Key>, text: &str) {
        if self.all.len() < MOST {
            self.texts.push_str(text);
            self.all
                .push((key.into(), KeptValue::Text(self.texts.len())));
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    #[inline]
    pub(crate) fn first(&self) -> Option<(&str, Place<'_>)> {
        let (key, value) = self.all.first()?;
        Some((key.as_str(), self.place(value, &mut 0)))
    }

    #[inline]
    pub(crate) fn each<'a>(&'a self, mut each: impl FnMut(&'a str, Place<'a>)) {
        let mut start = 0;
        for (key, value) in &self.all {
            each(key.as_str(), self.place(value, &mut start));
        }
    }

    /// Its text, if it has one, begins at `start`, and the next one's behind it.
    #[inline]
    fn place<'a>(&'a self, value: &'a KeptValue, start: &mut usize) -> Place<'a> {
        match value {
            KeptValue::Value(value) => Place::of(value),
            KeptValue::Text(end) => {
                let text = self.texts.get(*start..*end).unwrap_or_default();
                *start = *end;
                Place::Text(text)
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.texts.clear();
        if self.texts.capacity() > MOST_SPARE {
            self.texts = String::new();
        }
    }
}
