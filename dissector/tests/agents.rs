//! Agents followed over captures made from scenarios.

#![allow(clippy::unwrap_used, clippy::panic)]

mod reading;

use cti_dissector::analysis::Agents;
use cti_dissector::analysis::agents::{Agent, AgentsReport, Cause, state_name};
use cti_dissector::analysis::calls::{Call, CallOptions, Calls};
use cti_dissector::select::Criteria;
use ctishark_fixtures::Scenario;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn follow(scenario: &Scenario, criteria: Criteria, whole_history: bool) -> AgentsReport {
    let agents = Agents::new(whole_history);
    reading::study(reading::inputs(scenario), criteria, agents).finish()
}

/// What every scenario below begins with. `$c` is the usual client.
const SCENE: &str = r#"
host finesse 10.0.1.10
host side-a  10.0.0.5
let ext = 20101
connection A finesse:50412 -> side-a:42027 version=24
default PeripheralID=5000 PeripheralType=ENTERPRISE_AGENT MonitorID=0 MRDID=1
default AlertingDeviceType=AGENT_DEVICE AnsweringDeviceType=AGENT_DEVICE CallingDeviceType=EXTERNAL CalledDeviceType=NONE
default LastRedirectDeviceType=NONE ReleasingDeviceType=NONE HoldingDeviceType=NONE
default for AGENT_STATE_EVENT SkillGroupNumber=28401 SkillGroupID=5034
sequence state state reason=0 agent=1001 ext=20101 lasted=0
  +1ms A < AGENT_STATE_EVENT AgentState=$state SkillGroupState=$state EventReasonCode=$reason StateDuration=$lasted AgentID="$agent" AgentExtension="$ext" AgentInstrument="$ext"
end
sequence delivered call=7 ext=20101
  +1ms A < CALL_DELIVERED_EVENT ConnectionCallID=$call LocalConnectionState=ALERTING ConnectionDeviceID="$ext" AlertingDeviceID="$ext" CallingDeviceID="5550142"
end
sequence established call=7 ext=20101
  +1ms A < CALL_ESTABLISHED_EVENT ConnectionCallID=$call LocalConnectionState=CONNECT ConnectionDeviceID="$ext" AnsweringDeviceID="$ext" CallingDeviceID="5550142"
end
sequence ended call=7 ext=20101
  +1ms A < CALL_CLEARED_EVENT ConnectionCallID=$call LocalConnectionState=NULL ConnectionDeviceID="$ext"
  +1ms A < END_CALL_EVENT ConnectionCallID=$call ConnectionDeviceID="$ext"
end
08:00:00 A > OPEN_REQ InvokeID=1 IdleTimeout=20 PeripheralID=NULL ServicesRequested=ALL_EVENTS CallMsgMask=0xFFFFFFFF AgentStateMask=0x3FFF ClientID="Finesse" ClientPassword=""
+5ms A < OPEN_CONF InvokeID=1 ServicesGranted=ALL_EVENTS PeripheralOnline=1
"#;

fn report(steps: &str) -> AgentsReport {
    let text = format!("title test\n{SCENE}\n{steps}\n");
    let scenario = Scenario::from_text("test", &text).unwrap_or_else(|e| panic!("{e}"));
    follow(&scenario, Criteria::default(), true)
}

fn only(report: &AgentsReport) -> &Agent {
    assert_eq!(report.agents.len(), 1);
    report.agents.first().unwrap()
}

/// The states of the voice domain: name, reason, milliseconds, and whether their beginning was seen.
fn states(agent: &Agent) -> Vec<String> {
    let (_, domain) = agent.main_domain().unwrap();
    let periods = domain.periods.iter();
    periods
        .map(|p| {
            let name = state_name(p.state).unwrap_or("?");
            let reason = p.reason.map(|r| format!(" {r}")).unwrap_or_default();
            let entered = if p.entered { "" } else { " began before" };
            format!("{name}{reason} {}{entered}", p.nanos() / 1_000_000)
        })
        .collect()
}

