#!/usr/bin/env bash
# Checks the published crates with the lowest version of each dependency that their manifests allow.
#
#     scripts/minimal-versions.sh
#
# The copy in target/minimal-versions has its own Cargo.lock. Needs a nightly toolchain.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

cargo "+$NIGHTLY" --version 2>/dev/null || missing "needs a nightly toolchain"
readonly FOLDER=target/minimal-versions/library
scripts/library.sh "$FOLDER"
cd "$FOLDER"
cargo "+$NIGHTLY" update --quiet -Zdirect-minimal-versions
cargo "+$NIGHTLY" check --quiet --workspace --all-features --locked --target-dir ..
