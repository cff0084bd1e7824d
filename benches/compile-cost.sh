#!/usr/bin/env bash
# What annotated functions cost to compile and to ship, beside the peers.
#
#     benches/compile-cost.sh [rounds]
#
# It writes a package with 500 functions, half of them async, into a temporary folder, once bare
# and once with each attribute, and prints seconds of an incremental debug build and bytes of a
# stripped release binary. Nothing but cargo and bash is needed; the folder is removed at the end.
. "$(dirname "$0")/../scripts/start.sh"
set -euo pipefail

readonly ROUNDS=${1:-5}
readonly HALF=250
readonly VARIANTS=(bare enter_span tracing fastrace)

here=$(cd "$(dirname "$0")" && pwd)
readonly ROOT=${here%/*}
work=$(mktemp -d)
readonly WORK=$work
trap 'rm -rf "$WORK"' EXIT
export CARGO_TARGET_DIR=$WORK/target CARGO_TERM_COLOR=never

# The peers' versions are those of the benches, by the workspace's own lock file.
dependency() {
    case $1 in
    bare) ;;
    enter_span) echo "enter-span = { path = \"$ROOT/runtime\" }" ;;
    tracing) echo 'tracing = "0.1.44"' ;;
    fastrace) echo 'fastrace = { version = "0.7.19", features = ["enable"] }' ;;
    esac
}

attribute() {
    case $1 in
    bare) ;;
    enter_span) echo '#[enter_span::enter_span(attributes(id))]' ;;
    tracing) echo '#[tracing::instrument(skip_all, fields(id))]' ;;
    fastrace) echo '#[fastrace::trace(properties = { "id": "{id}" })]' ;;
    esac
}

# Every second function calls the one before it, so that calls go one deep.
functions() {
    local attribute n
    attribute=$(attribute "$1")
    echo 'pub type Answer = Result<u64, std::num::ParseIntError>;'
    for ((n = 0; n < HALF; n++)); do
        local sync="Ok(step ^ id)" future="suspend().await; Ok(step ^ id)"
        if ((n % 2)); then
            sync="Ok(sync_$((n - 1))(id ^ step)?.wrapping_add(step))"
            future="Ok(async_$((n - 1))(id ^ step).await?.wrapping_add(step))"
        fi
        cat <<RUST

$attribute
pub fn sync_$n(id: u64) -> Answer {
    let step: u64 = crate::text($n).parse()?;
    $sync
}

$attribute
pub async fn async_$n(id: u64) -> Answer {
    let step: u64 = crate::text($n).parse()?;
    $future
}
RUST
    done
    cat <<'RUST'

/// Pending once.
async fn suspend() {
    let mut ready = false;
    std::future::poll_fn(|_| match std::mem::replace(&mut ready, true) {
        true => std::task::Poll::Ready(()),
        false => std::task::Poll::Pending,
    })
    .await;
}
RUST
}

# Every function is reached through a pointer that the optimizer cannot see through.
main() {
    local n
    cat <<'RUST'
use std::{future::Future, hint::black_box, pin::Pin, task::{Context, Poll, Waker}};
mod functions;
use functions::*;

#[inline(never)]
fn text(number: u64) -> String {
    black_box(number).to_string()
}

type Task = Pin<Box<dyn Future<Output = Answer>>>;

fn run(mut task: Task) -> Answer {
    loop {
        if let Poll::Ready(answer) = task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return answer;
        }
    }
}

fn main() {
    let mut sum = 0u64;
    for function in black_box(SYNC) {
        sum = sum.wrapping_add(function(sum).unwrap_or(0));
    }
    for function in black_box(ASYNC) {
        sum = sum.wrapping_add(run(function(sum)).unwrap_or(0));
    }
    println!("{sum}");
}
RUST
    echo "const SYNC: &[fn(u64) -> Answer] = &["
    for ((n = 0; n < HALF; n++)); do echo "    sync_$n,"; done
    echo "];"
    echo "const ASYNC: &[fn(u64) -> Task] = &["
    for ((n = 0; n < HALF; n++)); do echo "    |id| Box::pin(async_$n(id)),"; done
    echo "];"
}

generate() {
    local folder=$WORK/$1
    mkdir -p "$folder/src"
    cat >"$folder/Cargo.toml" <<TOML
[package]
name = "cost-$1"
version = "0.0.0"
edition = "2024"

[dependencies]
$(dependency "$1")

[profile.release]
strip = true

[workspace]
TOML
    main >"$folder/src/main.rs"
    functions "$1" >"$folder/src/functions.rs"
    cp "$ROOT/Cargo.lock" "$ROOT/rust-toolchain.toml" "$folder/"
}

build() {
    (cd "$WORK/$1" && cargo build --quiet "${@:2}")
}

# "wall cpu" of one rebuild after a comment at the end of the file has changed.
rebuild() {
    echo "// $RANDOM" >>"$WORK/$1/src/functions.rs"
    local TIMEFORMAT='%R %U %S'
    { time build "$1"; } 2>&1 | awk '{ print $1, $2 + $3 }'
}

median() {
    sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'
}

for variant in "${VARIANTS[@]}"; do
    generate "$variant"
    build "$variant"
    build "$variant" --release
    "$WORK/target/release/cost-$variant" >"$WORK/$variant.answer"
    cmp "$WORK/bare.answer" "$WORK/$variant.answer"
done
for ((round = 0; round <= ROUNDS; round++)); do
    for variant in "${VARIANTS[@]}"; do
        spent=$(rebuild "$variant")
        # The first rebuild of each fills its incremental cache.
        if ((round)); then echo "$spent" >>"$WORK/$variant.times"; fi
    done
done

echo "$((2 * HALF)) functions; debug rebuilds: medians of $ROUNDS"
echo
echo "| | rebuild, s | added, s | CPU, s | added CPU, s | stripped binary, bytes | added, bytes a function |"
echo "|---|--:|--:|--:|--:|--:|--:|"
for variant in "${VARIANTS[@]}"; do
    wall=$(cut -d' ' -f1 "$WORK/$variant.times" | median)
    cpu=$(cut -d' ' -f2 "$WORK/$variant.times" | median)
    size=$(wc -c <"$WORK/target/release/cost-$variant")
    if [[ $variant == bare ]]; then bare=($wall $cpu $size); fi
    awk -v name="$variant" -v wall="$wall" -v cpu="$cpu" -v size="$size" \
        -v bare="${bare[*]}" -v count=$((2 * HALF)) 'BEGIN {
        split(bare, b, " ")
        printf "| %s | %.2f | %+.2f | %.2f | %+.2f | %d | %+.0f |\n",
            name, wall, wall - b[1], cpu, cpu - b[2], size, (size - b[3]) / count
    }'
done
