//! The traces as text: a tree for each, with the services, and what it is linked to.

use std::collections::HashMap;
use std::fmt::Write as _;

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use crate::collector::{Received, text};

/// Traces by their order, and those of one order as they began.
pub(crate) fn tell(received: &[Received]) -> String {
    if received.is_empty() {
        return "\nNo trace has arrived.\n".to_owned();
    }
    let traces = traces(received);
    let names = names(&traces);
    let mut told = String::new();
    for (number, trace) in (1..).zip(&traces) {
        let order = trace.order().unwrap_or("?").escape_debug();
        // Into a `String` nothing fails.
        _ = writeln!(told, "\ntrace {number}, of order {order}");
        for line in trace.lines(&names) {
            _ = writeln!(told, "  {}", line.trim_end());
        }
    }
    told
}

/// Spans in the order in which they began.
struct Trace<'a>(Vec<&'a Received>);

/// What links call a span: its name, and the number of its trace.
type Names<'a> = HashMap<(&'a [u8], &'a [u8]), (&'a str, usize)>;

fn traces(received: &[Received]) -> Vec<Trace<'_>> {
    let mut by_id: HashMap<_, Vec<_>> = HashMap::new();
    for received in received {
        let spans = by_id.entry(&received.span.trace_id).or_default();
        spans.push(received);
    }
    let mut traces: Vec<_> = by_id.into_values().map(Trace::new).collect();
    traces.sort_by_key(|trace| (trace.order().map(str::to_owned), trace.start()));
    traces
}

fn names<'a>(traces: &[Trace<'a>]) -> Names<'a> {
    let numbered = (1..).zip(traces);
    let spans = numbered.flat_map(|(number, trace)| trace.0.iter().map(move |span| (number, span)));
    let named = spans.map(|(number, Received { span, .. })| {
        let id = (&*span.trace_id, &*span.span_id);
        (id, (&*span.name, number))
    });
    named.collect()
}

impl<'a> Trace<'a> {
    fn new(mut spans: Vec<&'a Received>) -> Self {
        spans.sort_by_key(|received| received.span.start_time_unix_nano);
        Trace(spans)
    }

    fn start(&self) -> Option<u64> {
        let first = self.0.first()?;
        Some(first.span.start_time_unix_nano)
    }

    fn order(&self) -> Option<&'a str> {
        let mut spans = self.0.iter();
        spans.find_map(|received| text(&received.span.attributes, "order.id"))
    }

    fn lines(&self, names: &Names<'_>) -> Vec<String> {
        let mut lines = Vec::new();
        for root in self.spans(|span| self.parent(span).is_none()) {
            self.tell(root, ["", ""], names, &mut lines);
        }
        lines
    }

    /// A span and all below it, its own line after the first indent and the others after the second.
    fn tell(
        &self,
        told: &Received,
        indents: [&str; 2],
        names: &Names<'_>,
        lines: &mut Vec<String>,
    ) {
        let [first, rest] = indents;
        lines.push(line(told, first));
        lines.extend(told.span.links.iter().map(|link| {
            let id = (&*link.trace_id, &*link.span_id);
            linked(rest, names.get(&id).copied())
        }));
        let is_child = |span: &Span| span.parent_span_id == told.span.span_id;
        let mut children = self.spans(is_child).peekable();
        while let Some(child) = children.next() {
            let indents = match children.peek() {
                Some(_) => ["├ ", "│ "],
                None => ["└ ", "  "],
            };
            let [first, below] = indents.map(|branch| format!("{rest}{branch}"));
            self.tell(child, [&first, &below], names, lines);
        }
    }

    fn spans(&self, is_wanted: impl Fn(&Span) -> bool) -> impl Iterator<Item = &'a Received> {
        let spans = self.0.iter().copied();
        spans.filter(move |received| is_wanted(&received.span))
    }

    fn parent(&self, child: &Span) -> Option<&'a Received> {
        self.spans(|span| span.span_id == child.parent_span_id)
            .next()
    }
}

/// What comes from outside is escaped.
fn line(Received { service, span }: &Received, indent: &str) -> String {
    let (service, name) = (service.escape_debug(), span.name.escape_debug());
    let service = service.to_string();
    format!("{service:<7} {indent}{name}{}{}", kind(span), error(span))
}

fn linked(indent: &str, target: Option<(&str, usize)>) -> String {
    match target {
        Some((name, number)) => format!(
            "        {indent}^ {} in trace {number}",
            name.escape_debug()
        ),
        None => format!("        {indent}^ a span that did not arrive"),
    }
}

fn kind(span: &Span) -> &'static str {
    match span.kind() {
        SpanKind::Server => " (server)",
        SpanKind::Client => " (client)",
        SpanKind::Producer => " (producer)",
        SpanKind::Consumer => " (consumer)",
        SpanKind::Internal | SpanKind::Unspecified => "",
    }
}

fn error(span: &Span) -> String {
    let status = span.status.as_ref().map(|status| status.code());
    match status {
        Some(StatusCode::Error) => {
            let error = text(&span.attributes, "error.type").unwrap_or("error");
            format!(" !{}", error.escape_debug())
        }
        _ => String::new(),
    }
}
