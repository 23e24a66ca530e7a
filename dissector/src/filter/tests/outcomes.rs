//! Tests of what becomes of requests.

use super::{Sample, text};
use crate::correlate::{Answer, FailureCode, Outcome, OutcomeKind, Part};
use crate::filter::Filter;
use crate::finding::{Code, Finding};
use crate::protocol::{message_by_name, value_table};

fn part(sample: &Sample) -> Part {
    Part {
        no: sample.info.no,
        number: sample.info.number,
        message: sample.info.message,
        time: sample.info.time,
    }
}

/// A request and its answer after 12.5 ms.
fn exchange(answer: &str, kind: OutcomeKind) -> (Sample, Sample) {
    let mut request = Sample::new("SET_AGENT_STATE_REQ", &[("AgentID", text("1001"))]);
    let mut answer = Sample::new(answer, &[]);
    let failure = (kind == OutcomeKind::Failed).then(|| FailureCode {
        code: 28,
        table: value_table("ControlFailureCode"),
        peripheral_error: None,
    });
    answer.info.answers = Some(Answer {
        request: part(&request),
        latency: 12_500_000,
        kind,
        failure,
    });
    request.info.outcome = Some(Outcome {
        kind,
        answer: Some(part(&answer)),
        latency: Some(12_500_000),
        failure,
    });
    (request, answer)
}

#[test]
fn status_and_latency_are_of_the_exchange_on_both_its_messages() {
    let (request, answer) = exchange("CONTROL_FAILURE_CONF", OutcomeKind::Failed);
    for message in [&request, &answer] {
        message.assert(
            &[
                "status",
                "status == failed",
                "status == CF_NO_CALL_TO_ANSWER",
                "status == no_call_to_answer",
                "status != confirmed",
                "status in {unanswered, failed}",
                "latency_ms == 12.5",
                "latency_ms > 12.499999",
                "latency_ms in {10..20}",
                "latency_ms != 12",
            ],
            &[
                "status == confirmed",
                "status == CF_INVALID_PASSWORD_SPECIFIED",
                "status != CF_NO_CALL_TO_ANSWER",
                "latency_ms < 12.5",
            ],
        );
    }
    request.assert(
        &["answered", "answered == true"],
        &["answered == false", "!answered"],
    );
    answer.assert(&["!answered"], &["answered", "answered == false"]);
    let (request, _) = exchange("SET_AGENT_STATE_CONF", OutcomeKind::Confirmed);
    request.assert(
        &["status == confirmed", "status != CF_NO_CALL_TO_ANSWER"],
        &["status == failed"],
    );
    let (wrong, _) = exchange("CLEAR_CALL_CONF", OutcomeKind::WrongAnswer);
    wrong.assert(&["status == wrong", "status == wrong_answer"], &[]);
}

#[test]
fn a_request_without_an_answer_and_an_answer_without_a_request() {
    let mut request = Sample::new("SET_AGENT_STATE_REQ", &[]);
    request.assert(&["!status"], &["status != failed", "answered == false"]);
    request.info.outcome = Some(Outcome {
        kind: OutcomeKind::Unanswered,
        answer: None,
        latency: None,
        failure: None,
    });
    request.assert(
        &["status == unanswered", "answered == false", "!latency_ms"],
        &["answered", "latency_ms >= 0"],
    );
    let mut stray = Sample::new("SET_AGENT_STATE_CONF", &[]);
    let finding = Finding::new(Code::AnswerWithoutRequest, "");
    stray.info.findings.push(finding);
    stray.assert(
        &[
            "status == no_request",
            "findings",
            "findings == answer_without_request",
            "severity == warn",
            "severity >= info",
            "severity != error",
        ],
        &[
            "findings != answer_without_request",
            "severity == error",
            "severity < warn",
        ],
    );
}

#[test]
fn requests_are_held_back_only_when_their_outcome_may_decide() {
    let holds = |text: &str| Filter::parse(text).unwrap().asks_for_outcomes();
    for text in [
        "status == failed",
        "AgentID && latency_ms > 5",
        "!answered",
        "name == SET_AGENT_STATE_REQ && !status",
    ] {
        assert!(holds(text), "{text}");
    }
    for text in [
        "AgentID == \"1001\"",
        "name == SET_AGENT_STATE_CONF && latency_ms > 5",
        "findings",
    ] {
        assert!(!holds(text), "{text}");
    }
    assert!(message_by_name("SET_AGENT_STATE_CONF").is_some());
}
