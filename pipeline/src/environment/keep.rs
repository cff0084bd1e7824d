//! `ENTER_SPAN_KEEP`: which traces are kept, if the code does not say.

use std::time::Duration;

use super::Environment;
use crate::keep::Keep;

/// One rule of the list.
enum KeepRule {
    Errors,
    Slower(Duration),
    With(String),
    Rest(f64),
}

impl Environment<'_> {
    /// `errors,slower=500ms,with=debug,rest=0.05`. A wrong part is warned of and left out.
    pub(crate) fn keep(&mut self) -> Option<Keep> {
        const VARIABLE: &str = "ENTER_SPAN_KEEP";
        let value = self.value(VARIABLE)?;
        let (mut keep, mut wrong) = (None, Vec::new());
        let parts = value.split(',').map(str::trim);
        for part in parts.filter(|part| !part.is_empty()) {
            match rule(part) {
                Some(rule) => keep = Some(Keep::merge(keep, |keep| add(keep, rule))),
                None => wrong.push(part),
            }
        }
        if !wrong.is_empty() {
            let wrong = super::quoted(&wrong.join(","));
            self.add_warning(format!(
                "{VARIABLE}: {wrong} is not accepted, and is left out; write `errors`, `slower=500ms` (with `us`, `ms`, `s` or `m`), `with=<key>` or `rest=<number from 0 to 1>`, separated by commas"
            ));
        }
        keep
    }
}

fn add(keep: Keep, rule: KeepRule) -> Keep {
    match rule {
        KeepRule::Errors => keep.or_errors(),
        KeepRule::Slower(time) => keep.or_slower_than(time),
        KeepRule::With(key) => keep.or_with(key),
        KeepRule::Rest(part) => keep.or_fraction(part),
    }
}

fn rule(part: &str) -> Option<KeepRule> {
    if part.eq_ignore_ascii_case("errors") {
        return Some(KeepRule::Errors);
    }
    let (name, value) = part.split_once('=')?;
    let value = value.trim();
    match name.trim().to_ascii_lowercase().as_str() {
        "slower" => time(value).map(KeepRule::Slower),
        "with" => (!value.is_empty()).then(|| KeepRule::With(value.to_owned())),
        "rest" => {
            let part: f64 = value.parse().ok()?;
            (0.0..=1.0).contains(&part).then_some(KeepRule::Rest(part))
        }
        _ => None,
    }
}

/// A number and its unit.
fn time(text: &str) -> Option<Duration> {
    let unit = text.find(|one: char| one.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit);
    let seconds = match unit.to_ascii_lowercase().as_str() {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    let number: f64 = number.trim().parse().ok()?;
    Duration::try_from_secs_f64(number * seconds).ok()
}
