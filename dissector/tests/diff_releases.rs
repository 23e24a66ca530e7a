//! Comparing releases: what differs between runs for one reason is told as one difference, and what any two runs differ in is none.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod comparing;

use comparing::{compared, compared_by, told, written};
use cti_dissector::diff::{Comparison, FieldPattern, Profile, Rules};
use ctishark_fixtures::Scenario;

const OLD: &str = "connection A finesse:50412 -> side-a:42027 version=24\n\
    09:00:00 A open\nuse open\nuse login invoke=2\nuse set-state invoke=3 state=AVAILABLE\n";
const NEW: &str = "connection A finesse:61000 -> side-a:42027 version=24\ndate 2026-11-30\n\
    14:00:00 A open\nuse open\nuse login invoke=2\nuse set-state invoke=3 state=AVAILABLE\n";

/// Calls with IDs from a number on.
fn calls(client: &str, first: u32, count: u32, day: u32) -> String {
    let call = |n: u32| {
        let (id, invoke) = (first + n, 10 + n * 10);
        format!(
            "use call-arrives c={client} call={id} key={} day={day}\nuse answer c={client} invoke={invoke} call={id}\n\
             use hold c={client} invoke={} call={id}\nuse retrieve c={client} invoke={} call={id}\nuse hang-up c={client} call={id}\n",
            id % 1000,
            invoke + 1,
            invoke + 2
        )
    };
    (0..count).map(call).collect()
}

fn old(count: u32) -> Scenario {
    let calls = calls("A", 16_777_400, count, 154_601);
    written(&format!("{OLD}{calls}use close invoke=801\n"))
}

fn changes(comparison: &Comparison) -> Vec<(&str, Option<&str>, Option<&str>)> {
    let pairs = comparison.pairs.iter().flat_map(|pair| &pair.changes);
    pairs
        .map(|c| (c.what, c.old.as_deref(), c.new.as_deref()))
        .collect()
}

fn rules() -> Rules {
    Profile::default().rules().unwrap()
}

#[test]
fn a_client_that_connects_once_more_is_told_as_that() {
    let (first, second) = (
        calls("A", 33_554_500, 2, 154_608),
        calls("B", 33_554_502, 2, 154_608),
    );
    let new = written(&format!(
        "{NEW}{first}+1s A > RST\nconnection B finesse:61001 -> side-a:42027 version=24\n+5s B open\n\
         use open c=B\n{second}use close c=B invoke=801\n"
    ));
    let old = old(4);
    let comparison = compared(&old, &new);
    let opening = ["OPEN_REQ", "OPEN_CONF", "SYSTEM_EVENT"];
    let added: Vec<(&str, String)> = told(&comparison)
        .into_iter()
        .map(|t| (t.what, t.name))
        .collect();
    assert_eq!(added, opening.map(|name| ("added", name.to_owned())));
    assert_eq!(
        changes(&comparison),
        [("connections", Some("1"), Some("2"))]
    );
    assert_eq!((comparison.summary.old.0, comparison.summary.new.0), (1, 2));
    let last = u32::try_from(comparison.summary.new.1).unwrap() - 1;
    let line = comparison.new_line(&comparison.pairs[0], last);
    assert_eq!(line.unwrap().session, 2, "messages keep their session");
    // The other way round too.
    let back = compared(&new, &old);
    assert_eq!(changes(&back), [("connections", Some("2"), Some("1"))]);
    assert_eq!(back.summary.messages.missing, 3);
}

