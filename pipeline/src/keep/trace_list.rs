//! Traces that are not decided, in the order in which they came. Each is found by its number, and removed
//! wherever it is.

use crate::keep::pending_trace::PendingTrace;

#[derive(Default)]
pub(super) struct TraceList {
    slots: Vec<Slot>,
    free: Vec<u32>,
    oldest: Option<u32>,
    newest: Option<u32>,
}

struct Slot {
    trace: Option<PendingTrace>,
    older: Option<u32>,
    newer: Option<u32>,
}

impl TraceList {
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(super) fn oldest(&self) -> Option<(u32, &PendingTrace)> {
        let number = self.oldest?;
        Some((number, self.slot(number)?.trace.as_ref()?))
    }

    #[inline]
    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut PendingTrace> {
        self.slots.get_mut(number as usize)?.trace.as_mut()
    }

    pub(super) fn get(&self, number: u32) -> Option<&PendingTrace> {
        self.slot(number)?.trace.as_ref()
    }

    fn slot(&self, number: u32) -> Option<&Slot> {
        self.slots.get(number as usize)
    }

    pub(super) fn push(&mut self, trace: PendingTrace) -> u32 {
        let slot = Slot {
            trace: Some(trace),
            older: self.newest,
            newer: None,
        };
        let number = match self.free.pop() {
            Some(number) => {
                self.slots[number as usize] = slot;
                number
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        match self.newest {
            Some(newest) => self.slots[newest as usize].newer = Some(number),
            None => self.oldest = Some(number),
        }
        self.newest = Some(number);
        number
    }

    pub(super) fn remove(&mut self, number: u32) -> Option<PendingTrace> {
        let slot = self.slots.get_mut(number as usize)?;
        let trace = slot.trace.take()?;
        let (older, newer) = (slot.older, slot.newer);
        match older {
            Some(older) => self.slots[older as usize].newer = newer,
            None => self.oldest = newer,
        }
        match newer {
            Some(newer) => self.slots[newer as usize].older = older,
            None => self.newest = older,
        }
        self.free.push(number);
        if self.free.len() == self.slots.len() {
            self.shrink();
        }
        Some(trace)
    }

    /// Nothing is left. What a flood needed is given back.
    fn shrink(&mut self) {
        const FEW: usize = 1024;
        if self.slots.len() > FEW {
            *self = TraceList::default();
        }
    }
}
