//! Agents over a whole capture: their states with reasons and causes, their calls, the requests about them, and where states contradict the
//! events of calls. What was before the capture is not guessed.

mod history;
mod judge;
mod model;
mod phone;
mod phones;
mod registry;
mod requests;
mod states;

pub use history::History;
pub use model::{
    Agent, AgentCall, AgentKey, AgentRequest, AgentsReport, CallOutcome, Calls, Cause,
    Contradiction, ContradictionKind, Device, Domain, Ending, Period, Requests, Total, state,
    state_name,
};

use super::{Analysis, Seen};
use crate::correlate::Exchange;
use crate::limits;
use crate::protocol::{roles, types};
use crate::record::{BreakRecord, Direction, Record};
use crate::session::Session;
use crate::time::Timestamp;
use foldhash::fast::RandomState;
use phones::Phones;
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
    /// Its phone, under its names.
    phones: SmallVec<[usize; 2]>,
    /// Its latest requests for a state.
    asked: VecDeque<Asked>,
}

/// Follows all agents of a capture.
#[derive(Debug)]
pub struct Agents {
    whole_history: bool,
    known: Vec<Known>,
    by_id: HashMap<String, SmallVec<[usize; 1]>, RandomState>,
    by_session: BTreeMap<u32, BTreeSet<usize>>,
    phones: Phones,
    /// Whose phone it is.
    owners: HashMap<usize, usize, RandomState>,
    /// Sessions in which events of calls at agents' phones came.
    tell_calls: BTreeSet<u32>,
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
            phones: Phones::default(),
            owners: HashMap::default(),
            tell_calls: BTreeSet::new(),
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
        for at in 0..self.known.len() {
            self.judge(at, now);
            self.close(at, now, Ending::CaptureEnded);
            self.take_calls(at);
            let Some(known) = self.known.get_mut(at) else {
                continue;
            };
            for phone in &known.phones {
                let open = self
                    .phones
                    .get_mut(*phone)
                    .map(|p| std::mem::take(&mut p.open));
                for mut call in open.unwrap_or_default() {
                    call.to = now.max(call.from);
                    known.agent.calls.list.push(call, usize::MAX);
                }
            }
        }
        let mut agents: Vec<Agent> = self.known.into_iter().map(|k| k.agent).collect();
        agents.sort_by(|a, b| a.key.cmp(&b.key));
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
        self.judge(at, told.time);
        let mrd = seen.number("MRDID").unwrap_or(0);
        let room = self.room();
        let Some(known) = self.known.get_mut(at) else {
            return;
        };
        let agent = &mut known.agent;
        agent.icm_id = agent
            .icm_id
            .or(seen.number("ICMAgentID").filter(|id| *id != 0));
        agent.peripheral_type = agent.peripheral_type.or(seen.number("PeripheralType"));
        // Old messages tell no domain, and some answers neither: it is the only one there is then.
        let mrd = match agent.domains.len() {
            1 if mrd == 0 => agent.domains.keys().next().copied().unwrap_or(0),
            _ => mrd,
        };
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
        let rang = told
            .reason
            .and_then(|code| crate::protocol::reason_on(peripheral_type, code, state))
            .is_some_and(|reason| reason.short == "ring no answer");
        if rang && mrd <= model::VOICE {
            self.did_not_answer(at, told.time);
        }
    }

    /// An agent's state says that a call was not answered: it is the one that rings, or the last one.
    fn did_not_answer(&mut self, at: usize, time: Timestamp) {
        const LATE: i64 = 5_000_000_000;
        self.take_calls(at);
        let Some(known) = self.known.get_mut(at) else {
            return;
        };
        for phone in &known.phones {
            if let Some(call) = self.phones.get_mut(*phone).and_then(phone::Phone::rings) {
                call.outcome = CallOutcome::RingNoAnswer;
                return;
            }
        }
        let calls = &mut known.agent.calls;
        let last = calls
            .list
            .last_mut()
            .filter(|c| time.nanos_since(c.to) <= LATE);
        match last {
            Some(call) if call.outcome == CallOutcome::RingNoAnswer => return,
            Some(call) if call.outcome == CallOutcome::NotAnswered => {
                call.outcome = CallOutcome::RingNoAnswer;
            }
            _ => {}
        }
        calls.ring_no_answer = calls.ring_no_answer.saturating_add(1);
    }

    /// Moves what happened at an agent's phone to the agent.
    fn take_calls(&mut self, at: usize) {
        let room = self.room();
        let Some(known) = self.known.get_mut(at) else {
            return;
        };
        for phone in &known.phones {
            let Some(phone) = self.phones.get_mut(*phone) else {
                continue;
            };
            let new = std::mem::take(&mut phone.calls);
            let calls = &mut known.agent.calls;
            calls.delivered = calls.delivered.saturating_add(new.delivered);
            calls.answered = calls.answered.saturating_add(new.answered);
            calls.ring_no_answer = calls.ring_no_answer.saturating_add(new.ring_no_answer);
            calls.outgoing = calls.outgoing.saturating_add(new.outgoing);
            for call in &new.list {
                let grew = calls.list.push(call.clone(), room);
                self.kept = self.kept.saturating_add(usize::from(grew));
            }
        }
    }

    /// An event of a call.
    fn call(&mut self, seen: &Seen<'_>) {
        let involved = self.phones.involved(seen);
        let mut owners: SmallVec<[usize; 4]> = involved
            .iter()
            .filter_map(|phone| self.owners.get(phone).copied())
            .collect();
        owners.sort_unstable();
        owners.dedup();
        for at in &owners {
            self.judge(*at, seen.info.time);
            self.touch(*at, seen);
        }
        self.phones.apply(seen);
        if !owners.is_empty() {
            self.tell_calls.insert(seen.info.peers.session);
        }
        for at in owners {
            self.take_calls(at);
        }
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
        for at in &agents {
            self.judge(*at, time);
        }
        self.blind(number, time, true);
        self.tell_calls.remove(&number);
        for at in agents {
            let Some(known) = self.known.get_mut(at) else {
                continue;
            };
            known.live.remove(&number);
            for (mrd, domain) in &mut known.agent.domains {
                if let Some(places) = known.places.get_mut(mrd)
                    && places.forget(number)
                {
                    places.close(domain, time, Ending::SessionsEnded);
                }
            }
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
        self.blind(session, record.details.time, false);
    }

    /// What only this session told of calls is not known any more.
    fn blind(&mut self, session: u32, time: Timestamp, ended: bool) {
        for phone in self.phones.lose(session, time, ended) {
            if let Some(at) = self.owners.get(&phone).copied() {
                self.take_calls(at);
            }
        }
    }
}

