//! The second reading: decides about each packet, and more generously where the first attempt was too close.

use super::ledger::Sums;
use super::{Flow, Proof, flow};
use crate::capture::{Layers, Packet, PacketId, PacketSet, Peeled, Segment};
use crate::select::Selector;
use crate::time::Timestamp;
use smallvec::SmallVec;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Decides about each packet of a capture that is read once more, in the same order.
pub struct Cut {
    pub(super) packets: PacketSet,
    /// What is kept around what would be read differently otherwise, and what completes fragments.
    pub(super) around: PacketSet,
    pub(super) flows: HashMap<Flow, Followed>,
    pub(super) layers: Layers,
    pub(super) fragments: bool,
    pub(super) reply_wait: Duration,
    pub(super) ledger: super::ledger::Ledger,
    /// Something was raised: packets around are to be found.
    pub(super) raised: bool,
}

/// A connection of which something is kept.
#[derive(Default)]
pub(super) struct Followed {
    handshake: Handshake,
    /// All its packets are kept.
    pub(super) whole: bool,
    /// Kept as a whole since it would be read differently otherwise.
    pub(super) widened: bool,
    /// It is read differently in the result, though nothing of it is missing.
    pub(super) differs: bool,
    /// Times between which all packets are kept.
    pub(super) stretches: Vec<(Timestamp, Timestamp)>,
    /// What was selected.
    pub(super) sums: Sums,
    /// Its sessions with something selected: time of first and last message, and number.
    pub(super) sessions: Vec<(Timestamp, Timestamp, u32)>,
    near: Near,
}

/// How far a connection's handshake has come.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Handshake {
    /// Nothing is missing.
    #[default]
    Open,
    /// SYN and SYN-ACK were kept: the next segment without data completes it.
    Answered,
}

/// What is near a packet that is kept, while packets are looked at.
#[derive(Default)]
struct Near {
    /// The latest packets that are not kept so far, each with those that carried fragments of it.
    before: VecDeque<SmallVec<[PacketId; 1]>>,
    /// So many more are kept.
    left: usize,
    /// And those until then.
    until: Option<Timestamp>,
}

/// How much is kept around a packet at each level: packets before and behind. At the last one, also what comes within the
/// wait for an answer. Above it, connections are kept as a whole.
const AROUND: [usize; 2] = [16, 160];

/// The highest level.
const HIGHEST: u8 = 2;

/// How far cutting went, in connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Widened {
    /// All packets from the beginning to where the version was certain are kept: it is inferred.
    pub inferred: u64,
    /// More than usual is kept around some messages.
    pub around: u64,
    /// All packets are kept, though they were not asked for.
    pub whole: u64,
    /// Not all selected messages are found as they were, though nothing is missing: other connections decided.
    pub different: u64,
}

