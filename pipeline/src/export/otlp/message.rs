//! What a receiver answers, in protobuf: `ExportTraceServiceResponse` and `google.rpc.Status`.
//!
//! These are bytes of a stranger. Nothing here allocates more than it was given, recurses or panics.
//! Unknown fields are skipped, as protobuf asks.

use std::borrow::Cow;
use std::time::Duration;

use super::answer::Taken;

/// A message in the format of the wire, field by field.
struct Fields<'a>(&'a [u8]);

/// The value of one field. Fixed values are in none of the messages that are read here.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// Bytes that are no protobuf, or another message.
#[derive(Debug)]
pub(super) struct Malformed;

type Field<'a> = (u64, Value<'a>);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(Malformed))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<Field<'a>> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            // Groups are older than all of these messages.
            _ => return None,
        };
        let number = key >> 3;
        (number > 0).then_some((number, value))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Reads an `ExportTraceServiceResponse`.
pub(super) fn taken(message: &[u8]) -> Result<Taken, Malformed> {
    let mut taken = Taken::default();
    for field in Fields(message) {
        if let (1, Value::Bytes(partial_success)) = field? {
            read_partial_success(partial_success, &mut taken)?;
        }
    }
    Ok(taken)
}

fn read_partial_success(message: &[u8], taken: &mut Taken) -> Result<(), Malformed> {
    for field in Fields(message) {
        match field? {
            // A negative number is none.
            (1, Value::Number(number)) => {
                taken.rejected = i64::from_ne_bytes(number.to_ne_bytes())
                    .max(0)
                    .unsigned_abs();
            }
            (2, Value::Bytes(message)) => taken.message = text(message).into_owned(),
            _ => {}
        }
    }
    Ok(())
}

/// What is read of a `google.rpc.Status`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RpcStatus {
    pub(super) message: String,
    /// Of its `RetryInfo`, if there is one.
    pub(super) retry_delay: Option<Duration>,
}

/// Reads a `google.rpc.Status`.
pub(super) fn rpc_status(message: &[u8]) -> Result<RpcStatus, Malformed> {
    let mut status = RpcStatus::default();
    for field in Fields(message) {
        match field? {
            (2, Value::Bytes(message)) => status.message = text(message).into_owned(),
            (3, Value::Bytes(detail)) => {
                status.retry_delay = retry_delay(detail)?.or(status.retry_delay);
            }
            _ => {}
        }
    }
    Ok(status)
}

/// Of a `google.protobuf.Any` that is a `RetryInfo`.
fn retry_delay(any: &[u8]) -> Result<Option<Duration>, Malformed> {
    let (mut is_retry_info, mut value) = (false, &[][..]);
    for field in Fields(any) {
        match field? {
            (1, Value::Bytes(url)) => is_retry_info = url.ends_with(b"/google.rpc.RetryInfo"),
            (2, Value::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    if !is_retry_info {
        return Ok(None);
    }
    let mut delay: Option<Delay> = None;
    for field in Fields(value) {
        if let (1, Value::Bytes(bytes)) = field? {
            delay.get_or_insert_default().read(bytes)?;
        }
    }
    Ok(delay.map(Delay::duration))
}

/// A `google.protobuf.Duration`.
#[derive(Default)]
struct Delay {
    seconds: i64,
    nanoseconds: i64,
}

impl Delay {
    /// A message that comes twice is merged, as protobuf asks.
    fn read(&mut self, message: &[u8]) -> Result<(), Malformed> {
        for field in Fields(message) {
            match field? {
                (1, Value::Number(number)) => self.seconds = number.cast_signed(),
                (2, Value::Number(number)) => self.nanoseconds = number.cast_signed(),
                _ => {}
            }
        }
        Ok(())
    }

    /// A negative one is over.
    fn duration(self) -> Duration {
        let seconds = u64::try_from(self.seconds).unwrap_or_default();
        let nanoseconds = u32::try_from(self.nanoseconds).unwrap_or_default();
        Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanoseconds.into()))
    }
}
