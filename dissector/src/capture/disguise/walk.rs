//! Finds where in a packet its headers are, and whether they can be believed.

use super::super::bytes::Bytes;
use super::super::exported::{self, Exported};
use super::super::fragments::Fragments;
use super::super::ip::{self, Datagram, Stop};
use super::super::layers::{in_datagram, join, of_exported};
use super::super::link::{self, Carrier, Network};
use super::super::tunnel::{self, Nest};
use super::super::{Packet, Segment, Tunnel, length};
use super::sums::{self, Verdict};
use etherparse::IpNumber;
use std::net::IpAddr;
use std::ops::Range;

/// A header in front of a TCP segment.
#[derive(Debug, Clone)]
pub(super) enum Layer {
    /// An IP header with its extension headers; then its payload, as far as captured.
    Ip {
        header: Range<usize>,
        end: usize,
        missing: u32,
        source: IpAddr,
        destination: IpAddr,
    },
    /// What lies between an IP header, a link header or another tunnel and what is inside; with the place of the Ethernet
    /// frame that this ends with, if there is one.
    Tunnel {
        kind: Tunnel,
        header: Range<usize>,
        frame: Option<usize>,
        /// Protocol of the IP datagram that it fills.
        protocol: Option<IpNumber>,
    },
}

/// What a packet was found to carry.
pub(super) enum Found<'a> {
    Segment(Walk<'a>),
    /// A part of a datagram that never becomes whole.
    Part(Part<'a>),
}

/// A packet with a part of an IP datagram.
pub(super) struct Part<'a> {
    pub layers: Vec<Layer>,
    /// What the datagram carries, as far as the part tells.
    pub protocol: IpNumber,
    /// It is the first one.
    pub begins: bool,
    pub payload: &'a [u8],
    /// Where in the packet the payload is.
    pub place: usize,
}

/// A packet with a TCP segment.
pub(super) struct Walk<'a> {
    pub layers: Vec<Layer>,
    pub segment: Segment<'a>,
    /// The TCP header as far as captured; empty where there was none.
    pub tcp: &'a [u8],
    /// The header is as long as it says, as far as can be told: what follows its fixed part are its options.
    pub sound: bool,
    /// Hops left, of the innermost datagram.
    pub ttl: u8,
    /// Where in the packet the TCP header is; `None` where the segment was put together.
    pub place: Option<usize>,
}

/// What speaks against headers. Where a length in one of them was damaged, payload would be taken for the fields behind it.
#[derive(Default)]
struct Doubt {
    /// A check sum is wrong, or there is none that confirms the length of an IPv4 header with options.
    wrong: bool,
    /// There are headers with a length that no check sum of IP covers.
    extended: bool,
}

impl Doubt {
    /// Looks at the header of a datagram.
    fn look(&mut self, bytes: &Bytes<'_>, datagram: &Datagram<'_>) {
        let data = bytes.data;
        let header = data
            .len()
            .min((datagram.payload.as_ptr().addr()).saturating_sub(data.as_ptr().addr()));
        let Some(first) = data.first() else {
            return;
        };
        if first >> 4 == 4 {
            let len = usize::from(first & 15) * 4;
            let sum = data.get(10..).and_then(<[u8]>::first_chunk::<2>);
            let found = u16::from_be_bytes(*sum.unwrap_or(&[0; 2]));
            self.wrong |= match Verdict::of(&[], data.get(..len).unwrap_or_default(), found, true) {
                Verdict::Right => false,
                Verdict::Unknown => len > IPV4_HEADER,
                Verdict::Wrong => true,
            };
            self.extended |= header > len;
        } else {
            let fragment = usize::from(datagram.fragment.is_some()) * FRAGMENT_HEADER;
            self.extended |= header > IPV6_HEADER + fragment;
        }
    }

    /// Whether headers can be believed of which the sum of TCP says so much.
    const fn allows(&self, tcp: Verdict, in_place: bool) -> bool {
        match tcp {
            Verdict::Right => true,
            Verdict::Unknown => !self.wrong,
            Verdict::Wrong => !self.wrong && !self.extended && in_place,
        }
    }
}

const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const FRAGMENT_HEADER: usize = 8;

