//! The path of a source file inside of its crate, cut by the compiler.

/// Takes off the longest head of `file` that is also a tail of `folder`.
pub(crate) const fn inside_crate(file: &'static str, folder: &str) -> &'static str {
    let file_bytes = file.as_bytes();
    let folder = folder.as_bytes();
    let mut head = if file_bytes.len() < folder.len() {
        file_bytes.len()
    } else {
        folder.len() + 1
    };
    while head > 1 {
        head -= 1;
        if head < file_bytes.len()
            && is_separator(file_bytes[head])
            && is_tail(folder, file_bytes.split_at(head).0)
        {
            return utf8(file_bytes.split_at(head + 1).1);
        }
    }
    after_last_src(file)
}

/// Whether `folder` ends with `tail`, at the border of a path segment.
const fn is_tail(folder: &[u8], tail: &[u8]) -> bool {
    if tail.len() > folder.len() {
        return false;
    }
    let offset = folder.len() - tail.len();
    if offset > 0 && !is_separator(folder[offset - 1]) {
        return false;
    }
    let mut index = 0;
    while index < tail.len() {
        let same = folder[offset + index] == tail[index]
            || is_separator(folder[offset + index]) && is_separator(tail[index]);
        if !same {
            return false;
        }
        index += 1;
    }
    true
}

/// A relative path is kept; of an absolute one, only what follows the last `src` folder, or the
/// file's own name.
pub(crate) const fn after_last_src(file: &'static str) -> &'static str {
    let bytes = file.as_bytes();
    let absolute = matches!(bytes, [b'/' | b'\\', ..] | [_, b':', ..]);
    if !absolute {
        return file;
    }
    let mut start = bytes.len();
    while start > 0 {
        start -= 1;
        let tail = bytes.split_at(start + 1).1;
        if is_separator(bytes[start]) && matches!(tail, [b's', b'r', b'c', b'/' | b'\\', ..]) {
            return utf8(tail);
        }
    }
    file_name(file)
}

const fn file_name(file: &'static str) -> &'static str {
    let bytes = file.as_bytes();
    let mut start = bytes.len();
    while start > 0 && !is_separator(bytes[start - 1]) {
        start -= 1;
    }
    utf8(bytes.split_at(start).1)
}

const fn is_separator(byte: u8) -> bool {
    byte == b'/' || byte == b'\\'
}

/// For cuts that fall on ASCII bytes, where this cannot fail.
pub(crate) const fn utf8(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}
