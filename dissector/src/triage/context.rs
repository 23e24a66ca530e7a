//! What all detectors may know: the sessions, what was captured of them, and where messages stand.

use super::Thresholds;
use super::facts::{SessionFacts, granted, opened};
use super::known::Known;
use super::network::Wire;
use super::pair::Handovers;
use crate::analysis::Seen;
use crate::capture::Segment;
use crate::limits;
use crate::ports::Ports;
use crate::protocol::{roles, types};
use crate::record::{BreakRecord, Direction, Packets, Peers};
use crate::session::{Content, Session};
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};

/// Breaks of a session that are remembered.
const MAX_BREAKS: usize = 64;

/// What all detectors may know.
#[derive(Debug)]
pub struct Context {
    thresholds: Thresholds,
    sessions: BTreeMap<u32, SessionFacts>,
    by_ends: BTreeMap<(SocketAddr, SocketAddr), u32>,
    by_host: BTreeMap<IpAddr, BTreeSet<u32>>,
    handovers: Handovers,
    wire: Wire,
    now: Timestamp,
    first: Option<Timestamp>,
    recovering_until: Option<Timestamp>,
    /// Sessions of these client hosts were lost, and none was opened since.
    lost_hosts: BTreeMap<IpAddr, Timestamp>,
    /// Packets and selection of the latest messages, whose numbers end with `last_no`.
    places: VecDeque<(Packets, bool)>,
    last_no: u64,
    known: Known,
}

impl Context {
    pub(super) fn new(thresholds: Thresholds) -> Self {
        Self {
            thresholds,
            sessions: BTreeMap::new(),
            by_ends: BTreeMap::new(),
            by_host: BTreeMap::new(),
            handovers: Handovers::default(),
            wire: Wire::new(&thresholds),
            now: Timestamp::default(),
            first: None,
            recovering_until: None,
            lost_hosts: BTreeMap::new(),
            places: VecDeque::new(),
            last_no: 0,
            known: Known::default(),
        }
    }

    /// Expects CTI on these ports.
    pub(super) fn expect(&mut self, ports: Ports) {
        self.wire.ports = ports;
    }

    /// The numbers that decide.
    #[must_use]
    pub const fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// Agents, calls and requests.
    pub(super) const fn known(&self) -> &Known {
        &self.known
    }

