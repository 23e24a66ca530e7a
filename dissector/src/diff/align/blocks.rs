//! Aligns sessions that say the same few things again and again.

use super::{Hunk, at, compared, next};
use imara_diff::Token;
use std::ops::Range;

/// Kinds of messages up to which sessions that have only these in common are compared by blocks.
const FEW_KINDS: usize = 64;
/// Messages of a block.
const BLOCK: u32 = 1024;

/// Whether two sessions have only a few messages in common, which they may send again and again.
pub(super) fn is_monotonous(in_old: &[bool], in_new: &[bool]) -> bool {
    let shared = in_old
        .iter()
        .zip(in_new)
        .filter(|(old, new)| **old && **new);
    shared.take(FEW_KINDS + 1).count() <= FEW_KINDS
}

/// The same as [`compared`] for messages that come again and again, which cost it the square of their number: block after block, each
/// beginning behind the last pair that was found well inside the one before. Where one message is like the next, it does not matter that a
/// pair farther off is not seen.
pub(super) fn by_blocks(old: &[Token], new: &[Token], tokens: u32) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    let mut add = |old: Range<u32>, new: Range<u32>| match hunks.last_mut() {
        _ if old.is_empty() && new.is_empty() => {}
        Some(last) if last.0.end == old.start && last.1.end == new.start => {
            last.0.end = old.end;
            last.1.end = new.end;
        }
        _ => hunks.push((old, new)),
    };
    let all = (next(old.len()), next(new.len()));
    let mut from = (0, 0);
    loop {
        let to = (all.0.min(from.0 + BLOCK), all.1.min(from.1 + BLOCK));
        let part = |side: &[Token], from: u32, to: u32| -> Vec<Token> {
            side.get(at(from)..at(to)).unwrap_or_default().to_vec()
        };
        let found = compared(&part(old, from.0, to.0), &part(new, from.1, to.1), tokens);
        let found = found.into_iter().map(|(old, new)| {
            (
                from.0 + old.start..from.0 + old.end,
                from.1 + new.start..from.1 + new.end,
            )
        });
        // Up to where the block is believed, if not to its end.
        let sure = (to != all).then_some((from.0 + BLOCK / 4 * 3, from.1 + BLOCK / 4 * 3));
        let mut done = from;
        let mut cut = None;
        for hunk in found {
            let equal = hunk.0.start - done.0;
            if let Some(sure) = sure {
                let inside = sure
                    .0
                    .saturating_sub(done.0)
                    .min(sure.1.saturating_sub(done.1));
                if equal > inside {
                    cut = Some((done.0 + inside, done.1 + inside));
                    break;
                }
            }
            done = (hunk.0.end, hunk.1.end);
            add(hunk.0, hunk.1);
        }
        from = match (cut, sure) {
            (Some(cut), _) => cut,
            (None, None) => return hunks,
            // The rest of the block is equal, as far as both sides reach.
            (None, Some(_)) => {
                let equal = (to.0 - done.0).min(to.1 - done.1);
                (done.0 + equal, done.1 + equal)
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many stand in no stretch, after a look at whether they are equal and all is covered in order.
    fn paired(old: &[Token], new: &[Token], hunks: &[Hunk]) -> usize {
        let mut done = (0, 0);
        let mut paired = 0;
        let all = (next(old.len()), next(new.len()));
        for hunk in hunks.iter().cloned().chain([(all.0..all.0, all.1..all.1)]) {
            assert!(hunk.0.start >= done.0 && hunk.1.start >= done.1);
            let equal = at(hunk.0.start - done.0);
            assert_eq!(equal, at(hunk.1.start - done.1));
            assert_eq!(old[at(done.0)..][..equal], new[at(done.1)..][..equal]);
            paired += equal;
            done = (hunk.0.end, hunk.1.end);
        }
        assert_eq!(done, all);
        paired
    }

    fn turns(turn: &[u32], len: usize) -> Vec<Token> {
        turn.iter().copied().map(Token).cycle().take(len).collect()
    }

    #[test]
    fn a_few_messages_again_and_again_cost_the_square_of_their_number() {
        let old = turns(&[0, 1, 2], 20_000);
        // The same in any length, turned round, with one missing or one more, nothing, and others altogether.
        let mut missing = old.clone();
        missing.remove(5_000);
        let mut more = old.clone();
        more.insert(900, Token(2));
        for (new, least) in [
            (old.clone(), 20_000),
            (missing, 19_999),
            (more, 20_000),
            (turns(&[0, 1, 2], 9_000), 9_000),
            (turns(&[2, 1, 0], 20_000), 10_000),
            (turns(&[3], 5_000), 0),
            (Vec::new(), 0),
        ] {
            for (one, other) in [(&old, &new), (&new, &old)] {
                let hunks = by_blocks(one, other, 4);
                assert!(paired(one, other, &hunks) >= least);
            }
        }
    }
}
