//! Findings about sessions, sides and TCP in their several ways, and their exceptions.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod triaging;

use cti_dissector::finding::Severity;
use cti_dissector::triage::{Code, Problem, Thresholds};
use ctishark_fixtures::Scenario;
use std::path::Path;
use triaging::summary;

const A: &str = "connection A finesse:50412 -> side-a:42027 version=24\n";
const B: &str = "connection B finesse:50413 -> side-b:43027 version=24\n";
/// The same client again.
const C: &str = "connection C finesse:50414 -> side-a:42027 version=24\n";

fn found(connections: &[&str], steps: &str) -> Vec<Problem> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let common = std::fs::read_to_string(fixtures.join("scenarios/common.inc")).unwrap();
    let text = format!("title A test\n{common}{}{steps}", connections.concat());
    let scenario = Scenario::from_text("test", &text).unwrap_or_else(|e| panic!("{e}"));
    triaging::triage(&scenario, Thresholds::default())
}

#[track_caller]
fn only(problems: &[Problem], code: Code, severity: Severity) -> String {
    assert_eq!(summary(problems), [(code, severity, 1)], "{problems:#?}");
    problems[0].examples[0].text.clone()
}

#[track_caller]
fn nothing(problems: &[Problem]) {
    assert!(problems.is_empty(), "{problems:#?}");
}

/// What a problem explains.
fn explained(problem: &Problem) -> Vec<(Code, u64)> {
    problem.explains.iter().map(|(c, n)| (*c, *n)).collect()
}

const STANDBY: &str = "+1ms B > OPEN_REQ InvokeID=1 IdleTimeout=20 PeripheralID=NULL ServicesRequested=0x02000016 \
    CallMsgMask=0xFFFFFFFF AgentStateMask=0x3FFF ClientID=Finesse ClientPassword=\"\" ClientSignature=Finesse\n\
    +4ms B < OPEN_CONF InvokeID=1 ServicesGranted=0x02000016 ICMCentralControllerTime=now PeripheralOnline=1 AgentState=UNKNOWN SessionType=2\n";

fn beats(connection: &str, count: u32, from: u32) -> String {
    format!("repeat {count} as i\nuse heartbeat c={connection} invoke=$({from}+i)\nend\n")
}

#[test]
fn heartbeats_that_the_network_loses_are_told_as_loss() {
    let lost = "+5s A > HEARTBEAT_REQ InvokeID=3 {unacked again=300ms,900ms,2.1s,4.5s}\n";
    let problems = found(
        &[A],
        &format!("10:00:00 A open\nuse open\nuse heartbeat\n{lost}+10s A > RST\n"),
    );
    assert_eq!(
        summary(&problems),
        [
            (Code::SessionCut, Severity::Warn, 1),
            (Code::Loss, Severity::Warn, 1)
        ]
    );
}

#[test]
fn answers_that_are_not_captured_are_not_missed() {
    let session = "10:00:00 A open\nuse open\nuse heartbeat\n";
    let lacking = "+5s A > HEARTBEAT_REQ InvokeID=3\n+1ms A < HEARTBEAT_CONF InvokeID=3 {lose}\n\
                   +5s A > HEARTBEAT_REQ InvokeID=4\n+1ms A < HEARTBEAT_CONF InvokeID=4\nuse close\n";
    let problems = found(&[A], &format!("{session}{lacking}"));
    assert_eq!(
        summary(&problems),
        [(Code::CaptureLimits, Severity::Info, 1)]
    );
    // Two heartbeats at once are one question.
    let twice = "+5s A > HEARTBEAT_REQ InvokeID=3\n+1ms A > HEARTBEAT_REQ InvokeID=4\n\
                 +1ms A < HEARTBEAT_CONF InvokeID=3\n+1ms A < HEARTBEAT_CONF InvokeID=4\nuse close\n";
    nothing(&found(&[A], &format!("{session}{twice}")));
}

