//! Call data, and requests about calls.

use super::*;

#[test]
fn call_data_have_a_history() {
    let mut bench = Bench::new(true);
    let update = "CALL_DATA_UPDATE_EVENT PeripheralID=5000 ConnectionCallID=7 NewConnectionCallID=7 ConnectionDeviceID=20101 \
                  NewConnectionDeviceID=20101";
    bench
        .begin(
            1,
            7,
            20101,
            "ANI=5550142 CallVariable1=gold user.a=1 user.b=2",
        )
        .say(1, &format!("{update} CallVariable1=silver"))
        .say(1, &format!("{update} user.a=9"))
        .say(1, &format!("{update} PeripheralType=21 user.c=3"));
    let call = bench.call();
    let last = |name: &str| call.variables.get(name).map(String::as_str);
    assert_eq!(last("CallVariable1"), Some("silver"));
    assert_eq!(last("user.a"), Some("9"));
    assert_eq!(
        last("user.b"),
        None,
        "an update has all ECC variables or none"
    );
    assert_eq!(
        last("user.c"),
        Some("3"),
        "but for Unified CCX, which sends the changed ones"
    );
    let changed: Vec<&str> = call.changed.iter().map(String::as_str).collect();
    assert_eq!(changed, ["CallVariable1", "user.a", "user.b", "user.c"]);
    let first = &call.steps[1].settings[0];
    assert_eq!(
        (first.value.as_deref(), first.was.as_deref()),
        (Some("silver"), Some("gold"))
    );
}

#[test]
fn a_request_that_fails_is_told_with_its_call_and_one_about_no_call_makes_none() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .say(1, "ANSWER_CALL_REQ InvokeID=1 PeripheralID=5000 ConnectionCallID=7 ConnectionDeviceID=20101 AgentInstrument=20101")
        .say(1, "CONTROL_FAILURE_CONF InvokeID=1 FailureCode=CF_NO_CALL_TO_ANSWER")
        .say(1, "ANSWER_CALL_REQ InvokeID=2 PeripheralID=5000 ConnectionCallID=99 ConnectionDeviceID=20101 AgentInstrument=20101")
        .say(1, "CONTROL_FAILURE_CONF InvokeID=2 FailureCode=CF_INVALID_CSTA_CALL_IDENTIFIER")
        .say(1, "HOLD_CALL_REQ InvokeID=3 PeripheralID=5000 ConnectionCallID=7 ConnectionDeviceID=20101 AgentInstrument=20101");
    let request = bench.messages.asked.unwrap();
    bench.settle(request, None, OutcomeKind::Unanswered);
    let call = bench.call();
    let failed: Vec<(&str, OutcomeKind)> = call
        .failed_requests
        .iter()
        .map(|f| (f.name, f.kind))
        .collect();
    assert_eq!(
        failed,
        [
            ("ANSWER_CALL_REQ", OutcomeKind::Failed),
            ("HOLD_CALL_REQ", OutcomeKind::Unanswered)
        ]
    );
    assert_eq!(call.failed_request_count, 2);
}

#[test]
fn a_call_that_a_client_makes_begins_with_its_request() {
    let mut bench = Bench::new(true);
    bench
        .say(1, "MAKE_CALL_REQ InvokeID=1 PeripheralID=5000 AgentInstrument=20101 DialedNumber=95550199")
        .say(1, "MAKE_CALL_CONF InvokeID=1 NewConnectionCallID=7 NewConnectionDeviceID=20101")
        .begin(1, 7, 20101, "ANI=20101 CallType=OUT");
    let call = bench.call();
    assert_eq!((call.first_message, call.messages), (1, 3));
    let names: Vec<&str> = call.steps.iter().map(|s| s.name).collect();
    assert_eq!(
        names,
        ["MAKE_CALL_REQ", "MAKE_CALL_CONF", "BEGIN_CALL_EVENT"]
    );
    let answered = call.steps[0].answered.as_ref().unwrap();
    assert_eq!((answered.no, answered.failed()), (Some(2), false));
}

#[test]
fn a_login_at_a_phone_in_use_takes_no_calls_away_from_the_agent_there() {
    let mut bench = Bench::new(false);
    bench
        .say(1, "AGENT_STATE_EVENT PeripheralID=5000 AgentState=AVAILABLE AgentID=1001 AgentExtension=20101 AgentInstrument=20101")
        .say(1, "SET_AGENT_STATE_REQ InvokeID=1 PeripheralID=5000 AgentState=LOGIN AgentID=1002 AgentInstrument=20101")
        .say(1, "CONTROL_FAILURE_CONF InvokeID=1 FailureCode=CF_GENERIC_OPERATION")
        .whole(1, 7, 5_550_142);
    let call = bench.call();
    assert_eq!(party(&call, "20101").agent.as_deref(), Some("1001"));
}
