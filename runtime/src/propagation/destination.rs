//! Which hosts receive our trace context.

use std::fmt;
use std::sync::Arc;

use crate::context::unwind;

type Predicate = dyn Fn(&str) -> bool + Send + Sync;

/// Which hosts receive our trace context, for [`inject_to`](crate::propagation::inject_to). The default is
/// all of them.
///
/// A trace id joins what a stranger knows with what we know, and `tracestate` and baggage can tell
/// more: name the hosts that are yours.
///
/// ```
/// use enter_span::propagation::Destinations;
///
/// let ours = Destinations::hosts(["api.internal", "*.shop.example"]);
/// assert!(ours.include("orders.shop.example"));
/// assert!(ours.include("API.internal:8443"));
/// assert!(!ours.include("shop.example.attacker.test"));
/// ```
#[derive(Clone, Default)]
pub struct Destinations(Option<Arc<Predicate>>);

impl Destinations {
    /// Every host.
    pub const fn all() -> Self {
        Destinations(None)
    }

    /// No host.
    pub fn none() -> Self {
        Destinations::when(|_| false)
    }

    /// These hosts, whatever the port. `*.example.com` stands for every host below `example.com`, and
    /// not for itself. Upper and lower case are the same.
    pub fn hosts(patterns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let patterns: Vec<String> = patterns.into_iter().map(Into::into).collect();
        Destinations::when(move |host| patterns.iter().any(|pattern| fits(pattern, host)))
    }

    /// Those for which this holds, by their host without a port. One that panics does not hold.
    pub fn when(predicate: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Destinations(Some(Arc::new(predicate)))
    }

    /// Whether this host is one of them. A port behind it is not looked at.
    pub fn include(&self, host: &str) -> bool {
        match &self.0 {
            None => true,
            Some(predicate) => unwind::shielded(|| predicate(without_port(host))).unwrap_or(false),
        }
    }
}

/// An IPv6 address keeps its brackets.
fn without_port(authority: &str) -> &str {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if is_port(port) && (!host.contains(':') || host.ends_with(']')) => host,
        _ => authority,
    };
    host.strip_suffix('.').unwrap_or(host)
}

fn fits(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(below) if below.starts_with('.') => is_below(below, host),
        _ => pattern.eq_ignore_ascii_case(host),
    }
}

fn is_below(domain: &str, host: &str) -> bool {
    let split = host
        .len()
        .checked_sub(domain.len())
        .filter(|&length| length > 0);
    let end = split.and_then(|split| host.get(split..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(domain))
}

impl fmt::Debug for Destinations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            None => "Destinations(all)",
            Some(_) => "Destinations(some)",
        })
    }
}
