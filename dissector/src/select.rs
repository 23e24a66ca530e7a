//! Which records to show: by session, type, call, agent, time, how it went, and by a filter expression.

use crate::correlate::{Exchange, OutcomeKind};
use crate::decode::{Decoder, FieldValue, MessageView};
use crate::filter::Filter;
use crate::finding::Severity;
use crate::limits;
use crate::protocol::{Kind, Message, MessageType, Special, roles};
use crate::record::{MessageInfo, Record};
use crate::session::Session;
use crate::time::Timestamp;
use std::collections::{BTreeSet, VecDeque};

/// Decides by type: number on the wire, and the message that it stands for.
pub type TypeFilter = Box<dyn Fn(MessageType, Option<&Message>) -> bool + Send>;

/// What a record must meet; empty lists and `None` ask for nothing.
#[derive(Default)]
pub struct Criteria {
    /// Numbers of sessions.
    pub sessions: BTreeSet<u32>,
    /// Message types.
    pub types: Option<TypeFilter>,
    /// Call IDs: a message passes when any of its call ID fields holds one of them.
    pub calls: Vec<u32>,
    /// Agents: a message passes when one of its agent or device fields holds one of them.
    pub agents: Vec<String>,
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Not after this.
    pub to: Option<Timestamp>,
    /// Without heartbeats and their exchanges; what else answers one stays, such as a failure, and its exchange with it.
    pub no_heartbeats: bool,
    /// Only failures, and requests that failed or were not answered.
    pub only_failures: bool,
    /// Only what passes this. An exchange passes when one of its messages does.
    pub filter: Option<Filter>,
}

impl Criteria {
    /// Whether anything is asked of the messages themselves.
    fn about_messages(&self) -> bool {
        self.types.is_some() || self.about_parties() || self.only_failures || self.filter.is_some()
    }

    /// Whether calls or agents are asked for.
    const fn about_parties(&self) -> bool {
        !self.calls.is_empty() || !self.agents.is_empty()
    }

    /// Whether everything passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.about_messages()
            && self.sessions.is_empty()
            && self.from.is_none()
            && self.to.is_none()
            && !self.no_heartbeats
    }
}

/// Applies criteria to records in order. What is about a call or an agent is found out first and remembered, whatever the other criteria
/// say of the message: they may show the answer and not the request, or a session and not how it was opened.
pub struct Selector {
    criteria: Criteria,
    decoder: Decoder,
    chosen: Chosen,
    /// Messages of exchanges that have passed the filter.
    filtered: Chosen,
    /// Sessions opened for one of the agents asked for, as long as they last.
    agent_sessions: BTreeSet<u32>,
    selected: u64,
    /// Sessions under way with a message that has passed, and how many sessions there have been with any.
    touched: BTreeSet<u32>,
    sessions: u64,
}

/// Numbers of messages for whose sake exchanges pass, the latest ones. For calls and agents they are those of requests, by what they or their
/// answers say; an answer without request stands for itself.
#[derive(Default)]
struct Chosen {
    numbers: BTreeSet<u64>,
    order: VecDeque<u64>,
}

impl Chosen {
    fn add(&mut self, no: u64) {
        if self.numbers.insert(no) {
            self.order.push_back(no);
        }
        if self.order.len() > limits::MAX_OPEN_REQUESTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.numbers.remove(&oldest);
        }
    }

    fn has(&self, no: u64) -> bool {
        self.numbers.contains(&no)
    }
}

impl Selector {
    /// A selector for some criteria.
    #[must_use]
    pub fn new(criteria: Criteria) -> Self {
        Self {
            criteria,
            decoder: Decoder::new(),
            chosen: Chosen::default(),
            filtered: Chosen::default(),
            agent_sessions: BTreeSet::new(),
            selected: 0,
            touched: BTreeSet::new(),
            sessions: 0,
        }
    }

    /// How many messages have passed.
    #[must_use]
    pub const fn selected(&self) -> u64 {
        self.selected
    }

    /// How many sessions have a message that has passed. Counted where anything is asked for.
    #[must_use]
    pub const fn sessions(&self) -> u64 {
        self.sessions
    }

