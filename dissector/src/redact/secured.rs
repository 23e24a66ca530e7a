//! What TLS shows to everybody, and what is told of it: the headers of records, the type of a handshake message that comes in
//! plain text, and alerts in plain text. Everything else of an encrypted stream is blank.
//!
//! Records are followed from the beginning of a stream, and for as long as its segments come in order: a header is where the
//! one before it said, and each of its bytes is one that may stand there.

use super::streams::{Lane, Streams};
use crate::capture::Segment;
use crate::ports::{PortKind, Ports};
use std::collections::HashMap;
use std::io::{Read, Seek, Write};
use std::net::SocketAddr;

/// Bytes of a record header: type, version, length.
const HEADER: usize = 5;
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// Content types: change of cipher, alert, handshake, application data, heartbeat.
const TYPES: std::ops::RangeInclusive<u8> = 20..=24;
/// High byte of the longest length of a record, 2^14 + 2048 bytes.
const LONGEST: u8 = 0x48;
/// Level and description.
const PLAIN_ALERT: usize = 2;

/// Follows the TLS of a capture while it is read for the first time.
pub(super) struct Secured {
    ports: Ports,
    flows: HashMap<(SocketAddr, SocketAddr), Flow>,
    /// Streams begun so far: the same ends may have several.
    begun: u32,
}

/// One direction of a connection.
struct Flow {
    number: u32,
    /// Sequence number of its first byte.
    start: u32,
    /// Sequence number of what comes next; none where nothing more can be told.
    next: Option<u32>,
    records: Records,
}

impl Secured {
    pub(super) fn new(ports: Ports) -> Self {
        Self {
            ports,
            flows: HashMap::new(),
            begun: 0,
        }
    }

    /// Takes the next segment of the capture, and puts what it may show into `streams`.
    pub(super) fn segment<S: Read + Write + Seek>(
        &mut self,
        segment: &Segment<'_>,
        streams: &mut Streams<S>,
    ) {
        let ends = (segment.source, segment.destination);
        let is_expected = |end: SocketAddr| self.ports.kind(end.port()) != PortKind::Other;
        if !is_expected(ends.0) && !is_expected(ends.1) {
            return;
        }
        let opens = segment.flags.syn;
        let start = segment.sequence.wrapping_add(u32::from(opens));
        if opens && self.flows.get(&ends).is_none_or(|f| f.start != start)
            || !segment.payload.is_empty() && !self.flows.contains_key(&ends)
        {
            self.begun = self.begun.saturating_add(1);
            let flow = Flow {
                number: self.begun,
                start,
                next: Some(start),
                records: Records::default(),
            };
            self.flows.insert(ends, flow);
        }
        let Some(flow) = self.flows.get_mut(&ends) else {
            return;
        };
        let Some(next) = flow.next.filter(|_| !segment.payload.is_empty()) else {
            return;
        };
        // What came before is known already; behind a hole, nothing is.
        if start != next {
            let is_ahead = start.wrapping_sub(next).cast_signed() > 0;
            flow.next = flow.next.filter(|_| !is_ahead);
            return;
        }
        let mut shown = vec![0; segment.payload.len()];
        let goes_on = flow.records.show(segment.payload, &mut shown);
        let len = u32::try_from(shown.len()).unwrap_or(u32::MAX);
        flow.next = (goes_on && segment.missing == 0).then(|| next.wrapping_add(len));
        if shown.iter().any(|byte| *byte != 0) || goes_on {
            let (time, number) = (segment.time, flow.number);
            streams.add(ends, Lane::Secured, number, time, start, &shown);
        }
    }
}

/// The records of one direction.
#[derive(Debug, Default)]
struct Records {
    /// Bytes of the record under way, header included.
    at: usize,
    kind: u8,
    length: [u8; 2],
    /// Handshake messages are encrypted from here on.
    ciphered: bool,
}

