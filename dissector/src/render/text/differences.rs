//! What differs between two runs, as text: first all of it in numbers, then place by place.

mod columns;
mod places;
mod totals;

pub use totals::{outcome_words, remarks, verdict};

use super::pen::Pen;
use crate::diff::Comparison;
use crate::render::table::Look;

/// Writes what came of a comparison.
#[derive(Debug)]
pub struct Differences {
    /// Colours, time zone, ASCII.
    pub look: Look,
    /// Messages without a difference shown around those with one.
    pub context: usize,
    /// Differing places that are shown.
    pub limit: usize,
    /// Old and new beside each other in so many columns; one below the other when `None`.
    pub beside: Option<usize>,
}

impl Differences {
    /// Appends everything: what differs in numbers, then each place.
    pub fn write(&self, out: &mut Vec<u8>, comparison: &Comparison) {
        let mut pen = Pen {
            out,
            colour: self.look.colour,
            ascii: self.look.ascii,
        };
        totals::write(&mut pen, comparison);
        places::write(&mut pen, self, comparison);
    }
}