impl Analysis for Agents {
    fn message(&mut self, seen: &Seen<'_>) {
        self.advance(seen.info.time);
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
                if let Some(at) = self.named(seen, peripheral, true) {
                    self.touch(at, seen);
                    self.state(at, seen, false);
                }
            }
            types::QUERY_AGENT_STATE_CONF | roles::OPEN_CONF => {
                if let Some(at) = agent.or_else(|| self.named(seen, peripheral, true)) {
                    self.touch(at, seen);
                    self.state(at, seen, true);
                }
            }
            number if phones::concerns(number) => self.call(seen),
            _ => {
                let request = seen.info.direction == Direction::ClientToServer;
                let may_be_new = request
                    && matches!(
                        message.number,
                        types::SET_AGENT_STATE_REQ | types::QUERY_AGENT_STATE_REQ | roles::OPEN_REQ
                    );
                match agent.or_else(|| self.named(seen, peripheral, may_be_new)) {
                    Some(at) => {
                        self.touch(at, seen);
                        if agent.is_none() {
                            self.request(at, seen);
                        }
                    }
                    // The answer may name the agent, but not the peripheral.
                    None if may_be_new && peripheral.is_some() => {
                        self.opened(seen.info.no, None, peripheral);
                    }
                    None => {}
                }
            }
        }
    }

    fn record(&mut self, record: &Record<'_>) {
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
        if let Some((Some(at), _)) = self.open.remove(&no)
            && let Some(known) = self.known.get_mut(at)
        {
            requests::settle(&mut known.agent.requests, &mut known.asked, no, exchange);
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
        let Some(grew) = requests::note(
            &mut known.agent.requests,
            &mut known.asked,
            seen,
            busy,
            room,
        ) else {
            return;
        };
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