#[test]
fn a_server_that_goes_takes_its_effects_with_it() {
    // Both sessions that it has; they go to the other side, and an agent is put out.
    let other = "connection K ctios:50600 -> side-a:42027 version=24\nconnection L ctios:50601 -> side-b:43027 version=24\n";
    let problems = found(
        &[A, B, other],
        "10:00:00 A open\nuse open\n+1s K open\nuse open c=K client=CTIOSServer\n+5s A > HEARTBEAT_REQ InvokeID=2\n\
         +1ms A < HEARTBEAT_CONF InvokeID=2\n+1s A < FAILURE_EVENT Status=E_CTI_CTI_SERVER_OFFLINE\n\
         +0.2s A > CLOSE_REQ InvokeID=3 Status=E_CTI_CTI_SERVER_OFFLINE\n+1ms A < FIN\n+0.1ms A > FIN\n+0.5s K < RST\n\
         +2s B open\nuse open c=B\n+1s L open\nuse open c=L client=CTIOSServer\nuse agent-state c=B state=LOGOUT reason=50002\n\
         use heartbeat c=B\nuse heartbeat c=L\nuse close c=B\nuse close c=L\n",
    );
    assert_eq!(
        summary(&problems),
        [(Code::ServerGone, Severity::Error, 2)],
        "{problems:#?}"
    );
    assert_eq!(
        explained(&problems[0]),
        [
            (Code::SessionCut, 1),
            (Code::ServerNotice, 1),
            (Code::ClosedWithError, 1),
            (Code::SideFailover, 2),
            (Code::ForcedOut, 1),
        ]
    );
    assert!(problems[0].text.contains("all that it had"));
    // One session is no crowd.
    let alone = found(
        &[A],
        "10:00:00 A open\nuse open\nuse heartbeat\n+1s A < RST\n",
    );
    only(&alone, Code::SessionCut, Severity::Warn);
}

#[test]
fn a_planned_move_is_no_trouble() {
    let move_it = |tail: &str| {
        let steps = format!(
            "10:00:00 A open\nuse open\n+0.2s B open\n{STANDBY}+2s A < ACTIVE_MAINTENANCE_REQ_MSG InvokeID=7\n{tail}"
        );
        found(&[A, B], &steps)
    };
    let agreed = "+40ms A > ACTIVE_MAINTENANCE_RESP_MSG InvokeID=7 MaintenanceModeAccepted=1\n\
                  +0.5s A < ACTIVE_MAINTENANCE_EVENT_MSG MaintenanceModeStatus=1\n";
    // The server simply closes: planned, so nothing is cut, and nobody failed over.
    let done = "+0.2s B < STANDBY_ACTIVE_EVENT_MSG\n+0.1s A > STOPPING_REQUESTS_TO_THIS_SIDE_IND\n+0.2s A < FIN\n+0.1ms A > FIN\n";
    let text = only(
        &move_it(&format!("{agreed}{done}{}", beats("B", 2, 2))),
        Code::MaintenanceHandover,
        Severity::Info,
    );
    assert!(
        text.starts_with("agreed after 40 ms, decided after 540 ms"),
        "{text}"
    );
    // Silence is a refusal.
    let silent =
        "+6s A < ACTIVE_MAINTENANCE_EVENT_MSG MaintenanceModeStatus=0\nuse heartbeat invoke=4\n";
    let text = only(&move_it(silent), Code::MaintenanceRefused, Severity::Warn);
    assert!(text.starts_with("did not answer within 6 s"), "{text}");
    // The old side is asked after the goodbye.
    let stubborn = "+0.2s B < STANDBY_ACTIVE_EVENT_MSG\n+0.1s A > STOPPING_REQUESTS_TO_THIS_SIDE_IND\n\
                    +0.1s A > QUERY_DEVICE_INFO_REQ InvokeID=8 AgentInstrument=\"$ext_a\"\n\
                    +1ms A < QUERY_DEVICE_INFO_CONF InvokeID=8 PeripheralType=ENTERPRISE_AGENT NumLines=1 LineHandle=1 LineType=3\n\
                    +0.2s A < FIN\n+0.1ms A > FIN\n";
    assert_eq!(
        summary(&move_it(&format!("{agreed}{stubborn}"))),
        [
            (Code::MaintenanceHandover, Severity::Info, 1),
            (Code::MaintenanceBroken, Severity::Error, 1)
        ]
    );
}

#[test]
fn a_standby_that_takes_over_alone_is_a_failover() {
    let problems = found(
        &[A, B],
        &format!(
            "10:00:00 A open\nuse open\n+0.2s B open\n{STANDBY}use heartbeat\n+1s A < RST\n+3s B < STANDBY_ACTIVE_EVENT_MSG\nuse heartbeat c=B\nuse close c=B\n"
        ),
    );
    let text = only(&problems, Code::SideFailover, Severity::Warn);
    assert!(text.starts_with("3 s without a session"), "{text}");
    assert_eq!(explained(&problems[0]), [(Code::SessionCut, 1)]);
}

