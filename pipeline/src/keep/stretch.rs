//! Spans of one trace behind each other in a list: they go to one place, and are moved together.

use enter_span::native::{EndedSpan, SpanSource, StatusCode};
use opentelemetry::trace::SpanId;

use crate::keep::place_table::Key;
use crate::queue::leaving_spans::Next;

#[derive(Default)]
pub(super) struct Stretch {
    pub(super) next: Next,
    /// The place of the root, if it is here.
    pub(super) root: Option<usize>,
    pub(super) has_error: bool,
    /// Whether a start was told by its maker, who has another clock.
    pub(super) has_told_start: bool,
    /// The last one, if it is of other instrumentation and below the root: others may have taken it for theirs.
    pub(super) other_root: Option<SpanId>,
}

impl Stretch {
    /// Of the first spans with this key, at most so many. Their trace has this root.
    #[inline]
    pub(super) fn of(spans: &[EndedSpan], key: Key, root: SpanId, most: usize) -> Self {
        let mut stretch = Stretch::default();
        for span in spans.iter().take(most) {
            if Key::of(span) != key {
                break;
            }
            let own = span.parentage.span_id;
            if own == root {
                stretch.root = Some(stretch.next.spans);
            }
            stretch.has_error |= span.status == StatusCode::Error;
            if let Some(details) = &span.details {
                stretch.has_told_start |= details.start.is_some();
            }
            stretch.next.spans += 1;
            stretch.next.attributes += span.attributes as usize;
            if own != root && matches!(span.source, SpanSource::Scope(_)) {
                stretch.other_root = Some(own);
                break;
            }
            // It may decide together: what comes behind it follows.
            if stretch.has_error {
                break;
            }
        }
        stretch
    }
}
