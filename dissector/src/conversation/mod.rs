//! From TCP segments to records: finds the CTI connections, frames their messages, follows sessions and exchanges.

mod connection;
mod core;
mod exchanges;
mod reorder;
mod sessions;
mod versions;

use crate::capture::Segment;
use crate::decode::Decoder;
use crate::framing::{Framed, Framer, Judge, Output};
use crate::limits;
use crate::ports::{PortKind, Ports};
use crate::protocol::ProtocolVersion;
use crate::reassembly::{
    Connection, DataRun, DirectionStats, End, Gap, GapCause, Handler, Interest, Late, Reassembler,
    Side,
};
use crate::record::Sink;
use crate::tally::Tally;
use crate::time::Timestamp;
use connection::{Live, Phase, SessionState};
use core::Core;
use foldhash::fast::RandomState;
use reorder::{Reorder, Waiting};
use std::collections::HashMap;
use std::time::Duration;

/// What the user wants to be different from the usual.
#[derive(Debug, Clone)]
pub struct Options {
    /// Ports on which CTI is expected.
    pub ports: Ports,
    /// Decode every session by this version.
    pub version: Option<ProtocolVersion>,
    /// How long a request may wait for its answer, in capture time.
    pub reply_wait: Duration,
    /// Hold a request back until its outcome is known, so that it can be told with the request.
    pub hold_requests: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ports: Ports::default(),
            version: None,
            reply_wait: Duration::from_secs(30),
            hold_requests: false,
        }
    }
}

/// What was counted over all connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// TCP connections seen.
    pub connections: u64,
    /// Sessions, encrypted and empty ones included.
    pub sessions: u64,
    /// Connections that are encrypted.
    pub encrypted: u64,
    /// Messages.
    pub messages: u64,
    /// Bytes of all messages.
    pub message_bytes: u64,
    /// Requests.
    pub requests: Tally,
    /// Stretches where bytes are missing or were skipped.
    pub breaks: u64,
    /// Bytes missing from the capture.
    pub missing: u64,
    /// Captured bytes that could not be assigned to a message.
    pub skipped: u64,
    /// Records that had to be shown before everything was known about them.
    pub forced: u64,
}

/// Before all times.
const NEVER: Timestamp = Timestamp::from_nanos(i64::MIN);

/// Follows all connections of a capture and tells a sink what happens on those that are CTI.
pub struct Conversations<S> {
    reassembler: Reassembler,
    state: State<S>,
}

/// Everything behind the reassembler.
struct State<S> {
    /// Those that have carried data, by their number, but for those that turned out to carry something else.
    connections: HashMap<u32, Box<Live>, RandomState>,
    judge: Decoder,
    reorder: Reorder,
    core: Core<S>,
}

impl<S: Sink> Conversations<S> {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(options: Options, sink: S) -> Self {
        Self {
            reassembler: Reassembler::new(),
            state: State {
                connections: HashMap::default(),
                judge: Decoder::new(),
                reorder: Reorder::default(),
                core: Core::new(options, sink),
            },
        }
    }

    /// Takes the next segment, in order of capture.
    pub fn segment(&mut self, segment: &Segment<'_>) {
        let held_since = self.reassembler.earliest_held();
        // What waits for its turn has not been answered yet for all we know.
        let now = held_since.map_or(segment.time, |since| since.min(segment.time));
        self.state.expire(now, now);
        self.reassembler.segment(segment, &mut self.state);
        let held_since = self.reassembler.earliest_held();
        self.state.reorder.held_since(held_since);
        if self.state.reorder.is_on() {
            self.state.release(held_since);
        }
    }

    /// The capture is over: everything still open is told. Returns the sink.
    pub fn finish(mut self) -> (S, Totals) {
        self.reassembler.finish(&mut self.state);
        self.state.release(None);
        self.state.core.finish()
    }

