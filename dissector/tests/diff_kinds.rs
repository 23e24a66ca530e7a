//! Comparing runs: what differs beside single messages, what the user may ask for, and several differences at once.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod comparing;

use comparing::{
    Told, bytes_of, compared, compared_by, messages, places, rerun, scenario, told, written,
};
use cti_dissector::diff::Profile;
use ctishark_fixtures::{Action, Scenario};

/// One client's day, with as many calls as asked for; each call has another caller.
fn day(calls: u32) -> String {
    let mut text = String::from(
        "connection A finesse:50412 -> side-a:42027 version=24\n\
         09:00:00 A open\nuse open\nuse login invoke=2\nuse set-state invoke=3 state=AVAILABLE\n",
    );
    for call in 0..calls {
        let (id, invoke) = (16_777_400 + call, 10 + call * 3);
        text.push_str(&format!(
            "let caller = 55501{call:03}\nuse call-arrives call={id} key={}\nuse answer invoke={invoke} call={id}\n\
             use hold invoke={} call={id}\nuse retrieve invoke={} call={id}\nuse hang-up call={id}\n",
            300 + call,
            invoke + 1,
            invoke + 2,
        ));
    }
    text.push_str("use close invoke=9000\n");
    text
}

fn what(told: &[Told]) -> Vec<(&str, &str)> {
    told.iter().map(|t| (t.what, t.name.as_str())).collect()
}

#[test]
fn a_whole_call_that_is_gone_is_missing_and_nothing_else() {
    let old = written(&day(12));
    for gone in [0u32, 5, 11] {
        let mut new = rerun(&old);
        let id = (16_777_400 + gone) ^ 0x0003_0055;
        let before = new.events.len();
        let mut removed = Vec::new();
        new.events.retain(|event| {
            let Action::Send(sent) = &event.action else {
                return true;
            };
            let of_call = places(sent)
                .iter()
                .any(|field| field.name.ends_with("CallID") && field.number == Some(id));
            if of_call {
                removed.push(sent.payload.message.as_ref().unwrap().name.clone());
            }
            !of_call
        });
        assert!(before - new.events.len() > 10);
        let comparison = compared(&old, &new);
        let told = told(&comparison);
        assert!(told.iter().all(|t| t.what == "missing"), "{gone}: {told:?}");
        let mut names: Vec<&str> = told.iter().map(|t| t.name.as_str()).collect();
        names.sort_unstable();
        removed.sort_unstable();
        assert_eq!(names, removed, "{gone}");
    }
}

#[test]
fn several_changes_are_told_each() {
    let old = written(&day(8));
    let mut new = rerun(&old);
    let all: Vec<(usize, String)> = messages(&new)
        .iter()
        .map(|(event, sent)| (*event, sent.payload.message.as_ref().unwrap().name.clone()))
        .collect();
    let nth = |name: &str, n: usize| all.iter().filter(|(_, of)| of == name).nth(n).unwrap().0;
    // A changed state, a call of another name in one event, an event twice, two events gone; from the end, so that places hold.
    let (gone, twice) = (nth("END_CALL_EVENT", 6), nth("CALL_HELD_EVENT", 5));
    let (renamed, changed) = (nth("CALL_RETRIEVED_EVENT", 3), nth("AGENT_STATE_EVENT", 9));
    let pre_call = nth("AGENT_PRE_CALL_EVENT", 0);
    let field = |event: usize, name: &str, new: &Scenario| {
        let Action::Send(sent) = &new.events[event].action else {
            panic!("no message");
        };
        places(sent)
            .into_iter()
            .find(|p| p.name == name)
            .unwrap()
            .range
    };
    let range = field(renamed, "ConnectionCallID", &new);
    bytes_of(&mut new, renamed)[range.start] ^= 0x40;
    let range = field(changed, "AgentState", &new);
    bytes_of(&mut new, changed)[range.end - 1] ^= 1;
    let again = new.events[twice].clone();
    new.events.remove(gone);
    new.events.insert(twice, again);
    new.events.remove(pre_call);
    let comparison = compared(&old, &new);
    let told = told(&comparison);
    assert_eq!(
        what(&told),
        [
            ("missing", "AGENT_PRE_CALL_EVENT"),
            ("changed", "AGENT_STATE_EVENT"),
            ("changed", "CALL_RETRIEVED_EVENT"),
            ("added", "CALL_HELD_EVENT"),
            ("missing", "END_CALL_EVENT"),
        ]
    );
    assert_eq!(told[1].fields, ["AgentState"]);
    assert_eq!(told[2].fields, ["ConnectionCallID"]);
    let summary = &comparison.summary;
    let of = summary.messages;
    assert_eq!(
        (of.missing, of.added, of.changed, of.reordered),
        (2, 1, 2, 0)
    );
    assert_eq!(summary.by_type["END_CALL_EVENT"].missing, 1);
    let key = ("AGENT_STATE_EVENT".to_owned(), "AgentState".to_owned());
    assert_eq!(summary.fields[&key].count, 1);
    assert!(summary.failures.is_empty());
}

