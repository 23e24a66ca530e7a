//! Captures redacted in memory, for tests.

#![allow(dead_code, reason = "shared by tests that need parts of it")]

use crate::reading;
use cti_dissector::capture::{Capture, Input, SaveCompression, SaveFormat, Saver};
use cti_dissector::conversation::{self, Conversations};
use cti_dissector::redact::{Learner, Options, Policy};
use std::io::Cursor;

/// The key of tests.
pub const KEY: [u8; 32] = *b"a key that is made for the tests";

/// The capture that `redact` writes of what `inputs` gives, as often as it is asked.
pub fn redacted(
    inputs: impl Fn() -> Vec<Box<dyn Input>>,
    policy: Policy,
    options: Options,
) -> Vec<u8> {
    let learner = Learner::new(policy, KEY, options, Cursor::new(Vec::new()));
    let mut conversations = Conversations::new(conversation::Options::default(), learner);
    reading::each_segment(inputs(), |segment| {
        conversations.sink().segment(segment);
        conversations.segment(segment);
    });
    let mut redactor = conversations.finish().0.finish().unwrap();
    let mut looked = Capture::new(inputs());
    while let Some(packet) = looked.next_packet().unwrap() {
        redactor.look(&packet);
    }
    redactor.looked();
    let mut saver = Saver::new(Vec::new(), SaveFormat::PcapNg, SaveCompression::None).unwrap();
    let mut capture = Capture::new(inputs());
    while let Some(packet) = capture.next_packet().unwrap() {
        if let Some(packet) = redactor.packet(&packet).unwrap() {
            saver.packet(&packet).unwrap();
        }
    }
    saver.finish().unwrap()
}
