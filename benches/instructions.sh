#!/usr/bin/env bash
# The instructions of a span on the calling thread, and on the worker's, counted by callgrind, beside
# instructions.txt.
#
#     benches/instructions.sh [--update]
#
# Counted is the loop around a path alone. Each path runs in two lengths, and the difference is what its
# spans took: what happens in the first burst only cancels out. More than TOLERANCE percent over the file
# is a fault; as much under it asks for an update. Needs cargo, bash, awk and valgrind.
. "$(dirname "$0")/../scripts/start.sh"
set -euo pipefail
cd "$(dirname "$0")/.."

readonly FILE=benches/instructions.txt
readonly TOLERANCE=3
readonly PATHS=(off not_sampled root child leaf attributes_4 async_ready tracestate child_keep leaf_keep)
# Of these the whole thread of the worker, with its turns.
readonly WORKER_PATHS=(worker worker_keep_all worker_keep_none)
readonly BURST=256 SHORT=4 LONG=24

case ${1-} in
'' | --update) ;;
*)
    echo "usage: benches/instructions.sh [--update]" >&2
    exit 2
    ;;
esac

work=$(mktemp -d)
readonly WORK=$work
trap 'rm -rf "$WORK"' EXIT

cargo build --quiet --release --locked -p enter-span-instructions
binary=$(cargo metadata --format-version 1 --no-deps --locked | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
readonly BINARY=$binary/release/instructions

# Of the main thread alone: the worker's share is not paid by the caller.
instructions() {
    local out=$WORK/$1-$2
    env -i PATH="$PATH" valgrind --tool=callgrind --separate-threads=yes \
        --toggle-collect='instructions::spans*' --callgrind-out-file="$out" \
        "$BINARY" "$1" "$2" 2>"$out.log" || {
        cat "$out.log" >&2
        return 1
    }
    awk '/^(totals|summary):/ { print $2; exit }' "$out-01"
}

instructions_of_worker() {
    local out=$WORK/$1-$2
    env -i PATH="$PATH" valgrind --tool=callgrind --separate-threads=yes --callgrind-out-file="$out" \
        "$BINARY" "$1" "$2" 2>"$out.log" || {
        cat "$out.log" >&2
        return 1
    }
    awk '/^(totals|summary):/ { print $2; exit }' "$(grep -l 'Worker::run' "$out"-* | tail -n 1)"
}

per_span() {
    local short long
    short=$("$2" "$1" "$SHORT")
    long=$("$2" "$1" "$LONG")
    echo $(((long - short + BURST * (LONG - SHORT) / 2) / (BURST * (LONG - SHORT))))
}

for path in "${PATHS[@]}"; do
    counted=$(per_span "$path" instructions)
    echo "$path $counted" >>"$WORK/counted"
done
for path in "${WORKER_PATHS[@]}"; do
    counted=$(per_span "$path" instructions_of_worker)
    echo "$path $counted" >>"$WORK/counted"
done

if [ "${1-}" = --update ]; then
    cp "$WORK/counted" "$FILE"
    cat "$FILE"
    exit
fi

# One instruction more or less is nobody's fault, however few there are.
awk -v tolerance="$TOLERANCE" '
    NR == FNR { before[$1] = $2; next }
    {
        is_new = !($1 in before)
        allowed = before[$1] * tolerance / 100 + 1
        verdict = "as before"
        if (is_new) { verdict = "NEW: run with --update"; wrong = 1 }
        else if ($2 > before[$1] + allowed) { verdict = "MORE"; wrong = 1 }
        else if ($2 < before[$1] - allowed) verdict = "fewer: run with --update"
        printf "%-14s %6d  before %6d  %s\n", $1, $2, before[$1], verdict
    }
    END { exit wrong }
' "$FILE" "$WORK/counted"
