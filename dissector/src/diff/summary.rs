//! What differs, in numbers.

use super::both::each_slot;
use super::compare::{Comparison, Edit, Pair};
use super::latency::{self, Slower};
use super::lexicon::at;
use super::side::{Asked, KeptSession};
use super::tally::Tally;
use crate::correlate::OutcomeKind;
use crate::protocol::{Message, MessageType};
use std::collections::BTreeMap;

/// How many messages differ in which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    /// On the old side only.
    pub missing: u64,
    /// On the new side only.
    pub added: u64,
    /// With other fields.
    pub changed: u64,
    /// In an order that means something else.
    pub reordered: u64,
}

impl Amounts {
    /// All of them together.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.missing
            .saturating_add(self.added)
            .saturating_add(self.changed)
            .saturating_add(self.reordered)
    }

    pub(super) fn add(&mut self, edit: Edit) {
        let slot = match edit {
            Edit::Missing(_) => &mut self.missing,
            Edit::Added(_) => &mut self.added,
            Edit::Changed(..) => &mut self.changed,
            Edit::Moved(..) => &mut self.reordered,
        };
        *slot = slot.saturating_add(1);
    }
}

/// Requests of a type that fail now and did not before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewFailure {
    /// The request.
    pub request: String,
    /// What became of it before: an outcome's name; `None` where it was not made.
    pub before: Option<&'static str>,
    /// What becomes of it now.
    pub now: &'static str,
    /// What a failure says.
    pub code: Option<String>,
}

/// How often a field changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldCount {
    /// In how many places.
    pub count: u64,
    /// How it was and how it is, where that is the same in all places.
    pub values: Option<WasAndIs>,
}

/// How a field was and how it is; `None` for a side that lacks it.
pub type WasAndIs = (Option<Vec<u8>>, Option<Vec<u8>>);

/// Calls that only one side has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoneCalls {
    /// How many.
    pub calls: u64,
    /// Messages that are about them.
    pub messages: u64,
}

/// Everything in numbers.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Sessions and messages of the old side.
    pub old: (u64, u64),
    /// Sessions and messages of the new side.
    pub new: (u64, u64),
    /// Sessions without counterpart on the new side.
    pub sessions_missing: u64,
    /// Sessions without counterpart on the old side.
    pub sessions_added: u64,
    /// Pairs of sessions in which something differs.
    pub sessions_different: u64,
    /// Of these, pairs in which something about the session itself is not as it was.
    pub sessions_changed: u64,
    /// Messages, those of sessions without counterpart not among them.
    pub messages: Amounts,
    /// Messages whose order is another, as the protocol allows.
    pub reordered_freely: u64,
    /// Heartbeats and answers to them that only the old and only the new side has; that is no difference.
    pub heartbeats: (u64, u64),
    /// Of the messages missing and added: those behind the end of the new and of the old capture, which ends before their session.
    pub behind_end: (u64, u64),
    /// Messages by type.
    pub by_type: BTreeMap<String, Amounts>,
    /// Changed fields by message type and name.
    pub fields: BTreeMap<(String, String), FieldCount>,
    /// Calls of the old and of the new side that the other side has nothing of, among the messages that are missing and added.
    pub lone_calls: (LoneCalls, LoneCalls),
    /// Fields that only one of two protocol versions has, by version and name, and how many messages have them: no differences but the
    /// version's own.
    pub by_version: BTreeMap<(u8, String), u64>,
    /// Requests that fail now, and how many.
    pub failures: BTreeMap<NewFailure, u64>,
    /// Things about sessions that are not as they were, and in how many sessions.
    pub session_changes: BTreeMap<(&'static str, Option<String>, Option<String>), u64>,
    /// Request types that are answered more slowly.
    pub slower: u64,
    /// Bytes that the captures lack, old and new: differences may come from that.
    pub missing_bytes: (u64, u64),
}

impl Summary {
    /// Whether anything differs.
    #[must_use]
    pub fn is_different(&self) -> bool {
        self.sessions_missing > 0
            || self.sessions_added > 0
            || self.messages.all() > 0
            || self.slower > 0
            || !self.session_changes.is_empty()
            || !self.failures.is_empty()
    }
}

/// The name of a message type; its number where no table knows it.
pub(super) fn type_name(number: MessageType, message: Option<&'static Message>) -> String {
    message.map_or_else(|| format!("type {}", number.0), |m| m.name.to_owned())
}

pub(super) fn summary(comparison: &Comparison) -> Summary {
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let mut summary = Summary {
        old: (count(comparison.counted.0), comparison.old.messages),
        new: (count(comparison.counted.1), comparison.new.messages),
        sessions_missing: count(comparison.missing.len()),
        sessions_added: count(comparison.added.len()),
        slower: count(comparison.slower.len()),
        missing_bytes: (
            lost(&comparison.old.sessions),
            lost(&comparison.new.sessions),
        ),
        ..Summary::default()
    };
    let mut tally = Tally::new(comparison);
    for pair in &comparison.pairs {
        summary.reordered_freely += pair.reordered_freely;
        summary.sessions_different += u64::from(!pair.edits.is_empty() || !pair.changes.is_empty());
        summary.sessions_changed += u64::from(!pair.changes.is_empty());
        summary.heartbeats.0 += pair.heartbeats.0;
        summary.heartbeats.1 += pair.heartbeats.1;
        summary.behind_end.0 += pair.behind_end.0;
        summary.behind_end.1 += pair.behind_end.1;
        for change in &pair.changes {
            let key = (change.what, change.old.clone(), change.new.clone());
            *summary.session_changes.entry(key).or_default() += 1;
        }
        let Some(both) = comparison.both(pair) else {
            continue;
        };
        for edit in &pair.edits {
            summary.messages.add(*edit);
            tally.edit(&both, *edit);
        }
        failures(comparison, (both.old, both.new), pair, &mut summary);
        of_one_version(comparison, pair, &mut summary);
    }
    tally.finish(&mut summary);
    summary
}

