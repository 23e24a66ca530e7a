//! Requests and what becomes of them.

use super::*;

#[test]
fn a_request_is_paired_with_its_confirmation() {
    let mut wire = opened();
    wire.say(Client, &invoke("HEARTBEAT_REQ", 7)).wait(33);
    wire.say(Server, &invoke("HEARTBEAT_CONF", 7));
    let story = wire.end();
    assert_eq!(story.exchanges(), [OPENED, (Some(3), Some(4), Confirmed)]);
    let (info, _) = story.messages().last().unwrap();
    let answer = info.answers.unwrap();
    assert_eq!((answer.request.no, answer.latency), (3, 34_000_000));
    assert_eq!(info.direction, Direction::ServerToClient);
    assert_eq!(
        (story.totals.requests.made, story.totals.requests.failed),
        (2, 0)
    );
}

#[test]
fn both_sides_may_ask_with_the_same_invoke_id() {
    let mut wire = opened();
    wire.say(Client, &invoke("QUERY_AGENT_STATE_REQ", 7));
    wire.say(Server, &invoke("ACTIVE_MAINTENANCE_REQ_MSG", 7));
    wire.say(Server, &invoke("QUERY_AGENT_STATE_CONF", 7));
    wire.say(Client, &invoke("ACTIVE_MAINTENANCE_RESP_MSG", 7));
    let story = wire.end();
    assert_eq!(
        story.exchanges(),
        [
            OPENED,
            (Some(3), Some(5), Confirmed),
            (Some(4), Some(6), Confirmed)
        ]
    );
}

#[test]
fn failures_carry_their_code() {
    let mut wire = opened();
    wire.say(Client, &invoke("ANSWER_CALL_REQ", 2));
    let fields = [
        ("InvokeID", 2.into()),
        ("FailureCode", "CF_INVALID_CSTA_CALL_IDENTIFIER".into()),
        ("PeripheralErrorCode", 13029.into()),
    ];
    wire.say(Server, &message("CONTROL_FAILURE_CONF", &fields));
    wire.say(Client, &invoke("HOLD_CALL_REQ", 3));
    let fields = [
        ("InvokeID", 3.into()),
        ("Status", "E_CTI_INVALID_PASSWORD".into()),
    ];
    wire.say(Server, &message("FAILURE_CONF", &fields));
    let story = wire.end();
    assert_eq!(
        story.exchanges(),
        [
            OPENED,
            (Some(3), Some(4), Failed),
            (Some(5), Some(6), Failed)
        ]
    );
    let failures: Vec<_> = story
        .messages()
        .filter_map(|(info, _)| info.answers?.failure)
        .map(|f| {
            (
                f.table.unwrap().get(f.code).unwrap().text,
                f.peripheral_error,
            )
        })
        .collect();
    assert_eq!(
        failures,
        [
            ("CF_INVALID_CSTA_CALL_IDENTIFIER", Some(13029)),
            ("E_CTI_INVALID_PASSWORD", None)
        ]
    );
    assert_eq!(story.totals.requests.failed, 2);
}

#[test]
fn a_request_without_answer_is_told_after_the_reply_wait() {
    let mut wire = opened_with(Options {
        reply_wait: Duration::from_secs(5),
        ..Options::default()
    });
    wire.say(Client, &invoke("HEARTBEAT_REQ", 7));
    wire.idle(4_900).idle(200);
    // Late, but recognised.
    wire.say(Server, &invoke("HEARTBEAT_CONF", 7));
    let story = wire.end();
    assert_eq!(
        story.exchanges(),
        [
            OPENED,
            (Some(3), None, Unanswered),
            (Some(3), Some(4), Late)
        ]
    );
    assert_eq!(story.totals.requests.unanswered, 1);
}

#[test]
fn what_is_open_at_the_end_is_not_called_unanswered() {
    let mut wire = opened();
    wire.say(Client, &invoke("HEARTBEAT_REQ", 7)).idle(100);
    let story = wire.end();
    assert_eq!(story.exchanges()[1], (Some(3), None, CaptureEnded));
    let requests = story.totals.requests;
    assert_eq!((requests.open, requests.unanswered), (1, 0));
}