impl Records {
    /// Copies what may be shown of the next bytes to `out`, which holds as many zeros. False where these are no records.
    fn show(&mut self, bytes: &[u8], out: &mut [u8]) -> bool {
        for (byte, out) in bytes.iter().zip(out) {
            let fits = match self.at {
                0 => TYPES.contains(byte),
                1 => *byte == 3,
                2 => *byte <= 4,
                3 => *byte <= LONGEST,
                _ => true,
            };
            if !fits {
                return false;
            }
            if self.at < HEADER || self.tells(*byte) {
                *out = *byte;
            }
            match (self.at, &mut self.length) {
                (0, _) => self.kind = *byte,
                (3, [high, _]) => *high = *byte,
                (4, [_, low]) => *low = *byte,
                _ => {}
            }
            self.at += 1;
            if self.at >= HEADER && self.at - HEADER >= self.body() {
                self.ciphered |= self.kind == CHANGE_CIPHER_SPEC;
                self.at = 0;
            }
        }
        true
    }

    fn body(&self) -> usize {
        usize::from(u16::from_be_bytes(self.length))
    }

    /// Whether a byte of a record's body is one that decides what is told of the connection.
    fn tells(&self, byte: u8) -> bool {
        match (self.kind, self.at - HEADER) {
            (HANDSHAKE, 0) => !self.ciphered && is_handshake(byte),
            (ALERT, 0) => self.body() == PLAIN_ALERT && matches!(byte, 1 | 2),
            (ALERT, 1) => self.body() == PLAIN_ALERT,
            _ => false,
        }
    }
}

/// Types of handshake messages (RFC 8446 and RFC 5246).
const fn is_handshake(kind: u8) -> bool {
    matches!(kind, 0..=2 | 4..=5 | 8 | 11..=16 | 20..=22 | 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[&[u8]]) -> Vec<u8> {
        let mut records = Records::default();
        let mut all = Vec::new();
        for piece in pieces {
            let mut out = vec![0; piece.len()];
            let goes_on = records.show(piece, &mut out);
            all.extend(out);
            if !goes_on {
                break;
            }
        }
        all
    }

    #[test]
    fn headers_handshake_types_and_alerts_are_shown_however_they_are_cut() {
        let bytes = [
            // A ClientHello with random bytes.
            &[22, 3, 1, 0, 6, 1, 9, 9, 9, 9, 9][..],
            // A change of cipher, and a handshake message that is encrypted: its first byte is no type.
            &[20, 3, 3, 0, 1, 1],
            &[22, 3, 3, 0, 3, 1, 8, 7],
            // An alert, and one that is encrypted.
            &[21, 3, 3, 0, 2, 2, 48],
            &[21, 3, 3, 0, 3, 2, 48, 7],
            &[23, 3, 3, 0, 3, 5, 5, 5],
        ]
        .concat();
        let expected = [
            &[22, 3, 1, 0, 6, 1, 0, 0, 0, 0, 0][..],
            &[20, 3, 3, 0, 1, 0],
            &[22, 3, 3, 0, 3, 0, 0, 0],
            &[21, 3, 3, 0, 2, 2, 48],
            &[21, 3, 3, 0, 3, 0, 0, 0],
            &[23, 3, 3, 0, 3, 0, 0, 0],
        ]
        .concat();
        let one_by_one: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(shown(&[&bytes]), expected);
        assert_eq!(shown(&one_by_one), expected);
    }

    #[test]
    fn what_is_no_record_shows_nothing() {
        for bytes in [
            &b"GET / HTTP/1.1"[..],
            &[0, 0, 0, 4, 0, 0, 0, 3],
            &[25, 3, 3, 0, 3],
        ] {
            assert!(shown(&[bytes]).iter().all(|b| *b == 0), "{bytes:?}");
        }
        // As far as it fits, and no further.
        assert_eq!(shown(&[&[23, 3, 9, 9, 9]]), [23, 3, 0, 0, 0]);
        assert_eq!(shown(&[&[23, 3, 3, 0xff, 9]]), [23, 3, 3, 0, 0]);
    }
}
