#!/usr/bin/env bash
# Builds with newer dependencies than those of Cargo.lock.
#
#     scripts/newest.sh          the newest compatible versions: the whole workspace, and its tests
#     scripts/newest.sh --main   OpenTelemetry's main branch: the published crates, checked
#
# The checked-in Cargo.lock stays as it is. Needs git, and for `--main` GitHub.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."
readonly ROOT=$PWD
readonly UPSTREAM=https://github.com/open-telemetry/opentelemetry-rust

newest_compatible() {
    local copy=target/newest/workspace
    rm -rf "$copy"
    mkdir -p "$copy"
    git ls-files -z --cached --others --exclude-standard |
        xargs -0 cp --parents --no-dereference --target-directory="$copy"
    cd "$copy"
    cargo update
    # Beside the sources, not around them: the messages of the compiler are compared with their paths cut.
    CARGO_TARGET_DIR=$ROOT/target/newest/build cargo test --locked
}

# A crate of OpenTelemetry in [workspace.dependencies] or in a manifest takes the version of main.
main_branch() {
    local upstream=target/newest/opentelemetry-rust copy=target/newest/library crate
    rm -rf "$upstream"
    git clone --quiet --depth 1 "$UPSTREAM" "$upstream"
    git -C "$upstream" log -1 --format='opentelemetry-rust %H, %cs'
    scripts/library.sh "$copy"
    printf '\n[patch.crates-io]\n' >>"$copy/Cargo.toml"
    for crate in opentelemetry opentelemetry-http opentelemetry-otlp opentelemetry_sdk; do
        local folder=${crate/_sdk/-sdk} version
        version=$(sed -n 's/^version = "\(.*\)"/\1/p;/^version/q' "$upstream/$folder/Cargo.toml")
        sed -i "s/^\($crate = { version = \)\"[^\"]*\"/\1\"$version\"/" "$copy"/Cargo.toml "$copy"/*/Cargo.toml
        echo "$crate = { path = \"$ROOT/$upstream/$folder\" }" >>"$copy/Cargo.toml"
    done
    cd "$copy"
    cargo check --workspace --all-features --target-dir "$ROOT/target/newest"
}

case ${1-} in
'') newest_compatible ;;
--main) main_branch ;;
*)
    echo "usage: scripts/newest.sh [--main]" >&2
    exit 2
    ;;
esac
