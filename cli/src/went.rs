//! Which calls are asked for, by how they went.

use std::time::Duration;

use anyhow::anyhow;
use cti_dissector::analysis::calls::{Call, Feature, Outcome};

/// One value of `--outcome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// How a call went, in a word.
    Outcome(Outcome),
    /// What happened on its way.
    Feature(Feature),
}

/// Reads one value of `--outcome`.
pub fn wanted(text: &str) -> anyhow::Result<Wanted> {
    let name = text.trim().to_ascii_lowercase().replace('-', "_");
    let outcome = Outcome::ALL.iter().find(|o| o.name() == name);
    let feature = Feature::ALL.iter().find(|f| f.name() == name);
    outcome
        .map(|o| Wanted::Outcome(*o))
        .or_else(|| feature.map(|f| Wanted::Feature(*f)))
        .ok_or_else(|| {
            let outcomes = Outcome::ALL.iter().map(|o| o.name());
            let all: Vec<&str> = outcomes
                .chain(Feature::ALL.iter().map(|f| f.name()))
                .collect();
            anyhow!("no outcome of a call; there are {}", all.join(", "))
        })
}

/// How calls must have gone: every condition given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Went {
    /// One of these.
    pub outcomes: Vec<Wanted>,
    /// Talked about so long at least.
    pub min_talk: Option<Duration>,
    /// Talked about so long at most.
    pub max_talk: Option<Duration>,
    /// On hold so long at least.
    pub min_hold: Option<Duration>,
    /// In a queue so long at least.
    pub min_queue: Option<Duration>,
    /// Ringing so long at least.
    pub min_ring: Option<Duration>,
    /// From first to last message so long at least.
    pub min_length: Option<Duration>,
}

impl Went {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a call went so.
    pub fn accepts(&self, call: &Call) -> bool {
        let went = |wanted: &Wanted| match wanted {
            Wanted::Outcome(outcome) => call.outcome == *outcome,
            Wanted::Feature(feature) => call.features.contains(feature),
        };
        let nanos = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
        let least = |bound: Option<Duration>, time| bound.is_none_or(|b| nanos(b) <= time);
        (self.outcomes.is_empty() || self.outcomes.iter().any(went))
            && least(self.min_talk, call.times.talk)
            && self.max_talk.is_none_or(|b| call.times.talk <= nanos(b))
            && least(self.min_hold, call.times.hold)
            && least(self.min_queue, call.times.queue)
            && least(self.min_ring, call.times.ring)
            && least(self.min_length, call.duration())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_and_features_go_by_their_names_in_either_spelling() {
        assert_eq!(
            wanted("Abandoned").unwrap(),
            Wanted::Outcome(Outcome::Abandoned)
        );
        assert_eq!(
            wanted("failed-request").unwrap(),
            Wanted::Feature(Feature::FailedRequest)
        );
        let error = wanted("lost").unwrap_err().to_string();
        assert!(error.contains("answered, abandoned"), "{error}");
        assert!(error.contains("transferred"), "{error}");
    }

    #[test]
    fn no_outcome_has_the_name_of_a_feature() {
        for outcome in Outcome::ALL {
            assert!(Feature::ALL.iter().all(|f| f.name() != outcome.name()));
        }
    }
}
