//! Fragments inside of tunnels, around them, and on both levels.

use super::*;

/// The parts of a datagram, 16 bytes each.
fn parts(protocol: u8, id: u16, inside: &[u8]) -> Vec<Vec<u8>> {
    let count = inside.chunks(16).count();
    (0..)
        .zip(inside.chunks(16))
        .map(|(at, part)| {
            let more = if usize::from(at) + 1 < count {
                0x2000
            } else {
                0
            };
            ipv4_part(protocol, id, more | (at * 2), part)
        })
        .collect()
}

#[test]
fn fragments_inside_and_outside_of_tunnels_are_not_mixed() {
    // All datagrams have the same addresses, protocol and identification.
    let outer = |network: u8, inside: &[u8]| {
        let vxlan = join(&[
            &[8, 0, 0, 0],
            &[0, 0, network, 0],
            &ethernet(0x0800, inside),
        ]);
        ipv4(17, &udp(4789, &vxlan))
    };
    let text = tcp();
    let bare = parts(6, 7, &text);
    let first: Vec<_> = bare.iter().map(|part| outer(1, part)).collect();
    let second: Vec<_> = bare.iter().map(|part| outer(2, part)).collect();
    let mut layers = Layers::new();
    let mut whole = 0;
    for ((a, b), c) in bare.iter().zip(&first).zip(&second) {
        for part in [a, b, c] {
            match layers.segment(&packet(RAW, part)) {
                Peeled::Tcp(segment) => {
                    assert_eq!(segment.payload, PAYLOAD);
                    whole += 1;
                }
                // The identification is the same: one packet, seen in three places.
                Peeled::Duplicate => whole += 1,
                Peeled::Fragment => {}
                other => panic!("{other:?}"),
            }
        }
    }
    layers.finish();
    assert_eq!(
        (
            whole,
            layers.counts().tcp,
            layers.counts().fragments_given_up
        ),
        (3, 1, 0)
    );
}

#[test]
fn fragments_of_fragments_are_joined_at_each_level() {
    let mut layers = Layers::new();
    let mut whole = 0;
    let mut id = 100;
    for inner in parts(6, 7, &tcp()) {
        let vxlan = join(&[&[8, 0, 0, 0], &[0, 0, 1, 0], &ethernet(0x0800, &inner)]);
        id += 1;
        // Last one first: the port is known at the end only.
        for outer in parts(17, id, &udp(4789, &vxlan)).iter().rev() {
            match layers.segment(&packet(RAW, outer)) {
                Peeled::Tcp(segment) => {
                    assert_eq!(segment.payload, PAYLOAD);
                    whole += 1;
                }
                Peeled::Fragment => {}
                other => panic!("{other:?}"),
            }
        }
    }
    layers.finish();
    assert_eq!((whole, layers.counts().fragments_given_up), (1, 0));
}

#[test]
fn fragments_of_other_udp_are_let_go_and_not_told() {
    let parts = parts(17, 7, &udp(5060, &[0; 100]));
    let mut layers = Layers::new();
    let mut seen = Vec::new();
    for part in [&parts[2], &parts[0], &parts[1], &parts[3]] {
        seen.push(format!("{:?}", layers.segment(&packet(RAW, part))));
    }
    assert_eq!(seen, ["Fragment", "NotTcp", "NotTcp", "NotTcp"]);
    // The first part was not captured.
    layers.segment(&packet(RAW, &ipv4_part(17, 8, 0x2002, &[0; 16])));
    layers.finish();
    assert_eq!(layers.counts().fragments_given_up, 0);
    // The same identification again, this time for a tunnel.
    let vxlan = join(&[&[8, 0, 0, 0], &[0, 0, 1, 0], &ethernet(0x0800, &plain())]);
    let mut last = String::new();
    for part in self::parts(17, 7, &udp(4789, &vxlan)) {
        last = format!("{:?}", layers.segment(&packet(RAW, &part)));
    }
    assert!(last.starts_with("Tcp"), "{last}");
}
