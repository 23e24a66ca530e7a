//! Fragments in any order, alone, too many, and at odds with each other.

use super::*;

const TEXT: &[u8] = b"This text is long enough to be cut into a few fragments of eight bytes each.";

/// Raw IP packets with fragments of 24 bytes.
fn fragments(version: u8, id: u16) -> Vec<Vec<u8>> {
    // In IPv6 an extension header belongs to the part that is fragmented.
    let options = Ipv6RawExtHeader::new_raw(IpNumber::TCP, &[0; 6])
        .unwrap()
        .to_bytes();
    let six = [&options[..], &tcp_bytes(TEXT)].concat();
    let whole = if version == 4 { tcp_bytes(TEXT) } else { six };
    let count = whole.chunks(24).count();
    let parts = whole.chunks(24).enumerate();
    parts
        .map(|(index, part)| {
            let offset = IpFragOffset::try_new(u16::try_from(index * 3).unwrap()).unwrap();
            let more = index + 1 < count;
            if version == 4 {
                let mut header = ipv4(IpNumber::TCP, part);
                (header.identification, header.dont_fragment) = (id, false);
                (header.fragment_offset, header.more_fragments) = (offset, more);
                [&header.to_bytes()[..], part].concat()
            } else {
                let next = IpNumber::IPV6_DESTINATION_OPTIONS;
                let header = Ipv6FragmentHeader::new(next, offset, more, id.into());
                let part = [&header.to_bytes()[..], part].concat();
                ipv6_bytes(IpNumber::IPV6_FRAGMENTATION_HEADER, &part)
            }
        })
        .collect()
}

proptest! {
    #[test]
    fn fragments_in_any_order_give_the_segment(
        version in prop_oneof![Just(4), Just(6)],
        order in Just((0..10_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        // Two datagrams mixed, and each fragment comes twice.
        let (first, second) = (fragments(version, 1), fragments(version, 2));
        let count = first.len();
        let parts: Vec<_> = first.into_iter().chain(second).collect();
        let mut layers = Layers::new();
        let (mut whole, mut clock) = (0, 0);
        for index in order.into_iter().filter(|index| *index < 2 * count) {
            for _ in 0..2 {
                // Otherwise the second segment is a copy of the first.
                clock += 1;
                let time = packet(RAW, &[]).time.after(Duration::from_millis(clock));
                let part = Packet { time, ..packet(RAW, &parts[index]) };
                match layers.segment(&part) {
                    Peeled::Fragment => {}
                    Peeled::Tcp(segment) => {
                        prop_assert_eq!(segment.payload, TEXT);
                        whole += 1;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
        prop_assert_eq!(whole, 2);
        layers.finish();
        prop_assert_eq!(layers.counts().fragments_given_up, 0);
        prop_assert_eq!(layers.counts().fragments, 4 * count as u64 - 2);
    }

    #[test]
    fn changed_bytes_never_panic(
        version in prop_oneof![Just(4), Just(6)],
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut parts = fragments(version, 1);
        for (part, at, value) in changes {
            let part = part.index(parts.len());
            let at = at.index(parts[part].len());
            parts[part][at] = value;
        }
        let mut layers = Layers::new();
        for part in &parts {
            layers.segment(&packet(RAW, part));
        }
    }
}

#[test]
fn fragments_that_stay_alone_are_given_up_and_counted() {
    let parts = fragments(4, 1);
    let mut layers = Layers::new();
    assert!(matches!(
        layers.segment(&packet(RAW, &parts[0])),
        Peeled::Fragment
    ));
    assert!(matches!(
        layers.segment(&packet(RAW, &parts[1])),
        Peeled::Fragment
    ));
    let late = fragments(4, 2);
    let time = packet(RAW, &[])
        .time
        .after(limits::FRAGMENT_AGE)
        .after(std::time::Duration::from_nanos(1));
    assert!(matches!(
        layers.segment(&Packet {
            time,
            ..packet(RAW, &late[0])
        }),
        Peeled::Fragment
    ));
    assert_eq!(layers.counts().fragments_given_up, 2);
    layers.finish();
    assert_eq!(
        (
            layers.counts().fragments,
            layers.counts().fragments_given_up
        ),
        (3, 3)
    );
}

#[test]
fn held_fragments_are_bounded() {
    let mut layers = Layers::new();
    let packets = limits::FRAGMENT_DATAGRAMS + 10;
    for id in 0..packets {
        layers.segment(&packet(RAW, &fragments(4, id as u16)[1]));
    }
    assert_eq!(layers.counts().fragments_given_up, 10);
    // One small fragment at the end of a datagram makes it 64 KiB long.
    let mut layers = Layers::new();
    let mut far = fragments(4, 0)[1].clone();
    far[6..8].copy_from_slice(&(0x2000_u16 | 8_188).to_be_bytes());
    let packets = limits::FRAGMENT_BYTES / 65_528 + 10;
    for id in 0..packets {
        far[4..6].copy_from_slice(&(id as u16).to_be_bytes());
        layers.segment(&packet(RAW, &far));
    }
    assert!(
        (9..=10).contains(&layers.counts().fragments_given_up),
        "{:?}",
        layers.counts()
    );
}

#[test]
fn an_identification_used_again_later_is_a_new_datagram() {
    let mut layers = Layers::new();
    let parts = fragments(4, 1);
    for time in [0, 2, 4] {
        let whole = parts
            .iter()
            .filter(|part| {
                let packet = Packet {
                    time: Timestamp::from_seconds(time),
                    ..packet(RAW, part)
                };
                matches!(layers.segment(&packet), Peeled::Tcp(_))
            })
            .count();
        assert_eq!(whole, 1);
    }
}

#[test]
fn fragments_of_other_protocols_are_not_held_and_cut_ones_counted_as_cut() {
    let mut part = fragments(4, 1)[0].clone();
    let cut = Packet {
        data: &part[..part.len() - 1],
        ..packet(RAW, &part)
    };
    let mut layers = Layers::new();
    assert!(matches!(layers.segment(&cut), Peeled::Cut));
    part[9] = 17;
    assert!(matches!(
        layers.segment(&packet(RAW, &part)),
        Peeled::NotTcp
    ));
    layers.finish();
    assert_eq!(layers.counts().fragments_given_up, 0);
}

#[test]
fn fragments_that_contradict_each_other_give_their_datagram_up() {
    let parts = fragments(4, 1);
    let mut layers = Layers::new();
    let mut last = parts[1].clone();
    // "More fragments" taken away: the datagram would end before parts that are there already.
    last[6] &= 0xdf;
    assert!(matches!(
        layers.segment(&packet(RAW, &parts[0])),
        Peeled::Fragment
    ));
    assert!(matches!(
        layers.segment(&packet(RAW, &last)),
        Peeled::Tcp(_)
    ));
    assert!(matches!(
        layers.segment(&packet(RAW, &parts[2])),
        Peeled::Fragment
    ));
    let mut layers = Layers::new();
    assert!(matches!(
        layers.segment(&packet(RAW, &last)),
        Peeled::Fragment
    ));
    assert!(matches!(
        layers.segment(&packet(RAW, &parts[2])),
        Peeled::Malformed
    ));
    assert_eq!(
        (
            layers.counts().fragments_given_up,
            layers.counts().malformed
        ),
        (1, 1)
    );
}
