//! What the type of a message alone says of an expression: messages for which it decides are never decoded.

use super::check::{NumberTest, Operand};
use super::node::{Check, Node};
use crate::correlate::is_answer;
use crate::protocol::{self, Kind, Message};

/// What is known of an expression for all messages of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Never,
    Perhaps,
    Always,
}

impl Verdict {
    const fn certain(is: bool) -> Self {
        if is { Self::Always } else { Self::Never }
    }
}

/// The verdicts for all types.
#[derive(Debug, Clone)]
pub(super) struct Verdicts {
    /// By number.
    known: Vec<Verdict>,
    /// Of types that no table knows.
    unknown: Verdict,
}

impl Verdicts {
    pub fn of(node: &Node) -> Self {
        let mut known = Vec::new();
        for message in protocol::messages() {
            let index = usize::try_from(message.number.0).unwrap_or(0);
            if known.len() <= index {
                known.resize(index + 1, Verdict::Perhaps);
            }
            if let Some(slot) = known.get_mut(index) {
                *slot = verdict(node, Some(message));
            }
        }
        let unknown = verdict(node, None);
        Self { known, unknown }
    }

    pub fn get(&self, message: Option<&Message>) -> Verdict {
        let Some(message) = message else {
            return self.unknown;
        };
        let index = usize::try_from(message.number.0).unwrap_or(usize::MAX);
        self.known.get(index).copied().unwrap_or(Verdict::Perhaps)
    }

    /// Whether the outcome of some request could decide.
    pub fn depend_on_requests(&self) -> bool {
        let mut requests = protocol::messages()
            .iter()
            .filter(|m| m.kind == Kind::Request);
        requests.any(|m| self.get(Some(m)) == Verdict::Perhaps)
    }
}

fn verdict(node: &Node, message: Option<&'static Message>) -> Verdict {
    match node {
        Node::Or(parts) => {
            let verdicts = parts.iter().map(|p| verdict(p, message));
            extreme(verdicts, Verdict::Always, Verdict::Never)
        }
        Node::And(parts) => {
            let verdicts = parts.iter().map(|p| verdict(p, message));
            extreme(verdicts, Verdict::Never, Verdict::Always)
        }
        Node::Not(part) => match verdict(part, message) {
            Verdict::Never => Verdict::Always,
            Verdict::Perhaps => Verdict::Perhaps,
            Verdict::Always => Verdict::Never,
        },
        Node::Check(check) => of_check(check, message),
    }
}

/// `decisive` when any part says so, `otherwise` when all parts say that.
fn extreme(
    verdicts: impl Iterator<Item = Verdict>,
    decisive: Verdict,
    otherwise: Verdict,
) -> Verdict {
    let mut result = otherwise;
    for verdict in verdicts {
        if verdict == decisive {
            return decisive;
        }
        if verdict != otherwise {
            result = Verdict::Perhaps;
        }
    }
    result
}

fn of_check(check: &Check, message: Option<&'static Message>) -> Verdict {
    match check {
        Check::Message(set) => Verdict::certain(message.is_some_and(|m| set.has(m))),
        Check::Type(test) => message.map_or(Verdict::Perhaps, |m| of_type(test, m)),
        Check::Latency(_) | Check::Status(_) | Check::Answered(_) => match message {
            Some(message) if message.kind == Kind::Request || is_answer(message) => {
                Verdict::Perhaps
            }
            _ => Verdict::Never,
        },
        Check::Field(check) => match message {
            // A known tag may turn up in any message.
            Some(message) if check.field.carriers.has(message) => Verdict::Perhaps,
            Some(_) if !check.field.usual_tags.is_empty() => Verdict::Perhaps,
            _ => Verdict::Never,
        },
        _ => Verdict::Perhaps,
    }
}

/// Some messages travel under two numbers.
fn of_type(test: &NumberTest, message: &Message) -> Verdict {
    let is = |number: u32| test.accepts(Operand::plain(number.into()));
    let usual = is(message.number.0);
    match &message.alternative {
        Some(other) if is(other.number.0) != usual => Verdict::Perhaps,
        _ => Verdict::certain(usual),
    }
}