#[test]
fn the_number_of_heartbeats_is_no_difference_but_their_end_is() {
    let beats = |run: &str, count: u32| {
        let beats: String = (0..count)
            .map(|n| format!("use heartbeat invoke={}\n", 100 + n))
            .collect();
        written(&format!(
            "{run}{beats}+60s A > CLOSE_REQ InvokeID=9 Status=0\n"
        ))
    };
    let comparison = compared(&beats(OLD, 3), &beats(NEW, 12));
    assert!(!comparison.is_different(), "{:?}", told(&comparison));
    assert_eq!(comparison.summary.heartbeats, (0, 18));
    // None, though the run lasts long enough for some.
    let comparison = compared(&beats(OLD, 12), &beats(NEW, 0));
    assert_eq!(
        changes(&comparison),
        [("heartbeats", Some("12"), Some("0"))]
    );
    // None, but too short a run to say.
    assert!(!compared(&beats(OLD, 2), &beats(NEW, 0)).is_different());
    // An answer that is no heartbeat is one.
    let failed = written(&format!(
        "{NEW}+5s A > HEARTBEAT_REQ InvokeID=7\n+1ms A < FAILURE_CONF InvokeID=7 Status=1\n\
         +60s A > CLOSE_REQ InvokeID=9 Status=0\n"
    ));
    let comparison = compared(&beats(OLD, 1), &failed);
    assert_eq!(comparison.summary.failures.len(), 1);
    assert_eq!(comparison.summary.messages.added, 1);
}

#[test]
fn fields_that_a_version_brings_are_no_differences_of_messages() {
    let of = |version: u32| {
        let calls = calls("A", 16_777_400, 3, 154_601);
        let text = format!("{OLD}{calls}use close invoke=801\n");
        written(&text.replace("version=24", &format!("version={version}")))
    };
    for (older, newer) in [(20, 24), (15, 24), (24, 20)] {
        let comparison = compared(&of(older), &of(newer));
        let (was, is) = (older.to_string(), newer.to_string());
        assert_eq!(
            changes(&comparison),
            [("version", Some(was.as_str()), Some(is.as_str()))]
        );
        assert_eq!(told(&comparison), [], "{older} {newer}");
        assert!(!comparison.summary.by_version.is_empty());
    }
    // What else changes shows all the same.
    let calls = calls("A", 16_777_400, 3, 154_601).replace("invoke=11 call", "invoke=11 c=A call");
    let text =
        format!("{OLD}{calls}use set-state invoke=7 state=NOT_READY\nuse close invoke=801\n");
    let comparison = compared(&of(20), &written(&text));
    assert_eq!(comparison.summary.messages.added, 4);
    assert_eq!(comparison.summary.messages.changed, 0);
}

#[test]
fn a_field_that_is_ignored_is_ignored_of_sessions_too() {
    let other = written(&format!(
        "{}use close invoke=801\n",
        NEW.replace("use open\n", "use open client=Other idle=40\n")
    ));
    let plain = written(&format!("{OLD}use close invoke=801\n"));
    let by = |ignore: &[&str]| {
        let ignore = ignore.iter().map(|name| FieldPattern::new(name)).collect();
        compared_by(Rules { ignore, ..rules() }, &plain, &other)
    };
    let whats = |comparison: &Comparison| -> Vec<&'static str> {
        let changes = comparison.pairs.iter().flat_map(|pair| &pair.changes);
        changes.map(|change| change.what).collect()
    };
    // Told once, as changes of the session, and not again as a changed OPEN_REQ.
    let comparison = by(&[]);
    assert_eq!(told(&comparison), []);
    assert_eq!(
        whats(&comparison),
        ["client_id", "client_signature", "idle_timeout"]
    );
    let comparison = by(&["ClientID", "OPEN_REQ.ClientSignature"]);
    assert_eq!(whats(&comparison), ["idle_timeout"]);
    assert!(!by(&["ClientID", "session.client_signature", "IdleTimeout"]).is_different());
}

