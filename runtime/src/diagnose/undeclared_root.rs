//! Undeclared roots: spans that became roots although no code asked for it, perhaps because a context was lost.
//!
//! Counted by call site, in a table of a fixed size, without a lock.

use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::backend::site::Site;
use crate::diagnose::report::Report;

const SLOTS: usize = 64;

/// Slots that are looked at for one site.
const STEPS: usize = 8;

static TABLE: [TableEntry; SLOTS] = [const { TableEntry::empty() }; SLOTS];

/// At sites that the table has no room for.
static ELSEWHERE: AtomicU64 = AtomicU64::new(0);

/// On a cache line of its own.
#[repr(align(64))]
struct TableEntry {
    root_site: OnceLock<RootSite>,
    roots: AtomicU64,
}

/// A call site; where no macro saw it, the span's name with it.
struct RootSite {
    site: &'static Site,
    name: Option<String>,
}

/// A root that nobody declared. It takes a place in the table when it is counted, and not before.
pub(crate) struct UndeclaredRoot {
    site: &'static Site,
    /// Empty where the site says enough.
    name: String,
}

/// Characters of a name that are kept.
const MOST_OF_NAME: usize = 100;

impl TableEntry {
    const fn empty() -> Self {
        TableEntry {
            root_site: OnceLock::new(),
            roots: AtomicU64::new(0),
        }
    }
}

impl UndeclaredRoot {
    pub(crate) fn of(site: &'static Site, name: &str) -> Self {
        let name = match site.location() {
            Some(_) => "",
            None => first_of(name),
        };
        UndeclaredRoot {
            site,
            name: name.to_owned(),
        }
    }

    #[inline(never)]
    pub(crate) fn count(self) {
        let UndeclaredRoot { site, name } = self;
        counter(site, &name).fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts one whose site says enough.
#[inline]
pub(crate) fn count_at(site: &'static Site) {
    let first = &TABLE[hash(site, "")];
    let is_own = |root_site: &RootSite| ptr::eq(root_site.site, site) && root_site.name.is_none();
    // Most sites are where they are looked for first.
    let roots = match first.root_site.get() {
        Some(root_site) if is_own(root_site) => &first.roots,
        _ => counter(site, ""),
    };
    roots.fetch_add(1, Ordering::Relaxed);
}

#[inline(never)]
fn counter(site: &'static Site, name: &str) -> &'static AtomicU64 {
    let first = hash(site, name);
    for step in 0..STEPS {
        let slot = &TABLE[(first + step) % SLOTS];
        let root_site = slot.root_site.get_or_init(|| RootSite::new(site, name));
        if root_site.is(site, name) {
            return &slot.roots;
        }
    }
    &ELSEWHERE
}

fn first_of(name: &str) -> &str {
    let end = name.char_indices().nth(MOST_OF_NAME);
    end.map_or(name, |(end, _)| &name[..end])
}

fn hash(site: &'static Site, name: &str) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let address = ptr::from_ref(site).addr() as u64;
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(FACTOR);
    let hash = name.bytes().fold(address.wrapping_mul(FACTOR), mix);
    (hash >> 32) as usize % SLOTS
}

impl RootSite {
    #[cold]
    fn new(site: &'static Site, name: &str) -> Self {
        RootSite {
            site,
            name: (!name.is_empty()).then(|| name.to_owned()),
        }
    }

    fn is(&self, site: &'static Site, name: &str) -> bool {
        ptr::eq(self.site, site) && self.name.as_deref().unwrap_or_default() == name
    }

    fn shown(&self) -> String {
        match self.site.location() {
            Some((function, file, line)) => {
                let name = self.site.name();
                format!("\"{name}\" (`{function}`, {file}:{line})")
            }
            None => {
                let name = self.name.as_deref().unwrap_or(self.site.name());
                format!("\"{name}\"")
            }
        }
    }
}

/// Where most of them are stands first.
pub(crate) fn add_findings(report: &mut Report) {
    const TOPIC: &str = "roots";
    let elsewhere = ELSEWHERE.load(Ordering::Relaxed);
    let counted = TABLE.iter().filter_map(|slot| {
        let roots = slot.roots.load(Ordering::Relaxed);
        Some((roots, slot.root_site.get()?)).filter(|_| roots > 0)
    });
    let mut counted: Vec<(u64, &RootSite)> = counted.collect();
    if counted.is_empty() && elsewhere == 0 {
        return;
    }
    counted.sort_by_key(|(roots, _)| std::cmp::Reverse(*roots));
    report.add(
        TOPIC,
        "began traces of their own, and nothing says `root` or `parent`; below other spans they have lost their context:",
    );
    for (roots, root_site) in counted {
        report.add(TOPIC, format_args!("  {roots} at {}", root_site.shown()));
    }
    if elsewhere > 0 {
        report.add(TOPIC, format_args!("  {elsewhere} at other sites"));
    }
}
