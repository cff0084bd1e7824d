//! `ENTER_SPAN_SCOPES`: which instrumentation scopes make spans, if the code does not say.

use super::Environment;
use crate::sampling::muting::{Muting, Rule};

impl Environment<'_> {
    /// `name=off,name=on`, with `*` for all that have no rule of their own. Of one name, the last rule
    /// holds; an invalid part is ignored with a warning.
    pub(crate) fn muting(&mut self) -> Muting {
        const VARIABLE: &str = "ENTER_SPAN_SCOPES";
        let mut muting = Muting::default();
        let Some(value) = self.value(VARIABLE) else {
            return muting;
        };
        let mut wrong = Vec::new();
        let parts = value.split(',').map(str::trim);
        for part in parts.filter(|part| !part.is_empty()) {
            match rule(part) {
                Some((scope, rule)) => muting.set(scope.to_owned(), rule),
                None => wrong.push(part),
            }
        }
        if !wrong.is_empty() {
            let wrong = wrong.join(",");
            let wrong = wrong.escape_debug();
            self.add_warning(format!(
                "{VARIABLE}: \"{wrong}\" is not a valid value, so it is ignored; write `name=off` or `name=on`, separated by commas, with `*` for all other names"
            ));
        }
        muting
    }
}

/// The last `=` separates, so that a scope's name may hold one.
fn rule(part: &str) -> Option<(&str, Rule)> {
    let (scope, rule) = part.rsplit_once('=')?;
    let rule = match rule.trim().to_ascii_lowercase().as_str() {
        "on" => Rule::Enabled,
        "off" => Rule::Muted,
        _ => return None,
    };
    let scope = scope.trim();
    (!scope.is_empty()).then_some((scope, rule))
}