#[test]
fn a_request_that_fails_now_is_a_new_failure() {
    let old = written(&day(3));
    let text = day(3).replace("use hold invoke=11 call=16777400", "\
        +2s A > HOLD_CALL_REQ InvokeID=11 ConnectionCallID=16777400 ConnectionDeviceID=\"$ext_a\" AgentInstrument=\"$ext_a\"\n\
        +5ms A < CONTROL_FAILURE_CONF InvokeID=11 FailureCode=CF_INVALID_OBJECT_STATE PeripheralErrorCode=0\n\
        use held call=16777400");
    assert_ne!(text, day(3));
    let comparison = compared(&old, &rerun(&written(&text)));
    let (failure, count) = comparison.summary.failures.iter().next().unwrap();
    assert_eq!((failure.request.as_str(), *count), ("HOLD_CALL_REQ", 1));
    assert_eq!((failure.before, failure.now), (Some("confirmed"), "failed"));
    assert_eq!(failure.code.as_deref(), Some("CF_INVALID_OBJECT_STATE"));
    assert_eq!(
        what(&told(&comparison)),
        [
            ("missing", "HOLD_CALL_CONF"),
            ("added", "CONTROL_FAILURE_CONF")
        ]
    );
    // The other way round it is no failure, but a difference.
    let back = compared(&written(&text), &old);
    assert!(back.summary.failures.is_empty() && back.is_different());
}

#[test]
fn versions_and_services_are_changes_of_the_session() {
    let old = written(&day(4));
    let newer = written(&day(4).replace("version=24", "version=25"));
    let comparison = compared(&old, &newer);
    let changes = &comparison.pairs[0].changes;
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0].what, "version");
    assert_eq!(changes[0].old.as_deref(), Some("24"));
    assert_eq!(told(&comparison), [], "told once, with the session");

    let more = written(&day(4).replace("use open\n", "use open services=0x02000017\n"));
    let comparison = compared(&old, &more);
    let told: Vec<&str> = comparison.pairs[0].changes.iter().map(|c| c.what).collect();
    assert_eq!(told, ["services_requested", "services_granted"]);

    // Between far versions many layouts differ; the messages are still found to be the same ones.
    let older = written(&day(4).replace("version=24", "version=13"));
    let comparison = compared(&older, &old);
    let summary = &comparison.summary;
    assert_eq!(
        (summary.messages.missing, summary.messages.added),
        (0, 0),
        "{:?}",
        summary.by_type
    );
    assert!(summary.by_version.values().sum::<u64>() > 20);
}

#[test]
fn sessions_are_matched_by_who_the_client_is() {
    let talk = |name: &str, host: &str, port: u32, client: &str, state: &str| {
        format!(
            "connection {name} {host}:{port} -> side-a:42027 version=24\n\
             {name} open\nuse open c={name} client={client}\nuse login c={name} invoke=2\n\
             use set-state c={name} invoke=3 state={state}\nuse close c={name} invoke=4\n"
        )
    };
    let one = talk("A", "finesse", 50001, "Finesse", "AVAILABLE");
    let two = talk("B", "ctios", 50002, "CtiOs", "NOT_READY");
    let three = talk("C", "desktop", 50003, "Desktop", "WORK_READY");
    let all = |parts: [&str; 3]| {
        written(&format!("09:00:00 {}", parts.concat()).replacen(
            "09:00:00 connection",
            "connection",
            1,
        ))
    };
    let old = all([&one, &two, ""]);
    let comparison = compared(&old, &all([&two, &one, ""]));
    assert_eq!(told(&comparison), []);
    assert!(!comparison.is_different());
    let comparison = compared(&old, &all([&two, &three, &one]));
    assert_eq!(told(&comparison), []);
    let added: Vec<u32> = comparison.added_sessions().map(|s| s.number).collect();
    assert_eq!(added, [2]);
    assert!(comparison.is_different());
    let comparison = compared(&all([&one, &three, &two]), &old);
    let missing: Vec<u32> = comparison.missing_sessions().map(|s| s.number).collect();
    assert_eq!(missing, [2]);
    assert_eq!(
        (
            comparison.summary.sessions_missing,
            comparison.summary.sessions_added
        ),
        (1, 0)
    );
}

