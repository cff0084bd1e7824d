"""The parts of `phoenix.sh` that talk to Phoenix. Only Python's own library is used."""

import json
import socket
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime

DEADLINE = 120


def ports():
    """Two that are free."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    print(*(one.getsockname()[1] for one in sockets))


def get(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.read()
    except (OSError, urllib.error.URLError):
        return None


def poll(ask):
    """The first answer that there is."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.2)
    sys.exit(f"no answer from Phoenix within {DEADLINE} seconds")


def spans(port, project):
    answer = get(port, f"/v1/projects/{project}/spans?limit=100")
    found = json.loads(answer)["data"] if answer else []
    return found if len(found) >= len(EXPECTED) else None


# Name, parent's name, status, message, and those of its attributes and events that are compared.
EXPECTED = [
    (
        "checkout",
        None,
        "ERROR",
        "the card was declined",
        {"items": 2, "shop.name": "Käse & Söhne"},
        [("exception", "the card was declined"), ("picked", None)],
    ),
    (
        "charge",
        "checkout",
        "ERROR",
        "the card was declined",
        {"amount": 12.5, "currencies": ["EUR", "CHF"]},
        [("exception", "the card was declined")],
    ),
    ("pick", "checkout", "UNSET", "", {"item": 0}, []),
    ("pick", "checkout", "UNSET", "", {"item": 1}, []),
]


def flat(attributes, prefix=""):
    """Phoenix nests attributes by the dots of their keys."""
    for key, value in attributes.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def message(event):
    return dict(flat(event["attributes"])).get("exception.message")


def seen(span, names):
    attributes = dict(flat(span["attributes"]))
    own = {key for _, _, _, _, expected, _ in EXPECTED for key in expected}
    return (
        span["name"],
        names.get(span["parent_id"]),
        span["status_code"],
        span["status_message"],
        {key: value for key, value in attributes.items() if key in own},
        sorted((event["name"], message(event)) for event in span["events"]),
    )


def compare(port, project, trace_id):
    found = poll(lambda: spans(port, project))
    names = {span["context"]["span_id"]: span["name"] for span in found}
    order = lambda one: (one[0], json.dumps(one[4]))
    got = sorted((seen(span, names) for span in found), key=order)
    expected = sorted(EXPECTED, key=order)
    faults = [f"expected {a}\n     got {b}" for a, b in zip(expected, got) if a != b]
    if len(got) != len(expected):
        faults.append(f"{len(expected)} spans expected, and not {len(got)}")
    for span in found:
        if span["context"]["trace_id"] != trace_id:
            faults.append(f"trace {trace_id} expected, and not {span['context']['trace_id']}")
        start, end = (datetime.fromisoformat(span[at]) for at in ("start_time", "end_time"))
        if not start <= end or abs(time.time() - start.timestamp()) > 600:
            faults.append(f"{span['name']} from {start} to {end}")
    if faults:
        sys.exit("\n".join([f"{project} differs", *faults]))
    print(f"{project}: {len(got)} spans of trace {trace_id} came back as they were sent")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["ports"]:
            ports()
        case ["wait", port]:
            poll(lambda: get(port, "/healthz"))
        case ["compare", port, project, trace_id]:
            compare(port, project, trace_id)
