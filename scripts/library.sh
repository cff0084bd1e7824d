#!/usr/bin/env bash
# Copies the published crates into a folder, as a workspace of their own, without what tests, examples
# and benches depend on.
#
#     scripts/library.sh FOLDER
#
# The folder is replaced. It has no Cargo.lock: which versions to take is the caller's choice.
. "$(dirname "$0")/start.sh"
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: scripts/library.sh FOLDER" >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
readonly FOLDER=$folder
cd "$(dirname "$0")/.."

rm -rf "$FOLDER"
mkdir -p "$FOLDER"
members=
for crate in $(published); do
    members="$members\"$crate\", "
    mkdir "$FOLDER/$crate"
    cp -r "$crate/src" "$crate/README.md" "$FOLDER/$crate/"
    # A section goes on until the next one starts.
    awk '/^\[/ { left_out = /^\[dev-dependencies\]|^\[\[example\]\]/ } !left_out' \
        "$crate/Cargo.toml" >"$FOLDER/$crate/Cargo.toml"
done
awk -v members="$members" '
    /^members = / { print "members = [" members "]"; next }
    !/^(default-members|exclude) = /
' Cargo.toml >"$FOLDER/Cargo.toml"
cp rust-toolchain.toml "$FOLDER/"