#[test]
fn keys_of_routers_count_anew_each_day() {
    let run = |start: &str, first: u32, keys: [(u32, u32); 4]| {
        let calls: String = (0..)
            .zip(keys)
            .map(|(n, (day, key))| {
                let (id, invoke) = (first + n, 10 + n);
                format!(
                    "use call-arrives call={id} key={key} day={day}\nuse answer invoke={invoke} call={id}\nuse hang-up call={id}\n"
                )
            })
            .collect();
        written(&format!("{start}{calls}use close invoke=801\n"))
    };
    // Over midnight, the router begins again with the same numbers.
    let over = [(154_601, 5), (154_601, 6), (154_602, 5), (154_602, 6)];
    let within = [(154_608, 51), (154_608, 52), (154_608, 53), (154_608, 54)];
    let (over_midnight, by_day) = (run(OLD, 16_777_400, over), run(NEW, 33_554_500, within));
    assert_eq!(told(&compared(&over_midnight, &by_day)), []);
    assert_eq!(told(&compared(&by_day, &over_midnight)), []);
    // Two calls with one key are another matter.
    let twice = [(154_608, 51), (154_608, 52), (154_608, 51), (154_608, 54)];
    let comparison = compared(&over_midnight, &run(NEW, 33_554_500, twice));
    let fields: Vec<String> = told(&comparison)
        .into_iter()
        .flat_map(|t| t.fields)
        .collect();
    assert!(!fields.is_empty());
    assert!(
        fields.iter().all(|f| f == "RouterCallKeyCallID"),
        "{fields:?}"
    );
}

#[test]
fn calls_may_be_interleaved_in_another_way() {
    let run = |start: &str, first: u32, key: u32, order: &[(u32, u32)]| {
        let mut text = start.to_owned();
        for (invoke, (call, step)) in (20..).zip(order) {
            let (id, key) = (first + call, key + call);
            let who = ["5550142", "5550143"][usize::try_from(*call).unwrap()];
            let device = ["20101", "20102"][usize::try_from(*call).unwrap()];
            text.push_str(&match step {
                1 => format!(
                    "+2s A < BEGIN_CALL_EVENT ConnectionCallID={id} CallType=PREROUTE_ACD_IN ConnectionDeviceID=\"{device}\" ANI=\"{who}\" \
                     RouterCallKeyDay=154601 RouterCallKeyCallID={key} RouterCallKeySequenceNumber=0\n"
                ),
                2 => format!(
                    "+2s A > ANSWER_CALL_REQ InvokeID={invoke} ConnectionCallID={id} ConnectionDeviceID=\"{device}\"\n\
                     +9ms A < ANSWER_CALL_CONF InvokeID={invoke}\n\
                     +5ms A < CALL_ESTABLISHED_EVENT ConnectionCallID={id} LocalConnectionState=CONNECT ConnectionDeviceID=\"{device}\"\n"
                ),
                _ => format!("+2s A < END_CALL_EVENT ConnectionCallID={id} ConnectionDeviceID=\"{device}\"\n"),
            });
        }
        written(&format!("{text}use close invoke=801\n"))
    };
    let old = run(
        OLD,
        16_777_400,
        7,
        &[(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)],
    );
    for order in [
        [(1, 1), (1, 2), (1, 3), (0, 1), (0, 2), (0, 3)],
        [(0, 1), (1, 1), (1, 2), (0, 2), (1, 3), (0, 3)],
        [(1, 1), (0, 1), (0, 2), (1, 2), (0, 3), (1, 3)],
    ] {
        let comparison = compared(&old, &run(NEW, 33_554_500, 900, &order));
        assert!(
            !comparison.is_different(),
            "{order:?} {:?}",
            told(&comparison)
        );
        assert!(comparison.summary.reordered_freely > 0);
    }
}

#[test]
fn what_the_end_of_a_capture_cut_off_is_said_to_be_that() {
    let calls = calls("A", 33_554_500, 2, 154_608);
    let comparison = compared(&old(4), &written(&format!("{NEW}{calls}")));
    let summary = &comparison.summary;
    assert!(summary.messages.missing > 60);
    assert_eq!(summary.behind_end, (summary.messages.missing, 0));
    assert_eq!(
        changes(&comparison),
        [],
        "how it would have ended is not known"
    );
    assert_eq!(summary.lone_calls.0.calls, 2);
    // A call that is missing in the middle comes before no end.
    let all = calls_but_one();
    let comparison = compared(&old(4), &all);
    let summary = &comparison.summary;
    assert_eq!(summary.behind_end, (0, 0));
    assert_eq!(summary.messages.added + summary.messages.changed, 0);
    assert_eq!(summary.lone_calls.0.calls, 1);
    assert!(summary.lone_calls.0.messages > 15);
    assert_eq!(summary.lone_calls.1.calls, 0);
}

