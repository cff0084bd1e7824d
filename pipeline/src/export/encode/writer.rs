//! Protocol Buffers, written from the back to the front.
//!
//! The length of a message stands before it. Written backwards, each length is known when its turn comes:
//! nothing is measured before or moved afterwards, and each number takes as few bytes as it can. So the
//! fields of a message are written in falling order, the last element of a list first.

use bytes::BytesMut;

/// The tag of a field that holds a message, a text or bytes.
pub(super) const fn message(field: u8) -> u8 {
    field << 3 | 2
}

/// The tag of a field that holds a number of variable length.
pub(super) const fn number(field: u8) -> u8 {
    field << 3
}

/// The tag of a field that holds a number of eight bytes.
pub(super) const fn fixed64(field: u8) -> u8 {
    field << 3 | 1
}

/// The tag of a field that holds a number of four bytes.
pub(super) const fn fixed32(field: u8) -> u8 {
    field << 3 | 5
}

/// Fills a buffer from its end. It grows when its front is reached.
#[derive(Default)]
pub(super) struct Writer {
    buffer: BytesMut,
    /// Where the written part begins.
    at: usize,
}

impl Writer {
    /// Overwrites this buffer.
    pub(super) fn new(buffer: BytesMut) -> Self {
        let at = buffer.len();
        Writer { buffer, at }
    }

    /// The buffer. What was written stands at its end.
    pub(super) fn into_buffer(self) -> BytesMut {
        self.buffer
    }

    /// How many bytes were written.
    #[inline]
    pub(super) fn written(&self) -> usize {
        self.buffer.len() - self.at
    }

    /// What was written since so many bytes were.
    pub(super) fn since(&self, written: usize) -> &[u8] {
        &self.buffer[self.at..self.buffer.len() - written]
    }

    /// Forgets what was written since so many bytes were.
    pub(super) fn rewind(&mut self, written: usize) {
        self.at = self.buffer.len() - written;
    }

    /// Makes what was written since so many bytes were the content of a field.
    #[inline]
    pub(super) fn wrap(&mut self, tag: u8, written: usize) {
        self.begin(tag, self.written() - written);
    }

    /// A field with a text or with bytes, also if they are empty.
    #[inline]
    pub(super) fn field(&mut self, tag: u8, content: &[u8]) {
        self.bytes(content);
        self.begin(tag, content.len());
    }

    /// A field with a text. An empty one is the default, which is not written.
    #[inline]
    pub(super) fn text(&mut self, tag: u8, text: &str) {
        if !text.is_empty() {
            self.field(tag, text.as_bytes());
        }
    }

    /// A field with a count. Zero is the default, which is not written.
    #[inline]
    pub(super) fn count(&mut self, tag: u8, count: u32) {
        if count > 0 {
            self.varint(u64::from(count));
            self.array([tag]);
        }
    }

    /// A field with nanoseconds. Zero is the default, which is not written.
    #[inline]
    pub(super) fn nanos(&mut self, tag: u8, nanos: u64) {
        if nanos > 0 {
            self.array(nanos.to_le_bytes());
            self.array([tag]);
        }
    }

    #[inline]
    fn begin(&mut self, tag: u8, length: usize) {
        if length < 0x80 {
            self.array([tag, length as u8]);
        } else {
            self.varint(length as u64);
            self.array([tag]);
        }
    }

    #[inline]
    pub(super) fn varint(&mut self, value: u64) {
        if value < 0x80 {
            self.array([value as u8]);
        } else {
            self.long_varint(value);
        }
    }

    fn long_varint(&mut self, value: u64) {
        let length = (70 - value.leading_zeros() as usize) / 7;
        let mut rest = value;
        let place = self.place(length);
        for byte in place.iter_mut() {
            *byte = rest as u8 | 0x80;
            rest >>= 7;
        }
        if let Some(last) = place.last_mut() {
            *last &= 0x7f;
        }
    }

    #[inline]
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.place(bytes.len()).copy_from_slice(bytes);
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        self.place(N).copy_from_slice(&bytes);
    }

    #[inline]
    fn place(&mut self, length: usize) -> &mut [u8] {
        if self.at < length {
            self.grow(length);
        }
        let end = self.at;
        self.at = end - length;
        &mut self.buffer[self.at..end]
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        const FIRST: usize = 4096;
        let (length, written) = (self.buffer.len(), self.written());
        let mut larger = BytesMut::zeroed((2 * length).max(written + more).max(FIRST));
        let at = larger.len() - written;
        larger[at..].copy_from_slice(&self.buffer[self.at..]);
        (self.buffer, self.at) = (larger, at);
    }
}
