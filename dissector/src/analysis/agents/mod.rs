//! Agents over a whole capture: their states with reasons and causes, their calls, the requests about them, and where states contradict the
//! events of calls. What was before the capture is not guessed.

mod calls;
mod early;
mod history;
mod judge;
mod model;
mod registry;
mod requests;
mod states;

pub use history::History;
pub use model::{
    Agent, AgentCall, AgentKey, AgentRequest, AgentsReport, CallOutcome, Calls, Cause,
    Contradiction, ContradictionKind, Device, Domain, Ending, Period, Requests, Total, state,
    state_name,
};

use super::calls::{Book, did_not_answer};
use super::{Analysis, Seen};
use crate::correlate::Exchange;
use crate::limits;
use crate::protocol::{Kind, roles, types};
use crate::record::{BreakRecord, Direction, Record};
use crate::session::Session;
use crate::time::Timestamp;
use early::EarlyRequests;
use foldhash::fast::RandomState;
use judge::Standing;
use requests::Asked;
use smallvec::SmallVec;
use states::{Places, Told};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// What is remembered of each list of an agent when its whole history is not asked for.
const RECENT: usize = 8;

/// An agent, and what is needed to follow it.
#[derive(Debug)]
struct Known {
    agent: Agent,
    places: BTreeMap<u32, Places>,
    /// Sessions that tell its states and go on.
    live: BTreeSet<u32>,
    /// Calls in which it takes part, by their numbers in the book, and some that have ended.
    calls: SmallVec<[u64; 2]>,
    /// When the last of its calls ended.
    last_end: Option<Timestamp>,
    /// Until when its calls were not told.
    blind: Option<Timestamp>,
    /// How its state contradicts its calls at present.
    standing: Option<Standing>,
    /// Its latest requests for a state.
    asked: VecDeque<Asked>,
}

impl Known {
    /// The domain that a message is about. Old messages tell none, and some answers neither: it is voice then, or the only one
    /// there is. What was told without a domain before voice is named becomes voice's.
    fn domain_of(&mut self, told: u32) -> u32 {
        if told == 0 {
            return self.agent.main_domain().map_or(0, |(mrd, _)| mrd);
        }
        if told == model::VOICE
            && !self.agent.domains.contains_key(&told)
            && let Some(domain) = self.agent.domains.remove(&0)
        {
            self.agent.domains.insert(told, domain);
            if let Some(places) = self.places.remove(&0) {
                self.places.insert(told, places);
            }
        }
        told
    }
}

/// Follows all agents of a capture.
#[derive(Debug)]
pub struct Agents {
    whole_history: bool,
    known: Vec<Known>,
    by_id: HashMap<String, SmallVec<[usize; 1]>, RandomState>,
    by_session: BTreeMap<u32, BTreeSet<usize>>,
    /// All calls, and who is at which phone.
    book: Book,
    early: EarlyRequests,
    /// Sessions in which events of agents' calls came.
    tell_calls: BTreeSet<u32>,
    /// When bytes of these were last missing.
    gaps: BTreeMap<u32, Timestamp>,
    /// Requests whose outcome is open, by message: the agent if it is known, and the peripheral named.
    open: BTreeMap<u64, (Option<usize>, Option<u32>)>,
    /// Entries of all histories.
    kept: usize,
    first: Option<Timestamp>,
    now: Timestamp,
    left_out: u64,
}

impl Agents {
    /// Nothing seen yet. Without its whole history, only the latest entries of an agent's lists are kept; counts and times are complete.
    #[must_use]
    pub fn new(whole_history: bool) -> Self {
        Self {
            whole_history,
            known: Vec::new(),
            by_id: HashMap::default(),
            by_session: BTreeMap::new(),
            book: Book::default(),
            early: EarlyRequests::default(),
            tell_calls: BTreeSet::new(),
            gaps: BTreeMap::new(),
            open: BTreeMap::new(),
            kept: 0,
            first: None,
            now: Timestamp::default(),
            left_out: 0,
        }
    }

    /// What was found, after the last record.
    #[must_use]
    pub fn finish(mut self) -> AgentsReport {
        let now = self.now;
        self.book.finish();
        self.take_told();
        for at in 0..self.known.len() {
            self.conclude(at, now);
            self.close(at, now, Ending::CaptureEnded);
        }
        let mut agents: Vec<Agent> = self.known.into_iter().map(|k| k.agent).collect();
        agents.sort_by(|a, b| a.key.cmp(&b.key));
        for agent in &mut agents {
            agent
                .calls
                .list
                .sort_by_key(|call| (call.from, call.message));
            agent.requests.list.sort_by_key(|request| request.message);
        }
        AgentsReport {
            agents,
            from: self.first.unwrap_or(now),
            to: now,
            left_out: self.left_out,
        }
    }

