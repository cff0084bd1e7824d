//! Which instrumentation scopes make spans: a crate can be muted by its name.

/// What stands for all scopes that have no rule of their own.
pub(crate) const ALL: &str = "*";

/// The rules, each scope once. Without one, nothing is muted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Muting {
    rules: Vec<(String, Rule)>,
    /// Whether any rule mutes: the one thing that is asked for each span.
    mutes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Enabled,
    Muted,
}

impl Muting {
    /// A later rule for the same scope replaces the earlier one.
    pub(crate) fn set(&mut self, scope: String, rule: Rule) {
        match self.rules.iter_mut().find(|(known, _)| *known == scope) {
            Some((_, known)) => *known = rule,
            None => self.rules.push((scope, rule)),
        }
        self.mutes = self.rules.iter().any(|(_, rule)| *rule == Rule::Muted);
    }

    /// With these rules in place of its own for the same scopes.
    pub(crate) fn overruled_by(mut self, by: Muting) -> Self {
        for (scope, rule) in by.rules {
            self.set(scope, rule);
        }
        self
    }

    #[inline]
    pub(crate) fn mutes_any(&self) -> bool {
        self.mutes
    }

    #[inline]
    pub(crate) fn mutes(&self, scope: &str) -> bool {
        self.mutes && self.rule_of(scope) == Some(Rule::Muted)
    }

    #[cold]
    fn rule_of(&self, scope: &str) -> Option<Rule> {
        let find = |name: &str| self.rules.iter().find(|(known, _)| known == name);
        let (_, rule) = find(scope).or_else(|| find(ALL))?;
        Some(*rule)
    }

    /// The scopes that are muted.
    pub(crate) fn muted(&self) -> impl Iterator<Item = &str> {
        self.with(Rule::Muted)
    }

    /// Those that are enabled by name.
    pub(crate) fn enabled(&self) -> impl Iterator<Item = &str> {
        self.with(Rule::Enabled)
    }

    fn with(&self, wanted: Rule) -> impl Iterator<Item = &str> {
        let rules = self.rules.iter();
        rules.filter_map(move |(scope, rule)| (*rule == wanted).then_some(scope.as_str()))
    }
}
