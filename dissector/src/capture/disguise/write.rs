//! Writes the headers of a packet anew.

use super::super::link;
use super::super::{Packet, Tunnel, length};
use super::Disguise;
use super::sums::{self, gre_sum, has_gre_sum, header_sum, put, transport_sum};
use super::walk::{Layer, Part, Walk};
use etherparse::{IpNumber, Ipv4Header, Ipv6Header, TcpHeader};
use std::net::IpAddr;
use std::ops::Range;

const TCP_HEADER: usize = TcpHeader::MIN_LEN;
const TCP_SUM: usize = 16;
const UDP_SUM: usize = 6;

/// The same packet with its headers where they were.
pub(super) fn in_place(
    out: &mut Vec<u8>,
    packet: &Packet<'_>,
    walk: &Walk<'_>,
    tcp: usize,
    payload: &[u8],
    disguise: &mut impl Disguise,
) {
    let data = packet.data;
    headers(out, packet, &walk.layers, tcp, disguise);
    if let Some(place) = out.get_mut(tcp..) {
        tcp_header(place, walk.tcp, walk.sound);
        if let Some(place) = place.get_mut(walk.tcp.len()..)
            && let Some(place) = place.get_mut(..payload.len())
        {
            place.copy_from_slice(payload);
        }
    }
    // From inside out: a sum is part of what is summed up around it.
    let segment = &walk.segment;
    let end = tcp
        .saturating_add(walk.tcp.len())
        .saturating_add(payload.len());
    let ends = (segment.source.ip(), segment.destination.ip());
    transport_sum(
        out,
        data,
        tcp..end,
        TCP_SUM,
        IpNumber::TCP,
        segment.missing,
        ends,
        disguise,
    );
    sums_around(out, data, &walk.layers, disguise);
}

/// A part of a datagram that never becomes whole: its headers, and zeros. Ports of UDP tell that it is of a tunnel.
pub(super) fn part(
    out: &mut Vec<u8>,
    packet: &Packet<'_>,
    part: &Part<'_>,
    disguise: &mut impl Disguise,
) {
    const PORTS: usize = 4;
    headers(out, packet, &part.layers, part.place, disguise);
    if part.begins && part.protocol == IpNumber::UDP {
        let len = part.payload.len().min(PORTS);
        copy(out, packet.data, part.place..part.place.saturating_add(len));
    }
    sums_around(out, packet.data, &part.layers, disguise);
}

/// All headers up to `end`, behind which are zeros.
fn headers(
    out: &mut Vec<u8>,
    packet: &Packet<'_>,
    layers: &[Layer],
    end: usize,
    disguise: &mut impl Disguise,
) {
    let data = packet.data;
    out.resize(data.len(), 0);
    let first = layers.first().map_or(end, |layer| match layer {
        Layer::Ip { header, .. } | Layer::Tunnel { header, .. } => header.start,
    });
    link_header(out, packet, first, disguise);
    for layer in layers {
        match layer {
            Layer::Ip {
                header,
                source,
                destination,
                ..
            } => ip_header(
                out,
                data,
                header,
                disguise.address(*source),
                disguise.address(*destination),
            ),
            Layer::Tunnel {
                kind,
                header,
                frame,
                protocol,
            } => tunnel_header(out, data, *kind, header, *frame, *protocol, disguise),
        }
    }
}

/// The check sums of what is around a segment or a part of a datagram, from inside out.
fn sums_around(out: &mut [u8], data: &[u8], layers: &[Layer], disguise: &mut impl Disguise) {
    let mut around = None;
    for layer in layers.iter().rev() {
        match layer {
            Layer::Tunnel {
                header, protocol, ..
            } => around = Some((header.start, *protocol)),
            Layer::Ip {
                header,
                end,
                missing,
                source,
                destination,
            } => {
                if let Some((start, protocol)) = around.take().filter(|(at, _)| *at == header.end) {
                    let ends = (*source, *destination);
                    match protocol {
                        Some(IpNumber::UDP) => {
                            let (range, missing) = udp_range(data, start..*end, *missing);
                            transport_sum(
                                out,
                                data,
                                range,
                                UDP_SUM,
                                IpNumber::UDP,
                                missing,
                                ends,
                                disguise,
                            );
                        }
                        Some(IpNumber::GRE) => gre_sum(out, data, start..*end, *missing),
                        _ => {}
                    }
                }
                header_sum(out, data, header);
            }
        }
    }
}

