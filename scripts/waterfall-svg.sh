#!/usr/bin/env bash
# Draws docs/waterfall.svg: the trace of an order, of a run of now, as README shows it.
#
#     scripts/waterfall-svg.sh
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

# Three of the four items look like the first.
COLUMNS=100 cargo run --quiet --locked --example waterfall -- target/waterfall |
  awk '/reserve item item=[2-9]/ { skip = 3 } skip > 0 { skip--; next } { print }' |
  cargo run --quiet --locked --example waterfall_svg >target/waterfall.svg
mv target/waterfall.svg docs/waterfall.svg
