//! The bytes delivered last, of all connections together: what comes again is compared with them. What is older than the
//! bounds is gone, and nothing is said about it.

use crate::limits::{RECENT_BYTES, RECENT_LOOKS, RECENT_RUNS};

/// The place of a stream in the memory: its last run. Runs are counted from 1 over all streams; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Trace(u64);

/// One delivered run.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Offset of its first byte in its stream.
    start: i64,
    /// Its first byte's place, counted over all bytes ever remembered.
    place: u64,
    len: usize,
    /// The run delivered before it in the same stream.
    before: Trace,
}

/// What a comparison came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Comparison {
    /// Bytes whose first copy was still there.
    pub(super) compared: u64,
    /// Of these, bytes with another value.
    pub(super) conflicting: u64,
}

/// Two rings: bytes, and the runs that they belong to. Each run leads to the one before it in its stream.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Empty until something is to be remembered.
    bytes: Vec<u8>,
    /// Where the next run will be put.
    free: usize,
    /// Place of the first byte of `bytes`, counted over all turns of the ring.
    base: u64,
    runs: Vec<Run>,
    /// Runs ever remembered.
    count: u64,
}

impl Recent {
    /// Remembers bytes delivered at an offset of a stream. The oldest bytes stood in their place and are forgotten. Every run
    /// of every connection comes by here: it must cost next to nothing.
    #[inline]
    pub(super) fn remember(&mut self, trace: &mut Trace, start: i64, bytes: &[u8]) {
        let len = bytes.len();
        let mut end = self.free.wrapping_add(len);
        if end > self.bytes.len() {
            self.turn();
            end = len;
        }
        let Some(to) = self.bytes.get_mut(self.free..end) else {
            return;
        };
        to.copy_from_slice(bytes);
        let run = Run {
            start,
            place: self.place(),
            len,
            before: *trace,
        };
        match self.runs.get_mut(slot(self.count)) {
            Some(slot) => *slot = run,
            None => self.runs.push(run),
        }
        self.free = end;
        self.count = self.count.wrapping_add(1);
        *trace = Trace(self.count);
    }

    /// Begins at the beginning of the ring, which is made the first time.
    #[cold]
    fn turn(&mut self) {
        if self.bytes.is_empty() {
            self.bytes = vec![0; RECENT_BYTES];
            self.runs = Vec::with_capacity(RECENT_RUNS);
        } else {
            self.base = self.base.wrapping_add(wide(RECENT_BYTES));
        }
        self.free = 0;
    }

    /// Place of the next byte, counted over all turns of the ring.
    fn place(&self) -> u64 {
        self.base.wrapping_add(wide(self.free))
    }

    /// Compares bytes that come again at an offset of a stream, as far as their first copies are remembered.
    #[cold]
    pub(super) fn compare(&self, trace: Trace, start: i64, bytes: &[u8]) -> Comparison {
        let mut result = Comparison::default();
        let Ok(len) = i64::try_from(bytes.len()) else {
            return result;
        };
        let end = start.saturating_add(len);
        let mut trace = trace;
        for _ in 0..RECENT_LOOKS {
            let Some(run) = self.run(trace) else { break };
            let run_end = run.start.saturating_add_unsigned(wide(run.len));
            if run_end <= start {
                break;
            }
            let (from, to) = (run.start.max(start), run_end.min(end));
            if from < to
                && let (Ok(skip), Ok(again), Ok(count)) = (
                    usize::try_from(from - run.start),
                    usize::try_from(from - start),
                    usize::try_from(to - from),
                )
            {
                let bytes = bytes.get(again..again + count).unwrap_or_default();
                result.compared += u64::try_from(count).unwrap_or(0);
                result.conflicting += self.differing(run, skip, bytes);
            }
            trace = run.before;
        }
        result
    }

    /// The run, if neither it nor one of its bytes has been overwritten.
    fn run(&self, trace: Trace) -> Option<&Run> {
        let number = trace.0.checked_sub(1)?;
        if self.count.wrapping_sub(number) > wide(RECENT_RUNS) {
            return None;
        }
        let run = self.runs.get(slot(number))?;
        (self.place().wrapping_sub(run.place) <= wide(RECENT_BYTES)).then_some(run)
    }

