//! The sources that are open at the same time, of all inputs together: how many there may be, and which one is closed
//! when there are too many. One that was closed is opened again where it stood when its input is read next.

use super::offset;
use crate::limits;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A handle on the open sources; all readers of a capture share one.
#[derive(Clone, Default)]
pub(super) struct Pool(Arc<Mutex<Sources>>);

struct Sources {
    open: BTreeMap<u32, Open>,
    /// Sum of [`Open::memory`].
    memory: usize,
    /// Counts what was put back, to know which source was used last.
    used: u64,
    /// How many may be open; less than the limit once the system has refused one.
    most: usize,
}

/// An open source while it is not being read from.
pub(super) struct Open {
    /// Where bytes come from, decompressed.
    pub source: Box<dyn Read + Send>,
    /// What it takes beside the buffer through which it is read (bytes, about).
    pub memory: usize,
    /// Bytes to be read once more if it is closed now and opened again later; `None` if it cannot be opened again.
    pub again: Option<u64>,
    used: u64,
}

impl Open {
    /// A source that was just opened, or read from.
    pub(super) fn new(source: Box<dyn Read + Send>, memory: usize, again: Option<u64>) -> Self {
        Self {
            source,
            memory,
            again,
            used: 0,
        }
    }
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            open: BTreeMap::new(),
            memory: 0,
            used: 0,
            most: limits::OPEN_INPUTS,
        }
    }
}

impl Pool {
    /// Takes an input's source out, to read from it or to close it by dropping it.
    pub(super) fn take(&self, input: u32) -> Option<Box<dyn Read + Send>> {
        self.sources().remove(input)
    }

    /// Puts a source back. Closes others if there are too many now.
    pub(super) fn put(&self, input: u32, open: Open) {
        let mut sources = self.sources();
        sources.used = sources.used.saturating_add(1);
        let used = sources.used;
        sources.memory = sources.memory.saturating_add(open.memory);
        sources.open.insert(input, Open { used, ..open });
        while sources.are_too_many() && sources.close_one(input) {}
    }

    /// After an input could not be opened: whether it is worth another try, because sources were closed that may have
    /// been in its way. From then on fewer are open at the same time.
    pub(super) fn made_way(&self, error: &io::Error) -> bool {
        // EMFILE and ENFILE; ERROR_TOO_MANY_OPEN_FILES.
        let too_many: &[i32] = if cfg!(windows) { &[4] } else { &[24, 23] };
        let mut sources = self.sources();
        let before = sources.open.len();
        if before == 0 || !error.raw_os_error().is_some_and(|e| too_many.contains(&e)) {
            return false;
        }
        // Some room is left for whatever else the program has to open.
        sources.most = (before / 4 * 3).max(1);
        while sources.open.len() > sources.most / 2 && sources.close_one(u32::MAX) {}
        sources.open.len() < before
    }

    fn sources(&self) -> MutexGuard<'_, Sources> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sources {
    fn are_too_many(&self) -> bool {
        self.open.len() > self.most || self.memory > limits::DECODER_MEMORY
    }

    fn remove(&mut self, input: u32) -> Option<Box<dyn Read + Send>> {
        let open = self.open.remove(&input)?;
        self.memory = self.memory.saturating_sub(open.memory);
        Some(open.source)
    }

    /// Closes the source that costs least to open again, of equal ones that which was not used for longest; not the one
    /// of `keep`. False if there is none that may be closed.
    fn close_one(&mut self, keep: u32) -> bool {
        let victim = self
            .open
            .iter()
            .filter(|(input, _)| **input != keep)
            .filter_map(|(input, open)| Some((open.again?, open.used, *input)))
            .filter(|(again, _, _)| *again <= offset(limits::READ_AGAIN))
            .min();
        let Some((_, _, input)) = victim else {
            return false;
        };
        self.remove(input).is_some()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn put(pool: &Pool, input: u32, memory: usize, again: Option<u64>) {
        pool.put(input, Open::new(Box::new(io::empty()), memory, again));
    }

    fn open(pool: &Pool) -> Vec<u32> {
        pool.sources().open.keys().copied().collect()
    }

    #[test]
    fn what_is_cheapest_to_open_again_is_closed_first_and_pipes_never() {
        let pool = Pool::default();
        pool.sources().most = 3;
        put(&pool, 0, 0, None);
        put(&pool, 1, 0, Some(1000));
        put(&pool, 2, 0, Some(0));
        put(&pool, 3, 0, Some(0));
        assert_eq!(open(&pool), [0, 1, 3]);
        put(&pool, 4, 0, Some(5));
        assert_eq!(open(&pool), [0, 1, 4]);
        put(&pool, 5, 0, Some(u64::MAX));
        put(&pool, 6, 0, Some(u64::MAX));
        // More than there should be: none of them can be had again at a bearable cost.
        assert_eq!(open(&pool), [0, 5, 6]);
        put(&pool, 7, 0, None);
        assert_eq!(open(&pool), [0, 5, 6, 7]);
    }

    #[test]
    fn decoders_are_counted_by_their_memory() {
        let pool = Pool::default();
        for input in 0..3 {
            put(&pool, input, limits::DECODER_MEMORY / 2, Some(1));
        }
        assert_eq!(open(&pool), [1, 2]);
        assert!(pool.take(1).is_some() && pool.take(1).is_none());
        assert_eq!(pool.sources().memory, limits::DECODER_MEMORY / 2);
    }

    #[test]
    fn a_system_that_refuses_gets_fewer_open_files() {
        let pool = Pool::default();
        let refused = io::Error::from_raw_os_error(if cfg!(windows) { 4 } else { 24 });
        assert!(!pool.made_way(&refused), "nothing is open");
        let pool = Pool::default();
        for input in 0..100 {
            put(&pool, input, 0, Some(0));
        }
        assert!(!pool.made_way(&io::Error::from(io::ErrorKind::NotFound)));
        assert!(pool.made_way(&refused));
        for input in 100..300 {
            put(&pool, input, 0, Some(0));
        }
        assert_eq!(open(&pool).len(), 75);
    }
}
