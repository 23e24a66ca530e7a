//! Every scenario's capture through the program: what is shown is what was sent.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod truth;

use assert_cmd::Command;
use ctishark_fixtures::{Compression, Scenario, Sent};
use serde_json::Value;
use std::fs::File;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use truth::{Truth, assert_paired, assert_true, nanos, of_kind, records};

fn scenario_paths() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/scenarios");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "scn"))
        .collect();
    paths.sort();
    paths
}

fn load(name: &str) -> Scenario {
    let paths = scenario_paths();
    let path = paths.iter().find(|p| p.file_stem().unwrap() == name);
    Scenario::load(path.unwrap()).unwrap()
}

/// The capture files of a scenario, in a folder of their own.
fn write(scenario: &Scenario, folder: &TempDir) -> Vec<PathBuf> {
    let files = scenario.capture_files().unwrap();
    files
        .iter()
        .map(|file| {
            let path = folder.path().join(file.name("capture"));
            file.write_to(File::create(&path).unwrap()).unwrap();
            path
        })
        .collect()
}

fn ctishark() -> Command {
    let mut command = Command::cargo_bin("ctishark").unwrap();
    command.env("TZ", "UTC").env("NO_COLOR", "1");
    command.args(["--format", "ndjson", "--show-secrets"]);
    command
}

fn run(command: &mut Command) -> Vec<Value> {
    let assert = command.assert().code(0);
    records(&assert.get_output().stdout)
}

fn truth_of(scenario: &Scenario) -> Vec<Truth> {
    scenario
        .messages()
        .into_iter()
        .map(|sent| {
            let connection = &scenario.connections[sent.connection];
            let (from, to) = match sent.side {
                ctishark_fixtures::Side::Client => (connection.client, connection.server),
                ctishark_fixtures::Side::Server => (connection.server, connection.client),
            };
            Truth { sent, from, to }
        })
        .collect()
}

/// Whether the capture has all of a message.
fn is_whole(scenario: &Scenario, sent: &Sent) -> bool {
    // Ethernet, IPv6 and TCP headers with options, at most; each tunnel may add as much.
    let tunnels = scenario.capture.interfaces.iter().map(|i| i.tunnels.len());
    let headers = 100 * (1 + tunnels.max().unwrap_or(0));
    let snap = sent.accidents.snap.unwrap_or(scenario.capture.snaplen);
    !sent.lost() && snap > headers + sent.payload.bytes.len()
}

/// Whether nothing happened on the way, so that the message is read when it was sent.
fn is_untouched(sent: &Sent) -> bool {
    sent.accidents == ctishark_fixtures::Accidents::default() && sent.payload.bytes.len() < 1000
}

#[test]
fn what_was_sent_is_shown() {
    let mut paired = 0;
    let paths = scenario_paths();
    for path in &paths {
        let name = path.file_stem().unwrap().to_string_lossy();
        let scenario = Scenario::load(path).unwrap();
        let folder = TempDir::new().unwrap();
        let records = run(ctishark().args(write(&scenario, &folder)));
        let shown = of_kind(&records, "message");
        let truth = truth_of(&scenario);
        assert_true(&name, &shown, &truth, |t| {
            t.is_regular() && is_whole(&scenario, &t.sent)
        });
        paired += assert_paired(&name, &shown);
        // Sessions: one for each connection that says something, and never one for two.
        let mut ends: Vec<(u64, Value, Value)> = Vec::new();
        for message in &shown {
            let session = message["session"].as_u64().unwrap();
            let (mut a, mut b) = (message["src"].clone(), message["dst"].clone());
            if message["direction"] == "server-to-client" {
                std::mem::swap(&mut a, &mut b);
            }
            match ends.iter().find(|(n, ..)| *n == session) {
                Some((_, client, server)) => assert_eq!((client, server), (&a, &b), "{name}"),
                None => ends.push((session, a, b)),
            }
        }
        let summary = records.last().unwrap();
        assert_eq!(summary["kind"], "summary", "{name}");
        assert_eq!(summary["messages"], shown.len(), "{name}");
    }
    assert!(paths.len() > 20 && paired > 100, "{paired}");
}

