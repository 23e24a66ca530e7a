//! Records kept for later. A message's bytes are not in here: whoever keeps many has one buffer for all of them.

use crate::correlate::Exchange;
use crate::record::{BreakRecord, MessageInfo, Notice, Record};
use crate::session::Session;

/// A record of its own; of a message all but its bytes.
#[derive(Debug)]
pub(crate) enum Kept {
    Message(MessageInfo),
    Exchange(Exchange),
    SessionBegan(Box<Session>),
    SessionEnded(Box<Session>),
    Break(Box<BreakRecord>),
    Notice(Box<Notice>),
}

impl Kept {
    /// A copy of a record, and the bytes to be kept beside it.
    pub(crate) fn new<'a>(record: &Record<'a>) -> (Self, &'a [u8]) {
        let kept = match *record {
            Record::Message(info, bytes) => return (Self::Message(info.clone()), bytes),
            Record::Exchange(exchange) => Self::Exchange(exchange.clone()),
            Record::SessionBegan(session) => Self::SessionBegan(Box::new(session.clone())),
            Record::SessionEnded(session) => Self::SessionEnded(Box::new(session.clone())),
            Record::Break(details) => Self::Break(Box::new(details.clone())),
            Record::Notice(notice) => Self::Notice(Box::new(notice.clone())),
        };
        (kept, &[])
    }

    /// The record again; `bytes` are those that [`Kept::new`] gave.
    pub(crate) fn record<'a>(&'a self, bytes: &'a [u8]) -> Record<'a> {
        match self {
            Self::Message(info) => Record::Message(info, bytes),
            Self::Exchange(exchange) => Record::Exchange(exchange),
            Self::SessionBegan(session) => Record::SessionBegan(session),
            Self::SessionEnded(session) => Record::SessionEnded(session),
            Self::Break(details) => Record::Break(details),
            Self::Notice(notice) => Record::Notice(notice),
        }
    }
}

/// Bytes that leave in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Bytes {
    data: Vec<u8>,
    /// Where those begin that have not left.
    start: usize,
}

impl Bytes {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.start > self.data.len() / 2 {
            self.data.drain(..self.start);
            self.start = 0;
        }
        self.data.extend_from_slice(bytes);
    }

    /// The oldest bytes; fewer where so many are not there.
    pub(crate) fn first(&self, len: usize) -> &[u8] {
        let rest = self.data.get(self.start..).unwrap_or_default();
        rest.get(..len).unwrap_or(rest)
    }

    /// Lets the oldest bytes go.
    pub(crate) fn pop(&mut self, len: usize) {
        self.start = self.start.saturating_add(len);
        if self.start >= self.data.len() {
            self.data.clear();
            self.start = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_leave_in_the_order_in_which_they_came() {
        let mut bytes = Bytes::default();
        let (mut sent, mut taken) = (0_u8, 0_u8);
        for round in 0..200_usize {
            for _ in 0..round % 7 {
                bytes.push(&[sent, sent, sent]);
                sent = sent.wrapping_add(1);
            }
            for _ in 0..round % 5 {
                if taken != sent {
                    assert_eq!(bytes.first(3), [taken; 3]);
                    bytes.pop(3);
                    taken = taken.wrapping_add(1);
                }
            }
        }
        while taken != sent {
            assert_eq!(bytes.first(3), [taken; 3]);
            bytes.pop(3);
            taken = taken.wrapping_add(1);
        }
        assert_eq!((bytes.first(3), bytes.data.len()), (&[][..], 0));
    }
}
