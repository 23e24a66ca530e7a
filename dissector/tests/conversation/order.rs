//! Records in the order of the capture, held while something about them is open.

use super::*;

fn holding() -> Options {
    Options {
        hold_requests: true,
        ..Options::default()
    }
}

#[test]
fn a_held_request_comes_out_in_its_place_with_its_outcome() {
    let mut wire = opened_with(holding());
    wire.say(Client, &invoke("HOLD_CALL_REQ", 2));
    wire.say(Server, &message("SYSTEM_EVENT", &[]));
    let shown = wire.conversations.sink().0.len();
    wire.say(Client, &invoke("HEARTBEAT_REQ", 3));
    assert_eq!(wire.conversations.sink().0.len(), shown);
    wire.say(Server, &invoke("HEARTBEAT_CONF", 3));
    wire.say(Server, &invoke("HOLD_CALL_CONF", 2));
    // All are out, without waiting for the end.
    assert!(wire.conversations.sink().0.len() > shown + 5);
    let story = wire.end();
    let numbers: Vec<u64> = story.messages().map(|(info, _)| info.no).collect();
    assert_eq!(numbers, (1..=7).collect::<Vec<_>>());
    let outcomes: Vec<_> = story
        .messages()
        .filter(|(info, _)| info.message.unwrap().kind == Kind::Request)
        .map(|(info, _)| info.outcome.map(|o| (o.kind, o.answer.map(|a| a.no))))
        .collect();
    assert_eq!(
        outcomes,
        [
            Some((Confirmed, Some(2))),
            Some((Confirmed, Some(7))),
            Some((Confirmed, Some(6)))
        ]
    );
}

#[test]
fn a_held_request_comes_out_after_the_reply_wait() {
    let mut wire = opened_with(holding());
    wire.say(Client, &invoke("HEARTBEAT_REQ", 2));
    wire.idle(29_000);
    let shown = wire.conversations.sink().0.len();
    wire.idle(2_000);
    assert!(wire.conversations.sink().0.len() > shown);
    let story = wire.end();
    let (info, _) = story.messages().last().unwrap();
    assert_eq!(info.outcome.unwrap().kind, Unanswered);
}

#[test]
fn what_is_held_stays_within_its_bound() {
    let mut wire = opened_with(holding());
    wire.say(Client, &invoke("HEARTBEAT_REQ", 2));
    let event = message("CALL_DATA_UPDATE_EVENT", &[]);
    let large = {
        let mut draft = Draft::new("USER_MESSAGE_EVENT", ProtocolVersion(24)).unwrap();
        draft.body(vec![1; 8_000]);
        draft.encode().unwrap()
    };
    let events = limits::MAX_HELD_BYTES / large.len() + 100;
    for _ in 0..events {
        wire.say(Server, &large);
    }
    wire.say(Server, &event);
    let shown = wire.conversations.sink().0.iter();
    let shown = shown.filter(|n| matches!(n, Note::Message(..))).count();
    let held = 4 + events - shown;
    assert!(held * large.len() <= limits::MAX_HELD_BYTES, "{held}");
    wire.say(Server, &invoke("HEARTBEAT_CONF", 2));
    let story = wire.end();
    assert_eq!(story.totals.forced, 1);
    let numbers: Vec<u64> = story.messages().map(|(info, _)| info.no).collect();
    let expected: Vec<u64> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, expected);
    assert_eq!(story.exchanges()[1].2, Confirmed);
}

#[test]
fn records_of_two_connections_keep_the_order_of_the_capture() {
    let mut wire = opened_with(holding());
    wire.say(Client, &invoke("HEARTBEAT_REQ", 2));
    let (client, sequences) = (wire.client, wire.sequences);
    wire.client = "10.0.1.20:50700".parse().unwrap();
    wire.sequences = [50_000, 60_000];
    wire.open();
    wire.say(Client, &open_req(20))
        .say(Server, &open_conf(20, 4));
    wire.client = client;
    wire.sequences = sequences;
    wire.say(Server, &invoke("HEARTBEAT_CONF", 2));
    let story = wire.end();
    let order: Vec<(u64, u32)> = story
        .messages()
        .map(|(info, _)| (info.no, info.peers.session))
        .collect();
    assert_eq!(order, [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 1)]);
    let mut times: Vec<i64> = story
        .messages()
        .map(|(info, _)| info.time.nanos())
        .collect();
    times.dedup();
    assert!(times.is_sorted());
}
