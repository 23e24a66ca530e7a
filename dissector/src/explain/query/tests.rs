use super::*;
use crate::explain::{Plain, json, text};
use crate::protocol::{NEWEST, OLDEST};

fn kinds(query: &str) -> Vec<String> {
    let words: Vec<&str> = query.split(' ').collect();
    let document = json(&find(&words, None).topics);
    let topics = document["topics"].as_array().unwrap();
    topics
        .iter()
        .map(|t| t["kind"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_kind_of_question_is_understood() {
    for (query, expected) in [
        ("open_req", "message"),
        ("message 3", "message"),
        ("type:3", "message"),
        ("SUPERVISOR_ASSIST_EVENT", "message"),
        ("tag 25", "floating"),
        ("tag:25", "floating"),
        ("TAG 0x19", "floating"),
        ("ani_tag", "floating"),
        ("ServicesGranted", "fixed"),
        ("CTIServiceMask", "table"),
        ("E_CTI_INVALID_PASSWORD", "value"),
        ("AGENT_STATE_NOT_READY", "value"),
        ("not_ready", "value"),
        ("NOT READY", "value"),
        ("StatusCode 36", "value"),
        ("36", "number"),
        ("0x19", "number"),
        ("version 20", "version"),
        ("v20", "version"),
        ("protocol version 20", "version"),
        ("namedvar", "type"),
        ("NULL_CALL_ID", "special"),
        ("client control", "service"),
        ("50002", "number"),
        ("reason 32767", "number"),
        ("EventReasonCode", "fixed"),
        ("", "overview"),
    ] {
        let kinds = kinds(query);
        assert!(kinds.iter().any(|k| k == expected), "{query}: {kinds:?}");
    }
}

#[test]
fn words_that_are_no_name_together_are_looked_up_one_by_one() {
    assert_eq!(
        kinds("OPEN_REQ tag 25 OPEN_CONF"),
        ["message", "floating", "message"]
    );
}

#[test]
fn what_is_not_found_gets_suggestions() {
    let answer = find(&["OPEN_RQ", "OPEN_CONF", "tag", "9999"], None);
    assert_eq!(answer.topics.len(), 1);
    let words: Vec<&str> = answer.missing.iter().map(|m| m.word.as_str()).collect();
    assert_eq!(words, ["OPEN_RQ", "tag 9999"]);
    assert!(answer.missing[0].near.contains(&"OPEN_REQ"));
}

#[test]
fn a_mask_value_is_taken_apart() {
    let answer = find(&["CTIServiceMask", "0x40000011"], None);
    let Some(Topic::Value(value)) = answer.topics.first() else {
        panic!("{answer:?}")
    };
    let known: u32 = value.values.iter().map(|v| v.number).sum();
    assert_eq!(known | value.unknown_bits, 0x4000_0011);
}

#[test]
fn every_name_in_the_tables_is_found() {
    let mut names: Vec<&str> = protocol::messages().iter().map(|m| m.name).collect();
    names.extend(
        protocol::floating_fields()
            .iter()
            .flat_map(|f| [f.constant, f.name]),
    );
    names.extend(index::tables().iter().map(|t| t.name));
    names.extend(
        protocol::value_tables()
            .iter()
            .flat_map(|t| t.values)
            .filter_map(|v| v.symbol),
    );
    for name in names {
        let answer = find(&[name], None);
        assert!(answer.missing.is_empty(), "{name}");
    }
}

#[test]
fn every_message_can_be_shown_at_every_version() {
    for message in protocol::messages() {
        for version in (OLDEST..=NEWEST).map(Some).chain([None]) {
            let topics = [Topic::Message(MessageTopic::new(message, version))];
            let page = text(&topics, 80, &Plain);
            assert!(page.starts_with(message.name) && page.is_ascii(), "{page}");
            assert_eq!(json(&topics)["topics"][0]["name"], message.name);
        }
    }
}

#[test]
fn offsets_follow_the_version() {
    let offset = |version| {
        let document = json(&find(&["OPEN_CONF"], Some(version)).topics);
        let fields = document["topics"][0]["fixed"].as_array().unwrap().clone();
        fields.iter().find(|f| f["name"] == "AgentState").unwrap()["offset"]
            .as_u64()
            .unwrap()
    };
    assert_eq!((offset(5), offset(6)), (20, 24));
}

#[test]
fn codes_of_the_system_are_found_with_what_they_mean() {
    let shown = |query: &str| {
        let words: Vec<&str> = query.split(' ').collect();
        text(&find(&words, None).topics, 100, &Plain)
    };
    let both = shown("reason 32767");
    assert!(both.contains("did not answer in time") && both.contains("logged in again"));
    assert!(!both.contains("AgentStateMask"), "{both}");
    assert!(shown("10112").contains("logout is possible from NOT_READY only"));
    assert!(shown("EventReasonCode").contains("50003"));
    assert!(shown("PeripheralErrorCode").contains("13048-13055"));
    assert!(shown("ControlFailureCode 283").contains("In practice: another agent"));
    assert_eq!(find(&["reason", "7"], None).topics, []);
}
