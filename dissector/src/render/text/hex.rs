//! All bytes of a message, with offsets from its beginning.

use super::TextOptions;
use super::pen::{Paint, Pen};
use crate::decode::{FloatingView, MessageView};

/// Bytes in a row.
const ROW: usize = 16;

/// Whether a message may carry a secret of which decoding found no trace: then bytes that no table explains are kept back.
pub(super) fn may_hide_secret(view: &MessageView<'_>) -> bool {
    view.message()
        .is_some_and(|m| m.floating.iter().any(|u| u.field.secret))
}

/// Whether the data of a field is kept back unless secrets are shown.
pub(super) fn is_secret(view: &MessageView<'_>, field: &FloatingView<'_>) -> bool {
    field.is_secret() || (field.usage().is_none() && may_hide_secret(view))
}

/// Writes the dump.
pub(super) fn dump(pen: &mut Pen<'_>, options: &TextOptions, view: &MessageView<'_>) {
    let masks = !options.show_secrets;
    let has_secret = masks && view.floating().any(|f| is_secret(view, &f));
    let unread = view.unread().filter(|_| masks && may_hide_secret(view));
    let is_masked = |at: usize| {
        unread.is_some_and(|(from, _)| at >= from)
            || (has_secret
                && view
                    .floating()
                    .any(|f| f.data_range().contains(&at) && is_secret(view, &f)))
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
