#!/usr/bin/env bash
# Four crates of the registry, before and after `enter-span-migrate --write`: they still compile, and
# the same calls make spans of the same names.
#
#     scripts/migrate.sh
#     scripts/migrate.sh --speed     times 100,000 lines instead: the goal is two seconds
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

# 100 files with 50 functions of 20 lines each.
speed() {
    local function file
    rm -rf "$WORK/lines"
    mkdir -p "$WORK/lines"
    function='
#[instrument(skip_all, fields(order.id = %order.id, items = order.items.len()), level = "debug", err)]
pub async fn checkout(order: &Order, store: &Store) -> Result<Receipt, Error> {
    let total: u64 = order.items.iter().map(|item| item.price * item.count).sum();
    if total > store.limit() {
        return Err(Error::TooMuch { total, limit: store.limit() });
    }
    let payment = store
        .pay(order.customer.clone(), total)
        .await
        .map_err(|error| Error::Payment(error.to_string()))?;
    match payment.state {
        State::Done => info!(order = order.id, "paid"),
        State::Waiting { since, .. } if since.elapsed() > LIMIT => {
            debug!("waits since {since:?}");
        }
        _ => {}
    }
    Ok(Receipt { id: payment.id, total, lines: vec![format!("{total}")] })
}'
    {
        echo 'use tracing::{debug, info, instrument};'
        for _ in {1..50}; do echo "$function"; done
    } >"$WORK/lines/0.rs"
    for file in {1..99}; do cp "$WORK/lines/0.rs" "$WORK/lines/$file.rs"; done
    cat "$WORK"/lines/*.rs | wc -l
    cargo build --quiet --release --locked --package enter-span-migrate
    time "${CARGO_TARGET_DIR:-target}/release/enter-span-migrate" "$WORK/lines" >/dev/null
}

if [ "${1-}" = --speed ]; then
    speed
    exit
fi

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
