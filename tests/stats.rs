//! `ctishark stats`, held against what the records of the timeline add up to.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod program;

use program::{VALIDATOR, capture, captures, ctishark};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Output;

fn start(options: &[&str], file: &Path) -> Output {
    ctishark(options).arg(file).output().unwrap()
}

fn run(options: &[&str], file: &Path) -> String {
    let output = start(options, file);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{options:?} {file:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn records(options: &[&str], file: &Path) -> Vec<Value> {
    let output = run(options, file);
    output
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value}"))
}

fn of_kind<'a>(records: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    records.iter().filter(move |r| r["kind"] == kind)
}

/// Nanoseconds since 1970.
fn nanos(time: &Value) -> i128 {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    time.as_nanosecond()
}

/// The value at a rank of all, as the documentation defines it.
fn quantile(sorted: &[f64], thousandths: usize) -> f64 {
    let rank = (sorted.len() * thousandths).div_ceil(1000).max(1);
    sorted[rank - 1]
}

/// Every request has come to something.
fn adds_up(row: &Value, what: &str) {
    let came_to = ["answered", "failed", "unanswered", "open", "not_judged"];
    let sum: u64 = came_to.iter().map(|key| number(&row[*key])).sum();
    assert_eq!(number(&row["requests"]), sum, "{what}: {row}");
}

/// What a group of exchanges comes to.
#[derive(Default)]
struct Group {
    requests: u64,
    answered: u64,
    failed: u64,
    unanswered: u64,
    open: u64,
    not_judged: u64,
    late: u64,
    latencies: Vec<f64>,
}

impl Group {
    fn add(&mut self, exchange: &Value) {
        self.requests += 1;
        *match exchange["outcome"].as_str().unwrap() {
            "confirmed" | "wrong_answer" => &mut self.answered,
            "failed" => &mut self.failed,
            "session_ended" if exchange["request"]["name"] == "CLOSE_REQ" => &mut self.not_judged,
            "unanswered" | "session_ended" => &mut self.unanswered,
            "capture_ended" => &mut self.open,
            "not_expected" | "not_judged" => &mut self.not_judged,
            "late" => {
                self.requests -= 1;
                &mut self.late
            }
            other => panic!("{other}"),
        } += 1;
        self.latencies.extend(exchange["latency_ms"].as_f64());
    }

    fn check(&mut self, row: &Value, what: &str) {
        for (key, expected) in [
            ("requests", self.requests),
            ("failed", self.failed),
            ("unanswered", self.unanswered),
            ("late", self.late),
            ("answered", self.answered),
            ("open", self.open),
            ("not_judged", self.not_judged),
        ] {
            assert_eq!(number(&row[key]), expected, "{what}: {key}: {row}");
        }
        adds_up(row, what);
        if self.latencies.is_empty() {
            assert!(row["median_ms"].is_null(), "{what}");
            return;
        }
        self.latencies.iter_mut().for_each(|l| *l = l.max(0.0));
        self.latencies.sort_by(f64::total_cmp);
        for (key, thousandths) in [
            ("min_ms", 0),
            ("median_ms", 500),
            ("p90_ms", 900),
            ("p99_ms", 990),
            ("max_ms", 1000),
        ] {
            let expected = quantile(&self.latencies, thousandths);
            let got = row[key].as_f64().unwrap();
            assert!(
                (got - expected).abs() < 1e-6,
                "{what}: {key} {got}, not {expected}"
            );
        }
    }
}

/// The exchanges of a timeline that count, each once: an answer in several parts is several records.
fn exchanges(timeline: &[Value]) -> Vec<&Value> {
    let mut confirmed = BTreeSet::new();
    of_kind(timeline, "exchange")
        .filter(|e| !e["request"].is_null())
        .filter(|e| e["outcome"] != "confirmed" || confirmed.insert(number(&e["request"]["no"])))
        .collect()
}

