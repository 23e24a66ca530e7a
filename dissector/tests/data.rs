//! The build refuses protocol data that is not sound, naming file, row and key.

#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the build script's own modules, and tests"
)]

#[path = "../build/advice.rs"]
mod advice;
#[path = "../build/check.rs"]
mod check;
#[path = "../build/comparison.rs"]
mod comparison;
#[path = "../build/data.rs"]
mod data;
#[path = "../build/layout.rs"]
mod layout;
#[path = "../build/privacy.rs"]
mod privacy;
#[path = "../build/schema.rs"]
mod schema;

use data::{Data, load};
use schema::Message;
use std::path::Path;

fn sound() -> Data {
    load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol")).unwrap()
}

/// The faults after a change that should bring one.
fn faults(change: impl FnOnce(&mut Data)) -> Vec<String> {
    let mut data = sound();
    change(&mut data);
    check::check(&data)
}

fn message<'d>(data: &'d mut Data, name: &str) -> &'d mut Message {
    data.messages
        .iter_mut()
        .map(|(_, m)| m)
        .find(|m| m.name == name)
        .unwrap()
}

#[test]
fn the_data_as_it_is_has_no_fault() {
    assert_eq!(check::check(&sound()), [""; 0]);
}

#[test]
fn every_kind_of_fault_is_named_with_file_row_and_key() {
    type Change = fn(&mut Data);
    let cases: [(&str, Change); 24] = [
        ("privacy.toml: tag 8 (ANI) has no class", |d| {
            d.privacy[0].fields.retain(|f| f != "ANI");
        }),
        (
            "privacy.toml: digits: field 'ANI' is in class phone too",
            |d| {
                d.privacy[1].fields.push("ANI".into());
            },
        ),
        ("privacy.toml: phone: no field 'ANY'", |d| {
            d.privacy[0].fields.push("ANY".into());
        }),
        (
            "privacy.toml: phone: field 'AgentState' is of type USHORT",
            |d| {
                d.privacy[0].fields.push("AgentState".into());
            },
        ),
        ("privacy.toml: tag 49 (AgentPassword) is a secret", |d| {
            for class in &mut d.privacy {
                class.fields.retain(|f| f != "AgentPassword");
            }
            d.privacy[0].fields.push("AgentPassword".into());
        }),
        (
            "reasons.toml: 255 of Unified CCE: states 'AGENT_STATE_AWAY' is not in AgentState",
            |d| {
                d.advice.reasons[0].states.push("AGENT_STATE_AWAY".into());
            },
        ),
        ("reasons.toml: 255 of Unified CCY: unknown product", |d| {
            d.advice.reasons[0].product = "Unified CCY".into();
        }),
        ("peripheral_errors.toml: '10002-10005' stands twice", |d| {
            d.advice.errors[1].codes = vec!["10002-10005".into()];
        }),
        ("hints.toml: status: 999 is not in StatusCode", |d| {
            d.advice.hints.status[0].codes.push(999);
        }),
        ("hints.toml: control_failure: 269 stands twice", |d| {
            d.advice.hints.control_failure[1].codes.push(269);
        }),
        (
            "messages/session-management.toml: OPEN_CONF: type 3 is that of OPEN_REQ too",
            |d| {
                message(d, "OPEN_CONF").number = 3;
            },
        ),
        (
            "messages/session-management.toml: OPEN_REQ: fixed IdleTimeout: unknown type 'UNIT'",
            |d| {
                message(d, "OPEN_REQ").fixed[2].wire = "UNIT".into();
            },
        ),
        (
            "messages/session-management.toml: OPEN_CONF: fixed AgentState: enum 'AgentStates' does not exist",
            |d| {
                message(d, "OPEN_CONF").fixed[7].enumeration = Some("AgentStates".into());
            },
        ),
        (
            "messages/session-management.toml: OPEN_CONF: fixed PGStatus: mask 'AgentState' is of kind enum",
            |d| {
                message(d, "OPEN_CONF").fixed[3].mask = Some("AgentState".into());
            },
        ),
        (
            "messages/session-management.toml: OPEN_REQ: reply 'OPEN_CONFIRM' does not exist",
            |d| {
                message(d, "OPEN_REQ").reply = Some("OPEN_CONFIRM".into());
            },
        ),
        (
            "messages/session-management.toml: OPEN_REQ: unknown kind 'question'",
            |d| {
                message(d, "OPEN_REQ").kind = "question".into();
            },
        ),
        (
            "messages/session-management.toml: OPEN_REQ: floating ClientID: tag 98 is not in floating.toml",
            |d| {
                message(d, "OPEN_REQ").floating[0].tag = Some(98);
            },
        ),
        (
            "messages/session-management.toml: OPEN_CONF: floating FltPeripheralID: repeat 'NumThings' is no field of this message",
            |d| {
                let conf = message(d, "OPEN_CONF");
                let list = conf
                    .floating
                    .iter_mut()
                    .find(|f| f.name == "FltPeripheralID")
                    .unwrap();
                list.repeat = Some("NumThings".into());
            },
        ),
        (
            "messages/session-management.toml: OPEN_CONF: fixed DepartmentID: version 26 is outside 5 to 25",
            |d| {
                message(d, "OPEN_CONF").fixed[8].since = Some(26);
            },
        ),
        (
            "messages/session-management.toml: OPEN_REQ: timeline 'Nothing' is no field of this message",
            |d| {
                message(d, "OPEN_REQ").timeline.push("x=Nothing".into());
            },
        ),
        (
            "floating.toml: tag 39 (ConnectedPartyCallID): max is below the size of UINT",
            |d| {
                d.floating.iter_mut().find(|f| f.tag == 39).unwrap().max = Some(2);
            },
        ),
        (
            "floating.toml: tag 1 (ClientSignature): tag stands twice",
            |d| {
                d.floating.iter_mut().find(|f| f.tag == 3).unwrap().tag = 1;
            },
        ),
        ("enums.toml: PGStatus: 3 is not a single bit", |d| {
            let value = schema::EnumValue {
                name: Some("X".into()),
                label: None,
                since: None,
                note: None,
                doubt: None,
            };
            d.enums
                .get_mut("PGStatus")
                .unwrap()
                .values
                .insert("3".into(), value);
        }),
        ("versions.toml: version 20 has no row", |d| {
            d.versions.remove("20");
        }),
    ];
    for (expected, change) in cases {
        let found = faults(change);
        assert!(
            found.iter().any(|f| f == expected),
            "expected {expected:?}, found {found:#?}"
        );
    }
}

