"""A receiver of OTLP by Google's protobuf and gRPC: it runs a program that exports to it, and compares.

    receiver.py http/protobuf|grpc PROGRAM
"""

import gzip
import secrets
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as services
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

import round_trip


def start_http(received):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers["content-encoding"] == "gzip":
                body = gzip.decompress(body)
            is_known = (self.path, self.headers["content-type"]) == ("/v1/traces", "application/x-protobuf")
            if is_known:
                received.append(service.ExportTraceServiceRequest.FromString(body))
            answer = service.ExportTraceServiceResponse().SerializeToString()
            self.send_response(200 if is_known else 400)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def start_grpc(received):
    class Service(services.TraceServiceServicer):
        def Export(self, request, _):
            received.append(request)
            return service.ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(2))
    services.add_TraceServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return port


def value_of(any_value):
    match any_value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [value_of(value) for value in any_value.array_value.values]
        case "kvlist_value":
            return {one.key: value_of(one.value) for one in any_value.kvlist_value.values}
        case kind:
            return getattr(any_value, kind)


def attributes(key_values):
    keys = [one.key for one in key_values]
    if len(keys) != len(set(keys)):
        sys.exit(f"a key comes twice: {keys}")
    return round_trip.typed({one.key: value_of(one.value) for one in key_values})


def seen(span):
    return {
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        "parent": span.parent_span_id.hex(),
        "state": span.trace_state,
        "flags": span.flags,
        "status": (
            Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
            span.status.message,
        ),
        "attributes": attributes(span.attributes),
        "events": [(event.name, attributes(event.attributes)) for event in span.events],
        "links": [
            (link.trace_id.hex(), link.span_id.hex(), link.trace_state, link.flags, attributes(link.attributes))
            for link in span.links
        ],
        "id": span.span_id.hex(),
        "trace": span.trace_id.hex(),
        "start": span.start_time_unix_nano / 1e9,
        "end": span.end_time_unix_nano / 1e9,
        "times": [event.time_unix_nano / 1e9 for event in span.events],
    }


def main(protocol, program):
    received = []
    port = start_http(received) if protocol == "http/protobuf" else start_grpc(received)
    trace_id = secrets.token_hex(16)
    environment = round_trip.variables(trace_id, protocol, f"http://127.0.0.1:{port}")
    subprocess.run([program], env=environment, check=True, timeout=60)
    resources = [resource for request in received for resource in request.resource_spans]
    scopes = [scope for resource in resources for scope in resource.scope_spans]
    faults = [
        f"resource: {names}"
        for names in (attributes(one.resource.attributes) for one in resources)
        if names.get("service.name") != round_trip.typed("shop")
    ]
    faults += [f"scope: {one.scope}" for one in scopes if one.scope.name != "enter-span-examples"]
    spans = [seen(span) for scope in scopes for span in scope.spans]
    faults += round_trip.compare(f"opentelemetry-proto, {protocol}", trace_id, spans)
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main(*sys.argv[1:])