impl<'a> Walk<'a> {
    /// Goes through a packet, as [`Layers`](super::super::Layers) does. `lost` says that its fragment never becomes whole.
    pub(super) fn through(
        fragments: &mut Fragments,
        joined: &'a mut [Vec<u8>],
        packet: &Packet<'a>,
        lost: bool,
    ) -> Result<Found<'a>, Stop> {
        let whole = Bytes {
            data: packet.data,
            missing: packet
                .original_len
                .saturating_sub(length(packet.data.len())),
        };
        let mut carriers = vec![packet.id];
        let mut network = link::network(packet.link_type, whole);
        let mut nest = Nest::default();
        let mut buffers = joined.iter_mut();
        let mut layers = Vec::new();
        let mut doubt = Doubt::default();
        let mut in_place = !matches!(
            packet.link_type,
            link::NFLOG | link::PKTAP | link::EXPORTED_PDU
        );
        let at = |part: &[u8]| offset(packet.data, part);
        loop {
            let (start, protocol, opened) = match network {
                Network::Ip(bytes) => {
                    let mut datagram = ip::datagram(bytes)?;
                    doubt.look(&bytes, &datagram);
                    if let Some(fragment) = datagram.fragment {
                        if !doubt.allows(Verdict::Unknown, in_place) {
                            return Err(Stop::Malformed);
                        }
                        if lost && (!in_place || doubt.extended) {
                            return Err(Stop::Fragment);
                        }
                        if lost {
                            let (start, place) = (at(bytes.data)?, at(datagram.payload)?);
                            let begins = fragment.offset.value() == 0;
                            return Ok(part(layers, &datagram, start, place, begins));
                        }
                        let buffer = buffers.next().ok_or(Stop::TooDeep)?;
                        datagram = join(fragments, packet, &datagram, nest, &mut carriers, buffer)?;
                        in_place = false;
                    }
                    if in_place {
                        layers.push(ip_layer(&datagram, at(bytes.data)?, at(datagram.payload)?));
                    }
                    if datagram.protocol == IpNumber::TCP {
                        return Self::ends(packet, &datagram, layers, in_place, &doubt)
                            .map(Found::Segment);
                    }
                    (
                        datagram.payload,
                        Some(datagram.protocol),
                        tunnel::in_ip(&datagram)?,
                    )
                }
                Network::Carrier(Carrier::Exported, bytes) => match exported::read(bytes)? {
                    Exported::Inside(inside) => {
                        network = inside;
                        continue;
                    }
                    Exported::Tcp(payload) => {
                        return Ok(Found::Segment(Self {
                            layers,
                            segment: of_exported(packet, &payload),
                            tcp: &[],
                            sound: true,
                            ttl: 64,
                            place: None,
                        }));
                    }
                },
                Network::Carrier(carrier, bytes) => {
                    (bytes.data, None, tunnel::in_carrier(carrier, bytes)?)
                }
                Network::Other | Network::Cut | Network::Unknown => return Err(Stop::NotIp),
            };
            nest = nest.enter(&opened).ok_or(Stop::TooDeep)?;
            network = opened.inside;
            if in_place {
                let (Network::Ip(inside) | Network::Carrier(_, inside)) = network else {
                    return Err(Stop::NotIp);
                };
                let header = at(start)?..at(inside.data)?;
                layers.push(Layer::Tunnel {
                    kind: opened.kind,
                    frame: frame(packet.data, opened.kind, &header, network),
                    header,
                    protocol,
                });
            }
        }
    }

    fn ends(
        packet: &Packet<'_>,
        datagram: &Datagram<'a>,
        layers: Vec<Layer>,
        in_place: bool,
        doubt: &Doubt,
    ) -> Result<Self, Stop> {
        let (segment, found, header_len) = in_datagram(packet, datagram)?;
        let len = length(datagram.payload.len());
        let head = sums::head(datagram.source, datagram.destination, IpNumber::TCP.0, len);
        let verdict = Verdict::of(&head, datagram.payload, found, datagram.missing == 0);
        if !doubt.allows(verdict, in_place) {
            return Err(Stop::Malformed);
        }
        let header_len = header_len.min(datagram.payload.len());
        let place = match in_place {
            true => Some(offset(packet.data, datagram.payload)?),
            false => None,
        };
        Ok(Self {
            layers,
            segment,
            tcp: datagram.payload.get(..header_len).unwrap_or_default(),
            sound: verdict != Verdict::Wrong,
            ttl: datagram.ttl,
            place,
        })
    }
}

