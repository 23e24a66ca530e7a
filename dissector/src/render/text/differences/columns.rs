//! Old and new beside each other.

use super::places::{Mark, Places};
use crate::diff::Line;
use crate::render::text::pen::Pen;

/// Appends a row: old on the left, new on the right, each cut to its half.
pub(super) fn beside(
    pen: &mut Pen<'_>,
    places: &mut Places<'_>,
    width: usize,
    mark: Mark,
    (old, new): (Option<&Line>, Option<&Line>),
) {
    let half = width.saturating_sub(3) / 2;
    let mut cell = |line: Option<&Line>, ascii: bool| {
        let mut out = Vec::new();
        if let Some(line) = line {
            let mut pen = Pen {
                out: &mut out,
                colour: false,
                ascii,
            };
            pen.put(&format!("#{} ", line.no));
            places.message(&mut pen, line);
        }
        // What a pen wrote is whole.
        let text = String::from_utf8_lossy(&out).into_owned();
        cut(&text, half, ascii)
    };
    let ascii = pen.ascii;
    let (left, right) = (cell(old, ascii), cell(new, ascii));
    if let Some(paint) = mark.paint() {
        pen.on(paint);
    }
    pen.put(&left);
    pen.spaces(half.saturating_sub(left.chars().count()) + 1);
    pen.put(mark.sign());
    pen.spaces(1);
    pen.put(&right);
    if mark.paint().is_some() {
        pen.off();
    }
    pen.end_line();
}

/// A text of at most so many columns.
fn cut(text: &str, width: usize, ascii: bool) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let end = if ascii { "..." } else { "…" };
    let kept = width.saturating_sub(end.chars().count());
    text.chars().take(kept).chain(end.chars()).collect()
}
