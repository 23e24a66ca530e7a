//! Finds where in a packet its headers are.

use super::super::bytes::Bytes;
use super::super::exported::{self, Exported};
use super::super::fragments::Fragments;
use super::super::ip::{self, Datagram, Stop};
use super::super::layers::{in_datagram, join, of_exported};
use super::super::link::{self, Carrier, Network};
use super::super::tunnel::{self, Nest};
use super::super::{Packet, Segment, Tunnel, length};
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

/// A packet with a TCP segment.
pub(super) struct Walk<'a> {
    pub layers: Vec<Layer>,
    pub segment: Segment<'a>,
    /// The TCP header as far as captured; empty where there was none.
    pub tcp: &'a [u8],
    /// Hops left, of the innermost datagram.
    pub ttl: u8,
    /// Where in the packet the TCP header is; `None` where the segment was put together.
    pub place: Option<usize>,
}

impl<'a> Walk<'a> {
    /// Goes through a packet, as [`Layers`](super::super::Layers) does.
    pub(super) fn new(
        fragments: &mut Fragments,
        joined: &'a mut [Vec<u8>],
        packet: &Packet<'a>,
    ) -> Result<Self, Stop> {
        let whole = Bytes {
            data: packet.data,
            missing: packet
                .original_len
                .saturating_sub(length(packet.data.len())),
        };
        let mut carriers = Vec::new();
        let mut network = link::network(packet.link_type, whole);
        let mut nest = Nest::default();
        let mut buffers = joined.iter_mut();
        let mut layers = Vec::new();
        let mut in_place = !matches!(
            packet.link_type,
            link::NFLOG | link::PKTAP | link::EXPORTED_PDU
        );
        let at = |part: &[u8]| offset(packet.data, part);
        loop {
            let (start, protocol, opened) = match network {
                Network::Ip(bytes) => {
                    let mut datagram = ip::datagram(bytes)?;
                    if datagram.fragment.is_some() {
                        let buffer = buffers.next().ok_or(Stop::TooDeep)?;
                        datagram = join(fragments, packet, &datagram, nest, &mut carriers, buffer)?;
                        in_place = false;
                    }
                    if in_place {
                        layers.push(ip_layer(&datagram, at(bytes.data)?, at(datagram.payload)?));
                    }
                    if datagram.protocol == IpNumber::TCP {
                        return Self::ends(packet, &datagram, layers, in_place);
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
                        return Ok(Self {
                            layers,
                            segment: of_exported(packet, &payload),
                            tcp: &[],
                            ttl: 64,
                            place: None,
                        });
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
    ) -> Result<Self, Stop> {
        let (segment, _, header_len) = in_datagram(packet, datagram)?;
        let header_len = header_len.min(datagram.payload.len());
        let place = match in_place {
            true => Some(offset(packet.data, datagram.payload)?),
            false => None,
        };
        Ok(Self {
            layers,
            segment,
            tcp: datagram.payload.get(..header_len).unwrap_or_default(),
            ttl: datagram.ttl,
            place,
        })
    }
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
