//! What was found, as the page shows it.

use crate::agents::Agents;
use crate::calls::CallSheets;
use crate::limits::MAX_NAMED;
use crate::messages::Packed;
use crate::shown::{Style, amount, grouped, shown};
use cti_dissector::finding::Severity;
use cti_dissector::record::Packets;
use cti_dissector::triage::{Example, Problem};

/// A finding.
pub(crate) struct Finding {
    pub rank: usize,
    pub severity: &'static str,
    pub code: &'static str,
    /// The code in words.
    pub title: String,
    pub text: String,
    pub seen: &'static str,
    /// How often, where that is more than once.
    pub times: Option<String>,
    pub when: String,
    pub sessions: Vec<u32>,
    pub agents: Vec<Named>,
    pub calls: Vec<NamedCall>,
    /// How many more of these are not named.
    pub more_named: usize,
    pub means: &'static str,
    pub check: &'static str,
    pub hints: Vec<String>,
    pub explains: Vec<String>,
    pub examples: Vec<Seen>,
    /// How many more there are.
    pub more: Option<String>,
}

/// One time that it was seen.
pub(crate) struct Seen {
    pub time: String,
    pub session: Option<u32>,
    pub message: Option<Target>,
    pub packets: String,
    pub text: String,
}

/// An agent that a finding touches.
pub(crate) struct Named {
    pub id: String,
    /// Its place among the agents of the page.
    pub rank: Option<usize>,
}

/// A call that a finding touches.
pub(crate) struct NamedCall {
    pub id: u32,
    /// Its number in the page.
    pub no: Option<u64>,
}

impl Named {
    fn new(id: &str, known: &Agents) -> Self {
        let id = shown(id);
        Self {
            rank: known.rank(&id),
            id,
        }
    }
}

/// A message that something points to.
pub(crate) struct Target {
    pub no: u64,
    /// Whether it is in the table.
    pub here: bool,
}

impl Finding {
    pub fn new(
        rank: usize,
        problem: &Problem,
        messages: &Packed,
        known: &Agents,
        sheets: &CallSheets,
        style: &Style,
        several_inputs: bool,
    ) -> Self {
        let examples = problem.examples.iter();
        let told = u64::try_from(problem.examples.len()).unwrap_or(u64::MAX);
        let more = problem.count.saturating_sub(told);
        let named = [
            problem.sessions.len(),
            problem.agents.len(),
            problem.calls.len(),
        ];
        let explains = problem.explains.iter();
        let calls = problem.calls.iter().take(MAX_NAMED);
        let agents = problem.agents.iter().take(MAX_NAMED);
        Self {
            rank,
            severity: problem.severity.name(),
            code: problem.code.name(),
            title: in_words(problem.code.name()),
            text: shown(&problem.text),
            seen: problem.code.seen(),
            times: (problem.count > 1).then(|| amount(problem.count, "time", "times")),
            when: style.span(problem.first, problem.last),
            sessions: problem.sessions.iter().copied().take(MAX_NAMED).collect(),
            agents: agents.map(|id| Named::new(id, known)).collect(),
            calls: calls
                .map(|id| NamedCall {
                    id: *id,
                    no: sheets.number(*id),
                })
                .collect(),
            more_named: named.iter().map(|n| n.saturating_sub(MAX_NAMED)).sum(),
            means: problem.code.means(),
            check: problem.code.check(),
            hints: problem.hints.iter().map(|h| shown(h)).collect(),
            explains: explains
                .map(|(code, count)| format!("{} {}", grouped(*count), code.name()))
                .collect(),
            examples: examples
                .map(|example| Seen::new(example, messages, style, several_inputs))
                .collect(),
            more: (more > 0).then(|| grouped(more)),
        }
    }

    /// The severity in a word that can stand alone.
    pub fn label(&self) -> &'static str {
        label(self.severity)
    }
}

/// A snake_case name in words.
fn in_words(name: &str) -> String {
    let mut words = name.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// A severity in a word that can stand alone.
pub(crate) fn label(severity: &str) -> &'static str {
    match severity {
        "error" => "Error",
        "warn" => "Warning",
        _ => "Remark",
    }
}

impl Seen {
    fn new(example: &Example, messages: &Packed, style: &Style, several_inputs: bool) -> Self {
        Self {
            time: style.moment(example.time),
            session: example.session,
            message: example.message.map(|no| Target {
                no,
                here: messages.has(no),
            }),
            packets: packets(&example.packets, several_inputs),
            text: shown(&example.text),
        }
    }
}

/// The packets to look at: the first and the last, with the number of their input where there are several.
fn packets(packets: &Packets, several_inputs: bool) -> String {
    let mut names = packets.iter().map(|packet| {
        if several_inputs {
            format!("{}:{}", packet.input + 1, packet.number)
        } else {
            packet.number.to_string()
        }
    });
    let (first, last) = (names.next(), names.next_back());
    match (first, last) {
        (Some(first), Some(last)) => format!("{first}..{last}"),
        (Some(only), None) => only,
        _ => String::new(),
    }
}

/// How many errors, warnings and remarks there are.
#[derive(Default)]
pub(crate) struct Verdict {
    pub errors: usize,
    pub warnings: usize,
    pub remarks: usize,
    /// There was nothing to judge.
    pub nothing: bool,
}

impl Verdict {
    pub fn of(problems: &[Problem], nothing: bool) -> Self {
        let count = |severity| problems.iter().filter(|p| p.severity == severity).count();
        Self {
            errors: count(Severity::Error),
            warnings: count(Severity::Warn),
            remarks: count(Severity::Info),
            nothing,
        }
    }

    /// The worst severity.
    pub fn worst(&self) -> &'static str {
        match self {
            Self { errors: 1.., .. } => "error",
            Self { warnings: 1.., .. } | Self { nothing: true, .. } => "warn",
            _ => "info",
        }
    }

    /// The answer to "is something wrong?".
    pub fn words(&self) -> String {
        let parts: Vec<String> = [
            (self.errors, "error", "errors"),
            (self.warnings, "warning", "warnings"),
            (self.remarks, "remark", "remarks"),
        ]
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| amount(u64::try_from(count).unwrap_or(u64::MAX), one, many))
        .collect();
        match parts.as_slice() {
            [] if self.nothing => "No CTI message could be read.".to_owned(),
            [] => "Nothing was found that looks like trouble.".to_owned(),
            [only] => format!("{only}."),
            [first, last] => format!("{first} and {last}."),
            [first, second, last, ..] => format!("{first}, {second} and {last}."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_is_a_sentence() {
        let words = |errors, warnings, remarks| {
            Verdict {
                errors,
                warnings,
                remarks,
                nothing: false,
            }
            .words()
        };
        assert_eq!(words(0, 0, 0), "Nothing was found that looks like trouble.");
        assert_eq!(words(1, 0, 0), "1 error.");
        assert_eq!(words(2, 1, 0), "2 errors and 1 warning.");
        assert_eq!(words(2, 1, 3), "2 errors, 1 warning and 3 remarks.");
    }
}
