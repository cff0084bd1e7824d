#!/usr/bin/env bash
# Checks the published crates with the oldest supported Rust: `rust-version` in the workspace's manifest.
#
#     scripts/msrv.sh [--print]
#
# Needs that toolchain, which `--print` prints: `rustup toolchain install VERSION --profile minimal`.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

msrv=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml).0
case ${1-} in
'') ;;
--print)
    echo "$msrv"
    exit 0
    ;;
*)
    echo "usage: scripts/msrv.sh [--print]" >&2
    exit 2
    ;;
esac
rustup run "$msrv" cargo --version 2>/dev/null || missing "needs Rust $msrv"
# shellcheck disable=SC2046 # words are meant
rustup run "$msrv" cargo check --quiet --locked --all-features --target-dir target/msrv \
    $(published_packages)
