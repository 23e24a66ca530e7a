//! What is kept does not grow without bound.

use super::*;

#[test]
fn finished_calls_leave_and_what_is_kept_does_not_grow() {
    let mut bench = Bench::new(true);
    let (mut told, mut most) = (0, 0);
    for id in 0..20_000 {
        bench
            .begin(1, id, 20101, "ANI=5550142 CallVariable1=gold")
            .ends(1, id, 20101);
        told += bench.book.ready.len();
        bench.book.ready.clear();
        most = most.max(bench.book.calls.len());
    }
    // Each pair of messages takes two milliseconds: 20,000 calls take 40 seconds, within the grace.
    assert_eq!(told, 20_000 - limits::MAX_CALLS);
    assert_eq!(most, limits::MAX_CALLS);
    bench.wait(121).begin(1, 1_000_000, 20101, "");
    assert_eq!(bench.book.calls.len(), 1, "after the grace all are gone");
    assert_eq!(bench.book.tables(), [1, 0, 0, 0, 1, 0]);
    assert!(bench.book.reached.told_early > 0);
}

#[test]
fn a_flood_under_one_key_does_not_become_one_call() {
    let mut bench = Bench::new(true);
    for id in 0..1_000 {
        bench.begin(
            1,
            id,
            20101,
            "RouterCallKeyDay=154601 RouterCallKeyCallID=2034",
        );
    }
    assert!(bench.book.reached.not_joined > 0);
    let calls = bench.end();
    assert!(calls.iter().all(|c| c.ids.len() <= limits::MAX_CALL_LEGS));
    assert_eq!(calls.iter().map(|c| c.ids.len()).sum::<usize>(), 1_000);
}

#[test]
fn call_data_and_stories_are_bounded() {
    let mut bench = Bench::new(true);
    let value = "x".repeat(200);
    bench.begin(1, 7, 20101, "");
    for index in 0..6_000 {
        bench.say(
            1,
            &format!(
                "CALL_DATA_UPDATE_EVENT PeripheralID=5000 PeripheralType=21 ConnectionCallID=7 NewConnectionCallID=7 ConnectionDeviceID=20101 \
                 NewConnectionDeviceID=20101 user.v{index}={value}"
            ),
        );
    }
    let call = bench.call();
    let bytes: usize = call.variables.iter().map(|(n, v)| n.len() + v.len()).sum();
    assert!(bytes <= limits::MAX_CALL_DATA, "{bytes}");
    assert_eq!(call.steps.len(), limits::MAX_CALL_STEPS);
    assert_eq!(call.steps_left_out, 6_001 - 4_096);
}
