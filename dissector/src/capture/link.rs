//! Link layers: finds the IP datagram, or what carries one, behind the link header.

use super::bytes::Bytes;

/// LINKTYPE_ numbers that are read.
pub(super) const NULL: u32 = 0;
pub(super) const ETHERNET: u32 = 1;
const PPP: u32 = 9;
const RAW_BSD: u32 = 12;
const RAW_OPENBSD: u32 = 14;
const PPP_HDLC: u32 = 50;
const PPP_ETHER: u32 = 51;
const RAW: u32 = 101;
const CISCO_HDLC: u32 = 104;
pub(super) const LOOP: u32 = 108;
pub(super) const LINUX_COOKED: u32 = 113;
const PPP_WITH_DIRECTION: u32 = 204;
const MPLS: u32 = 219;
const IPV4: u32 = 228;
const IPV6: u32 = 229;
pub(super) const NFLOG: u32 = 239;
pub(super) const EXPORTED_PDU: u32 = 252;
pub(super) const PKTAP: u32 = 258;
pub(super) const LINUX_COOKED_2: u32 = 276;

/// Ether types.
const TYPE_IPV4: u16 = 0x0800;
const TYPE_IPV6: u16 = 0x86dd;
const TYPE_MPLS: u16 = 0x8847;
const TYPE_MPLS_UPSTREAM: u16 = 0x8848;
const TYPE_PPPOE_SESSION: u16 = 0x8864;
const TYPE_BACKBONE: u16 = 0x88e7;
const VLAN: u16 = 0x8100;
const VLAN_SERVICE: u16 = 0x88a8;
const VLAN_OLD_DOUBLE: [u16; 3] = [0x9100, 0x9200, 0x9300];
/// Tags that Cisco switches leave on mirrored packets: security group (CMD), and port of a fabric extender (VN-Tag, 802.1BR).
const CISCO_METADATA: u16 = 0x8909;
const VN_TAG: u16 = 0x8926;
const E_TAG: u16 = 0x893f;
/// Smaller values are lengths of 802.3 frames.
const SMALLEST_TYPE: u16 = 0x0600;

/// What lies behind a link header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network<'a> {
    /// Should be an IP datagram; link padding may follow it.
    Ip(Bytes<'a>),
    /// Something that may carry one further inside.
    Carrier(Carrier, Bytes<'a>),
    /// Something else.
    Other,
    /// The packet ends within its link header.
    Cut,
    /// The link type is not known.
    Unknown,
}

/// What may stand between a link header and IP, other than tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    /// An MPLS label stack.
    Mpls,
    /// A PPPoE session header.
    Pppoe,
    /// A PPP packet.
    Ppp,
    /// A provider backbone tag (802.1ah), with a whole Ethernet frame behind it.
    Backbone,
    /// A packet as Wireshark exports it.
    Exported,
}

/// Whether packets of a link type can be read.
pub(super) fn is_supported(link_type: u32) -> bool {
    network(link_type, Bytes::default()) != Network::Unknown
}

