//! The `code.*` attributes of call sites, encoded once for each.

use std::ptr;

use enter_span::native::Site;
use opentelemetry::Value;

use super::attribute::attribute;
use super::span::ATTRIBUTE;
use super::writer::Writer;
use crate::queue::span_list::head;

/// As many sites as it has slots, at most. Each site has one slot, which it may have to share: then it is
/// encoded anew, and nothing grows.
#[derive(Default)]
pub(super) struct SiteCache {
    slots: Vec<Slot>,
    /// Characters of a text.
    text: Option<usize>,
}

#[derive(Clone, Default)]
struct Slot {
    site: Option<&'static Site>,
    code: Box<[u8]>,
    /// Where the first attributes end, by their number.
    ends: [usize; 4],
}

const SLOTS_LOG2: u32 = 10;

impl SiteCache {
    /// What was encoded with another limit is forgotten.
    pub(super) fn limit_text(&mut self, text: Option<usize>) {
        if self.slots.is_empty() || self.text != text {
            self.slots.clear();
            self.slots.resize(1 << SLOTS_LOG2, Slot::default());
            self.text = text;
        }
    }

    /// So many of the attributes, the first ones.
    #[inline]
    pub(super) fn code(&mut self, site: &'static Site, count: u8) -> &[u8] {
        let text = self.text;
        let Some(slot) = self.slots.get_mut(slot_of(site)) else {
            return &[];
        };
        if !slot.site.is_some_and(|known| ptr::eq(known, site)) {
            *slot = Slot::encode(site, text);
        }
        let end = slot.ends[usize::from(count).min(3)];
        &slot.code[..end]
    }
}

/// By the upper bits of its address times the golden ratio: sites stand beside each other.
#[inline]
fn slot_of(site: &'static Site) -> usize {
    let address = ptr::from_ref(site).addr() as u64;
    (address.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - SLOTS_LOG2)) as usize
}

impl Slot {
    #[cold]
    fn encode(site: &'static Site, text: Option<usize>) -> Self {
        let mut writer = Writer::default();
        let mut starts = [0; 4];
        if let Some((function, file, line)) = site.location() {
            let values: [Value; 3] = [
                head(function, text).into(),
                head(file, text).into(),
                i64::from(line).into(),
            ];
            // From the back to the front, as all is written.
            let pairs = Site::CODE_KEYS.iter().zip(&values).enumerate();
            for (index, (key, value)) in pairs.rev() {
                attribute(&mut writer, ATTRIBUTE, key, value);
                starts[index] = writer.written();
            }
        }
        let all = writer.written();
        Slot {
            site: Some(site),
            code: writer.since(0).into(),
            ends: starts.map(|start| all - start),
        }
    }
}
