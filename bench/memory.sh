#!/usr/bin/env bash
# Peak resident memory of ctishark on captures made to cost it memory; fails when one is beyond 64 MB.
#
#   bench/memory.sh [--size SIZE] [FOLDER]      SIZE of each capture (2GB); FOLDER keeps one at a time (target/bench)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

size=2GB folder=target/bench limit_kb=65536
while (($#)); do
    case $1 in
    --size) size=$2 && shift ;;
    *) folder=$1 ;;
    esac
    shift
done
cargo build --release --quiet --locked -p ctishark -p ctishark-bench
ctishark=${CTISHARK:-target/release/ctishark}
make=target/release/ctishark-bench
mkdir -p "$folder"
capture=$folder/memory.pcap
worst=0

# peak COMMAND...: the highest resident memory (kB) that the kernel has seen of a process.
peak() {
    "$@" >/dev/null 2>"$folder/peak.stderr" &
    local pid=$! high=0 now
    while now=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null) && [[ -n $now ]]; do
        high=$now
        sleep 0.02
    done
    wait "$pid"
    echo "$high"
}

try() { # NAME, arguments of the generator
    local name=$1 kb
    shift
    "$make" "$1" "$size" "$capture" "${@:2}"
    printf '%-34s' "$name"
    for format in sessions text ndjson json stats agents calls triage; do
        case $format in
        sessions | stats | agents | calls | triage) kb=$(peak "$ctishark" "$format" "$capture") ;;
        text) kb=$(peak "$ctishark" --jobs 4 "$capture") ;;
        *) kb=$(peak "$ctishark" --jobs 4 --format "$format" "$capture") ;;
        esac
        printf ' %s %5.1f MB ' "$format" "$(awk -v kb="$kb" 'BEGIN { print kb / 1024 }')"
        ((kb > worst)) && worst=$kb
    done
    echo
    rm -f "$capture"
}

try 'busy contact centre' busy
try '2,000 connections, 20 at once' connections
try '2,000 connections at once' connections --at-once 2000
try '8,000 connections at once' connections --at-once 8000 --connections 8000
try 'SYN after SYN' syns
try '2,000 streams begin with a hole' holes --at-once 2000
try 'a length of 4 GB' length
awk -v kb=$worst 'BEGIN { printf "highest: %.1f MB (goal: 64)\n", kb / 1024 }'
((worst <= limit_kb))
