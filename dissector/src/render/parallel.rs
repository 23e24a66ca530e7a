//! Renders records on several threads and writes the results in order.
//!
//! Records are copied into batches; batches go to the threads in turn and come back in turn. Memory is bounded by the
//! number of batches under way.

use crate::kept::Kept;
use crate::record::Record;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// Message bytes after which a batch is sent off.
const BATCH_BYTES: usize = 128 * 1024;
/// Records after which a batch is sent off.
const BATCH_RECORDS: usize = 1024;
/// Batches that a thread may have before it.
const AHEAD: usize = 2;

/// Renders one record after the other. What it writes must depend on the record and its context alone.
pub trait Render: Send {
    /// What a record needs to be rendered besides itself, found out in order.
    type Context: Send;

    /// Appends a record.
    fn render(&mut self, out: &mut Vec<u8>, record: &Record<'_>, context: &Self::Context);
}

struct Batch<C> {
    /// Bytes of all messages.
    bytes: Vec<u8>,
    items: Vec<(Kept, Range<usize>, C)>,
    out: Vec<u8>,
}

impl<C> Default for Batch<C> {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            items: Vec::new(),
            out: Vec::new(),
        }
    }
}

struct Worker<C> {
    jobs: SyncSender<Batch<C>>,
    done: Receiver<Batch<C>>,
    thread: JoinHandle<()>,
}

/// Writes records to `W`, rendered by several `R`.
pub struct Parallel<R: Render, W: Write> {
    out: W,
    here: R,
    workers: Vec<Worker<R::Context>>,
    batch: Batch<R::Context>,
    spare: Vec<Batch<R::Context>>,
    /// Workers that have a batch, in the order of the batches.
    under_way: VecDeque<usize>,
    next: usize,
}

impl<R: Render + 'static, W: Write> Parallel<R, W> {
    /// A writer with as many renderers as threads are wanted; with one, the caller's own thread does the work.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn new(out: W, jobs: usize, mut renderer: impl FnMut() -> R) -> io::Result<Self> {
        let mut workers = Vec::new();
        if jobs > 1 {
            for number in 0..jobs {
                workers.push(start(number, renderer())?);
            }
        }
        Ok(Self {
            out,
            here: renderer(),
            workers,
            batch: Batch::default(),
            spare: Vec::new(),
            under_way: VecDeque::new(),
            next: 0,
        })
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// When what is ready cannot be written.
    pub fn push(&mut self, record: &Record<'_>, context: R::Context) -> io::Result<()> {
        if self.workers.is_empty() {
            self.here.render(&mut self.batch.out, record, &context);
            if self.batch.out.len() >= BATCH_BYTES {
                self.out.write_all(&self.batch.out)?;
                self.batch.out.clear();
            }
            return Ok(());
        }
        let (kept, bytes) = Kept::new(record);
        let start = self.batch.bytes.len();
        self.batch.bytes.extend_from_slice(bytes);
        let range = start..self.batch.bytes.len();
        self.batch.items.push((kept, range, context));
        if self.batch.bytes.len() >= BATCH_BYTES || self.batch.items.len() >= BATCH_RECORDS {
            self.send()?;
        }
        Ok(())
    }

    /// Appends text as it is, behind everything pushed so far.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn raw(&mut self, text: &[u8]) -> io::Result<()> {
        self.settle()?;
        self.out.write_all(text)
    }

    /// Writes everything pushed so far.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.settle()?;
        self.out.flush()
    }

    /// Writes everything and returns the output.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.settle()?;
        for worker in self.workers {
            drop(worker.jobs);
            drop(worker.done);
            // A renderer that panicked has been noticed when its batch did not come back.
            let _ = worker.thread.join();
        }
        Ok(self.out)
    }

    /// Sends off the batch and waits for all results.
    fn settle(&mut self) -> io::Result<()> {
        if self.workers.is_empty() {
            self.out.write_all(&self.batch.out)?;
            self.batch.out.clear();
            return Ok(());
        }
        if !self.batch.items.is_empty() {
            self.send()?;
        }
        while !self.under_way.is_empty() {
            self.collect()?;
        }
        Ok(())
    }

    fn send(&mut self) -> io::Result<()> {
        let fresh = self.spare.pop().unwrap_or_default();
        let batch = std::mem::replace(&mut self.batch, fresh);
        let worker = self.workers.get(self.next).ok_or_else(lost)?;
        worker.jobs.send(batch).map_err(|_| lost())?;
        self.under_way.push_back(self.next);
        self.next = (self.next + 1) % self.workers.len();
        while self.under_way.len() >= self.workers.len() * AHEAD {
            self.collect()?;
        }
        Ok(())
    }

    /// Waits for the oldest batch and writes what it became.
    fn collect(&mut self) -> io::Result<()> {
        let Some(index) = self.under_way.pop_front() else {
            return Ok(());
        };
        let worker = self.workers.get(index).ok_or_else(lost)?;
        let mut batch = worker.done.recv().map_err(|_| lost())?;
        self.out.write_all(&batch.out)?;
        batch.out.clear();
        batch.bytes.clear();
        batch.items.clear();
        self.spare.push(batch);
        Ok(())
    }
}

fn lost() -> io::Error {
    io::Error::other("a rendering thread has ended")
}

fn start<R: Render + 'static>(number: usize, mut renderer: R) -> io::Result<Worker<R::Context>> {
    let (jobs, todo) = sync_channel::<Batch<R::Context>>(AHEAD);
    let (finished, done) = sync_channel(AHEAD);
    let thread = thread::Builder::new()
        .name(format!("render-{number}"))
        .spawn(move || {
            while let Ok(mut batch) = todo.recv() {
                for (kept, range, context) in &batch.items {
                    let record = kept.record(batch.bytes.get(range.clone()).unwrap_or_default());
                    renderer.render(&mut batch.out, &record, context);
                }
                if finished.send(batch).is_err() {
                    break;
                }
            }
        })?;
    Ok(Worker { jobs, done, thread })
}
