#!/usr/bin/env bash
# Sends a trace by OTLP to Arize Phoenix, reads it back through Phoenix's REST API, and compares.
# Needs Python 3.10 or later and a package index; what it installs stays below `target/`. Not part of CI.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

version=20.26.1
venv=target/phoenix-$version
if [ ! -x "$venv/bin/phoenix" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet "arize-phoenix==$version"
fi

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

read -r http grpc < <("$venv/bin/python" scripts/phoenix.py ports)
PHOENIX_WORKING_DIR=$home PHOENIX_HOST=127.0.0.1 PHOENIX_PORT=$http PHOENIX_GRPC_PORT=$grpc \
    PHOENIX_TELEMETRY_ENABLED=false PHOENIX_ALLOW_EXTERNAL_RESOURCES=false \
    "$venv/bin/phoenix" serve >"$home/log" 2>&1 &
server=$!
cargo build --quiet -p enter-span-examples --example otlp --features enter-span-pipeline/otlp-grpc
"$venv/bin/python" scripts/phoenix.py wait "$http" || { cat "$home/log"; exit 1; }

# Over HTTP, and over gRPC; each into a project of its own.
send() {
    OTEL_SERVICE_NAME=shop OTEL_RESOURCE_ATTRIBUTES=openinference.project.name=$1 \
        OTEL_EXPORTER_OTLP_PROTOCOL=$2 OTEL_EXPORTER_OTLP_ENDPOINT=$3 \
        OTEL_EXPORTER_OTLP_COMPRESSION=gzip \
        target/debug/examples/otlp >"$home/$1"
    "$venv/bin/python" scripts/phoenix.py compare "$http" "$1" "$(head -n 1 "$home/$1")"
}
send over-http http/protobuf "http://127.0.0.1:$http"
send over-grpc grpc "http://127.0.0.1:$grpc"
