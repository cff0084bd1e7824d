# Every script sources this first. With --help, it prints the comment at the top of that script and stops.
# shellcheck shell=bash
case ${1-} in
-h | --help)
    awk 'NR > 1 { if (!sub(/^# ?/, "")) exit; if (!/^shellcheck/) print }' "$0"
    exit 0
    ;;
esac

# Which nightly toolchain the scripts ask for that need one.
export NIGHTLY=${NIGHTLY:-nightly}

# Stops because a tool is missing. `.ci/run` goes on after this status; elsewhere it is a failure.
missing() {
    echo "not run: $1" >&2
    exit 77
}

# The folders of the published crates.
published() {
    local manifest
    for manifest in */Cargo.toml; do
        if ! grep -Eq '^publish = false|^\[workspace\]' "$manifest"; then
            echo "${manifest%/*}"
        fi
    done
}

# The names of the published crates, as arguments for cargo.
published_packages() {
    local folder
    for folder in $(published); do
        echo --package "$(sed -n '/^name = /{s/.*"\(.*\)"/\1/p;q}' "$folder/Cargo.toml")"
    done
}
