//! A file (TOML) that says what to compare and how, for teams to keep beside their baselines.

use super::rules::{FieldPattern, LatencyRules, Rules, Tolerance};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a profile may say; every key may be missing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Fields that are not compared.
    pub ignore: Vec<String>,
    /// Fields of which only the presence is compared.
    pub varies: Vec<String>,
    /// Fields that name things by names that each run gives anew.
    pub identity: Vec<String>,
    /// Agents and their devices may have other names, one for one.
    pub other_agents: bool,
    /// Message types that are left out.
    pub ignore_types: Vec<String>,
    /// A filter expression: nothing else is compared.
    pub only: Option<String>,
    /// Heartbeats are left out.
    pub no_heartbeats: bool,
    /// Any change of order is a difference.
    pub strict_order: bool,
    /// What all numbers may differ by.
    pub numeric_tolerance: Option<Amount>,
    /// What the numbers of some fields may differ by.
    pub tolerance: BTreeMap<String, Amount>,
    /// Factor from which on answers are slower; `false` for not comparing latencies.
    pub latency_factor: Option<Factor>,
    /// Messages shown around a difference.
    pub context: Option<usize>,
}

/// A tolerance as a number or as text such as `5%`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// A factor, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Factor {
    /// Whether latencies are compared at all.
    Wanted(bool),
    /// From which factor on.
    From(f64),
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// It is no TOML, or has keys that no profile has.
    #[error("{}", told(.0))]
    Syntax(#[source] Box<toml::de::Error>),
    /// A tolerance is neither a number nor a share.
    #[error("tolerance '{0}' is neither a number such as 3 nor a share such as \"5%\"")]
    Tolerance(String),
    /// The factor is below 1.
    #[error("latency_factor must be 1 or more, or false")]
    Factor,
}

/// Keys that a profile may have.
const KEYS: [&str; 12] = [
    "ignore",
    "varies",
    "identity",
    "other_agents",
    "ignore_types",
    "only",
    "no_heartbeats",
    "strict_order",
    "numeric_tolerance",
    "tolerance",
    "latency_factor",
    "context",
];

/// What is wrong; of a key that no profile has, what may have been meant.
fn told(error: &toml::de::Error) -> String {
    let message = error.message();
    let unknown = message.strip_prefix("unknown field `");
    let Some((key, _)) = unknown.and_then(|rest| rest.split_once('`')) else {
        return message.to_owned();
    };
    let near = crate::explain::suggest::nearest(key, KEYS.into_iter());
    let (asked, names) = match near.is_empty() {
        true => ("; there are ", KEYS.join(", ")),
        false => ("; did you mean ", format!("{}?", near.join(", "))),
    };
    format!("a profile has no key '{key}'{asked}{names}")
}

impl ProfileError {
    /// The line of the file, from 1, where it is known.
    #[must_use]
    pub fn line(&self, text: &str) -> Option<usize> {
        let Self::Syntax(error) = self else {
            return None;
        };
        let before = text.get(..error.span()?.start)?;
        Some(before.matches('\n').count() + 1)
    }
}

impl Amount {
    fn tolerance(&self) -> Result<Tolerance, ProfileError> {
        let text = match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        };
        Tolerance::parse(&text).ok_or(ProfileError::Tolerance(text))
    }
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// When it is no TOML or has a key or a value that no profile has.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let profile: Self =
            toml::from_str(text).map_err(|error| ProfileError::Syntax(Box::new(error)))?;
        profile.rules()?;
        Ok(profile)
    }

    /// What it says about comparing. Latencies are compared unless it says otherwise.
    ///
    /// # Errors
    /// When a value makes no sense.
    pub fn rules(&self) -> Result<Rules, ProfileError> {
        let patterns = |texts: &[String]| texts.iter().map(|t| FieldPattern::new(t)).collect();
        let mut tolerances = Vec::new();
        for (field, amount) in &self.tolerance {
            tolerances.push((FieldPattern::new(field), amount.tolerance()?));
        }
        if let Some(amount) = &self.numeric_tolerance {
            tolerances.push((FieldPattern::new("*"), amount.tolerance()?));
        }
        let latency = match self.latency_factor {
            None | Some(Factor::Wanted(true)) => Some(LatencyRules::default()),
            Some(Factor::Wanted(false)) => None,
            Some(Factor::From(factor)) if factor >= 1.0 && factor.is_finite() => {
                Some(LatencyRules {
                    factor,
                    ..LatencyRules::default()
                })
            }
            Some(Factor::From(_)) => return Err(ProfileError::Factor),
        };
        Ok(Rules {
            ignore: patterns(&self.ignore),
            varies: patterns(&self.varies),
            identity: patterns(&self.identity),
            other_agents: self.other_agents,
            tolerances,
            latency,
            strict_order: self.strict_order,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_says_what_to_compare() {
        let text = "ignore = [\"CallVariable10\"]\nnumeric_tolerance = 1\nlatency_factor = 3\n\
                    [tolerance]\nQueueTime = \"10%\"\n";
        let profile = Profile::parse(text).unwrap();
        let rules = profile.rules().unwrap();
        assert!(rules.ignore[0].matches("X", "CallVariable10"));
        assert_eq!(
            rules.tolerance("X", "QueueTime"),
            Some(Tolerance::Percent(10.0))
        );
        assert_eq!(
            rules.tolerance("X", "Other"),
            Some(Tolerance::Absolute(1.0))
        );
        assert_eq!(rules.latency.map(|l| l.factor), Some(3.0));
        let off = Profile::parse("latency_factor = false").unwrap();
        assert!(off.rules().unwrap().latency.is_none());
    }

    #[test]
    fn what_no_profile_has_is_refused_with_its_line() {
        let text = "context = 2\nignroe = []\n";
        let error = Profile::parse(text).unwrap_err();
        assert_eq!(error.line(text), Some(2));
        assert!(error.to_string().contains("ignroe"), "{error}");
        for bad in [
            "numeric_tolerance = \"x\"",
            "latency_factor = 0.5",
            "context = -1",
        ] {
            assert!(Profile::parse(bad).is_err(), "{bad}");
        }
    }
}
