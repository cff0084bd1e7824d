"""What an editor shows of annotated functions: rust-analyzer, driven over its protocol."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What stands in the file. What is half typed is put behind it, one after the other.
SOURCE = """\
use enter_span::{Attributes, Key, enter_span, in_span};

const ORDER_ID: Key<u64> = Key::new("order.id");

pub struct Order {
    pub number: u64,
}

#[derive(Attributes)]
pub struct Facts {
    pub weight: u64,
}

#[enter_span(
    kind = client,
    attributes(user, order.number = order.number, ORDER_ID = price(amount), note = ?remark, ..facts),
    ret(total = |sum| sum.number),
    when = wanted,
)]
pub async fn place(
    user: u64,
    order: &Order,
    amount: u64,
    remark: Option<&str>,
    facts: &Facts,
    wanted: bool,
) -> Result<Order, String> {
    let _ = (user, remark);
    Ok(Order { number: order.number + amount })
}

#[enter_span(attributes(plain), |span|)]
pub fn sync(plain: u64) -> u64 {
    span.set_attribute("twice", plain * 2);
    plain
}

pub struct Cart;

#[enter_span]
impl Cart {
    #[enter_span(attributes(item))]
    pub fn put(&self, item: u64) -> u64 {
        item
    }
}

pub fn price(amount: u64) -> u64 {
    in_span!("price", attributes(amount), |span| {
        span.set_attribute("cents", amount * 100);
        amount
    })
}
"""

# A half-typed attribute, and how many messages it may have.
ATTRIBUTES = [
    ("attr", 1),
    ("attributes(id), err = ", 1),
    ("attributes(id, total = )", 1),
    ("attributes(id, total = id.)", 1),
    ("kind = cli", 1),
    ("attributes(id, )", 0),
]

# A half-typed body, which has the messages of the plain function and no other.
BODIES = [
    "pub fn open(id: u64) -> u64 {\n    id.\n}\n",
    "pub fn open(id: u64) -> u64 {\n    let twice = id * ;\n    twice\n}\n",
    "pub fn open(id: u64) -> u64 {\n    if id\n}\n",
    "pub async fn open(id: u64) -> u64 {\n    let twice = id\n    twice\n}\n",
]
CALLER = "\npub fn caller() {\n    let answer = open(7);\n    drop(answer);\n}\n"


class Editor:
    """A language server, and one file that it looks at."""

    def __init__(self, folder):
        self.file = folder / "src" / "lib.rs"
        self.uri, self.number, self.version = self.file.as_uri(), 0, 0
        self.process = subprocess.Popen(
            [sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder
        )
        self.quiet, self.health = False, None
        self.ask(
            "initialize",
            processId=os.getpid(),
            rootUri=folder.as_uri(),
            capabilities={
                "experimental": {"serverStatusNotification": True},
                "textDocument": {"diagnostic": {}, "hover": {"contentFormat": ["plaintext"]}},
            },
            initializationOptions={"checkOnSave": False, "procMacro": {"enable": True}},
        )
        self.tell("initialized")
        self.text = self.file.read_text()
        document = {"uri": self.uri, "languageId": "rust", "version": 0, "text": self.text}
        self.tell("textDocument/didOpen", textDocument=document)
        while not self.quiet:
            self.hear()

    def send(self, **message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def tell(self, method, **params):
        self.send(method=method, params=params)

    def ask(self, method, **params):
        self.number += 1
        self.send(id=self.number, method=method, params=params)
        while True:
            message = self.hear()
            if message.get("id") == self.number and "method" not in message:
                # The server looks at another text by now: once more.
                if message.get("error", {}).get("code") in (-32801, -32802):
                    return self.ask(method, **params)
                if "error" in message:
                    raise SystemExit(f"{method}: {message['error']}")
                return message["result"]

    def hear(self):
        length = 0
        while (line := self.process.stdout.readline().strip()):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        if not length:
            raise SystemExit("rust-analyzer has ended")
        message = json.loads(self.process.stdout.read(length))
        if message.get("method") == "experimental/serverStatus":
            self.quiet, self.health = message["params"]["quiescent"], message["params"]["health"]
        elif "method" in message and "id" in message:
            items = message["params"].get("items", []) if message["params"] else []
            self.send(id=message["id"], result=[None for _ in items] or None)
        return message

    def type(self, text):
        self.text, self.version = text, self.version + 1
        self.tell(
            "textDocument/didChange",
            textDocument={"uri": self.uri, "version": self.version},
            contentChanges=[{"text": text}],
        )

    def at(self, snippet):
        """The position of `^` in a snippet that stands in the text once."""
        plain = snippet.replace("^", "")
        assert self.text.count(plain) == 1, f"{snippet!r} stands there {self.text.count(plain)} times"
        before = self.text[: self.text.index(plain) + snippet.index("^")]
        return {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}

    def there(self, method, snippet, **more):
        return self.ask(method, textDocument={"uri": self.uri}, position=self.at(snippet), **more)

    def definition(self, snippet):
        return [place["range"]["start"] for place in self.there("textDocument/definition", snippet) or []]

    def hover(self, snippet):
        found = self.there("textDocument/hover", snippet)
        return found["contents"]["value"] if found else ""

    def rename(self, snippet, name):
        edit = self.there("textDocument/rename", snippet, newName=name)
        edits = [e for edits in edit.get("changes", {}).values() for e in edits]
        edits += [e for change in edit.get("documentChanges", []) for e in change.get("edits", [])]
        return sorted((e["range"]["start"]["line"], e["range"]["start"]["character"]) for e in edits)

    def messages(self):
        """Of errors alone, in order, without their places: an attribute above moves them."""
        report = self.ask("textDocument/diagnostic", textDocument={"uri": self.uri})
        return sorted(item["message"] for item in report["items"] if item.get("severity", 1) == 1)


class Report:
    def __init__(self):
        self.faults = 0

    def check(self, holds, what, seen):
        print(f"{'ok   ' if holds else 'FAULT'} {what}" + ("" if holds else f"\n      {seen}"))
        self.faults += not holds


# A name inside of an attribute, and where it is declared.
NAMES = [
    ("attributes(^user, order", "    ^user: u64"),
    ("= ^order.number, ORDER", "    ^order: &Order"),
    ("= order.^number, ORDER", "    pub ^number: u64,\n}\n\n#[derive"),
    ("^ORDER_ID = price", "const ^ORDER_ID"),
    ("ORDER_ID = ^price(", "pub fn ^price("),
    ("price(^amount), note", "    ^amount: u64,\n    remark"),
    ("?^remark", "    ^remark: Option"),
    ("..^facts", "    ^facts: &Facts"),
    ("|^sum| sum", "|^sum| sum"),
    ("|sum| ^sum.number", "|^sum| sum"),
    ("when = ^wanted", "    ^wanted: bool"),
    ("attributes(^plain)", "fn sync(^plain: u64"),
    ("    ^span.set_attribute(\"twice\"", "plain), |^span|)]"),
    ("attributes(^item)", "put(&self, ^item"),
    ("\"price\", attributes(^amount)", "pub fn price(^amount"),
]

# A hover on the first, and what it says.
HOVERS = [
    ("attributes(^user, order", "user: u64"),
    ("= order.^number, ORDER", "number: u64"),
    ("?^remark", "remark: Option<&"),
    ("|sum| ^sum.number", "sum: &Order"),
    ("    ^span.set_attribute(\"twice\"", "Span"),
]

# A parameter that is renamed, and each place that is renamed with it.
RENAMES = [
    ("    ^user: u64", ["attributes(^user, order", "    ^user: u64", "(^user, remark);"]),
    ("    ^remark: Option", ["?^remark", "    ^remark: Option", "(user, ^remark);"]),
    ("..^facts", ["..^facts", "    ^facts: &Facts"]),
    ("when = ^wanted", ["when = ^wanted", "    ^wanted: bool"]),
    ("fn sync(^plain: u64", ["attributes(^plain)", "fn sync(^plain: u64", "twice\", ^plain", "    ^plain\n"]),
    ("attributes(^item)", ["attributes(^item)", "put(&self, ^item", "        ^item\n"]),
]


def names(editor, report):
    for name, declared in NAMES:
        seen, expected = editor.definition(name), editor.at(declared)
        report.check(expected in seen, f"jump from {name!r} to {declared!r}", seen)
    for name, text in HOVERS:
        seen = editor.hover(name)
        report.check(text in seen, f"hover on {name!r} says {text!r}", seen)
    for name, places in RENAMES:
        expected = sorted((p["line"], p["character"]) for p in map(editor.at, places))
        seen = editor.rename(name, "renamed")
        report.check(seen == expected, f"rename of {name!r} reaches {len(places)} places", (seen, expected))


def half_typed(editor, report):
    for arguments, most in ATTRIBUTES:
        item = f"#[enter_span({arguments})]\npub fn open(id: u64) -> u64 {{\n    id\n}}\n"
        editor.type(SOURCE + "\n" + item + CALLER)
        survives(editor, report, repr(arguments))
        seen = editor.messages()
        report.check(len(seen) == most, f"{most} messages for {arguments!r}", seen)
    for body in BODIES:
        editor.type(SOURCE + "\n" + body + CALLER)
        expected = editor.messages()
        editor.type(SOURCE + "\n#[enter_span(attributes(id))]\n" + body + CALLER)
        survives(editor, report, repr(body))
        seen = editor.messages()
        report.check(seen == expected, f"no message but those of the plain {body!r}", (seen, expected))


def survives(editor, report, what):
    seen = editor.hover("let ^answer = open")
    report.check("u64" in seen or "Future" in seen, f"the caller knows its type beside {what}", seen)


# Where a name is half typed, and what is offered. Nothing is, where an expression of the attribute does
# not parse yet, as behind `order.`, or where a bare name is no parameter yet.
OFFERS = [
    ("attributes(id)", "    id.^\n", "checked_add"),
    ("attributes(total = id.che)", "total = id.che^)", "checked_add"),
    ("attributes(total = order.num)", "total = order.num^)", "number"),
    ("attributes(total = ord)", "total = ord^)", "order"),
    ("when = order.num", "when = order.num^)", "number"),
]


def completion(editor, report):
    for arguments, place, name in OFFERS:
        body = "id." if place.startswith(" ") else "id"
        item = f"#[enter_span({arguments})]\npub fn open(id: u64, order: &Order) -> u64 {{\n    {body}\n}}\n"
        editor.type(SOURCE + "\n" + item)
        found = editor.there("textDocument/completion", place)
        items = found["items"] if isinstance(found, dict) else found or []
        labels = [item["label"] for item in items]
        holds = any(label.startswith(name) for label in labels)
        report.check(holds, f"{name!r} is offered at {place!r}", labels[:5])


def main():
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "src").mkdir()
        (folder / "src" / "lib.rs").write_text(SOURCE)
        (folder / "Cargo.toml").write_text(
            '[package]\nname = "edited"\nversion = "0.0.0"\nedition = "2024"\n\n'
            f'[dependencies]\nenter-span = {{ path = "{ROOT / "runtime"}" }}\n\n[workspace]\n'
        )
        (folder / "Cargo.lock").write_text((ROOT / "Cargo.lock").read_text())
        editor = Editor(folder)
        try:
            report.check(editor.health == "ok", "the project is loaded", editor.health)
            report.check(editor.messages() == [], "no message where nothing is wrong", editor.messages())
            names(editor, report)
            half_typed(editor, report)
            completion(editor, report)
        finally:
            editor.process.kill()
            editor.process.wait()
    sys.exit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
