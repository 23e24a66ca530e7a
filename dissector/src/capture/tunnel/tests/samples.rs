//! Packets of every kind of tunnel, put together layer by layer.

use super::super::super::Tunnel;

pub const ETHERNET: u32 = 1;
pub const RAW: u32 = 101;
pub const PAYLOAD: &[u8] = b"Sixteen bytes and a few more.";

pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A header, then what it is the header of.
pub fn header(header: &[u8], inside: &[u8]) -> Vec<u8> {
    join(&[header, inside])
}

pub fn ethernet(ether_type: u16, inside: &[u8]) -> Vec<u8> {
    // The first address begins with 4 bits that an IPv4 header would have.
    let addresses = [0x46, 0, 1, 2, 3, 4, 2, 0, 1, 2, 3, 5];
    join(&[&addresses, &ether_type.to_be_bytes(), inside])
}

pub fn ipv4(protocol: u8, inside: &[u8]) -> Vec<u8> {
    ipv4_part(protocol, 7, 0x4000, inside)
}

pub fn ipv4_part(protocol: u8, id: u16, fragment: u16, inside: &[u8]) -> Vec<u8> {
    let [total_high, total_low] = u16::try_from(inside.len() + 20).unwrap().to_be_bytes();
    let [id_high, id_low] = id.to_be_bytes();
    let [fragment_high, fragment_low] = fragment.to_be_bytes();
    let fixed = [
        0x45,
        0,
        total_high,
        total_low, // version, class, length
        id_high,
        id_low,
        fragment_high,
        fragment_low, // identification, flags and offset
        64,
        protocol,
        0,
        0, // hops left, protocol, check sum
        10,
        0,
        0,
        1, // from
        10,
        0,
        0,
        2, // to
    ];
    header(&fixed, inside)
}

pub fn ipv6(next: u8, inside: &[u8]) -> Vec<u8> {
    let len = u16::try_from(inside.len()).unwrap().to_be_bytes();
    join(&[
        &[0x60, 0, 0, 0],
        &len,
        &[next, 64],
        &[0xfd; 16],
        &[0xfe; 16],
        inside,
    ])
}

pub fn udp(port: u16, inside: &[u8]) -> Vec<u8> {
    let len = u16::try_from(inside.len() + 8).unwrap().to_be_bytes();
    join(&[&[0xc0, 1], &port.to_be_bytes(), &len, &[0, 0], inside])
}

pub fn tcp() -> Vec<u8> {
    let fixed = [
        0xa4, 0x2b, 0xc3, 0x50, // ports
        0, 0, 0, 7, // sequence number
        0, 0, 0, 9, // acknowledgment number
        0x50, 0x18, 0x20, 0, // length, flags, window
        0, 0, 0, 0, // check sum, urgent pointer
    ];
    header(&fixed, PAYLOAD)
}

pub fn plain() -> Vec<u8> {
    ipv4(6, &tcp())
}

pub fn mpls(labels: &[u32], inside: &[u8]) -> Vec<u8> {
    let entry = |(at, label): (usize, &u32)| {
        let last = u32::from(at + 1 == labels.len());
        (label << 12 | last << 8 | 64).to_be_bytes()
    };
    let stack: Vec<u8> = labels.iter().enumerate().flat_map(entry).collect();
    header(&stack, inside)
}

