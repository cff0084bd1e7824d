//! Counts the spans of a request without decoding them, so that the receiver stays cheap.

/// Spans in an `ExportTraceServiceRequest`. What follows a malformed field is not counted, and shows as
/// lost spans.
pub(crate) fn spans(request: &[u8]) -> u64 {
    // The request's `resource_spans`, their `scope_spans`, and the `spans` of these.
    let resources = Fields::numbered(1, request);
    let scopes = resources.flat_map(|resource| Fields::numbered(2, resource));
    scopes
        .map(|scope| Fields::numbered(2, scope).count() as u64)
        .sum()
}

/// The fields of one number in a message whose fields all have a length, as those of the three have.
struct Fields<'a> {
    number: u64,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn numbered(number: u64, message: &'a [u8]) -> Self {
        Fields {
            number,
            rest: message,
        }
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        const WITH_LENGTH: u64 = 2;
        loop {
            let tag = self.varint()?;
            let length = self.varint()?.try_into().ok()?;
            let (field, rest) = self.rest.split_at_checked(length)?;
            self.rest = rest;
            if tag == self.number << 3 | WITH_LENGTH {
                return Some(field);
            }
        }
    }
}