fn calls_but_one() -> Scenario {
    let (before, behind) = (
        calls("A", 33_554_500, 1, 154_608),
        calls("A", 33_554_502, 2, 154_608),
    );
    written(&format!("{NEW}{before}{behind}use close invoke=801\n"))
}

#[test]
fn agents_of_another_environment_may_have_other_names() {
    // Two agents who take turns, in another order and with other names in the new run.
    let run = |start: &str, names: [(u32, u32); 2], turns: [usize; 4], id: u32| {
        let (login, _) = start.split_once("use login").unwrap();
        let mut text = login.to_owned();
        for (n, (agent, ext)) in (0..).zip(names) {
            text.push_str(&format!(
                "use login invoke={} agent={agent} ext={ext} icm={}\n",
                2 + n,
                agent + 4000
            ));
        }
        for (n, turn) in (0..).zip(turns) {
            let (agent, ext) = names[turn];
            text.push_str(&format!(
                "use set-state invoke={} state=AVAILABLE agent={agent} ext={ext} icm={}\n\
                 +1s A < BEGIN_CALL_EVENT ConnectionCallID={} ConnectionDeviceID=\"{ext}\" ANI=\"{ext}\"\n\
                 +1s A < END_CALL_EVENT ConnectionCallID={} ConnectionDeviceID=\"{ext}\"\n",
                20 + n,
                agent + 4000,
                id + n,
                id + n
            ));
        }
        written(&format!("{text}use close invoke=801\n"))
    };
    let here = [(1001, 20101), (1002, 20102)];
    let there = [(2001, 30101), (2002, 30102)];
    let old = run(OLD, here, [0, 1, 0, 1], 16_777_400);
    let new = run(NEW, there, [0, 1, 0, 1], 33_554_500);
    assert!(compared(&old, &new).summary.messages.changed > 10);
    let rules = || Rules {
        other_agents: true,
        ..rules()
    };
    let comparison = compared_by(rules(), &old, &new);
    assert_eq!(told(&comparison), []);
    assert!(!comparison.is_different());
    // One event of the other agent is found.
    let mixed = run(NEW, there, [0, 1, 0, 0], 33_554_500);
    assert!(compared_by(rules(), &old, &mixed).is_different());
}

#[test]
fn a_change_that_is_always_the_same_is_told_with_its_values() {
    let state = |run: &str, reason: u32| {
        written(&format!(
            "{run}use set-state invoke=7 state=NOT_READY reason={reason}\nuse close invoke=801\n"
        ))
    };
    let comparison = compared(&state(OLD, 11_004), &state(NEW, 11_005));
    let field = |message: &str| {
        let key = (message.to_owned(), "EventReasonCode".to_owned());
        comparison.summary.fields[&key].clone()
    };
    let values = (Some(b"11004".to_vec()), Some(b"11005".to_vec()));
    assert_eq!(field("AGENT_STATE_EVENT").count, 2);
    assert_eq!(field("AGENT_STATE_EVENT").values, Some(values));
    // Not where they differ from place to place.
    let two = |run: &str, reasons: [u32; 2]| {
        written(&format!(
            "{run}use set-state invoke=7 state=NOT_READY reason={}\nuse set-state invoke=8 state=NOT_READY reason={}\nuse close invoke=801\n",
            reasons[0], reasons[1]
        ))
    };
    let comparison = compared(&two(OLD, [1, 2]), &two(NEW, [3, 4]));
    let key = (
        "SET_AGENT_STATE_REQ".to_owned(),
        "EventReasonCode".to_owned(),
    );
    let field = &comparison.summary.fields[&key];
    assert_eq!((field.count, field.values.as_ref()), (2, None));
}
