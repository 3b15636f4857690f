#!/usr/bin/env bash
# Runs suites side by side, one that computes in the gaps of those that wait:
#
#   side-by-side.sh NAME 'COMMAND' [NAME 'COMMAND']…
#
# Prints what each said, whole, when it has ended, and how long it took. All of them run to their end; the exit
# code is 1 if any failed.
set -uo pipefail

said=$(mktemp -d)
declare -A names
# Stopped by a signal, it ends what it started and prints how far that had come.
stopped() {
    for pid in "${!names[@]}"; do
        kill -- "-$pid" 2>/dev/null
        printf '\n==> %s, as far as it came\n' "${names[$pid]}"
        cat "$said/$pid"
    done
    exit 130
}
trap 'rm -rf "$said"' EXIT
trap stopped INT TERM

set -m # a process group each
while (($# > 1)); do
    bash -c "$2" >"$said/next" 2>&1 </dev/null &
    mv "$said/next" "$said/$!"
    names[$!]=$1
    shift 2
done

failed=()
while ((${#names[@]})); do
    wait -n -p pid "${!names[@]}" || failed+=("${names[$pid]}")
    printf '\n==> %s: after %d s (%s)\n' "${names[$pid]}" "$SECONDS" "$(date +%T)"
    cat "$said/$pid"
    unset "names[$pid]"
done
if ((${#failed[@]})); then
    printf 'failed: %s\n' "${failed[@]}"
    exit 1
fi
