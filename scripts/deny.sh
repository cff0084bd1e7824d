#!/usr/bin/env bash
# Checks the dependencies by deny.toml: advisories, licences, duplicates and sources.
#
#     scripts/deny.sh
#
# Needs cargo-deny: `cargo install --locked cargo-deny`.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

cargo deny --version 2>/dev/null || missing "needs cargo-deny: cargo install --locked cargo-deny"
cargo deny --locked --all-features check
