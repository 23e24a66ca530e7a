//! Pictures as SVG: self-contained, without scripts, styles or references, so that they can stand alone or within a page. Colours are
//! attributes, which the page's style sheet overrides by class; lines and text have `currentColor`.

mod ladder;
mod paper;

pub use ladder::{ladder, ladders, linked_ladder};