fn contradictions(report: &AgentsReport) -> Vec<(&'static str, i64)> {
    let found = report.agents.iter().flat_map(|a| &a.contradictions);
    found
        .map(|c| (c.kind.name(), c.to.nanos_since(c.from) / 1_000_000_000))
        .collect()
}

#[test]
fn two_sessions_and_two_skill_groups_tell_each_change_once() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/scenarios/agents-shift.scn");
    let scenario = Scenario::load(&path).unwrap();
    let report = follow(&scenario, Criteria::default(), true);
    let [a, b] = report.agents.as_slice() else {
        panic!("{:?}", report.agents)
    };
    assert_eq!(
        states(a),
        [
            "LOGIN 152",
            "NOT_READY 2334",
            "AVAILABLE 7517",
            "RESERVED 13154",
            "NOT_READY 32767 5488",
            "AVAILABLE 47475",
            "LOGOUT 50002 12151"
        ]
    );
    assert_eq!(
        states(b),
        [
            "NOT_READY 1182",
            "AVAILABLE 18459",
            "RESERVED 4153",
            "TALKING 43357",
            "WORK_READY 15450",
            "LOGOUT 50003 2001"
        ]
    );
    let domains: Vec<(u32, u64, u64)> = a
        .domains
        .iter()
        .map(|(mrd, d)| (*mrd, d.logins, d.logouts))
        .collect();
    assert_eq!(domains, [(1, 1, 1), (5001, 1, 0)]);
    let (_, voice) = a.main_domain().unwrap();
    let causes: Vec<&str> = voice.periods.iter().map(|p| p.cause.name()).collect();
    assert_eq!(
        causes,
        [
            "request", "request", "request", "call", "system", "request", "system"
        ]
    );
    assert!(
        voice
            .periods
            .iter()
            .take(6)
            .all(|p| p.sessions.as_slice() == [1, 2])
    );
    assert_eq!(voice.periods.last().unwrap().sessions.as_slice(), [2]);
    assert_eq!(
        (a.calls.delivered, a.calls.answered, a.calls.ring_no_answer),
        (1, 0, 1)
    );
    assert_eq!(
        (b.calls.delivered, b.calls.answered, b.calls.ring_no_answer),
        (1, 1, 0)
    );
    assert_eq!((a.requests.count, a.requests.failed), (4, 1));
    let failed = a.requests.list.last().unwrap().failure.unwrap();
    assert_eq!((failed.code, failed.peripheral_error), (22, Some(10112)));
    assert_eq!(contradictions(&report), [("talking_without_call", 20)]);
    let (_, domain) = b.main_domain().unwrap();
    assert_eq!((domain.logins, domain.logouts), (1, 1));
}

#[test]
fn counts_and_times_are_complete_where_only_the_latest_states_are_kept() {
    let steps = "repeat 30 as i\n+10s A < HEARTBEAT_CONF InvokeID=$i\nuse state state=AVAILABLE\n+5s A < HEARTBEAT_CONF InvokeID=$i\nuse state state=NOT_READY reason=7\nend";
    let text = format!("title test\n{SCENE}\n{steps}\n");
    let scenario = Scenario::from_text("test", &text).unwrap();
    let whole = follow(&scenario, Criteria::default(), true);
    let recent = follow(&scenario, Criteria::default(), false);
    let domain = |report: &AgentsReport| only(report).main_domain().unwrap().1.clone();
    let (whole, recent) = (domain(&whole), domain(&recent));
    assert_eq!((whole.periods.len(), whole.periods.forgotten()), (60, 0));
    assert_eq!((recent.periods.len(), recent.periods.forgotten()), (8, 52));
    assert_eq!(whole.totals, recent.totals);
    assert_eq!(whole.changes, 59);
    // The totals are the sums of the periods.
    for (state, total) in &whole.totals {
        let of_state = || whole.periods.iter().filter(|p| p.state == *state);
        assert_eq!(of_state().map(|p| p.nanos()).sum::<i64>(), total.nanos);
        assert_eq!(u64::try_from(of_state().count()).unwrap(), total.count);
    }
}