#[test]
fn of_sessions_of_one_client_the_one_with_other_content_is_the_new_one() {
    let talk = |name: &str, port: u32, state: &str| {
        format!(
            "connection {name} finesse:{port} -> side-a:42027 version=24\n{name} open\nuse open c={name}\n\
             use login c={name} invoke=2\nuse set-state c={name} invoke=3 state={state}\nuse close c={name} invoke=4\n"
        )
    };
    let ready = talk("A", 50001, "AVAILABLE");
    let busy = talk("B", 50002, "NOT_READY");
    let work = talk("C", 50003, "WORK_READY");
    let old = written(&format!("{ready}{work}"));
    let comparison = compared(&old, &written(&format!("{ready}{busy}{work}")));
    assert_eq!(told(&comparison), []);
    let added: Vec<u32> = comparison.added_sessions().map(|s| s.number).collect();
    assert_eq!(added, [2]);
}

#[test]
fn slower_answers_are_told_by_their_request_type() {
    let slow = |factor: u32| {
        let mut text = String::from(
            "connection A finesse:50412 -> side-a:42027 version=24\n09:00:00 A open\nuse open\n",
        );
        for n in 0..20 {
            let took = (20 + n % 7) * factor;
            text.push_str(&format!(
                "+1s A > QUERY_DEVICE_INFO_REQ InvokeID={}\n+{took}ms A < QUERY_DEVICE_INFO_CONF InvokeID={}\n\
                 +1s A > QUERY_AGENT_STATE_REQ InvokeID={} AgentID=\"1001\"\n+{}ms A < QUERY_AGENT_STATE_CONF InvokeID={}\n",
                10 + n, 10 + n, 500 + n, 12 + n % 5, 500 + n,
            ));
        }
        text.push_str("use close invoke=9000\n");
        written(&text)
    };
    let comparison = compared(&slow(1), &rerun(&slow(4)));
    assert_eq!(told(&comparison), []);
    let slower: Vec<&str> = comparison
        .slower
        .iter()
        .map(|s| s.1.unwrap().name)
        .collect();
    assert_eq!(slower, ["QUERY_DEVICE_INFO_REQ"]);
    assert!((comparison.slower[0].2.factor() - 4.0).abs() < 0.01);
    assert!(comparison.is_different());
    assert!(
        !compared(&slow(4), &slow(1)).is_different(),
        "faster is no difference"
    );
    let rules = Profile::parse("latency_factor = 5")
        .unwrap()
        .rules()
        .unwrap();
    assert!(!compared_by(rules, &slow(1), &slow(4)).is_different());
    let rules = Profile::parse("latency_factor = false")
        .unwrap()
        .rules()
        .unwrap();
    assert!(!compared_by(rules, &slow(1), &slow(4)).is_different());
}

#[test]
fn what_is_not_to_be_compared_is_not() {
    let old = written(&day(3));
    let new = written(&day(3).replace("555010", "555090"));
    let by = |profile: &str| {
        let rules = Profile::parse(profile).unwrap().rules().unwrap();
        compared_by(rules, &old, &new)
    };
    assert!(by("").is_different());
    let callers = "[\"ANI\", \"*.CallingDeviceID\", \"*Device*\"]";
    assert!(!by(&format!("ignore = {callers}")).is_different());
    assert!(!by(&format!("varies = {callers}")).is_different());
    assert!(by("ignore = [\"ANI\"]").is_different());
    // Another caller is another name, but always for the same one.
    assert!(!by("identity = [\"ANI\", \"CallingDeviceID\", \"ReleasingDeviceID\", \"ConnectionDeviceID\"]").is_different());
}

