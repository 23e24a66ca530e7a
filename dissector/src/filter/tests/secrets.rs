//! A filter tells nothing that output masks.

use super::{Sample, text};
use crate::decode::Decoder;
use crate::encode::Value;
use crate::filter::{Filter, FilterErrorKind, Options};

fn open_req() -> Sample {
    Sample::new(
        "OPEN_REQ",
        &[
            ("ClientID", text("Finesse")),
            ("ClientPassword", Value::Bytes(b"hunter2".to_vec())),
        ],
    )
}

fn shown(message: &Sample, text: &str) -> bool {
    let options = Options {
        show_secrets: true,
        ..Options::default()
    };
    let filter = Filter::with_options(text, &options).unwrap();
    filter.matches(&message.info, &message.bytes, &mut Decoder::new())
}

#[test]
fn a_password_cannot_be_guessed_by_comparing_it() {
    for test in [
        r#"ClientPassword == "hunter2""#,
        r#"ClientPassword != "hunter2""#,
        r#"!(ClientPassword == "hunter2")"#,
        r#"ClientPassword contains "hunter""#,
        r#"ClientPassword matches "^h""#,
        r#"ClientPassword in {"a".."z"}"#,
        r#"AgentPassword == "1""#,
        r#"session == 9 && AgentPassword == "1""#,
    ] {
        let kind = Filter::parse(test).map(drop).map_err(|e| e.kind().clone());
        assert!(matches!(kind, Err(FilterErrorKind::Secret(_))), "{test}");
    }
    assert!(
        open_req().passes("ClientPassword"),
        "that there is one is shown"
    );
    assert!(shown(&open_req(), r#"ClientPassword == "hunter2""#));
    assert!(!shown(&open_req(), r#"ClientPassword == "hunter3""#));
}

#[test]
fn a_password_read_as_another_field_cannot_be_guessed_either() {
    // A field that the message should not have: its data may be what is left of a password.
    let mut message = open_req();
    message.bytes.extend([0, 9, 0, 7]);
    message.bytes.extend(b"hunter2");
    let length = u32::try_from(message.bytes.len() - 8).unwrap();
    message.bytes[..4].copy_from_slice(&length.to_be_bytes());
    message.assert(
        &["UserToUserInfo"],
        &[
            r#"UserToUserInfo == "hunter2""#,
            r#"UserToUserInfo != "hunter3""#,
            r#"UserToUserInfo contains "h""#,
        ],
    );
    assert!(shown(&message, r#"UserToUserInfo == "hunter2""#));
}
