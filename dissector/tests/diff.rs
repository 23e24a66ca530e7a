//! Comparing runs: the same run with other names and times is the same; one change of any kind is told as just that, whatever message of
//! whatever conversation it hits.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod comparing;

use comparing::{Told, bytes_of, compared, compared_by, messages, places, rerun, scenario, told};
use cti_dissector::diff::Profile;
use cti_dissector::protocol;
use ctishark_fixtures::{Action, Scenario};
use std::collections::BTreeMap;

/// Conversations of all kinds, without accidents of the network.
const SCENARIOS: [&str; 14] = [
    "agent-day",
    "call-conferenced",
    "call-transferred",
    "configuration",
    "maintenance-v24",
    "missed-call",
    "monitors",
    "network-recording-v24",
    "outgoing-calls",
    "queued-at-vru",
    "recording-v15",
    "session-v9",
    "snapshots",
    "supervisor",
];

/// Messages that open and close sessions: to change them changes what all others are.
fn is_frame(name: &str) -> bool {
    matches!(name, "OPEN_REQ" | "OPEN_CONF" | "CLOSE_REQ" | "CLOSE_CONF")
}

/// Calls back with every message of every scenario that is no frame: the scenario, its place among the events, and its name.
fn each_message(mut call: impl FnMut(&Scenario, &str, usize, &str)) {
    for name in SCENARIOS {
        let old = scenario(name);
        let places: Vec<(usize, String)> = messages(&old)
            .iter()
            .filter_map(|(event, sent)| Some((*event, sent.payload.message.as_ref()?.name.clone())))
            .filter(|(_, message)| !is_frame(message))
            .collect();
        for (event, message) in places {
            call(&old, name, event, &message);
        }
    }
}

/// That a message is told, and nothing else; heartbeats are not, since their number says nothing.
fn only(what: &'static str, name: &str) -> Vec<Told> {
    if name.starts_with("HEARTBEAT_") {
        return Vec::new();
    }
    vec![Told {
        what,
        name: name.to_owned(),
        fields: Vec::new(),
    }]
}

#[test]
fn the_same_run_with_other_names_and_times_is_the_same() {
    for name in SCENARIOS {
        let old = scenario(name);
        let new = rerun(&old);
        assert_ne!(old, new);
        let comparison = compared(&old, &new);
        assert_eq!(told(&comparison), [], "{name}");
        assert!(
            !comparison.is_different(),
            "{name}: {:?}",
            comparison.summary
        );
        assert!(comparison.summary.old.1 > 4, "{name}");
        assert_eq!(comparison.summary.reordered_freely, 0, "{name}");
    }
}

#[test]
fn a_message_that_is_gone_is_missing() {
    let mut count = 0;
    each_message(|old, scenario, event, message| {
        let mut new = rerun(old);
        new.events.remove(event);
        let comparison = compared(old, &new);
        assert_eq!(
            told(&comparison),
            only("missing", message),
            "{scenario} {event}"
        );
        count += 1;
    });
    assert!(count > 250, "{count}");
}

#[test]
fn a_message_more_is_added() {
    each_message(|old, scenario, event, message| {
        let mut new = rerun(old);
        let again = new.events[event].clone();
        new.events.insert(event, again);
        let comparison = compared(old, &new);
        assert_eq!(
            told(&comparison),
            only("added", message),
            "{scenario} {event}"
        );
    });
}

#[test]
fn a_field_with_another_value_is_changed() {
    let tables = protocol::comparison();
    let mut count = 0;
    each_message(|old, scenario, event, message| {
        let base = rerun(old);
        let Action::Send(sent) = &base.events[event].action else {
            panic!("no message");
        };
        let fields = places(sent);
        let mut names = BTreeMap::new();
        for field in &fields {
            *names.entry(field.name.clone()).or_insert(0) += 1;
        }
        for field in fields {
            let name = field.name.as_str();
            let is_name = tables.identities.iter().any(|c| c.fields.contains(&name));
            let varies = tables.varying.contains(&name)
                || matches!(name, "ICMCentralControllerTime" | "CTIClientTimestamp");
            // Counters and the types of records decide what the rest of the message is.
            if is_name
                || varies
                || name.starts_with("Num")
                || name == "RecordType"
                || names[name] > 1
            {
                continue;
            }
            count += 1;
            // Every message, and of its fields a sample that is another one for each message.
            if count % 4 != 0 {
                continue;
            }
            let mut new = base.clone();
            bytes_of(&mut new, event)[field.range.start
                + usize::from(field.number.is_some()) * (field.range.len() - 1)] ^= 1;
            let expected = vec![Told {
                what: "changed",
                name: message.to_owned(),
                fields: vec![field.name.clone()],
            }];
            let comparison = compared(old, &new);
            assert_eq!(told(&comparison), expected, "{scenario} {event}");
        }
    });
    assert!(count > 2000, "{count}");
}