    /// Time of the latest record.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Time of the first record.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.first.unwrap_or(self.now)
    }

    /// A session by its number; those that ended stay known, up to [`limits::MAX_TRIAGE_SESSIONS`].
    #[must_use]
    pub fn session(&self, number: u32) -> Option<&SessionFacts> {
        self.sessions.get(&number)
    }

    /// All sessions known, by number.
    pub fn sessions(&self) -> impl Iterator<Item = &SessionFacts> {
        self.sessions.values()
    }

    /// The sessions of a client's host that are known, by number.
    pub fn sessions_of(&self, host: IpAddr) -> impl Iterator<Item = &SessionFacts> {
        let numbers = self.by_host.get(&host).into_iter().flatten();
        numbers.filter_map(|number| self.sessions.get(number))
    }

    /// Whether a planned move from one side to the other was under way.
    #[must_use]
    pub fn handover(&self, time: Timestamp) -> bool {
        self.handovers.under_way(time)
    }

    /// What TCP did.
    #[must_use]
    pub const fn wire(&self) -> &Wire {
        &self.wire
    }

    /// The latest session between two ends, whichever is named first.
    #[must_use]
    pub fn session_between(&self, one: SocketAddr, other: SocketAddr) -> Option<&SessionFacts> {
        let number = self.by_ends.get(&(one.min(other), one.max(other)))?;
        self.sessions.get(number)
    }

    /// The packets of a message, if it is one of the latest [`limits::TRIAGE_PLACES`].
    #[must_use]
    pub fn packets(&self, no: u64) -> Packets {
        self.place(no).map(|p| p.0.clone()).unwrap_or_default()
    }

    /// Whether a message passed the selection; `None` when it is too long ago.
    #[must_use]
    pub(super) fn is_selected(&self, no: u64) -> Option<bool> {
        self.place(no).map(|p| p.1)
    }

    fn place(&self, no: u64) -> Option<&(Packets, bool)> {
        let back = usize::try_from(self.last_no.checked_sub(no)?).ok()?;
        let index = self.places.len().checked_sub(back.checked_add(1)?)?;
        self.places.get(index)
    }

    /// Whether the absence of a message says anything: both directions of the session are captured in plain text without a hole between
    /// these times, and the session and the capture lasted until the later one.
    #[must_use]
    pub fn can_miss(&self, session: u32, from: Timestamp, until: Timestamp) -> bool {
        let Some(facts) = self.sessions.get(&session) else {
            return false;
        };
        facts.content == Content::Cti
            && (facts.last_client.is_some()
                || self.wire.heard(facts.peers.client, facts.peers.server))
            && (facts.last_server.is_some()
                || self.wire.heard(facts.peers.server, facts.peers.client))
            && facts.ended.is_none_or(|end| end >= until)
            && self.now >= until
            && !self
                .wire
                .is_lacking(facts.peers.server, facts.peers.client, from, until)
            && !self
                .wire
                .is_lacking(facts.peers.client, facts.peers.server, from, until)
            && !facts.breaks.iter().any(|at| *at >= from && *at <= until)
    }

    /// Whether the state of agents and calls is just being rebuilt: from the loss of a session until some time after its client's next
    /// OPEN_CONF.
    #[must_use]
    pub fn recovering(&self, time: Timestamp) -> bool {
        let lost = self
            .lost_hosts
            .values()
            .any(|at| time >= *at && time <= at.after(self.thresholds.recovery));
        lost || self.recovering_until.is_some_and(|until| time <= until)
    }

    /// The same for what happens at a peripheral: it may also have been lost itself.
    pub(super) fn is_rebuilt(&self, peripheral: u32, time: Timestamp) -> bool {
        let recovery = self.thresholds.recovery;
        self.recovering(time) || self.known.is_rebuilt(peripheral, time, recovery)
    }

    pub(super) fn advance(&mut self, time: Timestamp) {
        self.first = self.first.or(Some(time));
        self.now = self.now.max(time);
    }

    pub(super) fn message(&mut self, seen: &Seen<'_>) {
        let info = seen.info;
        self.advance(info.time);
        if self.places.len() >= limits::TRIAGE_PLACES {
            self.places.pop_front();
        }
        // Numbers follow each other; after a jump the old ones cannot be found any more.
        if info.no != self.last_no.wrapping_add(1) {
            self.places.clear();
        }
        self.last_no = info.no;
        self.places.push_back((info.packets.clone(), seen.selected));
        self.known.message(seen);
        if seen.is(types::ACTIVE_MAINTENANCE_REQ_MSG) || seen.is(types::STANDBY_ACTIVE_EVENT_MSG) {
            // A standby that takes over on its own does not ask; only what was asked for is planned.
            if seen.is(types::ACTIVE_MAINTENANCE_REQ_MSG) || self.handovers.under_way(info.time) {
                self.handovers.begins(info.time);
            }
        } else if seen.is(types::ACTIVE_MAINTENANCE_EVENT_MSG) {
            if seen.raw("MaintenanceModeStatus") == Some(0) {
                self.handovers.cancelled(info.time);
            } else {
                self.handovers.begins(info.time);
            }
        }
        let recovery = self.thresholds.recovery;
        let Some(facts) = self.sessions.get_mut(&info.peers.session) else {
            return;
        };
        if facts.peers != info.peers {
            // A better proof of who is the server may turn the ends around.
            let (old, new) = (facts.peers.client.ip(), info.peers.client.ip());
            if let Some(of_host) = self.by_host.get_mut(&old) {
                of_host.remove(&info.peers.session);
            }
            let of_host = self.by_host.entry(new).or_default();
            of_host.insert(info.peers.session);
            facts.peers = info.peers;
        }
        facts.selected |= seen.selected;
        facts.last = facts.last.max(info.time);
        facts.last_no = Some(info.no);
        match info.direction {
            Direction::ClientToServer => facts.last_client = Some(info.time),
            Direction::ServerToClient => facts.last_server = Some(info.time),
        }
        if seen.is(roles::OPEN_REQ) {
            facts.opened = Some(opened(seen));
        } else if seen.is(types::CLOSE_REQ) {
            facts.close = seen.raw("Status").map(|status| (status, info.time));
        } else if seen.is(types::FAILURE_EVENT) {
            facts.failure_event = seen.raw("Status").map(|status| (status, info.time));
        } else if seen.is(types::STOPPING_REQUESTS_TO_THIS_SIDE_IND) {
            facts.stopping = Some(info.time);
        } else if seen.is(roles::OPEN_CONF) {
            facts.granted = Some(granted(seen));
            if self.lost_hosts.remove(&facts.client_host()).is_some() {
                self.recovering_until = self.recovering_until.max(Some(info.time.after(recovery)));
            }
        }
    }

    pub(super) fn began(&mut self, session: &Session) {
        self.advance(session.first);
        if self.sessions.len() >= limits::MAX_TRIAGE_SESSIONS {
            let oldest = self
                .sessions
                .iter()
                .find(|(_, facts)| facts.ended.is_some())
                .or_else(|| self.sessions.iter().next())
                .map(|(number, _)| *number);
            if let Some(facts) = oldest.and_then(|number| self.sessions.remove(&number)) {
                self.by_ends.remove(&ends(&facts.peers));
                if let Some(of_host) = self.by_host.get_mut(&facts.client_host()) {
                    of_host.remove(&facts.peers.session);
                    if of_host.is_empty() {
                        self.by_host.remove(&facts.client_host());
                    }
                }
            }
        }
        let number = session.peers.session;
        self.by_ends.insert(ends(&session.peers), number);
        self.by_host
            .entry(session.peers.client.ip())
            .or_default()
            .insert(number);
        self.wire.follow(session.peers.server);
        self.sessions.insert(
            number,
            SessionFacts {
                peers: session.peers,
                content: session.content,
                first: session.first,
                opened: None,
                granted: None,
                last_client: None,
                last_server: None,
                breaks: VecDeque::new(),
                ended: None,
                end: None,
                ended_by: None,
                close: None,
                failure_event: None,
                stopping: None,
                last: session.last,
                last_no: None,
                selected: false,
            },
        );
    }

    /// The next TCP segment.
    pub(super) fn segment(&mut self, segment: &Segment<'_>) {
        self.wire.segment(segment);
    }

    /// What TCP did since the last call.
    pub(super) fn take_events(&mut self) -> Vec<super::network::Event> {
        self.wire.take_events()
    }

    /// The capture is over: whatever waits for more is told.
    pub(super) fn finish(&mut self) {
        self.wire.finish();
    }

    /// A session ended; `lost` when nobody said goodbye.
    pub(super) fn ended(&mut self, session: &Session, lost: bool) {
        self.advance(session.last);
        let Some(facts) = self.sessions.get_mut(&session.peers.session) else {
            return;
        };
        facts.ended = Some(session.last);
        facts.end = session.end;
        facts.ended_by = session.ended_by;
        facts.last = facts.last.max(session.last);
        facts.content = session.content;
        if lost && self.lost_hosts.len() < limits::MAX_TRIAGE_SESSIONS {
            self.lost_hosts.insert(facts.client_host(), session.last);
        }
    }

    pub(super) fn broke(&mut self, record: &BreakRecord) {
        self.advance(record.details.time);
        if let Some(facts) = self.sessions.get_mut(&record.peers.session) {
            if facts.breaks.len() >= MAX_BREAKS {
                facts.breaks.pop_front();
            }
            facts.breaks.push_back(record.details.time);
        }
    }
}

fn ends(peers: &Peers) -> (SocketAddr, SocketAddr) {
    (
        peers.client.min(peers.server),
        peers.client.max(peers.server),
    )
}
