//! Connections in order of a number that may change meanwhile. Whoever takes one out looks whether its turn still is.

use super::event::ConnectionId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A connection's place in the queue: its number, the slot where it lies, and which connection was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    pub(super) key: i64,
    pub(super) id: ConnectionId,
    pub(super) slot: usize,
}

/// Smallest key first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Ticket>>,
}

impl Queue {
    pub(super) fn push(&mut self, ticket: Ticket) {
        self.heap.push(Reverse(ticket));
    }

    pub(super) fn pop(&mut self) -> Option<Ticket> {
        self.heap.pop().map(|ticket| ticket.0)
    }

    /// Takes the first ticket if its key is at most `limit`.
    pub(super) fn pop_until(&mut self, limit: i64) -> Option<Ticket> {
        if self.heap.peek()?.0.key > limit {
            return None;
        }
        self.pop()
    }

    /// Drops dead tickets once they are more than the `live` connections can explain. Amortised constant.
    pub(super) fn compact(&mut self, live: usize, alive: impl Fn(&Ticket) -> bool) {
        if self.heap.len() > live.saturating_mul(4).saturating_add(1024) {
            self.heap.retain(|ticket| alive(&ticket.0));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }
}
