//! Content that looks like messages, behind a gap that has swallowed the header of what it belongs to.

use super::*;

/// A call event whose last field is opaque and holds `content`; and where the content begins.
fn carrying(content: &[u8]) -> (Vec<u8>, usize) {
    let mut draft = Draft::new("CALL_DELIVERED_EVENT", ProtocolVersion(24)).unwrap();
    draft.set("ConnectionDeviceID", &"20101".into()).unwrap();
    let value = Value::Bytes(content.to_vec());
    draft.set("UserToUserInfo", &value).unwrap();
    let bytes = draft.encode().unwrap();
    let at = bytes.len() - content.len();
    (bytes, at)
}

/// What is told when the first `lost` bytes of the stream are missing behind a true message.
fn behind_a_gap(stream: &[u8], lost: usize) -> Vec<Vec<u8>> {
    let first = agent_state("1001");
    let mut feed = Feed::in_step();
    feed.segment(&first).gap(lost);
    feed.segment(&stream[lost..]);
    let mut said = said(&feed.end());
    assert_eq!(said.remove(0), first);
    said
}

#[test]
fn messages_that_fill_a_field_were_told_behind_a_gap() {
    let inner = [
        message("HEARTBEAT_CONF", 24, &[("InvokeID", 4.into())]),
        agent_state("2002"),
    ];
    let (outer, at) = carrying(&inner.concat());
    let stream = [outer, agent_state("1002"), delivered(7)].concat();
    for lost in [20, at - 9, at - 4] {
        let expected = [agent_state("1002"), delivered(7)];
        assert_eq!(behind_a_gap(&stream, lost), expected, "{lost} bytes lost");
    }
}

#[test]
fn a_message_within_a_field_that_goes_on_was_told_behind_a_gap() {
    // The same when the field's end is no message's end: what follows the inner message is none.
    let inner = [agent_state("2002"), b"and more".to_vec()].concat();
    let (outer, at) = carrying(&inner);
    let stream = [outer, agent_state("1002"), delivered(7)].concat();
    for lost in [20, at - 1, at] {
        let expected = [agent_state("1002"), delivered(7)];
        assert_eq!(behind_a_gap(&stream, lost), expected, "{lost} bytes lost");
    }
}

#[test]
fn a_chain_of_messages_within_a_field_was_told_behind_a_gap() {
    let inner = [agent_state("2002"), heartbeat(4), b"x".to_vec()].concat();
    let (outer, _) = carrying(&inner);
    let stream = [outer, agent_state("1002"), delivered(7)].concat();
    let expected = [agent_state("1002"), delivered(7)];
    assert_eq!(behind_a_gap(&stream, 20), expected);
}

/// The whole messages told, and whether their place is certain.
fn places(feed: &mut Feed) -> Vec<(Vec<u8>, bool)> {
    let got = said(&feed.got);
    let certain = feed.certain.iter().copied();
    let whole = feed.got.iter().filter(|g| matches!(g, Got::Message(_)));
    let whole = whole
        .zip(certain)
        .filter_map(|(message, certain)| match message {
            Got::Message(bytes) if is_whole(bytes) => Some(certain),
            _ => None,
        });
    got.into_iter().zip(whole).collect()
}

#[test]
fn a_message_between_gaps_says_that_nothing_confirms_its_place() {
    let long = delivered(7);
    let stream = [delivered(6), agent_state("1002"), long.clone()].concat();
    let begin = delivered(6).len();
    // From within a message into another one: no segment begins where the message does, and no end is seen.
    let mut feed = Feed::in_step();
    feed.segment(&agent_state("1001")).gap(begin - 5);
    feed.segment(&stream[begin - 5..stream.len() - 10]).gap(10);
    feed.segment(&agent_state("1003"));
    feed.with(Framer::finish);
    let expected = [("1001", true), ("1002", false), ("1003", true)];
    let expected = expected.map(|(agent, certain)| (agent_state(agent), certain));
    assert_eq!(places(&mut feed), expected);
    // A segment that begins with it confirms it.
    let mut feed = Feed::in_step();
    feed.segment(&agent_state("1001")).gap(begin);
    feed.segment(&stream[begin..stream.len() - 10]).gap(10);
    feed.with(Framer::finish);
    let expected = [("1001", true), ("1002", true)];
    let expected = expected.map(|(agent, certain)| (agent_state(agent), certain));
    assert_eq!(places(&mut feed), expected);
}
