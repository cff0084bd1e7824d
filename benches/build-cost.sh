#!/usr/bin/env bash
# What the library adds to a build from nothing, of an application that has tokio and opentelemetry.
#
#     benches/build-cost.sh [rounds]
#
# It writes a small application into a temporary folder, bare and with enter-span, and builds both
# from nothing in turns, on two cores; and a third time with the crate of the semantic conventions. It
# prints medians and least values, and fails if a build holds two versions of syn. Needs cargo, bash and
# awk; the folder is removed at the end.
. "$(dirname "$0")/../scripts/start.sh"
set -euo pipefail

readonly ROUNDS=${1:-7}

here=$(cd "$(dirname "$0")" && pwd)
readonly ROOT=${here%/*}
work=$(mktemp -d)
readonly WORK=$work
trap 'rm -rf "$WORK"' EXIT
# Dependencies are not built incrementally, and unused code is no news.
export CARGO_INCREMENTAL=0 CARGO_BUILD_JOBS=2 CARGO_TERM_COLOR=never RUSTFLAGS=--cap-lints=allow
unset CARGO_TARGET_DIR

library() {
    "$ROOT/scripts/library.sh" "$WORK/library"
    cp "$ROOT/Cargo.lock" "$WORK/library/"
}

application() {
    mkdir -p "$WORK/$1/src"
    cat >"$WORK/$1/Cargo.toml" <<TOML
[package]
name = "application"
version = "0.0.0"
edition = "2024"

[dependencies]
opentelemetry = "0.33"
tokio = { version = "1.40", features = ["macros", "rt-multi-thread"] }
$2

[workspace]
TOML
    cat >"$WORK/$1/src/main.rs" <<RUST
$3
async fn work(id: u32) -> u32 {
    tokio::task::yield_now().await;
    id
}

#[tokio::main]
async fn main() {
    let tracer = opentelemetry::global::tracer("application");
    let _ = (work(7).await, tracer);
}
RUST
    cp "$ROOT/Cargo.lock" "$ROOT/rust-toolchain.toml" "$WORK/$1/"
}

# "wall cpu" of a build, in seconds.
timed() {
    local folder=$1 TIMEFORMAT='%R %U %S'
    shift
    { time (cd "$WORK/$folder" && cargo build --quiet --offline "$@"); } 2>&1 |
        awk '{ print $1, $2 + $3 }'
}

from_nothing() {
    rm -rf "$WORK/$1/target"
    timed "$1"
}

# In turns; the first round warms up, and is not measured.
measure() {
    local what=$1 rounds=$2 round variant spent
    shift 2
    for ((round = 0; round <= rounds; round++)); do
        for variant in "$@"; do
            spent=$("$what" "$variant")
            if ((round)); then echo "$spent" >>"$WORK/$variant.$what"; fi
        done
    done
}

# The median, and the least: what others do on the machine only adds.
median_and_least() {
    sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)], all[1] }'
}

compare() {
    local what=$1 variant wall cpu base=()
    shift
    echo
    echo "| | build, s: median | least | added | | CPU, s: median | least | added | |"
    echo "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for variant in "$@"; do
        wall=$(cut -d' ' -f1 "$WORK/$variant.$what" | median_and_least)
        cpu=$(cut -d' ' -f2 "$WORK/$variant.$what" | median_and_least)
        if ((${#base[@]} == 0)); then base=("$wall" "$cpu"); fi
        awk -v name="$variant" -v now="$wall $cpu" -v base="${base[*]}" 'BEGIN {
            split(now, n, " ")
            split(base, b, " ")
            printf "| %s |", name
            for (i = 1; i < 4; i += 2) {
                printf " %.3f | %.3f | %+.3f | %+.3f |",
                    n[i], n[i + 1], n[i] - b[i], n[i + 1] - b[i + 1]
            }
            print ""
        }'
    done
}

versions_of_syn() {
    (cd "$WORK/$1" && cargo tree --offline --prefix none --edges normal,build) |
        awk '$1 == "syn" { print $2 }' | sort -u | tr '\n' ' '
}

library
application bare "" ""
application enter_span "enter-span = { path = \"$WORK/library/runtime\" }" \
    "#[enter_span::enter_span(attributes(id))]"
application semconv "enter-span = { path = \"$WORK/library/runtime\" }
enter-span-semconv = { path = \"$WORK/library/semconv\" }" \
    "#[enter_span::enter_span(attributes(enter_span_semconv::HTTP_ROUTE = \"/\"))]"
for folder in bare enter_span semconv; do
    (cd "$WORK/$folder" && cargo fetch --quiet)
done

# Before anything is timed: two versions would be a fault, whatever they cost.
syn=$(versions_of_syn enter_span)
echo "syn: $(versions_of_syn bare)without enter-span, ${syn}with it"
if (($(wc -w <<<"$syn") > 1)); then
    echo "a second version of syn" >&2
    exit 1
fi

measure from_nothing "$ROUNDS" bare enter_span semconv

echo
echo "An application from nothing, debug, two cores, $ROUNDS rounds"
compare from_nothing bare enter_span semconv
