//! Writes a packet anew with other addresses and another payload, and is sure of every byte: it begins with zeros and copies
//! only header fields that it knows. Tunnels, tags and TCP options stay; padding, IP options and what no table knows do not.
//!
//! A packet that brings the last fragment of an IP datagram becomes an Ethernet frame with the whole datagram, without the
//! tunnels around it; so do packets of link types that tell about processes or are no packets of a line. The other fragments
//! are left out.

mod sums;
mod walk;
mod write;

use super::fragments::Fragments;
use super::layers::JOINED_BUFFERS;
use super::{Packet, Segment, length, link};
use std::io;
use std::net::IpAddr;
use walk::Walk;

/// What is put in the place of addresses and payload.
pub trait Disguise {
    /// The address that stands for another one, of the same family.
    fn address(&mut self, address: IpAddr) -> IpAddr;

    /// Replaces a hardware address.
    fn hardware(&mut self, address: &mut [u8]);

    /// Puts what may be shown of a segment's payload into `payload`, which holds as many zeros. False leaves the packet out.
    ///
    /// # Errors
    /// Whatever keeps the payload from being known.
    fn payload(&mut self, segment: &Segment<'_>, payload: &mut [u8]) -> io::Result<bool>;
}

/// Disguises the packets of a capture, in order.
#[derive(Default)]
pub struct Disguiser {
    fragments: Fragments,
    joined: [Vec<u8>; JOINED_BUFFERS],
    out: Vec<u8>,
}

impl Disguiser {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The packet that stands for another one; `None` where that has no TCP segment, or not all of one yet, or it is to be
    /// left out.
    ///
    /// # Errors
    /// Those of [`Disguise::payload`].
    pub fn packet(
        &mut self,
        packet: &Packet<'_>,
        disguise: &mut impl Disguise,
    ) -> io::Result<Option<Packet<'_>>> {
        let Ok(walk) = Walk::new(&mut self.fragments, &mut self.joined, packet) else {
            return Ok(None);
        };
        let mut payload = vec![0; walk.segment.payload.len()];
        if !disguise.payload(&walk.segment, &mut payload)? {
            return Ok(None);
        }
        self.out.clear();
        let (link_type, missing) = match walk.place {
            Some(place) => {
                write::in_place(&mut self.out, packet, &walk, place, &payload, disguise);
                let captured = length(packet.data.len());
                (
                    packet.link_type,
                    packet.original_len.saturating_sub(captured),
                )
            }
            None => {
                if !write::alone(&mut self.out, packet, &walk, &payload, disguise) {
                    return Ok(None);
                }
                (link::ETHERNET, walk.segment.missing)
            }
        };
        Ok(Some(Packet {
            id: packet.id,
            time: packet.time,
            interface: packet.interface,
            link_type,
            data: &self.out,
            original_len: length(self.out.len()).saturating_add(missing),
        }))
    }
}

#[cfg(test)]
mod tests;