    /// Whether anything is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.criteria.is_empty()
    }

    /// Whether a record passes.
    pub fn accepts(&mut self, record: &Record<'_>) -> bool {
        if self.criteria.is_empty() {
            self.selected += u64::from(matches!(record, Record::Message(..)));
            return true;
        }
        match record {
            Record::Message(info, bytes) => {
                let passes = self.message(info, bytes);
                if passes {
                    self.selected += 1;
                    self.sessions += u64::from(self.touched.insert(info.peers.session));
                }
                passes
            }
            Record::Exchange(exchange) => self.exchange(exchange),
            Record::SessionBegan(session) => self.bounds(session),
            Record::SessionEnded(session) => {
                self.agent_sessions.remove(&session.peers.session);
                self.touched.remove(&session.peers.session);
                self.bounds(session)
            }
            Record::Break(details) => {
                !self.criteria.about_messages()
                    && self.session(details.peers.session)
                    && self.time(details.details.time)
            }
            Record::Notice(notice) => {
                notice.session.is_none_or(|n| self.session(n))
                    && notice.time.is_none_or(|t| self.time(t))
                    && (!self.criteria.about_messages() || notice.code.severity() > Severity::Info)
            }
        }
    }

    /// Begin or end of a session.
    fn bounds(&self, session: &Session) -> bool {
        !self.criteria.about_messages() && self.session(session.peers.session)
    }

    /// Whether a session is asked for by itself, whatever its messages: by its number and the time that it lasted.
    #[must_use]
    pub fn lasts_into(&self, session: &Session) -> bool {
        !self.criteria.about_messages()
            && self.session(session.peers.session)
            && self.criteria.from.is_none_or(|from| from <= session.last)
            && self.criteria.to.is_none_or(|to| session.first <= to)
    }

    fn session(&self, number: u32) -> bool {
        self.criteria.sessions.is_empty() || self.criteria.sessions.contains(&number)
    }

    fn time(&self, time: Timestamp) -> bool {
        self.criteria.from.is_none_or(|from| from <= time)
            && self.criteria.to.is_none_or(|to| time <= to)
    }

    fn types(&self, number: MessageType, message: Option<&Message>) -> bool {
        self.criteria
            .types
            .as_ref()
            .is_none_or(|types| types(number, message))
    }

    /// Whether messages of this type are left out.
    const fn skips(&self, number: MessageType) -> bool {
        self.criteria.no_heartbeats
            && matches!(number, roles::HEARTBEAT_REQ | roles::HEARTBEAT_CONF)
    }

    fn message(&mut self, info: &MessageInfo, bytes: &[u8]) -> bool {
        // First, because they remember.
        let about = self.about(info, bytes);
        let filtered = self.passes_filter(info, bytes);
        about
            && filtered
            && !self.skips(info.number)
            && self.session(info.peers.session)
            && self.time(info.time)
            && self.types(info.number, info.message)
            && (!self.criteria.only_failures || is_failure(info))
    }

    /// Whether a message passes the filter, if there is one.
    fn passes_filter(&mut self, info: &MessageInfo, bytes: &[u8]) -> bool {
        let Some(filter) = &self.criteria.filter else {
            return true;
        };
        let passes = filter.matches(info, bytes, &mut self.decoder);
        if passes && may_have_exchange(info) {
            self.filtered.add(info.no);
        }
        passes
    }

    /// Whether a message is about the calls and agents asked for.
    fn about(&mut self, info: &MessageInfo, bytes: &[u8]) -> bool {
        let criteria = &self.criteria;
        if !criteria.about_parties() {
            return true;
        }
        let request = info.answers.map(|a| a.request.no);
        let answers_chosen = request.is_some_and(|no| self.chosen.has(no));
        let view = self.decoder.decode_as(bytes, info.version, info.message);
        let call =
            criteria.calls.is_empty() || answers_chosen || about_call(&view, &criteria.calls);
        let named = about_agent(&view, &criteria.agents);
        if named && matches!(info.number, roles::OPEN_REQ | roles::OPEN_CONF) {
            self.agent_sessions.insert(info.peers.session);
        }
        let agent = criteria.agents.is_empty()
            || named
            || answers_chosen
            || self.agent_sessions.contains(&info.peers.session);
        let about = call && agent;
        if about && may_have_exchange(info) {
            self.chosen.add(request.unwrap_or(info.no));
        }
        about
    }

    fn exchange(&self, exchange: &Exchange) -> bool {
        let parts = || {
            [exchange.request, exchange.outcome.answer]
                .into_iter()
                .flatten()
        };
        self.session(exchange.session)
            && self.time(exchange.time)
            && (!self.criteria.only_failures || failed(exchange.outcome.kind))
            && (!self.criteria.about_parties() || parts().any(|p| self.chosen.has(p.no)))
            && (self.criteria.filter.is_none() || parts().any(|p| self.filtered.has(p.no)))
            && parts().any(|p| self.types(p.number, p.message) && !self.skips(p.number))
    }
}

/// Whether a message is part of exchanges.
fn may_have_exchange(info: &MessageInfo) -> bool {
    let kind = info.message.map(|m| m.kind);
    kind.is_some_and(|k| !matches!(k, Kind::Event | Kind::Indication))
}

/// Outcomes that a person who asks for failures wants to see.
const fn failed(kind: OutcomeKind) -> bool {
    matches!(
        kind,
        OutcomeKind::Failed
            | OutcomeKind::WrongAnswer
            | OutcomeKind::Unanswered
            | OutcomeKind::SessionEnded
            | OutcomeKind::Late
    )
}

fn is_failure(info: &MessageInfo) -> bool {
    info.message.is_some_and(|m| m.failure.is_some())
        || info.outcome.is_some_and(|o| failed(o.kind))
        || info.answers.is_some_and(|a| failed(a.kind))
}

/// Call ID fields are those that know NULL_CALL_ID.
fn is_call_id(special: Option<&Special>) -> bool {
    special.is_some_and(|s| s.name == Some("NULL_CALL_ID"))
}

fn about_call(view: &MessageView<'_>, calls: &[u32]) -> bool {
    view.fixed()
        .any(|f| is_call_id(f.field().special) && calls.contains(&f.number().bits))
        || view.floating().any(|f| match f.value() {
            FieldValue::Number(n) => {
                let special = f
                    .usage()
                    .and_then(|u| u.special)
                    .or_else(|| f.field().and_then(|d| d.special));
                is_call_id(special) && calls.contains(&n.bits)
            }
            _ => false,
        })
}

fn about_agent(view: &MessageView<'_>, agents: &[String]) -> bool {
    let names_a_party = |name: &str| {
        name.contains("Agent")
            || name.ends_with("Instrument")
            || name.ends_with("DeviceID")
            || name == "LoginName"
    };
    view.floating().any(|field| match field.value() {
        // Passwords of agents bear their name, and a guess at one must not be answered.
        FieldValue::Text(text)
            if !view.hides(&field) && field.name().is_some_and(names_a_party) =>
        {
            // A mobile agent's instrument carries the phone number behind a semicolon.
            let text = text.split(|b| *b == b';').next().unwrap_or(text);
            agents.iter().any(|agent| agent.as_bytes() == text)
        }
        _ => false,
    })
}
