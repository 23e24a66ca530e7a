//! What each room costs on the traffic of a busy contact centre: `cargo bench -p ctishark-bench`.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use cti_dissector::Timestamp;
use cti_dissector::capture::{Capture, Input, Layers, Packet, Peeled, Segment};
use cti_dissector::conversation::{Conversations, Options};
use cti_dissector::decode::Decoder;
use cti_dissector::reassembly::{
    Connection, DataRun, DirectionStats, End, Gap, Handler, Interest, Reassembler,
};
use cti_dissector::record::{MessageInfo, Record};
use cti_dissector::render::{json, text};
use divan::Bencher;
use divan::counter::BytesCount;
use std::io::{self, Cursor, Read};
use std::sync::LazyLock;

/// Bytes of the capture.
const SIZE: u64 = 4_000_000;

static CAPTURE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut bytes = Vec::new();
    let mut capture = ctishark_bench::Capture::begin(&mut bytes, SIZE).unwrap();
    ctishark_bench::centre::busy(&mut capture, ctishark_bench::centre::Rerun::default()).unwrap();
    capture.finish().unwrap();
    bytes
});

static MESSAGES: LazyLock<Vec<(MessageInfo, Vec<u8>)>> = LazyLock::new(|| {
    let mut messages = Vec::new();
    each_segment(
        &mut Conversations::new(Options::default(), |record: Record<'_>| {
            if let Record::Message(info, bytes) = record {
                messages.push((info.clone(), bytes.to_vec()));
            }
        }),
        |conversations, segment| conversations.segment(segment),
    );
    messages
});

struct Memory;

impl Input for Memory {
    fn name(&self) -> &str {
        "memory"
    }

    fn open(&mut self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(CAPTURE.as_slice())))
    }

    fn reopenable(&self) -> bool {
        true
    }
}

fn each_packet(mut act: impl FnMut(&Packet<'_>)) {
    let mut capture = Capture::new(vec![Box::new(Memory)]);
    while let Some(packet) = capture.next_packet().unwrap() {
        act(&packet);
    }
}

fn each_segment<T>(to: &mut T, mut act: impl FnMut(&mut T, &Segment<'_>)) {
    let mut layers = Layers::new();
    each_packet(|packet| {
        if let Peeled::Tcp(segment) = layers.segment(packet) {
            act(to, &segment);
        }
    });
}

struct Sum(u64);

impl Handler for Sum {
    fn opened(&mut self, _: &Connection) {}
    fn data(&mut self, _: &Connection, run: DataRun<'_>) -> Interest {
        self.0 += u64::try_from(run.bytes.len()).unwrap();
        Interest::Keep
    }
    fn gap(&mut self, _: &Connection, _: Gap) {}
    fn ended(&mut self, _: &Connection, _: Timestamp, _: End, _: [DirectionStats; 2]) {}
}

#[divan::bench]
fn reading_and_peeling(bencher: Bencher<'_, '_>) {
    bencher
        .counter(BytesCount::new(CAPTURE.len()))
        .bench_local(|| {
            each_segment(&mut (), |(), segment| {
                divan::black_box(segment);
            });
        });
}

#[divan::bench]
fn reassembly(bencher: Bencher<'_, '_>) {
    bencher
        .counter(BytesCount::new(CAPTURE.len()))
        .bench_local(|| {
            let mut sum = Sum(0);
            each_segment(&mut Reassembler::new(), |reassembler, segment| {
                reassembler.segment(segment, &mut sum);
            });
            sum.0
        });
}

#[divan::bench]
fn conversation(bencher: Bencher<'_, '_>) {
    bencher
        .counter(BytesCount::new(CAPTURE.len()))
        .bench_local(|| {
            let mut conversations = Conversations::new(Options::default(), |_: Record<'_>| {});
            each_segment(&mut conversations, |c, segment| c.segment(segment));
        });
}

fn message_bytes() -> BytesCount {
    BytesCount::new(MESSAGES.iter().map(|(_, bytes)| bytes.len()).sum::<usize>())
}

#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let mut decoder = Decoder::new();
    bencher.counter(message_bytes()).bench_local(|| {
        for (info, bytes) in MESSAGES.iter() {
            divan::black_box(decoder.decode_as(bytes, info.version, info.message));
        }
    });
}

#[divan::bench]
fn render_json(bencher: Bencher<'_, '_>) {
    let mut renderer = json::Renderer::new(json::Options::default());
    let mut out = Vec::new();
    bencher.counter(message_bytes()).bench_local(|| {
        out.clear();
        for (info, bytes) in MESSAGES.iter() {
            renderer.record(&mut out, &Record::Message(info, bytes));
        }
        out.len()
    });
}

#[divan::bench]
fn render_text(bencher: Bencher<'_, '_>) {
    let renderer = text::TextRenderer::new(text::TextOptions::default());
    let mut scratch = text::Scratch::new();
    let mut out = Vec::new();
    bencher.counter(message_bytes()).bench_local(|| {
        out.clear();
        for (info, bytes) in MESSAGES.iter() {
            let record = Record::Message(info, bytes);
            renderer.record(record, text::Hints::default(), &mut scratch, &mut out);
        }
        out.len()
    });
}

fn main() {
    divan::main();
}
