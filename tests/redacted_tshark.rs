//! Redacted captures as tshark sees them: no check sum, no length and no header is worse than it was, and the kept frames are the
//! same steps of the same streams.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod program;

use program::{captures, ctishark};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

/// What is asked of each frame. Of tunnels, all layers tell.
const FIELDS: [&str; 18] = [
    "frame.time_epoch",
    "frame.len",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.seq",
    "tcp.ack",
    "tcp.len",
    "tcp.flags",
    "tcp.stream",
    "ip.checksum.status",
    "tcp.checksum.status",
    "udp.checksum.status",
    "_ws.expert.message",
    "_ws.malformed",
    "ip.reassembled.length",
    "ipv6.reassembled.length",
];
const TIME: usize = 0;
const LENGTH: usize = 1;
const STREAM: usize = 10;
const SUMS: std::ops::Range<usize> = 11..14;
const EXPERT: usize = 14;
const MALFORMED: usize = 15;
const JOINED: std::ops::Range<usize> = 16..18;

/// A frame as tshark tells it.
type Frame = Vec<String>;

fn frames(path: &Path) -> Vec<Frame> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(path).args(["-n", "-T", "fields"]);
    command.args([
        "-E",
        "separator=;",
        "-E",
        "occurrence=a",
        "-E",
        "aggregator=|",
    ]);
    for protocol in ["ip", "tcp", "udp"] {
        command
            .arg("-o")
            .arg(format!("{protocol}.check_checksum:TRUE"));
    }
    // What is encrypted is blank behind the headers of its records.
    command.args(["--disable-protocol", "tls"]);
    command.args(FIELDS.iter().flat_map(|field| ["-e", field]));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let frame = |line: &str| line.split(';').map(str::to_owned).collect();
    text.lines().map(frame).collect()
}

fn is_there() -> bool {
    let output = Command::new("tshark").arg("--version").output();
    let is_there = output.is_ok_and(|output| output.status.success());
    if !is_there {
        assert!(std::env::var_os("CI").is_none(), "tshark is missing");
        eprintln!("SKIPPED: redacted captures are not looked at by tshark, which is not installed");
    }
    is_there
}

/// What a frame is known by.
fn step(frame: &Frame) -> &[String] {
    &frame[2..STREAM]
}

fn compare(name: &str, before: &[Frame], after: &[Frame]) -> Result<(), String> {
    let mut streams = BTreeMap::new();
    let mut rest = before.iter();
    for frame in after {
        // Simple packets of pcapng have no time.
        let same = |one: &&Frame| {
            (one[TIME].is_empty() || one[TIME] == frame[TIME]) && step(one) == step(frame)
        };
        let Some(one) = rest.find(same) else {
            return Err(format!("{name}: {frame:?} is none of the capture's"));
        };
        // A frame with the whole datagram stands for the last fragment.
        let joined = JOINED.into_iter().any(|place| !one[place].is_empty());
        if one[LENGTH] != frame[LENGTH] && !joined {
            return Err(format!("{name}: {one:?} has another length: {frame:?}"));
        }
        if *streams.entry(&frame[STREAM]).or_insert(&one[STREAM]) != &one[STREAM] {
            return Err(format!("{name}: {one:?} is of another stream: {frame:?}"));
        }
        for place in SUMS {
            // Bad is 0.
            let bad = |frame: &Frame| frame[place].split('|').filter(|s| *s == "0").count();
            if bad(frame) > bad(one) {
                return Err(format!("{name}: a check sum is bad: {one:?} {frame:?}"));
            }
        }
        let known: Vec<&str> = one[EXPERT].split('|').collect();
        let new = frame[EXPERT].split('|').find(|said| !known.contains(said));
        if new.is_some() || frame[MALFORMED] != one[MALFORMED] {
            return Err(format!("{name}: {new:?} is new: {one:?} {frame:?}"));
        }
    }
    Ok(())
}

#[test]
fn tshark_finds_nothing_wrong_that_was_right() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let captures = Mutex::new(captures());
    let faults = Mutex::new(Vec::new());
    let looked = Mutex::new(0);
    let next = || captures.lock().unwrap().pop();
    // tshark takes most of its time to start.
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let output = folder.path().join(format!("{worker}.pcapng"));
            let (next, faults, looked) = (&next, &faults, &looked);
            scope.spawn(move || {
                while let Some(path) = next() {
                    let name = path.file_name().unwrap().to_string_lossy().into_owned();
                    // tshark of the usual distributions reads no other compression than these.
                    if [".bz2", ".xz"].iter().any(|end| name.ends_with(end)) {
                        continue;
                    }
                    let key = "a key that is only for tests";
                    let out = output.to_str().unwrap();
                    let path = path.to_str().unwrap();
                    let status =
                        ctishark(&["redact", "-q", "--key", key, path, "-o", out]).status();
                    assert!(status.unwrap().success(), "{name}");
                    let (before, after) = (frames(Path::new(path)), frames(&output));
                    *looked.lock().unwrap() += after.len();
                    if let Err(fault) = compare(&name, &before, &after) {
                        faults.lock().unwrap().push(fault);
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(looked.into_inner().unwrap() > 1000);
}
