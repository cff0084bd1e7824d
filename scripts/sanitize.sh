#!/usr/bin/env bash
# Runs many spans through the pipeline under ThreadSanitizer (or `scripts/sanitize.sh address`).
# Needs a nightly toolchain with rust-src.
set -euo pipefail
cd "$(dirname "$0")/.."
sanitizer=${1:-thread}
RUSTFLAGS="-Zsanitizer=$sanitizer" cargo +nightly run --locked -Zbuild-std \
  --target x86_64-unknown-linux-gnu --target-dir "target/$sanitizer" \
  --package enter-span-pipeline --example reliability -- 200000
