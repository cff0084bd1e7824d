//! The place in source where a span is made: one static for each annotated function or block.
//!
//! Everything here is computed by the compiler; nothing of it costs anything at run time.

use std::borrow::Cow;
use std::panic::Location;

use opentelemetry::trace::SpanKind;
use opentelemetry::{InstrumentationScope, KeyValue};

use crate::backend::source_path::{after_last_src, inside_crate, utf8};
#[cfg(feature = "tracing")]
use crate::mirror::callsite::{Callsite, SiteMirror, Source};
use crate::outcome::failure::ErrorDetail;

/// The role of a span, in OpenTelemetry's words.
//
// Numbered as OpenTelemetry's own: then there is nothing to convert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Work inside a process. The default.
    #[default]
    Internal = 4,
    /// The handling of a request from outside.
    Server = 1,
    /// A request to somebody else, and the wait for its answer.
    Client = 0,
    /// The making of a message that somebody handles later.
    Producer = 2,
    /// The handling of a message.
    Consumer = 3,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    pub(crate) name: Cow<'static, str>,
    pub(crate) version: Option<Cow<'static, str>>,
}

impl Library {
    /// The scope of spans whose call site no macro saw.
    pub(crate) const OURS: Library =
        Library::of(Some("enter_span"), option_env!("CARGO_PKG_VERSION"), "");

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
        Library {
            name: Cow::Borrowed(name),
            version: match version {
                Some(version) => Some(Cow::Borrowed(version)),
                None => None,
            },
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// As OpenTelemetry has it.
    pub fn scope(&self) -> InstrumentationScope {
        let scope = InstrumentationScope::builder(self.name.clone());
        match self.version.clone() {
            Some(version) => scope.with_version(version).build(),
            None => scope.build(),
        }
    }
}

/// Where call sites are: the same for all of a module, so that the linker keeps it once.
#[derive(Debug)]
pub struct Module {
    library: Library,
    file: &'static str,
    #[cfg(feature = "tracing")]
    path: &'static str,
}

impl Module {
    /// `file` is what `file!()` says: relative to the workspace, or absolute below a home folder
    /// for a dependency. Only the part inside the crate is kept.
    pub const fn new(
        library: Library,
        file: &'static str,
        crate_folder: Option<&'static str>,
    ) -> Self {
        let file = match crate_folder {
            Some(folder) => inside_crate(file, folder),
            None => after_last_src(file),
        };
        Module {
            library,
            file,
            #[cfg(feature = "tracing")]
            path: "",
        }
    }

    /// The path of the module, which is kept for mirrors.
    #[cfg_attr(
        not(feature = "tracing"),
        expect(unused_mut, unused_variables, reason = "there are no mirrors")
    )]
    pub const fn path(mut self, path: &'static str) -> Self {
        #[cfg(feature = "tracing")]
        {
            self.path = path;
        }
        self
    }
}

/// What is known of a call site before the program runs. Small, since each function has one.
#[derive(Debug)]
pub struct Site {
    /// The path of the function, empty where no macro saw the call site; then the span's name,
    /// unless the path ends with it.
    text: &'static str,
    module: &'static Module,
    line: u32,
    /// The length of the name.
    name: u16,
    kind: Kind,
    flags: u8,
    #[cfg(feature = "tracing")]
    mirror: SiteMirror,
}

/// The name follows the path in the text, and is not the end of it.
const NAMED: u8 = 1;

/// A leaf is never made current: it is timed and exported, and has no children.
const LEAF: u8 = 2;

/// The spans below it that are still open end with it.
const ENDS_CHILDREN: u8 = 4;

/// Where the most that an error may say stands; zero is no limit of the function's own.
const DETAIL: u8 = 8;

impl Site {
    /// `text` ends with a name of so many bytes, which is the end of the path too.
    pub const fn new(text: &'static str, name: usize, module: &'static Module) -> Self {
        assert!(
            name <= u16::MAX as usize,
            "the name of a span is longer than 64 KiB"
        );
        Site {
            text,
            module,
            line: 0,
            name: name as u16,
            kind: Kind::Internal,
            flags: 0,
            #[cfg(feature = "tracing")]
            mirror: SiteMirror::new(),
        }
    }

    /// The line of the call of this.
    #[track_caller]
    pub const fn here(mut self) -> Self {
        self.line = Location::caller().line();
        self
    }

    /// A line that is known only at run time.
    pub const fn at_line(mut self, line: u32) -> Self {
        self.line = line;
        self
    }