    fn advance(&mut self, time: Timestamp) {
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.now = self.now.max(time);
    }

    /// How many entries a list may have now.
    const fn room(&self) -> usize {
        if self.whole_history && self.kept < limits::MAX_AGENT_HISTORY {
            usize::MAX
        } else {
            RECENT
        }
    }

    /// A message that tells an agent's state.
    fn state(&mut self, at: usize, seen: &Seen<'_>, asked: bool) {
        let Some(state) = seen.number("AgentState") else {
            return;
        };
        self.devices(at, seen);
        let told = Told {
            state,
            reason: states::counting_reason(state, seen.number("EventReasonCode")),
            time: seen.info.time,
            session: seen.info.peers.session,
            message: seen.info.no,
            packets: &seen.info.packets,
            group: seen.number("SkillGroupNumber").filter(|_| !asked),
            in_group: seen.number("SkillGroupState") == Some(state),
            next: seen.number("NextAgentState").filter(|_| !asked),
            duration: seen.number("StateDuration"),
            asked,
        };
        // An agent who is not logged in at a session's beginning is unknown to it: that is no state.
        if asked && state == state::UNKNOWN {
            return;
        }
        let mrd = seen.number("MRDID").unwrap_or(0);
        let room = self.room();
        let Some(known) = self.known.get_mut(at) else {
            return;
        };
        let mrd = known.domain_of(mrd);
        let agent = &mut known.agent;
        agent.icm_id = agent
            .icm_id
            .or(seen.number("ICMAgentID").filter(|id| *id != 0));
        agent.peripheral_type = agent.peripheral_type.or(seen.number("PeripheralType"));
        known.live.insert(told.session);
        self.by_session.entry(told.session).or_default().insert(at);
        let domain = agent.domains.entry(mrd).or_default();
        let places = known.places.entry(mrd).or_default();
        let was = domain
            .periods
            .last()
            .map(|p| p.state)
            .filter(|_| places.is_open());
        let requests = &mut known.asked;
        let peripheral_type = agent.peripheral_type;
        let grew = places.tell(domain, &told, room, |before| {
            requests::cause(requests, &told, before, peripheral_type)
        });
        let Some(grew) = grew else { return };
        self.kept = self.kept.saturating_add(usize::from(grew));
        if let Some(period) = domain.periods.last().filter(|p| p.entered) {
            let login = match was {
                _ if state == state::LOGIN => true,
                Some(before) => before == state::LOGOUT && state != state::LOGOUT,
                None => requests::asked_for_login(requests, &period.cause),
            };
            domain.logins = domain.logins.saturating_add(u64::from(login));
            domain.logouts = domain
                .logouts
                .saturating_add(u64::from(state == state::LOGOUT));
        }
        let missed = did_not_answer(seen) && mrd <= model::VOICE;
        let phone = missed.then(|| self.at_phone(at, told.time));
        // What the book of calls does not have counts all the same.
        if phone.is_some_and(|phone| !phone.missed)
            && let Some(known) = self.known.get_mut(at)
        {
            let calls = &mut known.agent.calls;
            calls.ring_no_answer = calls.ring_no_answer.saturating_add(1);
        }
        self.reconsider(at, told.time);
    }

    fn close(&mut self, at: usize, time: Timestamp, ending: Ending) {
        let Some(known) = self.known.get_mut(at) else {
            return;
        };
        for (mrd, domain) in &mut known.agent.domains {
            if let Some(places) = known.places.get_mut(mrd) {
                places.close(domain, time, ending);
            }
        }
    }

    fn session_ended(&mut self, session: &Session) {
        let (number, time) = (session.peers.session, session.last);
        let agents = self.by_session.remove(&number).unwrap_or_default();
        let told_calls = self.tell_calls.remove(&number);
        self.gaps.remove(&number);
        for at in agents {
            let Some(known) = self.known.get_mut(at) else {
                continue;
            };
            known.live.remove(&number);
            if told_calls && !known.live.iter().any(|s| self.tell_calls.contains(s)) {
                known.blind = known.blind.max(Some(time));
            }
            for (mrd, domain) in &mut known.agent.domains {
                if let Some(places) = known.places.get_mut(mrd)
                    && places.forget(number)
                {
                    places.close(domain, time, Ending::SessionsEnded);
                }
            }
            self.reconsider(at, time);
        }
    }

