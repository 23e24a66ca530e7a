//! Where the next message begins, behind a gap and in mid-stream.

use super::*;

#[test]
fn a_gap_at_a_boundary_skips_nothing() {
    let list = talk();
    let mut feed = Feed::in_step();
    feed.segment(&list[0]).gap(list[1].len());
    for next in &list[2..] {
        feed.segment(next);
    }
    let missing = u64::try_from(list[1].len()).unwrap();
    let mut expected = vec![
        Got::Message(list[0].clone()),
        Got::Break(BreakCause::Gap, missing, 0, true),
    ];
    expected.extend(messages(&list[2..]));
    assert_eq!(feed.end(), expected);
}

#[test]
fn a_gap_within_a_message_leads_to_its_computed_end() {
    let event = delivered(16_777_301);
    let confirmation = message("HEARTBEAT_CONF", 24, &[("InvokeID", 4.into())]);
    // The header and some more were seen; the gap ends before the message does, or with it.
    for (from, to) in [(8, 20), (10, 40), (30, event.len() - 1), (30, event.len())] {
        let mut feed = Feed::in_step();
        feed.segment(&agent_state("1001"));
        feed.segment(&event[..from]).gap(to - from);
        // What follows travels in the same segment as the rest of the message.
        let rest = [&event[to..], &confirmation, &agent_state("1002")].concat();
        feed.segment(&rest);
        let missing = u64::try_from(to - from).unwrap();
        let skipped = u64::try_from(event.len() - to).unwrap();
        assert_eq!(
            feed.end(),
            [
                Got::Message(agent_state("1001")),
                Got::Message(event[..from].to_vec()),
                Got::Break(BreakCause::Gap, missing, skipped, true),
                Got::Message(confirmation.clone()),
                Got::Message(agent_state("1002")),
            ],
            "{from} to {to}"
        );
    }
}

#[test]
fn a_gap_beyond_the_message_and_within_the_next_is_searched() {
    let list = talk();
    let stream = list.concat();
    let start = list[0].len() + 20;
    // Ends in the middle of the third message. The heartbeat behind it is too little to be sure of, unless it begins a
    // segment.
    let third = list[0].len() + list[1].len();
    let fourth = third + list[2].len();
    for (split, first) in [(stream.len(), 4), (fourth, 3)] {
        let mut feed = Feed::in_step();
        feed.segment(&stream[..start]).gap(third + 10 - start);
        feed.segment(&stream[third + 10..split]);
        feed.chunks(&stream[split..], 1460);
        let got = feed.end();
        assert_eq!(said(&got), [&list[..1], &list[first..]].concat());
        assert_eq!(accounted(&got), stream.len());
    }
}

#[test]
fn a_gap_within_a_header_is_searched() {
    let list = talk();
    let stream = list.concat();
    for cut in 1..8 {
        let start = list[0].len() + cut;
        for lost in 1..30 {
            let mut feed = Feed::in_step();
            feed.segment(&stream[..start]).gap(lost);
            feed.chunks(&stream[start + lost..], 1460);
            let got = feed.end();
            assert_eq!(
                said(&got),
                [&list[..1], &list[2..]].concat(),
                "{lost} lost behind {cut} bytes of the header"
            );
            assert_eq!(accounted(&got), stream.len());
        }
    }
}

#[test]
fn a_start_in_mid_stream_finds_the_next_message() {
    let list = talk();
    let stream = list.concat();
    for start in 1..list[0].len() {
        let got = Feed::searching().chunks(&stream[start..], 1460).end();
        let skipped = u64::try_from(list[0].len() - start).unwrap();
        let begins = Got::Break(BreakCause::MidStream, 0, skipped, true);
        assert_eq!(got[0], begins, "from byte {start}");
        assert_eq!(said(&got), list[1..], "from byte {start}");
    }
}

/// Each costs far more than a fixed effort for each byte, unless the effort is bounded: these took minutes.
#[test]
fn bytes_made_to_make_the_search_expensive_cost_little_and_are_accounted_for() {
    // Headers at every eighth byte, each of which promises a long message.
    let promises = [0, 0, 0x2E, 0xE0, 0, 0, 0, 9].repeat(64 * 1024);
    // Messages of a type known by name only, which speak for nothing.
    let hollow = [0, 0, 0, 0, 0, 0, 0, 153].repeat(64 * 1024);
    // A long message of sound fields that ends badly, over and over.
    let fields = [0, 8, 0, 0].repeat(3000);
    let sound = [
        &[0, 0, 0x2E, 0xE0, 0, 0, 0, 22, 0, 0, 0, 0][..],
        &fields,
        &[0xFF; 7],
    ]
    .concat()
    .repeat(40);
    for (name, bytes) in [("promises", promises), ("hollow", hollow), ("sound", sound)] {
        for size in [1460, 8] {
            let mut feed = Feed::searching();
            let got = feed.chunks(&bytes, size).end();
            assert_eq!(accounted(&got), bytes.len(), "{name} by {size}");
        }
    }
}

/// Enters a statistics message at a byte and tells whether exactly what follows it comes out.
fn enters_well(seed: u32, start: usize, size: usize, segment_start: bool) -> bool {
    let first = statistics(seed);
    let list = [statistics(seed + 100), agent_state("1001"), delivered(7)];
    let stream = [first, list.concat()].concat();
    let mut feed = Feed::searching();
    feed.sender = Some(Sender::Server);
    let got = feed
        .chunks_within(&stream[start..], size, segment_start)
        .end();
    assert_eq!(accounted(&got), stream.len() - start);
    said(&got) == list
}

#[test]
fn statistics_entered_in_the_middle_yield_no_false_messages() {
    let last = statistics(0).len();
    for seed in 0..20 {
        for start in (1..last).step_by(3) {
            for size in [536, 1460] {
                assert!(
                    enters_well(seed, start, size, false),
                    "seed {seed}, byte {start}"
                );
            }
        }
    }
}

/// Where a segment begins, a message usually does; numbers that look like one there are hardly ever mistaken.
#[test]
fn statistics_entered_where_a_segment_begins_are_hardly_ever_mistaken() {
    let last = statistics(0).len();
    let starts = (0..20).flat_map(|seed| (1..last).step_by(3).map(move |start| (seed, start)));
    let wrong = starts
        .clone()
        .filter(|(seed, start)| !enters_well(*seed, *start, 1460, true))
        .count();
    assert!(wrong * 1000 < starts.count(), "{wrong}");
}

#[test]
fn statistics_cut_by_a_gap_yield_no_false_messages() {
    for seed in 0..10 {
        let first = statistics(seed);
        let list = [statistics(seed + 50), agent_state("1001"), delivered(7)];
        let stream = [first.clone(), list.concat()].concat();
        for start in (0..first.len() - 40).step_by(23) {
            let end = start + 37;
            let mut feed = Feed::in_step();
            feed.sender = Some(Sender::Server);
            feed.segment(&stream[..start]).gap(end - start);
            let got = feed.chunks(&stream[end..], 1460).end();
            assert_eq!(said(&got), list, "seed {seed}, gap at byte {start}");
            assert_eq!(accounted(&got), stream.len());
        }
    }
}
