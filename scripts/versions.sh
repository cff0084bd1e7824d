#!/usr/bin/env bash
# Three versions of enter-span in one process: this tree as 0.1.0, and copies of it as 0.2.0 and 0.3.0.
#
#     scripts/versions.sh
#
# It builds tests/versions in target/versions: an application on this tree, and two libraries on the copies.
# The application checks that all spans are one tree, whoever installs what records them. Needs Rust alone.
set -euo pipefail

if [[ ${1:-} == --help ]]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d'
    exit
fi

root=$(cd "$(dirname "$0")/.." && pwd)
readonly ROOT=$root WORK=$root/target/versions SOURCES=$root/tests/versions

# This tree under another version, with the one enter-span-core that all share.
copy() {
    local folder=$WORK/$1
    mkdir -p "$folder"
    cp -r "$ROOT/runtime" "$ROOT/macros" "$folder/"
    sed -e 's/^members = .*/members = ["macros", "runtime"]/' -e '/^default-members/d' -e '/^exclude/d' \
        -e "s/^version = .*/version = \"$1\"/" -e "s/\"=[0-9.]*\"/\"=$1\"/" \
        -e "s|path = \"core\"|path = \"$ROOT/core\"|" "$ROOT/Cargo.toml" >"$folder/Cargo.toml"
    sed -i.before '/^\[dev-dependencies\]/,/^$/d' "$folder/runtime/Cargo.toml"
}

library() {
    cp -r "$SOURCES/library" "$WORK/library-$1"
    sed -i.before -e "s|@NAME@|$1|" -e "s|@VERSION@|../$2|" "$WORK/library-$1/Cargo.toml"
}

mkdir -p "$WORK"
rm -rf "$WORK"/{0.2.0,0.3.0,application,library-two,library-three}
copy 0.2.0
copy 0.3.0
library two 0.2.0
library three 0.3.0
cp -r "$SOURCES/application" "$WORK/"
sed -i.before "s|@ROOT@|$ROOT|" "$WORK/application/Cargo.toml"
cp "$ROOT/Cargo.lock" "$ROOT/rust-toolchain.toml" "$WORK/application/"
cd "$WORK/application"
CARGO_TARGET_DIR=$WORK/target cargo run --quiet
