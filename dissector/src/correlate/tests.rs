//! Requests and answers that are lost, late, in parts or too many.

use super::*;
use crate::protocol::message_by_name;
use crate::record::Record;
use crate::sequencer::Sequencer;

const WAIT: Duration = Duration::from_secs(30);

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(second)
}

fn request(no: u64, name: &str, second: i64) -> Asked {
    let message = message_by_name(name).unwrap();
    let part = Part {
        no,
        number: message.number,
        message: Some(message),
        time: at(second),
    };
    let place = Sequencer::new(|_: Record<'_>| {}).next_place();
    let open = Open {
        part,
        place,
        connection: 1,
        ignorable: false,
        state: State::Waiting,
    };
    Asked {
        session: 1,
        asked: Direction::ClientToServer,
        invoke_id: 0,
        open,
    }
}

fn answer(correlator: &mut Correlator, name: &str, more: bool) -> Option<(u64, OutcomeKind)> {
    let message = message_by_name(name).unwrap();
    let found = correlator.answer(1, (Direction::ClientToServer, 0), message, more, |_| true)?;
    Some((found.open.part.no, found.kind))
}

#[test]
fn one_lost_answer_does_not_shift_those_of_later_requests_with_the_same_invoke_id() {
    let mut correlator = Correlator::new(WAIT);
    correlator.ask(request(1, "HEARTBEAT_REQ", 0));
    for (no, second) in [(2, 60), (3, 120), (4, 180)] {
        let lost = correlator.next_expired(at(second)).map(|r| r.open.part.no);
        assert_eq!(lost, (no == 2).then_some(1));
        assert_eq!(correlator.ask(request(no, "HEARTBEAT_REQ", second)), None);
        assert_eq!(
            answer(&mut correlator, "HEARTBEAT_CONF", false),
            Some((no, OutcomeKind::Confirmed))
        );
    }
    assert_eq!(answer(&mut correlator, "HEARTBEAT_CONF", false), None);
}

#[test]
fn a_late_answer_is_still_recognised() {
    let mut correlator = Correlator::new(WAIT);
    correlator.ask(request(1, "HEARTBEAT_REQ", 0));
    assert!(correlator.next_expired(at(31)).is_some());
    assert_eq!(
        answer(&mut correlator, "HEARTBEAT_CONF", false),
        Some((1, OutcomeKind::Late))
    );
}

#[test]
fn a_request_answered_in_part_is_forgotten_at_last() {
    let mut correlator = Correlator::new(WAIT);
    correlator.ask(request(1, "LIST_AGENT_TEAM_REQ", 0));
    assert_eq!(
        answer(&mut correlator, "LIST_AGENT_TEAM_CONF", true),
        Some((1, OutcomeKind::Confirmed))
    );
    correlator.ask(request(2, "LIST_AGENT_TEAM_REQ", 99));
    assert_eq!(
        answer(&mut correlator, "LIST_AGENT_TEAM_CONF", false),
        Some((2, OutcomeKind::Confirmed))
    );
    assert!(correlator.next_expired(at(10_000)).is_none());
    assert!(correlator.sessions.values().all(Requests::is_empty));
}

#[test]
fn answered_requests_do_not_count_as_open() {
    let mut correlator = Correlator::new(Duration::from_secs(86_400));
    for no in 1..200_000 {
        correlator.ask(request(no, "HEARTBEAT_REQ", 1));
        assert_eq!(
            answer(&mut correlator, "HEARTBEAT_CONF", false),
            Some((no, OutcomeKind::Confirmed))
        );
        assert!(correlator.next_expired(at(2)).is_none());
    }
    assert_eq!(correlator.open, 0);
    assert!(correlator.waiting.len() < 10_000);
}

#[test]
fn requests_beyond_the_limit_are_given_up_oldest_first() {
    let mut correlator = Correlator::new(WAIT);
    let limit = u64::try_from(limits::MAX_OPEN_REQUESTS).unwrap();
    for no in 1..=limit + 2 {
        correlator.ask(Asked {
            invoke_id: u32::try_from(no).unwrap(),
            ..request(no, "HEARTBEAT_REQ", 1)
        });
    }
    let given_up: Vec<u64> = std::iter::from_fn(|| correlator.next_expired(at(2)))
        .map(|r| r.open.part.no)
        .collect();
    assert_eq!(given_up, [1, 2]);
    assert_eq!(correlator.close_session(1).len(), limits::MAX_OPEN_REQUESTS);
    assert_eq!(correlator.open, 0);
}
