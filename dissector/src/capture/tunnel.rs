//! Encapsulation between link layer and TCP: what mirror ports, cloud taps and provider networks put around packets.
//!
//! Each step takes one kind off. UDP is taken for a tunnel only where the destination port is a well-known one and the
//! header behind it is one that this tunnel may have, so that other traffic on the port is not misread.

use super::bytes::Bytes;
use super::ip::{Datagram, Stop};
use super::link::{self, Carrier, Network};
use etherparse::IpNumber;

/// A kind of encapsulation that was taken off a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Tunnel {
    /// GRE with IP, MPLS, PPP or Ethernet (NVGRE) inside.
    Gre,
    /// Cisco's remote mirror ports, types I to III.
    Erspan,
    /// VXLAN, also as Cisco's ACI fabric writes it.
    Vxlan,
    /// VXLAN with a header that names what is inside.
    VxlanGpe,
    /// GENEVE.
    Geneve,
    /// A stack of MPLS labels, with IP or an Ethernet pseudowire below.
    Mpls,
    /// A PPPoE session.
    Pppoe,
    /// PPP on a line, or in GRE.
    Ppp,
    /// An IP datagram inside another, of any versions.
    IpInIp,
    /// Ethernet directly in IP (EtherIP).
    EtherIp,
    /// Provider backbone bridging (802.1ah), "MAC in MAC".
    Backbone,
    /// A packet as Wireshark exports it.
    ExportedPdu,
}

impl Tunnel {
    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gre => "GRE",
            Self::Erspan => "ERSPAN",
            Self::Vxlan => "VXLAN",
            Self::VxlanGpe => "VXLAN-GPE",
            Self::Geneve => "GENEVE",
            Self::Mpls => "MPLS",
            Self::Pppoe => "PPPoE",
            Self::Ppp => "PPP",
            Self::IpInIp => "IP in IP",
            Self::EtherIp => "EtherIP",
            Self::Backbone => "802.1ah",
            Self::ExportedPdu => "exported PDU",
        }
    }
}

/// What one step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opened<'a> {
    /// What was taken off.
    pub kind: Tunnel,
    /// Which tunnel of that kind: network, key, session or label. The same addresses may be in use in several.
    pub id: u32,
    /// What was inside.
    pub inside: Network<'a>,
}

const ETHERNET_BRIDGED: u16 = 0x6558;

const UDP_VXLAN: u16 = 4789;
const UDP_VXLAN_GPE: u16 = 4790;
const UDP_GENEVE: u16 = 6081;
/// What Linux used for VXLAN before there was a number.
const UDP_VXLAN_OLD: u16 = 8472;
/// What the ACI fabric uses.
const UDP_VXLAN_ACI: u16 = 48_879;

/// Whether datagrams to this UDP port may be tunnels.
const fn is_tunnel_port(port: u16) -> bool {
    matches!(
        port,
        UDP_VXLAN | UDP_VXLAN_GPE | UDP_GENEVE | UDP_VXLAN_OLD | UDP_VXLAN_ACI
    )
}

/// Whether a UDP datagram that begins like this may be a tunnel.
pub(super) fn may_be_udp_tunnel(payload: &[u8]) -> bool {
    payload
        .first_chunk()
        .is_some_and(|[_, _, high, low]| is_tunnel_port(u16::from_be_bytes([*high, *low])))
}

/// Opens an IP datagram that is not TCP.
pub(super) fn in_ip<'a>(datagram: &Datagram<'a>) -> Result<Opened<'a>, Stop> {
    let bytes = datagram.bytes();
    match datagram.protocol {
        IpNumber::UDP => in_udp(bytes),
        IpNumber::GRE => gre(bytes),
        IpNumber::IPV4 | IpNumber::IPV6 => Ok(Opened {
            kind: Tunnel::IpInIp,
            id: 0,
            inside: Network::Ip(bytes),
        }),
        IpNumber::MPLS_IN_IP => mpls(bytes),
        IpNumber::ETHER_IP => ether_ip(bytes),
        _ => Err(Stop::NotTcp),
    }
}