#[test]
fn a_state_that_began_before_is_said_to() {
    let report = report(
        "use state state=NOT_READY reason=7 lasted=95\n+2s A < HEARTBEAT_CONF InvokeID=9\nuse state state=AVAILABLE lasted=0",
    );
    let agent = only(&report);
    assert_eq!(
        states(agent),
        ["NOT_READY 7 2001 began before", "AVAILABLE 0"]
    );
    let first = agent
        .main_domain()
        .unwrap()
        .1
        .periods
        .iter()
        .next()
        .unwrap();
    assert_eq!(first.before, Some(95));
    assert_eq!(first.cause, Cause::Unknown);
}

#[test]
fn events_of_calls_and_agents_may_come_in_any_order() {
    let calls_first = "use state state=AVAILABLE\n+5s A < HEARTBEAT_CONF InvokeID=9\nuse delivered\n+2s A < HEARTBEAT_CONF InvokeID=9\nuse established\n\
        +2s A < HEARTBEAT_CONF InvokeID=9\nuse state state=TALKING\n+20s A < HEARTBEAT_CONF InvokeID=9\nuse ended\n+2s A < HEARTBEAT_CONF InvokeID=9\nuse state state=AVAILABLE\n\
        +30s A < HEARTBEAT_CONF InvokeID=9";
    let agent_first = "use state state=AVAILABLE\n+5s A < HEARTBEAT_CONF InvokeID=9\nuse state state=TALKING\n+2s A < HEARTBEAT_CONF InvokeID=9\nuse delivered\nuse established\n\
        +20s A < HEARTBEAT_CONF InvokeID=9\nuse state state=AVAILABLE\n+2s A < HEARTBEAT_CONF InvokeID=9\nuse ended\n+30s A < HEARTBEAT_CONF InvokeID=9";
    for steps in [calls_first, agent_first] {
        let report = report(steps);
        assert_eq!(contradictions(&report), [], "{steps}");
        let calls = &only(&report).calls;
        assert_eq!(
            (calls.delivered, calls.answered, calls.list.len()),
            (1, 1, 1)
        );
    }
}

#[test]
fn states_that_contradict_calls_for_long_are_told() {
    // A first call shows that calls of this phone are told at all.
    let call = "use state state=AVAILABLE\n+5s A < HEARTBEAT_CONF InvokeID=9\nuse delivered\nuse established\nuse state state=TALKING\n+5s A < HEARTBEAT_CONF InvokeID=9\n";
    let cases = [
        // Over, but still talking.
        (
            "use ended\n+9s A < HEARTBEAT_CONF InvokeID=9\nuse state state=NOT_READY",
            &[("talking_without_call", 9)][..],
        ),
        // Available, though the call goes on, until the end of the capture.
        (
            "use state state=AVAILABLE\n+8s A < HEARTBEAT_CONF InvokeID=9",
            &[("available_on_call", 8)],
        ),
        (
            "use state state=LOGOUT reason=50002\n+8s A < HEARTBEAT_CONF InvokeID=9\nuse ended",
            &[("logged_out_on_call", 8)],
        ),
        // Talking without any call, from a state without one.
        (
            "use ended\nuse state state=AVAILABLE\n+5s A < HEARTBEAT_CONF InvokeID=9\nuse state state=TALKING\n+7s A < HEARTBEAT_CONF InvokeID=9",
            &[("talking_without_call", 7)],
        ),
        // The same for a moment only.
        (
            "use ended\nuse state state=AVAILABLE\n+5s A < HEARTBEAT_CONF InvokeID=9\nuse state state=TALKING\n+2s A < HEARTBEAT_CONF InvokeID=9\nuse state state=AVAILABLE",
            &[],
        ),
    ];
    for (steps, expected) in cases {
        assert_eq!(
            contradictions(&report(&format!("{call}{steps}"))),
            expected,
            "{steps}"
        );
    }
}

