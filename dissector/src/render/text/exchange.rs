//! How a line says what a message answers, or what became of a request.

use super::clock;
use super::message::separate;
use super::pen::{Paint, Pen, Sign};
use crate::correlate::{Answer, FailureCode, Outcome, OutcomeKind, Part};
use crate::protocol::Value;
use crate::record::MessageInfo;

/// Longest meaning of a failure code that is told on the line.
const LONGEST_LABEL: usize = 60;

/// Which request a message answers, how long that took, and what it says if it refuses.
pub(super) fn answer(pen: &mut Pen<'_>, info: &MessageInfo) {
    let Some(answer) = &info.answers else { return };
    if answer.kind == OutcomeKind::NoRequest {
        return;
    }
    separate(pen);
    pen.on(Paint::Dim);
    pen.sign(Sign::Answers);
    pen.put(" #");
    pen.number(answer.request.no);
    pen.off();
    if matches!(answer.kind, OutcomeKind::Failed | OutcomeKind::WrongAnswer) {
        pen.put(" ");
        name(pen, &answer.request);
    }
    pen.put(" ");
    said(pen, answer);
    pen.spaces(2);
}

/// How long an answer took, and what it says if it refuses.
pub(super) fn said(pen: &mut Pen<'_>, answer: &Answer) {
    latency(pen, answer.latency);
    match answer.kind {
        OutcomeKind::Failed => {
            pen.spaces(2);
            failed(pen, answer.failure.as_ref(), true);
        }
        OutcomeKind::Late => pen.painted(Paint::Doubtful, " late"),
        OutcomeKind::WrongAnswer => {
            pen.spaces(2);
            pen.painted(Paint::Bad, "WRONG ANSWER");
        }
        _ => {}
    }
}

/// What became of a request.
pub(super) fn outcome(pen: &mut Pen<'_>, info: &MessageInfo) {
    let Some(outcome) = &info.outcome else { return };
    if outcome.kind == OutcomeKind::NoRequest {
        return;
    }
    separate(pen);
    pen.sign(Sign::Outcome);
    pen.put(" ");
    if let Some(part) = &outcome.answer {
        pen.put("#");
        pen.number(part.no);
        pen.put(" ");
    }
    became(pen, outcome);
}

/// What became of a request, in words.
pub(super) fn became(pen: &mut Pen<'_>, outcome: &Outcome) {
    match outcome.kind {
        OutcomeKind::Confirmed => timed(pen, outcome.latency),
        OutcomeKind::Late => {
            timed(pen, outcome.latency);
            pen.painted(Paint::Doubtful, " late");
        }
        OutcomeKind::Failed => failed(pen, outcome.failure.as_ref(), false),
        OutcomeKind::WrongAnswer => {
            pen.painted(Paint::Bad, "WRONG ANSWER");
            if let Some(part) = &outcome.answer {
                pen.put(" ");
                name(pen, part);
            }
        }
        OutcomeKind::Unanswered => pen.painted(Paint::Bad, "unanswered"),
        OutcomeKind::NotExpected => pen.painted(Paint::Dim, "no answer due"),
        OutcomeKind::NotJudged => {
            pen.painted(Paint::Doubtful, "no answer captured (capture incomplete)");
        }
        OutcomeKind::SessionEnded => {
            pen.painted(Paint::Doubtful, "no answer before the session ended");
        }
        OutcomeKind::CaptureEnded => {
            pen.painted(Paint::Dim, "no answer before the capture ended");
        }
        OutcomeKind::NoRequest => {}
    }
}

fn timed(pen: &mut Pen<'_>, latency_nanos: Option<i64>) {
    if let Some(nanos) = latency_nanos {
        latency(pen, nanos);
    }
}

fn latency(pen: &mut Pen<'_>, nanos: i64) {
    if nanos >= 0 {
        pen.put("+");
    }
    clock::duration(pen, nanos);
}

fn name(pen: &mut Pen<'_>, part: &Part) {
    match part.message {
        Some(message) => pen.put(message.name),
        None => {
            pen.put("TYPE_");
            pen.number(part.number.0.into());
        }
    }
}

/// `FAILED` and the code's name; with its meaning where there is room for it.
fn failed(pen: &mut Pen<'_>, failure: Option<&FailureCode>, with_meaning: bool) {
    pen.on(Paint::Bad);
    pen.put("FAILED");
    let Some(failure) = failure else {
        pen.off();
        return;
    };
    let value = failure.table.and_then(|t| t.get(failure.code));
    pen.put(" ");
    match value {
        Some(value) => pen.put(value.text),
        None => pen.number(failure.code.into()),
    }
    pen.off();
    if with_meaning && let Some(label) = value.and_then(meaning) {
        pen.put(" (");
        pen.put(label);
        pen.put(")");
    }
    if let Some(error) = failure.peripheral_error.filter(|e| *e != 0) {
        pen.put(" PeripheralErrorCode=");
        pen.number(error.into());
    }
}

/// A meaning that says more than the name does and is not too long.
fn meaning(value: &Value) -> Option<&'static str> {
    value
        .label
        .filter(|label| *label != value.text && label.len() <= LONGEST_LABEL)
}
