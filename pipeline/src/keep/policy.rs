//! The policy that an application writes: `Keep`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::keep::local_trace::LocalTrace;

/// Decides at the end of each local trace whether it is exported.
///
/// A local trace is what this process records below one local root: a span without a parent in this process.
/// It is kept if one rule says so. A root that is kept has the attribute `enter_span.kept` with the first
/// reason, in this order: `error`, `slower`, `with <key>`, `by`, `fraction`. Give the policy to
/// [`PipelineBuilder::with_keep`](crate::PipelineBuilder::with_keep); without one, everything is exported.
///
/// A span that ends after the decision follows it. The last 16,384 decisions are remembered.
///
/// ```
/// use std::time::Duration;
///
/// use enter_span_pipeline::{Console, Keep, Pipeline};
///
/// let keep = Keep::errors()
///     .or_slower_than(Duration::from_millis(500))
///     .or_with("debug")
///     .or_fraction(0.05)
///     .for_root("GET /health", Keep::fraction(0.001));
/// let pipeline = Pipeline::builder()
///     .with_exporter(Console::new())
///     .with_keep(keep)
///     .build()?;
/// # drop(pipeline);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Rules join in any order, and roots may have rules of their own:
///
/// ```
/// use std::time::Duration;
///
/// use enter_span_pipeline::Keep;
///
/// let slow = Keep::slower_than(Duration::from_secs(2)).or_errors();
/// let keep = Keep::with("debug")
///     .or_by(|trace| trace.spans().any(|span| span.name() == "pay"))
///     .for_scope("acme-jobs", slow)
///     .for_root("GET /health", Keep::none())
///     .for_root("POST /payments", Keep::all())
///     .with_max_age(Duration::from_secs(30))
///     .with_max_spans(1_000);
/// assert!(keep.to_string().starts_with("with=debug,by"));
/// ```
#[must_use = "a policy does nothing until a pipeline has it"]
pub struct Keep {
    pub(super) errors: bool,
    pub(super) slower: Option<Duration>,
    pub(super) with: Vec<Cow<'static, str>>,
    pub(super) by: Vec<Box<ByRule>>,
    pub(super) fraction: Option<f64>,
    pub(super) others: Vec<(RootFilter, Keep)>,
    pub(super) bounds: Bounds,
}

