//! Short names for the eye, out of the long ones that machines give.
//!
//! All of it is cut out of what was given: nothing is allocated, and nothing is found that is not there.

use std::borrow::Cow;
use std::fmt;

/// A name of the form `tag//module//function`, as engines for durable work give them, in its parts.
///
/// ```
/// use enter_span::invocation::MachineName;
///
/// let name = MachineName::parse("step", "step//@acme/tasks@2.0.0//orders/charge");
/// let name = name.expect("a step");
/// assert_eq!(name.short_name(), "charge");
/// assert_eq!(name.module(), "@acme/tasks@2.0.0");
/// assert_eq!(name.to_string(), "charge (@acme/tasks@2.0.0)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineName<'a> {
    module: &'a str,
    function: &'a str,
}

/// What begins the name of a machine.
const TAGS: [&str; 3] = ["workflow", "step", "class"];

/// The short name of a piece of work: the last part of `workflow//module//function`, of its form in the
/// name of a queue (`workflow--module--function`), or of a path in Rust.
///
/// Of a function that is its module's `default` it is the name of the module; of a path, generics,
/// `{{closure}}` and `r#` are left out. What has another form stays as it is. It never panics and never
/// allocates.
///
/// ```
/// use enter_span::invocation::display_name;
///
/// assert_eq!(display_name("workflow//./src/jobs/order//processOrder"), "processOrder");
/// assert_eq!(display_name("step----src-jobs-order--chargeCard"), "chargeCard");
/// assert_eq!(display_name("shop::orders::Order<T>::charge::{{closure}}"), "charge");
/// assert_eq!(display_name("my-plain-name"), "my-plain-name");
/// ```
pub fn display_name(name: &str) -> Cow<'_, str> {
    let short = TAGS.iter().find_map(|tag| short_of_machine(tag, name));
    Cow::Borrowed(last_of_path(short.unwrap_or(name)))
}

/// The same for one kind of machine names: those of other tags stay as they are.
///
/// ```
/// use enter_span::invocation::display_name_as;
///
/// assert_eq!(display_name_as("step", "step//./src/jobs/order//default"), "order");
/// assert_eq!(display_name_as("step", "workflow--wrong-tag--fn"), "workflow--wrong-tag--fn");
/// ```
pub fn display_name_as<'a>(tag: &str, name: &'a str) -> Cow<'a, str> {
    Cow::Borrowed(last_of_path(short_of_machine(tag, name).unwrap_or(name)))
}

fn short_of_machine<'a>(tag: &str, name: &'a str) -> Option<&'a str> {
    let short = match MachineName::parse(tag, name) {
        Some(parsed) => parsed.short_name(),
        None => short_of_queue(tag, name)?,
    };
    (!short.is_empty()).then_some(short)
}

impl<'a> MachineName<'a> {
    /// The parts of a name with this tag. `None` if it has another one, or another form.
    pub fn parse(tag: &str, name: &'a str) -> Option<Self> {
        let rest = name.strip_prefix(tag)?.strip_prefix("//")?;
        let (module, function) = rest.split_once("//")?;
        Some(MachineName { module, function })
    }

    /// The module, with its scope and its version.
    pub fn module(&self) -> &'a str {
        self.module
    }

    /// The function, with those around it.
    pub fn function(&self) -> &'a str {
        self.function
    }

    /// The innermost function; of a module's default one, the module's own name, without scope and
    /// version.
    pub fn short_name(&self) -> &'a str {
        if is_default(self.function) {
            without_version(last_of(self.module, '/'))
        } else {
            last_of(self.function, '/')
        }
    }
}

/// The short name, with the module.
impl fmt::Display for MachineName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.short_name(), self.module)
    }
}

/// In the name of a queue every character but letters, digits, `-` and `_` is `-`, so what stands
/// between two of them cannot be told from a part of a name.
fn short_of_queue<'a>(tag: &str, name: &'a str) -> Option<&'a str> {
    let rest = name.strip_prefix(tag)?.strip_prefix("--")?;
    let (module, function) = rest.rsplit_once("--")?;
    Some(if is_default(function) {
        last_of(module, '-')
    } else {
        last_of(function, '-')
    })
}

fn is_default(function: &str) -> bool {
    matches!(function, "default" | "__default")
}

fn last_of(text: &str, separator: char) -> &str {
    text.rsplit_once(separator).map_or(text, |(_, last)| last)
}

/// A scope begins with the same sign.
fn without_version(package: &str) -> &str {
    match package.rsplit_once('@') {
        Some((name, _)) if !name.is_empty() => name,
        _ => package,
    }
}

/// The last name of a path in Rust; the whole text, if it is none.
fn last_of_path(text: &str) -> &str {
    let last = last_of_path_before(text).map(|last| last.strip_prefix("r#").unwrap_or(last));
    last.filter(|last| is_name(last)).unwrap_or(text)
}

fn last_of_path_before(text: &str) -> Option<&str> {
    let mut path = text;
    while let Some(shorter) = without_closure(path).or_else(|| without_generics(path)) {
        path = shorter;
    }
    match path.rsplit_once("::") {
        Some((before, last)) => is_path(before).then_some(last),
        None => Some(path),
    }
}

/// `{{closure}}`, `{closure#0}`, `{{impl}}` and their like.
fn without_closure(path: &str) -> Option<&str> {
    let inside = path.strip_suffix('}')?;
    let start = inside.rfind("::{")?;
    path.get(..start)
}

fn without_generics(path: &str) -> Option<&str> {
    path.strip_suffix('>')?;
    let mut depth = 0_usize;
    let mut after = None;
    for (place, character) in path.char_indices().rev() {
        match character {
            '>' => depth += 1,
            '<' => depth = depth.checked_sub(1)?,
            // An arrow is no bracket.
            '-' if after == Some('>') => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            let before = path.get(..place)?;
            return Some(before.strip_suffix("::").unwrap_or(before))
                .filter(|path| !path.is_empty());
        }
        after = Some(character);
    }
    None
}

/// Outside of its generics it has no white space, as a sentence has.
fn is_path(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut before = None;
    text.chars().all(|character| {
        match character {
            '<' => depth += 1,
            '>' if before != Some('-') => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = Some(character);
        depth > 0 || !character.is_whitespace()
    })
}

fn is_name(text: &str) -> bool {
    let may_begin = |character: char| character == '_' || character.is_alphabetic();
    let may_follow = |character: char| character == '_' || character.is_alphanumeric();
    text.starts_with(may_begin) && text.chars().all(may_follow)
}