/// Packets of every kind of tunnel, and which.
pub fn samples() -> Vec<(Tunnel, u32, Vec<u8>)> {
    let frame = || ethernet(0x0800, &plain());
    let in_ip = |protocol: u8, inside: &[u8]| ethernet(0x0800, &ipv4(protocol, inside));
    let gre = |inside: &[u8], head: &[u8]| in_ip(47, &header(head, inside));
    let vni = [0, 0x12, 0x34, 0];
    vec![
        (Tunnel::Gre, ETHERNET, gre(&plain(), &[0, 0, 0x08, 0])),
        (
            Tunnel::Gre,
            ETHERNET,
            gre(&ipv6(6, &tcp()), &[0, 0, 0x86, 0xdd]),
        ),
        // Check sum, key, sequence number.
        (
            Tunnel::Gre,
            ETHERNET,
            gre(
                &plain(),
                &[0xb0, 0, 0x08, 0, 1, 2, 0, 0, 0, 0, 0, 5, 0, 0, 0, 6],
            ),
        ),
        // Network virtualisation.
        (
            Tunnel::Gre,
            ETHERNET,
            gre(&frame(), &[0x20, 0, 0x65, 0x58, 0, 1, 2, 3]),
        ),
        (
            Tunnel::Gre,
            ETHERNET,
            gre(&mpls(&[17], &plain()), &[0, 0, 0x88, 0x47]),
        ),
        // As the point-to-point tunneling protocol has it: version 1 with key, sequence and acknowledgment number.
        (
            Tunnel::Gre,
            ETHERNET,
            gre(
                &header(&[0x21], &plain()),
                &[0x30, 0x81, 0x88, 0x0b, 0, 50, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3],
            ),
        ),
        (Tunnel::Erspan, ETHERNET, gre(&frame(), &[0, 0, 0x88, 0xbe])),
        (
            Tunnel::Erspan,
            ETHERNET,
            gre(
                &frame(),
                &[
                    0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0x00, 0x64, 0, 0, 0, 9,
                ],
            ),
        ),
        (
            Tunnel::Erspan,
            ETHERNET,
            gre(
                &frame(),
                &[
                    0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0x00, 0x64, 1, 2, 3, 4, 0, 0, 0, 0,
                ],
            ),
        ),
        // With a subheader of the platform.
        (
            Tunnel::Erspan,
            ETHERNET,
            gre(
                &frame(),
                &[
                    0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0x00, 0x64, 1, 2, 3, 4, 0, 0, 0, 1,
                    0x14, 0, 0, 0, 0, 0, 0, 0,
                ],
            ),
        ),
        // IP inside instead of Ethernet.
        (
            Tunnel::Erspan,
            ETHERNET,
            gre(
                &plain(),
                &[
                    0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0x00, 0x64, 1, 2, 3, 4, 0, 0, 8, 0,
                ],
            ),
        ),
        (
            Tunnel::Vxlan,
            ETHERNET,
            in_ip(17, &udp(4789, &join(&[&[8, 0, 0, 0], &vni, &frame()]))),
        ),
        (
            Tunnel::Vxlan,
            ETHERNET,
            in_ip(17, &udp(8472, &join(&[&[8, 0, 0, 0], &vni, &frame()]))),
        ),
        // With a group policy, and as the ACI fabric marks it.
        (
            Tunnel::Vxlan,
            ETHERNET,
            in_ip(17, &udp(4789, &join(&[&[0x88, 0, 0, 5], &vni, &frame()]))),
        ),
        (
            Tunnel::Vxlan,
            ETHERNET,
            in_ip(
                17,
                &udp(
                    48_879,
                    &join(&[&[0xc8, 0x80, 1, 2], &[1, 2, 3, 0x81], &frame()]),
                ),
            ),
        ),
        (
            Tunnel::VxlanGpe,
            ETHERNET,
            in_ip(17, &udp(4790, &join(&[&[0x0c, 0, 0, 1], &vni, &plain()]))),
        ),
        (
            Tunnel::VxlanGpe,
            ETHERNET,
            in_ip(17, &udp(4790, &join(&[&[0x0c, 0, 0, 3], &vni, &frame()]))),
        ),
        (
            Tunnel::Geneve,
            ETHERNET,
            in_ip(
                17,
                &udp(
                    6081,
                    &join(&[
                        &[2, 0, 0x65, 0x58],
                        &vni,
                        &[0xff, 0xff, 1, 1, 9, 9, 9, 9],
                        &frame(),
                    ]),
                ),
            ),
        ),
        (
            Tunnel::Geneve,
            ETHERNET,
            in_ip(
                17,
                &udp(6081, &join(&[&[0, 0x40, 0x08, 0x00], &vni, &plain()])),
            ),
        ),
        (
            Tunnel::Mpls,
            ETHERNET,
            ethernet(0x8847, &mpls(&[16, 7, 99_999], &plain())),
        ),
        (
            Tunnel::Mpls,
            ETHERNET,
            ethernet(0x8848, &mpls(&[16], &ipv6(6, &tcp()))),
        ),
        // Pseudowires, with and without a control word.
        (
            Tunnel::Mpls,
            ETHERNET,
            ethernet(0x8847, &mpls(&[16], &header(&[0, 0, 0, 1], &frame()))),
        ),
        (
            Tunnel::Mpls,
            ETHERNET,
            ethernet(0x8847, &mpls(&[16], &frame())),
        ),
        (Tunnel::Mpls, ETHERNET, in_ip(137, &mpls(&[16], &plain()))),
        (Tunnel::Mpls, 219, mpls(&[16, 17], &plain())),
        (
            Tunnel::Pppoe,
            ETHERNET,
            ethernet(0x8864, &header(&[0x11, 0, 2, 1, 0, 71, 0, 0x21], &plain())),
        ),
        // With the protocol field compressed, and Ethernet padding.
        (
            Tunnel::Pppoe,
            ETHERNET,
            join(&[
                &ethernet(0x8864, &header(&[0x11, 0, 2, 1, 0, 70, 0x21], &plain())),
                &[0; 9],
            ]),
        ),
        (
            Tunnel::Pppoe,
            51,
            header(&[0x11, 0, 2, 1, 0, 71, 0, 0x21], &plain()),
        ),
        (Tunnel::Ppp, 9, header(&[0xff, 3, 0, 0x21], &plain())),
        (Tunnel::Ppp, 9, header(&[0, 0x57], &ipv6(6, &tcp()))),
        (Tunnel::Ppp, 50, header(&[0xff, 3, 0x21], &plain())),
        (Tunnel::Ppp, 204, header(&[1, 0xff, 3, 0, 0x21], &plain())),
        (Tunnel::IpInIp, ETHERNET, in_ip(4, &plain())),
        (Tunnel::IpInIp, ETHERNET, in_ip(41, &ipv6(6, &tcp()))),
        (
            Tunnel::IpInIp,
            ETHERNET,
            ethernet(0x86dd, &ipv6(4, &plain())),
        ),
        (Tunnel::IpInIp, RAW, ipv6(41, &ipv6(6, &tcp()))),
        (
            Tunnel::EtherIp,
            ETHERNET,
            in_ip(97, &header(&[0x30, 0], &frame())),
        ),
        (
            Tunnel::Backbone,
            ETHERNET,
            ethernet(0x88e7, &header(&[0, 0, 1, 0], &frame())),
        ),
        (
            Tunnel::ExportedPdu,
            252,
            header(&[0, 12, 0, 4, b'i', b'p', 0, 0, 0, 0, 0, 0], &plain()),
        ),
        (
            Tunnel::ExportedPdu,
            252,
            header(&[0, 12, 0, 3, b'e', b't', b'h', 0, 0, 0, 0], &frame()),
        ),
    ]
}
