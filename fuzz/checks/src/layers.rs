//! Link and IP layers: a sequence of packets, so that fragments join.

use crate::input::Bytes;
use cti_dissector::Timestamp;
use cti_dissector::capture::{LayerCounts, Layers, Packet, PacketId, Peeled};
use cti_dissector::limits;

/// Link types to choose from: those that are read, and one that is not.
pub(crate) const LINK_TYPES: [u32; 13] =
    [1, 0, 12, 14, 101, 108, 113, 228, 229, 276, 239, 147, 252];

/// The first byte chooses the link type. Then come packets: length in two bytes, milliseconds since the one before, bytes that
/// the snap length cut off, and the packet.
pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let link_type = LINK_TYPES[usize::from(bytes.u8()) % LINK_TYPES.len()];
    let mut layers = Layers::new();
    let mut millis = 0_i64;
    let mut number = 0;
    let mut total = 0;
    while !bytes.is_empty() {
        let len = usize::from(bytes.u16());
        millis += i64::from(bytes.u8());
        let cut = u32::from(bytes.u8());
        let data = bytes.take(len);
        number += 1;
        total += data.len();
        let packet = Packet {
            id: PacketId { input: 0, number },
            time: Timestamp::from_nanos(millis * 1_000_000),
            interface: 0,
            link_type,
            data,
            original_len: data.len() as u32 + cut,
        };
        check_peeled(&packet, layers.segment(&packet), total);
        check_counts(layers.counts(), number);
        assert!(layers.held() <= limits::FRAGMENT_BYTES);
    }
    layers.finish();
    assert_eq!(layers.held(), 0);
    check_counts(layers.counts(), number);
}

fn check_peeled(packet: &Packet<'_>, peeled: Peeled<'_>, total: usize) {
    match peeled {
        Peeled::Tcp(segment) => {
            assert_eq!((segment.packet, segment.time), (packet.id, packet.time));
            assert!(
                segment.payload.len() <= total,
                "a payload is made of packets"
            );
            let (payload, data) = (segment.payload.as_ptr_range(), packet.data.as_ptr_range());
            if data.start <= payload.start && payload.end <= data.end {
                let wire = segment.payload.len() as u64 + u64::from(segment.missing);
                // IP may claim more than the link carried; it is believed, as its length is what TCP counts by.
                assert!(wire <= u64::from(packet.original_len.max(0x1_0000)));
            }
        }
        Peeled::UnknownLink(link_type) => assert_eq!(link_type, packet.link_type),
        _ => {}
    }
}

fn check_counts(counts: &LayerCounts, packets: u64) {
    assert_eq!(counts.packets, packets);
    let kinds = [
        counts.tcp,
        counts.duplicates,
        counts.other_ip,
        counts.not_ip,
        counts.fragments,
        counts.cut,
        counts.malformed,
        counts.too_deep,
        counts.foreign_pdus,
        counts.unknown_link,
    ];
    assert_eq!(kinds.iter().sum::<u64>(), packets);
    assert!(counts.fragments_given_up <= packets);
    assert!(counts.unknown_link_types.len() <= limits::UNKNOWN_LINK_TYPES);
}