fn check(options: &[&str], file: &Path) {
    let with = |command: &[&'static str]| {
        let mut all: Vec<&str> = command.to_vec();
        all.extend(options);
        all.extend(["--format", "ndjson"]);
        records(&all, file)
    };
    let timeline = with(&[]);
    let stats = with(&["stats", "--interval", "7s"]);
    let what = format!("{options:?} {}", file.display());
    for record in &stats {
        assert!(VALIDATOR.is_valid(record), "{what}: {record:#}");
    }
    assert_eq!(timeline.last(), stats.last(), "{what}: summary");
    let total = of_kind(&stats, "stats").next().unwrap();
    let messages: Vec<&Value> = of_kind(&timeline, "message").collect();
    assert_eq!(
        number(&total["messages"]),
        u64::try_from(messages.len()).unwrap(),
        "{what}"
    );

    // Messages by type, session and time.
    let cut = |m: &Value| m["findings"].to_string().contains("cut_message");
    let whole = !messages.iter().any(|m| cut(m));
    let mut types: BTreeMap<(u64, String), (u64, u64)> = BTreeMap::new();
    let mut sessions: BTreeMap<u64, u64> = BTreeMap::new();
    let mut slices: BTreeMap<i128, u64> = BTreeMap::new();
    for message in &messages {
        let direction = message["direction"].as_str().unwrap().to_owned();
        let count = types
            .entry((number(&message["type"]), direction))
            .or_default();
        count.0 += 1;
        count.1 += number(&message["length"]) + 8;
        *sessions.entry(number(&message["session"])).or_default() += 1;
        *slices
            .entry(nanos(&message["time"]).div_euclid(7_000_000_000))
            .or_default() += 1;
    }
    let mut of_stats: BTreeMap<(u64, String), (u64, u64)> = BTreeMap::new();
    for row in of_kind(&stats, "stats_type") {
        let direction = row["direction"].as_str().unwrap().to_owned();
        let count = of_stats
            .entry((number(&row["type"]), direction))
            .or_default();
        count.0 += number(&row["messages"]);
        count.1 += number(&row["bytes"]);
    }
    if whole {
        assert_eq!(of_stats, types, "{what}");
    } else {
        let counts = |of: &BTreeMap<(u64, String), (u64, u64)>| -> Vec<u64> {
            of.values().map(|c| c.0).collect()
        };
        assert_eq!(counts(&of_stats), counts(&types), "{what}");
    }
    let of_stats: BTreeMap<u64, u64> = of_kind(&stats, "stats_session")
        .map(|row| {
            let both = number(&row["messages_from_client"]) + number(&row["messages_from_server"]);
            (number(&row["session"]), both)
        })
        .filter(|(_, messages)| *messages > 0)
        .collect();
    assert_eq!(of_stats, sessions, "{what}");
    let of_stats: BTreeMap<i128, u64> = of_kind(&stats, "stats_interval")
        .map(|row| {
            let from = nanos(&row["from"]);
            assert_eq!(
                (from.rem_euclid(7_000_000_000), &row["interval_s"]),
                (0, &7.0.into())
            );
            let both = number(&row["messages_from_client"]) + number(&row["messages_from_server"]);
            (from.div_euclid(7_000_000_000), both)
        })
        .filter(|(_, messages)| *messages > 0)
        .collect();
    assert_eq!(of_stats, slices, "{what}");

    // Requests by type and session.
    let mut all = Group::default();
    let mut by_type: BTreeMap<(u64, String), Group> = BTreeMap::new();
    let mut by_session: BTreeMap<u64, Group> = BTreeMap::new();
    let mut failures: BTreeMap<(String, u64), u64> = BTreeMap::new();
    for exchange in exchanges(&timeline) {
        let key = (
            number(&exchange["request"]["type"]),
            exchange["asked_by"].as_str().unwrap().to_owned(),
        );
        by_type.entry(key).or_default().add(exchange);
        by_session
            .entry(number(&exchange["session"]))
            .or_default()
            .add(exchange);
        all.add(exchange);
        if exchange["outcome"] == "failed" {
            let code = number(&exchange["failure"]["value"]);
            let request = exchange["request"]["name"].as_str().unwrap().to_owned();
            *failures.entry((request, code)).or_default() += 1;
        }
    }
    for (key, expected) in [
        ("requests", all.requests),
        ("failed", all.failed),
        ("unanswered", all.unanswered),
    ] {
        assert_eq!(number(&total[key]), expected, "{what}: {key}");
        let of_slices = of_kind(&stats, "stats_interval").map(|row| number(&row[key]));
        assert_eq!(of_slices.sum::<u64>(), expected, "{what}: {key} by time");
    }
    let rows: Vec<&Value> = of_kind(&stats, "stats_latency").collect();
    assert_eq!(rows.len(), by_type.len(), "{what}");
    for row in rows {
        let key = (
            number(&row["type"]),
            row["asked_by"].as_str().unwrap().to_owned(),
        );
        by_type.get_mut(&key).unwrap().check(row, &what);
    }
    for row in of_kind(&stats, "stats_session") {
        let session = number(&row["session"]);
        by_session.entry(session).or_default().check(row, &what);
    }
    let bands = of_kind(&stats, "stats_latency_band").map(|row| number(&row["count"]));
    assert_eq!(
        bands.sum::<u64>(),
        u64::try_from(all.latencies.len()).unwrap(),
        "{what}"
    );
    for row in of_kind(&stats, "stats_response_time") {
        let of_type = by_type
            .iter()
            .filter(|((kind, by), _)| *kind == number(&row["type"]) && *by == row["asked_by"]);
        let sum: f64 = of_type.flat_map(|(_, g)| &g.latencies).sum();
        let got = row["sum_s"].as_f64().unwrap() * 1000.0;
        let average = row["average_s"].as_f64().unwrap() * 1000.0;
        assert!((got - sum).abs() < 1e-3, "{what}: {row}");
        let calls = f64::from(u32::try_from(number(&row["calls"])).unwrap());
        assert!((average - sum / calls).abs() < 1e-3, "{what}: {row}");
    }
    let of_stats: BTreeMap<(String, u64), u64> = of_kind(&stats, "stats_failure")
        .filter(|row| !row["request"].is_null())
        .fold(BTreeMap::new(), |mut sum, row| {
            let key = (
                row["request"].as_str().unwrap().to_owned(),
                number(&row["code"]),
            );
            *sum.entry(key).or_default() += number(&row["count"]);
            sum
        });
    assert_eq!(of_stats, failures, "{what}");
}

