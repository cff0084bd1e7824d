//! What is known of a callsite of `tracing`: the sites that its spans start at, made once.
//!
//! Sites are leaked: there are as many as callsites, which live as long as the process. Each thread keeps what it
//! has found, so that threads do not wait for each other.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{OnceLock, PoisonError, RwLock};

use enter_span::native::{Kind, Library, Module, Site};
use tracing_core::Metadata;
use tracing_core::callsite::Identifier;

use crate::special_fields;

/// The field of mirrors, by any version of `enter-span`.
const MIRROR_FIELD: &str = "enter_span.mirror";

/// A callsite of `tracing`.
pub(crate) struct Callsite {
    metadata: &'static Metadata<'static>,
    /// OpenTelemetry's own events are not recorded.
    pub(crate) is_internal: bool,
    /// Its spans show spans of `enter-span`, which are recorded already.
    pub(crate) is_mirror: bool,
    /// Whether its spans may say their role.
    pub(crate) has_kind: bool,
    /// Whether its spans have fields that mean more than an attribute.
    pub(crate) has_special: bool,
    library: OnceLock<Library>,
    /// One for each role, with its place in source and without.
    sites: [[OnceLock<&'static Site>; ROLES.len()]; 2],
}

const ROLES: [Kind; 5] = [
    Kind::Internal,
    Kind::Server,
    Kind::Client,
    Kind::Producer,
    Kind::Consumer,
];

static CALLSITES: RwLock<Callsites> = RwLock::new(HashMap::with_hasher(BuildHasherDefault::new()));

type Callsites = HashMap<Identifier, &'static Callsite, BuildHasherDefault<AddressHasher>>;

thread_local! {
    static FOUND: RefCell<Callsites> = const {
        RefCell::new(HashMap::with_hasher(BuildHasherDefault::new()))
    };
}

/// The callsite of this metadata.
pub(crate) fn of(metadata: &'static Metadata<'static>) -> &'static Callsite {
    let identifier = metadata.callsite();
    let found = FOUND.try_with(|found| {
        let mut found = found.try_borrow_mut().ok()?;
        let callsite = found.entry(identifier.clone());
        Some(*callsite.or_insert_with(|| shared(identifier.clone(), metadata)))
    });
    match found {
        Ok(Some(callsite)) => callsite,
        // A dying thread.
        _ => shared(identifier, metadata),
    }
}

#[cold]
fn shared(identifier: Identifier, metadata: &'static Metadata<'static>) -> &'static Callsite {
    let known = CALLSITES.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(callsite) = known.get(&identifier) {
        return callsite;
    }
    drop(known);
    let mut known = CALLSITES.write().unwrap_or_else(PoisonError::into_inner);
    known
        .entry(identifier)
        .or_insert_with(|| Box::leak(Box::new(Callsite::new(metadata))))
}

impl Callsite {
    fn new(metadata: &'static Metadata<'static>) -> Self {
        Callsite {
            metadata,
            is_internal: metadata.target().starts_with("opentelemetry"),
            is_mirror: metadata.fields().field(MIRROR_FIELD).is_some(),
            has_kind: special_fields::have_kind(metadata.fields()),
            has_special: special_fields::are_among(metadata.fields()),
            library: OnceLock::new(),
            sites: Default::default(),
        }
    }

    /// Where a span of this role starts.
    pub(crate) fn site(&self, kind: Kind, has_location: bool) -> &'static Site {
        let role = ROLES.iter().position(|role| *role == kind);
        let sites = &self.sites[usize::from(has_location)];
        sites[role.unwrap_or(0)].get_or_init(|| self.new_site(kind, has_location))
    }

    #[cold]
    fn new_site(&self, kind: Kind, has_location: bool) -> &'static Site {
        let metadata = self.metadata;
        let library = self.library.get_or_init(|| library_of(metadata.target()));
        let file = metadata.file().unwrap_or_default();
        let module: &Module = Box::leak(Box::new(Module::new(library.clone(), file, None)));
        let name = bounded(metadata.name());
        // As in blocks of ours, the module stands for the function.
        let path = match metadata.module_path() {
            Some(path) if has_location => path,
            _ => "",
        };
        let text: &str = Box::leak(format!("{path}{name}").into_boxed_str());
        let site = Site::new(text, name.len(), module).named().kind(kind);
        Box::leak(Box::new(site.at_line(metadata.line().unwrap_or_default())))
    }
}

/// A site has a name of at most 64 KiB.
fn bounded(name: &str) -> &str {
    let mut end = name.len().min(usize::from(u16::MAX));
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// The crate of a target, as Cargo most often names it: `tower-http` of `tower_http::trace`.
fn library_of(target: &str) -> Library {
    let name = target.split("::").next().unwrap_or_default();
    let name: &str = Box::leak(name.replace('_', "-").into_boxed_str());
    Library::of(Some(name), None, "")
}

/// Hashes one address.
#[derive(Default)]
pub(crate) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u64(&mut self, number: u64) {
        // The table takes its upper bits and its lower ones.
        let mixed = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}