#[test]
fn a_request_that_its_session_leaves_open_counts_as_unanswered() {
    let mut wire = opened();
    wire.say(Client, &invoke("HEARTBEAT_REQ", 7)).reset();
    let story = wire.end();
    assert_eq!(story.exchanges()[1], (Some(3), None, SessionEnded));
    let requests = story.totals.requests;
    assert_eq!((requests.made, requests.answered), (2, 1));
    assert_eq!((requests.open, requests.unanswered), (0, 1));
}

#[test]
fn the_end_of_the_session_is_what_a_close_req_asks_for() {
    let mut wire = opened();
    wire.say(Client, &invoke("CLOSE_REQ", 7)).reset();
    let story = wire.end();
    assert_eq!(story.exchanges()[1], (Some(3), None, SessionEnded));
    let requests = story.totals.requests;
    assert_eq!((requests.unanswered, requests.not_judged), (0, 1));
}

#[test]
fn a_request_that_fails_after_the_reply_wait_counts_once() {
    let mut wire = opened_with(Options {
        reply_wait: Duration::from_secs(5),
        ..Options::default()
    });
    wire.say(Client, &invoke("HEARTBEAT_REQ", 7));
    wire.idle(4_900).idle(200);
    wire.say(Server, &invoke("FAILURE_CONF", 7));
    let story = wire.end();
    assert_eq!(
        story.exchanges()[1..],
        [(Some(3), None, Unanswered), (Some(3), Some(4), Failed)]
    );
    let requests = story.totals.requests;
    assert_eq!((requests.made, requests.answered), (2, 1));
    assert_eq!((requests.unanswered, requests.failed), (1, 0));
}

#[test]
fn an_invoke_id_used_twice_is_told_and_answered_in_order() {
    let mut wire = opened();
    let request = invoke("QUERY_DEVICE_INFO_REQ", 6);
    wire.say(Client, &request).say(Client, &request);
    let answer = invoke("QUERY_DEVICE_INFO_CONF", 6);
    wire.say(Server, &answer).say(Server, &answer);
    let story = wire.end();
    assert_eq!(story.codes(4), [Code::InvokeIdReused]);
    assert_eq!(story.codes(3), []);
    assert_eq!(
        story.exchanges(),
        [
            OPENED,
            (Some(3), Some(5), Confirmed),
            (Some(4), Some(6), Confirmed)
        ]
    );
}

#[test]
fn one_invoke_id_for_two_kinds_of_requests_is_told_apart_by_the_answers() {
    let mut wire = opened();
    wire.say(Client, &invoke("HOLD_CALL_REQ", 6));
    wire.say(Client, &invoke("ANSWER_CALL_REQ", 6));
    wire.say(Server, &invoke("ANSWER_CALL_CONF", 6));
    wire.say(Server, &invoke("HOLD_CALL_CONF", 6));
    assert_eq!(
        wire.end().exchanges(),
        [
            OPENED,
            (Some(4), Some(5), Confirmed),
            (Some(3), Some(6), Confirmed)
        ]
    );
}

#[test]
fn wrong_and_stray_answers_are_told() {
    let mut wire = opened();
    wire.say(Client, &invoke("RELEASE_CALL_REQ", 7));
    wire.say(Server, &invoke("CLEAR_CALL_CONF", 7));
    wire.say(Server, &invoke("HOLD_CALL_CONF", 4711));
    let story = wire.end();
    assert_eq!(
        story.exchanges(),
        [
            OPENED,
            (Some(3), Some(4), WrongAnswer),
            (None, Some(5), NoRequest)
        ]
    );
    assert_eq!(story.codes(4), [Code::WrongAnswer]);
    assert_eq!(story.codes(5), [Code::AnswerWithoutRequest]);
}