#[test]
fn statistics_are_what_the_timeline_adds_up_to() {
    for file in captures() {
        check(&[], &file);
    }
}

#[test]
fn only_what_is_selected_counts() {
    for options in [
        &["--session", "1"][..],
        &["--no-heartbeats"],
        &["--only-failures"],
        &["--agent", "1001"],
        &["--type", "SET_AGENT_STATE_*,CALL_*"],
        &["-Y", "latency_ms > 10 || name contains \"EVENT\""],
        &["--from", "14:00:01", "--to", "10:15:20"],
    ] {
        for name in [
            "demo.pcap",
            "failures.pcap",
            "agents-shift.pcap",
            "maintenance-v24.pcap",
        ] {
            if options[0] != "--from" {
                check(options, &capture(name));
            }
        }
    }
    check(
        &["--from", "10:15:10", "--to", "10:16:20"],
        &capture("demo.pcap"),
    );
}

#[test]
fn without_a_selection_requests_are_those_of_the_summary() {
    for file in captures() {
        let stats = records(&["stats", "--format", "ndjson"], &file);
        let (total, summary) = (&stats[1], stats.last().unwrap());
        assert_eq!(
            (&total["kind"], &summary["kind"]),
            (&"stats".into(), &"summary".into())
        );
        adds_up(total, &file.display().to_string());
        for (ours, theirs) in [
            ("messages", "messages"),
            ("bytes", "message_bytes"),
            ("requests", "requests"),
            ("answered", "answered"),
            ("failed", "failed"),
            ("unanswered", "unanswered"),
            ("open", "open"),
            ("not_judged", "not_judged"),
        ] {
            assert_eq!(total[ours], summary[theirs], "{file:?}: {ours}");
        }
    }
}

#[test]
fn all_forms_tell_the_same() {
    let file = capture("failures.pcap");
    let by_line = records(&["stats", "--format", "ndjson"], &file);
    let document = run(&["stats", "--format", "json", "--jobs", "1"], &file);
    assert_eq!(
        serde_json::from_str::<Vec<Value>>(&document).unwrap(),
        by_line
    );
    for (section, kind) in [
        ("type", "stats_type"),
        ("direction", "stats_direction"),
        ("session", "stats_session"),
        ("latency", "stats_latency"),
        ("response-time", "stats_response_time"),
        ("failures", "stats_failure"),
        ("heartbeats", "stats_heartbeat"),
    ] {
        let csv = run(&["stats", "--format", "csv", "--by", section], &file);
        let rows = of_kind(&by_line, kind).count();
        assert_eq!(csv.lines().count(), rows + 1, "{section}: {csv}");
        // Every column has a name; bars have none, and are for people.
        let columns: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
        assert!(
            columns.len() > 3 && columns.iter().all(|name| !name.is_empty()),
            "{section}: {csv}"
        );
        // In order, and nothing else.
        let alone = records(&["stats", "--format", "ndjson", "--by", section], &file);
        let kinds: BTreeSet<&str> = alone.iter().filter_map(|r| r["kind"].as_str()).collect();
        let mut expected = BTreeSet::from(["header", "stats", kind, "summary"]);
        if section == "latency" {
            expected.insert("stats_latency_band");
        }
        assert_eq!(kinds, expected, "{section}");
        let text = run(&["stats", "--ascii", "--by", section], &file);
        assert!(
            text.is_ascii() && text.lines().count() > 3,
            "{section}: {text}"
        );
    }
}

#[test]
fn heartbeats_are_lost_when_there_was_time_for_an_answer() {
    let stats = records(
        &["stats", "--format", "ndjson", "--by", "heartbeats"],
        &capture("heartbeat-loss.pcap"),
    );
    let rows: Vec<&Value> = of_kind(&stats, "stats_heartbeat").collect();
    assert_eq!(rows.len(), 2);
    let numbers = |row: &Value| ["requests", "answered", "lost"].map(|key| number(&row[key]));
    assert_eq!(numbers(rows[0]), [5, 2, 3]);
    assert_eq!(numbers(rows[1]), [1, 1, 0]);
    let median = rows[0]["interval_median_s"].as_f64().unwrap();
    assert!((median - 5.0).abs() < 0.01, "{median}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let file = capture("demo.pcap");
    for (options, word) in [
        (
            &["stats", "--format", "csv", "--by", "type,latency"][..],
            "--by",
        ),
        (&["stats", "--by", "interval"], "--interval"),
        (&["stats", "--interval", "0"], "above 0"),
        (&["stats", "--by", "colour"], "invalid value"),
    ] {
        let output = start(options, &file);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{options:?}: {stderr}");
        assert!(
            stderr.contains(word) && stderr.lines().count() == 1,
            "{options:?}: {stderr}"
        );
    }
}
