//! The place in source where a span is made: one static for each annotated function or block.
//!
//! Everything here is computed by the compiler; nothing of it costs anything at run time.

use std::borrow::Cow;
use std::panic::Location;

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;

/// The role of a span, in OpenTelemetry's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Work inside a process. The default.
    #[default]
    Internal,
    /// The handling of a request from outside.
    Server,
    /// A request to somebody else, and the wait for its answer.
    Client,
    /// The making of a message that somebody handles later.
    Producer,
    /// The handling of a message.
    Consumer,
}

impl From<Kind> for SpanKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Internal => SpanKind::Internal,
            Kind::Server => SpanKind::Server,
            Kind::Client => SpanKind::Client,
            Kind::Producer => SpanKind::Producer,
            Kind::Consumer => SpanKind::Consumer,
        }
    }
}

/// The crate that made a span: OpenTelemetry's instrumentation scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Library {
    pub name: &'static str,
    pub version: Option<&'static str>,
}

impl Library {
    /// The scope of spans whose call site no macro saw.
    pub(crate) const OURS: Library = Library {
        name: "enter_span",
        version: option_env!("CARGO_PKG_VERSION"),
    };

    /// Cargo's variables are absent in builds without Cargo; the module path is always there.
    pub const fn of(
        package: Option<&'static str>,
        version: Option<&'static str>,
        module: &'static str,
    ) -> Self {
        let name = match package {
            Some(package) => package,
            None => before_colons(module),
        };
        Library { name, version }
    }
}

/// What is known of a call site before the program runs.
#[derive(Debug)]
pub struct Site {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// A leaf is never made current: it is timed and exported, and has no children.
    pub(crate) leaf: bool,
    pub(crate) library: Library,
    pub(crate) code: Option<Code>,
}

/// The semantic conventions' `code.*` attributes.
#[derive(Debug)]
pub struct Code {
    function: &'static str,
    file: &'static str,
    line: u32,
}

impl Site {
    pub const fn new(name: &'static str, library: Library, code: Code) -> Self {
        Site {
            name,
            kind: Kind::Internal,
            leaf: false,
            library,
            code: Some(code),
        }
    }

    pub(crate) const fn anonymous() -> Self {
        Site {
            name: "",
            kind: Kind::Internal,
            leaf: false,
            library: Library::OURS,
            code: None,
        }
    }

    pub const fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    pub const fn leaf(mut self) -> Self {
        self.leaf = true;
        self
    }

    pub(crate) fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.name)
    }
}

impl Code {
    /// `file` is what `file!()` says: relative to the workspace, or absolute below a home folder
    /// for a dependency. Only the part inside the crate is kept.
    pub const fn new(
        function: &'static str,
        file: &'static str,
        crate_folder: Option<&'static str>,
    ) -> Self {
        let file = match crate_folder {
            Some(folder) => inside_crate(file, folder),
            None => after_last_src(file),
        };
        Code {
            function,
            file,
            line: 0,
        }
    }

    /// The line of the call of this.
    #[track_caller]
    pub const fn here(mut self) -> Self {
        self.line = Location::caller().line();
        self
    }

    pub(crate) const KEYS: [&'static str; 3] =
        ["code.function.name", "code.file.path", "code.line.number"];

    pub(crate) fn attributes(&self) -> [KeyValue; 3] {
        let [function, file, line] = Self::KEYS;
        [
            KeyValue::new(function, self.function),
            KeyValue::new(file, self.file),
            KeyValue::new(line, i64::from(self.line)),
        ]
    }
}

const fn before_colons(path: &'static str) -> &'static str {
    let bytes = path.as_bytes();
    let mut end = 0;
    while end < bytes.len() && bytes[end] != b':' {
        end += 1;
    }
    utf8(bytes.split_at(end).0)
}

/// Takes off the longest head of `file` that is also a tail of `folder`.
const fn inside_crate(file: &'static str, folder: &str) -> &'static str {
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
const fn after_last_src(file: &'static str) -> &'static str {
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

/// The cuts above fall on ASCII bytes, so this cannot fail.
const fn utf8(bytes: &'static [u8]) -> &'static str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}
