//! Gzip (RFC 1952), with a state and a buffer that are kept from request to request.
//!
//! `flate2::write::GzEncoder` allocates its state, about 300 KiB, for each message.

use bytes::{Bytes, BytesMut};
use flate2::{Compress, Compression, Crc, FlushCompress, Status};

pub(super) struct Gzip {
    deflate: Compress,
    /// Free again when the last request is.
    buffer: BytesMut,
}

/// Deflate, without a name, a time and an operating system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

impl Gzip {
    pub(super) fn new() -> Self {
        Gzip {
            deflate: Compress::new(Compression::default(), false),
            buffer: BytesMut::new(),
        }
    }

    /// `None` if it cannot be compressed, which a valid state never says.
    pub(super) fn compress(&mut self, plain: &[u8]) -> Option<Bytes> {
        self.deflate.reset();
        self.buffer.clear();
        self.buffer.extend_from_slice(&HEADER);
        self.deflate(plain)?;
        let mut crc = Crc::new();
        crc.update(plain);
        self.buffer.extend_from_slice(&crc.sum().to_le_bytes());
        // By the format it is the length modulo 2^32.
        self.buffer.extend_from_slice(&crc.amount().to_le_bytes());
        Some(self.buffer.split().freeze())
    }

    fn deflate(&mut self, plain: &[u8]) -> Option<()> {
        const LEAST: usize = 1024;
        let mut end = self.buffer.len();
        loop {
            let read = usize::try_from(self.deflate.total_in()).ok()?;
            self.buffer.resize(end + LEAST.max(plain.len() / 4), 0);
            let before = self.deflate.total_out();
            let status = self.deflate.compress(
                plain.get(read..)?,
                self.buffer.get_mut(end..)?,
                FlushCompress::Finish,
            );
            let written = usize::try_from(self.deflate.total_out() - before).ok()?;
            end += written;
            match status.ok()? {
                Status::StreamEnd => break,
                // There was room, so that nothing more is to come.
                Status::Ok | Status::BufError if written == 0 => return None,
                Status::Ok | Status::BufError => {}
            }
        }
        self.buffer.truncate(end);
        Some(())
    }
}
