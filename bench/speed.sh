#!/usr/bin/env bash
# How fast ctishark is, beside tshark with peer.lua on the same capture and `cat FILE | wc -c`, in one run; prints ratios.
# The captures are made here: a busy contact centre, 100 MB and (unless --small) 1 GB.
#
#   bench/speed.sh [--small] [--runs N] [FOLDER]      FOLDER keeps the captures (target/bench)
#
# Needs hyperfine, tshark and jq. Close what else runs on the machine: absolute times are worth little, ratios some.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

small=false runs=10 folder=target/bench
while (($#)); do
    case $1 in
    --small) small=true ;;
    --runs) runs=$2 && shift ;;
    *) folder=$1 ;;
    esac
    shift
done
for tool in hyperfine tshark jq; do
    command -v "$tool" >/dev/null || { echo "speed.sh: $tool is not installed" >&2; exit 2; }
done
cargo build --release --quiet --locked -p ctishark -p ctishark-bench
ctishark=${CTISHARK:-target/release/ctishark}
mkdir -p "$folder"
sizes=(100MB)
$small || sizes+=(1GB)
for size in "${sizes[@]}"; do
    [[ -f $folder/busy-$size.pcap ]] || target/release/ctishark-bench busy "$size" "$folder/busy-$size.pcap"
done
$ctishark --format ndjson fixtures/captures/demo.pcap >/dev/null # a first run, for the page cache
head -c 24 "$folder/busy-100MB.pcap" >"$folder/empty.pcap"

# measure NAME RUNS WARMUP COMMAND: seconds of the whole process, the median of RUNS.
declare -A seconds
measure() {
    hyperfine --shell bash --style none --warmup "$3" --runs "$2" --export-json "$folder/result.json" \
        "$4 >/dev/null 2>&1" >/dev/null 2>&1
    seconds[$1]=$(jq '.results[0].median' "$folder/result.json")
    printf '  %-16s %8.4f s   (%.4f to %.4f)\n' "$1" "${seconds[$1]}" \
        "$(jq '.results[0].min' "$folder/result.json")" "$(jq '.results[0].max' "$folder/result.json")"
}
ratio() { awk -v a="${seconds[$1]}" -v b="${seconds[$2]}" 'BEGIN { printf "%.2f", a / b }'; }

lua=(-X lua_script:bench/peer.lua)
capture=$folder/busy-100MB.pcap
echo "busy contact centre, 100 MB, $(nproc) cores"
measure cat "$runs" 2 "cat $capture | wc -c"
measure sessions "$runs" 2 "$ctishark sessions $capture"
measure ndjson "$runs" 2 "$ctishark --format ndjson $capture"
measure text "$runs" 2 "$ctishark $capture"
measure ndjson-1-job "$runs" 1 "$ctishark --jobs 1 --format ndjson $capture"
measure text-1-job "$runs" 1 "$ctishark --jobs 1 $capture"
for command in stats agents calls triage; do
    measure "$command" "$runs" 1 "$ctishark $command $capture"
done
measure report 3 1 "$ctishark report $capture -o $folder/report.html"
measure tshark-fields 2 0 "tshark ${lua[*]} -r $capture -T fields -e cti.type"
measure tshark-json 2 0 "tshark ${lua[*]} -r $capture -T json"
measure start-up 50 5 "$ctishark $folder/empty.pcap || true"
if ! $small; then
    large=$folder/busy-1GB.pcap
    echo 'busy contact centre, 1 GB'
    measure cat-1GB 3 1 "cat $large | wc -c"
    measure sessions-1GB 3 1 "$ctishark sessions $large"
    measure ndjson-1GB 3 1 "$ctishark --format ndjson $large"
    measure text-1GB 3 1 "$ctishark $large"
fi

echo 'ratios'
printf '  ndjson is %s times as fast as tshark -T json (goal: 150)\n' "$(ratio tshark-json ndjson)"
printf '  text is %s times as fast as tshark -T fields -e cti.type (goal: 60)\n' "$(ratio tshark-fields text)"
printf '  sessions takes %s times as long as cat | wc -c (goal: 1.5 at most)\n' "$(ratio sessions cat)"
printf '  two jobs or more take %s of the time of one for ndjson, %s for text\n' "$(ratio ndjson ndjson-1-job)" "$(ratio text text-1-job)"
for command in stats agents calls triage report; do
    printf '  %s takes %s times as long as ndjson\n' "$command" "$(ratio "$command" ndjson)"
done
printf '  an empty capture takes %.1f ms (goal: under 5)\n' "$(awk -v s="${seconds[start-up]}" 'BEGIN { print s * 1000 }')"
if ! $small; then
    for what in sessions ndjson text; do
        awk -v what=$what -v large="${seconds[$what-1GB]}" -v one="${seconds[$what]}" \
            'BEGIN { printf "  %s: a byte at 1 GB costs %.2f of one at 100 MB (goal: 1.10 at most)\n", what, large / 10 / one }'
    done
fi
