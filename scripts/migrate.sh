#!/usr/bin/env bash
# Four crates of the registry, before and after `enter-span-migrate --write`: they still compile, and
# the same calls make spans of the same names.
#
#     scripts/migrate.sh
#
# It builds migrate/tests/registry in target/migrate.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
readonly ROOT=$root WORK=$root/target/migrate
readonly CRATES="axum-login-0.18.0 foyer-memory-0.18.1 process-wrap-9.1.1 tower-sessions-core-0.14.0"

# Cargo downloads what a manifest asks for, and nothing builds it.
download() {
    mkdir -p "$WORK/download/src"
    : >"$WORK/download/src/lib.rs"
    {
        printf '[package]\nname = "download"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n[dependencies]\n'
        for crate in $CRATES; do
            printf '%s = "=%s"\n' "${crate%-*}" "${crate##*-}"
        done
    } >"$WORK/download/Cargo.toml"
    cargo fetch --quiet --manifest-path "$WORK/download/Cargo.toml"
}

# The crate on `enter-span`; what it has of its own, as `tracing`, stays.
migrate() {
    local folder=$WORK/${1%-*}
    rm -rf "$folder"
    cp -r "${CARGO_HOME:-$HOME/.cargo}"/registry/src/index.crates.io-*/"$1" "$folder"
    chmod -R u+w "$folder"
    echo "== $1"
    cargo run --quiet --locked --package enter-span-migrate -- --write "$folder/src"
    printf '\n[dependencies.enter-span]\npath = "%s/runtime"\n' "$ROOT" >>"$folder/Cargo.toml"
}

cargo info --quiet --registry crates-io tracing >/dev/null 2>&1 || missing "needs the registry"
download
for crate in $CRATES; do
    migrate "$crate"
done
rm -rf "$WORK/application"
cp -r migrate/tests/registry "$WORK/application"
sed -i.before "s|@ROOT@|$ROOT|" "$WORK/application/Cargo.toml"
cp Cargo.lock "$WORK/application/Cargo.lock"
cargo run --quiet --manifest-path "$WORK/application/Cargo.toml" --target-dir "$WORK/target"
