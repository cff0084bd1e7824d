//! What records spans, in each form that a version may know.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::{PoisonError, RwLock};

type Part = Box<dyn Any + Send + Sync>;

/// What records spans, in each form that a version of `enter-span` may know.
///
/// The version that installs it adds its own form, and one that all versions know which use the same
/// OpenTelemetry: its provider. Another version finds that one, and may add what it makes of it.
pub struct SharedBackend {
    by: &'static str,
    origin: Option<Origin>,
    parts: Vec<Part>,
    added: RwLock<Vec<Part>>,
}

/// The call that has installed a backend.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Origin {
    /// As an application writes it.
    pub call: &'static str,
    /// In the application's source.
    pub place: &'static Location<'static>,
}

/// A part of a [`SharedBackend`] that asks for whatever OpenTelemetry's global provider is.
#[derive(Clone, Copy, Debug)]
pub struct GlobalProvider;

impl SharedBackend {
    /// One without parts, of a version, such as `enter-span 0.1.0`.
    pub fn new(by: &'static str) -> Self {
        SharedBackend {
            by,
            origin: None,
            parts: Vec::new(),
            added: RwLock::default(),
        }
    }

    /// With the call that installs it.
    #[must_use]
    pub fn with_origin(mut self, call: &'static str, place: &'static Location<'static>) -> Self {
        self.origin = Some(Origin { call, place });
        self
    }

    /// With one more form, which versions find by its type.
    #[must_use]
    pub fn with_part<T: Any + Clone + Send + Sync>(mut self, part: T) -> Self {
        self.parts.push(Box::new(part));
        self
    }

    /// The version that made it.
    pub fn by(&self) -> &'static str {
        self.by
    }

    /// The call that has installed it.
    pub fn origin(&self) -> Option<Origin> {
        self.origin
    }

    /// The form of this type.
    pub fn part<T: Any + Clone>(&self) -> Option<T> {
        find(&self.parts).or_else(|| {
            let added = self.added.read().unwrap_or_else(PoisonError::into_inner);
            find(&added)
        })
    }

    /// Adds what a version made of it, which drops with it. Of two that race, the first stays and is returned.
    pub fn add_part<T: Any + Clone + Send + Sync>(&self, part: T) -> T {
        let mut added = self.added.write().unwrap_or_else(PoisonError::into_inner);
        find(&added).unwrap_or_else(|| {
            added.push(Box::new(part.clone()));
            part
        })
    }
}

fn find<T: Any + Clone>(parts: &[Part]) -> Option<T> {
    let found = parts.iter().find_map(|part| part.downcast_ref::<T>());
    found.cloned()
}

/// A provider may flush in its destructor, and one that panics harms nobody.
impl Drop for SharedBackend {
    fn drop(&mut self) {
        let added = self.added.get_mut().unwrap_or_else(PoisonError::into_inner);
        for part in self.parts.drain(..).chain(added.drain(..)) {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(part))) {
                // What a panic carries may panic as well.
                std::mem::forget(panic);
            }
        }
    }
}

impl fmt::Debug for SharedBackend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut backend = formatter.debug_struct("SharedBackend");
        backend.field("by", &self.by).field("origin", &self.origin);
        backend.finish_non_exhaustive()
    }
}
