#!/usr/bin/env bash
# Opens pages of real traces in headless Chromium, from disk, and checks them there: two traces, and the index of the
# shop's three processes. Screenshots go to target/waterfall/. Chromium comes from Debian's packages if it is missing, which asks for root.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v chromium >/dev/null; then
  apt-get update
  apt-get install --yes --no-install-recommends chromium fonts-dejavu-core
fi
folder=target/waterfall
rm -rf "$folder"
cargo run --quiet --example waterfall -- "$folder" >/dev/null
SHOP_PAGES="$folder/shop" cargo run --quiet --example shop >/dev/null
python3 scripts/waterfall_in_browser.py "$folder"