impl Cut {
    /// Connections of which something is kept.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.flows.len()
    }

    /// Of how many connections more is kept than usual.
    #[must_use]
    pub fn widened(&self) -> Widened {
        let count = |which: fn(&Followed) -> bool| {
            let number = self.flows.values().filter(|f| which(f)).count();
            u64::try_from(number).unwrap_or(u64::MAX)
        };
        Widened {
            inferred: count(|f| !f.whole && !f.stretches.is_empty()),
            around: count(|f| !f.whole && f.sums.highest() > 0),
            whole: count(|f| f.widened),
            different: count(|f| f.differs),
        }
    }

    /// Whether all packets must be looked at before any is asked for: what makes a datagram whole comes last, and so does
    /// what is kept for the sake of others.
    #[must_use]
    pub const fn must_look(&self) -> bool {
        self.fragments || self.raised
    }

    /// Looks at the next packet of the capture, see [`Cut::must_look`].
    pub fn look(&mut self, packet: &Packet<'_>) {
        let Peeled::Tcp(segment) = self.layers.segment(packet) else {
            return;
        };
        let flow = flow(segment.source, segment.destination);
        let Some(followed) = self.flows.get_mut(&flow) else {
            return;
        };
        let by_flow = followed.keeps(&segment);
        let chosen = self.packets.contains(packet.id);
        let carriers = self.layers.carriers();
        if by_flow || chosen {
            self.around.add(carriers);
        }
        let highest = followed.sums.highest();
        if highest > 0 && !followed.whole {
            let level = if chosen {
                followed.sums.level(packet.time)
            } else {
                0
            };
            let near = &mut followed.near;
            if let Some(reach) = reach(level) {
                near.keep(reach, &mut self.around);
                near.until = (level == HIGHEST).then(|| packet.time.after(self.reply_wait));
            } else if near.takes(packet.time) {
                self.around.add(carriers);
            } else {
                near.remember(carriers, reach(highest).unwrap_or(0));
            }
        }
    }

    /// All packets were looked at.
    pub fn looked(&mut self) {
        self.start();
    }

    /// Whether to keep a packet.
    pub fn keeps(&mut self, packet: &Packet<'_>) -> bool {
        let peeled = self.layers.segment(packet);
        // Not short-circuited: handshakes are followed through kept packets as well.
        let by_flow = match peeled {
            Peeled::Tcp(segment) => {
                let flow = flow(segment.source, segment.destination);
                let followed = self.flows.get_mut(&flow);
                followed.is_some_and(|followed| followed.keeps(&segment))
            }
            _ => false,
        };
        by_flow || self.packets.contains(packet.id) || self.around.contains(packet.id)
    }

    /// Before the packets are read from the first one on.
    fn start(&mut self) {
        self.layers = Layers::new();
        for followed in self.flows.values_mut() {
            followed.handshake = Handshake::Open;
            followed.near = Near::default();
        }
    }

    /// Whether the result may say something else than the capture. What is kept as a whole cannot.
    #[must_use]
    pub fn must_prove(&self) -> bool {
        let mut flows = self.flows.values();
        flows.any(|followed| !followed.whole && !followed.sums.is_empty())
    }

    /// What takes the records when the result is read: with a selector of the same criteria and options of dissecting.
    #[must_use]
    pub fn proof(self, selector: Selector) -> Proof {
        Proof::new(self, selector)
    }

    /// Takes what is left of the sums when those of the result were taken out. False when nothing more can be done.
    pub(super) fn learn(&mut self, rest: &HashMap<Flow, Sums>) -> bool {
        let mut more = false;
        for (flow, rest) in rest {
            let Some(followed) = self.flows.get_mut(flow) else {
                continue;
            };
            if rest.is_balanced() {
                continue;
            }
            if followed.whole {
                followed.differs = true;
                continue;
            }
            if !followed.sums.raise(rest, HIGHEST) {
                followed.whole = true;
                followed.widened = true;
            }
            self.raised = true;
            more = true;
        }
        self.start();
        more
    }
}

/// Packets kept before and behind at a level; `None` at the usual one.
fn reach(level: u8) -> Option<usize> {
    let index = usize::from(level).checked_sub(1)?;
    AROUND.get(index).copied()
}

impl Near {
    /// A packet is kept: so are those around it.
    fn keep(&mut self, reach: usize, kept: &mut PacketSet) {
        let far = self.before.len().saturating_sub(reach);
        for packets in self.before.drain(..).skip(far) {
            kept.add(&packets);
        }
        self.left = reach;
    }

    /// Whether a packet is near enough behind one that is kept.
    fn takes(&mut self, time: Timestamp) -> bool {
        let takes = self.left > 0 || self.until.is_some_and(|until| time <= until);
        self.left = self.left.saturating_sub(1);
        takes
    }

    fn remember(&mut self, carriers: &[PacketId], reach: usize) {
        if self.before.len() >= reach {
            self.before.pop_front();
        }
        self.before.push_back(SmallVec::from_slice(carriers));
    }
}

impl Followed {
    /// Whether to keep a segment for its connection's sake.
    fn keeps(&mut self, segment: &Segment<'_>) -> bool {
        let flags = segment.flags;
        let completes = self.handshake == Handshake::Answered && !flags.syn;
        if flags.syn {
            self.handshake = if flags.ack {
                Handshake::Answered
            } else {
                Handshake::Open
            };
        } else if completes {
            self.handshake = Handshake::Open;
        }
        self.whole
            || flags.syn
            || flags.fin
            || flags.rst
            || completes && segment.payload.is_empty()
            || self
                .stretches
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&segment.time))
    }
}
