#!/usr/bin/env bash
# What comparing costs: time and peak memory of `ctishark diff` on about a million messages a side, beside `ctishark --format ndjson` on one
# of them in the same run.
#
#   bench/diff.sh [--events N] [FOLDER]      N events a side (372000: a million messages); FOLDER keeps the captures (target/bench)
#
# Needs GNU time. Close what else runs on the machine: absolute times are worth little, ratios some.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

events=372000 folder=target/bench
while (($#)); do
    case $1 in
    --events) events=$2 && shift ;;
    *) folder=$1 ;;
    esac
    shift
done
[[ -x /usr/bin/time ]] || { echo "diff.sh: GNU time is not installed" >&2; exit 2; }
if [[ -z ${CTISHARK:-} ]]; then
    cargo build --release --quiet --locked -p ctishark -p ctishark-bench
fi
ctishark=${CTISHARK:-target/release/ctishark}
make=${CTISHARK_BENCH:-target/release/ctishark-bench}
mkdir -p "$folder"
old=$folder/diff-old.pcap new=$folder/diff-new.pcap base=$folder/diff-old.ndjson.gz
trap 'rm -f "$old" "$new" "$base" "$folder"/diff-time "$folder"/diff-out' EXIT

# measure NAME COMMAND...: CPU and elapsed seconds, peak memory; leaves the CPU seconds in $cpu.
measure() {
    local name=$1
    shift
    /usr/bin/time -f '%U %S %e %M' -o "$folder/diff-time" "$@" >"$folder/diff-out" 2>/dev/null || true
    read -r user system elapsed kb < <(tail -n 1 "$folder/diff-time")
    cpu=$(awk -v u="$user" -v s="$system" 'BEGIN { print u + s }')
    awk -v n="$name" -v c="$cpu" -v e="$elapsed" -v k="$kb" -v b="${base_cpu:-$cpu}" \
        'BEGIN { printf "%-34s %7.1f s CPU (%5.1f times) %7.1f s elapsed %7.0f MB\n", n, c, c / b, e, k / 1024 }'
}

"$make" busy 100GB "$old" --events "$events"
"$make" busy 100GB "$new" --events "$events" --again
measure 'ndjson of one side' "$ctishark" --quiet --format ndjson "$old"
base_cpu=$cpu
measure 'the same, renamed' "$ctishark" diff --quiet "$old" "$new"
head -n 3 "$folder/diff-out"
measure 'a baseline is written' "$ctishark" diff --quiet --write-baseline "$base" "$old"
measure 'a baseline and a capture' "$ctishark" diff --quiet "$base" "$new"
# compared NAME: compares what was made.
compared() {
    measure "$1" "$ctishark" diff --quiet "$old" "$new"
    head -n 1 "$folder/diff-out"
}
for every in 1000 10 3; do
    "$make" busy 100GB "$new" --events "$events" --again --leave-out "$every"
    compared "one event of $every missing"
done
"$make" busy 100GB "$new" --events "$events" --again --peripheral 5001
compared 'a field changed in most messages'
"$make" busy 100GB "$new" --events "$((events / 2))" --again
compared 'new ends after half of it'
"$make" busy 100GB "$new" --events "$events" --again --day 8
compared 'another day altogether'
"$make" repeated 100GB "$old" --events "$((events * 4))"
"$make" repeated 100GB "$new" --events "$((events * 4))" --again
compared 'three messages again and again'
"$make" repeated 100GB "$new" --events "$((events * 2))" --again
compared 'half of them'
