//! The rules that all findings of triage follow: the same event in several sessions is one, absence is judged only where presence would have
//! been seen, effects are counted under their causes, and more of the same is worse.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod triaging;

use cti_dissector::finding::Severity;
use cti_dissector::triage::{Code, Problem, Thresholds};
use ctishark_fixtures::Scenario;
use std::path::Path;

const ONE: &str = "connection A finesse:50412 -> side-a:42027 version=24\n";
const TWO: &str = "connection A finesse:50412 -> side-a:42027 version=24\nconnection B ctios:50700 -> side-a:42027 version=24\n";

/// What is found in a session that opens and does the steps.
fn found_in(connections: &str, steps: &str, thresholds: Thresholds) -> Vec<Problem> {
    found_at("ENTERPRISE_AGENT", connections, steps, thresholds)
}

/// The same with a peripheral of another type.
fn found_at(kind: &str, connections: &str, steps: &str, thresholds: Thresholds) -> Vec<Problem> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let read = |name: &str| std::fs::read_to_string(fixtures.join(name)).unwrap();
    let shared = read("triage/plant.inc").replace("include ../scenarios/common.inc", "");
    let common = read("scenarios/common.inc").replace(
        "PeripheralType=ENTERPRISE_AGENT",
        &format!("PeripheralType={kind}"),
    );
    let text = format!("title A test\n{common}{shared}{connections}10:00:00 A open\n{steps}");
    let scenario = Scenario::from_text("test", &text).unwrap_or_else(|e| panic!("{e}"));
    let mut problems = triaging::triage(&scenario, thresholds);
    problems.retain(|problem| SECTIONS.contains(&problem.code.section()));
    problems
}

/// What these tests are about; sessions and TCP have findings of their own.
const SECTIONS: [&str; 3] = [
    "PG, peripherals, phones, clocks",
    "Agents",
    "Requests, calls, data",
];

fn found(steps: &str) -> Vec<Problem> {
    found_in(ONE, &format!("use open\n{steps}"), Thresholds::default())
}

/// How much each finding counts, and how bad it is; sorted.
fn summary(problems: &[Problem]) -> Vec<(Code, Severity, u64)> {
    let mut list: Vec<_> = problems
        .iter()
        .map(|p| (p.code, p.severity, p.count))
        .collect();
    list.sort_unstable();
    list
}