/// Takes the link header off.
#[inline]
pub(super) fn network(link_type: u32, bytes: Bytes<'_>) -> Network<'_> {
    if link_type == ETHERNET {
        return ethernet(bytes);
    }
    other_network(link_type, bytes)
}

/// All but Ethernet.
fn other_network(link_type: u32, bytes: Bytes<'_>) -> Network<'_> {
    match link_type {
        // Packet type, hardware type, address length, address (8 bytes), protocol.
        LINUX_COOKED => match bytes.skip(14) {
            Some(rest) => ethernet_payload(rest),
            None => Network::Cut,
        },
        LINUX_COOKED_2 => match bytes.split::<20>() {
            // Protocol, reserved, interface, hardware type, packet type, address length, address (8 bytes).
            Some((&[high, low, ..], rest)) => typed(u16::from_be_bytes([high, low]), rest),
            None => Network::Cut,
        },
        NULL | LOOP => {
            let Some((&family, rest)) = bytes.split::<4>() else {
                return Network::Cut;
            };
            if is_ip_family(u32::from_le_bytes(family)) || is_ip_family(u32::from_be_bytes(family))
            {
                Network::Ip(rest)
            } else {
                Network::Other
            }
        }
        _ if bytes.data.is_empty() && is_headless(link_type) => Network::Cut,
        RAW | RAW_BSD | RAW_OPENBSD | IPV4 | IPV6 => Network::Ip(bytes),
        MPLS => Network::Carrier(Carrier::Mpls, bytes),
        PPP | PPP_HDLC => point_to_point(bytes),
        PPP_WITH_DIRECTION => match bytes.skip(1) {
            Some(rest) => point_to_point(rest),
            None => Network::Cut,
        },
        PPP_ETHER => Network::Carrier(Carrier::Pppoe, bytes),
        CISCO_HDLC => cisco_hdlc(bytes),
        NFLOG => nflog(bytes),
        EXPORTED_PDU => Network::Carrier(Carrier::Exported, bytes),
        PKTAP => pktap(bytes),
        _ => Network::Unknown,
    }
}

/// Link types whose packets begin with what is carried.
const fn is_headless(link_type: u32) -> bool {
    matches!(
        link_type,
        RAW | RAW_BSD | RAW_OPENBSD | IPV4 | IPV6 | MPLS | PPP_ETHER | EXPORTED_PDU
    )
}

/// The part of a packet's link header that is the same for all packets that pass one place in one direction. Headers that
/// tell the time or the process of each packet give nothing.
pub(super) fn place(link_type: u32, header: &[u8]) -> &[u8] {
    match link_type {
        NFLOG | PKTAP | EXPORTED_PDU => &[],
        _ => header,
    }
}

/// An Ethernet frame.
#[inline]
pub(super) fn ethernet(bytes: Bytes<'_>) -> Network<'_> {
    // Two addresses of 6 bytes, then the type.
    match bytes.skip(12) {
        Some(rest) => ethernet_payload(rest),
        None => Network::Cut,
    }
}

/// From the ether type on.
#[inline]
fn ethernet_payload(bytes: Bytes<'_>) -> Network<'_> {
    match bytes
        .split::<2>()
        .map(|(t, rest)| (u16::from_be_bytes(*t), rest))
    {
        // Nearly all packets.
        Some((TYPE_IPV4, rest)) => Network::Ip(rest),
        Some((ether_type, rest)) => typed(ether_type, rest),
        None => Network::Cut,
    }
}

/// What follows an ether type: any number of tags, or SNAP in an 802.3 frame, may come before IP.
pub(super) fn typed(mut ether_type: u16, mut bytes: Bytes<'_>) -> Network<'_> {
    loop {
        let tag = match ether_type {
            TYPE_IPV4 | TYPE_IPV6 => return Network::Ip(bytes),
            VLAN | VLAN_SERVICE => 2,
            _ if VLAN_OLD_DOUBLE.contains(&ether_type) => 2,
            VN_TAG => 4,
            E_TAG => 6,
            // Version, length, one option with the group.
            CISCO_METADATA => match bytes.data.first_chunk::<2>() {
                Some([1, 1]) => 6,
                Some(_) => return Network::Other,
                None => return Network::Cut,
            },
            TYPE_MPLS | TYPE_MPLS_UPSTREAM => return Network::Carrier(Carrier::Mpls, bytes),
            TYPE_PPPOE_SESSION => return Network::Carrier(Carrier::Pppoe, bytes),
            TYPE_BACKBONE => return Network::Carrier(Carrier::Backbone, bytes),
            length if length < SMALLEST_TYPE => match bytes.data.first_chunk::<6>() {
                Some([0xaa, 0xaa, 0x03, 0, 0, 0]) => 6,
                Some(_) => return Network::Other,
                None if bytes.missing > 0 => return Network::Cut,
                None => return Network::Other,
            },
            _ => return Network::Other,
        };
        let is_length = ether_type < SMALLEST_TYPE;
        let Some((&inner, rest)) = bytes.skip(tag).and_then(Bytes::split::<2>) else {
            return Network::Cut;
        };
        ether_type = u16::from_be_bytes(inner);
        bytes = rest;
        if is_length && ether_type < SMALLEST_TYPE {
            return Network::Other;
        }
    }
}

/// PPP, or Cisco's HDLC, which is found in its place.
fn point_to_point(bytes: Bytes<'_>) -> Network<'_> {
    match bytes.data.first_chunk::<2>() {
        Some([0x0f | 0x8f, 0]) => cisco_hdlc(bytes),
        Some(_) => Network::Carrier(Carrier::Ppp, bytes),
        None => Network::Cut,
    }
}

/// Address, control, ether type.
fn cisco_hdlc(bytes: Bytes<'_>) -> Network<'_> {
    match bytes.split::<4>() {
        Some((&[_, _, high, low], rest)) => typed(u16::from_be_bytes([high, low]), rest),
        None => Network::Cut,
    }
}

/// What Linux's packet filter logs: family, version, resource; then attributes in the byte order of the machine, of which
/// one holds the packet.
fn nflog(bytes: Bytes<'_>) -> Network<'_> {
    const PAYLOAD: u16 = 9;
    let Some((&[_, version, ..], mut rest)) = bytes.split::<4>() else {
        return Network::Cut;
    };
    if version != 0 {
        return Network::Other;
    }
    loop {
        let Some((&[a, b, c, d], value)) = rest.split::<4>() else {
            return if rest.missing > 0 {
                Network::Cut
            } else {
                Network::Other
            };
        };
        // Types are small numbers, which tells the byte order.
        let (len, kind) = if d & 0x7f == 0 {
            (u16::from_le_bytes([a, b]), u16::from(c))
        } else {
            (u16::from_be_bytes([a, b]), u16::from(d))
        };
        let Some(len) = len.checked_sub(4) else {
            return Network::Other;
        };
        if kind == PAYLOAD {
            return Network::Ip(value.limited(len.into()));
        }
        match value.skip(usize::from(len.next_multiple_of(4))) {
            Some(next) => rest = next,
            None if value.missing > 0 => return Network::Cut,
            None => return Network::Other,
        }
    }
}

/// Apple's header with what the system knows about a packet: its length, what follows, and the link type of that, in the
/// byte order of the machine.
fn pktap(bytes: Bytes<'_>) -> Network<'_> {
    const PACKET_FOLLOWS: u32 = 1;
    let Some((&words, _)) = bytes.split::<12>() else {
        return Network::Cut;
    };
    let [a, b, c, d, e, f, g, h, i, j, k, l] = words;
    let fields = [[a, b, c, d], [e, f, g, h], [i, j, k, l]];
    let [header, next, link_type] = match fields.map(u32::from_le_bytes) {
        [_, PACKET_FOLLOWS, _] => fields.map(u32::from_le_bytes),
        _ => fields.map(u32::from_be_bytes),
    };
    if next != PACKET_FOLLOWS || link_type == PKTAP || header < 12 {
        return Network::Other;
    }
    match bytes.skip(super::size(header)) {
        Some(rest) => match network(link_type, rest) {
            Network::Unknown => Network::Other,
            known => known,
        },
        None => Network::Cut,
    }
}

/// Address family numbers for IP; that of IPv6 differs between systems.
fn is_ip_family(family: u32) -> bool {
    const INET: u32 = 2;
    const INET6_LINUX: u32 = 10;
    const INET6_NETBSD_OPENBSD: u32 = 24;
    const INET6_FREEBSD: u32 = 28;
    const INET6_DARWIN: u32 = 30;
    matches!(
        family,
        INET | INET6_LINUX | INET6_NETBSD_OPENBSD | INET6_FREEBSD | INET6_DARWIN
    )
}