/// Code of the application's.
pub(super) type ByRule = dyn Fn(&LocalTrace<'_>) -> bool + Send;

/// Which roots have rules of their own.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RootFilter {
    Name(Cow<'static, str>),
    Scope(Cow<'static, str>),
}

/// How long, and how large, a trace may be undecided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) age: Duration,
    pub(super) spans: usize,
}

impl Keep {
    fn empty() -> Self {
        Keep {
            errors: false,
            slower: None,
            with: Vec::new(),
            by: Vec::new(),
            fraction: None,
            others: Vec::new(),
            bounds: Bounds {
                age: Duration::from_secs(60),
                spans: 10_000,
            },
        }
    }

    /// Keeps every trace: the same as a fraction of 1.
    pub fn all() -> Self {
        Keep::fraction(1.0)
    }

    /// Keeps no trace: for roots that are not worth one, as those of health checks.
    pub fn none() -> Self {
        Keep::fraction(0.0)
    }

    /// Keeps a trace if one of its spans has the status `Error`.
    ///
    /// If every rule set of the policy has this, a trace is exported from its first error on, and does not wait
    /// for its root.
    pub fn errors() -> Self {
        Keep::empty().or_errors()
    }

    /// Keeps a trace whose local root takes longer than this.
    pub fn slower_than(duration: Duration) -> Self {
        Keep::empty().or_slower_than(duration)
    }

    /// Keeps a trace if one of its spans has an attribute of this key, whatever its value.
    ///
    /// If every rule set of the policy has this key, a trace is exported from that span on, and does not wait for
    /// its root.
    pub fn with(key: impl Into<Cow<'static, str>>) -> Self {
        Keep::empty().or_with(key)
    }

    /// Keeps a trace if this returns `true`.
    ///
    /// It runs on the pipeline's thread, once for each trace that no rule before it keeps: it must not block. Spans
    /// that are made in it are not recorded. If it panics, the trace is kept, and the panic is counted
    /// ([`KeepCounts::panics`](crate::KeepCounts::panics)).
    ///
    /// ```
    /// use enter_span_pipeline::Keep;
    ///
    /// // What a customer pays for is worth every trace.
    /// let keep = Keep::by(|trace| trace.spans().any(|span| span.name() == "pay"));
    /// # drop(keep);
    /// ```
    pub fn by(rule: impl Fn(&LocalTrace<'_>) -> bool + Send + 'static) -> Self {
        Keep::empty().or_by(rule)
    }

    /// Keeps this part of the traces, from 0 to 1, by their trace id.
    ///
    /// The arithmetic is that of OpenTelemetry's ratio sampler: services that share the fraction keep the same
    /// traces. A number below 0 is 0, and one above 1 is 1.
    pub fn fraction(fraction: f64) -> Self {
        Keep::empty().or_fraction(fraction)
    }

    /// Also keeps what [`Keep::errors`] keeps.
    pub fn or_errors(mut self) -> Self {
        self.errors = true;
        self
    }

    /// Also keeps what [`Keep::slower_than`] keeps. The last call holds.
    pub fn or_slower_than(mut self, duration: Duration) -> Self {
        self.slower = Some(duration);
        self
    }

    /// Also keeps what [`Keep::with`] keeps. Each call adds a key.
    pub fn or_with(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.with.push(key.into());
        self
    }

    /// Also keeps what [`Keep::by`] keeps. Each call adds a rule.
    pub fn or_by(mut self, rule: impl Fn(&LocalTrace<'_>) -> bool + Send + 'static) -> Self {
        self.by.push(Box::new(rule));
        self
    }

    /// Also keeps what [`Keep::fraction`] keeps. The last call holds.
    pub fn or_fraction(mut self, fraction: f64) -> Self {
        self.fraction = Some(fraction.clamp(0.0, 1.0));
        self
    }

    /// Has traces whose local root has this name decided by other rules, and by these alone.
    ///
    /// Of several that fit a root, the last one holds. A trace that is decided before its root has ended is decided
    /// by the rules for all roots.
    pub fn for_root(mut self, name: impl Into<Cow<'static, str>>, keep: Keep) -> Self {
        self.others.push((RootFilter::Name(name.into()), keep));
        self
    }

    /// The same for traces whose local root is of this instrumentation scope: of a crate, by its name in Cargo.
    pub fn for_scope(mut self, name: impl Into<Cow<'static, str>>, keep: Keep) -> Self {
        self.others.push((RootFilter::Scope(name.into()), keep));
        self
    }

    /// Sets how long a trace may be undecided. The default is 60 seconds.
    ///
    /// An older one is decided by what is known of it, and counted
    /// ([`KeepCounts::decided_early`](crate::KeepCounts::decided_early)); what ends later follows.
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.bounds.age = age;
        self
    }

    /// Sets how many spans of one trace may be undecided. The default is 10,000, the least 1.
    ///
    /// A trace that has so many is decided by what is known of it, as one that is too old, even if the last one is its
    /// root. So are the oldest traces when all undecided spans take more than half of the queue ([`Limits::queue_spans`](crate::Limits::queue_spans),
    /// [`Limits::queue_bytes`](crate::Limits::queue_bytes)).
    pub fn with_max_spans(mut self, spans: usize) -> Self {
        self.bounds.spans = spans.max(1);
        self
    }

    /// For the environment, which has no rules until it reads one.
    pub(crate) fn merge(known: Option<Self>, add: impl FnOnce(Self) -> Self) -> Self {
        add(known.unwrap_or_else(Keep::empty))
    }
}

/// As `ENTER_SPAN_KEEP` has it.
impl fmt::Display for Keep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rules = Vec::new();
        rules.extend(self.errors.then(|| "errors".to_owned()));
        rules.extend(self.slower.map(|time| format!("slower={time:?}")));
        rules.extend(self.with.iter().map(|key| format!("with={key}")));
        rules.extend(self.by.iter().map(|_| "by".to_owned()));
        let fraction = self.fraction.filter(|part| *part > 0.0 || rules.is_empty());
        rules.extend(fraction.map(|part| format!("rest={part}")));
        formatter.write_str(&rules.join(","))?;
        for (filter, keep) in &self.others {
            match filter {
                RootFilter::Name(name) => write!(formatter, "; for root {name}: {keep}")?,
                RootFilter::Scope(name) => write!(formatter, "; for scope {name}: {keep}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Keep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Keep({self})")
    }
}
