//! Any order, duplication, equal overlap and loss of segments; and segments that make no sense.

use super::super::testing::{Bench, Build, Event, at, server_at};
use super::super::{End, Side};
use proptest::prelude::*;

/// One step of a connection: who sends how much, and what happens to it on the way.
#[derive(Debug, Clone)]
struct Step {
    from: Side,
    len: usize,
    /// Bytes sent before that it carries again.
    again: usize,
    /// How many places later it is captured.
    delay: usize,
    /// It is captured a second time, so much later.
    copy: Option<usize>,
    lost: bool,
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::First), Just(Side::Second)]
}

fn step() -> impl Strategy<Value = Step> {
    let copy = proptest::option::weighted(0.2, 0..20_usize);
    let again = prop_oneof![3 => Just(0), 1 => 0..120_usize];
    let delay = prop_oneof![2 => Just(0), 1 => 0..20_usize];
    (side(), 8..150_usize, again, delay, copy, any::<u8>()).prop_map(
        |(from, len, again, delay, copy, lost)| Step {
            from,
            len,
            again,
            delay,
            copy,
            lost: lost < 40,
        },
    )
}

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>(),
        (0..4000_u32).prop_map(|n| 0_u32.wrapping_sub(n))
    ]
}

/// Streams that differ in every place and side.
fn truth(side: Side, len: usize) -> Vec<u8> {
    let salt = if side == Side::First { 3 } else { 101 };
    (0..len).map(|i| (i * 7 + i / 251 + salt) as u8).collect()
}

/// The segments of a connection in the order of capture, and the length of each stream. First come SYN and SYN-ACK.
fn capture(steps: &[Step], isn: [u32; 2], loss: bool, fins: bool) -> (Vec<Build>, [usize; 2]) {
    let longest = steps.iter().map(|step| step.len).sum();
    let streams = [truth(Side::First, longest), truth(Side::Second, longest)];
    let mut sent = [0_usize; 2];
    let mut packets: Vec<(usize, Build)> = Vec::new();
    let fin = [Side::First, Side::Second].map(|from| Step {
        from,
        len: 0,
        again: 0,
        delay: 0,
        copy: None,
        lost: false,
    });
    let fin_steps: &[Step] = if fins { &fin } else { &[] };
    for (place, step) in steps.iter().chain(fin_steps).enumerate() {
        let own = usize::from(step.from == Side::Second);
        let from = sent[own].saturating_sub(step.again);
        sent[own] += step.len;
        let bytes = &streams[own][from..sent[own]];
        let sequence = isn[own].wrapping_add(1 + from as u32);
        let ack = isn[1 - own].wrapping_add(1 + sent[1 - own] as u32);
        let base = if own == 0 {
            at(sequence)
        } else {
            server_at(sequence)
        };
        let mut packet = base.payload(bytes).ack(ack);
        packet.flags.fin = step.len == 0;
        if !(loss && step.lost) {
            packets.push((place + step.delay, packet.clone()));
        }
        if let Some(copy) = step.copy {
            packets.push((place + copy, packet));
        }
    }
    packets.sort_by_key(|(place, _)| *place);
    let syn = [
        at(isn[0]).syn(),
        server_at(isn[1]).syn().ack(isn[0].wrapping_add(1)),
    ];
    let packets = packets.into_iter().map(|(_, packet)| packet);
    let all = syn.into_iter().chain(packets).enumerate();
    (
        all.map(|(n, packet)| packet.millis(n as i64)).collect(),
        sent,
    )
}

fn run(packets: Vec<Build>) -> Bench {
    let mut bench = Bench::new();
    for packet in packets {
        bench.feed(packet);
    }
    bench.finish();
    bench
}

/// Checks what holds for every sequence of events; returns for each connection and side where its stream ended.
fn check_events(bench: &Bench, known: impl Fn(Side, usize, &[u8])) -> Vec<[usize; 2]> {
    let mut places: Vec<[usize; 2]> = Vec::new();
    let mut ended = Vec::new();
    let index = |id: u32| usize::try_from(id).unwrap() - 1;
    for event in &bench.heard.events {
        match event {
            Event::Opened(id) => {
                assert_eq!(index(*id), places.len());
                places.push([0, 0]);
                ended.push(false);
            }
            Event::Data(id, side, bytes) => {
                assert!(!ended[index(*id)]);
                let place = &mut places[index(*id)][usize::from(*side == Side::Second)];
                known(*side, *place, bytes);
                *place += bytes.len();
            }
            Event::Gap(id, side, bytes, _) => {
                assert!(!ended[index(*id)]);
                let place = &mut places[index(*id)][usize::from(*side == Side::Second)];
                *place += usize::try_from(*bytes).unwrap();
            }
            Event::Ended(id, _) => assert!(!std::mem::replace(&mut ended[index(*id)], true)),
        }
    }
    assert!(ended.iter().all(|&ended| ended), "all ended");
    places
}

