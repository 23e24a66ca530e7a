//! The whole way: from the bytes of a capture to JSON and text.

use crate::input::Bytes;
use crate::memory::Memory;
use cti_dissector::capture::{Capture, Layers, Peeled, Segment};
use cti_dissector::conversation::{Conversations, Options, Totals};
use cti_dissector::protocol::ProtocolVersion;
use cti_dissector::record::{Record, Sink};
use cti_dissector::render::json;
use cti_dissector::render::text::{
    Hints, Scratch, Sequence, TextOptions, TextRenderer, is_harmless,
};
use cti_dissector::tally::Tally;
use serde_json::Value;
use std::collections::HashSet;

/// Requests wait for their outcome.
pub(crate) const HOLD: u8 = 1;
/// Passwords are shown.
pub(crate) const SECRETS: u8 = 2;
/// ASCII only.
pub(crate) const ASCII: u8 = 4;
/// All sessions by one version, which is in the upper bits.
pub(crate) const VERSION: u8 = 8;

/// The first byte holds flags, the rest is the capture.
pub fn check(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let flags = bytes.u8();
    run(bytes.rest(), flags);
}

/// Renders a capture as the program would, and checks every line; gives the JSON records.
pub fn run(capture: &[u8], flags: u8) -> Vec<Value> {
    let options = Options {
        version: (flags & VERSION != 0).then_some(ProtocolVersion(u32::from(flags >> 4) * 2)),
        hold_requests: flags & HOLD != 0,
        ..Options::default()
    };
    let (output, totals, captured) = dissect(capture, options, Output::new(flags));
    assert_eq!(output.messages, totals.messages);
    assert_eq!(output.message_bytes, totals.message_bytes);
    assert_eq!(output.breaks, totals.breaks);
    assert_eq!(
        (output.missing, output.skipped),
        (totals.missing, totals.skipped)
    );
    assert_eq!(output.began, output.ended, "sessions that begin end");
    assert_eq!(output.began, totals.sessions);
    let requests = output.requests.len() as u64;
    assert_eq!(
        requests, totals.requests.made,
        "every request has an outcome"
    );
    check_tally(&totals.requests);
    assert_eq!(output.tally, totals.requests, "the sessions' counts");
    // What is told is in proportion to what was captured.
    let most = 4096 + 500 * captured;
    assert!(output.json_bytes <= most && output.text_bytes <= most);
    output.records
}

/// Every request has come to something.
fn check_tally(of: &Tally) {
    let sum = of.answered + of.failed + of.unanswered + of.open + of.not_judged;
    assert_eq!(of.made, sum, "{of:?}");
}

/// Takes a capture all the way to a sink; also gives the totals, and the bytes of all packets with their record headers.
pub fn dissect<S: Sink>(capture: &[u8], options: Options, sink: S) -> (S, Totals, usize) {
    dissect_watching(capture, options, sink, |_, _| {})
}

/// The same, and shows the sink every segment before anything is made of it.
pub fn dissect_watching<S: Sink>(
    capture: &[u8],
    options: Options,
    sink: S,
    mut watch: impl FnMut(&mut S, &Segment<'_>),
) -> (S, Totals, usize) {
    let mut capture = Capture::new(vec![Box::new(Memory {
        bytes: capture.into(),
        piece: usize::MAX,
        reopenable: true,
    })]);
    let mut conversations = Conversations::new(options, sink);
    let mut layers = Layers::new();
    let mut captured = 0;
    loop {
        match capture.next_packet() {
            Ok(Some(packet)) => {
                captured += 16 + packet.data.len();
                if let Peeled::Tcp(segment) = layers.segment(&packet) {
                    watch(conversations.sink(), &segment);
                    conversations.segment(&segment);
                }
            }
            Ok(None) => break,
            Err(_) => {}
        }
    }
    layers.finish();
    let (sink, totals) = conversations.finish();
    (sink, totals, captured)
}

/// Renders each record both ways and checks what comes out.
struct Output {
    flags: u8,
    json: json::Renderer,
    text: TextRenderer,
    sequence: Sequence,
    scratch: Scratch,
    buffer: Vec<u8>,
    records: Vec<Value>,
    json_bytes: usize,
    text_bytes: usize,
    messages: u64,
    message_bytes: u64,
    breaks: u64,
    missing: u64,
    skipped: u64,
    began: u64,
    ended: u64,
    /// Requests that have an outcome; a late answer gives a second one.
    requests: HashSet<u64>,
    /// The requests of all sessions, as these count them.
    tally: Tally,
}

impl Output {
    fn new(flags: u8) -> Self {
        let show_secrets = flags & SECRETS != 0;
        Self {
            flags,
            json: json::Renderer::new(json::Options {
                show_secrets,
                ..json::Options::default()
            }),
            text: TextRenderer::new(TextOptions {
                ascii: flags & ASCII != 0,
                detail: true,
                hex: true,
                show_secrets,
                ..TextOptions::default()
            }),
            sequence: Sequence::new(),
            scratch: Scratch::new(),
            buffer: Vec::new(),
            records: Vec::new(),
            json_bytes: 0,
            text_bytes: 0,
            messages: 0,
            message_bytes: 0,
            breaks: 0,
            missing: 0,
            skipped: 0,
            began: 0,
            ended: 0,
            requests: HashSet::new(),
            tally: Tally::default(),
        }
    }

    fn json(&mut self, record: &Record<'_>) {
        self.buffer.clear();
        self.json.record(&mut self.buffer, record);
        self.json_bytes += self.buffer.len();
        assert!(
            !self.buffer.iter().any(|b| *b < 0x20 || *b == 0x7F),
            "a record is one line"
        );
        let value: Value = serde_json::from_slice(&self.buffer).expect("valid JSON");
        assert!(value["kind"].is_string());
        self.records.push(value);
    }

    fn text(&mut self, record: Record<'_>, hints: Hints) {
        self.buffer.clear();
        let Self {
            text,
            scratch,
            buffer,
            ..
        } = self;
        text.record(record, hints, scratch, buffer);
        self.text_bytes += self.buffer.len();
        let text = std::str::from_utf8(&self.buffer).expect("text is UTF-8");
        let ascii = self.flags & ASCII != 0;
        for c in text.chars() {
            assert!(c == '\n' || is_harmless(c), "{c:?} in {text:?}");
            assert!(!ascii || c.is_ascii(), "{c:?} in {text:?}");
        }
        assert!(text.is_empty() || text.ends_with('\n'));
    }

    fn count(&mut self, record: &Record<'_>) {
        match record {
            Record::Message(info, bytes) => {
                self.messages += 1;
                assert_eq!(info.no, self.messages, "messages are counted in order");
                self.message_bytes += bytes.len() as u64;
            }
            Record::Exchange(exchange) => {
                let request = exchange.request.map(|part| part.no);
                assert!(request.is_none_or(|no| (1..=self.messages).contains(&no)));
                self.requests.extend(request);
            }
            Record::SessionBegan(_) => self.began += 1,
            Record::SessionEnded(session) => {
                self.ended += 1;
                check_tally(&session.counts.requests);
                self.tally.add(&session.counts.requests);
            }
            Record::Break(broken) => {
                self.breaks += 1;
                self.missing += broken.details.missing;
                self.skipped += broken.details.skipped;
            }
            _ => {}
        }
    }
}

impl Sink for Output {
    fn record(&mut self, record: Record<'_>) {
        self.count(&record);
        self.json(&record);
        let hints = self.sequence.next(&record);
        self.text(record, hints);
    }
}
