//! Gives the records of a run to an analysis.

use super::{Analysis, Seen};
use crate::capture::Segment;
use crate::decode::Decoder;
use crate::record::{Record, Sink};
use crate::select::Selector;

/// Decodes each message once, finds out whether it is selected, and gives it to an analysis. The analysis gets the others as well: what is
/// not asked for may still explain what is.
pub struct Study<A> {
    analysis: A,
    selector: Selector,
    decoder: Decoder,
}

impl<A: Analysis> Study<A> {
    /// A study of what a selector selects.
    #[must_use]
    pub fn new(analysis: A, selector: Selector) -> Self {
        Self {
            analysis,
            selector,
            decoder: Decoder::new(),
        }
    }

    /// The next TCP segment of the capture.
    pub fn segment(&mut self, segment: &Segment<'_>) {
        self.analysis.segment(segment);
    }

    /// What selects.
    pub const fn selector(&self) -> &Selector {
        &self.selector
    }

    /// The analysis.
    pub const fn analysis(&mut self) -> &mut A {
        &mut self.analysis
    }

    /// The analysis, to look at.
    pub const fn seen(&self) -> &A {
        &self.analysis
    }

    /// The analysis, after the last record.
    #[must_use]
    pub fn finish(self) -> A {
        self.analysis
    }
}

impl<A: Analysis> Sink for Study<A> {
    fn record(&mut self, record: Record<'_>) {
        let selected = self.selector.accepts(&record);
        if let Record::Message(info, bytes) = record {
            let view = self.decoder.decode_as(bytes, info.version, info.message);
            self.analysis.message(&Seen {
                info,
                view: &view,
                selected,
            });
        } else {
            self.analysis.judged(&record, selected);
        }
    }
}
