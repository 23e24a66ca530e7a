//! Compares what the dissector tells of a capture with the truth, and counts.

use super::Talk;
use super::wire::{Piece, Stream, Wire};
use cti_dissector::conversation::{Conversations, Options};
use cti_dissector::correlate::{Exchange, OutcomeKind};
use cti_dissector::decode::{Decoder, FieldValue, MessageView};
use cti_dissector::finding::Code;
use cti_dissector::record::{BreakRecord, MessageInfo, Record, Sink};
use cti_dissector::session::Session;
use std::collections::HashMap;
use std::ops::{AddAssign, Range};

/// What was told.
#[derive(Default)]
pub struct Story {
    pub messages: Vec<(MessageInfo, Vec<u8>)>,
    pub exchanges: Vec<Exchange>,
    pub breaks: Vec<BreakRecord>,
    pub sessions: Vec<Session>,
}

impl Sink for Story {
    fn record(&mut self, record: Record<'_>) {
        match record {
            Record::Message(info, bytes) => self.messages.push((info.clone(), bytes.to_vec())),
            Record::Exchange(exchange) => self.exchanges.push(exchange.clone()),
            Record::Break(details) => self.breaks.push(details.clone()),
            Record::SessionEnded(session) => self.sessions.push(session.clone()),
            _ => {}
        }
    }
}

/// Lets the dissector see the pieces of a capture.
pub fn dissect<'p>(pieces: impl IntoIterator<Item = &'p Piece>) -> Story {
    let mut conversations = Conversations::new(Options::default(), Story::default());
    for piece in pieces {
        conversations.segment(&piece.segment());
    }
    conversations.finish().0
}

/// What was counted; sums over runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    pub runs: usize,
    /// Packets of the whole captures, and those left.
    pub packets: usize,
    pub kept: usize,
    /// Messages told whole that nobody sent, or not there, or not then, or the other way.
    pub false_messages: usize,
    /// Messages told in part (`cut_message`) whose beginning nobody sent.
    pub false_parts: usize,
    /// Messages that nobody sent, told with `place_inferred`; and all messages told so.
    pub false_flagged: usize,
    pub flagged: usize,
    /// Messages whose bytes are all there, from the first boundary of their direction on.
    pub whole: usize,
    /// Those of them that were told.
    pub told: usize,
    /// Messages told right whose fields are not as their sender's version has them.
    pub misread: usize,
    /// Answers tied to a request that they do not answer.
    pub wrong_pairs: usize,
    /// Answers that were told with their request and not tied to it; and those tied.
    pub unpaired: usize,
    pub paired: usize,
    /// Directions whose missing bytes are not those that are missing.
    pub wrong_gaps: usize,
    /// Directions that began in mid-stream and told a message; bytes until the first one.
    pub starts: usize,
    pub start_bytes: usize,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.runs += other.runs;
        self.packets += other.packets;
        self.kept += other.kept;
        self.false_messages += other.false_messages;
        self.false_parts += other.false_parts;
        self.false_flagged += other.false_flagged;
        self.flagged += other.flagged;
        self.whole += other.whole;
        self.told += other.told;
        self.misread += other.misread;
        self.wrong_pairs += other.wrong_pairs;
        self.unpaired += other.unpaired;
        self.paired += other.paired;
        self.wrong_gaps += other.wrong_gaps;
        self.starts += other.starts;
        self.start_bytes += other.start_bytes;
    }
}

impl Figures {
    /// The titles of [`Figures::row`].
    pub const TITLE: &'static str = "| capture | runs | packets lost | false | false in part | `place_inferred`, false | whole | decoded | misread | wrong pairs \
         | pairs found | wrong gaps | bytes to the first |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|";

