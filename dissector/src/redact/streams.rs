//! The redacted bytes of all messages, by their place in TCP streams. They lie in a file that the caller lends; what is kept in
//! memory is where each stretch of them lies.

use crate::limits::{REDACTED_BYTES, REDACTED_STRETCH};
use crate::time::Timestamp;
use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::SocketAddr;

/// Sender and receiver.
pub(super) type Flow = (SocketAddr, SocketAddr);

/// What bytes of a stream are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    /// CTI messages; told by the number of their session.
    Messages,
    /// What may be shown of TLS; told by the number of the stream.
    Secured,
}

/// Where redacted bytes are.
pub(super) struct Streams<S> {
    spool: S,
    end: u64,
    flows: HashMap<(Flow, Lane), Vec<Epoch>>,
    gathered: usize,
    /// Writing failed; told at the end.
    error: Option<io::Error>,
}

/// The messages of one session in one direction, or the TLS of one stream. The same ends may have several.
struct Epoch {
    session: u32,
    since: Timestamp,
    /// Sequence number of place 0.
    base: u32,
    stretches: Vec<Stretch>,
    /// What comes next in the last stretch, and is not written yet.
    pending: Vec<u8>,
    /// Place behind all that is there.
    place: i64,
    /// Place last looked at: sequence numbers come round.
    near: i64,
}

struct Stretch {
    at: i64,
    len: usize,
    spool: u64,
}

impl<S: Read + Write + Seek> Streams<S> {
    pub(super) fn new(spool: S) -> Self {
        Self {
            spool,
            end: 0,
            flows: HashMap::new(),
            gathered: 0,
            error: None,
        }
    }

    /// Takes redacted bytes and the sequence number of the first one.
    pub(super) fn add(
        &mut self,
        flow: Flow,
        lane: Lane,
        session: u32,
        time: Timestamp,
        sequence: u32,
        bytes: &[u8],
    ) {
        let Self {
            spool,
            end,
            flows,
            gathered,
            error,
        } = self;
        let epochs = flows.entry((flow, lane)).or_default();
        if epochs.last().is_none_or(|epoch| epoch.session != session) {
            // What is pending of the one before goes with all others.
            epochs.push(Epoch {
                session,
                since: time,
                base: sequence,
                stretches: Vec::new(),
                pending: Vec::new(),
                place: 0,
                near: 0,
            });
        }
        let Some(epoch) = epochs.last_mut() else {
            return;
        };
        let at = epoch.place_of(sequence, epoch.place);
        if at != epoch.place || epoch.pending.len() >= REDACTED_STRETCH {
            *gathered = gathered.saturating_sub(epoch.pending.len());
            keep(error, epoch.flush(spool, end));
            epoch.place = at;
        }
        epoch.pending.extend_from_slice(bytes);
        epoch.place = epoch.place.saturating_add(distance(bytes.len()));
        *gathered = gathered.saturating_add(bytes.len());
        if *gathered > REDACTED_BYTES {
            self.flush();
        }
    }

    /// Writes all that is pending.
    fn flush(&mut self) {
        for epoch in self.flows.values_mut().flatten() {
            keep(&mut self.error, epoch.flush(&mut self.spool, &mut self.end));
        }
        self.gathered = 0;
    }

    /// Nothing more is added.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.flush();
        match self.error.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Puts what is known of a stretch of a stream into `out`, which holds blanks. Returns how many bytes were known.
    pub(super) fn fill(
        &mut self,
        flow: Flow,
        lane: Lane,
        time: Timestamp,
        sequence: u32,
        out: &mut [u8],
    ) -> io::Result<usize> {
        let Some(epochs) = self.flows.get_mut(&(flow, lane)) else {
            return Ok(0);
        };
        // The session under way at that time comes first, then the next one, whose first bytes may have come a little before its
        // first message was whole; then those before and behind. Farther off there is nothing but the same numbers by chance.
        let next = epochs.partition_point(|epoch| epoch.since <= time);
        let order = [
            next.checked_sub(1),
            Some(next),
            next.checked_sub(2),
            next.checked_add(1),
        ];
        for index in order.into_iter().flatten() {
            let Some(epoch) = epochs.get_mut(index) else {
                continue;
            };
            let filled = epoch.fill(&mut self.spool, sequence, out)?;
            if filled > 0 {
                return Ok(filled);
            }
        }
        Ok(0)
    }
}

/// Keeps the first error.
fn keep(error: &mut Option<io::Error>, outcome: io::Result<()>) {
    if let Err(new) = outcome {
        error.get_or_insert(new);
    }
}

impl Epoch {
    /// The place with a sequence number that is nearest to another place.
    fn place_of(&self, sequence: u32, near: i64) -> i64 {
        let low = u32::try_from(near.rem_euclid(1 << 32)).unwrap_or(0);
        let there = self.base.wrapping_add(low);
        near.saturating_add(i64::from(sequence.wrapping_sub(there).cast_signed()))
    }

