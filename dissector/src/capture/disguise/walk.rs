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
                    frame: frame(packet.data, &header, network),
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

/// The first place within a tunnel's header from which an Ethernet header leads to what is inside.
fn frame(packet: &[u8], header: &Range<usize>, inside: Network<'_>) -> Option<usize> {
    const SHORTEST: usize = 14;
    let (Network::Ip(found) | Network::Carrier(_, found)) = inside else {
        return None;
    };
    let last = header.end.checked_sub(SHORTEST)?;
    (header.start..=last).find(|at| {
        let bytes = Bytes {
            data: packet.get(*at..).unwrap_or_default(),
            missing: 0,
        };
        match link::ethernet(bytes) {
            Network::Ip(led) | Network::Carrier(_, led) => led.data.as_ptr() == found.data.as_ptr(),
            _ => false,
        }
    })
}
