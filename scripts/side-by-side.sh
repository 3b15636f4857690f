#!/usr/bin/env bash
# Runs suites that mostly wait side by side:
#
#   side-by-side.sh NAME 'COMMAND' [NAME 'COMMAND']…
#
# Prints what each said, whole, when it has ended, and how long it took. All of them run to their end; what those
# said that failed is printed last, and the exit code is 1.
set -uo pipefail

said=$(mktemp -d)
declare -A names=() failed=() logs=()
# Stopped by a signal, it ends what it started and prints how far that had come.
stopped() {
    for pid in "${!names[@]}"; do
        kill -- "-$pid" 2>/dev/null
        printf '\n==> %s, as far as it came\n' "${names[$pid]}"
        cat "${logs[$pid]}"
    done
    exit 130
}
trap 'rm -rf "$said"' EXIT
trap stopped INT TERM

set -m # a process group each
while (($# > 1)); do
    log=$said/$#
    : >"$log"
    bash -c "$2" >"$log" 2>&1 </dev/null &
    names[$!]=$1
    logs[$!]=$log
    shift 2
done

while ((${#names[@]})); do
    wait -n -p pid "${!names[@]}" || failed[$pid]=${names[$pid]}
    printf '\n==> %s: after %d s (%s)\n' "${names[$pid]}" "$SECONDS" "$(date +%T)"
    cat "${logs[$pid]}"
    unset "names[$pid]"
done
for pid in "${!failed[@]}"; do
    # Whoever reads only the end of a long log reads why.
    printf '\n==> failed: %s\n' "${failed[$pid]}"
    grep -n -E '^(FAILED|---- )|panicked at|test result: FAILED|error(\[|:)|Error [0-9]' "${logs[$pid]}" | tail -n 40
    printf '…\n'
    tail -n 60 "${logs[$pid]}"
done
((${#failed[@]} == 0))