/// Opens what a link header or another tunnel led to.
pub(super) fn in_carrier<'a>(carrier: Carrier, bytes: Bytes<'a>) -> Result<Opened<'a>, Stop> {
    match carrier {
        Carrier::Mpls => mpls(bytes),
        Carrier::Pppoe => pppoe(bytes),
        Carrier::Ppp => Ok(Opened {
            kind: Tunnel::Ppp,
            id: 0,
            inside: ppp(bytes)?,
        }),
        Carrier::Backbone => {
            // Priority and flags, service (3 bytes), then the frame.
            let (&[_, a, b, c], frame) = need(bytes)?;
            Ok(Opened {
                kind: Tunnel::Backbone,
                id: u32::from_be_bytes([0, a, b, c]),
                inside: link::ethernet(frame),
            })
        }
        // Only a link type leads there, and it has a file of its own.
        Carrier::Exported => Err(Stop::ForeignPdu),
    }
}

/// The first `N` bytes of a header that must be there.
pub(super) fn need<'a, const N: usize>(bytes: Bytes<'a>) -> Result<(&'a [u8; N], Bytes<'a>), Stop> {
    bytes.split().ok_or(too_short(bytes))
}

/// Why a header does not fit.
pub(super) const fn too_short(bytes: Bytes<'_>) -> Stop {
    if bytes.missing > 0 {
        Stop::Cut
    } else {
        Stop::Malformed
    }
}

/// What an ether type says is inside a tunnel, where it may also be a whole Ethernet frame.
fn typed<'a>(ether_type: u16, bytes: Bytes<'a>) -> Network<'a> {
    if ether_type == ETHERNET_BRIDGED {
        link::ethernet(bytes)
    } else {
        link::typed(ether_type, bytes)
    }
}

