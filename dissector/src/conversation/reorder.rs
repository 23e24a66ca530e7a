//! Puts what framing tells into order of time while reassembly holds data back.
//!
//! A hole that turns out to be a gap lets data pass late, with the time at which it was captured. Meanwhile other directions
//! have gone on, so an answer would come before its request. So while something is held back, later output waits here. In
//! the usual case nothing is held, and nothing comes here.

use crate::capture::PacketId;
use crate::framing::{Break, Framed, Output};
use crate::limits;
use crate::reassembly::{Connection, ConnectionId, DirectionStats, End, Side};
use crate::time::Timestamp;
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashMap};

/// What waits for its turn.
pub(super) enum Waiting {
    Message {
        connection: Connection,
        from: Side,
        bytes: Box<[u8]>,
        packets: Box<[PacketId]>,
        sequence: u32,
        time: Timestamp,
        unconfirmed: bool,
    },
    Break {
        connection: Connection,
        from: Side,
        details: Break,
    },
    Ended {
        connection: Connection,
        time: Timestamp,
        end: End,
        stats: [DirectionStats; 2],
    },
}

/// Output that waits, in order of time; of equal times, in order of arrival.
#[derive(Default)]
pub(super) struct Reorder {
    waiting: BTreeMap<(Timestamp, u64), Waiting>,
    arrivals: u64,
    bytes: usize,
    /// Time of the last output of each connection that has some waiting.
    last: HashMap<ConnectionId, Timestamp, RandomState>,
    /// Something is held back by reassembly.
    holding: bool,
}

impl Reorder {
    /// Whether output must wait.
    pub(super) fn is_on(&self) -> bool {
        self.holding || !self.waiting.is_empty()
    }

    /// Takes output of framing.
    pub(super) fn output(&mut self, connection: &Connection, from: Side, output: Output<'_>) {
        let id = connection.id;
        let connection = connection.clone();
        match output {
            Output::Message(Framed {
                bytes,
                time,
                packets,
                sequence,
                unconfirmed,
            }) => {
                let message = Waiting::Message {
                    connection,
                    from,
                    bytes: bytes.into(),
                    packets: packets.into(),
                    sequence,
                    time,
                    unconfirmed,
                };
                self.add(id, time, message);
            }
            Output::Break(details) => self.add(
                id,
                details.time,
                Waiting::Break {
                    connection,
                    from,
                    details,
                },
            ),
        }
    }

    /// Takes the end of a connection. It comes after everything else of the connection, whatever the clock says.
    pub(super) fn ended(
        &mut self,
        connection: &Connection,
        time: Timestamp,
        end: End,
        stats: [DirectionStats; 2],
    ) {
        let last = self.last.get(&connection.id).copied();
        let place = last.map_or(time, |last| last.max(time));
        self.add(
            connection.id,
            place,
            Waiting::Ended {
                connection: connection.clone(),
                time,
                end,
                stats,
            },
        );
    }

    fn add(&mut self, id: ConnectionId, time: Timestamp, waiting: Waiting) {
        let last = self.last.entry(id).or_insert(time);
        *last = time.max(*last);
        self.bytes = self.bytes.saturating_add(cost(&waiting));
        self.waiting.insert((time, self.arrivals), waiting);
        self.arrivals = self.arrivals.wrapping_add(1);
    }

    /// Learns since when something is held back, if anything is.
    pub(super) const fn held_since(&mut self, since: Option<Timestamp>) {
        self.holding = since.is_some();
    }

    /// The next output whose turn has come: nothing from before `since` can come any more. Beyond the memory allowed, order
    /// gives way.
    pub(super) fn next(&mut self, since: Option<Timestamp>) -> Option<Waiting> {
        let ((time, _), _) = self.waiting.first_key_value()?;
        let full = self.bytes > limits::MAX_REORDER_BYTES;
        if since.is_some_and(|since| *time >= since) && !full {
            return None;
        }
        let (_, waiting) = self.waiting.pop_first()?;
        if self.waiting.is_empty() {
            self.last.clear();
        }
        self.bytes = self.bytes.saturating_sub(cost(&waiting));
        Some(waiting)
    }
}

fn cost(waiting: &Waiting) -> usize {
    let bytes = match waiting {
        Waiting::Message { bytes, .. } => bytes.len(),
        Waiting::Break { .. } | Waiting::Ended { .. } => 0,
    };
    bytes + size_of::<Waiting>()
}
