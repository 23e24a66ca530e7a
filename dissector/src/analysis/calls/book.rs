//! The calls that are followed: finds them by their IDs, joins those that turn out to be one, and tells those that are over.

mod leave;

use super::call::{Call, CallId, Feature, RouterKey};
use super::desks::Desks;
use super::leg::{Beginning, Leg, Lost};
use super::open::Open;
use super::requests::Requests;
use super::story::Step;
use super::{CallOptions, Reached};
use crate::analysis::Seen;
use crate::decode::FieldValue;
use crate::limits;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Where a call ID leads: the call, and the number of its leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub call: u64,
    pub leg: u64,
}

/// All calls that are followed.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Book {
    pub(super) options: CallOptions,
    pub(super) calls: BTreeMap<u64, Open>,
    pub(in crate::analysis) desks: Desks,
    pub(super) requests: Requests,
    /// Sessions that have ended.
    pub(super) lost: Lost,
    /// Sessions of which bytes are missing, and since when nothing more is.
    pub(super) gaps: BTreeMap<u32, Timestamp>,
    /// Peripherals that are offline.
    pub(super) offline: BTreeSet<u32>,
    /// The call that the last message was about.
    pub(super) touched: Option<u64>,
    pub(super) reached: Reached,
    /// Calls that are over and ready to be told.
    pub(in crate::analysis) ready: Vec<Call>,
    legs: BTreeMap<(u32, Option<u32>), Place>,
    keys: HashMap<RouterKey, u64>,
    references: HashMap<Box<[u8]>, u64>,
    /// The call at which a device was seen last.
    devices: HashMap<String, u64>,
    /// Calls that were joined to another one, and to which.
    aliases: HashMap<u64, u64>,
    /// When each call is to be told if nothing comes.
    due: BTreeSet<(Timestamp, u64)>,
    /// Calls that are over and wait for older ones, with the bytes of their stories.
    waiting: BTreeMap<u64, (Call, usize)>,
    /// The name of the calls whose stories are wanted; all without one.
    pub(super) only: Option<String>,
    calls_begun: u64,
    legs_begun: u64,
    calls_told: u64,
    story_bytes: usize,
    /// Time of the latest message.
    now: Timestamp,
}

/// Sessions that have ended, or of which bytes are missing, are remembered for calls that go on; the oldest make room.
const MAX_LOST: usize = 65_536;

impl Book {
    /// The number that a call has now, if it was joined to another one.
    pub(super) fn resolve(&self, mut call: u64) -> Option<u64> {
        while let Some(kept) = self.aliases.get(&call) {
            call = *kept;
        }
        self.calls.contains_key(&call).then_some(call)
    }

    /// Where a call ID leads.
    pub(super) fn find(&self, id: CallId) -> Option<Place> {
        if id.peripheral.is_some() {
            let exact = self.legs.get(&(id.id, id.peripheral));
            return exact.or_else(|| self.legs.get(&(id.id, None))).copied();
        }
        let mut all = self.legs.range((id.id, None)..=(id.id, Some(u32::MAX)));
        all.next().map(|(_, place)| *place)
    }

    /// The call ID of a leg.
    pub(super) fn id_of(&self, place: Place) -> Option<CallId> {
        let legs = &self.calls.get(&place.call)?.legs;
        let leg = legs.iter().find(|leg| leg.number == place.leg)?;
        Some(leg.id)
    }

    /// Where a call ID leads; a call that was not seen to begin, if nowhere.
    pub(super) fn find_or_begin(&mut self, id: CallId, seen: &Seen<'_>) -> Option<Place> {
        let session = seen.info.peers.session;
        let place = match self.find(id) {
            Some(place) => place,
            None => {
                let call = self.begin_call(seen);
                self.add_leg(call, id, seen.info.time)?
            }
        };
        if let Some(leg) = self
            .calls
            .get_mut(&place.call)
            .and_then(|open| open.leg(place.leg))
        {
            leg.followed_by(session, seen.info.time);
            leg.last = seen.info.time;
        }
        Some(place)
    }