/// The segment in an Ethernet frame of its own. False where it does not fit into a datagram.
pub(super) fn alone(
    out: &mut Vec<u8>,
    packet: &Packet<'_>,
    walk: &Walk<'_>,
    payload: &[u8],
    disguise: &mut impl Disguise,
) -> bool {
    let segment = &walk.segment;
    let source = disguise.address(segment.source.ip());
    let destination = disguise.address(segment.destination.ip());
    let mut header = vec![0; walk.tcp.len().max(TCP_HEADER)];
    if walk.tcp.len() < TCP_HEADER {
        let mut made = TcpHeader::new(
            segment.source.port(),
            segment.destination.port(),
            segment.sequence,
            segment.window,
        );
        made.acknowledgment_number = segment.acknowledgment;
        let flags = segment.flags;
        (made.syn, made.fin, made.rst, made.ack) = (flags.syn, flags.fin, flags.rst, flags.ack);
        header.copy_from_slice(
            made.to_bytes()
                .get(..TCP_HEADER)
                .unwrap_or(&[0; TCP_HEADER]),
        );
    } else {
        tcp_header(&mut header, walk.tcp, walk.sound);
    }
    let captured = header.len().saturating_add(payload.len());
    let on_wire = length(captured).saturating_add(segment.missing);
    let Ok(short) = u16::try_from(on_wire) else {
        return false;
    };
    // Where the packet had hardware addresses in front, these; else none.
    let mut hardware = [0; 12];
    if packet.link_type == link::ETHERNET
        && let Some(from) = packet.data.first_chunk::<12>()
    {
        hardware = *from;
        let (to, from) = hardware.split_at_mut(6);
        disguise.hardware(to);
        disguise.hardware(from);
    }
    out.extend(hardware);
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let Ok(mut ip) = Ipv4Header::new(
                short,
                walk.ttl,
                IpNumber::TCP,
                source.octets(),
                destination.octets(),
            ) else {
                return false;
            };
            ip.header_checksum = ip.calc_header_checksum();
            out.extend([0x08, 0x00]);
            out.extend_from_slice(&ip.to_bytes());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let ip = Ipv6Header {
                payload_length: short,
                next_header: IpNumber::TCP,
                hop_limit: walk.ttl,
                source: source.octets(),
                destination: destination.octets(),
                ..Ipv6Header::default()
            };
            out.extend([0x86, 0xdd]);
            out.extend_from_slice(&ip.to_bytes());
        }
        _ => return false,
    }
    let start = out.len();
    out.extend_from_slice(&header);
    out.extend_from_slice(payload);
    let head = sums::head(source, destination, IpNumber::TCP.0, on_wire);
    let sum = sums::sum(&head, out.get(start..).unwrap_or_default());
    put(out, start.saturating_add(TCP_SUM), sum);
    true
}

/// What stands before the first IP header or tunnel. Only link types whose headers tell no more than addresses come here.
fn link_header(out: &mut [u8], packet: &Packet<'_>, end: usize, disguise: &mut impl Disguise) {
    copy(out, packet.data, 0..end);
    let addresses: &[(usize, usize)] = match packet.link_type {
        link::ETHERNET => &[(0, 6), (6, 12)],
        link::LINUX_COOKED => &[(6, 14)],
        link::LINUX_COOKED_2 => &[(12, 20)],
        _ => &[],
    };
    for (start, end) in addresses {
        let Some(place) = out.get_mut(*start..*end) else {
            continue;
        };
        if let Some((address, rest)) = place.split_at_mut_checked(6) {
            disguise.hardware(address);
            // Longer addresses are those of other kinds of hardware.
            rest.fill(0);
        }
    }
}

fn tunnel_header(
    out: &mut [u8],
    data: &[u8],
    kind: Tunnel,
    header: &Range<usize>,
    frame: Option<usize>,
    protocol: Option<IpNumber>,
    disguise: &mut impl Disguise,
) {
    /// UDP and GENEVE headers in front of the options.
    const GENEVE: usize = 16;
    copy(out, data, header.clone());
    let end = frame.unwrap_or(header.end);
    if kind == Tunnel::Geneve
        && let Some(options) = out.get_mut(header.start.saturating_add(GENEVE)..end)
    {
        // As many options of no kind, without data.
        options.fill(0);
    }
    for address in frame.map_or([None, None], |at| [Some(at), Some(at.saturating_add(6))]) {
        let place = address.and_then(|at| out.get_mut(at..at.saturating_add(6)));
        if let Some(place) = place {
            disguise.hardware(place);
        }
    }
    match protocol {
        Some(IpNumber::UDP) => put(out, header.start.saturating_add(UDP_SUM), 0),
        Some(IpNumber::GRE) if has_gre_sum(data, header.start) => {
            put(out, header.start.saturating_add(4), 0);
        }
        _ => {}
    }
}