#[track_caller]
fn nothing(problems: &[Problem]) {
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn the_same_event_in_two_sessions_is_one() {
    let problems = found_in(
        TWO,
        r#"
use open
+1s B open
use open c=B client=CTIOSServer
use login invoke=2
use agent c=B state=LOGIN
use agent c=B state=NOT_READY
use agent state=LOGOUT reason=50003 wait=20s
use agent c=B state=LOGOUT reason=50003
+1s A < BEGIN_CALL_EVENT ConnectionCallID=$call CallType=OUT ConnectionDeviceID="$ext_a" ANI="$ext_a" DNIS="95550198"
+1ms B < BEGIN_CALL_EVENT ConnectionCallID=$call CallType=OUT ConnectionDeviceID="$ext_a" ANI="$ext_a" DNIS="95550198"
+1s A < CALL_FAILED_EVENT ConnectionCallID=$call FailingDeviceType=EXTERNAL CalledDeviceType=EXTERNAL LocalConnectionState=FAIL \
  EventCause=CEC_TRUNKS_BUSY ConnectionDeviceID="$ext_a" FailingDeviceID="95550198"
+1ms B < CALL_FAILED_EVENT ConnectionCallID=$call FailingDeviceType=EXTERNAL CalledDeviceType=EXTERNAL LocalConnectionState=FAIL \
  EventCause=CEC_TRUNKS_BUSY ConnectionDeviceID="$ext_a" FailingDeviceID="95550198"
+1ms A < END_CALL_EVENT ConnectionCallID=$call ConnectionDeviceID="$ext_a"
+1ms B < END_CALL_EVENT ConnectionCallID=$call ConnectionDeviceID="$ext_a"
use phone event=INSTRUMENT_OUT_OF_SERVICE phone=20109 wait=70s
use phone c=B event=INSTRUMENT_OUT_OF_SERVICE phone=20109 wait=1ms
use system event=PERIPHERAL_OFFLINE status=4 wait=70s
use system c=B event=PERIPHERAL_OFFLINE status=4 wait=1ms
use later invoke=3
use later c=B invoke=3
"#,
        Thresholds::default(),
    );
    assert_eq!(
        summary(&problems),
        [
            (Code::PeripheralOffline, Severity::Error, 1),
            (Code::PhoneOut, Severity::Warn, 1),
            (Code::ForcedOut, Severity::Warn, 1),
            (Code::CallFailed, Severity::Warn, 1),
        ]
    );
}

#[test]
fn copies_that_come_late_are_no_changes() {
    // Four flips, told by A at once and by B all together a second later.
    let mut steps = String::from(
        "use open\n+1s B open\nuse open c=B client=CTIOSServer\nuse login invoke=2\nuse agent c=B state=LOGIN\nuse agent c=B state=NOT_READY\n",
    );
    let flips = ["AVAILABLE", "NOT_READY", "AVAILABLE", "NOT_READY"];
    for state in flips {
        steps.push_str(&format!("use agent state={state} wait=1s\n"));
        steps.push_str(&format!("use agent state={state} group=28402\n"));
    }
    for state in flips {
        steps.push_str(&format!("use agent c=B state={state}\n"));
    }
    steps.push_str("use later invoke=3\n");
    nothing(&found_in(TWO, &steps, Thresholds::default()));
    // Each flip counts once: four of them reach a threshold of four and not one of five.
    let mut thresholds = Thresholds::default();
    thresholds.agent_flaps = 4;
    let problems = found_in(TWO, &steps, thresholds);
    assert_eq!(
        summary(&problems),
        [(Code::StateFlapping, Severity::Warn, 1)]
    );
    thresholds.agent_flaps = 5;
    nothing(&found_in(TWO, &steps, thresholds));
}

/// What would be missed in a session that is told of everything.
const ABSENCES: &str = r#"
use agent state=NOT_READY
use asks invoke=3 state=AVAILABLE
use later invoke=4 time=15s
use agent state=RESERVED
+1ms A < AGENT_PRE_CALL_EVENT AgentSkillTargetID=$icm_a AgentInstrument="$ext_a" RouterCallKeyDay=154601 RouterCallKeyCallID=2034 \
  RouterCallKeySequenceNumber=0 ANI="$caller"
use later invoke=5 time=25s
use later invoke=6 time=40s
use agent state=NOT_READY
"#;

fn opened_with(services: u32, call_mask: u32, agent_mask: u32) -> String {
    format!(
        "+1ms A > OPEN_REQ InvokeID=1 IdleTimeout=120 PeripheralID=NULL ServicesRequested={services} CallMsgMask={call_mask} \
         AgentStateMask={agent_mask} ClientID=\"Finesse\" ClientPassword=\"\"\n\
         +5ms A < OPEN_CONF InvokeID=1 ServicesGranted={services} ICMCentralControllerTime=now PeripheralOnline=1 AgentState=UNKNOWN\n"
    )
}

#[test]
fn masks_and_services_explain_absence() {
    let all = opened_with(0x16, u32::MAX, 0x3FFF) + ABSENCES;
    assert_eq!(
        summary(&found_in(ONE, &all, Thresholds::default())),
        [
            (Code::StateRequestNoEffect, Severity::Warn, 1),
            (Code::StuckReserved, Severity::Error, 1),
            (Code::PrecallWithoutCall, Severity::Warn, 1),
        ]
    );
    // Neither calls nor the state asked for; no events at all.
    for opening in [
        opened_with(0x16, 0xFFFF_FFFE, 0x3FF7),
        opened_with(0x06, u32::MAX, 0x3FFF),
    ] {
        let steps = opening + ABSENCES;
        nothing(&found_in(ONE, &steps, Thresholds::default()));
    }
}

#[test]
fn what_is_not_captured_is_not_missed() {
    let gap = "+1s A < SYSTEM_EVENT ICMCentralControllerTime=now SystemEventID=HALF_HOUR_CHANGE {lose}\n\
               +1s A < SYSTEM_EVENT ICMCentralControllerTime=now SystemEventID=HALF_HOUR_CHANGE\n";
    let steps = opened_with(0x16, u32::MAX, 0x3FFF) + ABSENCES;
    let lossy = steps
        .replace("use later invoke=4", &format!("{gap}use later invoke=4"))
        .replace("use later invoke=5", &format!("{gap}use later invoke=5"));
    nothing(&found_in(ONE, &lossy, Thresholds::default()));
    // The beginning of the session is not there, so nobody knows what it is told of.
    let midstream = ONE.replace("version=24", "version=24 midstream");
    let fixtures = ABSENCES.replacen("use agent state=NOT_READY", "10:00:01 A < AGENT_STATE_EVENT AgentState=NOT_READY AgentID=\"1001\" AgentExtension=\"20101\"", 1);
    let text = fixtures.trim_start().to_owned();
    let problems = found_in(&midstream, &text, Thresholds::default());
    nothing(&problems);
}

#[test]
fn effects_are_counted_under_their_causes() {
    let problems = found(
        r#"
use login invoke=2
repeat 12 as i
  use agent state=NOT_READY id=$(1100+i) ext=$(20200+i)
end
repeat 12 as i
  use phone wait=100ms event=INSTRUMENT_OUT_OF_SERVICE phone=$(20200+i)
  use agent state=LOGOUT reason=50003 id=$(1100+i) ext=$(20200+i)
end
use later invoke=3
use later invoke=4
use system event=PERIPHERAL_OFFLINE status=4
use agent state=LOGOUT reason=65535
+1s A > SET_AGENT_STATE_REQ InvokeID=5 AgentState=LOGIN AgentInstrument="$ext_a" AgentID="$agent_a"
+5ms A < CONTROL_FAILURE_CONF InvokeID=5 FailureCode=1006
+1s A > HOLD_CALL_REQ InvokeID=6 ConnectionCallID=$call ConnectionDeviceID="$ext_a" AgentInstrument="$ext_a"
+5ms A < CONTROL_FAILURE_CONF InvokeID=6 FailureCode=1006
+70s A > HOLD_CALL_REQ InvokeID=7 ConnectionCallID=$call ConnectionDeviceID="$ext_a" AgentInstrument="$ext_a"
+5ms A < CONTROL_FAILURE_CONF InvokeID=7 FailureCode=1006
use later invoke=8
"#,
    );
    assert_eq!(
        summary(&problems),
        [
            (Code::PeripheralOffline, Severity::Error, 1),
            (Code::PhonesLost, Severity::Error, 12),
            // More than a minute later it may have another cause.
            (Code::ControlFailure, Severity::Warn, 1),
        ]
    );
    let explained = |code| {
        let problem = problems.iter().find(|p| p.code == code).unwrap();
        let list: Vec<(Code, u64)> = problem.explains.iter().map(|(c, n)| (*c, *n)).collect();
        (problem.agents.len(), list)
    };
    assert_eq!(
        explained(Code::PhonesLost),
        (12, vec![(Code::PhoneOut, 12), (Code::MassLogout, 12)])
    );
    assert_eq!(
        explained(Code::PeripheralOffline).1,
        [
            (Code::LoginFailed, 1),
            (Code::ForcedOut, 1),
            (Code::ControlFailure, 1),
        ]
    );
}

#[test]
fn more_of_the_same_is_worse() {
    let mut steps = String::new();
    for n in 1..=3 {
        steps.push_str(&format!(
            "+70s A > SET_AGENT_STATE_REQ InvokeID=1{n} AgentState=LOGIN AgentInstrument=\"$ext_a\" AgentID=\"$agent_a\"\n\
             +5ms A < CONTROL_FAILURE_CONF InvokeID=1{n} FailureCode=257\n"
        ));
    }
    let logins = |steps: &str| summary(&found(&format!("{steps}use later invoke=9\n")));
    assert_eq!(logins(&steps), [(Code::LoginFailed, Severity::Error, 3)]);
    let two = steps.split("+70s").take(3).collect::<Vec<_>>().join("+70s");
    assert_eq!(logins(&two), [(Code::LoginFailed, Severity::Warn, 2)]);

    // One of twenty is five percent; two are more.
    let holds = |failures: usize| {
        let mut steps = String::from("use login invoke=2\n");
        for n in 0..20 {
            steps.push_str(&format!("+10s A > HOLD_CALL_REQ InvokeID=1{n} ConnectionCallID=$call ConnectionDeviceID=\"$ext_a\" AgentInstrument=\"$ext_a\"\n"));
            steps.push_str(&if n < failures {
                format!("+5ms A < CONTROL_FAILURE_CONF InvokeID=1{n} FailureCode=22\n")
            } else {
                format!("+5ms A < HOLD_CALL_CONF InvokeID=1{n}\n")
            });
        }
        summary(&found(&(steps + "use later invoke=9\n")))
    };
    assert_eq!(holds(1), [(Code::ControlFailure, Severity::Warn, 1)]);
    assert_eq!(holds(2), [(Code::ControlFailure, Severity::Error, 2)]);
}

#[test]
fn unanswered_call_control_and_repeated_silence_are_errors() {
    let silence = |request: &str, times: usize| {
        let mut steps = String::from("use login invoke=2\n");
        for n in 0..times {
            steps.push_str(&format!(
                "+2s A > {request} InvokeID=2{n} AgentInstrument=\"$ext_a\"\n"
            ));
        }
        summary(&found(
            &(steps + "use later invoke=8 time=20s\nuse later invoke=9 time=20s\n"),
        ))
    };
    let unanswered = |severity, times| [(Code::Unanswered, severity, times)];
    assert_eq!(
        silence("QUERY_DEVICE_INFO_REQ", 2),
        unanswered(Severity::Warn, 2)
    );
    assert_eq!(
        silence("QUERY_DEVICE_INFO_REQ", 3),
        unanswered(Severity::Error, 3)
    );
    let steps = "use login invoke=2\n+2s A > HOLD_CALL_REQ ConnectionCallID=$call ConnectionDeviceID=\"$ext_a\" InvokeID=3 AgentInstrument=\"$ext_a\"\nuse later invoke=8 time=20s\nuse later invoke=9 time=20s\n";
    assert_eq!(summary(&found(steps)), unanswered(Severity::Error, 1));
}

#[test]
fn reasons_mean_what_they_mean_on_the_peripheral() {
    let steps = "use open\nuse login invoke=2\nuse agent state=AVAILABLE\nuse rings\n\
                 use agent state=NOT_READY reason=32767 wait=9s\nuse ends wait=1s\nuse later invoke=3\n";
    let problems = found_at("ENTERPRISE_AGENT", ONE, steps, Thresholds::default());
    assert_eq!(
        summary(&problems),
        [(Code::RingNoAnswer, Severity::Info, 1)]
    );
    // On Unified CCX it says that the agent logged in again.
    nothing(&found_at("PT_ACMI_CRS", ONE, steps, Thresholds::default()));
}

#[test]
fn calls_that_go_on_under_another_number_need_no_end() {
    nothing(&found(
        r#"
use login invoke=2
use login invoke=3 agent=$agent_b ext=$ext_b
use call-arrives
use answer invoke=4
use consult invoke=5
use conference invoke=6
use leaves device=$ext_a type=AGENT_DEVICE
+1ms A < END_CALL_EVENT ConnectionCallID=$call ConnectionDeviceID="$ext_a"
use later invoke=7
use ends ext=$ext_b
use later invoke=8
use later invoke=9
"#,
    ));
}

/// The findings that steps lead to, behind a login of agent 1001, and what is said of the first one.
fn after_login(steps: &str) -> (Vec<(Code, Severity, u64)>, String) {
    let problems = found(&format!("use login invoke=2\n{steps}use later invoke=91\n"));
    let text = problems.first().and_then(|p| p.examples.first());
    let text = text.map(|e| e.text.clone()).unwrap_or_default();
    (summary(&problems), text)
}

#[test]
fn a_ringing_call_is_not_answered_in_several_ways() {
    let info = [(Code::RingNoAnswer, Severity::Info, 1)];
    let (found, text) = after_login(
        "use agent state=AVAILABLE\nuse agent state=RESERVED wait=3s\nuse rings\n+9s A < CALL_CONNECTION_CLEARED_EVENT ConnectionCallID=$call \
         LocalConnectionState=NULL EventCause=CECX_RING_NO_ANSWER ConnectionDeviceID=\"$ext_a\"\n",
    );
    assert_eq!(found, info);
    assert!(text.ends_with("then cleared with cause 1019"), "{text}");
    // Call events before the state, as may be.
    let (found, text) = after_login(
        "use agent state=AVAILABLE\nuse agent state=RESERVED wait=3s\nuse rings\n+9s A < CALL_CONNECTION_CLEARED_EVENT ConnectionCallID=$call \
         LocalConnectionState=NULL EventCause=CEC_REDIRECTED ConnectionDeviceID=\"$ext_a\"\n\
         +1ms A < CALL_CLEARED_EVENT ConnectionCallID=$call ConnectionDeviceID=\"$ext_a\"\n\
         +1ms A < END_CALL_EVENT ConnectionCallID=$call ConnectionDeviceID=\"$ext_a\"\nuse agent state=NOT_READY reason=32767\n",
    );
    assert_eq!(found, info);
    assert!(text.ends_with("then NOT_READY (32767)"), "{text}");
    // The timer of the VRU was quicker than the agent's: only the other agent shows it.
    let (found, text) = after_login(
        "use login invoke=3 agent=$agent_b ext=$ext_b\nuse agent state=RESERVED wait=3s\nuse rings\n\
         +9s A < CALL_CONNECTION_CLEARED_EVENT ConnectionCallID=$call LocalConnectionState=NULL EventCause=CEC_REDIRECTED \
         ConnectionDeviceID=\"$ext_a\"\nuse agent state=AVAILABLE\nuse rings call=$call2 ext=$ext_b wait=200ms\nuse answers call=$call2 ext=$ext_b\n\
         use ends call=$call2 ext=$ext_b\n+1ms A < END_CALL_EVENT ConnectionCallID=$call ConnectionDeviceID=\"$ext_a\"\n",
    );
    assert_eq!(found, info);
    assert!(text.ends_with("then sent to phone 20102"), "{text}");
}

/// A consultation that agent B answers, then a transfer that the server confirms, and what comes then.
fn transfer(then: &str) -> (Vec<(Code, Severity, u64)>, String) {
    after_login(&format!(
        "use login invoke=3 agent=$agent_b ext=$ext_b\nuse call-arrives\nuse answer invoke=4\nuse consult invoke=5\n{then}use later invoke=92\n"
    ))
}

#[test]
fn a_transfer_fails_in_several_ways() {
    let warn = [(Code::TransferFailed, Severity::Warn, 1)];
    let (found, text) = transfer(
        "+6s A > TRANSFER_CALL_REQ InvokeID=6 ActiveConnectionCallID=$call2 HeldConnectionCallID=$call ActiveConnectionDeviceID=\"$ext_a\" \
         HeldConnectionDeviceID=\"$ext_a\" AgentInstrument=\"$ext_a\"\n+5ms A < TRANSFER_CALL_CONF InvokeID=6\n",
    );
    assert_eq!(found, warn);
    assert!(
        text.contains("confirmed, but no CALL_TRANSFERRED_EVENT"),
        "{text}"
    );
    let (found, text) = transfer("use transfer invoke=6\nuse ends ext=$ext_b wait=1s\n");
    assert_eq!(found, warn);
    assert!(
        text.contains("the caller's side was cleared 1 s after"),
        "{text}"
    );
    // Somebody outside took the call over: nothing more is told of it.
    let (found, _) = after_login(
        "use call-arrives\nuse answer invoke=4\n+9s A < CALL_TRANSFERRED_EVENT PrimaryCallID=$call SecondaryCallID=$call2 LocalConnectionState=NULL \
         EventCause=CEC_TRANSFER PrimaryDeviceID=\"$ext_a\" SecondaryDeviceID=\"$ext_a\" TransferringDeviceID=\"$ext_a\" \
         TransferredDeviceID=\"95550123\" ConnectedPartyCallID=$call ConnectedPartyDeviceIDType=0 ConnectedPartyDeviceID=\"$caller\"\n\
         use ends wait=1s\nuse later invoke=92\n",
    );
    assert_eq!(found, []);
}

#[test]
fn media_are_missed_only_where_the_phone_has_them_at_other_times() {
    let call = |n: u32, media: &str| {
        format!(
            "use agent state=RESERVED wait=5s\nuse rings call=1677730{n} key=203{n}\nuse answers call=1677730{n}\n{media}\
             use agent state=TALKING\nuse ends call=1677730{n} wait=9s\nuse agent state=AVAILABLE\n"
        )
    };
    let heard = |n: u32| call(n, &format!("use rtp-started call=1677730{n}\n"));
    let (found, text) = after_login(&(heard(1) + &call(2, "") + &heard(3)));
    assert_eq!(found, [(Code::MediaSuspect, Severity::Warn, 1)]);
    assert_eq!(text, "call 16777302 answered at phone 20101");
    assert_eq!(after_login(&(call(1, "") + &call(2, ""))).0, []);
}

#[test]
fn call_data_are_lost_and_cut_in_several_ways() {
    let set = |fields: &str, then: &str| {
        after_login(&format!(
            "use agent state=RESERVED wait=5s\nuse rings\nuse answers\nuse agent state=TALKING\n+5s A > SET_CALL_DATA_REQ InvokeID=4 \
             ConnectionCallID=$call ConnectionDeviceID=\"$ext_a\" {fields}\n{then}"
        ))
    };
    let updated = |fields: &str| {
        format!(
            "+1ms A < SET_CALL_DATA_CONF InvokeID=4\n+1ms A < CALL_DATA_UPDATE_EVENT ConnectionCallID=$call NewConnectionCallID=$call \
             ConnectionDeviceID=\"$ext_a\" NewConnectionDeviceID=\"$ext_a\" {fields}\n"
        )
    };
    let waits = "use later invoke=92 time=20s\nuse later invoke=93 time=20s\n";
    let (found, _) = set("CallVariable1=\"silver\"", waits);
    assert_eq!(found, [(Code::DataUpdateLost, Severity::Warn, 1)]);
    let long = "0123456789012345678901234567890123456789X";
    let hex: String = long.bytes().map(|b| format!("{b:02x}")).collect();
    let value = format!("tag:13=hex:{hex}00");
    let (found, text) = set(
        &value,
        &updated(&format!("CallVariable1=\"{}\"", &long[..40])),
    );
    assert_eq!(found, [(Code::DataTruncated, Severity::Warn, 1)]);
    assert_eq!(text, "call 16777301: CallVariable1 of 41 bytes");
    // The set that an update carries replaces the one before.
    let first = updated("user.a=\"1\" user.b=\"2\"");
    let second = "+1s A > SET_CALL_DATA_REQ InvokeID=5 ConnectionCallID=$call ConnectionDeviceID=\"$ext_a\" user.a=\"3\"\n";
    let then = |fields: &str| {
        let answer = updated(fields).replace("InvokeID=4", "InvokeID=5");
        set(
            "user.a=\"1\" user.b=\"2\"",
            &format!("{first}{second}{answer}"),
        )
    };
    assert_eq!(then("user.a=\"3\" user.b=\"2\"").0, []);
    let (found, text) = then("user.a=\"3\"");
    assert_eq!(found, [(Code::EccNearLimit, Severity::Info, 1)]);
    assert_eq!(text, "call 16777301: user.b no more, after S1 wrote");
}

#[test]
fn clocks_differ_in_several_ways() {
    let open = |c: &str, ahead: u64, invoke: u32| {
        let time = 1_795_428_000 + ahead;
        format!(
            "+1s {c} > OPEN_REQ InvokeID={invoke} IdleTimeout=120 PeripheralID=NULL ServicesRequested=0x16 CallMsgMask=0 AgentStateMask=0 ClientID=\"Finesse\"\n\
             +1ms {c} < OPEN_CONF InvokeID={invoke} ServicesGranted=0x16 ICMCentralControllerTime={time} PeripheralOnline=1 AgentState=UNKNOWN\n"
        )
    };
    let tells = |at: u64| {
        format!(
            "+10s A < SYSTEM_EVENT ICMCentralControllerTime={} SystemEventID=HALF_HOUR_CHANGE\n",
            1_795_428_000 + at
        )
    };
    let skew = [(Code::ClockSkew, Severity::Warn, 1)];
    let on = |connections: &str, steps: &str| {
        summary(&found_in(connections, steps, Thresholds::default()))
    };
    let two = ONE.to_owned() + "connection B finesse:50413 -> side-b:43027 version=24\n";
    assert_eq!(on(ONE, &open("A", 33, 1)), skew);
    assert_eq!(on(ONE, &open("A", 31, 1)), []);
    assert_eq!(
        on(
            &two,
            &(open("A", 1, 1) + "+0ms B open\n" + &open("B", 7, 1))
        ),
        skew
    );
    assert_eq!(
        on(
            &two,
            &(open("A", 1, 1) + "+0ms B open\n" + &open("B", 4, 1))
        ),
        []
    );
    // One event that was held up is no clock that stands still; two are.
    assert_eq!(on(ONE, &(open("A", 1, 1) + &tells(5) + &tells(21))), []);
    assert_eq!(on(ONE, &(open("A", 1, 1) + &tells(5) + &tells(15))), skew);
}

#[test]
fn a_call_that_two_sessions_show_is_one() {
    let mut steps =
        String::from("use open\n+1s B open\nuse open c=B client=CTIOSServer\nuse login invoke=2\n");
    // Two calls over at once, which is one too few.
    for n in 1..=2 {
        for step in ["rings", "answers", "ends"] {
            let wait = if step == "rings" { "9s" } else { "2s" };
            let key = if step == "rings" {
                format!(" key=203{n}")
            } else {
                String::new()
            };
            let other = if step == "ends" {
                "wait=0.1ms"
            } else {
                "wait=0.2ms"
            };
            steps.push_str(&format!("use {step} call=1677730{n}{key} wait={wait}\n"));
            steps.push_str(&format!("use {step} c=B call=1677730{n}{key} {other}\n"));
        }
    }
    // A recording that fails, and a call that is not answered: the first of this agent.
    for (c, wait) in [("A", "9s"), ("B", "1ms")] {
        steps.push_str(&format!(
            "+{wait} {c} < NETWORK_RECORDING_FAILED_EVENT ConnectionCallID=16777302 ConnectionDeviceID=\"$ext_a\" RecordFailureCause=3\n"
        ));
    }
    steps.push_str(
        "use rings call=16777309 key=2039 wait=9s\nuse rings c=B call=16777309 key=2039 wait=0.1ms\nuse agent state=NOT_READY reason=32767 wait=9s\n\
         use agent c=B state=NOT_READY reason=32767\nuse ends call=16777309\nuse ends c=B call=16777309 wait=0.1ms\n\
         use later invoke=8\nuse later c=B invoke=8\n",
    );
    let problems = found_in(TWO, &steps, Thresholds::default());
    assert_eq!(
        summary(&problems),
        [
            (Code::RingNoAnswer, Severity::Info, 1),
            (Code::FeatureFailed, Severity::Info, 1),
        ]
    );
}

#[test]
fn a_number_that_is_used_again_is_a_new_call() {
    let (found, _) = after_login(
        "use rings\nuse answers\nuse ends\nuse later invoke=92 time=90s\nuse rings key=2035\nuse answers\nuse later invoke=93 time=70s\n\
         use ends\n",
    );
    assert_eq!(found, []);
}

#[test]
fn what_the_snap_length_cut_off_is_not_missed() {
    let begins = |accident: &str| {
        after_login(&format!(
            "+9s A < BEGIN_CALL_EVENT ConnectionCallID=$call CallType=ACD_IN ConnectionDeviceID=\"$ext_a\" ANI=\"$caller\" DNIS=\"8006\" {accident}\n\
             use later invoke=92 time=20s\nuse ends\n"
        ))
    };
    assert_eq!(begins("").0, [(Code::DataMissing, Severity::Info, 1)]);
    assert_eq!(begins("CallVariable1=\"gold\" {snap=120}").0, []);
}

#[test]
fn a_call_that_rings_before_its_agent_is_reserved_belongs_to_that() {
    let (found, _) = after_login(
        "use rings\nuse agent state=RESERVED wait=300ms\nuse later invoke=92 time=50s\nuse answers\nuse ends\n",
    );
    assert_eq!(found, []);
    // One that rang long before does not.
    let (found, _) = after_login(
        "use rings\nuse agent state=RESERVED wait=9s\nuse later invoke=92 time=50s\nuse answers\nuse ends\n",
    );
    assert_eq!(found, [(Code::StuckReserved, Severity::Warn, 1)]);
}
