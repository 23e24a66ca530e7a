//! Reads the result and compares it with what was selected.

use super::ledger::{Entry, Ledger, Sums};
use super::{Cut, Flow, flow};
use crate::record::{MessageInfo, Record, Sink};
use crate::select::Selector;
use crate::session::Session;
use std::collections::HashMap;

/// Takes the records of the result.
pub struct Proof {
    cut: Cut,
    selector: Selector,
    ledger: Ledger,
    /// What was selected in the capture and was not found yet.
    rest: HashMap<Flow, Sums>,
    /// What sessions of the result are called in the capture.
    numbers: HashMap<u32, u32>,
}

/// A session that the capture does not have, or of which nothing was selected there.
const NO_SESSION: u32 = u32::MAX;

impl Proof {
    pub(super) fn new(cut: Cut, selector: Selector) -> Self {
        let flows = cut.flows.iter();
        let rest = flows
            .filter(|(_, followed)| !followed.sums.is_empty())
            .map(|(flow, followed)| (*flow, followed.sums.clone()))
            .collect();
        Self {
            ledger: cut.ledger.again(),
            cut,
            selector,
            rest,
            numbers: HashMap::new(),
        }
    }

    /// The cut, and whether it is another one now, to be made and proved once more.
    #[must_use]
    pub fn finish(mut self) -> (Cut, bool) {
        let more = self.cut.learn(&self.rest);
        (self.cut, more)
    }

    /// The number that the session of a message has in the capture.
    fn number(&self, info: &MessageInfo) -> u32 {
        let flow = flow(info.peers.client, info.peers.server);
        let sessions = self.cut.flows.get(&flow).map(|f| f.sessions.as_slice());
        let mut sessions = sessions.unwrap_or(&[]).iter();
        let found = sessions.find(|(first, last, _)| (*first..=*last).contains(&info.time));
        found.map_or(NO_SESSION, |(_, _, number)| *number)
    }

    fn message(&mut self, info: &MessageInfo, bytes: &[u8]) {
        let number = match self.numbers.get(&info.peers.session) {
            Some(number) => *number,
            None => {
                let number = self.number(info);
                self.numbers.insert(info.peers.session, number);
                number
            }
        };
        let mut info = info.clone();
        info.peers.session = number;
        if self.selector.accepts(&Record::Message(&info, bytes)) {
            let entry = self.ledger.message(&info, bytes);
            self.found(&entry);
        }
    }

    fn ended(&mut self, session: &Session) {
        if let Some(number) = self.numbers.remove(&session.peers.session) {
            let mut session = session.clone();
            session.peers.session = number;
            self.selector.accepts(&Record::SessionEnded(&session));
            self.ledger.ended(number);
        }
    }

    fn found(&mut self, entry: &Entry) {
        if let Some(sums) = self.rest.get_mut(&entry.flow) {
            sums.take(entry);
        }
    }
}

impl Sink for Proof {
    fn record(&mut self, record: Record<'_>) {
        match record {
            Record::Message(info, bytes) => self.message(info, bytes),
            Record::Exchange(exchange) => {
                let mut exchange = exchange.clone();
                if let Some(number) = self.numbers.get(&exchange.session) {
                    exchange.session = *number;
                }
                if let Some(entry) = self.ledger.exchange(&exchange) {
                    self.found(&entry);
                }
            }
            Record::SessionEnded(session) => self.ended(session),
            _ => {}
        }
    }
}
