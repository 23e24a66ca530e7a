//! Nothing from a capture disturbs a terminal, and no secret gets out.

use super::*;
use crate::decode::HEADER_LEN;

#[test]
fn hostile_text_is_escaped() {
    let show = |text: &[u8], ascii| {
        let mut out = Vec::new();
        let mut pen = Pen {
            out: &mut out,
            colour: false,
            ascii,
        };
        pen.word(text, 80);
        String::from_utf8(out).unwrap()
    };
    for (text, expected) in [
        (&b"plain"[..], "plain"),
        (b"two words", "\"two words\""),
        (b"\x1b[2J\x07\x7f", "\\x1b[2J\\x07\\x7f"),
        (b"a\r\nb\0c\t", "a\\r\\nb\\x00c\\t"),
        (b"say \"\\\"", "\"say \\\"\\\\\\\"\""),
        (b"CORP\\x1b", "CORP\\\\x1b"),
        (b"\xff\xc3(", "\\xff\\xc3("),
        ("\u{202e}evil\u{2066}".as_bytes(), "\\u{202e}evil\\u{2066}"),
        ("\u{85}\u{9b}31m".as_bytes(), "\\u{0085}\\u{009b}31m"),
        (
            "\u{200b}\u{feff}\u{a0}".as_bytes(),
            "\\u{200b}\\u{feff}\\u{00a0}",
        ),
        ("\u{e0041}".as_bytes(), "\\u{e0041}"),
        ("J\u{fc}rgen".as_bytes(), "J\u{fc}rgen"),
    ] {
        assert_eq!(show(text, false), expected);
        assert!(show(text, true).bytes().all(|b| matches!(b, 0x20..=0x7e)));
    }
    assert_eq!(show("J\u{fc}rgen".as_bytes(), true), "J\\u{00fc}rgen");
    let long = "\u{fc}".repeat(100);
    let cut = show(long.as_bytes(), false);
    assert_eq!(cut, format!("{}\u{2026}", "\u{fc}".repeat(40)));
    assert!(show(&[0x80; 100], false).ends_with("\\x80\u{2026}"));
}

/// Lines without control characters, and without anything but ASCII where that is asked for.
fn assert_clean(text: &str, ascii: bool, label: &str) {
    assert!(text.ends_with('\n'), "{label}");
    for line in text.lines() {
        assert!(!line.chars().any(char::is_control), "{label}: {line:?}");
        assert!(!ascii || line.is_ascii(), "{label}: {line:?}");
        assert!(!line.ends_with(' '), "{label}: {line:?}");
    }
}

#[test]
fn all_vectors_render_cleanly_in_all_modes_and_cut_anywhere() {
    for (version, bytes) in vectors() {
        let step = (bytes.len() / 7).max(1);
        let ends = (HEADER_LEN..bytes.len()).step_by(step).chain([bytes.len()]);
        for end in ends {
            let mut info = info(1, &bytes);
            info.version = ProtocolVersion(version);
            info.first_of_session = end == bytes.len();
            for options in modes() {
                let ascii = options.ascii;
                let record = Record::Message(&info, &bytes[..end]);
                let text = render_with(options, record, Hints::default());
                assert_clean(&text, ascii, info.message.unwrap().name);
            }
        }
    }
}

/// Every floating field of every message filled with hostile text.
#[test]
fn hostile_fields_never_reach_the_terminal() {
    let hostile = "\x1b]0;x\x07\u{202e}\u{9b}1m \"\\\r\n\u{2028}";
    for message_definition in protocol::messages() {
        let Some(layout) = message_definition.layout(24) else {
            continue;
        };
        let mut body = vec![0xFF; usize::from(layout.size)];
        for usage in message_definition.floating {
            body.extend(field(usage.field.tag, hostile.as_bytes()));
        }
        body.extend(field(0x7FFF, hostile.as_bytes()));
        let bytes = message(message_definition.number.0, &body);
        let info = info(1, &bytes);
        for options in modes() {
            let ascii = options.ascii;
            let text = render_with(options, Record::Message(&info, &bytes), Hints::default());
            assert_clean(&text, ascii, message_definition.name);
            assert!(!text.contains(['\u{202e}', '\u{2028}']));
        }
    }
}

/// A message read by rules that are not its own: the password may turn up as the data of any tag, or as no field at all.
#[test]
fn secrets_stay_secret_when_the_version_is_wrong() {
    let mut body = vec![0; 44];
    body.extend([0, 0]);
    body.extend(field(0x0700, b"abcdefghij\0"));
    let wide = message(3, &body);
    body.truncate(44);
    body.extend([2, 11]);
    body.extend(b"abcdefghij\0");
    for bytes in [wide, message(3, &body)] {
        for version in [15, 24] {
            let mut info = info(1, &bytes);
            info.version = ProtocolVersion(version);
            for options in modes() {
                let record = Record::Message(&info, &bytes);
                let text = render_with(options, record, Hints::default());
                for shown in ["abcd", "efgh", "61626364", "61 62 63 64", "65 66 67 68"] {
                    assert!(!text.contains(shown), "{text}");
                }
            }
        }
    }
}

/// Whatever the cut, no four bytes of a password appear, neither as text nor as hex.
#[test]
fn secrets_never_appear() {
    for (number, tag) in [(3, 2), (3, 49), (38, 49)] {
        let layout = protocol::message(MessageType(number))
            .and_then(|m| m.layout(24))
            .unwrap();
        let mut body = vec![0; usize::from(layout.size)];
        body.extend(field(5, b"1001\0"));
        body.extend(field(tag, b"abcdefghij\0"));
        let bytes = message(number, &body);
        for end in HEADER_LEN..=bytes.len() {
            let info = info(1, &bytes);
            for mut options in modes() {
                let record = Record::Message(&info, &bytes[..end]);
                let text = render_with(options.clone(), record, Hints::default());
                for shown in ["abcd", "efgh", "61626364", "61 62 63 64", "65 66 67 68"] {
                    assert!(!text.contains(shown), "{number} cut to {end}: {text}");
                }
                options.show_secrets = true;
                if (options.detail || options.hex) && end == bytes.len() {
                    let text = render_with(options, record, Hints::default());
                    assert!(
                        text.contains("abcdefghij")
                            || text.contains("|abcd")
                            || text.contains("61 62"),
                        "{text}"
                    );
                }
            }
        }
    }
}
