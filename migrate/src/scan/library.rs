//! The libraries whose attributes are rewritten.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Library {
    Tracing,
    Fastrace,
}

impl Library {
    /// The name of its attribute.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Library::Tracing => "instrument",
            Library::Fastrace => "trace",
        }
    }

    /// Which library's attribute a whole path is.
    pub(crate) fn of_path(path: &[String]) -> Option<Self> {
        let [krate, name] = path else {
            return None;
        };
        let library = Library::of_crate(krate)?;
        (library.attribute() == name).then_some(library)
    }

    pub(crate) fn of_crate(name: &str) -> Option<Self> {
        match name {
            "tracing" | "tracing_attributes" => Some(Library::Tracing),
            "fastrace" | "fastrace_macro" => Some(Library::Fastrace),
            _ => None,
        }
    }
}