    /// A call begins, without an ID so far.
    pub(super) fn begin_call(&mut self, seen: &Seen<'_>) -> u64 {
        if self.calls.len() >= limits::MAX_CALLS
            && let Some((_, stalest)) = self.due.first().copied()
        {
            self.reached.told_early += 1;
            self.leave(stalest, false);
        }
        self.calls_begun += 1;
        let open = Open::new(self.calls_begun, seen.info.time, seen.info.no);
        self.due.insert((open.due, open.no));
        self.calls.insert(open.no, open);
        self.calls_begun
    }

    /// A call has another ID from now on.
    pub(super) fn add_leg(&mut self, call: u64, id: CallId, now: Timestamp) -> Option<Place> {
        let open = self.calls.get_mut(&call)?;
        if open.legs.len() >= limits::MAX_CALL_LEGS {
            return None;
        }
        self.legs_begun += 1;
        open.legs.push(Leg::new(self.legs_begun, id, now));
        let place = Place {
            call,
            leg: self.legs_begun,
        };
        self.legs.insert((id.id, id.peripheral), place);
        Some(place)
    }

    /// BEGIN_CALL_EVENT: the call that begins, or that this session begins to follow. Tells as well whether it is told again after it was
    /// lost from view.
    pub(super) fn begin(&mut self, id: CallId, seen: &Seen<'_>) -> Option<(Place, bool)> {
        let session = seen.info.peers.session;
        let now = seen.info.time;
        let key = router_key(seen);
        let ani = seen.text("ANI");
        let known = self.find(id).and_then(|place| {
            let open = self.calls.get(&place.call)?;
            let leg = open.legs.iter().find(|l| l.number == place.leg)?;
            let key_fits = key.is_none_or(|k| {
                open.told.router_keys.is_empty() || open.told.router_keys.contains(&k)
            });
            let ani_fits = ani
                .as_deref()
                .is_none_or(|a| leg.ani.as_deref().is_none_or(|was| was == a));
            match leg.begins(session, key_fits && ani_fits, now, &self.lost) {
                Beginning::Same => Some((place, false)),
                Beginning::Again => Some((place, true)),
                Beginning::Another => None,
            }
        });
        let (place, again) = match known {
            Some(known) => known,
            None => {
                self.end_missed(id, now);
                let call = self.begin_call(seen);
                (self.add_leg(call, id, now)?, false)
            }
        };
        let leg = self.calls.get_mut(&place.call)?.leg(place.leg)?;
        leg.begun_by(session, now);
        leg.last = now;
        leg.ani = leg.ani.take().or_else(|| ani.map(|a| a.into_owned()));
        Some((place, again))
    }

    /// A call ID is given to another call: the one that had it has ended, whether that was seen or not.
    fn end_missed(&mut self, id: CallId, now: Timestamp) {
        let Some(place) = self.find(id) else { return };
        let Some(open) = self.calls.get_mut(&place.call) else {
            return;
        };
        if let Some(leg) = open.leg(place.leg)
            && !leg.is_over(&self.lost)
        {
            leg.end_missed = true;
            let due = if open.is_over(&self.lost) {
                now.after(limits::CALL_GRACE)
            } else {
                open.due
            };
            self.due.remove(&(open.due, place.call));
            open.due = due;
            self.due.insert((due, place.call));
        }
    }

    /// The call that the router's key or the CallReferenceID of a message leads to.
    pub(super) fn find_by_key(&self, seen: &Seen<'_>) -> Option<u64> {
        let key = router_key(seen).and_then(|key| self.keys.get(&key));
        key.copied().or_else(|| {
            let reference = reference(seen)?;
            self.references.get(reference).copied()
        })
    }