#[test]
fn both_sides_may_say_that_they_are_active() {
    let node = "connection K ctios:50600 -> side-b:43027 version=24\n";
    let steps = |seconds: u32| {
        format!(
            "10:00:00 A open\nuse open\n+1s K open\nuse open c=K client=CTIOSServer\n\
             +{seconds}s A > HEARTBEAT_REQ InvokeID=2\n+1ms A < HEARTBEAT_CONF InvokeID=2\n\
             +1ms K > HEARTBEAT_REQ InvokeID=2\n+1ms K < HEARTBEAT_CONF InvokeID=2\nuse close\nuse close c=K\n"
        )
    };
    only(
        &found(&[A, node], &steps(12)),
        Code::DualActive,
        Severity::Error,
    );
    // The old side may just be going.
    nothing(&found(&[A, node], &steps(6)));
}

#[test]
fn a_connection_that_was_forgotten_shows_in_two_ways() {
    let quiet = "10:00:00 A open\nuse open idle=7200\n+1800s A > QUERY_DEVICE_INFO_REQ InvokeID=9 AgentInstrument=\"$ext_a\"";
    let again = "C open\nuse open c=C idle=7200\nuse close c=C\n";
    let refused = found(
        &[A, C],
        &format!("{quiet} {{unacked}}\n+1ms A < RST\n+1s {again}"),
    );
    let codes: Vec<Code> = refused.iter().map(|p| p.code).collect();
    assert_eq!(codes, [Code::SilentDrop, Code::SessionCut]);
    assert!(refused[0].examples[0].text.contains("was answered by RST"));
    // The host is gone for good: that is something else.
    let gone = found(
        &[A],
        &format!("{quiet} {{unacked again=300ms,900ms,2.1s}}\n+60s A > RST\n"),
    );
    assert!(
        !gone.iter().any(|p| p.code == Code::SilentDrop),
        "{gone:#?}"
    );
}

#[test]
fn readers_are_slow_in_two_ways_and_may_be_dropped() {
    let blocked = |millis: u32, wait: &str| {
        format!("+{wait} A > WINDOW=0\n+{millis}ms A > WINDOW=64240\nuse heartbeat\n")
    };
    let session = "10:00:00 A open\nuse open idle=60\n";
    let thrice = format!("{session}{}use close\n", blocked(1_200, "1s").repeat(3));
    only(&found(&[A], &thrice), Code::SlowReader, Severity::Error);
    let twice = format!("{session}{}use close\n", blocked(1_200, "1s").repeat(2));
    nothing(&found(&[A], &twice));
    let short = format!("{session}{}use close\n", blocked(800, "1s").repeat(9));
    nothing(&found(&[A], &short));
    let dropped = format!("{session}use heartbeat\n+1s A > WINDOW=0\n+7s A < RST\n");
    let problems = found(&[A], &dropped);
    only(&problems, Code::SlowReader, Severity::Error);
    assert_eq!(explained(&problems[0]), [(Code::SessionCut, 1)]);
}

#[test]
fn clients_that_try_as_they_should_are_warned_of_only() {
    let tries = |waits: [u32; 3]| {
        let mut steps = String::from("10:00:00 A open\n");
        for wait in waits {
            steps.push_str(&format!(
                "+{wait}s A open\n+1ms A > OPEN_REQ InvokeID=1 IdleTimeout=20 ServicesRequested=0x16 CallMsgMask=0xFFFFFFFF \
                 AgentStateMask=0x3FFF ClientID=Finesse ClientPassword=\"\"\n+1ms A < FAILURE_CONF InvokeID=1 Status=17\n+1ms A > RST\n"
            ));
        }
        found(&[A], &steps)
    };
    let worst = |problems: &[Problem]| {
        let found = problems.iter().find(|p| p.code == Code::OpenLoop);
        found.map(|p| p.severity)
    };
    assert_eq!(worst(&tries([1, 15, 30])), Some(Severity::Warn));
    assert_eq!(worst(&tries([1, 5, 5])), Some(Severity::Error));
    assert_eq!(worst(&tries([1, 30, 60])), None);
}

#[test]
fn sessions_that_throw_each_other_out_are_a_loop() {
    let mut steps = String::from("10:00:00 A open\n");
    for _ in 0..3 {
        steps.push_str("+1s A open\nuse open\n+4s A < FAILURE_EVENT Status=E_CTI_NEW_SESSION_OPENED\n+1ms A < FIN\n+0.1ms A > FIN\n");
    }
    let problems = found(&[A], &steps);
    let codes: Vec<Code> = problems.iter().map(|p| p.code).collect();
    assert_eq!(codes, [Code::OpenLoop, Code::SessionReplaced]);
    // Opening and closing as one should is no loop.
    nothing(&found(
        &[A],
        &format!(
            "10:00:00 A open\n{}",
            "+1s A open\nuse open\nuse close\n".repeat(4)
        ),
    ));
}

