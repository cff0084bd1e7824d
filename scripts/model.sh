#!/usr/bin/env bash
# Checks the pipeline's hand-over under every order of events that loom finds. Some seconds, once built.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."
RUSTFLAGS="--cfg enter_span_loom" cargo test --locked --release --target-dir target/model \
  --package enter-span-pipeline --lib --no-default-features