#[test]
fn nothing_is_said_of_calls_that_were_not_watched() {
    // No event of a call came at all: the client's masks leave them out.
    let masked = "use state state=AVAILABLE\n+5s A < HEARTBEAT_CONF InvokeID=9\nuse state state=TALKING\n+60s A < HEARTBEAT_CONF InvokeID=9";
    assert_eq!(contradictions(&report(masked)), []);
    // The call began before the capture.
    let before = "use state state=TALKING lasted=40\n+60s A < HEARTBEAT_CONF InvokeID=9\nuse state state=AVAILABLE";
    assert_eq!(contradictions(&report(before)), []);
    // What ended the call is missing.
    let missing = "use state state=AVAILABLE\n+5s A < HEARTBEAT_CONF InvokeID=9\nuse delivered\nuse established\nuse state state=TALKING\n+5s A < CALL_CLEARED_EVENT ConnectionCallID=7 LocalConnectionState=NULL ConnectionDeviceID=\"20101\" {lose}\n\
        +1ms A < HEARTBEAT_CONF InvokeID=9\n+1s A < HEARTBEAT_CONF InvokeID=10\nuse state state=AVAILABLE\n+60s A < HEARTBEAT_CONF InvokeID=11";
    assert_eq!(contradictions(&report(missing)), []);
}

#[test]
fn a_phone_that_changes_hands_takes_its_calls_along() {
    let steps = "use state state=AVAILABLE agent=1001\nuse delivered call=7\nuse established call=7\n+5s A < HEARTBEAT_CONF InvokeID=9\nuse ended call=7\n\
        use state state=LOGOUT agent=1001\n+5s A < HEARTBEAT_CONF InvokeID=9\nuse state state=AVAILABLE agent=1002\nuse delivered call=8\nuse established call=8\n+5s A < HEARTBEAT_CONF InvokeID=9\nuse ended call=8";
    let report = report(steps);
    let calls: Vec<(&str, Vec<u32>)> = report
        .agents
        .iter()
        .map(|a| {
            (
                a.key.id.as_str(),
                a.calls.list.iter().flat_map(|c| c.ids.to_vec()).collect(),
            )
        })
        .collect();
    assert_eq!(calls, [("1001", vec![7]), ("1002", vec![8])]);
}

#[test]
fn calls_before_the_agent_is_named_are_the_agents() {
    let steps = "use delivered\nuse established\n+5s A < HEARTBEAT_CONF InvokeID=9\nuse state state=TALKING\n+5s A < HEARTBEAT_CONF InvokeID=9\nuse ended";
    let report = report(steps);
    let calls = &only(&report).calls;
    assert_eq!((calls.delivered, calls.answered), (1, 1));
    assert!(calls.list.iter().next().unwrap().answered.is_some());
}

#[test]
fn only_agents_with_a_selected_message_are_marked() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/scenarios/agents-shift.scn");
    let scenario = Scenario::load(&path).unwrap();
    let criteria = Criteria {
        agents: vec![String::from("20102")],
        ..Criteria::default()
    };
    let report = follow(&scenario, criteria, false);
    let selected: Vec<(&str, bool)> = report
        .agents
        .iter()
        .map(|a| (a.key.id.as_str(), a.selected))
        .collect();
    assert_eq!(selected, [("1001", false), ("1002", true)]);
}

/// Calls that came, were answered, were missed and were made; nanoseconds that they rang, were talked on, consulted about and held.
type Sums = [i64; 8];