    /// The name stands after the path.
    pub const fn named(mut self) -> Self {
        self.flags |= NAMED;
        self
    }

    /// For a span whose call site no macro saw: it has a name from elsewhere, and no place.
    pub(crate) const fn anonymous() -> Self {
        const OURS: &Module = &Module {
            library: Library::OURS,
            file: "",
            #[cfg(feature = "tracing")]
            path: "enter_span",
        };
        Site::new("", 0, OURS)
    }

    #[inline]
    pub fn library(&self) -> &'static Library {
        &self.module.library
    }

    #[inline]
    pub fn role(&self) -> Kind {
        self.kind
    }

    pub const fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    pub const fn leaf(mut self) -> Self {
        self.flags |= LEAF;
        self
    }

    pub const fn ends_children(mut self) -> Self {
        self.flags |= ENDS_CHILDREN;
        self
    }

    /// The keys that are written at the call site, which are kept for mirrors.
    #[cfg_attr(
        not(feature = "tracing"),
        expect(unused_mut, unused_variables, reason = "there are no mirrors")
    )]
    pub const fn fields(mut self, keys: &'static [&'static str]) -> Self {
        #[cfg(feature = "tracing")]
        {
            self.mirror.fields = keys;
        }
        self
    }

    /// The callsite of its mirrors, if a subscriber may want them. A leaf is never current, so nothing would be shown
    /// in one.
    #[cfg(feature = "tracing")]
    pub(crate) fn wanted_mirror(&'static self) -> Option<&'static Callsite> {
        if self.is_leaf() {
            return None;
        }
        self.mirror.wanted(|| {
            let name = Some(self.name()).filter(|name| !name.is_empty());
            let module = Some(self.module.path).filter(|path| !path.is_empty());
            Source {
                name: name.unwrap_or("enter_span"),
                module: module.unwrap_or(&self.module.library.name),
                file: self.module.file,
                line: self.line,
            }
        })
    }

    /// The function lets errors, and panics, say no more than this.
    pub const fn at_most(mut self, most: ErrorDetail) -> Self {
        self.flags |= DETAIL * (1 + most as u8);
        self
    }

    #[inline]
    pub(crate) fn most_detail(&self) -> ErrorDetail {
        match self.flags / DETAIL {
            1 => ErrorDetail::Status,
            2 => ErrorDetail::Type,
            3 => ErrorDetail::Message,
            _ => ErrorDetail::Full,
        }
    }

    #[inline]
    pub(crate) fn is_leaf(&self) -> bool {
        self.flags & LEAF != 0
    }

    #[inline]
    pub(crate) fn does_end_children(&self) -> bool {
        self.flags & ENDS_CHILDREN != 0
    }

    #[inline]
    pub fn name(&self) -> &'static str {
        &self.text[self.name_start()..]
    }

    /// Bytes of the name.
    #[inline]
    pub(crate) fn name_len(&self) -> usize {
        usize::from(self.name)
    }

    #[inline]
    fn name_start(&self) -> usize {
        self.text.len() - usize::from(self.name)
    }

    #[inline]
    fn path(&self) -> &'static str {
        match self.flags & NAMED {
            0 => self.text,
            _ => &self.text[..self.name_start()],
        }
    }

    /// The semantic conventions' `code.*` attributes.
    pub const CODE_KEYS: [&'static str; 3] =
        ["code.function.name", "code.file.path", "code.line.number"];

    /// Hands out the pairs; none where no macro saw the call site.
    #[inline]
    pub fn each_code(&self, mut pair: impl FnMut(KeyValue)) {
        if let Some((function, file, line)) = self.location() {
            let [function_key, file_key, line_key] = Self::CODE_KEYS;
            pair(KeyValue::new(function_key, function));
            pair(KeyValue::new(file_key, file));
            pair(KeyValue::new(line_key, i64::from(line)));
        }
    }

    /// Whether a macro saw the call site.
    #[inline]
    pub(crate) fn has_location(&self) -> bool {
        let path = match self.flags & NAMED {
            0 => self.text.len(),
            _ => self.name_start(),
        };
        path > 0
    }

    /// The path of the function, the file inside of its crate, and the line; `None` where no macro saw
    /// the call site.
    #[inline]
    pub fn location(&self) -> Option<(&'static str, &'static str, u32)> {
        let path = self.path();
        (!path.is_empty()).then_some((path, self.module.file, self.line))
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
