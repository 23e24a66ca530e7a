//! Hostile captures of growing size cost in proportion to their size: no shape of traffic, and no damage, makes the work grow
//! faster than the capture.
//!
//! Each shape is built in one size and in eight times that size and goes all the way to text and JSON. Work that grows with
//! the square of the size costs 64 times as much; allowed is 24. Time is that of this thread on the processor, the least
//! of several tries, and a shape that seems to cost too much gets more tries: what else a machine does can neither make the
//! test fail nor hide what grows with the square. With `CTISHARK_COST=1` the costs are printed, per byte of the capture.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    missing_docs
)]

#[path = "cost/clock.rs"]
mod clock;
#[path = "cost/shapes/mod.rs"]
mod shapes;
#[path = "cost/wire.rs"]
mod wire;

use cti_dissector::conversation::Options;
use cti_dissector::record::{Record, Sink};
use cti_dissector::render::json;
use cti_dissector::render::text::{Scratch, Sequence, TextOptions, TextRenderer};
use ctishark_fuzz_checks::program::dissect;
use shapes::Shape;
use std::time::Duration;

const GROWTH: usize = 8;
const ALLOWED: u32 = 24;

/// Renders everything and keeps nothing.
struct Rendering {
    json: json::Renderer,
    text: TextRenderer,
    sequence: Sequence,
    scratch: Scratch,
    out: Vec<u8>,
    bytes: usize,
}

impl Sink for Rendering {
    fn record(&mut self, record: Record<'_>) {
        self.json.record(&mut self.out, &record);
        let hints = self.sequence.next(&record);
        self.text
            .record(record, hints, &mut self.scratch, &mut self.out);
        self.bytes += self.out.len();
        self.out.clear();
    }
}

fn run(capture: &[u8], shape: &Shape) {
    let sink = Rendering {
        json: json::Renderer::new(json::Options::default()),
        text: TextRenderer::new(TextOptions {
            detail: true,
            hex: true,
            ..TextOptions::default()
        }),
        sequence: Sequence::new(),
        scratch: Scratch::new(),
        out: Vec::new(),
        bytes: 0,
    };
    let options = Options {
        hold_requests: shape.hold,
        ..Options::default()
    };
    let (sink, totals, captured) = dissect(capture, options, sink);
    assert!(
        (shape.reached)(&totals, captured),
        "{}: the capture does not do what it is meant to: {totals:?}",
        shape.name
    );
    std::hint::black_box(sink.bytes);
}

/// Cost in one size and in the larger one.
fn costs(shape: &Shape, tries: usize) -> [Duration; 2] {
    [shape.size, shape.size * GROWTH].map(|size| {
        let capture = (shape.build)(size);
        clock::cost(tries, || run(&capture, shape))
    })
}

#[test]
fn cost_grows_no_faster_than_the_capture() {
    let tell = std::env::var_os("CTISHARK_COST").is_some();
    let mut grown = Vec::new();
    for shape in shapes::all() {
        let mut worst = Vec::new();
        for tries in [1, 3, 6] {
            let [small, large] = costs(&shape, tries);
            if tell {
                let bytes = (shape.build)(shape.size * GROWTH).len();
                let per_byte = large.as_nanos() / bytes as u128;
                eprintln!(
                    "{:<55} {small:>12.2?} {large:>12.2?} {:>6.1}x {per_byte:>6} ns/byte of {bytes}",
                    shape.name,
                    large.as_secs_f64() / small.as_secs_f64(),
                );
            }
            if large <= small * ALLOWED {
                worst.clear();
                break;
            }
            worst.push(format!("{}: {small:?}, then {large:?}", shape.name));
        }
        grown.extend(worst.pop());
    }
    assert!(grown.is_empty(), "{grown:#?}");
}