    fn flush(&mut self, spool: &mut (impl Write + Seek), end: &mut u64) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        spool.seek(SeekFrom::Start(*end))?;
        spool.write_all(&self.pending)?;
        let len = self.pending.len();
        self.stretches.push(Stretch {
            at: self.place.saturating_sub(distance(len)),
            len,
            spool: *end,
        });
        *end = end.saturating_add(u64::try_from(len).unwrap_or(0));
        self.pending = Vec::new();
        Ok(())
    }

    fn fill(
        &mut self,
        spool: &mut (impl Read + Seek),
        sequence: u32,
        out: &mut [u8],
    ) -> io::Result<usize> {
        let start = self.place_of(sequence, self.near);
        let end = start.saturating_add(distance(out.len()));
        let first = self
            .stretches
            .partition_point(|s| s.at.saturating_add(distance(s.len)) <= start);
        let mut filled = 0;
        for stretch in self.stretches.iter().skip(first) {
            if stretch.at >= end {
                break;
            }
            let from = stretch.at.max(start);
            let to = stretch.at.saturating_add(distance(stretch.len)).min(end);
            let place = |at: i64, of: i64| usize::try_from(at.saturating_sub(of)).unwrap_or(0);
            let Some(part) = out.get_mut(place(from, start)..place(to, start)) else {
                continue;
            };
            let offset = u64::try_from(from.saturating_sub(stretch.at)).unwrap_or(0);
            spool.seek(SeekFrom::Start(stretch.spool.saturating_add(offset)))?;
            spool.read_exact(part)?;
            filled += part.len();
        }
        if filled > 0 {
            self.near = end;
        }
        Ok(filled)
    }
}

fn distance(len: usize) -> i64 {
    i64::try_from(len).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    const FLOW: Flow = {
        let end = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);
        (end, end)
    };

    fn seconds(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn bytes_are_found_by_their_sequence_numbers() {
        let mut streams = Streams::new(Cursor::new(Vec::new()));
        // Round the end of all numbers, with a hole of 10 bytes.
        let start = u32::MAX - 50_000;
        let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
        for (index, chunk) in bytes.chunks(70).enumerate() {
            let at = index as u32 * 70;
            let hole = if at < 60_000 { 0 } else { 10 };
            streams.add(
                FLOW,
                Lane::Messages,
                1,
                seconds(0),
                start.wrapping_add(at + hole),
                chunk,
            );
        }
        streams.finish().unwrap();
        for at in (0..59_000_u32).step_by(777) {
            let mut out = [0; 100];
            let filled = streams
                .fill(
                    FLOW,
                    Lane::Messages,
                    seconds(1),
                    start.wrapping_add(at),
                    &mut out,
                )
                .unwrap();
            assert_eq!(filled, 100);
            assert_eq!(out[..], bytes[at as usize..][..100]);
        }
        // Backwards and over the hole.
        let mut out = [0xee; 20];
        let hole = 60_060_u32;
        let filled = streams
            .fill(
                FLOW,
                Lane::Messages,
                seconds(1),
                start.wrapping_add(hole - 5),
                &mut out,
            )
            .unwrap();
        assert_eq!(filled, 10);
        assert_eq!(out[..5], bytes[hole as usize - 5..hole as usize]);
        assert_eq!(out[5..15], [0xee; 10]);
        assert_eq!(out[15..], bytes[hole as usize..][..5]);
        let mut out = [0; 4];
        assert_eq!(
            streams
                .fill(FLOW, Lane::Messages, seconds(1), start - 4, &mut out)
                .unwrap(),
            0
        );
        let elsewhere = (FLOW.0, SocketAddr::new(FLOW.0.ip(), 2));
        assert_eq!(
            streams
                .fill(elsewhere, Lane::Messages, seconds(1), start, &mut out)
                .unwrap(),
            0
        );
    }

    #[test]
    fn ports_used_again_do_not_mix() {
        let mut streams = Streams::new(Cursor::new(Vec::new()));
        streams.add(FLOW, Lane::Messages, 1, seconds(10), 1000, b"first");
        streams.add(FLOW, Lane::Messages, 2, seconds(20), 1000, b"again");
        streams.add(FLOW, Lane::Messages, 3, seconds(30), 5000, b"third");
        streams.finish().unwrap();
        let mut at = |time, sequence| {
            let mut out = [0; 5];
            streams
                .fill(FLOW, Lane::Messages, seconds(time), sequence, &mut out)
                .unwrap();
            out
        };
        assert_eq!(&at(10, 1000), b"first");
        assert_eq!(&at(15, 1000), b"first");
        assert_eq!(&at(20, 1000), b"again");
        assert_eq!(&at(25, 1000), b"again");
        // Before the message was whole.
        assert_eq!(&at(29, 5000), b"third");
        assert_eq!(&at(40, 1000), b"again");
    }
}
