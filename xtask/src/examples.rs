//! Public items without an example, as rustdoc's JSON shows a crate.

use std::collections::HashSet;

use serde_json::Value;

/// What needs an example. A method of a type may share that of its type, if it is called there.
const KINDS: [&str; 7] = [
    "struct", "enum", "union", "trait", "function", "constant", "macro",
];

/// The paths of the items that have none, in the order in which the crate lists them.
pub(crate) fn missing(json: &Value) -> Vec<String> {
    let mut walk = Walk {
        index: &json["index"],
        seen: HashSet::new(),
        missing: Vec::new(),
    };
    walk.visit(&json["root"], "");
    walk.missing
}

struct Walk<'a> {
    index: &'a Value,
    seen: HashSet<String>,
    missing: Vec<String>,
}

impl<'a> Walk<'a> {
    /// Items of other crates are not in the index.
    fn item(&self, id: &Value) -> Option<&'a Value> {
        self.index
            .get(id.to_string())
            .filter(|item| !item["attrs"].to_string().contains("doc(hidden)"))
    }

    fn visit(&mut self, id: &Value, above: &str) {
        let Some(item) = self.item(id) else { return };
        let Some((kind, inner)) = inner(item) else {
            return;
        };
        if !self.seen.insert(id.to_string()) {
            return;
        }
        let path = format!("{above}{}", text(&item["name"]));
        match kind {
            "use" => self.visit(&inner["id"], above),
            "module" => {
                let path = format!("{path}::");
                items(&inner["items"]).for_each(|id| self.visit(id, &path));
            }
            kind if KINDS.contains(&kind) => {
                self.check(item, &path, "");
                items(&inner["impls"]).for_each(|id| self.visit_impl(id, &path, item));
            }
            _ => {}
        }
    }

    /// The methods of a type's own.
    fn visit_impl(&mut self, id: &Value, path: &str, owner: &Value) {
        let Some((_, block)) = self.item(id).and_then(inner) else {
            return;
        };
        if !block["trait"].is_null() {
            return;
        }
        for id in items(&block["items"]) {
            let Some(method) = self.item(id) else {
                continue;
            };
            let is_public = method["visibility"] == "public";
            let is_function = inner(method).is_some_and(|(kind, _)| kind == "function");
            if is_public && is_function {
                let path = format!("{path}::{}", text(&method["name"]));
                self.check(method, &path, text(&owner["docs"]));
            }
        }
    }

    fn check(&mut self, item: &Value, path: &str, docs_of_owner: &str) {
        let name = text(&item["name"]);
        let is_called = [".", "::"].iter().any(|before| {
            let call = format!("{before}{name}(");
            docs_of_owner.contains(&call)
        });
        if !text(&item["docs"]).contains("```") && !is_called {
            self.missing.push(path.to_owned());
        }
    }
}

fn inner(item: &Value) -> Option<(&str, &Value)> {
    let (kind, inner) = item["inner"].as_object()?.iter().next()?;
    Some((kind, inner))
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::missing;

    /// A crate with a type that has one method and a hidden one.
    fn a_crate(docs_of_type: &str, docs_of_method: &str) -> Value {
        let method = |name: &str, attrs: Value| json!({"name": name, "docs": docs_of_method, "attrs": attrs, "visibility": "public", "inner": {"function": {}}});
        json!({"root": 0, "index": {
            "0": {"name": "a", "attrs": [], "inner": {"module": {"items": [1, 9]}}},
            "1": {"name": null, "attrs": [], "inner": {"use": {"id": 2}}},
            "2": {"name": "T", "docs": docs_of_type, "attrs": [], "inner": {"struct": {"impls": [3]}}},
            "3": {"name": null, "attrs": [], "inner": {"impl": {"trait": null, "items": [4, 5]}}},
            "4": method("f", json!([])),
            "5": method("g", json!([{"other": "#[doc(hidden)]"}])),
        }})
    }

    #[test]
    fn a_type_and_a_method_need_an_example() {
        assert_eq!(
            missing(&a_crate("A type.", "A method.")),
            ["a::T", "a::T::f"]
        );
        assert_eq!(missing(&a_crate("```\nT\n```", "A method.")), ["a::T::f"]);
        assert!(missing(&a_crate("```\nT\n```", "```\nf\n```")).is_empty());
    }

    #[test]
    fn a_method_may_share_the_example_of_its_type() {
        assert!(missing(&a_crate("```\nT.f()\n```", "A method.")).is_empty());
        assert!(missing(&a_crate("```\nT::f()\n```", "A method.")).is_empty());
    }
}