fn ip_header(
    out: &mut [u8],
    data: &[u8],
    header: &Range<usize>,
    source: IpAddr,
    destination: IpAddr,
) {
    let start = header.start;
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            copy(out, data, start..start.saturating_add(12));
            put(out, start.saturating_add(10), 0);
            let place = out.get_mut(start.saturating_add(12)..start.saturating_add(20));
            if let Some(place) = place {
                place.copy_from_slice(&[source.octets(), destination.octets()].concat());
            }
            // Options stay zeros: the end of options. Behind them there may be an authentication header.
            let words = data.get(start).map_or(5, |first| first & 15);
            let extensions = start.saturating_add(usize::from(words) * 4)..header.end;
            let protocol = data.get(start.saturating_add(9)).copied().unwrap_or(0);
            extension_headers(out, data, extensions, IpNumber(protocol));
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            copy(out, data, start..start.saturating_add(8));
            let place = out.get_mut(start.saturating_add(8)..start.saturating_add(40));
            if let Some(place) = place {
                place.copy_from_slice(&[source.octets(), destination.octets()].concat());
            }
            let next = data.get(start.saturating_add(6)).copied().unwrap_or(0);
            extension_headers(
                out,
                data,
                start.saturating_add(40)..header.end,
                IpNumber(next),
            );
        }
        _ => {}
    }
}

/// Keeps what leads from header to header. Options become padding, and addresses of routes zeros.
fn extension_headers(out: &mut [u8], data: &[u8], range: Range<usize>, mut kind: IpNumber) {
    let mut at = range.start;
    while at < range.end {
        let Some(&[next, len]) = data.get(at..).and_then(<[u8]>::first_chunk) else {
            return;
        };
        let (kept, len) = match kind {
            IpNumber::IPV6_FRAGMENTATION_HEADER => (8, 8),
            // Security parameters and sequence number; the sum of the secret is not kept.
            IpNumber::AUTHENTICATION_HEADER => (12, (usize::from(len) + 2) * 4),
            // Type and segments left.
            IpNumber::IPV6_ROUTE_HEADER => (4, (usize::from(len) + 1) * 8),
            _ => (2, (usize::from(len) + 1) * 8),
        };
        copy(out, data, at..at.saturating_add(kept).min(range.end));
        kind = IpNumber(next);
        at = at.saturating_add(len);
    }
}

/// The fields of a TCP header, as far as its flags give them a meaning, and its well-known options with their usual lengths: segment size,
/// window scale, selective acknowledgments allowed and made, time stamps. Others become padding, and all of them where they do not come out
/// as options do. The check sum stays zero.
fn tcp_header(out: &mut [u8], header: &[u8], sound: bool) {
    const FLAGS: usize = 13;
    const ACK: u8 = 0x10;
    const URG: u8 = 0x20;
    copy(out, header, 0..TCP_HEADER.min(header.len()));
    put(out, TCP_SUM, 0);
    let flags = header.get(FLAGS).copied().unwrap_or_default();
    for (flag, meant) in [(ACK, 8..12), (URG, 18..20)] {
        if flags & flag == 0
            && let Some(number) = out.get_mut(meant)
        {
            number.fill(0);
        }
    }
    let Some(place) = out.get_mut(TCP_HEADER..header.len()) else {
        return;
    };
    place.fill(NO_OPERATION);
    let options = header.get(TCP_HEADER..).unwrap_or_default();
    if let (true, Some(known)) = (sound, known_options(options)) {
        for range in known {
            copy(place, options, range);
        }
    }
}

const NO_OPERATION: u8 = 1;

/// Where the options are that may be kept; `None` where these bytes are not what options look like.
fn known_options(options: &[u8]) -> Option<Vec<Range<usize>>> {
    let mut known = Vec::new();
    let mut seen = Vec::new();
    let mut at = 0;
    while let Some(&kind) = options.get(at) {
        match kind {
            // What is behind the end of options is nothing.
            0 => break,
            NO_OPERATION => {
                at += 1;
                continue;
            }
            _ => {}
        }
        let len = usize::from(*options.get(at.saturating_add(1))?);
        let range = at..at.saturating_add(len);
        if len < 2 || range.end > options.len() || seen.contains(&kind) {
            return None;
        }
        seen.push(kind);
        let fits = match kind {
            2 => len == 4,
            3 => len == 3,
            4 => len == 2,
            5 => matches!(len, 10 | 18 | 26 | 34),
            8 => len == 10,
            _ => false,
        };
        at = range.end;
        if fits {
            known.push(range);
        }
    }
    Some(known)
}

/// Captured bytes of a UDP datagram, and how many are missing: it may be shorter than the IP datagram.
fn udp_range(data: &[u8], range: Range<usize>, missing: u32) -> (Range<usize>, u32) {
    let len = data
        .get(range.start.saturating_add(4)..)
        .and_then(<[u8]>::first_chunk::<2>)
        .map_or(0, |len| u16::from_be_bytes(*len));
    let on_wire = length(range.len()).saturating_add(missing);
    if len < 8 || u32::from(len) > on_wire {
        return (range, missing);
    }
    let end = range.start.saturating_add(usize::from(len)).min(range.end);
    let captured = length(end.saturating_sub(range.start));
    (range.start..end, u32::from(len).saturating_sub(captured))
}

fn copy(out: &mut [u8], data: &[u8], range: Range<usize>) {
    if let (Some(to), Some(from)) = (out.get_mut(range.clone()), data.get(range)) {
        to.copy_from_slice(from);
    }
}
