//! Which span of a list is the parent of which, without circles.

use std::collections::HashMap;

use opentelemetry_sdk::trace::SpanData;

/// For each span, its parent in the list, if it is there. No way upwards is a circle.
pub(super) fn parents(spans: &[&SpanData]) -> Vec<Option<usize>> {
    let mut parent = by_id(spans);
    cut_circles(&mut parent);
    parent
}

fn by_id(spans: &[&SpanData]) -> Vec<Option<usize>> {
    let mut index_of = HashMap::new();
    for (index, span) in spans.iter().enumerate() {
        index_of.entry(span.span_context.span_id()).or_insert(index);
    }
    let parent = |span: &&SpanData| index_of.get(&span.parent_span_id).copied();
    spans.iter().map(parent).collect()
}

/// Where the way upwards comes back to itself, the span that it comes back to becomes a root.
fn cut_circles(parent: &mut [Option<usize>]) {
    let mut seen_from = vec![None; parent.len()];
    for start in 0..parent.len() {
        let mut next = Some(start);
        while let Some(span) = next {
            match seen_from[span] {
                None => seen_from[span] = Some(start),
                Some(before) if before == start => {
                    parent[span] = None;
                    break;
                }
                Some(_) => break,
            }
            next = parent[span];
        }
    }
}
