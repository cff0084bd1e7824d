#!/usr/bin/env bash
# Drives rust-analyzer over its language-server protocol through annotated functions, as an editor would:
# jump, hover and rename inside the attribute, and items that are half typed.
# Needs Python 3 and `rustup component add rust-analyzer`. Not part of CI.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! rust-analyzer --version; then
    echo "rustup component add rust-analyzer" >&2
    exit 2
fi
exec python3 scripts/editor.py
