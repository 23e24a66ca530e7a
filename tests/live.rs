//! Scenarios played over real TCP sockets on loopback while tcpdump captures them: what the program shows is what was sent.
//!
//! Needs tcpdump and the right to capture. Without them the tests are skipped, and say so; where CI is set they fail.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod truth;

use assert_cmd::Command as Program;
use ctishark_fixtures::play::{Played, Ports, Stage};
use ctishark_fixtures::{Scenario, Side};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use truth::{Truth, assert_paired, assert_true, is_cut, of_kind, records};

/// How long tcpdump may take to write what it has seen.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a scenario is played before the machine is held unfit to capture.
const ATTEMPTS: usize = 5;

/// A running tcpdump.
struct Capturing {
    child: Child,
    stderr: BufReader<ChildStderr>,
}

impl Capturing {
    /// Begins to capture some ports on loopback into a file; the error says why that cannot be.
    fn begin(file: &Path, addresses: &[SocketAddr]) -> Result<Self, String> {
        let ports: Vec<String> = addresses
            .iter()
            .map(|a| format!("tcp port {}", a.port()))
            .collect();
        let child = Command::new("tcpdump")
            .args(["-i", "lo", "-U", "--immediate-mode", "-n"])
            // Each slot of the kernel's buffer takes the snap length, so a small one makes room for many packets.
            .args(["-s", "16384", "-B", "65536"])
            .args(["--time-stamp-precision=nano", "-w"])
            .arg(file)
            .arg(ports.join(" or "))
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.map_err(|error| format!("tcpdump: {error}"))?;
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("listening on") {
            let before = said.len();
            stderr.read_line(&mut said).unwrap();
            if said.len() == before {
                let _ = child.wait();
                return Err(format!("tcpdump: {}", said.trim()));
            }
        }
        Ok(Self { child, stderr })
    }

    /// Ends once the file no longer grows. False when the kernel dropped packets: a busy machine's fault, not ours.
    fn end(mut self, file: &Path) -> bool {
        let start = Instant::now();
        let size = || std::fs::metadata(file).map_or(0, |m| m.len());
        let mut last = size();
        let mut quiet = 0;
        while quiet < 4 && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(100));
            quiet = if size() == last { quiet + 1 } else { 0 };
            last = size();
        }
        // The standard library has no signals.
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(status.success());
        assert!(self.child.wait().unwrap().success());
        let counts: Vec<String> = self.stderr.lines().map_while(Result::ok).collect();
        let lost = counts.iter().find(|l| l.contains("dropped by kernel"));
        lost.unwrap_or_else(|| panic!("{counts:?}"))
            .starts_with("0 ")
    }
}

fn truth_of(played: Vec<Played>) -> Vec<Truth> {
    played
        .into_iter()
        .map(|p| {
            let (from, to) = match p.sent.side {
                Side::Client => (p.client, p.server),
                Side::Server => (p.server, p.client),
            };
            Truth {
                sent: p.sent,
                from,
                to,
            }
        })
        .collect()
}

fn play(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/scenarios");
    let scenario = Scenario::load(&path.join(name).with_extension("scn")).unwrap();
    for _ in 0..ATTEMPTS {
        if play_once(name, &scenario) {
            return;
        }
    }
    panic!("{name}: the kernel dropped packets {ATTEMPTS} times in a row");
}

/// Plays and checks; false when the capture is not whole.
fn play_once(name: &str, scenario: &Scenario) -> bool {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("live.pcap");
    let stage = Stage::set(scenario, Ports::Any).unwrap();
    let addresses = stage.addresses().to_vec();
    let capturing = match Capturing::begin(&file, &addresses) {
        Ok(capturing) => capturing,
        Err(why) => {
            assert!(std::env::var_os("CI").is_none(), "{why}");
            eprintln!("SKIPPED: {name} was not played: {why}");
            return true;
        }
    };
    let truth = truth_of(stage.play(0.0).unwrap());
    if !capturing.end(&file) {
        return false;
    }

    let mut program = Program::cargo_bin("ctishark").unwrap();
    program.args(["--format", "ndjson", "--show-secrets"]);
    for address in &addresses {
        program.args(["--port", &address.port().to_string()]);
    }
    let assert = program.arg(&file).assert().code(0);
    let records = records(&assert.get_output().stdout);
    let shown = of_kind(&records, "message");
    assert_eq!(shown.len(), truth.len(), "{name}");
    assert!(!shown.iter().any(|m| is_cut(m)), "{name}");
    let odd = truth.iter().find(|t| !t.is_regular());
    assert!(odd.is_none(), "{name}: {:?}", odd.map(|t| &t.sent));
    assert_true(name, &shown, &truth, |_| true);
    let paired = assert_paired(name, &shown);
    let answers: Vec<_> = shown.iter().filter(|m| !m["answers"].is_null()).collect();
    assert_eq!(answers.len(), paired, "{name}");
    assert!(paired > 0, "{name}");
    for answer in answers {
        assert!(answer["latency_ms"].as_f64().unwrap() > 0.0, "{answer}");
    }
    let both = ["client-to-server", "server-to-client"];
    assert!(
        both.iter()
            .all(|d| shown.iter().any(|m| m["direction"] == *d))
    );
    assert_eq!(of_kind(&records, "gap").len(), 0, "{name}");
    true
}

#[test]
fn an_agents_day() {
    play("agent-day");
}

#[test]
fn a_conference() {
    play("call-conferenced");
}

#[test]
fn a_configuration_upload() {
    play("configuration");
}

#[test]
fn a_narrow_session() {
    play("session-v15");
}

#[test]
fn maintenance_over_two_connections() {
    play("maintenance-v24");
}

#[test]
fn messages_in_pieces_and_several_at_once() {
    play("segments");
}
