//! Nothing of a payload passes, whatever the headers in front of it say.

use super::*;
use proptest::prelude::*;

/// The samples, and packets whose headers have lengths of their own: options of IP and TCP, extension headers.
fn variable() -> Vec<(u32, Vec<u8>)> {
    let mut all: Vec<(u32, Vec<u8>)> = samples()
        .into_iter()
        .map(|(_, link_type, data)| (link_type, data))
        .collect();
    for options in [&[][..], &[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]] {
        let mut tcp = TcpHeader::new(1_600, 42_027, 1, 9);
        tcp.set_options_raw(options).unwrap();
        for route in [&[][..], &[7, 7, 4, 172, 16, 9, 9, 0]] {
            let whole = tcp.header_len() + PAYLOAD.len();
            let mut ip =
                Ipv4Header::new(0, 60, IpNumber::TCP, [10, 0, 0, 1], [10, 0, 0, 2]).unwrap();
            ip.options = Ipv4Options::try_from(route).unwrap();
            ip.set_payload_len(whole).unwrap();
            ip.header_checksum = ip.calc_header_checksum();
            tcp.checksum = tcp.calc_checksum_ipv4(&ip, PAYLOAD).unwrap();
            all.push((101, [&ip.to_bytes()[..], &tcp.to_bytes(), PAYLOAD].concat()));
        }
        // Options for the destination, of two bytes of padding.
        for extension in [&[][..], &[6, 0, 1, 4, 0, 0, 0, 0]] {
            let len = extension.len() + tcp.header_len() + PAYLOAD.len();
            let ip = Ipv6Header {
                payload_length: u16::try_from(len).unwrap(),
                next_header: match extension {
                    [] => IpNumber::TCP,
                    _ => IpNumber::IPV6_DESTINATION_OPTIONS,
                },
                hop_limit: 9,
                source: [1; 16],
                destination: [2; 16],
                ..Ipv6Header::default()
            };
            tcp.checksum = tcp.calc_checksum_ipv6(&ip, PAYLOAD).unwrap();
            let data = [&ip.to_bytes()[..], extension, &tcp.to_bytes(), PAYLOAD].concat();
            all.push((101, data));
        }
    }
    all
}

fn nothing_passes(disguiser: &mut Disguiser, packet: &Packet<'_>) -> Result<(), TestCaseError> {
    if let Some(out) = disguiser.packet(packet, &mut Bits).unwrap() {
        for window in PAYLOAD.windows(4) {
            prop_assert!(!contains(out.data, window), "{:02x?}", out.data);
        }
    }
    Ok(())
}

#[test]
fn a_header_with_a_damaged_length_took_payload_for_its_fields() {
    // Versions, lengths, offsets and protocols that mean something, and single bits.
    let values: Vec<u8> = (0..8)
        .map(|bit| 1 << bit)
        .chain(
            (0x45..=0x4f)
                .chain(5..=7)
                .chain([0, 17, 41, 43, 44, 47, 51, 60, 0xff]),
        )
        .chain((5..=15).map(|words| words << 4))
        .collect();
    for (link_type, data) in variable() {
        for at in 0..data.len().saturating_sub(PAYLOAD.len()) {
            for value in &values {
                let mut data = data.clone();
                data[at] = *value;
                nothing_passes(&mut Disguiser::new(), &packet(link_type, &data, 0)).unwrap();
            }
        }
    }
}

proptest! {
    #[test]
    fn nothing_of_a_payload_passes_whatever_the_packet(
        which in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let samples = variable();
        let (link_type, mut data) = which.get(&samples).clone();
        for (at, value) in changes {
            let at = at.index(data.len());
            data[at] = value;
        }
        let len = data.len();
        if !whole {
            data.truncate(cut.index(len));
        }
        let missing = length(len - data.len());
        nothing_passes(&mut Disguiser::new(), &packet(link_type, &data, missing))?;
    }

    #[test]
    fn nothing_of_a_payload_passes_in_fragments(
        at in 1_usize..10,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ahead in any::<bool>(),
        tunnel in any::<bool>(),
    ) {
        let mut tcp = TcpHeader::new(50_000, 42_027, 77, 9);
        let ends = ([10, 0, 0, 1], [10, 0, 0, 2]);
        let whole = Ipv4Header::new(0, 60, IpNumber::TCP, ends.0, ends.1).unwrap();
        tcp.checksum = tcp.calc_checksum_ipv4(&whole, PAYLOAD).unwrap();
        let mut bytes = [&tcp.to_bytes()[..], PAYLOAD].concat();
        if tunnel {
            // UDP to the port of VXLAN, with nothing that can be read behind it.
            bytes = [&[0xc0, 0, 0x12, 0xb5, 0, 60, 0, 0][..], &bytes].concat();
        }
        let at = (at * 8).min(bytes.len() - 1);
        let mut parts = [(0..at, true), (at..bytes.len(), false)].map(|(range, more)| {
            let payload = &bytes[range.clone()];
            let len = u16::try_from(payload.len()).unwrap();
            let protocol = if tunnel { IpNumber::UDP } else { IpNumber::TCP };
            let mut ip = Ipv4Header::new(len, 60, protocol, ends.0, ends.1).unwrap();
            ip.identification = 5;
            ip.dont_fragment = false;
            ip.more_fragments = more;
            ip.fragment_offset = u16::try_from(range.start / 8).unwrap().try_into().unwrap();
            ip.header_checksum = ip.calc_header_checksum();
            [&ip.to_bytes()[..], payload].concat()
        });
        for (place, value) in changes {
            let part = &mut parts[usize::from(value & 1)];
            let place = place.index(part.len());
            part[place] = value;
        }
        let mut disguiser = Disguiser::new();
        let packets = parts.each_ref().map(|part| packet(101, part, 0));
        if ahead {
            packets.iter().for_each(|packet| disguiser.look(packet));
            disguiser.looked();
        }
        for packet in &packets {
            nothing_passes(&mut disguiser, packet)?;
        }
    }
}