#[test]
fn a_confirmation_in_parts_answers_once_and_again() {
    let mut wire = opened();
    wire.say(Client, &invoke("LIST_AGENT_TEAM_REQ", 7));
    let part = |more: i64| {
        let fields = [("InvokeID", 7.into()), ("More", more.into())];
        message("LIST_AGENT_TEAM_CONF", &fields)
    };
    wire.say(Server, &part(1))
        .say(Server, &part(1))
        .say(Server, &part(0));
    wire.say(Server, &part(0));
    let story = wire.end();
    assert_eq!(
        story.exchanges()[1..],
        [
            (Some(3), Some(4), Confirmed),
            (Some(3), Some(5), Confirmed),
            (Some(3), Some(6), Confirmed),
            (None, Some(7), NoRequest)
        ]
    );
}

#[test]
fn a_failure_may_end_a_confirmation_in_parts() {
    let mut wire = opened();
    wire.say(Client, &invoke("LIST_AGENT_TEAM_REQ", 7));
    let fields = [("InvokeID", 7.into()), ("More", 1.into())];
    wire.say(Server, &message("LIST_AGENT_TEAM_CONF", &fields));
    wire.say(Server, &invoke("FAILURE_CONF", 7));
    assert_eq!(
        wire.end().exchanges()[1..],
        [(Some(3), Some(4), Confirmed), (Some(3), Some(5), Failed)]
    );
}

#[test]
fn sessions_that_ignore_confirmations_miss_none() {
    let mut wire = Wire::new();
    wire.open();
    wire.say(Client, &open_req(24))
        .say(Server, &open_conf(24, 0x20_0016));
    wire.say(Client, &invoke("HOLD_CALL_REQ", 2));
    wire.say(Client, &invoke("HEARTBEAT_REQ", 3));
    wire.idle(40_000);
    assert_eq!(
        wire.end().exchanges(),
        [
            OPENED,
            (Some(3), None, NotExpected),
            (Some(4), None, Unanswered)
        ]
    );
}

#[test]
fn a_request_whose_answer_lies_in_a_gap_is_not_judged() {
    let mut wire = opened();
    wire.say(Client, &invoke("HOLD_CALL_REQ", 2));
    wire.lose(Server, &invoke("HOLD_CALL_CONF", 2));
    wire.idle(1_000);
    wire.say(Server, &message("SYSTEM_EVENT", &[]));
    wire.idle(40_000).idle(10);
    let story = wire.end();
    assert_eq!(story.exchanges(), [OPENED, (Some(3), None, NotJudged)]);
    assert_eq!(story.breaks(), 1);
}

#[test]
fn nothing_is_judged_with_one_direction() {
    let mut wire = Wire::new();
    wire.open();
    wire.say(Client, &open_req(24));
    wire.say(Client, &invoke("HEARTBEAT_REQ", 2)).idle(40_000);
    let story = wire.end();
    assert_eq!(
        story.exchanges(),
        [(Some(1), None, NotJudged), (Some(2), None, NotJudged)]
    );
}

#[test]
fn an_answer_to_an_invoke_id_used_again_went_to_a_request_from_before_a_gap() {
    for reused in [true, false] {
        let mut wire = opened();
        wire.say(Client, &invoke("QUERY_DEVICE_INFO_REQ", 6));
        wire.say(Server, &invoke("QUERY_DEVICE_INFO_CONF", 6));
        wire.say(
            Client,
            &invoke("QUERY_DEVICE_INFO_REQ", if reused { 6 } else { 7 }),
        );
        // Its answer and the next request are not there.
        wire.lose(Server, &invoke("QUERY_DEVICE_INFO_CONF", 6));
        wire.lose(Client, &invoke("QUERY_DEVICE_INFO_REQ", 6));
        wire.say(Client, &invoke("HEARTBEAT_REQ", 8));
        wire.say(
            Server,
            &invoke("QUERY_DEVICE_INFO_CONF", if reused { 6 } else { 7 }),
        );
        let story = wire.end();
        let tied = story.exchanges().contains(&(Some(5), Some(7), Confirmed));
        assert_eq!(tied, !reused, "{:?}", story.exchanges());
    }
}
