#!/usr/bin/env bash
# Three versions of enter-span in one process: this tree, and copies of it as 0.98.0 and 0.99.0.
#
#     scripts/versions.sh
#
# It builds tests/versions in target/versions: an application on this tree, and two libraries on the copies.
# The application checks that all spans are one tree, whoever installs what records them.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
readonly ROOT=$root WORK=$root/target/versions

# This tree under another version, with the one enter-span-core that all share.
copy() {
    local folder=$WORK/$1
    scripts/library.sh "$folder"
    rm -r "$folder/core"
    sed -i.before -e '/^members/s/"core", //' -e "s/^version = .*/version = \"$1\"/" -e "s/\"=[0-9.]*\"/\"=$1\"/" \
        -e "s|path = \"core\"|path = \"$ROOT/core\"|" "$folder/Cargo.toml"
}

library() {
    cp -r tests/versions/library "$WORK/library-$1"
    sed -i.before -e "s|@NAME@|$1|" -e "s|@VERSION@|../$2|" "$WORK/library-$1/Cargo.toml"
}

mkdir -p "$WORK"
rm -rf "$WORK"/{application,library-two,library-three}
copy 0.98.0
copy 0.99.0
library two 0.98.0
library three 0.99.0
cp -r tests/versions/application "$WORK/"
sed -i.before "s|@ROOT@|$ROOT|" "$WORK/application/Cargo.toml"
cp Cargo.lock rust-toolchain.toml "$WORK/application/"
cd "$WORK/application"
OWN_VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
export OWN_VERSION CARGO_TARGET_DIR=$WORK/target
cargo run --quiet
