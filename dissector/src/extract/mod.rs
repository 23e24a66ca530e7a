//! Which packets of a capture to keep, so that the messages that were selected are found in what is left as they were.
//!
//! The capture is read twice. [`Choice`] takes the records of the first reading and gives a [`Cut`], which decides about each
//! packet of the second one. Of a connection with a selected message are kept:
//!
//! - the packets that carry selected messages, and those of the messages right before and behind each in its direction: a
//!   boundary behind a hole must be confirmed by what follows;
//! - of each request that is kept, its answer, and of each answer its request: what is left out would look unanswered;
//! - the packets of OPEN_REQ and of its answer, so that the version is known; where it is inferred, all packets with messages
//!   that are weighed for it;
//! - a packet every half [`MAX_JUMP`](crate::limits::MAX_JUMP) bytes, so that no hole is too wide for a sequence number to be
//!   believed;
//! - its handshake, FIN and RST;
//! - or everything, if whole connections are asked for.
//!
//! All fragments of a datagram that is kept are kept. What [`Layers`] takes for a copy of a packet is not.
//!
//! Whether that was enough nobody can tell beforehand: behind damage, a boundary may be found by what stands far away. So the
//! result is read as well, by a [`Proof`], with the same selection. What it finds must be what was selected, in bytes, version,
//! direction, time and answers. Where it is not, the cut keeps more around these messages, in the end the whole connection, and
//! is made again.

mod cut;
mod ledger;
mod proof;

pub use cut::{Cut, Widened};
pub use proof::Proof;

use crate::capture::{Layers, PacketId, PacketSet};
use crate::limits;
use crate::protocol::{Kind, roles};
use crate::record::{Direction, MessageInfo, Packets, Record, Sink};
use crate::select::Selector;
use crate::session::{Session, VersionSource, WEIGHED_MESSAGES};
use crate::time::Timestamp;
use cut::Followed;
use ledger::Ledger;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

/// Two ends of a connection, the smaller one first.
type Flow = (SocketAddr, SocketAddr);

/// Bytes of a direction of which at least one packet is kept: half of what a sequence number may jump.
const STEP: u32 = limits::MAX_JUMP / 2;

/// Capture time before the first message of a session in which packets belong to it: what comes before the first boundary.
const LEAD: Duration = Duration::from_secs(5);

/// What was chosen while the capture is read for the first time.
pub struct Choice {
    selector: Selector,
    whole: bool,
    reply_wait: Duration,
    packets: PacketSet,
    flows: HashMap<Flow, Followed>,
    ledger: Ledger,
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
    /// Packets that are kept if anything is: OPEN_REQ and its answer, and one each [`STEP`] bytes.
    opening: Vec<PacketId>,
    answers_opening: usize,
    /// Messages from which the version was inferred, and when the last one came.
    weighed: u32,
    weighed_until: Timestamp,
    /// The direction of the client, and that of the server.
    sides: [SideState; 2],
}

#[derive(Default)]
struct SideState {
    last: Packets,
    /// Number of that message, in case it is a request.
    request: Option<u64>,
    takes_next: bool,
    /// Sequence number of the last packet of which it is certain that it is kept.
    step: Option<u32>,
}

impl Choice {
    /// Nothing chosen yet. `whole` keeps all packets of connections with a selected message; `reply_wait` is that of the
    /// dissector.
    #[must_use]
    pub fn new(selector: Selector, whole: bool, reply_wait: Duration) -> Self {
        Self {
            selector,
            whole,
            reply_wait,
            packets: PacketSet::default(),
            flows: HashMap::new(),
            ledger: Ledger::default(),
            sessions: HashMap::new(),
            requests: BTreeMap::new(),
        }
    }

    /// What is asked for, and how many messages passed.
    #[must_use]
    pub const fn selector(&self) -> &Selector {
        &self.selector
    }

    /// What to keep. `fragments`: there are fragments among the packets.
    #[must_use]
    pub fn finish(mut self, fragments: bool) -> Cut {
        for followed in self.flows.values_mut() {
            followed.whole = self.whole;
        }
        Cut {
            flows: self.flows,
            packets: self.packets,
            around: PacketSet::default(),
            layers: Layers::new(),
            fragments,
            raised: false,
            reply_wait: self.reply_wait,
            ledger: self.ledger,
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
        if opens && open.answers_opening < limits::MAX_OPENING_PACKETS {
            open.answers_opening += info.packets.len();
            open.opening.extend_from_slice(&info.packets);
        }
        open.weigh(info);
        let Some(side) = open.sides.get_mut(side) else {
            return;
        };
        let sequence = info.packets.sequence();
        let step = *side.step.get_or_insert(sequence);
        if (STEP..u32::MAX / 2).contains(&sequence.wrapping_sub(step)) {
            side.step = Some(sequence);
            open.opening.extend_from_slice(&info.packets);
        }
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
        }
        side.takes_next = selected;
        side.last = info.packets.clone();
        side.request = Some(info.no);
        if open.touched {
            self.packets.add(&std::mem::take(&mut open.opening));
        }
    }

    fn ended(&mut self, session: &Session) {
        let peers = session.peers;
        let ended = self.sessions.remove(&peers.session).unwrap_or_default();
        self.ledger.ended(peers.session);
        // What has no message to be selected by is selected by its number and time, if nothing else is asked for.
        if !ended.touched && !self.selector.lasts_into(session) {
            return;
        }
        let followed = self
            .flows
            .entry(flow(peers.client, peers.server))
            .or_default();
        followed
            .sessions
            .push((session.first, session.last, peers.session));
        if ended.touched && ended.weighed > 0 {
            let lead = i64::try_from(LEAD.as_nanos()).unwrap_or(0);
            let begin = session.first.nanos().saturating_sub(lead);
            followed
                .stretches
                .push((Timestamp::from_nanos(begin), ended.weighed_until));
        }
    }

    fn select(&mut self, record: &Record<'_>) -> bool {
        let selected = self.selector.accepts(record);
        let entry = match record {
            Record::Message(info, bytes) if selected => Some(self.ledger.message(info, bytes)),
            Record::Exchange(exchange) => self.ledger.exchange(exchange),
            _ => None,
        };
        if let Some(entry) = entry {
            self.flows.entry(entry.flow).or_default().sums.add(&entry);
        }
        selected
    }
}

impl Open {
    /// Notes a message that is weighed for the version.
    fn weigh(&mut self, info: &MessageInfo) {
        let inferred = matches!(
            info.version_source,
            VersionSource::Inferred { .. } | VersionSource::Undecided
        );
        if inferred && self.weighed <= WEIGHED_MESSAGES {
            self.weighed += 1;
            self.weighed_until = self.weighed_until.max(info.time);
        }
    }
}

impl Sink for Choice {
    fn record(&mut self, record: Record<'_>) {
        let selected = self.select(&record);
        match record {
            Record::Message(info, _) => self.message(info, selected),
            Record::SessionEnded(session) => self.ended(session),
            _ => {}
        }
    }
}

fn flow(one: SocketAddr, other: SocketAddr) -> Flow {
    (one.min(other), one.max(other))
}