#[test]
fn numbers_may_differ_by_as_much_as_is_tolerated() {
    let with = |level: u32| {
        written(&format!(
            "connection A finesse:50412 -> side-a:42027 version=24\n09:00:00 A open\nuse open\n\
             +1s A < SYSTEM_EVENT ICMCentralControllerTime=now SystemEventID=PERIPHERAL_ONLINE SystemEventArg1={level} SystemEventArg2=7\n\
             use close invoke=9000\n"
        ))
    };
    let (old, new) = (with(1000), with(1040));
    let by = |profile: &str| {
        let rules = Profile::parse(profile).unwrap().rules().unwrap();
        compared_by(rules, &old, &new).is_different()
    };
    assert!(by(""));
    assert!(!by("numeric_tolerance = 40") && by("numeric_tolerance = 39"));
    assert!(!by("numeric_tolerance = \"4%\"") && by("numeric_tolerance = \"3%\""));
    assert!(!by("[tolerance]\nSystemEventArg1 = \"10%\""));
    assert!(by("[tolerance]\nSystemEventArg2 = \"10%\""));
}

#[test]
fn thousands_of_like_calls_are_told_apart() {
    // The same caller again and again: nothing but names tells the calls apart.
    let text = day(150)
        .lines()
        .filter(|l| !l.starts_with("let caller"))
        .collect::<Vec<_>>()
        .join("\n");
    let old = written(&text);
    let mut new = rerun(&old);
    assert!(!compared(&old, &new).is_different());
    let held: Vec<usize> = messages(&new)
        .iter()
        .filter(|(_, sent)| sent.payload.message.as_ref().unwrap().name == "CALL_HELD_EVENT")
        .map(|(event, _)| *event)
        .collect();
    for event in [held[140], held[70], held[3]] {
        new.events.remove(event);
    }
    let comparison = compared(&old, &new);
    assert_eq!(
        what(&told(&comparison)),
        [("missing", "CALL_HELD_EVENT"); 3]
    );
}

#[test]
fn passwords_do_not_show() {
    let old = written(&day(1));
    let new = written(&day(1).replace("use login invoke=2", "\
        +3s A > SET_AGENT_STATE_REQ InvokeID=2 AgentState=LOGIN AgentInstrument=\"$ext_a\" AgentID=\"$agent_a\" AgentPassword=\"other\"\n\
        +61ms A < SET_AGENT_STATE_CONF InvokeID=2\n\
        use agent-state state=LOGIN group=LOGIN other=LOGIN\nuse agent-state"));
    assert_ne!(
        messages(&old)[3].1.payload.bytes,
        messages(&new)[3].1.payload.bytes
    );
    let comparison = compared(&old, &new);
    assert_eq!(told(&comparison), []);
}

#[test]
fn another_scenario_altogether_is_compared_in_good_order() {
    let names = ["call-transferred", "agent-day", "supervisor", "snapshots"];
    for old in names {
        for new in names {
            let comparison = compared(&scenario(old), &scenario(new));
            assert_eq!(comparison.is_different(), old != new, "{old} {new}");
            for pair in &comparison.pairs {
                let aligned = comparison.aligned(pair);
                assert!(
                    aligned
                        .windows(2)
                        .all(|w| w[0].0 < w[1].0 && w[0].1 < w[1].1)
                );
            }
        }
    }
}

#[test]
fn what_was_not_captured_of_a_session_is_no_change_of_it() {
    let old = written(&day(3));
    let mut new = old.clone();
    // From the fourth message on: no OPEN_REQ, so that client, services and version are not known for sure.
    let from = messages(&new)[3].0;
    new.events.drain(..from);
    new.connections[0].midstream = true;
    let comparison = compared(&old, &new);
    assert_eq!(comparison.pairs.len(), 1);
    assert_eq!(comparison.pairs[0].changes, []);
    assert_eq!(
        what(&told(&comparison)),
        [
            ("missing", "OPEN_REQ"),
            ("missing", "OPEN_CONF"),
            ("missing", "SYSTEM_EVENT")
        ]
    );
}
