//! Calls that are lost from view, and told again.

use super::*;

#[test]
fn a_call_goes_on_in_the_session_after_a_lost_one() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .rings(1, 7, 20101, 5_550_142)
        .answers(1, 7, 20101, 5_550_142)
        .wait(10);
    let now = Timestamp::from_nanos(bench.messages.now);
    bench.book.session_ended(1, now);
    bench
        .wait(5)
        .begin(2, 7, 20101, "ANI=5550142")
        .say(
            2,
            "CALL_ESTABLISHED_EVENT PeripheralID=5000 ConnectionCallID=7 EventCause=CEC_CALL_PARTY_UPDATE_IND ConnectionDeviceID=20101 \
             AnsweringDeviceID=20101 CallingDeviceID=5550142",
        )
        .wait(10)
        .leaves(2, 7, 5_550_142)
        .clears(2, 7)
        .ends(2, 7, 20101);
    let call = bench.call();
    assert!(call.features.contains(&Feature::Recovered));
    assert_eq!(seconds(call.times.talk), 25);
    assert_eq!(call.sessions.iter().copied().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn after_a_lost_session_another_caller_under_the_same_id_is_another_call() {
    let mut bench = Bench::new(false);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .answers(1, 7, 20101, 5_550_142);
    let now = Timestamp::from_nanos(bench.messages.now);
    bench.book.session_ended(1, now);
    bench.wait(60).begin(2, 7, 20101, "ANI=5550199");
    assert_eq!(bench.end().len(), 2);
}

#[test]
fn what_an_offline_peripheral_ends_may_go_on() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .answers(1, 7, 20101, 5_550_142)
        .say(
            1,
            "SYSTEM_EVENT SystemEventID=PERIPHERAL_OFFLINE SystemEventArg1=5000",
        )
        .ends(1, 7, 20101)
        .wait(30)
        .say(
            1,
            "SYSTEM_EVENT SystemEventID=PERIPHERAL_ONLINE SystemEventArg1=5000",
        )
        .begin(1, 7, 20101, "ANI=5550142")
        .leaves(1, 7, 20101)
        .clears(1, 7)
        .ends(1, 7, 20101);
    let call = bench.call();
    assert!(call.features.contains(&Feature::Recovered));
    let noted = call
        .steps
        .iter()
        .filter(|s| s.notes.iter().any(|n| n.contains("offline")));
    assert_eq!(noted.count(), 1);
}

#[test]
fn a_call_whose_session_is_lost_is_open_and_lasts_until_then() {
    let mut bench = Bench::new(false);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .rings(1, 7, 20101, 5_550_142)
        .answers(1, 7, 20101, 5_550_142)
        .wait(10);
    let now = Timestamp::from_nanos(bench.messages.now);
    bench.book.session_ended(1, now);
    bench.wait(60).begin(2, 8, 20102, "ANI=5550199");
    let calls = bench.end();
    assert_eq!(calls[0].outcome, Outcome::Open);
    assert!(calls[0].features.contains(&Feature::EndUnseen));
    assert_eq!(seconds(calls[0].times.talk), 10);
    assert_eq!(seconds(calls[0].duration()), 10);
    assert_eq!(
        party(&calls[0], "20101").state,
        Some(ConnectionState::Connected)
    );
}

#[test]
fn a_desktop_that_has_seen_the_end_ends_nothing_that_another_session_saw_go_on() {
    let mut bench = Bench::new(false);
    for session in [1, 2] {
        bench
            .begin(session, 7, 20101, "ANI=5550142")
            .rings(session, 7, 20101, 5_550_142)
            .answers(session, 7, 20101, 5_550_142);
    }
    // The agent of session 2 has left the call, which goes on before the eyes of session 1, until that is lost.
    bench
        .ends(2, 7, 20101)
        .wait(5)
        .rings(1, 7, 20102, 5_550_142)
        .answers(1, 7, 20102, 5_550_142);
    let now = Timestamp::from_nanos(bench.messages.now);
    bench.book.session_ended(1, now);
    assert_eq!(bench.call().outcome, Outcome::Open);
}