    /// A message about a call carries keys of it: calls with the same keys are one. Tells the call's number, and whether it was joined with
    /// another one that has call IDs; an announcement has none.
    pub(super) fn join_by_keys(&mut self, call: u64, seen: &Seen<'_>) -> (u64, bool) {
        let mut call = call;
        let mut joined = false;
        if let Some(key) = router_key(seen) {
            if let Some(other) = self.keys.get(&key).copied() {
                let has_ids = self.has_ids(other);
                let now = self.join(call, other, seen.info.time);
                joined |= now.is_some() && has_ids;
                call = now.unwrap_or(call);
            }
            if let Some(open) = self.calls.get_mut(&call)
                && !open.told.router_keys.contains(&key)
                && open.told.router_keys.len() < limits::MAX_CALL_LEGS
            {
                open.told.router_keys.push(key);
                self.keys.entry(key).or_insert(call);
            }
        }
        if let Some(reference) = reference(seen) {
            if let Some(other) = self.references.get(reference).copied() {
                let has_ids = self.has_ids(other);
                let now = self.join(call, other, seen.info.time);
                joined |= now.is_some() && has_ids;
                call = now.unwrap_or(call);
            }
            if let Some(open) = self.calls.get_mut(&call)
                && !open.references.iter().any(|r| **r == *reference)
                && open.references.len() < limits::MAX_CALL_LEGS
            {
                open.references.push(reference.into());
                self.references.entry(reference.into()).or_insert(call);
            }
        }
        (call, joined)
    }

    fn has_ids(&self, call: u64) -> bool {
        let open = self.calls.get(&call);
        open.is_some_and(|open| !open.legs.is_empty())
    }

    /// Two calls turn out to be one: the older one takes over the younger. Tells its number; `None` when they are one already or do not fit
    /// together into the limits.
    pub(super) fn join(&mut self, one: u64, other: u64, now: Timestamp) -> Option<u64> {
        let (kept, gone) = (one.min(other), one.max(other));
        if kept == gone {
            return None;
        }
        let (open, younger) = (self.calls.get(&kept)?, self.calls.get(&gone)?);
        if !open.has_room_for(younger) {
            self.reached.not_joined += 1;
            return None;
        }
        let younger = self.calls.remove(&gone)?;
        self.due.remove(&(younger.due, gone));
        for leg in &younger.legs {
            if let Some(place) = self.legs.get_mut(&(leg.id.id, leg.id.peripheral))
                && place.call == gone
            {
                place.call = kept;
            }
        }
        for key in &younger.told.router_keys {
            self.keys.insert(*key, kept);
        }
        for reference in &younger.references {
            self.references.insert(reference.clone(), kept);
        }
        for tracked in &younger.parties.list {
            if let Some(call) = self.devices.get_mut(&tracked.party.device)
                && *call == gone
            {
                *call = kept;
            }
        }
        self.aliases.insert(gone, kept);
        self.calls.get_mut(&kept)?.absorb(younger, now);
        Some(kept)
    }

    /// The call at which a device was seen last.
    pub(super) fn call_at(&self, device: &str) -> Option<u64> {
        self.devices.get(device).copied()
    }

    /// A device is on a call now.
    pub(super) fn device_on(&mut self, device: &str, call: u64) {
        match self.devices.get_mut(device) {
            Some(was) => *was = call,
            None => {
                self.devices.insert(device.to_owned(), call);
            }
        }
    }

    /// A device is on the call no more; what was just told of it after the call does not put off telling the call.
    pub(super) fn device_left(&mut self, device: &str, call: u64, due: Timestamp) {
        self.devices.remove(device);
        if let Some(open) = self.calls.get_mut(&call) {
            self.due.remove(&(open.due, call));
            open.due = due;
            self.due.insert((due, call));
        }
    }

