//! Which packets of a capture to keep, so that the messages that were selected can be followed in what is left.
//!
//! The capture is read twice. [`Choice`] takes the records of the first reading and gives a [`Cut`], which decides about each
//! packet of the second one. Of a connection with a selected message are kept:
//!
//! - the packets that carry selected messages, and those of the messages right before and behind each in its direction: a
//!   boundary behind a hole must be confirmed by what follows;
//! - of each request that is kept, its answer, and of each answer its request: what is left out would look unanswered;
//! - the packets of OPEN_REQ and of its answer, so that the version is known;
//! - its handshake, FIN and RST;
//! - or everything, if whole connections are asked for.
//!
//! All fragments of a datagram that is kept are kept. What [`Layers`] takes for a copy of a packet is not.

use crate::capture::{Layers, Packet, PacketId, PacketSet, Peeled, Segment};
use crate::limits;
use crate::protocol::{Kind, roles};
use crate::record::{Direction, MessageInfo, Packets, Record, Sink};
use crate::select::Selector;
use crate::session::Session;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;

/// Two ends of a connection, the smaller one first.
type Flow = (SocketAddr, SocketAddr);

/// What was chosen while the capture is read for the first time.
pub struct Choice {
    selector: Selector,
    whole: bool,
    packets: PacketSet,
    flows: HashSet<Flow>,
    /// Sessions under way.
    sessions: HashMap<u32, Open>,
    /// The latest requests by the number of their message.
    requests: BTreeMap<u64, Request>,
}

/// A request that was answered or may still be.
struct Request {
    packets: Packets,
    kept: bool,
    /// Packets of its answers so far; of many, the first.
    answers: Vec<PacketId>,
}

/// What is remembered of a session under way.
#[derive(Default)]
struct Open {
    touched: bool,
    /// Packets of OPEN_REQ and its answer.
    opening: Vec<PacketId>,
    /// The direction of the client, and that of the server.
    sides: [SideState; 2],
}

#[derive(Default)]
struct SideState {
    last: Packets,
    /// Number of that message, in case it is a request.
    request: Option<u64>,
    takes_next: bool,
}

impl Choice {
    /// Nothing chosen yet. `whole` keeps all packets of connections with a selected message.
    #[must_use]
    pub fn new(selector: Selector, whole: bool) -> Self {
        Self {
            selector,
            whole,
            packets: PacketSet::default(),
            flows: HashSet::new(),
            sessions: HashMap::new(),
            requests: BTreeMap::new(),
        }
    }

    /// What is asked for, and how many messages passed.
    #[must_use]
    pub const fn selector(&self) -> &Selector {
        &self.selector
    }

    /// What to keep. Connections in which something was selected.
    #[must_use]
    pub fn finish(self) -> Cut {
        Cut {
            connections: self.flows.len(),
            flows: self
                .flows
                .into_iter()
                .map(|flow| (flow, Handshake::Open))
                .collect(),
            packets: self.packets,
            whole: self.whole,
            layers: Layers::new(),
        }
    }

    fn message(&mut self, info: &MessageInfo, selected: bool) {
        let open = self.sessions.entry(info.peers.session).or_default();
        let side = match info.direction {
            Direction::ClientToServer => 0,
            Direction::ServerToClient => 1,
        };
        let opens = matches!(info.number, roles::OPEN_REQ | roles::OPEN_CONF)
            || info
                .answers
                .is_some_and(|a| a.request.number == roles::OPEN_REQ);
        if opens && open.opening.len() < limits::MAX_OPENING_PACKETS {
            open.opening.extend_from_slice(&info.packets);
        }
        let Some(side) = open.sides.get_mut(side) else {
            return;
        };
        let mut kept = selected || side.takes_next;
        let asked = info.answers.map(|a| a.request.no);
        if let Some(request) = asked.and_then(|no| self.requests.get_mut(&no)) {
            kept |= request.kept;
            if request.answers.len() < limits::MAX_OPENING_PACKETS {
                request.answers.extend_from_slice(&info.packets);
            }
            if kept {
                request.kept = true;
                self.packets.add(&request.packets);
            }
        }
        if kept {
            self.packets.add(&info.packets);
        }
        if info.message.is_some_and(|m| m.kind == Kind::Request) {
            let request = Request {
                packets: info.packets.clone(),
                kept,
                answers: Vec::new(),
            };
            self.requests.insert(info.no, request);
            if self.requests.len() > limits::MAX_OPEN_REQUESTS {
                self.requests.pop_first();
            }
        }
        if selected {
            open.touched = true;
            self.packets.add(&side.last);
            if let Some(request) = side.request.and_then(|no| self.requests.get_mut(&no)) {
                request.kept = true;
                self.packets.add(&request.answers);
            }
            self.flows
                .insert(flow(info.peers.client, info.peers.server));
        }
        side.takes_next = selected;
        side.last = info.packets.clone();
        side.request = Some(info.no);
        if open.touched {
            self.packets.add(&std::mem::take(&mut open.opening));
        }
    }

