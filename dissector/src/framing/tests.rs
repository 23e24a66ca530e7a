//! Streams in pieces, with holes and with nonsense in them. Every byte of a stream is in a message, skipped or missing.

mod deceit;
mod gaps;

use super::*;
use crate::decode::Decoder;
use crate::encode::{Draft, Value};
use crate::protocol::{MessageType, ProtocolVersion, Sender};
use proptest::prelude::*;

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Got {
    Message(Vec<u8>),
    Break(BreakCause, u64, u64, bool),
}

/// A framer being fed.
struct Feed {
    framer: Framer,
    decoder: Decoder,
    version: Option<ProtocolVersion>,
    sender: Option<Sender>,
    packet: u64,
    got: Vec<Got>,
    carriers: Vec<Vec<u64>>,
    /// Of each message: whether its place is certain.
    certain: Vec<bool>,
}

impl Feed {
    fn new(framer: Framer) -> Self {
        Self {
            framer,
            decoder: Decoder::new(),
            version: Some(ProtocolVersion(24)),
            sender: None,
            packet: 0,
            got: Vec::new(),
            carriers: Vec::new(),
            certain: Vec::new(),
        }
    }

    fn in_step() -> Self {
        Self::new(Framer::in_step())
    }

    /// Joined in the middle of a conversation; nothing is known of it.
    fn searching() -> Self {
        let mut feed = Self::new(Framer::searching(ENOUGH));
        feed.version = None;
        feed
    }

    fn with(&mut self, act: impl FnOnce(&mut Framer, &mut Judge<'_>, &mut dyn FnMut(Output<'_>))) {
        let mut judge = Judge {
            decoder: &mut self.decoder,
            version: self.version,
            sender: self.sender,
        };
        let (got, carriers) = (&mut self.got, &mut self.carriers);
        let certain = &mut self.certain;
        act(&mut self.framer, &mut judge, &mut |output| match output {
            Output::Message(framed) => {
                got.push(Got::Message(framed.bytes.to_vec()));
                certain.push(!framed.unconfirmed);
                carriers.push(framed.packets.iter().map(|p| p.number).collect());
            }
            Output::Break(b) => got.push(Got::Break(b.cause, b.missing, b.skipped, b.resumed)),
        });
    }

    /// One segment.
    fn segment(&mut self, bytes: &[u8]) -> &mut Self {
        self.piece(bytes, true)
    }

    fn piece(&mut self, bytes: &[u8], segment_start: bool) -> &mut Self {
        self.packet += 1;
        let packet = PacketId {
            input: 0,
            number: self.packet,
        };
        let run = DataRun {
            from: crate::reassembly::Side::First,
            time: Timestamp::from_seconds(0),
            packet,
            bytes,
            sequence: 0,
            segment_start,
        };
        self.with(|framer, judge, out| framer.push(&run, judge, out));
        self
    }

    fn chunks(&mut self, bytes: &[u8], size: usize) -> &mut Self {
        for chunk in bytes.chunks(size) {
            self.segment(chunk);
        }
        self
    }

    /// The first chunk is the beginning of a segment or not.
    fn chunks_within(&mut self, bytes: &[u8], size: usize, segment_start: bool) -> &mut Self {
        for (index, chunk) in bytes.chunks(size).enumerate() {
            self.piece(chunk, segment_start || index > 0);
        }
        self
    }

    fn gap(&mut self, bytes: usize) -> &mut Self {
        let bytes = u64::try_from(bytes).unwrap();
        self.with(|framer, judge, out| {
            framer.gap(bytes, Timestamp::from_seconds(1), judge, out);
        });
        self
    }

    fn end(&mut self) -> Vec<Got> {
        self.with(Framer::finish);
        std::mem::take(&mut self.got)
    }
}

fn message(name: &str, version: u32, fields: &[(&str, Value)]) -> Vec<u8> {
    let mut draft = Draft::new(name, ProtocolVersion(version)).unwrap();
    for (field, value) in fields {
        draft.set(field, value).unwrap();
    }
    draft.encode().unwrap()
}

fn heartbeat(invoke: i64) -> Vec<u8> {
    message("HEARTBEAT_REQ", 24, &[("InvokeID", invoke.into())])
}

fn agent_state(agent: &str) -> Vec<u8> {
    let fields = [
        ("PeripheralID", 5000.into()),
        ("AgentState", 3.into()),
        ("SkillGroupState", 3.into()),
        ("AgentID", agent.into()),
        ("AgentExtension", "20101".into()),
    ];
    message("AGENT_STATE_EVENT", 24, &fields)
}

fn delivered(call: i64) -> Vec<u8> {
    let fields = [
        ("PeripheralID", 5000.into()),
        ("ConnectionCallID", call.into()),
        ("ConnectionDeviceID", "20101".into()),
        ("ANI", "5550142".into()),
    ];
    message("CALL_DELIVERED_EVENT", 24, &fields)
}

