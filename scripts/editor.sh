#!/usr/bin/env bash
# Drives rust-analyzer over its language-server protocol through annotated functions, as an editor would:
# jump, hover and rename inside the attribute, and items that are half typed.
# Needs Python 3, `rustup component add rust-analyzer`, and `rust-src` in another toolchain than the pinned
# one, `EDITOR_TOOLCHAIN` (nightly): rust-analyzer adds it by itself where it is missing, and the compiler
# then shows the library's source in its messages, which `ui-tests/` compares. Not part of CI.
. "$(dirname "$0")/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

toolchain=${EDITOR_TOOLCHAIN:-nightly}
if ! server=$(rustup which rust-analyzer); then
    echo "rustup component add rust-analyzer" >&2
    exit 2
fi
if [ ! -d "$(rustup run "$toolchain" rustc --print sysroot)/lib/rustlib/src" ]; then
    echo "rustup component add --toolchain $toolchain rust-src" >&2
    exit 2
fi
RUSTUP_TOOLCHAIN=$toolchain exec python3 scripts/editor.py "$server"