/// What `calls` tells of each agent, and what `agents` does.
fn both_ways(capture: PathBuf) -> [BTreeMap<String, Sums>; 2] {
    let mut told: BTreeMap<String, Sums> = BTreeMap::new();
    let calls = Calls::new(CallOptions::default(), |call: Call| {
        for party in call.parties.iter().filter(|p| p.began.is_some()) {
            let Some(agent) = &party.agent else { continue };
            let came = i64::from(!party.caller);
            let more = [
                came,
                came * i64::from(party.answered.is_some()),
                party.missed.into(),
                1 - came,
                party.ring,
                party.talk,
                party.consult,
                party.hold,
            ];
            let sums = told.entry(agent.clone()).or_default();
            for (sum, more) in sums.iter_mut().zip(more) {
                *sum += more;
            }
        }
    });
    let studied = reading::study(
        vec![reading::file(capture)],
        Criteria::default(),
        (calls, Agents::new(true)),
    );
    let _ = studied.0.finish();
    let count = |n: u64| i64::try_from(n).unwrap();
    let report = studied.1.finish();
    let mut agents: BTreeMap<String, Sums> = BTreeMap::new();
    for agent in &report.agents {
        let calls = &agent.calls;
        let more = [
            count(calls.delivered),
            count(calls.answered),
            count(calls.ring_no_answer),
            count(calls.outgoing),
            calls.ring,
            calls.talk,
            calls.consult,
            calls.hold,
        ];
        let listed: i64 = calls.list.iter().map(|c| c.talk + c.hold).sum();
        assert_eq!(listed, calls.talk + calls.hold, "{:?}", agent.key);
        if more.iter().any(|n| *n != 0) {
            let sums = agents.entry(agent.key.id.clone()).or_default();
            for (sum, more) in sums.iter_mut().zip(more) {
                *sum += more;
            }
        }
    }
    [told, agents]
}

fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/captures");
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    all.sort();
    all
}

#[test]
fn agents_have_the_calls_and_times_that_calls_tells() {
    let mut with_calls = 0;
    for capture in captures() {
        let [told, agents] = both_ways(capture.clone());
        assert_eq!(told, agents, "{}", capture.display());
        with_calls += usize::from(!told.is_empty());
    }
    assert!(
        with_calls > 20,
        "{with_calls} captures have calls of agents"
    );
}

#[test]
fn a_call_that_is_told_again_counts_once_for_its_agent() {
    for name in ["call-failover.pcap", "call-peripheral-offline.pcap"] {
        let all = captures();
        let capture = all.iter().find(|path| path.ends_with(name)).unwrap();
        let [_, agents] = both_ways(capture.clone());
        let [came, answered, missed, made, ..] = agents["1001"];
        assert_eq!((came, answered, missed, made), (1, 1, 0, 0), "{name}");
    }
}

#[test]
fn requests_made_before_the_agent_is_named_are_the_agents() {
    let steps = "+1s A > ANSWER_CALL_REQ InvokeID=2 ConnectionCallID=7 ConnectionDeviceID=\"20101\" AgentInstrument=\"20101\"\n\
        +1ms A < CONTROL_FAILURE_CONF InvokeID=2 FailureCode=CF_NO_CALL_TO_ANSWER\n\
        +1ms A > HOLD_CALL_REQ InvokeID=3 ConnectionCallID=7 ConnectionDeviceID=\"20102\" AgentInstrument=\"20102\"\n\
        +1s A > SUPERVISE_CALL_REQ InvokeID=4 AgentConnectionCallID=7 SupervisoryAction=1 AgentConnectionDeviceID=\"20101\" AgentID=\"1001\" \
        AgentInstrument=\"20101\"\n\
        +1ms A < FAILURE_CONF InvokeID=4 Status=E_CTI_FUNCTION_NOT_AVAILABLE\n\
        +5s A < HEARTBEAT_CONF InvokeID=9";
    let report = report(steps);
    let agent = only(&report);
    let names: Vec<&str> = agent.requests.list.iter().map(|r| r.name).collect();
    assert_eq!(names, ["ANSWER_CALL_REQ", "SUPERVISE_CALL_REQ"]);
    assert_eq!((agent.requests.count, agent.requests.failed), (2, 2));
}

#[test]
fn a_state_told_without_a_domain_was_listed_as_a_second_agent() {
    let report = report(
        r#"
+1s A > QUERY_AGENT_STATE_REQ InvokeID=2 AgentID="1001"
+5ms A < QUERY_AGENT_STATE_CONF InvokeID=2 AgentState=AVAILABLE NumSkillGroups=0 MRDID=0 AgentID="1001" AgentExtension="20101"
use state state=TALKING
+1s A < HEARTBEAT_CONF InvokeID=9
use state state=AVAILABLE
"#,
    );
    let agent = only(&report);
    assert_eq!(agent.domains.keys().copied().collect::<Vec<_>>(), [1]);
    assert_eq!(states(agent).len(), 3, "{:?}", states(agent));
}
