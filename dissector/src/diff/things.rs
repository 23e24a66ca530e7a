//! The things that a run names by names of its own: calls, requests, monitors. Each gets a number when it is first named.

use super::lexicon::{at, next};
use super::rules::{classes, own_class};
use crate::protocol::{MessageType, Scope};
use crate::time::Timestamp;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::time::Duration;

/// How long a request without answer keeps its InvokeID to itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// A thing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Thing {
    /// The value that names it.
    pub value: u32,
    /// Its number among those of its class, from 1.
    pub ordinal: u32,
    /// Its name may stand for another thing from now on: the call has ended, the request was answered.
    ended: bool,
    /// The message came with which its name begins to stand for it.
    begun: bool,
}

/// Where a name is used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use<'a> {
    pub class: u8,
    /// The value.
    pub value: u32,
    /// What the field says within which the name holds, for classes that have one.
    pub within: Option<u32>,
    pub session: u32,
    /// The client asks, or the server: whose request it belongs to.
    pub by_client: bool,
    /// The message asks.
    pub asks: bool,
    pub time: Timestamp,
    pub message: Option<MessageType>,
    pub field: &'a str,
}

/// What makes names the same: class, scope, what it holds within, value.
type Name = (u8, u64, Option<u32>, u32);

/// All things of one side.
#[derive(Debug, Default)]
pub(super) struct Things {
    /// What a name stands for, and since when.
    named: HashMap<Name, (u32, Timestamp), RandomState>,
    pub list: Vec<Thing>,
    counts: Vec<u32>,
}

impl Things {
    /// The thing that a name stands for where it is used.
    pub fn named(&mut self, used: &Use<'_>) -> u32 {
        let class = classes().get(usize::from(used.class));
        let session = u64::from(used.session);
        let scope = match class.map_or(Scope::Run, |c| c.scope) {
            Scope::Run => 0,
            Scope::Session => session + 1,
            Scope::Exchange => (session + 1) * 2 + u64::from(used.by_client),
        };
        let key = (used.class, scope, used.within, used.value);
        let known = self.named.get(&key).copied();
        let place = used.message.map(|message| (message, used.field));
        let is_exchange = class.is_some_and(|class| class.scope == Scope::Exchange);
        let begins = if is_exchange {
            used.asks
        } else {
            place.is_some() && class.and_then(|c| c.begins) == place
        };
        // A request that is sent again before it was answered is the same request, unless that is long ago.
        let is_over = known.is_some_and(|(thing, since)| {
            let ended = self.list.get(at(thing)).is_some_and(|t| t.ended);
            // What ended before it began has only changed its order.
            ended && (is_exchange || self.list.get(at(thing)).is_some_and(|t| t.begun))
                || is_exchange && used.time > since.after(PATIENCE)
        });
        let thing = match known {
            Some((thing, _)) if !(begins && is_over) => thing,
            _ => {
                let thing = self.add(used.class, used.value);
                self.named.insert(key, (thing, used.time));
                thing
            }
        };
        let ends = if is_exchange {
            !used.asks
        } else {
            place.is_some() && class.and_then(|c| c.ends) == place
        };
        if let Some(thing) = self.list.get_mut(at(thing)) {
            thing.begun |= begins;
            thing.ended |= ends;
        }
        thing
    }

    fn add(&mut self, class: u8, value: u32) -> u32 {
        let of_class = usize::from(class);
        if self.counts.len() <= of_class {
            self.counts.resize(of_class + 1, 0);
        }
        let mut ordinal = 0;
        if let Some(count) = self.counts.get_mut(of_class) {
            *count = count.saturating_add(1);
            ordinal = *count;
        }
        let thing = next(self.list.len());
        self.list.push(Thing {
            value,
            ordinal,
            ended: false,
            begun: false,
        });
        thing
    }

    /// About how many bytes they take.
    pub fn size(&self) -> usize {
        self.list.capacity() * size_of::<Thing>()
            + self.named.capacity() * (size_of::<(Name, (u32, Timestamp))>() + 1)
    }

    /// Forgets what is needed only while reading.
    pub fn settle(&mut self) {
        self.named = HashMap::default();
        self.list.shrink_to_fit();
    }
}

/// What output calls things of a class.
pub(super) fn class_name(class: u8) -> &'static str {
    if class == own_class() {
        return "name";
    }
    classes().get(usize::from(class)).map_or("name", |c| c.name)
}
