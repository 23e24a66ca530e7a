//! Dumps that somebody changed: whatever stands in them, they are read or refused, and nothing breaks.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod comparing;

use cti_dissector::Timestamp;
use cti_dissector::analysis::Study;
use cti_dissector::conversation::{Conversations, Options};
use cti_dissector::diff::{self, Collector, OldSide, Profile};
use cti_dissector::dump::{self, DumpError, Taker};
use cti_dissector::record::{Record, Sink};
use cti_dissector::render::json::{Input, Options as JsonOptions, Renderer, Summary};
use cti_dissector::select::{Criteria, Selector};

/// Takes records into a comparison.
struct Side(Study<Collector>);

impl Sink for Side {
    fn record(&mut self, record: Record<'_>) {
        self.0.record(record);
    }
}

impl Taker for Side {
    fn begins(&mut self, _: Timestamp) {}
}

fn side(collector: Collector) -> Side {
    Side(Study::new(collector, Selector::new(Criteria::default())))
}

/// The dump of a scenario.
fn dump_of(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut renderer = Renderer::new(JsonOptions::default());
    let inputs = [Input {
        name: name.to_owned(),
    }];
    renderer.header(&mut out, "ctishark", "0.1.0", &inputs);
    out.push(b'\n');
    let mut write = |record: Record<'_>| {
        renderer.record(&mut out, &record);
        out.push(b'\n');
    };
    let mut conversations = Conversations::new(Options::default(), &mut write);
    comparing::each_segment(&comparing::scenario(name), |segment| {
        conversations.segment(segment)
    });
    conversations.finish();
    renderer.summary(&mut out, &Summary::default());
    out.push(b'\n');
    out
}

fn read(bytes: &[u8], collector: Collector) -> (Result<dump::Extent, DumpError>, Collector) {
    let mut side = side(collector);
    let read = dump::read(bytes, &mut side);
    (read, side.0.finish())
}

#[test]
fn a_dump_that_was_changed_anywhere_is_read_or_refused() {
    let rules = || Profile::default().rules().unwrap();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    let (mut refused, mut taken) = (0, 0);
    for name in [
        "call-transferred",
        "recording-v15",
        "monitors",
        "session-v9",
    ] {
        let dump = dump_of(name);
        let (extent, _) = read(&dump, diff::old_side(rules()));
        let extent = extent.unwrap();
        assert!(extent.complete && extent.messages > 10, "{name}");
        for _ in 0..120 {
            let mut odd = dump.clone();
            for _ in 0..=random(3) {
                let at = random(odd.len());
                match random(4) {
                    0 => odd[at] = b"0123456789\"{}[],:-.eEx"[random(22)],
                    1 => {
                        odd.remove(at);
                    }
                    2 => odd.insert(at, b'9'),
                    _ => odd.truncate(at.max(200)),
                }
            }
            let (old, collector) = OldSide::then(read(&dump, diff::old_side(rules())).1);
            let (result, collector) = read(&odd, collector);
            match result {
                Ok(_) => taken += 1,
                Err(error) => {
                    refused += 1;
                    assert!(!error.to_string().is_empty());
                }
            }
            // What was read of it before can be compared all the same.
            let comparison = diff::compare(old, collector);
            assert!(comparison.summary.old.1 > 10);
        }
    }
    assert!(refused > 100 && taken > 30, "{refused} {taken}");
}

#[test]
fn a_line_without_end_is_refused() {
    let mut dump = dump_of("session-v9");
    let longest = cti_dissector::limits::MAX_DUMP_LINE;
    dump.extend(std::iter::repeat_n(b' ', longest + 1));
    let rules = Profile::default().rules().unwrap();
    let (result, _) = read(&dump, diff::old_side(rules));
    assert!(
        matches!(result, Err(DumpError::LongLine { .. })),
        "{result:?}"
    );
}