fn in_udp(bytes: Bytes<'_>) -> Result<Opened<'_>, Stop> {
    // Ports, length with this header, check sum.
    let (&[_, _, high, low, len_high, len_low, ..], payload) = need::<8>(bytes)?;
    let port = u16::from_be_bytes([high, low]);
    if !is_tunnel_port(port) {
        return Err(Stop::NotTcp);
    }
    let payload = match u16::from_be_bytes([len_high, len_low]).checked_sub(8) {
        Some(len) if u32::from(len) <= payload.on_wire() => payload.limited(len.into()),
        // No length is given before segmentation offload.
        _ => payload,
    };
    let Some((&header, inside)) = payload.split::<8>() else {
        return Err(if payload.missing > 0 {
            Stop::Cut
        } else {
            Stop::NotTcp
        });
    };
    let opened = match port {
        UDP_GENEVE => geneve(header, inside),
        UDP_VXLAN_GPE => vxlan_gpe(header, inside),
        _ => vxlan(header, inside, port == UDP_VXLAN_ACI),
    };
    opened.ok_or(Stop::NotTcp)
}

/// Flags, group policy (3 bytes), network (3 bytes), reserved.
fn vxlan(header: [u8; 8], frame: Bytes<'_>, aci: bool) -> Option<Opened<'_>> {
    const NETWORK_IS_VALID: u8 = 0x08;
    const GROUP_POLICY: u8 = 0x80;
    let [flags, _, group_1, group_2, a, b, c, reserved] = header;
    let group = [group_1, group_2] == [0, 0] || flags & GROUP_POLICY != 0;
    let usual = flags & !GROUP_POLICY == NETWORK_IS_VALID && group && reserved == 0;
    // The fabric uses reserved bits for marks of its own.
    (usual || aci && flags & NETWORK_IS_VALID != 0).then(|| Opened {
        kind: Tunnel::Vxlan,
        id: u32::from_be_bytes([0, a, b, c]),
        inside: link::ethernet(frame),
    })
}

/// Flags, reserved (2 bytes), next protocol, network (3 bytes), reserved.
fn vxlan_gpe(header: [u8; 8], bytes: Bytes<'_>) -> Option<Opened<'_>> {
    const VERSION: u8 = 0x30;
    const NETWORK_IS_VALID: u8 = 0x08;
    const HAS_NEXT: u8 = 0x04;
    let [flags, _, _, next, a, b, c, _] = header;
    if flags & VERSION != 0 || flags & NETWORK_IS_VALID == 0 {
        return None;
    }
    let inside = match next {
        _ if flags & HAS_NEXT == 0 => link::ethernet(bytes),
        1 | 2 => Network::Ip(bytes),
        3 => link::ethernet(bytes),
        5 => Network::Carrier(Carrier::Mpls, bytes),
        _ => Network::Other,
    };
    Some(Opened {
        kind: Tunnel::VxlanGpe,
        id: u32::from_be_bytes([0, a, b, c]),
        inside,
    })
}

/// Version and length of options, flags, ether type, network (3 bytes), reserved; then options.
fn geneve(header: [u8; 8], bytes: Bytes<'_>) -> Option<Opened<'_>> {
    const OPTION_WORDS: u8 = 0x3f;
    let [first, _, type_high, type_low, a, b, c, reserved] = header;
    if first & !OPTION_WORDS != 0 || reserved != 0 {
        return None;
    }
    let options = usize::from(first & OPTION_WORDS) * 4;
    let inside = match bytes.skip(options) {
        Some(bytes) => typed(u16::from_be_bytes([type_high, type_low]), bytes),
        None if bytes.missing > 0 => Network::Cut,
        None => return None,
    };
    Some(Opened {
        kind: Tunnel::Geneve,
        id: u32::from_be_bytes([0, a, b, c]),
        inside,
    })
}

/// Flags and version, protocol; then check sum, key, sequence and acknowledgment number as the flags say.
fn gre(bytes: Bytes<'_>) -> Result<Opened<'_>, Stop> {
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    const ACKNOWLEDGMENT: u16 = 0x0080;
    const VERSION: u16 = 0x0007;
    const ERSPAN_1_AND_2: u16 = 0x88be;
    const ERSPAN_3: u16 = 0x22eb;
    const PPP: u16 = 0x880b;
    let (&[flags_high, flags_low, high, low], mut bytes) = need(bytes)?;
    let flags = u16::from_be_bytes([flags_high, flags_low]);
    let protocol = u16::from_be_bytes([high, low]);
    if flags & ROUTING != 0 || flags & VERSION > 1 {
        return Err(Stop::NotTcp);
    }
    let mut key = 0;
    for (flag, version) in [(CHECKSUM, 0), (KEY, 0), (SEQUENCE, 0), (ACKNOWLEDGMENT, 1)] {
        if flags & flag == 0 || version > flags & VERSION {
            continue;
        }
        let (&word, rest) = need(bytes)?;
        bytes = rest;
        if flag == KEY {
            key = u32::from_be_bytes(word);
        }
    }
    let (kind, id, inside) = match protocol {
        ERSPAN_1_AND_2 if flags & SEQUENCE == 0 => (Tunnel::Erspan, 0, link::ethernet(bytes)),
        ERSPAN_1_AND_2 => return erspan_2(bytes),
        ERSPAN_3 => return erspan_3(bytes),
        PPP => (Tunnel::Gre, key, Network::Carrier(Carrier::Ppp, bytes)),
        // In NVGRE the lowest byte of the key is another one for each flow.
        ETHERNET_BRIDGED => (Tunnel::Gre, key >> 8, link::ethernet(bytes)),
        _ => (Tunnel::Gre, key, link::typed(protocol, bytes)),
    };
    Ok(Opened { kind, id, inside })
}

/// Session number: the lowest 10 bits behind version, VLAN and marks.
fn erspan_session(high: u8, low: u8) -> u32 {
    u32::from(u16::from_be_bytes([high, low]) & 0x03ff)
}

/// Version and VLAN, marks and session, index (4 bytes).
fn erspan_2(bytes: Bytes<'_>) -> Result<Opened<'_>, Stop> {
    let (&[first, _, high, low, ..], frame) = need::<8>(bytes)?;
    if first >> 4 != 1 {
        return Err(Stop::Malformed);
    }
    Ok(Opened {
        kind: Tunnel::Erspan,
        id: erspan_session(high, low),
        inside: link::ethernet(frame),
    })
}

/// Version and VLAN, marks and session, time stamp (4 bytes), group, marks; perhaps 8 bytes that the platform adds.
fn erspan_3(bytes: Bytes<'_>) -> Result<Opened<'_>, Stop> {
    const ADDED: u8 = 0x01;
    const ETHERNET: u8 = 0;
    const IP: u8 = 2;
    let (&[first, _, high, low, .., kind, flags], mut frame) = need::<12>(bytes)?;
    if first >> 4 != 2 {
        return Err(Stop::Malformed);
    }
    if flags & ADDED != 0 {
        (_, frame) = need::<8>(frame)?;
    }
    Ok(Opened {
        kind: Tunnel::Erspan,
        id: erspan_session(high, low),
        inside: match kind >> 2 & 0x1f {
            ETHERNET => link::ethernet(frame),
            IP => Network::Ip(frame),
            _ => Network::Other,
        },
    })
}

/// Version, reserved, then an Ethernet frame.
fn ether_ip(bytes: Bytes<'_>) -> Result<Opened<'_>, Stop> {
    let (&[version, _], frame) = need(bytes)?;
    if version >> 4 != 3 {
        return Err(Stop::NotTcp);
    }
    Ok(Opened {
        kind: Tunnel::EtherIp,
        id: 0,
        inside: link::ethernet(frame),
    })
}

/// Labels down to the one that says it is the last. Nothing tells what is below but the bytes themselves.
fn mpls(mut bytes: Bytes<'_>) -> Result<Opened<'_>, Stop> {
    /// Says that the next label only spreads load: it is another one for each flow.
    const ENTROPY_FOLLOWS: u32 = 7;
    let mut id = 0;
    let mut entropy = false;
    loop {
        let (&[a, b, c, _], rest) = need(bytes)?;
        bytes = rest;
        let entry = u32::from_be_bytes([0, a, b, c]);
        let label = entry >> 4;
        entropy |= label == ENTROPY_FOLLOWS;
        if !entropy {
            id = label;
        }
        if entry & 1 != 0 {
            break;
        }
    }
    Ok(Opened {
        kind: Tunnel::Mpls,
        id,
        inside: below_labels(bytes),
    })
}

/// What is below an MPLS label stack: IP by its version, or an Ethernet frame, mostly behind a control word that begins with
/// four zero bits. An Ethernet address may look like any of these, so what comes next must make sense too.
fn below_labels(bytes: Bytes<'_>) -> Network<'_> {
    let leads_on = |network: Network<'_>| matches!(network, Network::Ip(_) | Network::Carrier(..));
    let Some(&first) = bytes.data.first() else {
        return Network::Cut;
    };
    match first >> 4 {
        4 | 6 if may_be_ip(bytes) => Network::Ip(bytes),
        0 => {
            let behind_word = bytes.skip(4).map_or(Network::Cut, link::ethernet);
            let without_word = link::ethernet(bytes);
            if leads_on(without_word) && !leads_on(behind_word) && behind_word != Network::Cut {
                without_word
            } else {
                behind_word
            }
        }
        // Signalling between the ends.
        1 if !leads_on(link::ethernet(bytes)) => Network::Other,
        _ => link::ethernet(bytes),
    }
}

/// Whether the lengths in an IP header fit; a header that is cut is believed.
fn may_be_ip(bytes: Bytes<'_>) -> bool {
    let Some(&[first, _, total_high, total_low, six_high, six_low, ..]) =
        bytes.data.first_chunk::<6>()
    else {
        return true;
    };
    let fits = |len: u16, header: u32| {
        let len = u32::from(len);
        len == 0 || (header..=bytes.on_wire()).contains(&len)
    };
    if first >> 4 == 6 {
        let payload = u16::from_be_bytes([six_high, six_low]);
        return u32::from(payload).saturating_add(40) <= bytes.on_wire();
    }
    let header = u32::from(first & 0x0f) * 4;
    header >= 20 && fits(u16::from_be_bytes([total_high, total_low]), header)
}

/// Version and type, code, session, length; then PPP.
fn pppoe(bytes: Bytes<'_>) -> Result<Opened<'_>, Stop> {
    const VERSION_AND_TYPE: u8 = 0x11;
    const SESSION_DATA: u8 = 0;
    let (&[version, code, id_high, id_low, high, low], packet) = need(bytes)?;
    if version != VERSION_AND_TYPE || code != SESSION_DATA {
        return Err(Stop::NotIp);
    }
    let len = u16::from_be_bytes([high, low]);
    Ok(Opened {
        kind: Tunnel::Pppoe,
        id: u16::from_be_bytes([id_high, id_low]).into(),
        inside: ppp(packet.limited(len.into()))?,
    })
}

/// Address and control, which may be left out; the protocol, whose first byte may be left out if it is zero.
fn ppp(bytes: Bytes<'_>) -> Result<Network<'_>, Stop> {
    const IPV4: u16 = 0x0021;
    const IPV6: u16 = 0x0057;
    const MPLS: u16 = 0x0281;
    const MPLS_UPSTREAM: u16 = 0x0283;
    let bytes = match bytes.split() {
        Some((&[0xff, 0x03], rest)) => rest,
        Some(_) => bytes,
        None => return Err(too_short(bytes)),
    };
    // The last byte of a protocol number is odd, any other even.
    let (&[first], behind_one) = need(bytes)?;
    let (protocol, packet) = if first & 1 == 1 {
        (u16::from(first), behind_one)
    } else {
        let (&[second], behind_two) = need(behind_one)?;
        (u16::from_be_bytes([first, second]), behind_two)
    };
    Ok(match protocol {
        IPV4 | IPV6 => Network::Ip(packet),
        MPLS | MPLS_UPSTREAM => Network::Carrier(Carrier::Mpls, packet),
        _ => Network::Other,
    })
}

/// How deep a packet is wrapped, and in what.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Nest {
    depth: usize,
    /// A number made of all that was taken off; 0 for a plain packet.
    pub key: u64,
}

impl Nest {
    /// One step further in; `None` where packets are not followed any deeper.
    pub fn enter(self, opened: &Opened<'_>) -> Option<Self> {
        /// Any odd number with bits all over: steps in another order give another key.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let depth = self.depth.saturating_add(1);
        if depth > crate::limits::MAX_TUNNELS {
            return None;
        }
        let step = u64::from(kind_number(opened.kind)) << 32 | u64::from(opened.id);
        let key = (self.key.rotate_left(23) ^ step).wrapping_mul(SPREAD);
        Some(Self { depth, key })
    }
}

/// A number for each kind, from 1.
const fn kind_number(kind: Tunnel) -> u32 {
    match kind {
        Tunnel::Gre => 1,
        Tunnel::Erspan => 2,
        Tunnel::Vxlan => 3,
        Tunnel::VxlanGpe => 4,
        Tunnel::Geneve => 5,
        Tunnel::Mpls => 6,
        Tunnel::Pppoe => 7,
        Tunnel::Ppp => 8,
        Tunnel::IpInIp => 9,
        Tunnel::EtherIp => 10,
        Tunnel::Backbone => 11,
        Tunnel::ExportedPdu => 12,
    }
}

#[cfg(test)]
pub(super) mod tests;
