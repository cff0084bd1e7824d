#!/usr/bin/env bash
# Makes spans for a long time while the receiver goes away, comes back, is slow, refuses and resets, and while
# pipelines are flushed, shut down and replaced, at random; then checks that each span has arrived once or is in
# a counter, and that memory has not grown.
#
#     scripts/soak.sh [--spool] [SECONDS] [SEED]
#
# SECONDS: 600, unless given. The first line names the SEED, which repeats what happens, though not when. With
# `--spool`, all pipelines share the folder of a spool below target/, and the last one must empty it. Linux, for
# the memory. Not part of CI.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."
cargo run --locked --release --package enter-span-pipeline --features spool --example soak -- "$@"
