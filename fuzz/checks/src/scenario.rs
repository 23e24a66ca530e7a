//! Scenarios: any text. What can be read becomes captures, which must be sound.

use crate::memory::Memory;
use cti_dissector::capture::{Capture, NoteKind};
use ctishark_fixtures::{Bounds, Scenario};

/// Far less than what real scenarios may have, so that many texts can be tried.
const BOUNDS: Bounds = Bounds {
    lines: 2_000,
    bytes: 200_000,
};

/// The input is the text.
pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let scenario = match Scenario::from_text_within("fuzz", &text, BOUNDS) {
        Ok(scenario) => scenario,
        Err(error) => {
            assert!(error.to_string().starts_with("fuzz:"));
            return;
        }
    };
    assert!(scenario.events.len() <= BOUNDS.lines);
    assert!(scenario.events.is_sorted_by_key(|event| event.time));
    let Ok(files) = scenario.capture_files() else {
        return;
    };
    for file in files {
        let mut bytes = Vec::new();
        file.write_to(&mut bytes).expect("memory takes all bytes");
        let mut capture = Capture::new(vec![Box::new(Memory {
            bytes: bytes.into(),
            piece: usize::MAX,
            reopenable: true,
        })]);
        while capture
            .next_packet()
            .expect("a capture that was written can be read")
            .is_some()
        {}
        for note in capture.notes() {
            assert!(
                matches!(
                    note.kind,
                    NoteKind::PacketsCut { .. } | NoteKind::ClockWentBack { .. }
                ),
                "{note}"
            );
        }
    }
}
