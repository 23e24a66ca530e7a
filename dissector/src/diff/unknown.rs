//! Names of fields that the user gave and nothing has.

use super::lexicon::Lexicon;
use super::rules::FieldPattern;
use super::sessions::{self, SESSION};
use crate::explain::suggest;
use crate::filter;
use crate::protocol::{self, Message};
use std::fmt;

/// A pattern that names no field: none of the protocol, and no call variable of any message that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPattern<'a> {
    /// The pattern.
    pub pattern: &'a FieldPattern,
    /// What may have been meant.
    pub near: Vec<&'static str>,
}

impl fmt::Display for UnknownPattern<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no message has a field like {}",
            self.pattern.as_str().escape_debug()
        )?;
        if !self.near.is_empty() {
            write!(f, "; did you mean {}?", self.near.join(", "))?;
        }
        Ok(())
    }
}

/// The patterns of the rules that name nothing.
pub(super) fn patterns(lexicon: &Lexicon) -> Vec<UnknownPattern<'_>> {
    let rules = &lexicon.rules;
    let tolerances = rules.tolerances.iter().map(|(pattern, _)| pattern);
    let all = rules.ignore.iter().chain(&rules.varies);
    all.chain(&rules.identity)
        .chain(tolerances)
        .filter(|pattern| !lexicon.has(pattern) && !is_known(pattern))
        .map(|pattern| UnknownPattern {
            pattern,
            near: near(pattern),
        })
        .collect()
}

/// Names of all fields of a message, whatever its version.
fn names(message: &'static Message) -> impl Iterator<Item = &'static str> {
    let fixed = message.layouts.iter().flat_map(|layout| layout.fixed);
    let floating = message.floating.iter().map(|usage| usage.name);
    fixed.map(|field| field.name).chain(floating)
}

/// Whether a pattern names a field of the protocol, or something about sessions. A profile may name what these runs do not have.
fn is_known(pattern: &FieldPattern) -> bool {
    let of_messages = || {
        protocol::messages()
            .iter()
            .any(|message| names(message).any(|name| pattern.matches(message.name, name)))
    };
    let usual = || filter::field_names().any(|name| pattern.matches("", name));
    let of_sessions = || {
        sessions::ASPECTS
            .iter()
            .any(|aspect| pattern.matches(SESSION, aspect.what))
    };
    of_messages() || usual() || of_sessions()
}

fn near(pattern: &FieldPattern) -> Vec<&'static str> {
    let given = pattern.as_str();
    let of_type = given.split_once('.').and_then(|(of, name)| {
        let message = protocol::messages()
            .iter()
            .find(|m| m.name.eq_ignore_ascii_case(of))?;
        Some(suggest::nearest(name, names(message)))
    });
    of_type.unwrap_or_else(|| suggest::nearest(given, filter::field_names()))
}
