//! What is known of one TCP connection: whether it is CTI, which end is the server, and its session.

use super::is_expected;
use super::versions::Unsettled;
use crate::decode::wire;
use crate::framing::{Break, ENOUGH, FOREIGN_PORT, Framer};
use crate::limits;
use crate::ports::{PortKind, Ports};
use crate::protocol::{Message, ProtocolVersion, Sender, roles};
use crate::reassembly::{Connection, Interest, Side};
use crate::record::Direction;
use crate::sequencer::Place;
use crate::session::{Evidence, ServerBy, Session};
use crate::time::Timestamp;
use smallvec::SmallVec;

/// What a connection has shown to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not known yet.
    Probing,
    /// CTI, or a port on which it is expected.
    Cti,
    /// TLS on a port on which CTI is expected.
    Encrypted,
    /// Something else.
    Ignored,
}

/// A session and what is needed to follow it.
pub(super) struct SessionState {
    pub session: Session,
    /// Messages weighed to infer the version; `None` when it is stated or forced.
    pub evidence: Option<Evidence>,
    /// Messages that wait for the version, and the session's own beginning.
    pub waiting: Vec<Place>,
    /// Those of them that the version tells what they are.
    pub unsettled: Vec<Unsettled>,
    pub began: Place,
    /// Waiting for the version.
    pub undecided: bool,
    /// Which numbering of the network recording messages the server has shown.
    pub renumbered: Option<bool>,
    /// CLOSE_CONF was seen: another OPEN_REQ begins a new session.
    pub closed: bool,
    pub messages: u64,
}

impl SessionState {
    /// The version, unless it is a mere guess so far.
    pub(super) fn sure_version(&self) -> Option<ProtocolVersion> {
        self.session.version.filter(|_| !self.undecided)
    }
}

/// What is known of a connection's ends.
#[derive(Debug)]
pub(super) struct Facts {
    /// The server's side and how it is known.
    pub server: Option<(Side, ServerBy)>,
    /// What the ports say.
    pub port: PortKind,
    /// Last gap per sender (`Side::First`, `Side::Second`).
    gaps: (Option<Timestamp>, Option<Timestamp>),
    /// Breaks from before the session was known.
    pub early: Vec<(Side, Break)>,
    early_is_full: bool,
    /// Framing has found a message: this is CTI, whether the message has been told or still waits for its turn.
    pub confirmed: bool,
}

impl Facts {
    /// Who sends from a side.
    pub(super) fn sender(&self, side: Side) -> Option<Sender> {
        self.server.map(|(server, _)| {
            if side == server {
                Sender::Server
            } else {
                Sender::Client
            }
        })
    }

    /// Which way bytes from a side go.
    pub(super) fn direction(&self, from: Side) -> Direction {
        match self.server {
            Some((server, _)) if server == from => Direction::ServerToClient,
            _ => Direction::ClientToServer,
        }
    }

    /// The side that sends in a direction.
    fn side(&self, direction: Direction) -> Side {
        let server = self.server.map_or(Side::Second, |(side, _)| side);
        match direction {
            Direction::ServerToClient => server,
            Direction::ClientToServer => server.other(),
        }
    }

    /// Takes a better proof of which side is the server.
    pub(super) fn server_is(&mut self, side: Side, by: ServerBy) {
        let rank = |by: ServerBy| match by {
            ServerBy::OpenReq => 3,
            ServerBy::Syn => 2,
            ServerBy::Port => 1,
            ServerBy::Messages => 0,
        };
        if self.server.is_none_or(|(_, known)| rank(by) > rank(known)) {
            self.server = Some((side, by));
        }
    }

    /// What a message tells about who sent it.
    pub(super) fn learn_from(&mut self, from: Side, message: Option<&Message>) {
        let Some(message) = message else { return };
        if message.number == roles::OPEN_REQ {
            self.server_is(from.other(), ServerBy::OpenReq);
        }
        match message.sender {
            Sender::Client => self.server_is(from.other(), ServerBy::Messages),
            Sender::Server => self.server_is(from, ServerBy::Messages),
            Sender::Either => {}
        }
    }

    /// Keeps a break from before the session is known; beyond a few, the last one takes up the others.
    pub(super) fn note_early(&mut self, from: Side, details: Break) {
        match self.early.iter_mut().rfind(|(side, _)| *side == from) {
            Some((_, last)) if self.early_is_full => {
                last.missing = last.missing.saturating_add(details.missing);
                last.skipped = last.skipped.saturating_add(details.skipped);
                last.resumed = details.resumed;
                last.within_message = false;
            }
            _ => self.early.push((from, details)),
        }
        self.early_is_full = self.early.len() >= limits::MAX_EARLY_BREAKS;
    }

    pub(super) const fn note_gap(&mut self, from: Side, time: Timestamp) {
        match from {
            Side::First => self.gaps.0 = Some(time),
            Side::Second => self.gaps.1 = Some(time),
        }
    }

    /// Whether bytes in a direction went missing since a time.
    pub(super) fn gap_since(&self, direction: Direction, since: Timestamp) -> bool {
        let last = match self.side(direction) {
            Side::First => self.gaps.0,
            Side::Second => self.gaps.1,
        };
        last.is_some_and(|time| time >= since)
    }
}

/// As many bytes as a header has.
type Head = SmallVec<[u8; wire::HEADER_LEN]>;

