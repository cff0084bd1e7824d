#!/usr/bin/env bash
# Runs many spans through the pipeline under ThreadSanitizer (or `scripts/sanitize.sh address`), the
# standard library included. Needs a nightly toolchain with rust-src.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."
sanitizer=${1:-thread}
target=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="-Zsanitizer=$sanitizer" cargo "+$NIGHTLY" run --locked -Zbuild-std \
  --target "$target" --target-dir "target/$sanitizer" \
  --package enter-span-pipeline --no-default-features --example reliability -- 200000
