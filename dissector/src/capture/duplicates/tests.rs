#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::{Flags, PacketId};
use super::*;
use proptest::prelude::*;

/// A packet of a conversation, where and when it is captured.
#[derive(Debug, Clone)]
struct Sighting {
    micros: u64,
    interface: u32,
    vlan: u8,
    ttl: u8,
    nest: u64,
    id: u16,
    checksum: u16,
    sequence: u32,
    acknowledgment: u32,
    flags: u8,
    options: Vec<u8>,
    payload: Vec<u8>,
    missing: u32,
    six: bool,
}

const PSH_ACK: u8 = 0x18;
const ACK: u8 = 0x10;
const SYN: u8 = 0x02;

fn data() -> Sighting {
    Sighting {
        micros: 0,
        interface: 0,
        vlan: 10,
        ttl: 64,
        nest: 0,
        id: 77,
        checksum: 0x1234,
        sequence: 1000,
        acknowledgment: 2000,
        flags: PSH_ACK,
        options: vec![1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2],
        payload: b"a message".to_vec(),
        missing: 0,
        six: false,
    }
}

impl Sighting {
    fn at(&self, micros: u64) -> Self {
        Self {
            micros,
            ..self.clone()
        }
    }

    /// Behind a router, on another interface and VLAN.
    fn routed(&self, micros: u64) -> Self {
        Self {
            interface: 1,
            vlan: 20,
            ttl: self.ttl - 1,
            ..self.at(micros)
        }
    }

    /// The same packet without identification.
    fn unnumbered(&self) -> Self {
        Self {
            id: 0,
            ..self.clone()
        }
    }

    fn is_copy(&self, duplicates: &mut Duplicates) -> bool {
        let link = [
            2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x81, 0, 0, self.vlan, 8, 0,
        ];
        let time = Timestamp::from_seconds(1_700_000_000).after(Duration::from_micros(self.micros));
        let (source, destination) = match self.six {
            false => ("10.0.0.1:42027", "10.0.0.2:50000"),
            true => ("[fd00::1]:42027", "[fd00::2]:50000"),
        };
        let packet = Packet {
            id: PacketId {
                input: 0,
                number: 1,
            },
            time,
            interface: self.interface,
            link_type: 1,
            data: &[],
            original_len: 0,
        };
        let segment = Segment {
            packet: packet.id,
            time,
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
            sequence: self.sequence,
            acknowledgment: self.acknowledgment,
            flags: Flags {
                syn: self.flags & SYN != 0,
                ..Flags::default()
            },
            window: 501,
            payload: &self.payload,
            missing: self.missing,
        };
        let marks = Marks {
            id: self.id,
            ttl: self.ttl,
            flags: self.flags,
            checksum: self.checksum,
            options: &self.options,
            link: &link,
            nest: self.nest,
        };
        duplicates.is_copy(&packet, &segment, &marks)
    }
}

fn copies(sightings: &[Sighting]) -> Vec<bool> {
    let mut duplicates = Duplicates::default();
    let each = sightings.iter();
    each.map(|s| s.is_copy(&mut duplicates)).collect()
}

#[test]
fn what_routers_and_tunnels_change_does_not_hide_a_copy() {
    let tunnelled = Sighting {
        nest: 99,
        ..data().at(900)
    };
    let sightings = [data(), data().at(5), data().routed(300), tunnelled];
    assert_eq!(copies(&sightings), [false, true, true, true]);
    // Without identification the places tell; at one place only what comes at once.
    let unnumbered = sightings.map(|s| s.unnumbered());
    assert_eq!(copies(&unnumbered), [false, true, true, true]);
    let six = unnumbered.map(|s| Sighting { six: true, ..s });
    assert_eq!(copies(&six), [false, true, true, true]);
}

#[test]
fn what_is_sent_again_is_no_copy() {
    let again = Sighting {
        id: 78,
        ..data().at(210_000)
    };
    assert_eq!(
        copies(&[
            data(),
            data().routed(50),
            again.clone(),
            again.routed(210_050)
        ]),
        [false, true, false, true]
    );
    // The same without identification: at each place it is the second time.
    let (first, again) = (data().unnumbered(), again.unnumbered());
    assert_eq!(
        copies(&[
            first.clone(),
            first.routed(50),
            again.clone(),
            again.routed(210_050)
        ]),
        [false, true, false, true]
    );
    // The first one got lost before the second place.
    assert_eq!(
        copies(&[first.clone(), again.clone(), again.routed(210_050)]),
        [false, false, true]
    );
    // Another time stamp.
    let mut later = first.at(100);
    later.options = vec![1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 2];
    assert_eq!(copies(&[first, later]), [false, false]);
}

#[test]
fn much_later_the_same_numbers_are_another_packet() {
    let age = u64::try_from(limits::DUPLICATE_AGE.as_micros()).unwrap();
    assert_eq!(copies(&[data(), data().routed(age)]), [false, true]);
    assert_eq!(copies(&[data(), data().routed(age + 1)]), [false, false]);
    // Captures of several interfaces are not quite in order.
    assert_eq!(copies(&[data().at(100), data().routed(0)]), [false, true]);
}