/// A TCP connection as we follow it, from its first data on.
pub(super) struct Live {
    pub phase: Phase,
    pub framers: (Framer, Framer),
    pub facts: Facts,
    pub session: Option<Box<SessionState>>,
    /// Sides that have sent data.
    pub spoke: (bool, bool),
    /// The first bytes of each side, as many as a header has.
    heads: (Head, Head),
    initiator: Option<Side>,
    probed: u64,
    /// Ports of the two ends and what they say.
    ports: (PortKind, PortKind),
}

impl Live {
    pub(super) fn new(connection: &Connection, ports: &Ports) -> Self {
        let kinds = (
            ports.kind(connection.first.port()),
            ports.kind(connection.second.port()),
        );
        let port = if is_expected(kinds.0) {
            kinds.0
        } else {
            kinds.1
        };
        let phase = if is_expected(port) {
            Phase::Cti
        } else {
            Phase::Probing
        };
        let required = if phase == Phase::Cti {
            ENOUGH
        } else {
            FOREIGN_PORT
        };
        let mut live = Self {
            phase,
            framers: (Framer::searching(required), Framer::searching(required)),
            facts: Facts {
                server: None,
                port,
                gaps: (None, None),
                early: Vec::new(),
                early_is_full: false,
                confirmed: false,
            },
            session: None,
            spoke: (false, false),
            heads: (Head::new(), Head::new()),
            initiator: None,
            probed: 0,
            ports: kinds,
        };
        live.learn(connection);
        match (is_expected(kinds.0), is_expected(kinds.1)) {
            (true, false) => live.facts.server_is(Side::First, ServerBy::Port),
            (false, true) => live.facts.server_is(Side::Second, ServerBy::Port),
            _ => {}
        }
        live
    }

    /// Takes over what reassembly has learned: who opened the connection.
    pub(super) fn learn(&mut self, connection: &Connection) {
        if self.initiator == connection.initiator {
            return;
        }
        self.initiator = connection.initiator;
        if let Some(initiator) = self.initiator {
            self.facts.server_is(initiator.other(), ServerBy::Syn);
            // A stream that is seen from its beginning begins with a message.
            if self.phase == Phase::Cti && self.session.is_none() {
                for framer in [&mut self.framers.0, &mut self.framers.1] {
                    if framer.unconfirmed() == 0 && framer.buffered() == 0 {
                        *framer = Framer::in_step();
                    }
                }
            }
        }
    }

    /// Looks at the next bytes before they are framed: TLS and traffic that cannot be CTI are told by their first bytes.
    pub(super) fn look(&mut self, from: Side, bytes: &[u8]) -> Phase {
        let (spoke, head) = match from {
            Side::First => (&mut self.spoke.0, &mut self.heads.0),
            Side::Second => (&mut self.spoke.1, &mut self.heads.1),
        };
        *spoke = true;
        let settled =
            self.facts.confirmed || matches!(self.phase, Phase::Ignored | Phase::Encrypted);
        let missing = wire::HEADER_LEN.saturating_sub(head.len());
        if settled || missing == 0 {
            return self.phase;
        }
        // The first bytes may come in small pieces.
        head.extend_from_slice(bytes.get(..missing).unwrap_or(bytes));
        let head = head.as_slice();
        let secured = self.facts.port == PortKind::Secured;
        if is_tls(head, secured) {
            self.phase = if self.phase == Phase::Cti {
                Phase::Encrypted
            } else {
                Phase::Ignored
            };
        } else if self.phase == Phase::Probing
            && let Some(initiator) = self.initiator
        {
            // On a port that says nothing, a connection that is seen from its beginning must begin with OPEN_REQ.
            let opens = match wire::header(head) {
                Ok((_, header)) => header.number == roles::OPEN_REQ,
                Err(_) => true,
            };
            if from != initiator || !opens {
                self.phase = Phase::Ignored;
            }
        }
        self.phase
    }

    /// After data was framed: is it worth going on?
    pub(super) fn settle(&mut self, bytes: usize) -> Interest {
        if self.facts.confirmed {
            if self.phase == Phase::Probing {
                self.phase = Phase::Cti;
                for framer in [&mut self.framers.0, &mut self.framers.1] {
                    framer.require(ENOUGH);
                }
            }
            return Interest::Keep;
        }
        if self.phase == Phase::Probing {
            self.probed = self
                .probed
                .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
            if self.probed > limits::MAX_PROBE_BYTES {
                self.phase = Phase::Ignored;
                return Interest::Ignore;
            }
        }
        Interest::Keep
    }

    /// Memory that framing takes in both directions (bytes).
    pub(super) fn framing(&self) -> usize {
        self.framers.0.held().saturating_add(self.framers.1.held())
    }

    /// Whether the connection is worth a line though no message of it could be read.
    pub(super) const fn is_expected(&self) -> bool {
        is_expected(self.ports.0) || is_expected(self.ports.1)
    }
}

/// Whether bytes begin a TLS connection: a handshake record with a ClientHello or ServerHello. On a secured port, where the
/// capture may have missed the handshake, any TLS record will do.
fn is_tls(bytes: &[u8], secured: bool) -> bool {
    match bytes {
        [0x16, 3, 0..=4, _, _, 1 | 2, ..] => true,
        [0x14..=0x17, 3, 0..=4, ..] => secured,
        _ => false,
    }
}
