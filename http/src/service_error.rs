//! What the span records of a service's error: its type, which has few values, and its own text.

use std::any::{Any, type_name};
use std::error::Error;
use std::fmt::Display;
use std::io;

use enter_span::{Failure, Outcome};

type Boxed = Box<dyn Error + Send + Sync>;

/// A cycle of sources must not stop the program.
const MOST_SOURCES: usize = 32;

/// An error that ended a request.
pub(crate) struct ServiceError<'a, E>(pub(crate) &'a E);

impl<E: Display + 'static> Outcome for ServiceError<'_, E> {
    fn failure(&self) -> Option<Failure<'_>> {
        let error: &dyn Any = self.0;
        let kind = match error.downcast_ref::<Boxed>() {
            Some(error) => kind_of(&**error),
            None => type_name::<E>(),
        };
        Some(Failure::new(kind).message(self.0))
    }
}

/// The type in a box is not known.
fn kind_of(error: &(dyn Error + 'static)) -> &'static str {
    let chain = std::iter::successors(Some(error), |&error| error.source());
    let mut chain = chain.take(MOST_SOURCES);
    let error = chain.find_map(|error| error.downcast_ref::<io::Error>());
    match error.map(io::Error::kind) {
        Some(io::ErrorKind::TimedOut) => "timeout",
        Some(_) => type_name::<io::Error>(),
        None => "_OTHER",
    }
}
