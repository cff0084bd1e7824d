//! A file: a header of 32 bytes, and an `ExportTraceServiceRequest`. Numbers are little-endian.
//!
//! | bytes | |
//! |---|---|
//! | 0..8 | `ENTRSPAN` |
//! | 8..12 | version of the format: 1 |
//! | 12..16 | spans |
//! | 16..24 | bytes of the request |
//! | 24..28 | 0 |
//! | 28..32 | CRC-32 of all others |

use bytes::Bytes;
use flate2::Crc;

use crate::export::encode::EncodedRequest;

pub(super) const HEADER: usize = 32;

/// Bytes of a request. A larger one is not written, and not read.
pub(super) const MOST_BYTES: usize = 64 << 20;

const MAGIC: [u8; 8] = *b"ENTRSPAN";
const VERSION: u32 = 1;

/// What a file holds.
#[derive(Debug)]
pub(super) enum Content {
    Request(EncodedRequest),
    /// For a newer version of this crate.
    Newer,
    /// It was not written to its end, or has changed.
    Broken,
}

pub(super) fn header(body: &[u8], spans: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header[12..16].copy_from_slice(&spans.to_le_bytes());
    header[16..24].copy_from_slice(&(body.len() as u64).to_le_bytes());
    let sum = checksum(&header, body);
    header[28..].copy_from_slice(&sum);
    header
}

fn checksum(header: &[u8; HEADER], body: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(&header[..28]);
    crc.update(body);
    crc.sum().to_le_bytes()
}

pub(super) fn read(file: Bytes) -> Content {
    let Some((header, body)) = file.split_first_chunk::<HEADER>() else {
        return Content::Broken;
    };
    let number = |at: usize| u32::from_le_bytes([at, at + 1, at + 2, at + 3].map(|at| header[at]));
    if header[..8] != MAGIC {
        return Content::Broken;
    }
    // Only what stands before is the same in all versions.
    if number(8) > VERSION {
        return Content::Newer;
    }
    let length = u64::from(number(16)) | u64::from(number(20)) << 32;
    let is_whole = number(8) == VERSION
        && length == body.len() as u64
        && checksum(header, body) == header[28..];
    if is_whole {
        Content::Request(EncodedRequest {
            spans: number(12) as usize,
            bytes: file.slice(HEADER..),
        })
    } else {
        Content::Broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let body = b"a request";
        [&header(body, 7)[..], body].concat()
    }

    #[test]
    fn what_was_written_is_read() {
        let read = read(file().into());
        let is_same = |EncodedRequest { bytes, spans }: &EncodedRequest| {
            (&**bytes, *spans) == (b"a request", 7)
        };
        assert!(matches!(&read, Content::Request(request) if is_same(request)));
    }

    /// Cut anywhere, or longer.
    #[test]
    fn a_file_that_is_not_whole_is_broken() {
        let whole = file();
        for length in 0..whole.len() {
            let cut = Bytes::copy_from_slice(&whole[..length]);
            assert!(matches!(read(cut), Content::Broken), "{length}");
        }
        let longer = [&whole[..], &[0]].concat();
        assert!(matches!(read(longer.into()), Content::Broken));
    }

    /// Each bit: of the header, of the sum and of the request. A higher version is a newer one, whatever follows.
    #[test]
    fn a_changed_bit_is_seen() {
        let whole = file();
        for bit in 0..whole.len() * 8 {
            let mut changed = whole.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let is_higher = (8..12).contains(&(bit / 8)) && bit != 8 * 8;
            let read = read(changed.into());
            let is_seen = match read {
                Content::Broken => !is_higher,
                Content::Newer => is_higher,
                Content::Request(_) => false,
            };
            assert!(is_seen, "{bit}: {read:?}");
        }
    }
}
