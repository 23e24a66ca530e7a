//! What stands below the help of each command: examples and exit codes.

pub const TIMELINE_EXAMPLES: &str = "\
Examples:
  ctishark trace.pcapng                     the timeline of one capture
  ctishark ring_*.pcap.gz | less            rotated files are merged by time
  ctishark captures/                        all captures of a directory, likewise
  ctishark --detail --hex trace.pcap        every field of every message, and its bytes
  ctishark --call 16777235 trace.pcap       one call
  ctishark --type 'CALL_*' --session 2 trace.pcap
  ctishark --only-failures --from 10:15 --to 10:30 trace.pcap
  ctishark -Y 'AgentID == \"1001\" && latency_ms > 500' trace.pcap
  ctishark --format ndjson trace.pcap | jq 'select(.kind == \"message\")'
  tcpdump -i eth0 -U -w - tcp | ctishark -

Exit codes:
  0  done, even when the capture is damaged or holds no CTI messages
  2  could not do it: wrong usage, a file that cannot be read, not a capture";

pub const SESSIONS_EXAMPLES: &str = "\
Examples:
  ctishark sessions trace.pcapng
  ctishark sessions --format csv captures/
  ctishark sessions -Y 'name == \"FAILURE_CONF\"' trace.pcapng

Exit codes:
  0  done
  2  could not do it: wrong usage, a file that cannot be read, not a capture";

pub const TRIAGE_EXAMPLES: &str = "\
Examples:
  ctishark triage trace.pcapng
  ctishark triage --agent 1001 trace.pcapng
  ctishark triage --fail-on error --quiet trace.pcapng
  ctishark triage --format csv trace.pcapng

Exit codes:
  0  done
  1  done, and there is a finding that --fail-on asks for
  2  could not do it: wrong usage, a file that cannot be read, not a capture";

pub const AGENTS_EXAMPLES: &str = "\
Examples:
  ctishark agents trace.pcapng
  ctishark agents --session 2 trace.pcapng
  ctishark agents --format csv captures/ > agents.csv

Exit codes:
  0  done
  2  could not do it: wrong usage, a file that cannot be read, not a capture";

pub const AGENT_EXAMPLES: &str = "\
Examples:
  ctishark agent 1001 trace.pcapng
  ctishark agent 20101 --from 10:15 --to 10:30 trace.pcapng
  ctishark agent 1001 --format csv trace.pcapng

Exit codes:
  0  done
  2  could not do it: no such agent, wrong usage, a file that cannot be read, not a capture";

pub const STATS_EXAMPLES: &str = "\
Examples:
  ctishark stats trace.pcapng
  ctishark stats --by latency,failures trace.pcapng
  ctishark stats --by interval --interval 10s trace.pcapng
  ctishark stats --by latency --format csv captures/ > latency.csv
  ctishark stats -Y 'AgentID == \"1001\"' --from 10:15 trace.pcapng

Exit codes:
  0  done
  2  could not do it: wrong usage, a file that cannot be read, not a capture";

pub const CALLS_EXAMPLES: &str = "\
Examples:
  ctishark calls trace.pcapng
  ctishark calls --format csv captures/ > calls.csv
  ctishark calls --outcome abandoned --min-queue 30s trace.pcapng
  ctishark calls --outcome transferred,conferenced --agent 1001 trace.pcapng
  ctishark calls -Y 'ANI contains \"5550142\"' trace.pcapng

Outcomes, of which each call has one: answered, abandoned, unanswered, failed, undelivered, self_service, open, unknown.
What happened on its way: queued, redirected, held, consulted, transferred, conferenced, supervised, failed_request,
recovered, began_before, end_unseen.

Exit codes:
  0  done
  2  could not do it: wrong usage, a file that cannot be read, not a capture";

pub const CALL_EXAMPLES: &str = "\
Examples:
  ctishark call 16777301 trace.pcapng
  ctishark call 0x1000035 ring_*.pcap.gz
  ctishark call 5550142 --from 10:15 trace.pcapng      all calls of an ANI
  ctishark call 154601/2034 trace.pcapng               by RouterCallKeyDay/RouterCallKeyCallID
  ctishark call 16777301 --format svg trace.pcapng > call.svg
  ctishark call 16777301 --format csv trace.pcapng > call.csv

Exit codes:
  0  done
  2  could not do it: no such call, wrong usage, a file that cannot be read, not a capture";

pub const EXTRACT_EXAMPLES: &str = "\
Examples:
  ctishark extract --session 2 trace.pcapng -o session2.pcapng
  ctishark extract --call 16777235 ring_*.pcap.gz -o call.pcap
  ctishark extract --agent 1001 --from 10:15 --to 10:30 trace.pcap -o agent.pcapng.gz
  ctishark extract -Y 'findings' --whole trace.pcapng -o - | tshark -r -

Exit codes:
  0  done, even when nothing was selected
  2  could not do it: wrong usage, a file that cannot be read or written, not a capture";

pub const REDACT_EXAMPLES: &str = "\
Examples:
  ctishark redact trace.pcapng -o shared.pcapng
  ctishark redact --key-file team.key ring_*.pcap.gz -o shared.pcap.gz
  ctishark redact --keep config,client --report replaced.json trace.pcapng -o shared.pcapng
  ctishark redact --list
  ctishark extract --agent 1001 trace.pcapng -o - | ctishark redact - -o shared.pcapng

Exit codes:
  0  done
  2  could not do it: wrong usage, a file that cannot be read or written, not a capture";

pub const DIFF_EXAMPLES: &str = "\
Examples:
  ctishark diff old.pcapng new.pcapng           does it still talk the same way?
  ctishark diff --write-baseline base.ndjson.gz old.pcapng
  ctishark diff base.ndjson.gz new.pcapng       against the baseline made before
  ctishark diff --profile diff.toml base.ndjson.gz captures/
  ctishark diff --no-heartbeats --ignore CallVariable10 --ignore 'AGENT_STATE_EVENT.MRDID' old.pcap new.pcap
  ctishark diff --only 'name contains \"CALL_\"' --side-by-side old.pcap new.pcap
  ctishark diff --format ndjson old.pcap new.pcap | jq 'select(.kind == \"difference\")'

Exit codes:
  0  the same, or the baseline is written
  1  different
  2  could not do it: wrong usage, a file that cannot be read, neither a capture nor a dump";

pub const EXPLAIN_EXAMPLES: &str = "\
Examples:
  ctishark explain                          what can be asked, and all messages
  ctishark explain AGENT_STATE_EVENT        a message: layout, floating fields, answers
  ctishark explain OPEN_CONF --version 13   its layout in protocol version 13
  ctishark explain 36                       everything with this number
  ctishark explain tag 25                   a floating field; also by name, such as ANI_TAG
  ctishark explain E_CTI_INVALID_PASSWORD   a value; also its short form
  ctishark explain CallType                 a field, and its table of values
  ctishark explain version 20               what a protocol version brought

Exit codes:
  0  everything asked for was found
  2  something was not found, or wrong usage";

pub const REPORT_EXAMPLES: &str = "\
Examples:
  ctishark report trace.pcapng -o report.html
  ctishark report --title 'Ticket 4711' --utc captures/ -o report.html
  ctishark report --from 10:15 --to 10:30 --no-heartbeats trace.pcapng -o report.html
  ctishark report trace.pcapng -o - | gzip > report.html.gz

Exit codes:
  0  done
  2  could not do it: wrong usage, a file that cannot be read or written, not a capture";
