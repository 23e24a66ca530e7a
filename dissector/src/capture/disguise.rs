//! Writes a packet anew with other addresses and another payload, and is sure of every byte: it begins with zeros and copies
//! only header fields that it knows. Tunnels, tags and TCP options stay; padding, IP options and what no table knows do not.
//!
//! A packet that brings the last fragment of an IP datagram becomes an Ethernet frame with the whole datagram, without the
//! tunnels around it; so do packets of link types that tell about processes or are no packets of a line. The other fragments
//! are left out, but for those of datagrams that never become whole, which a look ahead has to tell: these have their headers.
//!
//! What no check sum confirms is believed only where a damaged length could not have moved payload to where a field is
//! read.

mod sums;
mod walk;
mod write;

use super::fragments::Fragments;
use super::layers::JOINED_BUFFERS;
use super::{Packet, PacketSet, Segment, length, link};
use std::io;
use std::net::IpAddr;
use walk::{Found, Walk};

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
    /// Packets with fragments that never become whole.
    lost: PacketSet,
    /// A look ahead.
    ahead: Option<Fragments>,
    out: Vec<u8>,
}

impl Disguiser {
    /// Nothing seen yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks ahead at a packet; first at all of a capture, then [`Self::looked`]. Without it, fragments of datagrams that never become
    /// whole are left out.
    pub fn look(&mut self, packet: &Packet<'_>) {
        let ahead = self.ahead.get_or_insert_with(Fragments::noting_lost);
        // What the packet carries does not matter here.
        let _ = Walk::through(ahead, &mut self.joined, packet, false);
    }

    /// Ends the look ahead.
    pub fn looked(&mut self) {
        if let Some(ahead) = self.ahead.take() {
            self.lost = ahead.into_lost();
        }
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
        let lost = self.lost.contains(packet.id);
        let found = Walk::through(&mut self.fragments, &mut self.joined, packet, lost);
        let walk = match found {
            Ok(Found::Segment(walk)) => walk,
            Ok(Found::Part(part)) => {
                self.out.clear();
                write::part(&mut self.out, packet, &part, disguise);
                return Ok(Some(self.in_place(packet)));
            }
            Err(_) => return Ok(None),
        };
        let mut payload = vec![0; walk.segment.payload.len()];
        if !disguise.payload(&walk.segment, &mut payload)? {
            return Ok(None);
        }
        self.out.clear();
        if let Some(place) = walk.place {
            write::in_place(&mut self.out, packet, &walk, place, &payload, disguise);
            return Ok(Some(self.in_place(packet)));
        }
        if !write::alone(&mut self.out, packet, &walk, &payload, disguise) {
            return Ok(None);
        }
        let missing = walk.segment.missing;
        Ok(Some(Packet {
            link_type: link::ETHERNET,
            data: &self.out,
            original_len: length(self.out.len()).saturating_add(missing),
            ..*packet
        }))
    }

    /// What was written, as a packet like another one.
    fn in_place(&self, packet: &Packet<'_>) -> Packet<'_> {
        Packet {
            data: &self.out,
            ..*packet
        }
    }
}

#[cfg(test)]
mod tests;
