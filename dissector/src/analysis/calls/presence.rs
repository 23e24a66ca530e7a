//! What other analyses ask about calls that go on: which agents are on them, and how.

use super::book::Book;
use super::party::ConnectionState;
use crate::time::Timestamp;

/// An agent on a call, as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::analysis) struct Presence<'a> {
    /// AgentID.
    pub agent: &'a str,
    /// PeripheralID of the message that named the agent's device.
    pub peripheral: Option<u32>,
    /// The device has a connection that some session tells of.
    pub there: bool,
    /// The device is connected: to which call ID, and since when. `None` where the end may have been missed.
    pub talks: Option<(u32, Timestamp)>,
    /// When its last connection ended.
    pub left: Option<Timestamp>,
    /// It did not answer what rang last, and that was just now.
    pub missed: bool,
}

/// How long after it rang an agent's state may say that it was not answered (nanoseconds).
const LATE: i64 = 5_000_000_000;

impl Book {
    /// The call that the last message was about, if it was about one.
    pub(in crate::analysis) fn take_touched(&mut self) -> Option<u64> {
        let call = self.touched.take()?;
        self.resolve(call)
    }

    /// Whether a call is still followed, under its own number or that of a call that it was joined to.
    pub(in crate::analysis) fn follows(&self, call: u64) -> Option<u64> {
        self.resolve(call)
    }

    /// The agents on a call.
    pub(in crate::analysis) fn agents_on(
        &self,
        call: u64,
        now: Timestamp,
    ) -> impl Iterator<Item = Presence<'_>> {
        let open = self.resolve(call).and_then(|call| self.calls.get(&call));
        let parties = open.into_iter().flat_map(|open| {
            let parties = open.parties.list.iter();
            parties.map(move |tracked| (open, tracked))
        });
        parties.filter_map(move |(open, tracked)| {
            let agent = tracked.party.agent.as_deref()?;
            let since = tracked.since()?;
            let on = |state: ConnectionState| {
                let legs = open.legs.iter();
                let legs = legs.filter(|leg| !leg.is_over(&self.lost));
                legs.filter(move |leg| tracked.on(leg.number) == Some(state))
            };
            let certain = on(ConnectionState::Connected)
                .find(|leg| leg.is_certain(since, &self.lost, &self.gaps));
            let there = open.legs.iter().any(|leg| {
                !leg.is_lost(&self.lost)
                    && tracked
                        .on(leg.number)
                        .is_some_and(ConnectionState::is_there)
            });
            let gone = !tracked.state().is_some_and(ConnectionState::is_there);
            Some(Presence {
                agent,
                peripheral: tracked.party.peripheral,
                there,
                talks: certain.map(|leg| (leg.id.id, since)),
                left: gone.then_some(since),
                missed: tracked.missed_it() && (!gone || tracked.state_for(now) <= LATE),
            })
        })
    }
}