    /// In how many bytes a run, from one of its bytes on, and `bytes` differ.
    fn differing(&self, run: &Run, skip: usize, bytes: &[u8]) -> u64 {
        let from = usize::try_from(run.place % wide(RECENT_BYTES)).unwrap_or(0) + skip;
        let kept = self.bytes.get(from..from + bytes.len());
        differing(kept.unwrap_or_default(), bytes)
    }
}

/// In how many places two slices of the same length differ.
pub(super) fn differing(first: &[u8], second: &[u8]) -> u64 {
    if first == second {
        return 0;
    }
    let pairs = first.iter().zip(second);
    pairs.fold(0, |sum, (a, b)| sum + u64::from(a != b))
}

/// Place of the run of that number, from 0, in its ring.
fn slot(number: u64) -> usize {
    usize::try_from(number % wide(RECENT_RUNS)).unwrap_or(0)
}

fn wide(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(compared: u64, conflicting: u64) -> Comparison {
        Comparison {
            compared,
            conflicting,
        }
    }

    #[test]
    fn other_boundaries_are_compared_across_runs_of_the_same_stream_only() {
        let mut recent = Recent::default();
        let (mut one, mut other) = (Trace::default(), Trace::default());
        recent.remember(&mut one, 0, b"abc");
        recent.remember(&mut other, 0, b"XYZXYZ");
        recent.remember(&mut one, 3, b"def");
        assert_eq!(recent.compare(one, 0, b"abcdef"), result(6, 0));
        assert_eq!(recent.compare(one, 1, b"bcDE"), result(4, 2));
        assert_eq!(recent.compare(one, 2, b"C"), result(1, 1));
        assert_eq!(recent.compare(other, 1, b"YZX"), result(3, 0));
        assert_eq!(recent.compare(Trace::default(), 0, b"abc"), result(0, 0));
    }

    #[test]
    fn gaps_and_what_lies_outside_are_not_compared() {
        let mut recent = Recent::default();
        let mut trace = Trace::default();
        recent.remember(&mut trace, 0, b"abc");
        recent.remember(&mut trace, 10, b"klm");
        assert_eq!(recent.compare(trace, 0, b"abc-------klm"), result(6, 0));
        assert_eq!(recent.compare(trace, 4, b"------"), result(0, 0));
        assert_eq!(recent.compare(trace, 12, b"M---"), result(1, 1));
    }

    #[test]
    fn bytes_that_were_overwritten_are_gone_and_not_taken_for_others() {
        let mut recent = Recent::default();
        let (mut old, mut new) = (Trace::default(), Trace::default());
        recent.remember(&mut old, 0, &[1; 1000]);
        recent.remember(&mut old, 1000, &[2; 1000]);
        let fit = RECENT_BYTES / 1000;
        for start in (0..).step_by(1000).take(fit - 2) {
            recent.remember(&mut new, start, &[3; 1000]);
        }
        assert_eq!(recent.compare(old, 0, &[1; 2000]), result(2000, 1000));
        // This one does not fit any more and stands where the first two stood.
        recent.remember(&mut new, 5_000_000, &[4; 1001]);
        assert_eq!(recent.compare(old, 0, &[9; 2000]), result(0, 0));
        assert_eq!(recent.compare(new, 5_000_000, &[4; 1001]), result(1001, 0));
    }

    #[test]
    fn runs_that_were_overwritten_are_gone_however_small() {
        let mut recent = Recent::default();
        let (mut old, mut new) = (Trace::default(), Trace::default());
        recent.remember(&mut old, 0, b"a");
        for start in (0..).take(RECENT_RUNS - 1) {
            recent.remember(&mut new, start, b"b");
        }
        assert_eq!(recent.compare(old, 0, b"z"), result(1, 1));
        recent.remember(&mut new, 0, b"b");
        assert_eq!(recent.compare(old, 0, b"z"), result(0, 0));
        assert_eq!(recent.runs.capacity(), RECENT_RUNS);
    }

    #[test]
    fn the_effort_of_a_comparison_is_bounded() {
        let mut recent = Recent::default();
        let mut trace = Trace::default();
        let looks = i64::try_from(RECENT_LOOKS).unwrap();
        for start in 0..=looks {
            recent.remember(&mut trace, start, b"a");
        }
        assert_eq!(recent.compare(trace, 0, b"z"), result(0, 0));
        assert_eq!(recent.compare(trace, 1, b"z"), result(1, 1));
    }
}