    fn ended(&mut self, session: &Session) {
        self.sessions.remove(&session.peers.session);
        // What has no message to be selected by is selected by its number and time, if nothing else is asked for.
        if self.selector.lasts_into(session) {
            let peers = session.peers;
            self.flows.insert(flow(peers.client, peers.server));
        }
    }
}

impl Sink for Choice {
    fn record(&mut self, record: Record<'_>) {
        match record {
            Record::Message(info, _) => {
                let selected = self.selector.accepts(&record);
                self.message(info, selected);
            }
            Record::SessionEnded(session) => {
                self.ended(session);
                self.selector.accepts(&record);
            }
            _ => {
                self.selector.accepts(&record);
            }
        }
    }
}

/// Decides about each packet of a capture that is read once more, in the same order.
pub struct Cut {
    packets: PacketSet,
    flows: HashMap<Flow, Handshake>,
    connections: usize,
    whole: bool,
    layers: Layers,
}

/// How far a connection's handshake has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Handshake {
    /// Nothing is missing.
    Open,
    /// SYN and SYN-ACK were kept: the next segment without data completes it.
    Answered,
}

impl Cut {
    /// Connections of which something is kept.
    #[must_use]
    pub const fn connections(&self) -> usize {
        self.connections
    }

    /// Looks at each packet of the capture, in order, before any is asked for: only needed when there are fragments. What
    /// makes a datagram whole comes last, so the others must be known before.
    pub fn look(&mut self, packet: &Packet<'_>) {
        let keep = matches!(self.layers.segment(packet), Peeled::Tcp(segment)
            if self.packets.contains(packet.id) || keeps(&mut self.flows, self.whole, &segment));
        if keep {
            self.packets.add(self.layers.carriers());
        }
    }

    /// All packets were looked at.
    pub fn looked(&mut self) {
        self.layers = Layers::new();
        for state in self.flows.values_mut() {
            *state = Handshake::Open;
        }
    }

    /// Whether to keep a packet.
    pub fn keeps(&mut self, packet: &Packet<'_>) -> bool {
        let peeled = self.layers.segment(packet);
        // Not short-circuited: handshakes are followed through kept packets as well.
        let by_flow =
            matches!(peeled, Peeled::Tcp(segment) if keeps(&mut self.flows, self.whole, &segment));
        by_flow || self.packets.contains(packet.id)
    }
}

/// Whether to keep a segment for its connection's sake.
fn keeps(flows: &mut HashMap<Flow, Handshake>, whole: bool, segment: &Segment<'_>) -> bool {
    let Some(state) = flows.get_mut(&flow(segment.source, segment.destination)) else {
        return false;
    };
    let flags = segment.flags;
    let completes = *state == Handshake::Answered && !flags.syn;
    if flags.syn {
        *state = if flags.ack {
            Handshake::Answered
        } else {
            Handshake::Open
        };
    } else if completes {
        *state = Handshake::Open;
    }
    whole || flags.syn || flags.fin || flags.rst || completes && segment.payload.is_empty()
}

fn flow(one: SocketAddr, other: SocketAddr) -> Flow {
    (one.min(other), one.max(other))
}