fn statistics(seed: u32) -> Vec<u8> {
    let mut draft = Draft::new("QUERY_SKILL_GROUP_STATISTICS_CONF", ProtocolVersion(24)).unwrap();
    draft.set("InvokeID", &6.into()).unwrap();
    let names: Vec<&str> = draft.message().layout(24).unwrap().fixed[1..]
        .iter()
        .map(|f| f.name)
        .collect();
    let mut random = seed;
    for name in names {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Counters: many zeros, mostly small, some seconds.
        let value = match random >> 29 {
            0..=2 => 0,
            3..=5 => (random >> 8) & 0x1F,
            6 => (random >> 8) & 0xFF,
            _ => (random >> 8) & 0x3FFF,
        };
        draft.set(name, &Value::Number(value.into())).unwrap();
    }
    draft.encode().unwrap()
}

/// What a server says for a while.
fn talk() -> Vec<Vec<u8>> {
    vec![
        agent_state("1001"),
        delivered(16_777_301),
        agent_state("1002"),
        message("HEARTBEAT_CONF", 24, &[("InvokeID", 4.into())]),
        statistics(1),
        delivered(16_777_302),
        message("SET_AGENT_STATE_CONF", 24, &[("InvokeID", 5.into())]),
        agent_state("1003"),
    ]
}

fn messages(list: &[Vec<u8>]) -> Vec<Got> {
    list.iter().cloned().map(Got::Message).collect()
}

fn is_whole(bytes: &[u8]) -> bool {
    let (_, header) = wire::header(bytes).unwrap();
    total(header.length) == Some(bytes.len())
}

/// The whole messages among what came out.
fn said(got: &[Got]) -> Vec<Vec<u8>> {
    got.iter()
        .filter_map(|g| match g {
            Got::Message(bytes) if is_whole(bytes) => Some(bytes.clone()),
            _ => None,
        })
        .collect()
}

/// Bytes in messages, skipped and missing.
fn accounted(got: &[Got]) -> usize {
    got.iter()
        .map(|g| match g {
            Got::Message(bytes) => bytes.len(),
            Got::Break(_, missing, skipped, _) => usize::try_from(missing + skipped).unwrap(),
        })
        .sum()
}

#[test]
fn chunks_of_any_size_give_the_same_messages() {
    let stream = talk().concat();
    for size in [1, 2, 3, 7, 8, 9, 100, 1460, stream.len()] {
        for mut feed in [Feed::in_step(), Feed::searching()] {
            let got = feed.chunks(&stream, size).end();
            assert_eq!(got, messages(&talk()), "chunks of {size}");
        }
    }
}

#[test]
fn packets_are_those_that_carried_the_message() {
    let mut feed = Feed::in_step();
    let first = agent_state("1001");
    let stream = [first.clone(), heartbeat(1), heartbeat(2)].concat();
    feed.segment(&stream[..5])
        .segment(&stream[5..20])
        .segment(&stream[20..]);
    assert_eq!(feed.carriers, [vec![1, 2, 3], vec![3], vec![3]]);
    let mut feed = Feed::searching();
    let third = [first.clone(), heartbeat(1)].concat();
    feed.segment(&first)
        .segment(&third[..70])
        .segment(&third[70..]);
    assert_eq!(feed.carriers, [vec![1], vec![2, 3], vec![3]]);
}

#[test]
fn a_body_of_no_bytes_is_a_message() {
    // STANDBY_ACTIVE_EVENT_MSG and a confirmation without its InvokeID.
    let empty = message("STANDBY_ACTIVE_EVENT_MSG", 24, &[]);
    assert_eq!(empty.len(), HEADER_LEN);
    let stream = [empty.clone(), heartbeat(1), empty.clone(), empty.clone()];
    for size in [1, 3, 8, 100] {
        let got = Feed::in_step().chunks(&stream.concat(), size).end();
        assert_eq!(got, messages(&stream), "chunks of {size}");
    }
}

#[test]
fn a_nonsense_header_is_skipped() {
    let garbage = b"GET / HTTP/1.1\r\nHost: nowhere.example\r\n\r\n";
    for size in [1, 5, 1460] {
        let mut feed = Feed::in_step();
        feed.chunks(&agent_state("1001"), size);
        feed.chunks(garbage, size);
        feed.chunks(&[agent_state("1002"), delivered(7)].concat(), size);
        let skipped = u64::try_from(garbage.len()).unwrap();
        assert_eq!(
            feed.end(),
            [
                Got::Message(agent_state("1001")),
                Got::Break(BreakCause::BadHeader, 0, skipped, true),
                Got::Message(agent_state("1002")),
                Got::Message(delivered(7)),
            ],
            "chunks of {size}"
        );
    }
}