    /// What was counted so far.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.state.core.totals()
    }

    /// Data that came for connections already ended.
    #[must_use]
    pub fn late(&self) -> Late {
        self.reassembler.late()
    }

    /// The sink.
    pub const fn sink(&mut self) -> &mut S {
        self.state.core.sink()
    }
}

impl<S: Sink> State<S> {
    /// Settles at `now` what may wait until `due` at most, and what is too much to be remembered.
    fn expire(&mut self, due: Timestamp, now: Timestamp) {
        while let Some(request) = self.core.next_expired(due) {
            let live = self.connections.get_mut(&request.open.connection);
            self.core.unanswered(live.map(|l| &mut **l), request, now);
        }
        while let Some(connection) = self.core.next_overdue_inference(due) {
            if let Some(session) = self
                .connections
                .get_mut(&connection)
                .and_then(|l| l.session.as_deref_mut())
            {
                self.core.decide_version(session);
            }
        }
    }
}

impl<S: Sink> State<S> {
    /// Goes on with what has waited for its turn.
    fn release(&mut self, held_since: Option<Timestamp>) {
        while let Some(waiting) = self.reorder.next(held_since) {
            match waiting {
                Waiting::Message {
                    connection,
                    from,
                    bytes,
                    packets,
                    sequence,
                    time,
                    unconfirmed,
                } => {
                    let framed = Framed {
                        bytes: &bytes,
                        time,
                        packets: &packets,
                        sequence,
                        unconfirmed,
                    };
                    self.framed(&connection, from, Output::Message(framed));
                    // One segment may let any number of requests pass.
                    self.expire(NEVER, time);
                }
                Waiting::Break {
                    connection,
                    from,
                    details,
                } => {
                    self.framed(&connection, from, Output::Break(details));
                }
                Waiting::Ended {
                    connection,
                    time,
                    end,
                    stats,
                } => self.over(&connection, time, end, stats),
            }
        }
    }

    fn framed(&mut self, connection: &Connection, from: Side, output: Output<'_>) {
        if let Some(live) = self.connections.get_mut(&connection.id.0) {
            let Live { facts, session, .. } = &mut **live;
            self.core.framed(facts, session, connection, from, output);
        }
    }

    fn over(
        &mut self,
        connection: &Connection,
        time: Timestamp,
        end: End,
        stats: [DirectionStats; 2],
    ) {
        if let Some(mut live) = self.connections.remove(&connection.id.0) {
            self.core.ended(&mut live, connection, time, end, stats);
        }
    }
}

impl<S: Sink> State<S> {
    /// What is known of a connection, from now on if it was not before.
    fn live(&mut self, connection: &Connection) -> &mut Live {
        let ports = &self.core.options.ports;
        self.connections
            .entry(connection.id.0)
            .or_insert_with(|| Box::new(Live::new(connection, ports)))
    }

    /// Lets a direction's framer act; what it tells goes on, or waits for its turn. False when the connection is not followed.
    fn drive(
        &mut self,
        connection: &Connection,
        from: Side,
        act: impl FnOnce(&mut Framer, &mut Judge<'_>, &mut dyn FnMut(Output<'_>)),
    ) -> bool {
        let Self {
            connections,
            judge,
            reorder,
            core,
        } = self;
        let Some(live) = connections.get_mut(&connection.id.0) else {
            return false;
        };
        live.learn(connection);
        drive(live, judge, reorder, core, connection, from, act);
        true
    }
}

