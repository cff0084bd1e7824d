#!/usr/bin/env bash
# Sends a trace by OTLP, over HTTP and over gRPC, to receivers of other makers, and compares all that they
# read with what was sent: attributes and their types, events, links, statuses, `tracestate`, flags, ids.
#
# Arize Phoenix stores spans without their links, `tracestate`, kind and flags; the rest is read back through
# its REST API. A receiver of Google's protobuf and gRPC, from OpenTelemetry's package of OTLP, reads all.
# Needs Python 3.10 or later and a package index; what it installs stays below `target/`. Not part of CI.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

version=20.26.1
venv=target/phoenix-$version
if [ ! -e "$venv/installed" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet "arize-phoenix==$version" grpcio opentelemetry-proto
    touch "$venv/installed"
fi
python=$venv/bin/python
export PYTHONDONTWRITEBYTECODE=1

home=$(mktemp -d)
server=
clean_up() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$home"
}
trap clean_up EXIT

cargo build --quiet --locked -p enter-span-examples --example round_trip --features enter-span-pipeline/otlp-grpc
program=${CARGO_TARGET_DIR:-target}/debug/examples/round_trip
"$python" scripts/receiver.py http/protobuf "$program"
"$python" scripts/receiver.py grpc "$program"

read -r http grpc < <("$python" scripts/phoenix.py ports)
PHOENIX_WORKING_DIR=$home PHOENIX_HOST=127.0.0.1 PHOENIX_PORT=$http PHOENIX_GRPC_PORT=$grpc \
    PHOENIX_TELEMETRY_ENABLED=false PHOENIX_ALLOW_EXTERNAL_RESOURCES=false \
    "$venv/bin/phoenix" serve >"$home/log" 2>&1 &
server=$!
"$python" scripts/phoenix.py wait "$http" || { cat "$home/log"; exit 1; }
"$python" scripts/phoenix.py compare "$http" http/protobuf "http://127.0.0.1:$http" "$program"
"$python" scripts/phoenix.py compare "$http" grpc "http://127.0.0.1:$grpc" "$program"
