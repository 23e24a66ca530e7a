//! Captures that can be shared: the same conversations with other names.
//!
//! The capture is read twice. [`Learner`] takes the records of the first reading, redacts each message by the [`Policy`], and
//! puts it where it stood in its TCP stream. [`Redactor`] writes the packets of the second reading with the addresses that stand
//! for theirs and, as payload, whatever the learner put there: no byte of a payload is ever copied from a packet. What belongs
//! to no message is blank. So retransmissions, overlaps, copies and parts of messages come out alike, in tunnels too.
//!
//! Values get pseudonyms by a key: the same value has the same one in every field and in every capture of that key, no two
//! values share one, and without the key nothing is told by trying all numbers.

mod key;
mod message;
mod permute;
mod policy;
mod pseudonym;
mod report;
mod secured;
mod streams;

pub use key::{KeyError, SHORTEST_KEY, key};
pub use policy::{Policy, Row, UNKNOWN, UnknownName};
pub use report::{FieldCount, Report};

use crate::capture::{Disguise, Disguiser, Packet, Segment};
use crate::ports::Ports;
use crate::record::{MessageInfo, Peers, Record, Sink};
use crate::session::Content;
use message::Messages;
use pseudonym::Pseudonyms;
use secured::Secured;
use std::collections::HashMap;
use std::io::{self, Read, Seek, Write};
use std::net::{IpAddr, SocketAddr};
use streams::{Lane, Streams};

/// What is done about whole connections.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Leave out connections that are encrypted, instead of blanking what they carry.
    pub drop_encrypted: bool,
    /// Keep TCP connections that are not CTI, with blank payload, instead of leaving them out.
    pub keep_other: bool,
    /// Where CTI is expected: there TLS is followed, as far as anybody can.
    pub ports: Ports,
}

/// Takes the records of a capture and remembers what its streams are to look like.
pub struct Learner<S> {
    messages: Messages,
    streams: Streams<S>,
    secured: Secured,
    /// Ends of connections that are followed, the smaller one first, and whether they are encrypted.
    connections: HashMap<(SocketAddr, SocketAddr), bool>,
    options: Options,
}

impl<S: Read + Write + Seek> Learner<S> {
    /// Nothing learned. `spool` is an empty file in which redacted messages are kept.
    #[must_use]
    pub fn new(policy: Policy, key: [u8; 32], options: Options, spool: S) -> Self {
        Self {
            messages: Messages::new(policy, Pseudonyms::new(key)),
            streams: Streams::new(spool),
            secured: Secured::new(options.ports.clone()),
            connections: HashMap::new(),
            options,
        }
    }

    /// Takes a segment of the capture, before the records that it leads to: what is encrypted has no records.
    pub fn segment(&mut self, segment: &Segment<'_>) {
        self.secured.segment(segment, &mut self.streams);
    }

    /// Goes on to the packets.
    ///
    /// # Errors
    /// When something could not be written to the spool.
    pub fn finish(mut self) -> io::Result<Redactor<S>> {
        self.streams.finish()?;
        Ok(Redactor {
            disguiser: Disguiser::new(),
            known: Known {
                messages: self.messages,
                streams: self.streams,
                connections: self.connections,
                options: self.options,
            },
        })
    }

    fn message(&mut self, info: &MessageInfo, bytes: &[u8]) {
        let redacted = self.messages.redact(info, bytes);
        let flow = info.peers.ends(info.direction);
        let session = info.peers.session;
        self.streams.add(
            flow,
            Lane::Messages,
            session,
            info.time,
            info.packets.sequence(),
            &redacted,
        );
    }

    fn connection(&mut self, peers: Peers, content: Content) {
        let encrypted = content == Content::Encrypted;
        let known = self
            .connections
            .entry(ends(peers.client, peers.server))
            .or_insert(encrypted);
        *known |= encrypted;
    }
}

impl<S: Read + Write + Seek> Sink for Learner<S> {
    fn record(&mut self, record: Record<'_>) {
        match record {
            Record::Message(info, bytes) => self.message(info, bytes),
            Record::SessionBegan(session) | Record::SessionEnded(session) => {
                self.connection(session.peers, session.content);
            }
            _ => {}
        }
    }
}

/// Redacts packets, in the order in which the learner's capture had them.
pub struct Redactor<S> {
    disguiser: Disguiser,
    known: Known<S>,
}

struct Known<S> {
    messages: Messages,
    streams: Streams<S>,
    connections: HashMap<(SocketAddr, SocketAddr), bool>,
    options: Options,
}

impl<S: Read + Seek + Write> Redactor<S> {
    /// Looks ahead at a packet, first at all of the capture, then [`Self::looked`]: without it, fragments of datagrams that never
    /// become whole are left out.
    pub fn look(&mut self, packet: &Packet<'_>) {
        self.disguiser.look(packet);
    }

    /// Ends the look ahead.
    pub fn looked(&mut self) {
        self.disguiser.looked();
    }

    /// The packet to be written for one that was read; `None` where it is left out.
    ///
    /// # Errors
    /// When the spool cannot be read.
    pub fn packet(&mut self, packet: &Packet<'_>) -> io::Result<Option<Packet<'_>>> {
        let Self { disguiser, known } = self;
        let redacted = disguiser.packet(packet, known)?;
        let count = match redacted {
            Some(_) => &mut known.messages.report.packets,
            None => &mut known.messages.report.dropped,
        };
        *count = count.saturating_add(1);
        Ok(redacted)
    }

    /// What was done so far.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.known.messages.report
    }
}

impl<S: Read + Seek + Write> Disguise for Known<S> {
    fn address(&mut self, address: IpAddr) -> IpAddr {
        self.messages.address(address)
    }

    fn hardware(&mut self, address: &mut [u8]) {
        self.messages.hardware(address);
    }

    fn payload(&mut self, segment: &Segment<'_>, payload: &mut [u8]) -> io::Result<bool> {
        let (source, destination) = (segment.source, segment.destination);
        let Some(encrypted) = self.connections.get(&ends(source, destination)) else {
            return Ok(self.options.keep_other);
        };
        // Data of a SYN begins behind its number.
        let sequence = segment.sequence.wrapping_add(u32::from(segment.flags.syn));
        let flow = (source, destination);
        for lane in [Lane::Secured, Lane::Messages] {
            self.streams
                .fill(flow, lane, segment.time, sequence, payload)?;
        }
        if *encrypted {
            let blank = payload.iter().filter(|byte| **byte == 0).count();
            let blanked = &mut self.messages.report.encrypted;
            *blanked = blanked.saturating_add(u64::try_from(blank).unwrap_or(0));
            return Ok(!self.options.drop_encrypted);
        }
        Ok(true)
    }
}

fn ends(one: SocketAddr, other: SocketAddr) -> (SocketAddr, SocketAddr) {
    (one.min(other), one.max(other))
}