    /// One row of a table.
    pub fn row(&self, label: &str) -> String {
        format!(
            "| {label} | {} | {} | {} | {} | {}, {} | {} | {} | {} | {} | {} of {} | {} | {} |",
            self.runs,
            percent(self.packets.saturating_sub(self.kept), self.packets),
            self.false_messages,
            self.false_parts,
            self.flagged,
            self.false_flagged,
            self.whole,
            percent(self.told, self.whole),
            self.misread,
            self.wrong_pairs,
            self.paired,
            self.paired + self.unpaired,
            self.wrong_gaps,
            self.start_bytes / self.starts.max(1),
        )
    }

    /// Of the messages that could be told, how many were: in millionths.
    pub fn told_share(&self) -> usize {
        (self.told * super::wire::MILLION)
            .checked_div(self.whole)
            .unwrap_or(super::wire::MILLION)
    }
}

/// A share in percent with three digits.
pub fn percent(part: usize, whole: usize) -> String {
    let thousandths = (part * 100_000).checked_div(whole).unwrap_or(0);
    format!("{}.{:03} %", thousandths / 1000, thousandths % 1000)
}

/// Which bytes of a stream the capture has.
struct Seen {
    bytes: Vec<bool>,
    /// The stretch that reassembly can know of.
    known: Range<usize>,
    /// What each packet carried.
    packets: HashMap<u64, Range<usize>>,
}

impl Seen {
    fn of(stream: &Stream, pieces: &[Piece]) -> Self {
        let mut bytes = vec![false; stream.length];
        let mut packets = HashMap::new();
        let (mut first, mut end, mut acknowledged) = (None, 0, 0);
        let place = |number: u32| {
            let signed = number.wrapping_sub(stream.base).cast_signed();
            usize::try_from(signed).unwrap_or(0).min(stream.length)
        };
        for piece in pieces {
            if piece.source == stream.source && piece.destination == stream.destination {
                if piece.flags.syn {
                    first = Some(0);
                }
                if piece.payload.is_empty() {
                    continue;
                }
                let start = place(piece.sequence);
                let range = start..start + piece.payload.len();
                first = first.or(Some(start));
                end = end.max(range.end + usize::try_from(piece.missing).unwrap());
                bytes[range.clone()].fill(true);
                packets.insert(piece.packet, range);
            } else if piece.destination == stream.source && piece.source == stream.destination {
                if piece.flags.syn && piece.flags.ack {
                    first = Some(0);
                }
                if piece.flags.ack {
                    acknowledged = acknowledged.max(place(piece.acknowledgment));
                }
            }
        }
        // One acknowledged number more than there are bytes could be that of a FIN.
        if acknowledged > end + 1 && first.is_some() {
            end = acknowledged;
        }
        let first = first.unwrap_or(end);
        Self {
            bytes,
            known: first..end.max(first),
            packets,
        }
    }

    fn has(&self, range: &Range<usize>) -> bool {
        self.bytes[range.clone()].iter().all(|seen| *seen)
    }
}

/// Compares.
pub struct Check<'a> {
    pub talk: &'a Talk,
    pub wire: &'a Wire,
    /// What the capture has.
    pub pieces: &'a [Piece],
    /// Packets may be captured late or twice: then times are not compared.
    pub disordered: bool,
}