/// Lets a direction's framer act; what it tells goes on, or waits for its turn.
fn drive<S: Sink>(
    live: &mut Live,
    decoder: &mut Decoder,
    reorder: &mut Reorder,
    core: &mut Core<S>,
    connection: &Connection,
    from: Side,
    act: impl FnOnce(&mut Framer, &mut Judge<'_>, &mut dyn FnMut(Output<'_>)),
) {
    let Live {
        framers,
        facts,
        session,
        ..
    } = live;
    let mut judge = Judge {
        decoder,
        version: session.as_deref().and_then(SessionState::sure_version),
        sender: facts.sender(from),
    };
    let framer = match from {
        Side::First => &mut framers.0,
        Side::Second => &mut framers.1,
    };
    let before = framer.held();
    act(framer, &mut judge, &mut |output| {
        facts.confirmed |= matches!(output, Output::Message(_));
        if reorder.is_on() {
            reorder.output(connection, from, output);
        } else {
            core.framed(facts, session, connection, from, output);
        }
    });
    core.framing = core
        .framing
        .saturating_sub(before)
        .saturating_add(framer.held());
}

impl<S: Sink> Handler for State<S> {
    fn opened(&mut self, _: &Connection) {
        self.core.totals.connections += 1;
    }

    fn data(&mut self, connection: &Connection, run: DataRun<'_>) -> Interest {
        let Self {
            connections,
            judge,
            reorder,
            core,
        } = self;
        let ports = &core.options.ports;
        let live = connections
            .entry(connection.id.0)
            .or_insert_with(|| Box::new(Live::new(connection, ports)));
        live.learn(connection);
        match live.look(run.from, run.bytes) {
            Phase::Ignored => {
                core.framing = core.framing.saturating_sub(live.framing());
                connections.remove(&connection.id.0);
                return Interest::Ignore;
            }
            Phase::Encrypted => {
                live.phase = Phase::Encrypted;
                core.encrypted(live, connection, run.time);
                return Interest::Ignore;
            }
            Phase::Probing | Phase::Cti => {}
        }
        let push = |framer: &mut Framer, judge: &mut Judge<'_>, out: &mut dyn FnMut(Output<'_>)| {
            framer.push(&run, judge, out);
        };
        drive(live, judge, reorder, core, connection, run.from, push);
        if core.framing > limits::MAX_FRAMING_BYTES && live.framing() > 0 {
            // As if nothing more of what is held could be had: the one that brings more lets go.
            core.cut += 1;
            let cut =
                |framer: &mut Framer, judge: &mut Judge<'_>, out: &mut dyn FnMut(Output<'_>)| {
                    framer.gap(0, run.time, judge, out);
                };
            drive(live, judge, reorder, core, connection, run.from, cut);
        }
        let interest = live.settle(run.bytes.len());
        if interest == Interest::Ignore {
            core.framing = core.framing.saturating_sub(live.framing());
            connections.remove(&connection.id.0);
        }
        interest
    }

    fn gap(&mut self, connection: &Connection, gap: Gap) {
        self.core.full_buffers += u64::from(gap.cause == GapCause::BufferFull);
        let live = self.live(connection);
        live.facts.note_gap(gap.from, gap.time);
        self.drive(connection, gap.from, |framer, judge, out| {
            framer.gap(gap.bytes, gap.time, judge, out);
        });
    }

    fn ended(
        &mut self,
        connection: &Connection,
        time: Timestamp,
        end: End,
        stats: [DirectionStats; 2],
    ) {
        let [first, second] = &stats;
        if first.bytes == 0 && second.bytes == 0 {
            // A connection without data is worth a line where CTI is expected. What carried something else is forgotten.
            self.live(connection);
        }
        for side in [Side::First, Side::Second] {
            if !self.drive(connection, side, Framer::finish) {
                return;
            }
        }
        self.core.evicted += u64::from(end == End::Evicted);
        if self.reorder.is_on() {
            self.reorder.ended(connection, time, end, stats);
            // When the capture ends, all connections end at once with all that they held: only the bound lets go here.
            self.release(Some(NEVER));
        } else {
            self.over(connection, time, end, stats);
        }
    }
}

/// Whether a port kind alone makes a connection worth telling about.
const fn is_expected(kind: PortKind) -> bool {
    !matches!(kind, PortKind::Other)
}

#[cfg(test)]
mod tests;