#[test]
fn a_device_may_have_one_session() {
    let open = |c: &str| {
        format!(
            "+1s {c} open\n+1ms {c} > OPEN_REQ InvokeID=1 IdleTimeout=120 PeripheralID=5000 ServicesRequested=7 CallMsgMask=0xFFFFFFFF \
             AgentStateMask=0x3FFF ClientID=Desk{c} ClientPassword=\"\" AgentExtension=\"$ext_a\"\n\
             +4ms {c} < OPEN_CONF InvokeID=1 ServicesGranted=7 ICMCentralControllerTime=now PeripheralOnline=1 AgentState=LOGOUT MonitorID=1\n"
        )
    };
    let other = "connection D desktop:50601 -> side-a:42027 version=24\n";
    let both = format!(
        "10:00:00 A open\n{}{}use close\nuse close c=D\n",
        open("A"),
        open("D")
    );
    let text = only(
        &found(&[A, other], &both),
        Code::SessionReplaced,
        Severity::Warn,
    );
    assert!(
        text.contains("10.0.1.31:50601") && text.contains("10.0.1.10:50412"),
        "{text}"
    );
    let after = format!(
        "10:00:00 A open\n{}use close\n{}use close c=D\n",
        open("A"),
        open("D")
    );
    nothing(&found(&[A, other], &after));
}

#[test]
fn a_peripheral_that_was_asked_for_and_is_off_line_is_told() {
    let steps = |asked: &str| {
        format!(
            "10:00:00 A open\n+1ms A > OPEN_REQ InvokeID=1 IdleTimeout=20 {asked} ServicesRequested=0x16 CallMsgMask=0xFFFFFFFF \
             AgentStateMask=0x3FFF ClientID=Finesse ClientPassword=\"\"\n\
             +4ms A < OPEN_CONF InvokeID=1 ServicesGranted=0x16 ICMCentralControllerTime=now PeripheralOnline=0 AgentState=UNKNOWN\nuse close\n"
        )
    };
    let text = only(
        &found(&[A], &steps("PeripheralID=5001")),
        Code::OpenedDegraded,
        Severity::Warn,
    );
    assert_eq!(text, "peripheral 5001 was off line");
    nothing(&found(&[A], &steps("PeripheralID=NULL")));
}

#[test]
fn a_silent_session_without_heartbeats_is_worth_a_hint() {
    let steps = |wait: u32| {
        format!(
            "10:00:00 A open\nuse open idle=4294967295\n+{wait}s A > QUERY_DEVICE_INFO_REQ InvokeID=9 AgentInstrument=\"$ext_a\"\n\
             +1ms A < QUERY_DEVICE_INFO_CONF InvokeID=9 PeripheralType=ENTERPRISE_AGENT NumLines=1 LineHandle=1 LineType=3\nuse close\n"
        )
    };
    only(
        &found(&[A], &steps(400)),
        Code::HeartbeatSettings,
        Severity::Info,
    );
    nothing(&found(&[A], &steps(200)));
}

#[test]
fn what_the_server_says_of_other_sessions_is_told_once() {
    let says = |port: u32| {
        format!(
            "10:00:00 A open\nuse open\n+1s B open\nuse open c=B client=Other\nuse heartbeat\nuse heartbeat c=B\n+1s B < RST\n\
             +1ms A < CLIENT_SESSION_CLOSED_EVENT SessionID=9 Status=E_CTI_CLIENT_DISCONNECTED ClientPort={port} ClientAddress=\"10.0.1.10\" \
             ClientID=\"Other\"\nuse heartbeat\nuse close\n"
        )
    };
    let beside = "connection B finesse:50413 -> side-a:42027 version=24\n";
    assert_eq!(
        summary(&found(&[A, beside], &says(50_413))),
        [(Code::SessionCut, Severity::Warn, 1)]
    );
    assert_eq!(
        summary(&found(&[A, beside], &says(50_999))),
        [
            (Code::SessionCut, Severity::Warn, 1),
            (Code::SessionCut, Severity::Warn, 1)
        ]
    );
}

