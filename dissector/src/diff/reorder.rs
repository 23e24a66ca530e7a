//! Which changes of order mean something. A server works on calls and agents side by side, so most orders may differ from run to run; what
//! must hold stands with the protocol's tables.

use super::lexicon::{Content, Lexicon};
use super::rules::{classes, lines};
use super::side::{Kept, KeptSession};
use crate::protocol::{self, About, Kind, Scope, roles};

/// Fields that say what a message is about where it names no call.
const SUBJECTS: [&str; 5] = [
    "AgentID",
    "AgentInstrument",
    "AgentExtension",
    "ConnectionDeviceID",
    "SkillGroupNumber",
];

/// Messages that a moved one may have passed and that are looked at; beyond that its move means something.
const MOST_PASSED: usize = 512;

/// Tells changes of order that mean something from those that may happen.
pub(super) struct Order<'a> {
    pub lexicon: &'a Lexicon,
    pub session: &'a KeptSession,
}

impl Order<'_> {
    /// For each moved message, whether its move means something. Both sides of pairs are given; what is judged are messages of the old side.
    pub fn relevant(&self, pairs: &[(u32, u32)], moved: &[(u32, u32)]) -> Vec<bool> {
        moved
            .iter()
            .enumerate()
            .map(|(index, (old, new))| {
                // Pairs that stand on one side of it before and on the other side after.
                let before_old = pairs.partition_point(|pair| pair.0 < *old);
                let before_new = pairs.partition_point(|pair| pair.1 < *new);
                let passed = before_old.min(before_new)..before_old.max(before_new);
                if passed.len() > MOST_PASSED {
                    return true;
                }
                let passed = pairs.get(passed).unwrap_or_default();
                let from = index.saturating_sub(MOST_PASSED);
                let near = moved.get(from..).unwrap_or_default().iter();
                let crossing = near
                    .take(2 * MOST_PASSED)
                    .filter(|other| (other.0 < *old) != (other.1 < *new) && other.0 != *old);
                passed
                    .iter()
                    .chain(crossing)
                    .any(|other| self.matters(*old, other.0))
            })
            .collect()
    }

    /// Whether two messages must not change places.
    fn matters(&self, one: u32, other: u32) -> bool {
        let (Some(one), Some(other)) = (self.session.message(one), self.session.message(other))
        else {
            return false;
        };
        let number = |kept: &Kept| self.lexicon.head(kept.template).map(|h| h.number);
        let (Some(one_number), Some(other_number)) = (number(one), number(other)) else {
            return false;
        };
        if self.share(one, other, |class| class.scope == Scope::Exchange) {
            return true;
        }
        let (of_one, of_other) = (lines(one_number), lines(other_number));
        let all = protocol::comparison().lines;
        let all = all
            .iter()
            .zip(0u32..8)
            .map(|(line, bit)| (line, 1u8 << bit));
        for (line, bit) in all {
            let both = of_one & of_other & bit != 0;
            let matters = match line.about {
                About::Everything => (of_one | of_other) & bit != 0,
                About::Identity(name) => {
                    both && self.share(one, other, |class| class.name == name)
                        && !(one_number == other_number
                            && self.differ(one, other, "ConnectionDeviceID"))
                }
                About::Fields(names) => {
                    both && names.iter().all(|name| !self.differ(one, other, name))
                }
            };
            if matters {
                return true;
            }
        }
        let asks = |kept: &Kept| {
            let message = self.lexicon.message(kept.template);
            message.is_some_and(|m| m.kind == Kind::Request && m.number != roles::HEARTBEAT_REQ)
        };
        match (asks(one), asks(other)) {
            (false, false) => false,
            (true, true) => {
                let subjects = |kept: &Kept| {
                    let named = SUBJECTS
                        .iter()
                        .filter(|name| self.content(kept, name).is_some());
                    named.count() + self.named(kept).count()
                };
                self.share(one, other, |class| class.scope != Scope::Exchange)
                    || SUBJECTS.iter().any(|name| {
                        let content = self.content(one, name);
                        content.is_some() && content == self.content(other, name)
                    })
                    || subjects(one) == 0 && subjects(other) == 0
            }
            _ => self.share(one, other, |class| class.scope != Scope::Exchange),
        }
    }

    /// Things that a message names, other than its exchange.
    fn named(&self, kept: &Kept) -> impl Iterator<Item = u32> {
        self.things(kept)
            .filter(|(class, _)| {
                classes()
                    .get(usize::from(*class))
                    .is_none_or(|class| class.scope != Scope::Exchange)
            })
            .map(|(_, thing)| thing)
    }

    fn things(&self, kept: &Kept) -> impl Iterator<Item = (u8, u32)> {
        let slots = self.lexicon.slots(kept.template).iter();
        let classes = slots.filter_map(|slot| match slot.content {
            Content::Identity(class) => Some(class),
            _ => None,
        });
        let things = self.session.things_of(self.lexicon, kept).iter().copied();
        classes.zip(things)
    }

    /// Whether both name one thing of a class that is wanted.
    fn share(
        &self,
        one: &Kept,
        other: &Kept,
        wanted: impl Fn(&protocol::IdentityClass) -> bool,
    ) -> bool {
        self.things(one)
            .filter(|(class, _)| classes().get(usize::from(*class)).is_some_and(&wanted))
            .any(|(_, thing)| self.things(other).any(|(_, of_other)| of_other == thing))
    }

    /// What a field says, and which thing it names where it names one.
    fn content(&self, kept: &Kept, name: &str) -> Option<(Content, Option<u32>)> {
        let mut things = self.session.things_of(self.lexicon, kept).iter().copied();
        self.lexicon.slots(kept.template).iter().find_map(|slot| {
            let thing = match slot.content {
                Content::Identity(_) => things.next(),
                _ => None,
            };
            let field = self.lexicon.about(slot.field);
            let found = field.is_some_and(|field| &*field.name == name);
            found.then_some((slot.content, thing))
        })
    }

    /// Whether a field has different values.
    fn differ(&self, one: &Kept, other: &Kept, name: &str) -> bool {
        self.content(one, name) != self.content(other, name)
    }
}
