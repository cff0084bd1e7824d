"""The parts of `phoenix.sh` that talk to Phoenix. Only Python's own library is used."""

import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime

import round_trip

DEADLINE = 120

# What Phoenix does not store.
NOT_KEPT = {"kind", "state", "flags", "links"}


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
    return found if len(found) >= len(round_trip.expected()) else None


def flat(attributes, prefix=""):
    """Phoenix nests attributes by the dots of their keys."""
    for key, value in attributes.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def attributes(of):
    return round_trip.typed(dict(flat(of["attributes"])))


def seconds(text):
    return datetime.fromisoformat(text).timestamp()


def seen(span):
    return {
        "name": span["name"],
        "parent": span["parent_id"],
        "status": (span["status_code"], span["status_message"]),
        "attributes": attributes(span),
        "events": [(event["name"], attributes(event)) for event in span["events"]],
        "id": span["context"]["span_id"],
        "trace": span["context"]["trace_id"],
        "start": seconds(span["start_time"]),
        "end": seconds(span["end_time"]),
        "times": [seconds(event["timestamp"]) for event in span["events"]],
    }


def compare(port, protocol, endpoint, program):
    """Each in a project of its own."""
    trace_id = secrets.token_hex(16)
    project = f"round-trip-{trace_id}"
    environment = round_trip.variables(trace_id, protocol, endpoint)
    environment["OTEL_RESOURCE_ATTRIBUTES"] = f"openinference.project.name={project}"
    subprocess.run([program], env=environment, check=True, timeout=60)
    found = [seen(span) for span in poll(lambda: spans(port, project))]
    faults = round_trip.compare(f"Phoenix, {protocol}", trace_id, found, NOT_KEPT)
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["ports"]:
            ports()
        case ["wait", port]:
            poll(lambda: get(port, "/healthz"))
        case ["compare", port, protocol, endpoint, program]:
            compare(port, protocol, endpoint, program)
