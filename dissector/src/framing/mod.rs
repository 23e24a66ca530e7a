//! Cuts one direction's bytes into messages. Knows headers; whether a message makes sense a [`Judge`] tells.
//!
//! In step with the stream, a header's length leads to the next header. After a gap, a start in mid-stream or a header that
//! makes no sense, a boundary is searched and must be confirmed by decoding before it is trusted.

mod confirm;
mod search;

pub use confirm::{COMPUTED, ENOUGH, FOREIGN_PORT, Judge};

use crate::capture::PacketId;
use crate::decode::wire::{self, HEADER_LEN};
use crate::limits;
use crate::reassembly::DataRun;
use crate::time::Timestamp;

/// A message cut out of the stream.
#[derive(Debug, Clone, Copy)]
pub struct Framed<'a> {
    /// The message, header included. Fewer bytes than the header promises: the rest was not captured.
    pub bytes: &'a [u8],
    /// When its last byte could be read.
    pub time: Timestamp,
    /// The packets that carried it.
    pub packets: &'a [PacketId],
    /// TCP sequence number of its first byte. The others follow it without a gap.
    pub sequence: u32,
    /// Its place was found by its content and nothing confirmed it: bytes are missing before and behind it, and no segment
    /// begins there.
    pub unconfirmed: bool,
}

/// Why framing lost step with the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakCause {
    /// Bytes are missing.
    Gap,
    /// The capture begins in mid-stream.
    MidStream,
    /// A header made no sense.
    BadHeader,
    /// The stream ends inside a message.
    CutMessage,
}

impl BreakCause {
    /// The snake_case name used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::MidStream => "mid_stream",
            Self::BadHeader => "bad_header",
            Self::CutMessage => "cut_message",
        }
    }
}

/// A stretch without messages: what was missing, what was skipped, and whether a boundary was found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// Why it began.
    pub cause: BreakCause,
    /// When messages went on; if they did not, when it began.
    pub time: Timestamp,
    /// Bytes that are not in the capture.
    pub missing: u64,
    /// Captured bytes that could not be assigned to a message.
    pub skipped: u64,
    /// A boundary was found again.
    pub resumed: bool,
    /// All that is missing is the end of one message, which was told as far as it was captured.
    pub within_message: bool,
}

/// What framing tells, in stream order.
#[derive(Debug, Clone, Copy)]
pub enum Output<'a> {
    /// The next message.
    Message(Framed<'a>),
    /// Bytes were lost or skipped.
    Break(Break),
}

/// Where bytes of the buffer came from.
#[derive(Debug, Clone, Copy)]
struct Piece {
    end: usize,
    packet: PacketId,
    time: Timestamp,
    segment_start: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// The next byte of the stream begins a message, or the buffer holds the beginning of one.
    InStep,
    /// The end of a message whose rest is partly missing is known: so many bytes from here.
    Skipping(usize),
    /// A boundary is being searched.
    Searching(Candidate),
}

/// A possible boundary and what speaks for it so far.
#[derive(Debug, Clone, Copy, Default)]
struct Candidate {
    /// Its place in the buffer.
    start: usize,
    /// Where the chain of messages that begins there goes on.
    next: usize,
    /// Sum of what the messages of the chain are worth.
    worth: u32,
    /// Worth that is enough.
    required: u32,
    /// Floating headers that the chain can be read with.
    widths: confirm::Widths,
    /// Where the chain would end if it were the content of a floating field whose header stands in front of it; 0 for no
    /// such field. By width of the floating header.
    enclosed: [usize; 2],
}

/// Cuts the bytes of one direction into messages.
#[derive(Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    pieces: Vec<Piece>,
    packets: Vec<PacketId>,
    state: State,
    pending: Option<Break>,
    required: u32,
    /// Bytes taken in since the last confirmed message.
    unconfirmed: u64,
    /// Bytes that may still be decoded on trial.
    credit: u64,
    /// Sequence number of the next byte to be taken in, and of the one behind the buffer, which has no gaps.
    next_sequence: u32,
    end_sequence: u32,
}

impl Framer {
    /// A framer for a stream that begins with a message.
    #[must_use]
    pub fn in_step() -> Self {
        Self {
            buffer: Vec::new(),
            pieces: Vec::new(),
            packets: Vec::new(),
            state: State::InStep,
            pending: None,
            required: confirm::ENOUGH,
            unconfirmed: 0,
            credit: limits::SEARCH_CREDIT,
            next_sequence: 0,
            end_sequence: 0,
        }
    }

    /// A framer that must find and confirm the first message; `required` says how much must speak for it.
    #[must_use]
    pub fn searching(required: u32) -> Self {
        let mut framer = Self::in_step();
        framer.required = required;
        framer.state = State::Searching(Candidate {
            required,
            ..Candidate::default()
        });
        framer
    }