impl Check<'_> {
    pub fn run(&self) -> Figures {
        let story = dissect(self.pieces);
        let mut figures = Figures {
            runs: 1,
            packets: self.wire.pieces.len(),
            kept: self.pieces.len(),
            ..Figures::default()
        };
        let mut names: HashMap<u64, usize> = HashMap::new();
        for stream in &self.wire.streams {
            self.stream(stream, &story, &mut names, &mut figures);
        }
        // Whatever could not be named is false.
        let cut = |bytes: &[u8]| promised(bytes) > bytes.len();
        for (info, bytes) in &story.messages {
            figures.flagged += usize::from(is_flagged(info));
            match names.get(&info.no) {
                None if cut(bytes) => figures.false_parts += 1,
                None if is_flagged(info) => figures.false_flagged += 1,
                None => figures.false_messages += 1,
                Some(index) => {
                    figures.misread += usize::from(!cut(bytes) && self.misread(*index, info, bytes))
                }
            }
        }
        self.pairs(&story, &names, &mut figures);
        figures
    }

    /// Names the messages told of one stream by those that were sent.
    fn stream(
        &self,
        stream: &Stream,
        story: &Story,
        names: &mut HashMap<u64, usize>,
        figures: &mut Figures,
    ) {
        let seen = Seen::of(stream, self.pieces);
        let ends = (stream.source, stream.destination);
        let mut told: HashMap<usize, bool> = HashMap::new();
        let mut first = None;
        for (info, bytes) in &story.messages {
            if info.peers.ends(info.direction) != ends {
                continue;
            }
            let Some((index, start)) = self.find(stream, &seen, info, bytes, &told) else {
                if std::env::var_os("LOSS_SHOW").is_some() {
                    let inside = self
                        .talk
                        .said
                        .iter()
                        .find(|s| s.bytes.windows(bytes.len()).any(|w| w == bytes));
                    println!(
                        "FALSE {:?} v{} {} {} bytes, {:?} {:?} inside {:?} at {:?} of {:?}",
                        is_flagged(info),
                        self.talk.version,
                        info.message.map_or("?", |m| m.name),
                        bytes.len(),
                        info.packets.iter().map(|p| p.number).collect::<Vec<_>>(),
                        info.time,
                        inside.map(|s| s.message.name),
                        inside.and_then(|s| s.bytes.windows(bytes.len()).position(|w| w == bytes)),
                        inside.map(|s| s.bytes.len()),
                    );
                }
                continue;
            };
            names.insert(info.no, index);
            told.insert(index, promised(bytes) == bytes.len());
            first = first.or(Some(start));
        }
        if let Some(first) = first {
            figures.starts += 1;
            figures.start_bytes += (seen.known.start..first)
                .filter(|at| seen.bytes[*at])
                .count();
            for (index, range) in &stream.spans {
                if range.start >= first && seen.has(range) {
                    figures.whole += 1;
                    let found = told.get(index) == Some(&true);
                    figures.told += usize::from(found);
                    if !found && std::env::var_os("LOSS_SHOW").is_some() {
                        let said = &self.talk.said[*index];
                        println!(
                            "MISSED v{} {} {} bytes",
                            self.talk.version,
                            said.message.name,
                            said.bytes.len()
                        );
                    }
                }
            }
        }
        let missing = seen.known.clone().filter(|at| !seen.bytes[*at]).count();
        let breaks = story
            .breaks
            .iter()
            .filter(|b| b.peers.ends(b.direction) == ends);
        let reported: u64 = breaks.map(|b| b.details.missing).sum();
        if first.is_some() && usize::try_from(reported) != Ok(missing) {
            figures.wrong_gaps += 1;
            if std::env::var_os("LOSS_SHOW").is_some() {
                println!(
                    "GAPS {reported} reported, {missing} missing in {:?} of {}",
                    seen.known, stream.length
                );
            }
        }
    }

    /// The sent message that was told: its bytes, or the beginning of them, from these very packets at this time.
    fn find(
        &self,
        stream: &Stream,
        seen: &Seen,
        info: &MessageInfo,
        bytes: &[u8],
        told: &HashMap<usize, bool>,
    ) -> Option<(usize, usize)> {
        let (first, last) = (info.packets.first()?.number, info.packets.last()?.number);
        let (from, to) = (seen.packets.get(&first)?, seen.packets.get(&last)?);
        let begins = stream
            .spans
            .partition_point(|(_, range)| range.start < from.start);
        for (index, range) in &stream.spans[begins..] {
            if range.start >= from.end {
                return None;
            }
            let end = range.start + bytes.len();
            let whole = promised(bytes) == bytes.len();
            let same = match whole {
                true => self.talk.said[*index].bytes == bytes,
                false => self.talk.said[*index].bytes.starts_with(bytes),
            };
            let ends_there = to.start < end && end <= to.end;
            if same && ends_there && !told.contains_key(index) {
                let piece = self.pieces.iter().find(|p| p.packet == last)?;
                let in_time = match stream.in_order && !self.disordered {
                    true => info.time == piece.time,
                    false => info.time >= piece.time,
                };
                return in_time.then_some((*index, range.start));
            }
        }
        None
    }

    fn misread(&self, index: usize, info: &MessageInfo, bytes: &[u8]) -> bool {
        let said = &self.talk.said[index];
        let differs = !same_fields(
            bytes,
            (self.talk.version, said.message),
            (info.version, info.message),
        );
        if differs && std::env::var_os("LOSS_SHOW").is_some() {
            println!(
                "MISREAD v{} as v{} {:?}: {} as {} {bytes:02x?}",
                self.talk.version,
                info.version,
                info.version_source,
                said.message.name,
                info.message.map_or("?", |m| m.name)
            );
        }
        differs
    }

    fn pairs(&self, story: &Story, names: &HashMap<u64, usize>, figures: &mut Figures) {
        let mut tied: HashMap<usize, usize> = HashMap::new();
        for exchange in &story.exchanges {
            let (Some(request), Some(answer)) = (exchange.request, exchange.outcome.answer) else {
                continue;
            };
            match (names.get(&request.no), names.get(&answer.no)) {
                (Some(request), Some(answer))
                    if self.talk.said[*answer].answers == Some(*request) =>
                {
                    tied.insert(*answer, *request);
                }
                _ => figures.wrong_pairs += 1,
            }
            if exchange.outcome.kind == OutcomeKind::WrongAnswer {
                figures.wrong_pairs += 1;
            }
        }
        let told: std::collections::HashSet<usize> = names.values().copied().collect();
        for answer in &told {
            let Some(request) = self.talk.said[*answer].answers else {
                continue;
            };
            if told.contains(&request) {
                match tied.contains_key(answer) {
                    true => figures.paired += 1,
                    false => figures.unpaired += 1,
                }
            }
        }
    }
}