#[test]
fn times_are_those_of_the_packets() {
    for name in ["agent-day", "call-conferenced", "file-nanos-big-endian"] {
        let scenario = load(name);
        let folder = TempDir::new().unwrap();
        let records = run(ctishark().args(write(&scenario, &folder)));
        let shown = of_kind(&records, "message");
        let sent = scenario.messages();
        assert_eq!(shown.len(), sent.len(), "{name}");
        let precision = if scenario.capture.nanos { 1 } else { 1000 };
        for (shown, sent) in shown.iter().zip(&sent).filter(|(_, s)| is_untouched(s)) {
            let expected = sent.time.nanos() / precision * precision;
            assert_eq!(nanos(&shown["time"]), expected, "{name}: {shown}");
        }
    }
}

/// Records without what depends on the names and the order of the files.
fn without_files(records: Vec<Value>) -> Vec<Value> {
    records
        .into_iter()
        .filter(|r| r["kind"] != "header")
        .map(|mut record| {
            record.as_object_mut().unwrap().remove("files");
            record
        })
        .collect()
}

#[test]
fn files_of_a_ring_give_the_same_in_any_order() {
    let scenario = load("ring");
    let folder = TempDir::new().unwrap();
    let files = write(&scenario, &folder);
    assert_eq!(files.len(), 3);
    let in_order = without_files(run(ctishark().args(&files)));
    let shown = of_kind(&in_order, "message");
    assert_eq!(shown.len(), scenario.messages().len());
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let shuffled = order.map(|i| &files[i]);
        assert!(
            without_files(run(ctishark().args(shuffled))) == in_order,
            "order {order:?}"
        );
    }
}

#[test]
fn standard_input_gives_the_same_as_a_file() {
    for name in ["agent-day", "file-pcapng-zst", "two-interfaces"] {
        let scenario = load(name);
        let folder = TempDir::new().unwrap();
        let file = write(&scenario, &folder).remove(0);
        let from_file = without_files(run(ctishark().arg(&file)));
        for arguments in [&["-"][..], &[]] {
            let mut command = ctishark();
            command.args(arguments).pipe_stdin(&file).unwrap();
            assert!(without_files(run(&mut command)) == from_file, "{name}");
        }
    }
}