/// Bytes that a side's captures lack.
fn lost(sessions: &[KeptSession]) -> u64 {
    let about = sessions.iter().filter_map(|s| s.about.as_ref());
    about.map(|about| about.counts.missing).sum()
}

/// Fields that messages have since only one of two versions has them.
fn of_one_version(comparison: &Comparison, pair: &Pair, summary: &mut Summary) {
    let Some((both, common)) = comparison.both(pair).zip(pair.common.as_ref()) else {
        return;
    };
    for (o, n) in &pair.alignment.pairs {
        let (Some(o), Some(n)) = (both.old.message(*o), both.new.message(*n)) else {
            continue;
        };
        if o.template == n.template {
            continue;
        }
        let lexicon = &comparison.lexicon;
        each_slot(lexicon, o.template, n.template, |old, new| {
            let (slot, version) = match (old, new) {
                (Some(slot), None) => (slot.0, common.versions.0),
                (None, Some(slot)) => (slot.0, common.versions.1),
                _ => return,
            };
            if let Some(field) = lexicon.about(slot.field).filter(|_| both.leaves_out(slot)) {
                let name = lexicon.message(n.template).map_or("", |m| m.name);
                let key = (version, format!("{name}.{}", field.name));
                *summary.by_version.entry(key).or_default() += 1;
            }
        });
    }
}

/// Whether an outcome is a failure.
const fn is_failure(kind: OutcomeKind) -> bool {
    matches!(
        kind,
        OutcomeKind::Failed
            | OutcomeKind::Unanswered
            | OutcomeKind::Late
            | OutcomeKind::WrongAnswer
    )
}

/// Whether an outcome is an answer.
const fn is_answered(kind: OutcomeKind) -> bool {
    matches!(
        kind,
        OutcomeKind::Confirmed | OutcomeKind::Failed | OutcomeKind::Late
    )
}

/// What an outcome comes to, for comparing.
fn outcome(asked: &Asked) -> (OutcomeKind, Option<u32>) {
    (asked.kind, asked.failure.map(|f| f.code))
}

fn failures(
    comparison: &Comparison,
    (old, new): (&KeptSession, &KeptSession),
    pair: &Pair,
    summary: &mut Summary,
) {
    let mut counterpart = vec![u32::MAX; new.messages.len()];
    let alignment = &pair.alignment;
    for (o, n) in alignment.pairs.iter().chain(&alignment.moved) {
        if let Some(slot) = counterpart.get_mut(at(*n)) {
            *slot = *o;
        }
    }
    for (message, counterpart) in new.messages.iter().zip(counterpart) {
        let Some(now) = new.asked(message) else {
            continue;
        };
        let before = old.message(counterpart).and_then(|m| old.asked(m));
        // What was answered before and is not now, though the session lasted no longer.
        let cut_short = now.kind == OutcomeKind::SessionEnded
            && before.is_some_and(|before| is_answered(before.kind));
        if !is_failure(now.kind) && !cut_short {
            continue;
        }
        if before.is_some_and(|before| outcome(before) == outcome(now)) {
            continue;
        }
        let lexicon = &comparison.lexicon;
        let number = lexicon.head(message.template).map(|h| h.number);
        let code = now.failure.map(|failure| {
            failure
                .value()
                .map_or_else(|| failure.code.to_string(), |v| v.text.to_owned())
        });
        let failure = NewFailure {
            request: type_name(
                number.unwrap_or(MessageType(0)),
                lexicon.message(message.template),
            ),
            before: before.map(|b| b.kind.name()),
            now: now.kind.name(),
            code,
        };
        *summary.failures.entry(failure).or_default() += 1;
    }
}

/// Request types that are answered more slowly.
pub(super) fn slower(
    comparison: &Comparison,
) -> Vec<(MessageType, Option<&'static Message>, Slower)> {
    let Some(rules) = comparison.lexicon.rules.latency else {
        return Vec::new();
    };
    type Samples = BTreeMap<MessageType, (Option<&'static Message>, Vec<i64>, Vec<i64>)>;
    let mut samples: Samples = BTreeMap::new();
    let mut gather = |session: &KeptSession, is_new: bool| {
        for message in &session.messages {
            let Some(asked) = session.asked(message) else {
                continue;
            };
            // What did not come says nothing of how long it took, and is told as a failure.
            let answered = is_answered(asked.kind);
            let (true, Some(latency), Some(head)) = (
                answered,
                asked.latency,
                comparison.lexicon.head(message.template),
            ) else {
                continue;
            };
            let of_type = samples.entry(head.number).or_default();
            of_type.0 = of_type.0.or(comparison.lexicon.message(message.template));
            if is_new {
                &mut of_type.2
            } else {
                &mut of_type.1
            }
            .push(latency);
        }
    };
    for pair in &comparison.pairs {
        for (index, is_new) in [(pair.old, false), (pair.new, true)] {
            if let Some(session) = comparison.session_of(index, is_new) {
                gather(session, is_new);
            }
        }
    }
    let types = samples.len();
    let mut slower: Vec<_> = samples
        .into_iter()
        .filter_map(|(number, (message, mut old, mut new))| {
            let slower = latency::slower(&mut old, &mut new, types, &rules)?;
            Some((number, message, slower))
        })
        .collect();
    slower.sort_by(|a, b| b.2.factor().total_cmp(&a.2.factor()));
    slower
}
