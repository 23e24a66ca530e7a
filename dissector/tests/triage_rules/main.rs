//! The rules that all findings of triage follow: the same event in several sessions is one, absence is judged only where presence would have
//! been seen, effects are counted under their causes, and more of the same is worse.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod calls;
#[path = "../triaging/mod.rs"]
mod triaging;

use cti_dissector::finding::Severity;
use cti_dissector::triage::{Code, Problem, Thresholds};
use ctishark_fixtures::Scenario;
use std::path::Path;
use triaging::summary;

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

#[track_caller]
fn nothing(problems: &[Problem]) {
    assert!(problems.is_empty(), "{problems:#?}");
}

/// The findings that steps lead to, behind a login of agent 1001, and what is said of the first one.
fn after_login(steps: &str) -> (Vec<(Code, Severity, u64)>, String) {
    let problems = found(&format!("use login invoke=2\n{steps}use later invoke=91\n"));
    let text = problems.first().and_then(|p| p.examples.first());
    let text = text.map(|e| e.text.clone()).unwrap_or_default();
    (summary(&problems), text)
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