fn check_times(bench: &Bench) {
    for side in [Side::First, Side::Second] {
        let times = bench.heard.runs.iter().filter(|run| run.0 == side);
        assert!(times.map(|run| run.1).is_sorted());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_order_gives_the_same_streams(
        steps in prop::collection::vec(step(), 1..60),
        isn in [number(), number()],
        fins in any::<bool>(),
    ) {
        let (packets, sent) = capture(&steps, isn, false, fins);
        let bench = run(packets);
        prop_assert_eq!(bench.heard.gaps(), []);
        prop_assert_eq!(bench.heard.bytes(1, Side::First), truth(Side::First, sent[0]));
        prop_assert_eq!(bench.heard.bytes(1, Side::Second), truth(Side::Second, sent[1]));
        check_times(&bench);
        let end = if fins { End::Finished(Side::First) } else { End::CaptureEnded };
        prop_assert_eq!(bench.heard.ends(), [(1, end)]);
        let stats = bench.heard.stats[0];
        prop_assert_eq!(stats.map(|s| s.conflicting_bytes), [0, 0]);
        prop_assert_eq!(stats.map(|s| s.bytes), sent.map(|len| len as u64));
    }

    #[test]
    fn loss_is_accounted_for_byte_by_byte(
        steps in prop::collection::vec(step(), 1..200),
        isn in [number(), number()],
        fins in any::<bool>(),
    ) {
        let (packets, sent) = capture(&steps, isn, true, fins);
        let mut captured = sent.map(|len| vec![false; len]);
        for packet in &packets {
            let own = usize::from(packet.source == super::super::testing::server());
            if !packet.flags.syn {
                let from = packet.sequence.wrapping_sub(isn[own]) as usize - 1;
                captured[own][from..from + packet.payload.len()].fill(true);
            }
        }
        let bench = run(packets);
        let streams = [truth(Side::First, sent[0]), truth(Side::Second, sent[1])];
        let places = check_events(&bench, |side, place, bytes| {
            let stream = &streams[usize::from(side == Side::Second)];
            assert_eq!(bytes, &stream[place..place + bytes.len()], "at its offset");
        });
        check_times(&bench);
        for own in [0, 1] {
            let last = captured[own].iter().rposition(|&seen| seen).map_or(0, |last| last + 1);
            prop_assert!((last..=sent[own]).contains(&places[0][own]));
            let seen = captured[own].iter().filter(|&&seen| seen).count() as u64;
            let stats = bench.heard.stats[0][own];
            prop_assert_eq!(stats.bytes, seen, "all that was captured was delivered");
            prop_assert_eq!(stats.bytes + stats.gap_bytes, places[0][own] as u64);
        }
    }

    #[test]
    fn nonsense_keeps_to_the_limits(
        isn in [number(), number()],
        segments in prop::collection::vec(
            (
                side(),
                prop_oneof![4 => 0..5000_u32, 1 => any::<u32>(), 1 => 0..20_000_000_u32],
                prop_oneof![4 => 0..5000_u32, 1 => any::<u32>()],
                any::<[u8; 2]>(),
                prop_oneof![3 => 0..300_usize, 1 => Just(0), 1 => 0..70_000_usize],
                prop_oneof![6 => Just(0_u32), 1 => 0..2000_u32, 1 => any::<u32>()],
                prop_oneof![8 => 0..20_i64, 1 => -50..7000_i64, 1 => -9_000_000_000_000..9_000_000_000_000_i64],
            ),
            1..150,
        ),
        ignore_at in proptest::option::weighted(0.1, any::<u8>()),
    ) {
        let mut bench = Bench::new();
        let mut again = Bench::new();
        bench.heard.ignore_at = ignore_at;
        again.heard.ignore_at = ignore_at;
        let mut clock = 0_i64;
        for (from, sequence, ack, bits, len, missing, step) in segments {
            let own = usize::from(from == Side::Second);
            let sequence = isn[own].wrapping_add(sequence);
            let base = if own == 0 { at(sequence) } else { server_at(sequence) };
            let mut packet = base.payload(&vec![bits[1]; len]).missing(missing);
            packet.acknowledgment = isn[1 - own].wrapping_add(ack);
            packet.flags.ack = bits[0] & 7 != 0;
            packet.flags.syn = bits[0] >> 3 == 1;
            packet.flags.fin = bits[0] >> 3 == 2;
            packet.flags.rst = bits[0] >> 3 == 3;
            packet.window = u16::from(bits[0]);
            packet = packet.client_port(1 + u16::from(bits[1] & 1));
            let millis = clock.saturating_add(step);
            if step < 10_000 {
                clock = millis;
            }
            again.feed(packet.clone().millis(millis));
            bench.feed(packet.millis(millis));
        }
        bench.finish();
        again.finish();
        prop_assert_eq!(&bench.heard.events, &again.heard.events, "hash seeds do not show");
        let places = check_events(&bench, |_, _, _| {});
        prop_assert_eq!(bench.heard.stats.len(), places.len());
        for (event, stats) in bench.heard.ends().iter().zip(&bench.heard.stats) {
            let place = places[usize::try_from(event.0).unwrap() - 1];
            let told = stats.map(|s| usize::try_from(s.bytes + s.gap_bytes).unwrap());
            prop_assert_eq!(told, place);
        }
    }
}
