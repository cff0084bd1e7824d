"""What `examples/round_trip.rs` sends, and how it is compared with what a receiver has read."""

import json
import os
import time

# Of the caller, whose span is the parent of the first one.
CALLER = "b7ad6b7169203331"
STATE = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"

SOURCE = "examples/round_trip.rs"
MESSAGE = "the card was declined: 余额不足"
SAMPLED = 1
# Whether the parent is remote, and that it is known.
IS_REMOTE, HAS_IS_REMOTE = 0x200, 0x100
LINK_FLAGS = SAMPLED | HAS_IS_REMOTE | IS_REMOTE


def span(name, kind, parent, attributes, status="UNSET", message="", events=(), links=(), flags=0):
    return {
        "name": name,
        "kind": kind,
        "parent": parent,
        "state": STATE,
        "flags": SAMPLED | HAS_IS_REMOTE | flags,
        "status": (status, message),
        "attributes": typed(attributes | {"code.function.name": f"round_trip::{name}"}),
        "events": [(event, typed(its)) for event, its in events],
        "links": [
            (f"{byte:02x}" * 16, f"{byte:02x}" * 8, state, LINK_FLAGS, typed(its))
            for byte, state, its in links
        ],
    }


def typed(value):
    """The value with its type: in Python, `1 == 1.0 == True`."""
    if isinstance(value, dict):
        return {key: typed(value) for key, value in value.items()}
    if isinstance(value, (list, tuple)):
        return ["list", *map(typed, value)]
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    # As text: `-0.0 == 0.0` too.
    return [type(value).__name__, repr(value)]


def expected():
    return [
        span(
            "values",
            "SERVER",
            CALLER,
            {
                "value.text": "Käse & Söhne",
                "value.text_of_a_number": "1",
                "value.empty": "",
                "value.yes": True,
                "value.no": False,
                "value.whole": 1,
                "value.least": -(2**63),
                "value.most": 2**63 - 1,
                "value.fraction": 0.1,
                "value.whole_fraction": 1.0,
                "value.texts": ["EUR", ""],
                "value.truths": [True, False],
                "value.wholes": [1, 0, -1],
                "value.fractions": [1.0, -2.5],
            },
            status="OK",
            flags=IS_REMOTE,
        ),
        span(
            "events",
            "PRODUCER",
            "values",
            {},
            events=[
                ("empty", {}),
                (
                    "full",
                    {
                        "text": "größer",
                        "yes": True,
                        "whole": 1,
                        "whole_fraction": 1.0,
                        "wholes": [1, 2],
                    },
                ),
                ("full", {"text": "the second one of this name"}),
            ],
        ),
        span(
            "links",
            "CONSUMER",
            "values",
            {},
            links=[
                (
                    2,
                    "vendor=a:b,other=1",
                    {"text": "other", "yes": True, "whole": 1, "whole_fraction": 1.0},
                ),
                (3, "", {}),
            ],
        ),
        span("same", "INTERNAL", "values", {"index": 0}),
        span("same", "INTERNAL", "values", {"index": 1}),
        span(
            "fails",
            "CLIENT",
            "values",
            {"error.type": "round_trip::Declined"},
            status="ERROR",
            message=MESSAGE,
            events=[
                (
                    "exception",
                    {"exception.message": MESSAGE, "exception.type": "round_trip::Declined"},
                ),
            ],
        ),
    ]


def compare(receiver, trace_id, found, not_kept=()):
    """Compares spans, as `span` makes them, with times beside; `not_kept` says what the receiver drops.

    Each has the ids of its trace, of itself and of its parent too. Returns what differs, as lines.
    """
    faults = []
    names = {one["id"]: one["name"] for one in found}
    got, sent = [], []
    for one in found:
        faults += checked(one, trace_id)
        one = {key: value for key, value in one.items() if key in expected()[0]}
        got.append(one | {"parent": names.get(one["parent"], one["parent"])})
    for one in expected():
        sent.append({key: value for key, value in one.items() if key not in not_kept})
    order = lambda one: (one["name"], json.dumps(one["attributes"], sort_keys=True))
    got.sort(key=order)
    sent.sort(key=order)
    if len(got) != len(sent):
        faults.append(f"{len(sent)} spans were sent, and {len(got)} read: {sorted(names.values())}")
    for one, other in zip(sent, got):
        one_by_one, others = parts(one), parts(other)
        for key in sorted(one_by_one.keys() | others.keys()):
            sides = one_by_one.get(key), others.get(key)
            if sides[0] != sides[1]:
                faults.append("{}, {}: sent {}\n    read {}".format(one["name"], key, *sides))
    if not faults:
        kept = ", ".join(sent[0])
        print(f"{receiver}: {len(got)} spans are equal in {kept}")
    return [f"{receiver}: {fault}" for fault in faults]


def parts(one):
    """With a part for each attribute, so that only those which differ are shown."""
    attributes = {f"attribute {key}": value for key, value in one["attributes"].items()}
    return attributes | {key: value for key, value in one.items() if key != "attributes"}


def checked(one, trace_id):
    """What no list can say: the trace, the times, and the place in source, which is taken out."""
    faults = []
    name = one["name"]
    if one["trace"] != trace_id:
        faults.append(f"{name}: sent in trace {trace_id}, read in {one['trace']}")
    if not one["start"] <= one["end"] or abs(time.time() - one["start"]) > 600:
        faults.append(f"{name}: from {one['start']} to {one['end']}")
    if not all(one["start"] <= at <= one["end"] for at in one["times"]):
        faults.append(f"{name}: events at {one['times']}, from {one['start']} to {one['end']}")
    path = one["attributes"].pop("code.file.path", None)
    # As rustc was given it: from the folder of the package.
    if path != typed(os.path.basename(SOURCE)):
        faults.append(f"{name}: code.file.path: {path}")
    kind, line = one["attributes"].pop("code.line.number", (None, None))
    with open(SOURCE) as file:
        if kind != "int" or not 0 < int(line) <= len(file.readlines()):
            faults.append(f"{name}: code.line.number: {kind} {line}")
    return faults


def variables(trace_id, protocol, endpoint):
    """What the program is started with, and nothing else that configures it."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return others | {
        "TRACEPARENT": f"00-{trace_id}-{CALLER}-01",
        "TRACESTATE": STATE,
        "OTEL_SERVICE_NAME": "shop",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }
