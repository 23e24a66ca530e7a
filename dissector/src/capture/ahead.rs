//! Reads ahead on a thread of its own: reading and decompressing go on while packets are looked at.
//!
//! Blocks travel to the reader and, used up, back again. Each has room before its bytes, into which the reader moves the
//! beginning of a record that began in the block before: so bytes are not copied from one buffer into another.

use super::feed::Feed;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

/// Bytes read at once.
const BLOCK: usize = 256 * 1024;
/// Room before them (bytes); most records are much shorter.
pub(super) const ROOM: usize = 64 * 1024;
/// Blocks that are read before anyone asks for them; one more is being filled, one is in use.
const BLOCKS: usize = 2;

/// What was read at once.
pub(super) struct Block {
    /// Room, then the bytes.
    pub data: Vec<u8>,
    /// Where the bytes end.
    pub end: usize,
    /// Why nothing comes after them, if not because the input is at its end.
    pub broken: Option<io::Error>,
    /// Nothing comes after them.
    pub last: bool,
}

/// A feed that another thread reads from.
pub(super) struct Ahead {
    blocks: Receiver<Block>,
    used: Sender<Vec<u8>>,
    ready: Arc<AtomicUsize>,
}

impl Ahead {
    /// Starts reading.
    ///
    /// # Errors
    /// The feed again, when no thread can be started.
    pub(super) fn start(feed: Feed) -> Result<Self, Feed> {
        let (filled, blocks) = sync_channel(BLOCKS);
        let (used, spare) = channel();
        let (hand_over, taken) = sync_channel(1);
        let ready = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&ready);
        let spawned = thread::Builder::new()
            .name("read-ahead".to_owned())
            .spawn(move || {
                if let Ok(feed) = taken.recv() {
                    read(feed, &filled, &spare, &counter);
                }
            });
        if spawned.is_err() {
            return Err(feed);
        }
        match hand_over.send(feed) {
            Ok(()) => Ok(Self {
                blocks,
                used,
                ready,
            }),
            Err(error) => Err(error.0),
        }
    }

    /// Whether the next block can be had without waiting.
    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire) > 0
    }

    /// The next block, waited for; `None` after the last one.
    pub(super) fn next(&mut self) -> Option<Block> {
        let block = self.blocks.recv().ok()?;
        self.ready.fetch_sub(1, Ordering::AcqRel);
        Some(block)
    }

    /// Gives back the buffer of a block, to be filled again.
    pub(super) fn give_back(&self, data: Vec<u8>) {
        // When the thread is gone, all blocks have been read.
        let _ = self.used.send(data);
    }
}

/// Fills blocks until the feed ends or nobody wants any more.
fn read(
    mut feed: Feed,
    filled: &SyncSender<Block>,
    spare: &Receiver<Vec<u8>>,
    ready: &AtomicUsize,
) {
    loop {
        let mut data = spare.try_recv().unwrap_or_default();
        data.resize(ROOM + BLOCK, 0);
        let mut block = Block {
            data,
            end: ROOM,
            broken: None,
            last: false,
        };
        let room = block.data.get_mut(ROOM..).unwrap_or_default();
        match feed.read(room) {
            Ok(0) => block.last = true,
            Ok(read) => block.end = ROOM + read.min(BLOCK),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => {
                block.broken = Some(error);
                block.last = true;
            }
        }
        let last = block.last;
        ready.fetch_add(1, Ordering::AcqRel);
        if filled.send(block).is_err() || last {
            feed.close();
            return;
        }
    }
}