#[test]
fn repeated_acknowledgements_are_no_copies_of_each_other() {
    let bare = Sighting {
        flags: ACK,
        payload: Vec::new(),
        options: Vec::new(),
        ..data().unnumbered()
    };
    let here = |at| bare.at(at);
    let there = |at| bare.routed(at);
    assert_eq!(
        copies(&[here(0), here(10), there(12), here(20), there(25), there(30)]),
        [false, false, true, false, true, true]
    );
    // Numbered ones are told apart anyway.
    let numbered = |id, at| Sighting { id, ..bare.at(at) };
    assert_eq!(
        copies(&[
            numbered(1, 0),
            numbered(2, 1),
            numbered(1, 2),
            numbered(2, 3)
        ]),
        [false, false, true, true]
    );
}

#[test]
fn keep_alives_are_no_copies_of_each_other() {
    let keep_alive = Sighting {
        flags: ACK,
        payload: vec![0],
        ..data().unnumbered()
    };
    assert_eq!(
        copies(&[
            keep_alive.at(0),
            keep_alive.routed(40),
            keep_alive.at(900_000),
            keep_alive.routed(900_040)
        ]),
        [false, true, false, true]
    );
}

#[test]
fn a_segment_size_lowered_on_the_way_does_not_hide_a_copy() {
    let syn = Sighting {
        flags: SYN,
        payload: Vec::new(),
        options: vec![2, 4, 5, 0xb4],
        ..data()
    };
    let lowered = Sighting {
        options: vec![2, 4, 5, 0x64],
        checksum: 0x4321,
        ..syn.routed(70)
    };
    assert_eq!(copies(&[syn, lowered]), [false, true]);
}

#[test]
fn other_payload_is_never_a_copy() {
    let other = Sighting {
        payload: b"A message".to_vec(),
        ..data().routed(50)
    };
    assert_eq!(copies(&[data(), other]), [false, false]);
    // The check sum does not decide: a machine that captures what it sends has none yet.
    let offloaded = Sighting {
        checksum: 0,
        ..data()
    };
    assert_eq!(copies(&[offloaded, data().routed(50)]), [false, true]);
}

#[test]
fn a_copy_of_which_more_was_captured_was_lost() {
    let cut = Sighting {
        payload: b"a mess".to_vec(),
        missing: 3,
        ..data().routed(50)
    };
    assert_eq!(
        copies(&[cut.clone(), data().at(60), cut.at(70)]),
        [false, false, true]
    );
    // Less was captured: only the check sum tells that it is the same.
    let other = Sighting {
        checksum: 1,
        ..cut.clone()
    };
    assert_eq!(copies(&[data(), cut]), [false, true]);
    assert_eq!(copies(&[data(), other]), [false, false]);
}

#[test]
fn memory_is_fixed_and_the_latest_are_remembered() {
    let mut duplicates = Duplicates::default();
    let many = u32::try_from(limits::DUPLICATE_MEMORY).unwrap() * 2;
    let packet = |number: u32| Sighting {
        sequence: number.wrapping_mul(100),
        ..data().at(u64::from(number))
    };
    let mut missed = 0;
    for number in 0..many {
        assert!(!packet(number).is_copy(&mut duplicates));
        // A copy comes a thousand packets later.
        if let Some(earlier) = number.checked_sub(1000)
            && !packet(earlier).is_copy(&mut duplicates)
        {
            missed += 1;
        }
    }
    assert_eq!(duplicates.slots.len() * WAYS, limits::DUPLICATE_MEMORY);
    assert!(missed < many / 1000, "{missed}");
}

proptest! {
    /// Packets, each captured at up to three places with its own delays: each counts once, numbered or not.
    #[test]
    fn every_packet_counts_once_wherever_it_is_captured(
        packets in proptest::collection::vec((0..4_u32, any::<bool>(), 1..4_u32), 1..40),
        delays in proptest::array::uniform3(0..900_u64),
    ) {
        let mut sightings = Vec::new();
        for (number, (sequence, numbered, places)) in (1_u16..).zip(&packets) {
            for place in 0..*places {
                // Retransmissions come after a millisecond at least: no packet overtakes another at one place.
                let delay = delays[usize::try_from(place).unwrap()];
                sightings.push(Sighting {
                    sequence: 1000 + sequence,
                    interface: place,
                    id: if *numbered { number } else { 0 },
                    ..data().at(u64::from(number) * 1000 + delay)
                });
            }
        }
        sightings.sort_by_key(|s| s.micros);
        let passed = copies(&sightings).iter().filter(|copy| !**copy).count();
        // Without number and seen at different places only, two packets cannot be told apart.
        prop_assert!(passed <= packets.len());
        if packets.iter().all(|(_, numbered, places)| *numbered || *places == 3) {
            prop_assert_eq!(passed, packets.len());
        }
    }
}