    fn broke(&mut self, record: &BreakRecord) {
        if record.direction != Direction::ServerToClient {
            return;
        }
        let session = record.peers.session;
        for at in self.by_session.get(&session).into_iter().flatten() {
            let Some(known) = self.known.get_mut(*at) else {
                continue;
            };
            // Another session that tells of the agent may not have missed anything.
            if known.live.len() > 1 {
                continue;
            }
            for domain in known.agent.domains.values_mut() {
                if let Some(period) = domain.periods.last_mut() {
                    period.gap = true;
                }
            }
        }
        if self.tell_calls.contains(&session) {
            self.gaps.insert(session, record.details.time);
        }
        let agents = self.by_session.get(&session).cloned();
        for at in agents.unwrap_or_default() {
            self.reconsider(at, record.details.time);
        }
    }
}

impl Analysis for Agents {
    fn message(&mut self, seen: &Seen<'_>) {
        self.advance(seen.info.time);
        self.book.message(seen);
        self.take_told();
        let Some(message) = seen.info.message else {
            return;
        };
        let answered = seen.info.answers.map(|a| a.request.no);
        let asked = answered.and_then(|no| self.open.get(&no).copied());
        let agent = asked.and_then(|(at, _)| at);
        let peripheral = seen
            .number("PeripheralID")
            .or(asked.and_then(|(_, peripheral)| peripheral));
        match message.number {
            types::AGENT_STATE_EVENT => {
                let call = self.book.take_touched();
                if let Some(at) = self.named(seen, peripheral, true) {
                    self.touch(at, seen);
                    if let Some(call) = call {
                        self.take_part(at, call);
                    }
                    self.state(at, seen, false);
                }
            }
            types::QUERY_AGENT_STATE_CONF | roles::OPEN_CONF => {
                if let Some(at) = agent.or_else(|| self.named(seen, peripheral, true)) {
                    self.touch(at, seen);
                    self.state(at, seen, true);
                }
            }
            number if calls::concerns(number) => self.call(seen),
            _ => {
                let may_be_new = seen.info.direction == Direction::ClientToServer
                    && message.kind == Kind::Request;
                match agent.or_else(|| self.named(seen, peripheral, may_be_new)) {
                    Some(at) => {
                        self.touch(at, seen);
                        if agent.is_none() {
                            self.request(at, seen);
                        }
                    }
                    None if may_be_new && seen.agent().is_none() => self.early(seen),
                    None => {}
                }
            }
        }
        self.take_early(seen);
    }

    fn record(&mut self, record: &Record<'_>) {
        self.book.record(record);
        match record {
            Record::Exchange(exchange) => self.exchange(exchange),
            Record::SessionEnded(session) => {
                self.advance(session.last);
                self.session_ended(session);
            }
            Record::Break(record) => self.broke(record),
            _ => {}
        }
    }
}

impl Agents {
    fn exchange(&mut self, exchange: &Exchange) {
        let Some(no) = exchange.request.map(|r| r.no) else {
            return;
        };
        match self.open.remove(&no) {
            Some((Some(at), _)) => {
                if let Some(known) = self.known.get_mut(at) {
                    requests::settle(&mut known.agent.requests, &mut known.asked, no, exchange);
                }
            }
            Some((None, _)) => self.early.settle(no, exchange),
            None => {}
        }
    }

    /// A request about an agent.
    fn request(&mut self, at: usize, seen: &Seen<'_>) {
        let room = self.room();
        let peripheral = seen.number("PeripheralID");
        let Some(known) = self.known.get_mut(at) else {
            return;
        };
        let main = known.agent.main_domain();
        let busy = main.and_then(|(_, d)| d.periods.last()).map(|p| p.state);
        let Some(request) = requests::request(seen) else {
            return;
        };
        let (requests, asked) = (&mut known.agent.requests, &mut known.asked);
        let grew = requests::note(requests, asked, request, seen, busy, room);
        self.kept = self.kept.saturating_add(usize::from(grew));
        self.opened(seen.info.no, Some(at), peripheral);
    }

    fn opened(&mut self, no: u64, agent: Option<usize>, peripheral: Option<u32>) {
        if self.open.len() >= limits::MAX_OPEN_REQUESTS {
            self.open.pop_first();
        }
        self.open.insert(no, (agent, peripheral));
    }
}