    /// A message was about a call.
    pub(super) fn touch(&mut self, call: u64, seen: &Seen<'_>) {
        let Some(open) = self.calls.get_mut(&call) else {
            return;
        };
        let now = seen.info.time;
        self.touched = Some(call);
        open.told.messages += 1;
        open.told.selected |= seen.selected;
        open.told.last = open.told.last.max(now);
        open.told.last_message = open.told.last_message.max(seen.info.no);
        open.told.sessions.insert(seen.info.peers.session);
        for finding in seen.info.findings.iter().chain(seen.view.findings()) {
            *open.told.findings.entry(finding.code).or_default() += 1;
        }
        open.tick(now);
        let wait = if open.is_over(&self.lost) {
            limits::CALL_GRACE
        } else {
            limits::CALL_PATIENCE
        };
        self.due.remove(&(open.due, call));
        open.due = open.told.last.after(wait);
        self.due.insert((open.due, call));
    }

    /// Adds a step to the story of a call, if stories are wanted.
    pub(super) fn add_step(&mut self, call: u64, mut step: Step) {
        if !self.options.stories {
            return;
        }
        let Some(open) = self.calls.get_mut(&call) else {
            return;
        };
        for change in std::mem::take(&mut open.pending_changes) {
            if !step.changes.iter().any(|c| c.party == change.party) {
                step.changes.push(change);
            }
        }
        let bytes = step_bytes(&step);
        if open.told.steps.len() >= limits::MAX_CALL_STEPS
            || self.story_bytes + bytes > limits::MAX_STORY_BYTES
        {
            open.told.steps_left_out += 1;
            self.reached.steps_left_out += 1;
            return;
        }
        self.story_bytes += bytes;
        open.step_bytes += bytes;
        open.told.steps.push(step);
    }

    /// A session has ended.
    pub(super) fn session_ended(&mut self, session: u32, time: Timestamp) {
        if self.lost.len() >= MAX_LOST {
            self.lost.pop_first();
        }
        self.lost.insert(session, time);
        self.gaps.remove(&session);
    }

    /// Bytes that a server sent in a session are missing.
    pub(super) fn broke(&mut self, session: u32, time: Timestamp) {
        if self.gaps.len() >= MAX_LOST {
            self.gaps.pop_first();
        }
        self.gaps.insert(session, time);
    }

    /// How many entries each table has: calls, keys, references, aliases, those due, those that wait.
    #[cfg(test)]
    pub(super) fn tables(&self) -> [usize; 6] {
        [
            self.calls.len(),
            self.keys.len(),
            self.references.len(),
            self.aliases.len(),
            self.due.len(),
            self.waiting.len(),
        ]
    }

    /// Marks a call that is told again after it was lost from view.
    pub(super) fn recovered(&mut self, call: u64) {
        if let Some(open) = self.calls.get_mut(&call) {
            open.told.features.insert(Feature::Recovered);
        }
    }
}

/// RouterCallKeyDay and RouterCallKeyCallID of a message. Zero is what routers that have none send.
fn router_key(seen: &Seen<'_>) -> Option<RouterKey> {
    let day = seen.number("RouterCallKeyDay")?;
    let call = seen.number("RouterCallKeyCallID")?;
    let null = [0, u32::MAX];
    (!null.contains(&day) && !null.contains(&call)).then_some(RouterKey { day, call })
}

/// CallReferenceID of a message, unless it is empty or all zeros.
fn reference<'a>(seen: &Seen<'a>) -> Option<&'a [u8]> {
    /// What Unified CM gives out is shorter by far.
    const LONGEST: usize = 64;
    let field = seen.floating("CallReferenceID").next()?;
    let bytes = match field.value() {
        FieldValue::Bytes(bytes) | FieldValue::Text(bytes) => bytes,
        _ => return None,
    };
    (bytes.len() <= LONGEST && bytes.iter().any(|b| *b != 0)).then_some(bytes)
}

/// What a step takes in memory, about.
fn step_bytes(step: &Step) -> usize {
    let settings = step.settings.iter().map(|s| {
        let text = |t: &Option<String>| t.as_ref().map_or(0, String::len);
        s.name.len() + text(&s.value) + text(&s.was) + 72
    });
    let details = step.details.iter().map(|(_, text)| text.len() + 40);
    size_of::<Step>() + 160 + settings.sum::<usize>() + details.sum::<usize>()
}