#[test]
fn tls_fails_in_several_ways() {
    let secured = "connection S finesse:50430 -> side-a:42030\n";
    let hello = "S > raw 1603010006010000010303\n";
    let answer = "S < raw 1603030006020000010303\n";
    let text = |steps: String| {
        let problems = found(&[secured], &format!("12:00:00 S open\n+1ms {steps}"));
        let failed = problems.iter().find(|p| p.code == Code::TlsFailed);
        failed.map(|p| p.examples[0].text.clone())
    };
    let told = |steps: String| text(steps.clone()).unwrap_or_else(|| panic!("not told: {steps}"));
    assert_eq!(
        told(format!("{hello}S < FIN\nS > FIN\n")),
        "the server ended the connection without an answer"
    );
    assert_eq!(
        told(format!("{hello}{answer}S > RST\n")),
        "the client broke off the handshake"
    );
    assert_eq!(
        told(format!("{hello}S < raw 15030300020228\nS < FIN\nS > FIN\n")),
        "the server sent alert 40 (handshake_failure)"
    );
    // TLS 1.3 sends most of the handshake, and alerts, as application data.
    let rest = format!("S < raw 1703030014{}\n", "00".repeat(20));
    let alert = format!("S > raw 1703030013{}\nS > FIN\nS < FIN\n", "00".repeat(19));
    assert_eq!(
        told(format!("{hello}{answer}{rest}{alert}")),
        "the client broke off the handshake"
    );
    let finished = format!("S > raw 1703030035{}\n", "00".repeat(53));
    assert_eq!(
        text(format!("{hello}{answer}{rest}{finished}{alert}")),
        None
    );
    // What is not captured whole is not judged.
    assert_eq!(
        text(format!(
            "{hello}S < raw 1603030006020000010303 {{snap=60}}\nS > RST\n"
        )),
        None
    );
}

#[test]
fn rules_are_judged_only_where_the_version_is_sure() {
    let odd = "+1s A < QUERY_DEVICE_INFO_CONF InvokeID=3 PeripheralType=ENTERPRISE_AGENT NumLines=1 LineHandle=1 LineType=3 tag:999=hex:0a0b\n";
    let severity = |connections: &str, steps: &str| {
        let problems = found(&[connections], steps);
        let broken = problems.iter().find(|p| p.code == Code::ProtocolViolation);
        broken.map(|p| p.severity)
    };
    let asked = "+1s A > QUERY_DEVICE_INFO_REQ InvokeID=3 AgentInstrument=\"$ext_a\"\n";
    let stated = format!("10:00:00 A open\nuse open\n{asked}{odd}use close\n");
    assert_eq!(severity(A, &stated), Some(Severity::Warn));
    let midstream = A.replace("version=24", "version=24 midstream");
    let inferred = format!(
        "10:00:00 A > HEARTBEAT_REQ InvokeID=2\nuse set-state invoke=4 state=AVAILABLE\n{asked}{odd}use close\n"
    );
    assert_eq!(severity(&midstream, &inferred), Some(Severity::Info));
    // Unified CCX has a dialect of its own.
    let dialect = stated.replace("use open\n", "use open\n+1s A < OPEN_CONF InvokeID=1 PeripheralType=21 ServicesGranted=0x16 ICMCentralControllerTime=now PeripheralOnline=1 AgentState=UNKNOWN\n");
    assert_eq!(severity(A, &dialect), None);
}

#[test]
fn one_direction_alone_proves_nothing() {
    // All that the server sends is missing.
    let mut steps = String::from("10:00:00 A > SYN\n");
    for (n, seconds) in [(2, 5), (3, 5), (4, 5), (5, 5)] {
        steps.push_str(&format!(
            "+{seconds}s A > HEARTBEAT_REQ InvokeID={n} {{unacked}}\n"
        ));
    }
    steps.push_str("+5s A > RST\n");
    let problems = found(&[A], &steps);
    let absent = [Code::HeartbeatLost, Code::OpenUnanswered, Code::Loss];
    assert!(
        !problems.iter().any(|p| absent.contains(&p.code)),
        "{problems:#?}"
    );
    assert!(problems.iter().any(|p| p.code == Code::CaptureLimits));
}

#[test]
fn one_finding_does_not_crowd_out_the_others() {
    // An odd tag in each of many events, then something that matters.
    let odd = "+1ms A < SYSTEM_EVENT ICMCentralControllerTime=now SystemEventID=HALF_HOUR_CHANGE tag:999=hex:0a0b\n";
    let problems = found(
        &[A],
        &format!("10:00:00 A open\nuse open\nrepeat 70000 as i\n{odd}end\n+1s A > RST\n"),
    );
    let count = |code| problems.iter().find(|p| p.code == code).map(|p| p.count);
    assert_eq!(count(Code::ProtocolViolation), Some(70_000));
    assert_eq!(count(Code::SessionCut), Some(1));
}
