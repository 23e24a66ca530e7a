//! What is wrong with an expression, where, and what was probably meant.

use super::ast::Span;
use crate::limits;
use crate::render::text::is_harmless;
use std::fmt;
use std::ops::Range;

/// Why an expression cannot be used. Keeps the expression, so that the place can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    text: String,
    kind: Box<FilterErrorKind>,
    range: Range<usize>,
    near: Vec<String>,
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterErrorKind {
    /// Nothing but space.
    #[error("the expression is empty")]
    Empty,
    /// More bytes than [`limits::MAX_FILTER_BYTES`].
    #[error("the expression has {0} bytes, at most {max} are allowed", max = limits::MAX_FILTER_BYTES)]
    TooLong(usize),
    /// More parentheses and negations within each other than [`limits::MAX_FILTER_DEPTH`].
    #[error("more than {max} parentheses and negations within each other", max = limits::MAX_FILTER_DEPTH)]
    TooDeep,
    /// More regular expressions than [`limits::MAX_FILTER_PATTERNS`].
    #[error("more than {max} regular expressions", max = limits::MAX_FILTER_PATTERNS)]
    TooManyPatterns,
    /// A character that begins nothing.
    #[error("unexpected character {0:?}")]
    Character(char),
    /// Half an operator.
    #[error("'{0}' is no operator; {1}")]
    HalfOperator(char, &'static str),
    /// A text without its closing quote.
    #[error("the closing quote is missing")]
    OpenQuote,
    /// A backslash in a text that means nothing.
    #[error("unknown escape; a backslash is written \\\\, or the text r\"...\"")]
    Escape,
    /// Something else should stand here.
    #[error("expected {wanted}, found {found}")]
    Expected {
        /// What could stand here.
        wanted: &'static str,
        /// What stands here.
        found: String,
    },
    /// No field and no test has this name.
    #[error("no field or test is called '{0}'")]
    UnknownField(String),
    /// Brackets behind a field that has no named parts.
    #[error(
        "{0} has no parts to choose from; NamedVariable[\"name\"] and NamedArray[\"name\"][1] have"
    )]
    NoParts(String),
    /// No message has this name.
    #[error("no message is called '{0}'")]
    UnknownMessage(String),
    /// A name that the field's values do not have.
    #[error("'{value}' is no value of {field}{}", listed(.has))]
    UnknownValue {
        /// The field.
        field: String,
        /// The name.
        value: String,
        /// Names that it has.
        has: Vec<String>,
    },
    /// A name that several values of the field have.
    #[error("'{value}' stands for several values of {field}: {}", .meanings.join(", "))]
    Ambiguous {
        /// The field.
        field: String,
        /// The name.
        value: String,
        /// The values.
        meanings: Vec<String>,
    },
    /// A value of another type than the field's.
    #[error("{field} is {is}; {hint}")]
    Mismatch {
        /// The field.
        field: String,
        /// Its type in words.
        is: &'static str,
        /// What can be compared with it.
        hint: String,
    },
    /// An operator that means nothing for the field.
    #[error("'{operator}' does not go with {field}, which is {is}")]
    Operator {
        /// The field.
        field: String,
        /// Its type in words.
        is: &'static str,
        /// The operator.
        operator: &'static str,
    },
    /// A number that the field cannot hold.
    #[error("{field} holds {least} to {most}")]
    OutOfRange {
        /// The field.
        field: String,
        /// Least value.
        least: i64,
        /// Largest value.
        most: i64,
    },
    /// A range whose end lies before its beginning.
    #[error("the range ends before it begins")]
    Reversed,
    /// A regular expression that makes no sense or takes too much memory.
    #[error("not a regular expression: {0}")]
    Pattern(String),
    /// A comparison that would tell what is masked.
    #[error("{0} is masked; it can be compared only where secrets are shown (--show-secrets)")]
    Secret(String),
}

/// Names as a remark behind an error, not too many.
fn listed(names: &[String]) -> String {
    const MOST: usize = 30;
    if names.is_empty() {
        return String::new();
    }
    let shown: Vec<&str> = names.iter().take(MOST).map(String::as_str).collect();
    let more = if names.len() > MOST { ", ..." } else { "" };
    format!("; it has {}{more}", shown.join(", "))
}

/// A fault and its place, before it is tied to its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub kind: FilterErrorKind,
    pub at: Span,
    pub near: Vec<String>,
}

impl Fault {
    pub fn new(kind: FilterErrorKind, at: Span) -> Self {
        let near = Vec::new();
        Self { kind, at, near }
    }

    pub fn near(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.near = names.into_iter().map(Into::into).collect();
        self
    }

    pub fn of(self, text: &str) -> FilterError {
        FilterError {
            text: text.to_owned(),
            kind: Box::new(self.kind),
            range: self.at.start..self.at.end,
            near: self.near,
        }
    }
}

impl FilterError {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &FilterErrorKind {
        &self.kind
    }

    /// Where, in bytes of the expression. May be empty and at its end when something is missing there.
    #[must_use]
    pub const fn range(&self) -> &Range<usize> {
        &self.range
    }

    /// What was probably meant, the best first; often nothing.
    #[must_use]
    pub fn suggestions(&self) -> &[String] {
        &self.near
    }

    /// Two lines, without a line end: the expression, or the part of it around the place, and carets below the place. Characters that
    /// could disturb a terminal are replaced.
    #[must_use]
    pub fn pointer(&self) -> String {
        /// Characters shown before and behind the place.
        const AROUND: usize = 40;
        let (before, rest) = split(&self.text, self.range.start);
        let (marked, after) = split(rest, self.range.end.saturating_sub(before.len()));
        let skipped = before.chars().count().saturating_sub(AROUND);
        let mut line = String::new();
        if skipped > 0 {
            line.push_str("...");
        }
        line.extend(before.chars().skip(skipped).map(harmless));
        let indent = line.chars().count();
        let width = marked.chars().count().clamp(1, AROUND);
        line.extend(marked.chars().take(width).map(harmless));
        let cut = marked.chars().count() > width || after.chars().count() > AROUND;
        if marked.chars().count() <= width {
            line.extend(after.chars().take(AROUND).map(harmless));
        }
        if cut {
            line.push_str("...");
        }
        format!(
            "{}\n{}{}",
            line.trim_end(),
            " ".repeat(indent),
            "^".repeat(width)
        )
    }
}

/// A text in two, at a byte or at its end.
fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

fn harmless(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => ' ',
        c if is_harmless(c) => c,
        _ => '\u{FFFD}',
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        match self.near.as_slice() {
            [] => Ok(()),
            names => write!(f, "; did you mean {}?", names.join(", ")),
        }
    }
}

impl std::error::Error for FilterError {}
