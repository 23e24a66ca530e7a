//! A request and what became of it.

use crate::protocol::{Message, MessageType, Value, ValueTable};
use crate::record::Direction;
use crate::time::Timestamp;

/// What became of a request, or how an answer came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutcomeKind {
    /// Answered by its confirmation.
    Confirmed,
    /// Answered by a failure message.
    Failed,
    /// Answered after the reply wait had passed.
    Late,
    /// Answered by a message of another kind than it asks for.
    WrongAnswer,
    /// No answer within the reply wait.
    Unanswered,
    /// No answer, but none is due: the session was granted CTI_SERVICE_IGNORE_CONF.
    NotExpected,
    /// No answer, but its absence proves nothing: bytes are missing, or only one direction was captured.
    NotJudged,
    /// No answer before the session ended.
    SessionEnded,
    /// No answer before the capture ended, the reply wait not being over.
    CaptureEnded,
    /// An answer whose request is not there.
    NoRequest,
}

impl OutcomeKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Confirmed,
        Self::Failed,
        Self::Late,
        Self::WrongAnswer,
        Self::Unanswered,
        Self::NotExpected,
        Self::NotJudged,
        Self::SessionEnded,
        Self::CaptureEnded,
        Self::NoRequest,
    ];

    /// The snake_case name used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
            Self::Late => "late",
            Self::WrongAnswer => "wrong_answer",
            Self::Unanswered => "unanswered",
            Self::NotExpected => "not_expected",
            Self::NotJudged => "not_judged",
            Self::SessionEnded => "session_ended",
            Self::CaptureEnded => "capture_ended",
            Self::NoRequest => "no_request",
        }
    }
}

/// What a failure message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureCode {
    /// Status or failure code.
    pub code: u32,
    /// The table of its names.
    pub table: Option<&'static ValueTable>,
    /// Detail from the peripheral, where the message carries it.
    pub peripheral_error: Option<u32>,
}

impl FailureCode {
    /// What its table says of the code.
    #[must_use]
    pub fn value(&self) -> Option<&'static Value> {
        self.table?.get(self.code)
    }

    /// The name of the code, such as CF_INVALID_OBJECT_STATE.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        self.value().map(|value| value.text)
    }
}

/// A message that takes part in an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Number of the message.
    pub no: u64,
    /// Its type.
    pub number: MessageType,
    /// Its definition.
    pub message: Option<&'static Message>,
    /// When it came.
    pub time: Timestamp,
}

/// The request that a message answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The request.
    pub request: Part,
    /// Nanoseconds from request to answer.
    pub latency: i64,
    /// What the answer says.
    pub kind: OutcomeKind,
    /// For a failure: what it says.
    pub failure: Option<FailureCode>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// In a word.
    pub kind: OutcomeKind,
    /// The answer.
    pub answer: Option<Part>,
    /// Nanoseconds from request to answer.
    pub latency: Option<i64>,
    /// For a failure: what it says.
    pub failure: Option<FailureCode>,
}

/// A request and what became of it; or an answer without request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Number of the session.
    pub session: u32,
    /// Which way the request went (servers ask too).
    pub asked: Direction,
    /// What ties request and answer together.
    pub invoke_id: u32,
    /// The request; `None` for an answer without one.
    pub request: Option<Part>,
    /// What became of it.
    pub outcome: Outcome,
    /// When that was certain.
    pub time: Timestamp,
}
