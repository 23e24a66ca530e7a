//! What a call is called, and call IDs that are given again.

use super::*;

#[test]
fn a_call_id_that_begins_again_is_another_call() {
    let mut bench = Bench::new(false);
    bench.whole(1, 7, 5_550_142).wait(1).whole(1, 7, 5_550_142);
    let calls = bench.end();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|c| c.outcome == Outcome::Answered));
    assert_eq!((calls[0].no, calls[1].no), (1, 2));
    assert_eq!(calls[0].last_message + 1, calls[1].first_message);
}

#[test]
fn a_call_id_given_again_ends_the_call_whose_end_was_missed() {
    let mut bench = Bench::new(false);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .rings(1, 7, 20101, 5_550_142)
        .answers(1, 7, 20101, 5_550_142)
        .wait(100)
        .whole(1, 7, 5_550_199);
    let calls = bench.end();
    assert_eq!(calls.len(), 2);
    assert!(calls[0].features.contains(&Feature::EndUnseen));
    assert_eq!(seconds(calls[0].times.talk), 0, "nobody knows how long");
    assert!(!calls[1].features.contains(&Feature::EndUnseen));
}

#[test]
fn keys_and_ids_that_are_null_join_nothing() {
    let mut bench = Bench::new(false);
    for id in [7, 8] {
        bench.begin(
            1,
            id,
            20101,
            "RouterCallKeyDay=0 RouterCallKeyCallID=0 CallReferenceID=",
        );
    }
    bench.say(
        1,
        "CALL_CLEARED_EVENT PeripheralID=5000 ConnectionCallID=0xFFFFFFFF ConnectionDeviceID=20101",
    );
    bench.say(
        1,
        "CALL_DATA_UPDATE_EVENT PeripheralID=5000 ConnectionCallID=7 NewConnectionCallID=0xFFFFFFFF ConnectionDeviceID=20101 NewConnectionDeviceID=20101",
    );
    let calls = bench.end();
    assert_eq!(calls.iter().map(ids).collect::<Vec<_>>(), [[7], [8]]);
}

#[test]
fn each_peripheral_has_call_ids_of_its_own() {
    let mut bench = Bench::new(false);
    bench.begin(1, 7, 20101, "").say(
        1,
        "BEGIN_CALL_EVENT PeripheralID=5001 ConnectionCallID=7 ConnectionDeviceID=9031",
    );
    assert_eq!(bench.end().len(), 2);
}

#[test]
fn a_name_finds_a_call_by_any_of_its_ids() {
    let mut bench = Bench::new(false);
    bench
        .begin(1, 16_777_301, 20101, "ANI=5550142 RouterCallKeyDay=154601 RouterCallKeyCallID=2034")
        .say(
            1,
            "CALL_DATA_UPDATE_EVENT PeripheralID=5000 ConnectionCallID=16777301 NewConnectionCallID=70 ConnectionDeviceID=20101 \
             NewConnectionDeviceID=20101",
        );
    let call = bench.call();
    for name in ["16777301", "0x1000055", "70", "5550142", "154601/2034"] {
        assert!(call.goes_by(name), "{name}");
    }
    for name in ["1677730", "2034", "555", "20101", ""] {
        assert!(!call.goes_by(name), "{name}");
    }
}

#[test]
fn stories_are_kept_only_of_calls_that_go_by_the_name_asked_for_and_numbers_stay() {
    let mut bench = Bench::new(true);
    bench.book.only = Some("8".to_owned());
    bench.begin(1, 6, 20101, "ANI=5550142").wait(1);
    bench.whole(1, 7, 5_550_142).wait(1).whole(1, 8, 5_550_142);
    let calls = bench.end();
    let told: Vec<(u64, Vec<u32>, bool)> = calls
        .iter()
        .map(|c| (c.no, ids(c), c.steps.is_empty()))
        .collect();
    let expected = [(1, vec![6], true), (2, vec![7], true), (3, vec![8], false)];
    assert_eq!(told, expected);
}

#[test]
fn a_renamed_call_keeps_its_parties_and_its_story() {
    let mut bench = Bench::new(true);
    bench
        .begin(1, 7, 20101, "ANI=5550142")
        .rings(1, 7, 20101, 5_550_142)
        .answers(1, 7, 20101, 5_550_142)
        .wait(5)
        .say(
            1,
            "CALL_DATA_UPDATE_EVENT PeripheralID=5000 ConnectionCallID=7 NewConnectionCallID=70 ConnectionDeviceID=20101 \
             NewConnectionDeviceID=20101 CallVariable1=gold",
        )
        .wait(5)
        .leaves(1, 70, 5_550_142)
        .clears(1, 70)
        .ends(1, 70, 20101);
    let call = bench.call();
    assert_eq!(ids(&call), [7, 70]);
    assert_eq!(seconds(call.times.talk), 10);
    assert!(
        !call.features.contains(&Feature::EndUnseen),
        "{:?}",
        call.features
    );
    assert!(!call.features.contains(&Feature::BeganBefore));
}