/// Whether a message is told as one whose place is not certain.
fn is_flagged(info: &MessageInfo) -> bool {
    info.findings.iter().any(|f| f.code == Code::PlaceInferred)
}

/// Bytes that a message has by its header.
fn promised(bytes: &[u8]) -> usize {
    let length = u32::from_be_bytes(bytes[..4].try_into().unwrap());
    usize::try_from(length).unwrap() + 8
}

/// How to read a message.
type Reading = (
    cti_dissector::protocol::ProtocolVersion,
    &'static cti_dissector::protocol::Message,
);

/// Whether two ways to read a message give the same fields.
pub fn same_fields(
    bytes: &[u8],
    truth: Reading,
    told: (
        cti_dissector::protocol::ProtocolVersion,
        Option<&'static cti_dissector::protocol::Message>,
    ),
) -> bool {
    let (mut one, mut two) = (Decoder::new(), Decoder::new());
    let truth = one.decode_as(bytes, truth.0, Some(truth.1));
    let told = two.decode_as(bytes, told.0, told.1);
    truth.message().map(|m| m.name) == told.message().map(|m| m.name)
        && fields(&truth) == fields(&told)
        && truth.unread() == told.unread()
}

/// Every field with its place.
fn fields(view: &MessageView<'_>) -> Vec<(Range<usize>, String)> {
    let fixed = view
        .fixed()
        .map(|f| (f.range(), format!("{} {:?}", f.field().name, f.number())));
    let value = |value: FieldValue<'_>| format!("{value:?}");
    let floating = view.floating().map(|f| {
        (
            f.range(),
            format!("{:?} {:?} {}", f.name(), f.group(), value(f.value())),
        )
    });
    fixed.chain(floating).collect()
}