#[test]
fn compressed_files_give_the_same_as_plain_ones() {
    let mut scenario = load("call-transferred");
    let folder = TempDir::new().unwrap();
    let mut plain = None;
    for (name, compression) in Compression::ALL {
        scenario.capture.compression = compression;
        let files = write(&scenario, &folder);
        let records = without_files(run(ctishark().args(files)));
        assert!(records.len() > 50);
        assert!(
            *plain.get_or_insert_with(|| records.clone()) == records,
            "{name}"
        );
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let scenario = load("demo");
    let folder = TempDir::new().unwrap();
    let files = write(&scenario, &folder);
    let outputs = ["1", "2", "7"].map(|jobs| {
        let assert = ctishark().args(&files).args(["--jobs", jobs]).assert();
        assert.get_output().stdout.clone()
    });
    assert!(outputs[0] == outputs[1] && outputs[0] == outputs[2]);
}

/// What a selection leaves of a capture made of a scenario: names of the messages, and of requests and answers of the exchanges.
fn selected(text: &str, options: &[&str]) -> (Vec<String>, Vec<[String; 2]>) {
    let head = "host a 10.0.1.10\nhost b 10.0.0.5\nconnection A a:50000 -> b:42027 version=24\n\n";
    let scenario = Scenario::from_text("test", &format!("{head}{text}")).unwrap();
    let folder = TempDir::new().unwrap();
    let records = run(ctishark()
        .arg("--utc")
        .args(options)
        .args(write(&scenario, &folder)));
    let name = |value: &Value| value["name"].as_str().unwrap_or("-").to_owned();
    let messages = of_kind(&records, "message");
    let exchanges = of_kind(&records, "exchange");
    (
        messages.iter().map(|m| name(m)).collect(),
        exchanges
            .iter()
            .map(|e| [name(&e["request"]), name(&e["answer"])])
            .collect(),
    )
}

const AGENT_SESSION: &str = "\
10:00:00 A open
A > OPEN_REQ InvokeID=1 IdleTimeout=30 PeripheralID=5000 ServicesRequested=1 ClientID=\"x\" ClientPassword=\"\" AgentID=\"1001\"
+5ms A < OPEN_CONF InvokeID=1 ServicesGranted=1 AgentID=\"1001\"
+10s A > HEARTBEAT_REQ InvokeID=2
+1ms A < HEARTBEAT_CONF InvokeID=2
+10s A > HEARTBEAT_REQ InvokeID=3
+1ms A < FAILURE_CONF InvokeID=3 Status=E_CTI_SESSION_NOT_OPEN
+1s A < HEARTBEAT_CONF InvokeID=99
";

#[test]
fn a_session_opened_for_an_agent_was_forgotten_when_its_opening_was_not_shown() {
    let heartbeats = ["HEARTBEAT_REQ", "HEARTBEAT_CONF", "HEARTBEAT_REQ"];
    let select =
        |options: &[&str]| selected(AGENT_SESSION, &[&["--agent", "1001"], options].concat());
    let (by_time, _) = select(&["--from", "10:00:05"]);
    assert_eq!(by_time[..3], heartbeats);
    assert_eq!(by_time[3..], ["FAILURE_CONF", "HEARTBEAT_CONF"]);
    let (by_type, exchanges) = select(&["--type", "HEARTBEAT_*"]);
    assert_eq!(by_type[..3], heartbeats);
    assert_eq!(exchanges.len(), 3, "{exchanges:?}");
}

#[test]
fn an_agents_password_was_taken_for_an_agent() {
    let login = "A > SET_AGENT_STATE_REQ InvokeID=4 AgentState=LOGIN AgentInstrument=\"20101\" AgentPassword=\"7777\"\n";
    let text = format!("{AGENT_SESSION}{login}");
    let (messages, _) = selected(&text, &["--agent", "7777"]);
    assert_eq!(messages, Vec::<String>::new());
    let (messages, _) = selected(&text, &["--agent", "20101"]);
    assert_eq!(messages, ["SET_AGENT_STATE_REQ"]);
}

#[test]
fn exchanges_of_heartbeats_were_shown_without_heartbeats() {
    let (messages, exchanges) = selected(AGENT_SESSION, &["--no-heartbeats"]);
    assert_eq!(messages, ["OPEN_REQ", "OPEN_CONF", "FAILURE_CONF"]);
    let shown = [["OPEN_REQ", "OPEN_CONF"], ["HEARTBEAT_REQ", "FAILURE_CONF"]];
    assert_eq!(exchanges, shown);
}

#[test]
fn answers_about_a_call_were_lost_when_their_requests_were_not_shown() {
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/captures/demo.pcap");
    let select = |options: &[&str]| {
        let records = run(ctishark()
            .args(["--call", "16777301"])
            .args(options)
            .arg(&capture));
        of_kind(&records, "message")
            .iter()
            .map(|m| m["name"].as_str().unwrap().to_owned())
            .filter(|n| n.ends_with("_CONF"))
            .collect::<Vec<_>>()
    };
    let answers = select(&["--type", "*_CONF"]);
    assert!(answers.len() >= 4, "{answers:?}");
    assert_eq!(answers, select(&[]));
}

#[test]
fn very_many_sessions_are_listed_in_parts_and_none_is_left_out() {
    let text = r#"
host c 10.0.1.10
host s 10.0.0.5
repeat 8300 as i
connection C$i c:$(i+20000) -> s:42027
+1ms C$i > OPEN_REQ InvokeID=1 ServicesRequested=0x16 ClientID="x" ClientPassword=""
+1ms C$i > RST
end
"#;
    let scenario = Scenario::from_text("many", text).unwrap();
    let folder = TempDir::new().unwrap();
    let files = write(&scenario, &folder);
    let mut command = Command::cargo_bin("ctishark").unwrap();
    let assert = command.arg("sessions").args(&files).assert().code(0);
    let output = assert.get_output();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("listed in 2 parts"), "{told}");
    let table = String::from_utf8_lossy(&output.stdout);
    let headings = table.lines().filter(|l| l.starts_with("SESSION"));
    assert_eq!(headings.count(), 2);
    let numbers: Vec<u32> = table
        .lines()
        .filter_map(|l| l.split_whitespace().next()?.strip_prefix('S')?.parse().ok())
        .collect();
    assert_eq!(numbers, (1..=8300).collect::<Vec<_>>());
}
