//! How calls leave the book: when their time has come, or the capture ends.

use super::Book;
use crate::analysis::calls::call::Call;
use crate::limits;
use crate::time::Timestamp;
use std::collections::BTreeMap;

impl Book {
    /// Tells the calls whose time has come.
    pub(in crate::analysis::calls) fn expire(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        while let Some((due, call)) = self.due.first().copied()
            && due <= now
        {
            self.leave(call, true);
        }
    }

    /// Tells all calls that are left. Those that go on count up to the end of the capture, or of the last session that told of them.
    pub(in crate::analysis) fn finish(&mut self) {
        let left: Vec<u64> = self.calls.keys().copied().collect();
        for call in left {
            if let Some(open) = self.calls.get_mut(&call) {
                let until = open.watched_until(self.now, &self.lost);
                open.until = open.until.max(until.unwrap_or(open.told.last));
            }
            self.leave(call, false);
        }
        self.release();
    }

    /// A call leaves the book: its time has come (`due`), or before that.
    pub(super) fn leave(&mut self, call: u64, due: bool) {
        let Some(open) = self.calls.remove(&call) else {
            return;
        };
        self.due.remove(&(open.due, call));
        for leg in &open.legs {
            let key = (leg.id.id, leg.id.peripheral);
            if self.legs.get(&key).is_some_and(|p| p.leg == leg.number) {
                self.legs.remove(&key);
            }
        }
        for key in &open.told.router_keys {
            if self.keys.get(key) == Some(&call) {
                self.keys.remove(key);
            }
        }
        for reference in &open.references {
            if self.references.get(reference) == Some(&call) {
                self.references.remove(reference);
            }
        }
        for tracked in &open.parties.list {
            if self.devices.get(&tracked.party.device) == Some(&call) {
                self.devices.remove(&tracked.party.device);
            }
        }
        for absorbed in &open.absorbed {
            self.aliases.remove(absorbed);
        }
        let mut bytes = open.step_bytes;
        let mut told = open.finish(&self.lost, due, self.options.stories);
        if self.only.as_deref().is_some_and(|name| !told.goes_by(name)) {
            self.story_bytes = self.story_bytes.saturating_sub(bytes);
            bytes = 0;
            told.steps = Vec::new();
            told.variables = BTreeMap::new();
        }
        if self.options.in_order {
            self.waiting.insert(call, (told, bytes));
            self.release();
        } else {
            self.tell(told, bytes);
        }
    }

    /// Tells calls that wait for no older one any more.
    fn release(&mut self) {
        let oldest = self.calls.keys().next().copied().unwrap_or(u64::MAX);
        while let Some((no, _)) = self.waiting.first_key_value()
            && (*no < oldest || self.waiting.len() > limits::MAX_WAITING_CALLS)
        {
            if *no > oldest {
                self.reached.out_of_order += 1;
            }
            let Some((_, (call, bytes))) = self.waiting.pop_first() else {
                return;
            };
            self.tell(call, bytes);
        }
    }

    fn tell(&mut self, mut call: Call, bytes: usize) {
        self.story_bytes = self.story_bytes.saturating_sub(bytes);
        self.calls_told += 1;
        call.no = self.calls_told;
        self.ready.push(call);
    }
}