#[test]
fn lengths_that_cannot_be_are_no_headers() {
    for length in [u32::MAX, 0x8000_0000, 0x7FFF_FFFF, 70_000] {
        let mut wrong = heartbeat(1);
        wrong[..4].copy_from_slice(&length.to_be_bytes());
        let mut feed = Feed::in_step();
        feed.segment(&wrong);
        assert!(feed.framer.buffered() < 100);
        feed.segment(&agent_state("1001"));
        let got = feed.segment(&agent_state("1002")).end();
        assert_eq!(
            got,
            [
                Got::Break(BreakCause::BadHeader, 0, 12, true),
                Got::Message(agent_state("1001")),
                Got::Message(agent_state("1002")),
            ]
        );
    }
}

#[test]
fn messages_above_the_limit_of_the_protocol_are_framed() {
    for length in [12_493, 20_000, 65_535, 65_536] {
        let mut draft = Draft::new("USER_MESSAGE_EVENT", ProtocolVersion(24)).unwrap();
        draft.body(vec![7; length]);
        let large = draft.encode().unwrap();
        let stream = [heartbeat(1), large.clone(), heartbeat(2)];
        for size in [1000, 1460, 100_000] {
            let got = Feed::in_step().chunks(&stream.concat(), size).end();
            assert_eq!(got, messages(&stream), "{length} bytes");
        }
    }
}

#[test]
fn the_end_within_a_message_is_told() {
    let event = agent_state("1001");
    let mut feed = Feed::in_step();
    feed.segment(&heartbeat(1)).segment(&event[..30]);
    assert_eq!(
        feed.end(),
        [
            Got::Message(heartbeat(1)),
            Got::Message(event[..30].to_vec())
        ]
    );
    let mut feed = Feed::in_step();
    feed.segment(&event[..7]);
    assert_eq!(
        feed.end(),
        [Got::Break(BreakCause::CutMessage, 0, 7, false)]
    );
}

fn any_message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (1..1000_i64).prop_map(heartbeat),
        "[0-9]{4,8}".prop_map(|agent| agent_state(&agent)),
        (16_777_216..16_778_000_i64).prop_map(delivered),
        any::<u32>().prop_map(statistics),
        Just(message("STANDBY_ACTIVE_EVENT_MSG", 24, &[])),
        (0..3000_usize, any::<u8>()).prop_map(|(length, fill)| {
            let mut draft = Draft::new("HEARTBEAT_CONF", ProtocolVersion(24)).unwrap();
            draft.number(MessageType(777)).body(vec![fill; length]);
            draft.encode().unwrap()
        }),
    ]
}

fn in_chunks(stream: &[u8], sizes: &[usize], mut take: impl FnMut(&[u8])) {
    let mut sizes = sizes.iter().cycle();
    let mut rest = stream;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        take(chunk);
        rest = after;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_chunking_gives_the_same_messages(
        list in prop::collection::vec(any_message(), 0..12),
        sizes in prop::collection::vec(1..2000_usize, 1..20),
    ) {
        let mut feed = Feed::in_step();
        in_chunks(&list.concat(), &sizes, |chunk| { feed.segment(chunk); });
        prop_assert_eq!(feed.end(), messages(&list));
    }

    /// Whatever is lost, what comes out was said, in order, and every byte is accounted for.
    #[test]
    fn any_gap_leaves_only_true_messages(
        list in prop::collection::vec(any_message(), 1..12),
        sizes in prop::collection::vec(1..2000_usize, 1..20),
        at in any::<prop::sample::Index>(),
        lost in 1..3000_usize,
    ) {
        let stream = list.concat();
        let start = at.index(stream.len());
        let end = (start + lost).min(stream.len());
        let mut feed = Feed::in_step();
        in_chunks(&stream[..start], &sizes, |chunk| { feed.segment(chunk); });
        feed.gap(end - start);
        in_chunks(&stream[end..], &sizes, |chunk| { feed.segment(chunk); });
        let got = feed.end();
        prop_assert_eq!(accounted(&got), stream.len());
        let mut rest = list.iter();
        for output in &got {
            if let Got::Message(bytes) = output {
                let whole = is_whole(bytes);
                let same = |m: &Vec<u8>| m.starts_with(bytes) && (m == bytes || !whole);
                prop_assert!(rest.any(same), "{:02x?} was never said", bytes);
            }
        }
    }

    #[test]
    fn any_bytes_are_accounted_for(
        pieces in prop::collection::vec(
            prop_oneof![any_message(), prop::collection::vec(any::<u8>(), 0..200)],
            0..12,
        ),
        sizes in prop::collection::vec(1..2000_usize, 1..20),
        search: bool,
    ) {
        let stream = pieces.concat();
        let mut feed = if search { Feed::searching() } else { Feed::in_step() };
        in_chunks(&stream, &sizes, |chunk| { feed.segment(chunk); });
        prop_assert!(feed.framer.buffered() <= limits::MAX_FRAMED_LENGTH + 2 * limits::MAX_SEARCH);
        let got = feed.end();
        prop_assert_eq!(accounted(&got), stream.len());
    }
}
