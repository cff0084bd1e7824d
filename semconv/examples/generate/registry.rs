//! The registry as a table: one attribute a line, `id,type,stability,deprecated,members`.

use std::collections::HashMap;

pub(crate) struct Attribute<'a> {
    pub(crate) id: &'a str,
    pub(crate) values: Values,
    pub(crate) is_stable: bool,
    pub(crate) deprecated: Option<Deprecated<'a>>,
    pub(crate) members: Vec<Member<'a>>,
}

/// The type of an attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    Any,
    Bool,
    Int,
    Double,
    Text,
    Ints,
    Texts,
    /// Text with known members.
    Enum,
    IntEnum,
    /// One attribute for each name below this one.
    TextTemplate,
    TextsTemplate,
}

#[derive(Clone, Copy)]
pub(crate) enum Deprecated<'a> {
    RenamedTo(&'a str),
    WithoutSuccessor,
}

pub(crate) struct Member<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: &'a str,
}

/// The table's attributes. Of two that have one name in Rust, as `messaging.client.id` and
/// `messaging.client_id`, the deprecated one is left out.
pub(crate) fn read(table: &str) -> Result<Vec<Attribute<'_>>, String> {
    let lines = table.lines().skip(1);
    let all: Vec<Attribute<'_>> = lines.map(attribute).collect::<Result<_, _>>()?;
    let mut live = HashMap::new();
    for attribute in all.iter().filter(|one| one.deprecated.is_none()) {
        if let Some(other) = live.insert(in_rust(attribute.id), attribute.id) {
            return Err(format!("`{other}` and `{}` are one name", attribute.id));
        }
    }
    let is_hidden =
        |one: &Attribute<'_>| one.deprecated.is_some() && live.contains_key(&in_rust(one.id));
    Ok(all.into_iter().filter(|one| !is_hidden(one)).collect())
}

fn in_rust(id: &str) -> String {
    id.replace('.', "_")
}

fn attribute(line: &str) -> Result<Attribute<'_>, String> {
    let cells: Vec<&str> = line.split(',').collect();
    let [id, values, stability, deprecated, members] = cells[..] else {
        return Err(format!("not five cells: {line}"));
    };
    Ok(Attribute {
        id,
        values: type_of(values).ok_or_else(|| format!("unknown type: {line}"))?,
        is_stable: stability == "stable",
        deprecated: match deprecated.strip_prefix("renamed:") {
            Some(id) => Some(Deprecated::RenamedTo(id)),
            None if deprecated.is_empty() => None,
            None => Some(Deprecated::WithoutSuccessor),
        },
        members: distinct(members.split('|').filter_map(member).collect()),
    })
}

/// Members of one name in Rust, as `azure.vm` and the older `azure_vm`: the first. Of one value: the
/// one that is called so.
fn distinct(members: Vec<Member<'_>>) -> Vec<Member<'_>> {
    let mut kept: Vec<Member<'_>> = Vec::new();
    for member in members {
        let is_named = kept
            .iter()
            .any(|other| in_rust(other.name) == in_rust(member.name));
        if is_named {
            continue;
        }
        match kept.iter_mut().find(|other| other.value == member.value) {
            Some(other) if member.name == member.value => *other = member,
            Some(_) => {}
            None => kept.push(member),
        }
    }
    kept
}

fn type_of(word: &str) -> Option<Values> {
    Some(match word {
        "any" => Values::Any,
        "boolean" => Values::Bool,
        "int" => Values::Int,
        "double" => Values::Double,
        "string" => Values::Text,
        "int[]" => Values::Ints,
        "string[]" => Values::Texts,
        "enum" => Values::Enum,
        "enum_int" => Values::IntEnum,
        "template[string]" => Values::TextTemplate,
        "template[string[]]" => Values::TextsTemplate,
        _ => return None,
    })
}

fn member(pair: &str) -> Option<Member<'_>> {
    let (name, value) = pair.split_once('=')?;
    Some(Member { name, value })
}