#[test]
fn a_variant_that_speaks_of_a_field_in_vain_is_refused() {
    let found =
        faults(|d| message(d, "SEND_DTMF_SIGNAL_REQ").variants[0].retype[0].name = "Pause".into());
    assert_eq!(
        found,
        [
            "messages/client-control.toml: SEND_DTMF_SIGNAL_REQ: variant 'PauseDuration of 2 bytes': no fixed field 'Pause'"
        ]
    );
}

#[test]
fn what_a_comparison_goes_by_must_exist() {
    type Change = fn(&mut schema::Comparison);
    let cases: [(&str, Change); 6] = [
        ("comparison.toml: varies: 'NoSuch*' does not exist", |c| {
            c.varies.fields.push("NoSuch*".into());
        }),
        (
            "comparison.toml: identity call: 'BEGIN_CALL' does not exist",
            |c| c.identity[1].begins.as_mut().unwrap().message = "BEGIN_CALL".into(),
        ),
        (
            "comparison.toml: identity invoke: scope is 'run', 'session' or 'exchange'",
            |c| c.identity[0].scope = "server".into(),
        ),
        (
            "comparison.toml: field 'InvokeID' stands in two rows",
            |c| {
                c.varies.fields.push("InvokeID".into());
            },
        ),
        (
            "comparison.toml: line call: about 'calls': no such identity",
            |c| c.line[1].about = schema::About::Word("calls".into()),
        ),
        ("comparison.toml: line agent: 'Agent' does not exist", |c| {
            c.line[3].about = schema::About::Fields(vec!["Agent".into()]);
        }),
    ];
    for (expected, change) in cases {
        let found = faults(|data| change(&mut data.comparison));
        assert_eq!(found, [expected]);
    }
}

#[test]
fn unknown_keys_are_refused() {
    let row = "[[message]]\ntype = 1\nname = \"X\"\nkind = \"event\"\ndirection = \"both\"\nservice = \"s\"\nsummary = \"\"\nlenght = 3\n";
    let fault = toml::from_str::<schema::MessageFile>(row)
        .err()
        .unwrap()
        .to_string();
    assert!(fault.contains("unknown field `lenght`"), "{fault}");
}