    /// Bytes taken in since the last message that was confirmed; a measure for giving up.
    #[must_use]
    pub const fn unconfirmed(&self) -> u64 {
        self.unconfirmed
    }

    /// Whether the next byte is known to begin or continue a message.
    #[must_use]
    pub const fn is_in_step(&self) -> bool {
        matches!(self.state, State::InStep)
    }

    /// From now on, this much must speak for a boundary.
    pub const fn require(&mut self, required: u32) {
        self.required = required;
        if let State::Searching(candidate) = &mut self.state {
            candidate.required = required;
        }
    }

    /// Bytes held.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// Memory that what is held takes (bytes): the data, and where it came from.
    #[must_use]
    pub fn held(&self) -> usize {
        let pieces = self.pieces.len().saturating_mul(size_of::<Piece>());
        self.buffer.len().saturating_add(pieces)
    }

    /// Takes the next bytes of the stream.
    pub fn push(
        &mut self,
        run: &DataRun<'_>,
        judge: &mut Judge<'_>,
        out: &mut dyn FnMut(Output<'_>),
    ) {
        let mut input = run.bytes;
        let mut segment_start = run.segment_start;
        while !input.is_empty() {
            let taken = run.bytes.len().saturating_sub(input.len());
            self.next_sequence = further(run.sequence, taken);
            match self.state {
                State::InStep => {
                    input = self.step(input, run, segment_start, judge, out);
                }
                State::Skipping(left) => {
                    let (skipped, rest) = input.split_at(left.min(input.len()));
                    self.skip(skipped.len());
                    input = rest;
                    if left == skipped.len() {
                        // The place is computed, so little more must speak for it.
                        self.search_from_here(confirm::COMPUTED);
                    } else {
                        self.state = State::Skipping(left - skipped.len());
                    }
                }
                State::Searching(_) => {
                    self.unconfirmed = self.unconfirmed.saturating_add(length(input));
                    let earned = length(input).saturating_mul(limits::SEARCH_EFFORT);
                    self.credit = self
                        .credit
                        .saturating_add(earned)
                        .min(limits::SEARCH_CREDIT);
                    self.keep(input, run, segment_start);
                    input = &[];
                    self.search(judge, false, out);
                }
            }
            segment_start = false;
        }
    }

    /// Bytes of the stream are missing here.
    pub fn gap(
        &mut self,
        bytes: u64,
        time: Timestamp,
        judge: &mut Judge<'_>,
        out: &mut dyn FnMut(Output<'_>),
    ) {
        if matches!(self.state, State::Searching(_)) {
            self.search(judge, true, out);
        }
        let left = match self.state {
            State::InStep => self.rest_of_message(),
            State::Skipping(left) => Some(left),
            State::Searching(_) => None,
        };
        let told = self.cut_message(out);
        let fresh = self.pending.is_none();
        self.begin_break(BreakCause::Gap, time);
        self.skip(self.buffer.len());
        self.forget();
        if let Some(pending) = &mut self.pending {
            pending.missing = pending.missing.saturating_add(bytes);
        }
        // The message that the gap goes through may end behind it; then its end is known.
        let left = left.and_then(|l| l.checked_sub(usize::try_from(bytes).unwrap_or(usize::MAX)));
        if let Some(pending) = &mut self.pending {
            pending.within_message = fresh && told && left == Some(0);
        }
        match left {
            Some(0) => self.search_from_here(confirm::COMPUTED),
            Some(left) => self.state = State::Skipping(left),
            None => self.search_from_here(self.required),
        }
    }

    /// The stream is over. What is left cannot become a message any more.
    pub fn finish(&mut self, judge: &mut Judge<'_>, out: &mut dyn FnMut(Output<'_>)) {
        let time = self
            .pieces
            .last()
            .map_or_else(Timestamp::default, |p| p.time);
        if self.is_in_step()
            && let Ok((_, header)) = wire::header(&self.buffer)
            && header.length > limits::LONGEST_LENGTH
        {
            // Its length was hard to believe from the first; what it has swallowed may be messages.
            self.begin_break(BreakCause::BadHeader, time);
            self.search_from_here(self.required);
        }
        if matches!(self.state, State::Searching(_)) {
            self.search(judge, true, out);
        }
        self.cut_message(out);
        if !self.buffer.is_empty() {
            self.begin_break(BreakCause::CutMessage, time);
        }
        self.skip(self.buffer.len());
        self.forget();
        if let Some(pending) = self.pending.take()
            && pending.missing + pending.skipped > 0
        {
            out(Output::Break(pending));
        }
    }

    /// In step, hands out the message whose beginning is in the buffer as far as it was captured: its header tells how much of
    /// it is missing.
    fn cut_message(&mut self, out: &mut dyn FnMut(Output<'_>)) -> bool {
        if !self.is_in_step() || self.buffer.len() < HEADER_LEN {
            return false;
        }
        let time = self
            .pieces
            .last()
            .map_or_else(Timestamp::default, |p| p.time);
        self.hand_out(time, out);
        true
    }

    /// Sequence number of a byte of the buffer.
    fn sequence_at(&self, at: usize) -> u32 {
        let behind = self.buffer.len().saturating_sub(at);
        self.end_sequence
            .wrapping_sub(u32::try_from(behind).unwrap_or(0))
    }

    /// Hands out the buffer as one message.
    fn hand_out(&mut self, time: Timestamp, out: &mut dyn FnMut(Output<'_>)) {
        self.packets.clear();
        for piece in &self.pieces {
            if self.packets.last() != Some(&piece.packet) {
                self.packets.push(piece.packet);
            }
        }
        out(Output::Message(Framed {
            bytes: &self.buffer,
            time,
            packets: &self.packets,
            sequence: self.sequence_at(0),
            unconfirmed: false,
        }));
        self.forget();
    }

    /// Bytes until the end of the message whose beginning is in the buffer; `None` when its header is not whole.
    fn rest_of_message(&self) -> Option<usize> {
        if self.buffer.is_empty() {
            return None;
        }
        let (_, header) = wire::header(&self.buffer).ok()?;
        total(header.length)?.checked_sub(self.buffer.len())
    }

    fn begin_break(&mut self, cause: BreakCause, time: Timestamp) {
        if self.pending.is_none() {
            self.pending = Some(Break {
                cause,
                time,
                missing: 0,
                skipped: 0,
                resumed: false,
                within_message: false,
            });
        }
    }

    fn skip(&mut self, bytes: usize) {
        if let Some(pending) = &mut self.pending {
            pending.skipped = pending
                .skipped
                .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        }
    }

    /// Lets go of what is held, memory included: of many connections few are in the middle of a message.
    fn forget(&mut self) {
        self.buffer = Vec::new();
        self.pieces = Vec::new();
    }

    fn search_from_here(&mut self, required: u32) {
        self.state = State::Searching(Candidate {
            required,
            ..Candidate::default()
        });
    }

    fn keep(&mut self, bytes: &[u8], run: &DataRun<'_>, segment_start: bool) {
        self.buffer.extend_from_slice(bytes);
        self.end_sequence = further(self.next_sequence, bytes.len());
        let end = self.buffer.len();
        self.pieces.push(Piece {
            end,
            packet: run.packet,
            time: run.time,
            segment_start,
        });
    }

    /// In step: hands out one whole message or keeps the beginning of one; returns the input behind it.
    fn step<'i>(
        &mut self,
        input: &'i [u8],
        run: &DataRun<'_>,
        segment_start: bool,
        judge: &Judge<'_>,
        out: &mut dyn FnMut(Output<'_>),
    ) -> &'i [u8] {
        if self.buffer.is_empty()
            && let Ok((_, header)) = wire::header(input)
        {
            let Some(total) = total(header.length).filter(|_| judge.plausible(header)) else {
                self.lose_step(run);
                return input;
            };
            if let Some((message, rest)) = input.split_at_checked(total) {
                out(Output::Message(Framed {
                    bytes: message,
                    time: run.time,
                    packets: &[run.packet],
                    sequence: self.next_sequence,
                    unconfirmed: false,
                }));
                return rest;
            }
            self.buffer.reserve(total);
            self.keep(input, run, segment_start);
            return &[];
        }
        let wanted = match wire::header(&self.buffer) {
            Err(_) => HEADER_LEN,
            Ok((_, header)) => total(header.length).unwrap_or(HEADER_LEN),
        };
        let missing = wanted.saturating_sub(self.buffer.len());
        let (taken, rest) = input.split_at(missing.min(input.len()));
        let had_header = self.buffer.len() >= HEADER_LEN;
        self.keep(taken, run, segment_start);
        if !had_header && let Ok((_, header)) = wire::header(&self.buffer) {
            if total(header.length).is_none() || !judge.plausible(header) {
                // The search begins with the next bytes.
                self.lose_step(run);
                return rest;
            }
            if header.length > 0 {
                return rest;
            }
        }
        if self.buffer.len() >= wanted && self.buffer.len() >= HEADER_LEN {
            self.hand_out(run.time, out);
        }
        rest
    }

    /// A header made no sense: whatever is buffered, and what follows, must be searched.
    fn lose_step(&mut self, run: &DataRun<'_>) {
        self.begin_break(BreakCause::BadHeader, run.time);
        self.unconfirmed = 0;
        self.search_from_here(self.required);
    }
}

/// Bytes of a message with its header; `None` beyond what is framed.
fn total(length: u32) -> Option<usize> {
    let length = usize::try_from(length).ok()?;
    (length <= limits::MAX_FRAMED_LENGTH).then_some(length + HEADER_LEN)
}

/// A sequence number so many bytes further on.
fn further(sequence: u32, bytes: usize) -> u32 {
    sequence.wrapping_add(u32::try_from(bytes).unwrap_or(0))
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
