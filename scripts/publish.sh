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
# A folder of its own for each run: Cargo keeps the unpacked sources of a registry by its path and their version,
# and would build those of the last run.
rm -rf target/publish
mkdir -p target/publish
target=$(mktemp -d target/publish/XXXXXX)
# Uncommitted changes are packed too, so that the check can run before the commit.
# shellcheck disable=SC2046 # words are meant
cargo publish --dry-run --locked --allow-dirty --target-dir "$target" $(published_packages)
