//! A compiled expression.

use super::check::{NumberTest, PeerTest, StatusTest, TextTest, TimeTest};
use super::names::Field;
use crate::finding::Code;
use crate::record::Direction;
use memchr::memmem::Finder;

/// A compiled expression. In `And` and `Or` the parts that cost least come first.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Or(Vec<Self>),
    And(Vec<Self>),
    Not(Box<Self>),
    Check(Check),
}

/// One question about a message.
#[derive(Debug, Clone)]
pub(super) enum Check {
    /// It is one of these messages; never true for types that no table knows.
    Message(super::names::MessageSet),
    Type(NumberTest),
    Session(NumberTest),
    Version(NumberTest),
    Length(NumberTest),
    Direction(Direction),
    Source(PeerTest),
    Destination(PeerTest),
    Time(TimeTest),
    /// Nanoseconds of its exchange; `None` asks whether there are any.
    Latency(Option<NumberTest>),
    /// What became of its exchange; `None` asks whether that is known.
    Status(Option<StatusTest>),
    /// It is a request with a known outcome, and was answered or not.
    Answered(bool),
    /// It has a finding of this code, or any.
    Finding(Option<Code>),
    /// It has a finding of one of these severities: info, warn, error.
    Severity([bool; 3]),
    Field(std::sync::Arc<FieldCheck>),
}

/// A question about a field.
#[derive(Debug)]
pub(super) struct FieldCheck {
    pub field: Field,
    /// Name of the variable, for named variables and arrays.
    pub part: Option<Vec<u8>>,
    /// Number of the array's element.
    pub element: Option<u8>,
    pub test: FieldTest,
    /// The field must be there, and no value of it may pass the test.
    pub none_passes: bool,
    /// Values that are masked in output count as well.
    pub shows_secrets: bool,
    /// Of each group one must be among the message's bytes, or the answer is no without decoding.
    pub clues: Vec<Vec<Finder<'static>>>,
}

/// What is asked of a field's values, by their type. Values of other types do not count.
#[derive(Debug)]
pub(super) enum FieldTest {
    Exists,
    Values(Box<ValueTests>),
}

/// One test for each type that the field's values may have.
#[derive(Debug)]
pub(super) struct ValueTests {
    pub number: Option<NumberTest>,
    /// Seconds since 1970.
    pub time: Option<NumberTest>,
    pub text: Option<TextTest>,
    /// The three numbers of a task ID; more than one for a set.
    pub task: Vec<(i32, i32, i32)>,
}

impl Node {
    pub const fn always() -> Self {
        Self::And(Vec::new())
    }

    /// All of several, the cheap ones first.
    pub fn all(mut parts: Vec<Self>) -> Self {
        parts.sort_by_key(Self::cost);
        Self::And(parts)
    }

    /// One of several, the cheap ones first.
    pub fn any(mut parts: Vec<Self>) -> Self {
        parts.sort_by_key(Self::cost);
        Self::Or(parts)
    }

    pub fn not(part: Self) -> Self {
        Self::Not(Box::new(part))
    }

    /// 0 when no field has to be looked at, 1 when findings have to, 2 when values have to.
    fn cost(&self) -> u8 {
        match self {
            Self::Or(parts) | Self::And(parts) => parts.iter().map(Self::cost).max().unwrap_or(0),
            Self::Not(part) => part.cost(),
            Self::Check(Check::Field(_)) => 2,
            Self::Check(Check::Finding(_) | Check::Severity(_)) => 1,
            Self::Check(_) => 0,
        }
    }

    /// Calls `f` with every check.
    pub fn each(&mut self, f: &mut impl FnMut(&mut Check)) {
        match self {
            Self::Or(parts) | Self::And(parts) => parts.iter_mut().for_each(|p| p.each(f)),
            Self::Not(part) => part.each(f),
            Self::Check(check) => f(check),
        }
    }
}

impl Check {
    /// Whether the answer depends on what becomes of requests.
    pub const fn is_about_outcomes(&self) -> bool {
        matches!(self, Self::Latency(_) | Self::Status(_) | Self::Answered(_))
    }
}
