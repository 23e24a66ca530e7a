//! All bytes of a message, with offsets from its beginning.

use super::TextOptions;
use super::pen::{Paint, Pen};
use crate::decode::MessageView;

/// Bytes in a row.
const ROW: usize = 16;

/// Writes the dump.
pub(super) fn dump(pen: &mut Pen<'_>, options: &TextOptions, view: &MessageView<'_>) {
    let masks = !options.show_secrets;
    let has_secret = masks && view.floating().any(|f| view.hides(&f));
    let unexplained = masks && view.may_hide_secret();
    let within = |part: Option<(usize, &[u8])>, at: usize| {
        part.is_some_and(|(start, bytes)| (start..start + bytes.len()).contains(&at))
    };
    let is_masked = |at: usize| {
        (unexplained && (within(view.unread(), at) || within(view.opaque(), at)))
            || (has_secret
                && view
                    .floating()
                    .any(|f| f.data_range().contains(&at) && view.hides(&f)))
    };
    for (row, bytes) in view.bytes().chunks(ROW).enumerate() {
        let start = row.saturating_mul(ROW);
        pen.spaces(6);
        pen.on(Paint::Dim);
        pen.right(u64::try_from(start).unwrap_or(u64::MAX), 5);
        pen.off();
        pen.spaces(2);
        for column in 0..ROW {
            if column == ROW / 2 {
                pen.spaces(1);
            }
            match bytes.get(column) {
                Some(_) if is_masked(start + column) => pen.put("**"),
                Some(byte) => pen.hex(*byte),
                None => pen.spaces(2),
            }
            pen.spaces(1);
        }
        pen.put(" |");
        for (column, byte) in bytes.iter().enumerate() {
            pen.out.push(match byte {
                _ if is_masked(start + column) => b'*',
                0x20..=0x7E => *byte,
                _ => b'.',
            });
        }
        pen.put("|");
        pen.end_line();
    }
}
