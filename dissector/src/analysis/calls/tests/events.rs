//! What events do to a call, and copies of events.

use super::*;

#[test]
fn a_call_is_told_with_its_times_and_who_hung_up() {
    let call = Bench::new(true).whole(1, 7, 5_550_142).call();
    assert_eq!(ids(&call), [7]);
    assert_eq!(call.outcome, Outcome::Answered);
    assert_eq!(
        (seconds(call.times.ring), seconds(call.times.talk)),
        (4, 10)
    );
    assert_eq!(call.features.len(), 0, "{:?}", call.features);
    let ended_by = call.ended_by.map(|i| &call.parties[i]);
    assert_eq!(
        ended_by.map(|p| (&*p.device, p.caller)),
        Some(("5550142", true))
    );
    assert_eq!(call.parties[0].device, "5550142", "the caller comes first");
    let names: Vec<&str> = call.steps.iter().map(|s| s.name).collect();
    assert_eq!(names.len(), 6);
    assert_eq!((names[0], names[5]), ("BEGIN_CALL_EVENT", "END_CALL_EVENT"));
}

#[test]
fn an_event_of_several_sessions_is_one_step_that_names_all_messages() {
    let mut bench = Bench::new(true);
    for message in [
        "BEGIN_CALL_EVENT PeripheralID=5000 ConnectionCallID=7 ConnectionDeviceID=20101 ANI=5550142",
        "CALL_DELIVERED_EVENT PeripheralID=5000 ConnectionCallID=7 LocalConnectionState=ALERTING ConnectionDeviceID=20101 \
         AlertingDeviceID=20101 CallingDeviceID=5550142",
        "CALL_DATA_UPDATE_EVENT PeripheralID=5000 ConnectionCallID=7 NewConnectionCallID=7 ConnectionDeviceID=20101 \
         NewConnectionDeviceID=20101 CallVariable1=gold",
        "CALL_ESTABLISHED_EVENT PeripheralID=5000 ConnectionCallID=7 LocalConnectionState=CONNECT ConnectionDeviceID=20101 \
         AnsweringDeviceID=20101 CallingDeviceID=5550142",
        "END_CALL_EVENT PeripheralID=5000 ConnectionCallID=7 ConnectionDeviceID=20101",
    ] {
        bench.messages.version = 24;
        bench.say(1, message);
        // The other session was opened with an older version, so that the same event has other bytes.
        bench.messages.version = 13;
        bench.say(2, &format!("{message} MonitorID=5"));
    }
    let call = bench.call();
    assert_eq!(call.messages, 10);
    assert_eq!(call.steps.len(), 5, "{:?}", call.steps);
    for (step, first) in call.steps.iter().zip([1, 3, 5, 7, 9]) {
        let told: Vec<(u64, u32)> = step.sightings.iter().map(|s| (s.no, s.session)).collect();
        assert_eq!(told, [(first, 1), (first + 1, 2)], "{}", step.name);
    }
}

#[test]
fn a_late_copy_of_an_event_changes_nothing_that_came_after_it() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .answers(1, 7, 20101, 5_550_142)
        .holds(1, 7, 20101)
        .say(
            1,
            "CALL_RETRIEVED_EVENT PeripheralID=5000 ConnectionCallID=7 LocalConnectionState=CONNECT ConnectionDeviceID=20101 RetrievingDeviceID=20101",
        )
        .holds(2, 7, 20101)
        .wait(5)
        .leaves(1, 7, 20101)
        .clears(1, 7)
        .ends(1, 7, 20101);
    let call = bench.call();
    assert_eq!(seconds(call.times.talk), 5);
    assert_eq!(seconds(call.times.hold), 0);
    let held = call.steps.iter().filter(|s| s.name == "CALL_HELD_EVENT");
    assert_eq!(held.map(|s| s.sightings.len()).collect::<Vec<_>>(), [2]);
}

#[test]
fn one_session_that_says_the_same_twice_means_it_twice() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .answers(1, 7, 20101, 5_550_142);
    for _ in 0..2 {
        bench.holds(1, 7, 20101).say(
            1,
            "CALL_RETRIEVED_EVENT PeripheralID=5000 ConnectionCallID=7 LocalConnectionState=CONNECT ConnectionDeviceID=20101 RetrievingDeviceID=20101",
        );
    }
    let call = bench.call();
    let held = call.steps.iter().filter(|s| s.name == "CALL_HELD_EVENT");
    assert_eq!(held.count(), 2);
}

#[test]
fn copies_of_one_event_for_each_party_and_each_monitor_are_one_step() {
    let mut bench = Bench::new(true);
    let event = "CALL_DELIVERED_EVENT PeripheralID=5000 ConnectionCallID=7 AlertingDeviceID=20102 CallingDeviceID=20101";
    bench
        .begin(1, 7, 20101, "")
        .say(
            1,
            &format!("{event} LocalConnectionState=INITIATE ConnectionDeviceID=20101"),
        )
        .say(
            1,
            &format!("{event} LocalConnectionState=ALERTING ConnectionDeviceID=20102"),
        )
        .say(
            1,
            &format!("{event} LocalConnectionState=ALERTING ConnectionDeviceID=20102 MonitorID=3"),
        );
    let call = bench.call();
    assert_eq!(call.steps.len(), 2);
    assert_eq!(call.steps[1].sightings.len(), 3);
}
