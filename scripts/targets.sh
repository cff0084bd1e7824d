#!/usr/bin/env bash
# Checks the published crates for other platforms, as far as that needs no C compiler for them.
#
#     scripts/targets.sh [TARGET..]
#
# Without an argument: those of wasm32-unknown-unknown, x86_64-pc-windows-msvc and aarch64-apple-darwin
# that are installed (`rustup target add`). On wasm32 that is the runtime with `http`, `serde` and
# `testing`; elsewhere everything but the exporters of OTLP, whose TLS is partly C.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

installed=$(rustup target list --installed 2>/dev/null) || missing "needs rustup"
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for target in wasm32-unknown-unknown x86_64-pc-windows-msvc aarch64-apple-darwin; do
        ! grep -qx "$target" <<<"$installed" || targets+=("$target")
    done
fi
[ ${#targets[@]} -gt 0 ] || missing "needs another target: rustup target add wasm32-unknown-unknown"

check() {
    echo "$*"
    cargo check --quiet --locked --target-dir target/targets "$@"
}

for target in "${targets[@]}"; do
    case $target in
    wasm32-*)
        check --target "$target" --package enter-span
        check --target "$target" --package enter-span --features http,serde,testing
        ;;
    *)
        check --target "$target" --package enter-span --package enter-span-http \
            --package enter-span-semconv --package enter-span-waterfall --all-features
        check --target "$target" --package enter-span-pipeline --no-default-features --features waterfall
        ;;
    esac
done
