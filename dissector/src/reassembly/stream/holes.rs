//! Holes of a stream: where they are, how long they may still fill, and giving them up.

use super::super::ahead::Moment;
use super::super::event::{GapCause, Handler};
use super::super::seq::SeqNum;
use super::{Out, Stream};
use crate::Timestamp;
use crate::limits::{HOLE_PATIENCE, MAX_STREAM_BUFFER};

impl Stream {
    /// Bytes before `seq`, or before what is held, or acknowledged, are still to come.
    pub(in super::super) fn lacks_bytes_before(&self, seq: Option<SeqNum>) -> bool {
        self.is_started()
            && (self.island().is_some()
                || self.tail_gap_end().is_some()
                || seq.is_some_and(|seq| {
                    self.offset(seq) > self.next + i64::from(self.fin.is_some())
                }))
    }

    /// When the first hole, or a doubtful segment, will be given up.
    pub(in super::super) fn deadline(&self) -> Option<Timestamp> {
        let ahead = self.ahead.as_ref().map(|ahead| ahead.deadline());
        let suspect = self.suspect.as_ref().map(|suspect| suspect.deadline());
        ahead.into_iter().chain(suspect).min()
    }

    /// Where the first hole ends: at held data, or at a FIN.
    pub(super) fn island(&self) -> Option<i64> {
        let held = self.ahead.as_ref().and_then(|ahead| ahead.first_start());
        held.or_else(|| self.fin.filter(|&fin| fin > self.next))
    }

    /// End of the bytes that were acknowledged, but of which nothing came. One number alone may have been a FIN.
    fn tail_gap_end(&self) -> Option<i64> {
        let end = self.fin.map_or(self.acked, |fin| self.acked.min(fin));
        let least = if self.fin.is_some() { 1 } else { 2 };
        (end.saturating_sub(self.next) >= least).then_some(end)
    }

    /// Gives up holes before `upto` until the buffer is half empty, or until `upto` is next.
    pub(super) fn make_room<H: Handler>(
        &mut self,
        upto: i64,
        now: Timestamp,
        out: &mut Out<'_, '_, H>,
    ) {
        while !out.ignored {
            let held = self.ahead.as_ref().and_then(|ahead| ahead.first_start());
            match held.filter(|&held| held < upto) {
                Some(held) => self.give_up(held, GapCause::BufferFull, now, out),
                None => return self.gap_to(upto, GapCause::BufferFull, now, out),
            }
            if self.held() <= MAX_STREAM_BUFFER / 2 {
                return;
            }
        }
    }

    /// Reports the hole up to `island` as a gap and delivers what is held there.
    fn give_up<H: Handler>(
        &mut self,
        island: i64,
        cause: GapCause,
        now: Timestamp,
        out: &mut Out<'_, '_, H>,
    ) {
        self.gap_to(island, cause, now, out);
        while !out.ignored && self.next_held(None, out).is_some() {}
        if let Some(ahead) = &mut self.ahead {
            ahead.restart_patience();
        }
    }

    /// Gives up the holes whose time is over.
    pub(in super::super) fn give_up_due<H: Handler>(
        &mut self,
        now: Moment,
        out: &mut Out<'_, '_, H>,
    ) {
        if let Some(suspect) = &self.suspect
            && suspect.deadline() <= now.time
        {
            self.drop_suspect();
        }
        if self.ahead.is_none() {
            return;
        }
        self.settle(now);
        while let Some(island) = self.island()
            && let Some(ahead) = &self.ahead
            && !out.ignored
            && (ahead.settled >= island || ahead.since.after(HOLE_PATIENCE) <= now.time)
        {
            self.give_up(island, GapCause::NotCaptured, now.time, out);
        }
        self.settle(now);
        self.tidy();
    }

    /// Delivers all that is held; with `tail` also reports acknowledged bytes after it as missing.
    pub(in super::super) fn flush<H: Handler>(
        &mut self,
        unproven: GapCause,
        tail: bool,
        now: Timestamp,
        out: &mut Out<'_, '_, H>,
    ) {
        while let Some(island) = self.island()
            && !out.ignored
        {
            let proven = self.acked >= island;
            let cause = if proven {
                GapCause::NotCaptured
            } else {
                unproven
            };
            self.give_up(island, cause, now, out);
        }
        if tail
            && self.is_started()
            && let Some(end) = self.tail_gap_end()
        {
            self.gap_to(end, GapCause::NotCaptured, now, out);
        }
        self.tidy();
    }

    pub(super) fn settle(&mut self, now: Moment) {
        if let Some(island) = self.island()
            && let Some(ahead) = &mut self.ahead
        {
            ahead.settle(self.acked, island, now);
        }
    }

    pub(super) fn tidy(&mut self) {
        if self.ahead.is_some() && self.island().is_none() {
            self.ahead = None;
        }
    }
}
