//! Calls followed through captures as they are read from files.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod reading;

use cti_dissector::analysis::calls::{Call, CallOptions, Calls, ConnectionState, Feature, Outcome};
use cti_dissector::analysis::{Analysis, Seen};
use cti_dissector::capture::Input;
use cti_dissector::protocol::types;
use cti_dissector::record::Record;
use cti_dissector::select::Criteria;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Fixture captures with calls, each in one pcap file.
const CAPTURES: [&str; 15] = [
    "agents-shift",
    "call-abandoned",
    "call-conferenced",
    "call-failover",
    "call-id-reused",
    "call-peripheral-offline",
    "call-rerouted",
    "call-transferred",
    "call-two-sessions",
    "demo",
    "missed-call",
    "outgoing-calls",
    "queued-at-vru",
    "session-v13",
    "supervisor",
];

fn capture(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/captures");
    std::fs::read(folder.join(format!("{name}.pcap"))).unwrap()
}

/// The ends of the packets of a pcap file.
fn ends(pcap: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 24;
    while let Some(length) = pcap.get(at + 8..at + 12) {
        at += 16 + usize::try_from(u32::from_le_bytes(length.try_into().unwrap())).unwrap();
        ends.push(at);
    }
    ends
}

/// A call ID, by the plainest reading there is.
#[derive(Default)]
struct PlainCall {
    /// The sessions that tell of it, and whether they have yet to see its end.
    watched: BTreeMap<u32, bool>,
    /// It was cleared, or has become another one.
    gone: bool,
}

/// Which call IDs go on.
#[derive(Default)]
struct Plain {
    calls: BTreeMap<u32, PlainCall>,
    failed: bool,
    /// A peripheral is offline, so that END_CALL_EVENT ends nothing.
    offline: bool,
}

impl Plain {
    fn goes_on(&self, id: u32) -> bool {
        let call = self.calls.get(&id);
        call.is_some_and(|call| !call.gone && call.watched.values().any(|watches| *watches))
    }
}

impl Analysis for Plain {
    fn message(&mut self, seen: &Seen<'_>) {
        let Some(message) = seen.info.message.map(|m| m.number) else {
            return;
        };
        let session = seen.info.peers.session;
        let mut mark = |field: &str, watches: bool, gone: bool| {
            if let Some(id) = seen.number(field) {
                let call = self.calls.entry(id).or_default();
                call.gone = gone;
                call.watched.insert(session, watches);
            }
        };
        match message {
            types::SYSTEM_EVENT => {
                // PERIPHERAL_ONLINE and PERIPHERAL_OFFLINE.
                match seen.number("SystemEventID") {
                    Some(3) => self.offline = false,
                    Some(4) => self.offline = true,
                    _ => {}
                }
            }
            types::CALL_CLEARED_EVENT => mark("ConnectionCallID", false, true),
            types::END_CALL_EVENT if !self.offline => {
                let id = seen.number("ConnectionCallID").unwrap();
                let call = self.calls.entry(id).or_default();
                call.watched.insert(session, false);
            }
            types::CALL_TRANSFERRED_EVENT | types::CALL_CONFERENCED_EVENT => {
                mark("SecondaryCallID", false, true);
                mark("PrimaryCallID", true, false);
            }
            types::BEGIN_CALL_EVENT
            | types::CALL_DELIVERED_EVENT
            | types::CALL_ESTABLISHED_EVENT => mark("ConnectionCallID", true, false),
            types::CALL_FAILED_EVENT => self.failed = true,
            _ => {}
        }
    }

    fn record(&mut self, _: &Record<'_>) {}
}

fn read(pcap: &[u8]) -> (Vec<Call>, Plain) {
    let inputs: Vec<Box<dyn Input>> = vec![reading::memory(pcap.to_vec())];
    let mut told = Vec::new();
    let options = CallOptions {
        stories: true,
        in_order: true,
    };
    let calls = Calls::new(options, |call: Call| told.push(call));
    let (calls, plain) = reading::study(inputs, Criteria::default(), (calls, Plain::default()));
    let _ = calls.finish();
    (told, plain)
}

#[test]
fn a_call_that_goes_on_where_the_capture_ends_is_open_and_no_other_is() {
    for name in CAPTURES {
        let pcap = capture(name);
        for end in ends(&pcap) {
            let (calls, plain) = read(&pcap[..end]);
            for call in calls {
                let ids: Vec<u32> = call.ids.iter().map(|id| id.id).collect();
                let named = ids.iter().any(|id| plain.calls.contains_key(id));
                if !named || name == "call-id-reused" || plain.failed {
                    continue;
                }
                // Once everybody has left, CALL_CLEARED_EVENT tells nothing new.
                let mut states = call.parties.iter().filter_map(|party| party.state);
                let somebody = states.any(ConnectionState::is_there);
                let goes_on = ids.iter().any(|id| plain.goes_on(*id));
                let goes_on = goes_on && (somebody || call.ended_by.is_none());
                let last = call.last_message;
                let how = (call.outcome, &call.features, call.ended_by);
                let place = format!("{name}, cut at {end}, call {ids:?} up to #{last}: {how:?}");
                assert_eq!(call.outcome == Outcome::Open, goes_on, "{place}");
                let unseen = call.features.contains(&Feature::EndUnseen);
                assert_eq!(unseen, goes_on, "{place}");
            }
        }
    }
}

#[test]
fn a_call_that_was_announced_and_may_still_come_is_open() {
    // Message #4 announces the call, #5 and #6 tell that the agent is reserved for it, #7 is its beginning.
    let pcap = capture("call-transferred");
    let cut = |messages: u64| {
        let ends = ends(&pcap);
        let all = ends.iter().map(|end| read(&pcap[..*end]).0);
        let mut all = all.filter_map(|mut calls| calls.pop());
        all.find(|call| call.messages == messages).unwrap()
    };
    let announced = cut(1);
    assert!(announced.ids.is_empty());
    assert_eq!(announced.outcome, Outcome::Open);
    assert_eq!(cut(2).outcome, Outcome::Open);
    // The caller gave up on the way: the third call of this capture.
    let (calls, _) = read(&capture("call-abandoned"));
    assert_eq!(calls[2].outcome, Outcome::Undelivered);
}