fn part<'a>(
    mut layers: Vec<Layer>,
    datagram: &Datagram<'a>,
    start: usize,
    place: usize,
    begins: bool,
) -> Found<'a> {
    layers.push(ip_layer(datagram, start, place));
    Found::Part(Part {
        layers,
        protocol: datagram.protocol,
        begins,
        payload: datagram.payload,
        place,
    })
}

fn ip_layer(datagram: &Datagram<'_>, start: usize, payload: usize) -> Layer {
    Layer::Ip {
        header: start..payload,
        end: payload.saturating_add(datagram.payload.len()),
        missing: datagram.missing,
        source: datagram.source,
        destination: datagram.destination,
    }
}

/// Where a part of a packet begins in it.
fn offset(whole: &[u8], part: &[u8]) -> Result<usize, Stop> {
    let from = part.as_ptr().addr().checked_sub(whole.as_ptr().addr());
    from.filter(|at| at.saturating_add(part.len()) <= whole.len())
        .ok_or(Stop::Malformed)
}

/// Where in a tunnel's header the Ethernet frame begins that it ends with; `None` if there is none.
fn frame(packet: &[u8], kind: Tunnel, header: &Range<usize>, inside: Network<'_>) -> Option<usize> {
    let (Network::Ip(found) | Network::Carrier(_, found)) = inside else {
        return None;
    };
    let bytes = packet.get(header.clone())?;
    let leads = |at: &usize| {
        let data = packet.get(header.start.saturating_add(*at)..);
        let frame = Bytes {
            data: data.unwrap_or_default(),
            missing: 0,
        };
        match link::ethernet(frame) {
            Network::Ip(led) | Network::Carrier(_, led) => led.data.as_ptr() == found.data.as_ptr(),
            _ => false,
        }
    };
    let places = match kind {
        // UDP and a header of 8 bytes.
        Tunnel::Vxlan | Tunnel::VxlanGpe => [16, 16],
        Tunnel::Geneve => [16 + usize::from(bytes.get(8)? & 0x3f) * 4; 2],
        Tunnel::Gre => [gre_len(bytes)?; 2],
        Tunnel::Erspan => [erspan_len(bytes)?; 2],
        Tunnel::EtherIp => [2, 2],
        Tunnel::Backbone => [4, 4],
        // Behind the last label, or behind a control word.
        Tunnel::Mpls => {
            let last = bytes
                .chunks(4)
                .position(|entry| entry.get(2).is_some_and(|b| b & 1 == 1))?;
            let behind = last.saturating_add(1).saturating_mul(4);
            [behind.saturating_add(4), behind]
        }
        Tunnel::Pppoe | Tunnel::Ppp | Tunnel::IpInIp | Tunnel::ExportedPdu => return None,
    };
    let at = places.into_iter().find(leads)?;
    Some(header.start.saturating_add(at))
}

/// Length of a GRE header: with check sum, key, sequence and acknowledgment number as the flags say.
fn gre_len(header: &[u8]) -> Option<usize> {
    let &[high, low] = header.first_chunk()?;
    let words = (high & 0xb0).count_ones() + u32::from(low & 0x81 == 0x81);
    usize::try_from(words).ok().map(|words| 4 + words * 4)
}

/// Length of the GRE and the ERSPAN header, of the types I, II and III.
fn erspan_len(header: &[u8]) -> Option<usize> {
    const TYPE_3: u16 = 0x22eb;
    const SEQUENCE: u8 = 0x10;
    let gre = gre_len(header)?;
    let &[flags, _, high, low] = header.first_chunk()?;
    let own = if u16::from_be_bytes([high, low]) == TYPE_3 {
        let added = header.get(gre.saturating_add(11))? & 1 == 1;
        if added { 20 } else { 12 }
    } else if flags & SEQUENCE == 0 {
        0
    } else {
        8
    };
    Some(gre.saturating_add(own))
}
