#!/usr/bin/env bash
# Packs the published crates and builds each from its package alone, as the registry's users will.
#
#     scripts/publish.sh
#
# It uploads nothing. A release is `cargo publish --workspace --locked`, from a clean clone of its tag.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

# Cargo asks the registry which of these versions it has.
cargo info --quiet --registry crates-io opentelemetry >/dev/null 2>&1 || missing "needs the registry"
# Uncommitted changes are packed too, so that the check can run before the commit.
# shellcheck disable=SC2046 # words are meant
cargo publish --dry-run --locked --allow-dirty --target-dir target/publish $(published_packages)
