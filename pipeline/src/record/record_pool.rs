//! Records that a thread keeps for the next spans of other instrumentation: they are empty.

use std::cell::RefCell;

use enter_span::native::Record;

const MOST: usize = 64;

thread_local! {
    #[expect(clippy::vec_box, reason = "it is the boxes that are used again")]
    static SPARE: RefCell<Vec<Box<Record>>> = const { RefCell::new(Vec::new()) };
}

#[inline]
pub(crate) fn take() -> Box<Record> {
    let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
    spare.ok().flatten().unwrap_or_default()
}

#[inline]
pub(crate) fn keep(record: Box<Record>) {
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < MOST {
            spare.push(record);
        }
    });
}