#[test]
fn a_name_that_stands_for_another_thing_once_is_changed() {
    let call_ids = protocol::comparison()
        .identities
        .iter()
        .find(|c| c.name == "call");
    let call_ids = call_ids.unwrap().fields;
    let mut count = 0;
    each_message(|old, scenario, event, message| {
        let base = rerun(old);
        let uses = |id: u32| {
            let all = messages(&base);
            let fields = all.iter().flat_map(|(_, sent)| places(sent));
            fields
                .filter(|f| call_ids.contains(&f.name.as_str()) && f.number == Some(id))
                .count()
        };
        let Action::Send(sent) = &base.events[event].action else {
            panic!("no message");
        };
        for field in places(sent) {
            let Some(id) = field.number.filter(|id| *id != 0 && !field.is_null) else {
                continue;
            };
            if !call_ids.contains(&field.name.as_str()) {
                continue;
            }
            let mut new = base.clone();
            let odd = (id ^ 0x0070_0000).to_be_bytes();
            bytes_of(&mut new, event)[field.range.clone()].copy_from_slice(&odd);
            let told = told(&compared(old, &new));
            match uses(id) {
                // Named once: that is a name like any other.
                1 => assert_eq!(told, [], "{scenario} {event}"),
                // Which of two is the odd one, nothing tells.
                2 => assert_eq!(told.len(), 1, "{scenario} {event}"),
                _ => {
                    assert_eq!(told.len(), 1, "{scenario} {event}: {told:?}");
                    assert_eq!(
                        (told[0].what, told[0].name.as_str()),
                        ("changed", message),
                        "{scenario} {event}"
                    );
                    assert_eq!(told[0].fields, [field.name.as_str()], "{scenario} {event}");
                    count += 1;
                }
            }
        }
    });
    assert!(count > 100, "{count}");
}

#[test]
fn an_answer_to_another_request_is_changed() {
    let old = scenario("call-transferred");
    let answers: Vec<usize> = messages(&old)
        .iter()
        .filter(|(_, sent)| {
            let name = &sent.payload.message.as_ref().unwrap().name;
            name.ends_with("_CONF") && !is_frame(name)
        })
        .map(|(event, _)| *event)
        .collect();
    assert!(answers.len() > 5);
    for event in answers {
        let mut new = rerun(&old);
        bytes_of(&mut new, event)[8..12].copy_from_slice(&[0, 0, 0x77, 0x77]);
        let comparison = compared(&old, &new);
        let told = told(&comparison);
        assert_eq!(told.len(), 1, "{event}: {told:?}");
        assert_eq!(
            (told[0].what, told[0].fields[0].as_str()),
            ("changed", "InvokeID")
        );
        let failure = comparison.summary.failures.keys().next().unwrap();
        assert_eq!(failure.before, Some("confirmed"));
        assert!(matches!(failure.now, "unanswered" | "session_ended"));
    }
}

#[test]
fn neighbours_that_change_places_are_told_as_one_reordered_message_or_none() {
    let (mut told_ones, mut free_ones) = (0, 0);
    each_message(|old, scenario, event, message| {
        let mut new = rerun(old);
        let (Some(one), Some(other)) = (new.events.get(event), new.events.get(event + 1)) else {
            return;
        };
        let (Action::Send(a), Action::Send(b)) = (&one.action, &other.action) else {
            return;
        };
        let next = &b.payload.message.as_ref().unwrap().name;
        if (a.connection, a.side) != (b.connection, b.side) || is_frame(next) {
            return;
        }
        let names = [message.to_owned(), next.clone()];
        let (first, second) = (a.payload.clone(), b.payload.clone());
        if first == second {
            return;
        }
        for (index, payload) in [(event, second), (event + 1, first)] {
            if let Action::Send(sent) = &mut new.events[index].action {
                sent.payload = payload;
            }
        }
        let comparison = compared(old, &new);
        let told = told(&comparison);
        let free = comparison.summary.reordered_freely;
        assert_eq!(
            u64::try_from(told.len()).unwrap() + free,
            1,
            "{scenario} {event}: {told:?}"
        );
        for told in &told {
            assert_eq!(told.what, "reordered", "{scenario} {event}");
            assert!(names.contains(&told.name));
        }
        told_ones += told.len();
        free_ones += free;
        let strict = cti_dissector::diff::Rules {
            strict_order: true,
            ..Profile::default().rules().unwrap()
        };
        assert!(
            compared_by(strict, old, &new).is_different(),
            "{scenario} {event}"
        );
    });
    assert!(told_ones > 20 && free_ones > 50, "{told_ones} {free_ones}");
}
