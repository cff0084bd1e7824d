#!/usr/bin/env bash
# Runs each fuzz target: arbitrary bytes as headers, as messages, as environment variables and as answers of
# a receiver.
#
#     scripts/fuzz.sh [SECONDS] [TARGET..]
#
# SECONDS for each target: 60, unless given. Without a TARGET, all of `fuzz/fuzz_targets`. An input that
# fails is kept below `target/fuzz/`, whose path libFuzzer prints; given as a TARGET's only input, it repeats
# the failure. Needs the toolchain of this repository and a C++ compiler, and neither nightly nor cargo-fuzz:
# without `unsafe`, no sanitizer is needed to see a fault. Not part of CI.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
case $seconds in
'' | *[!0-9]*)
    echo "usage: scripts/fuzz.sh [SECONDS] [TARGET..]" >&2
    exit 2
    ;;
esac
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for file in fuzz/fuzz_targets/*.rs; do
        targets+=("$(basename "$file" .rs)")
    done
fi

# What libFuzzer sees of a run. With `--target`, build scripts and macros are built without it.
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
flags="$flags -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
flags="$flags -Cllvm-args=-sanitizer-coverage-pc-table"
flags="$flags -Cllvm-args=-sanitizer-coverage-trace-compares"
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS=$flags cargo build --quiet --locked --release --manifest-path fuzz/Cargo.toml \
    --target "$host" --target-dir target/fuzz "${targets[@]/#/--bin=}"

failed=()
for target in "${targets[@]}"; do
    found=target/fuzz/$target
    mkdir -p "$found/corpus"
    echo "== $target, $seconds seconds"
    "target/fuzz/$host/release/$target" "$found/corpus" "fuzz/seeds/$target" \
        -max_total_time="$seconds" -artifact_prefix="$found/" -rss_limit_mb=2048 -timeout=10 \
        -verbosity=0 -print_final_stats=1 2>&1 |
        grep -v "# Uses:\|recommended dictionary" || failed+=("$target")
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "failed: ${failed[*]}" >&2
    exit 1
fi
