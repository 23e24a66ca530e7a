//! Several call IDs that are one call.

use super::*;

#[test]
fn consultation_holds_the_call_and_transfer_makes_one_story_of_both() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .rings(1, 7, 20101, 5_550_142)
        .wait(2)
        .answers(1, 7, 20101, 5_550_142)
        .wait(10)
        .say(
            1,
            "CONSULTATION_CALL_REQ InvokeID=1 PeripheralID=5000 ActiveConnectionCallID=7 ActiveConnectionDeviceID=20101 \
             DialedNumber=20102 AgentInstrument=20101",
        )
        .holds(1, 7, 20101)
        .say(1, "CONSULTATION_CALL_CONF InvokeID=1 NewConnectionCallID=8 NewConnectionDeviceID=20101")
        .begin(1, 8, 20101, "ANI=20101 CallType=CONSULT")
        .rings(1, 8, 20102, 20101)
        .wait(3)
        .answers(1, 8, 20102, 20101)
        .wait(5)
        .say(
            1,
            "CALL_TRANSFERRED_EVENT PeripheralID=5000 PrimaryCallID=7 SecondaryCallID=8 EventCause=CEC_TRANSFER PrimaryDeviceID=20101 \
             SecondaryDeviceID=20102 TransferringDeviceID=20101 TransferredDeviceID=20102 \
             ConnectedPartyCallID=7 ConnectedPartyDeviceIDType=0 ConnectedPartyDeviceID=5550142 \
             ConnectedPartyCallID=7 ConnectedPartyDeviceIDType=0 ConnectedPartyDeviceID=20102",
        )
        .ends(1, 8, 20101)
        .wait(7)
        .leaves(1, 7, 20102)
        .clears(1, 7)
        .ends(1, 7, 20102);
    let call = bench.call();
    assert_eq!(ids(&call), [7, 8]);
    assert_eq!((call.transfers, call.conferences), (1, 0));
    assert!(call.features.contains(&Feature::Consulted));
    assert_eq!(seconds(call.times.talk), 17, "before and after");
    assert_eq!(seconds(call.times.hold), 8, "while it was consulted about");
    assert_eq!(
        seconds(call.times.ring),
        2,
        "what rang in consultation does not count"
    );
    let times = |device| {
        let party = party(&call, device);
        (
            seconds(party.talk),
            seconds(party.consult),
            seconds(party.hold),
        )
    };
    assert_eq!(
        times("20101"),
        (10, 5, 3),
        "the hold of the call is consultation and what is held while it rings"
    );
    assert_eq!(times("20102"), (7, 5, 0));
    let by = call.ended_by.map(|i| &*call.parties[i].device);
    assert_eq!(by, Some("20102"));
}

#[test]
fn the_surviving_id_is_that_of_the_parties_even_if_it_is_a_third_one() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .rings(1, 7, 20101, 5_550_142)
        .answers(1, 7, 20101, 5_550_142)
        .holds(1, 7, 20101)
        .begin(1, 8, 20101, "ANI=20101 CallType=CONSULT")
        .rings(1, 8, 20102, 20101)
        .answers(1, 8, 20102, 20101)
        .say(
            1,
            "CALL_CONFERENCED_EVENT PeripheralID=5000 PrimaryCallID=7 SecondaryCallID=8 EventCause=CEC_KEY_CONFERENCE PrimaryDeviceID=20101 \
             SecondaryDeviceID=20101 ControllerDeviceID=20101 AddedPartyDeviceID=20102 \
             ConnectedPartyCallID=9 ConnectedPartyDeviceIDType=0 ConnectedPartyDeviceID=5550142 \
             ConnectedPartyCallID=9 ConnectedPartyDeviceIDType=0 ConnectedPartyDeviceID=20101 \
             ConnectedPartyCallID=9 ConnectedPartyDeviceIDType=0 ConnectedPartyDeviceID=20102",
        )
        .ends(1, 7, 20101)
        .ends(1, 8, 20101)
        .wait(6)
        .leaves(1, 9, 20102)
        .wait(4)
        .leaves(1, 9, 5_550_142)
        .clears(1, 9)
        .ends(1, 9, 20101);
    let call = bench.call();
    let mut all = ids(&call);
    all.sort_unstable();
    assert_eq!(all, [7, 8, 9]);
    assert_eq!(call.conferences, 1);
    assert_eq!(seconds(call.times.talk), 10);
    assert_eq!(seconds(party(&call, "20102").talk), 6);
    let by = call.ended_by.map(|i| &*call.parties[i].device);
    assert_eq!(
        by,
        Some("5550142"),
        "who leaves a conference of three does not end it"
    );
}

#[test]
fn an_unanswered_call_that_comes_to_another_agent_is_the_same_contact() {
    let key = "RouterCallKeyDay=154601 RouterCallKeyCallID=2034";
    let mut bench = Bench::new(false);
    bench
        .say(1, &format!("AGENT_PRE_CALL_EVENT AgentInstrument=20101 {key} RouterCallKeySequenceNumber=0"))
        .begin(1, 7, 20101, &format!("ANI=5550142 {key}"))
        .rings(1, 7, 20101, 5_550_142)
        .wait(12)
        .say(
            1,
            "CALL_CONNECTION_CLEARED_EVENT PeripheralID=5000 ConnectionCallID=7 EventCause=CEC_REDIRECTED ConnectionDeviceID=20101 \
             ReleasingDeviceID=20101",
        )
        .ends(1, 7, 20101)
        .begin(1, 8, 20102, &format!("ANI=5550142 {key}"))
        .rings(1, 8, 20102, 5_550_142)
        .wait(3)
        .answers(1, 8, 20102, 5_550_142)
        .wait(20)
        .leaves(1, 8, 5_550_142)
        .clears(1, 8)
        .ends(1, 8, 20102);
    let call = bench.call();
    assert_eq!(ids(&call), [7, 8]);
    assert_eq!(call.outcome, Outcome::Answered);
    assert_eq!(
        call.features.iter().copied().collect::<Vec<_>>(),
        [Feature::Redirected]
    );
    assert_eq!(
        (seconds(call.times.ring), seconds(call.times.talk)),
        (15, 20)
    );
    assert_eq!(
        call.cause, None,
        "the cause of the first leg is not that of the end"
    );
}

#[test]
fn a_consult_call_begun_at_the_phone_belongs_to_the_call_that_is_held() {
    let mut bench = Bench::new(false);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .rings(1, 7, 20101, 5_550_142)
        .answers(1, 7, 20101, 5_550_142)
        .holds(1, 7, 20101)
        .begin(1, 8, 20101, "ANI=20101 CallType=CONSULT");
    assert_eq!(ids(&bench.call()), [7, 8]);
}
