#!/usr/bin/env bash
# Builds the documentation of the published crates as docs.rs does: nightly, with `--cfg docsrs`.
#
#     scripts/docs-rs.sh
#
# Needs a nightly toolchain.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

cargo "+$NIGHTLY" --version 2>/dev/null || missing "needs a nightly toolchain"
# `cargo xtask api` has the same dependencies in this folder.
# shellcheck disable=SC2046 # words are meant
RUSTDOCFLAGS="--cfg docsrs -D warnings" cargo "+$NIGHTLY" doc --quiet --locked --no-deps --all-features \
    --target-dir target/api $(published_packages)
