#!/usr/bin/env bash
# Runs the W3C's conformance harness of Trace Context, level 2, strict, against the example
# `w3c_conformance`: `scripts/w3c-conformance.sh [FOLDER]`, with the `test` folder of w3c/trace-context, or
# without it to fetch that. Needs Python 3 and a package index; what it installs stays below `target/`.
# The ports are those of SERVICE_PORT (5000) and HARNESS_PORT (7777). Not part of CI.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

commit=acab820be9db7b3433668baa5cdd43f57f4c4be0
harness=${1:-target/trace-context-$commit/test}
if [ ! -f "$harness/test.py" ]; then
    [ $# -eq 0 ] || { echo "no test.py in $harness" >&2; exit 2; }
    git init --quiet "target/trace-context-$commit"
    git -C "target/trace-context-$commit" fetch --quiet --depth 1 \
        https://github.com/w3c/trace-context "$commit"
    git -C "target/trace-context-$commit" checkout --quiet FETCH_HEAD
fi

version=3.13.2
venv=target/aiohttp-$version
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import aiohttp' 2>/dev/null; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet "aiohttp==$version"
fi

log=$(mktemp)
service=
clean_up() {
    if [ -n "$service" ]; then
        kill "$service" 2>/dev/null || true
        wait "$service" 2>/dev/null || true
    fi
    rm -f "$log"
}
trap clean_up EXIT

port=${SERVICE_PORT:-5000}
cargo build --quiet --locked -p enter-span-examples --example w3c_conformance
target/debug/examples/w3c_conformance 127.0.0.1 "$port" >"$log" 2>&1 &
service=$!
for _ in $(seq 100); do
    grep -q '^listening on' "$log" && break
    kill -0 "$service" 2>/dev/null || { cat "$log" >&2; exit 1; }
    sleep 0.1
done

SPEC_LEVEL=2 STRICT_LEVEL=2 "$venv/bin/python" "$harness/test.py" "http://127.0.0.1:$port/test"
