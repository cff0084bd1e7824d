//! Which recorded span is the parent of which.

use std::collections::HashMap;

use opentelemetry::trace;

use super::entry::{Entry, Record};
use crate::context::identity::SpanContext;

/// A record that is not written any more. Spans are known by their place in it.
pub(super) struct Forest {
    record: Record,
    places: HashMap<Ids, usize>,
    /// The place of each span's parent, if that was recorded.
    parents: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
}

/// What makes two identities the same: one that was sent and received again is remote.
type Ids = (trace::TraceId, trace::SpanId);

fn ids(identity: &SpanContext) -> Ids {
    (identity.0.trace_id(), identity.0.span_id())
}

impl Forest {
    pub(super) fn of(record: Record) -> Self {
        let places = record.entries.iter().enumerate();
        let places: HashMap<Ids, usize> = places.map(|(n, e)| (ids(&e.identity), n)).collect();
        // A parent starts first. What says otherwise is no parent, and there is no circle.
        let parents = record.entries.iter().enumerate().map(|(place, entry)| {
            let parent = places.get(&ids(&entry.parent)).copied();
            parent.filter(|parent| *parent < place)
        });
        let parents: Vec<Option<usize>> = parents.collect();
        let mut children = vec![Vec::new(); parents.len()];
        for (place, parent) in parents.iter().enumerate() {
            if let Some(parent) = parent {
                children[*parent].push(place);
            }
        }
        Forest {
            record,
            places,
            parents,
            children,
        }
    }

    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    pub(super) fn entry(&self, place: usize) -> &Entry {
        &self.record.entries[place]
    }

    /// The place of a span that was recorded.
    pub(super) fn place(&self, identity: &SpanContext) -> Option<usize> {
        self.places.get(&ids(identity)).copied()
    }

    pub(super) fn parent(&self, place: usize) -> Option<usize> {
        self.parents[place]
    }

    pub(super) fn children(&self, place: usize) -> &[usize] {
        &self.children[place]
    }

    pub(super) fn roots(&self) -> Vec<usize> {
        let places = 0..self.parents.len();
        places.filter(|n| self.parents[*n].is_none()).collect()
    }

    /// Each span's place and depth, parents before their children.
    ///
    /// With a stack of its own: a trace may be deeper than the thread's.
    pub(super) fn walk(&self) -> Vec<(usize, usize)> {
        let mut next: Vec<_> = self.roots().into_iter().rev().map(|n| (n, 0)).collect();
        let mut walk = Vec::with_capacity(self.parents.len());
        while let Some((place, depth)) = next.pop() {
            walk.push((place, depth));
            let children = self.children[place].iter().rev();
            next.extend(children.map(|child| (*child, depth + 1)));
        }
        walk
    }

    /// The same spans, siblings in the order of what `key` makes of each and of what is below it.
    pub(super) fn sorted(&self, key: impl Fn(usize) -> String) -> Self {
        let mut keys: Vec<String> = (0..self.parents.len()).map(key).collect();
        // From the last to the first: children are ready when their parent's turn comes.
        for (place, children) in self.children.iter().enumerate().rev() {
            let mut children: Vec<_> = children.iter().map(|child| keys[*child].clone()).collect();
            children.sort_unstable();
            for child in children {
                keys[place].extend(["\n(", &child, ")"]);
            }
        }
        let by_key = |mut places: Vec<usize>| {
            places.sort_by(|one, other| keys[*one].cmp(&keys[*other]));
            places
        };
        let mut record = Record {
            entries: Vec::new(),
            ..self.record.clone()
        };
        let mut next = by_key(self.roots());
        next.reverse();
        while let Some(place) = next.pop() {
            record.entries.push(self.entry(place).clone());
            next.extend(by_key(self.children[place].clone()).into_iter().rev());
        }
        record.orphans.sort_unstable();
        record.hidden.sort_unstable();
        Forest::of(record)
    }
}
