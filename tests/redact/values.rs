//! Values that once stayed in the clear, and a capture that was lost.

use super::*;

/// What a redacted capture of a scenario has to say, as the timeline's records.
fn redacted_scenario(lines: &str) -> String {
    redacted(lines).0
}

/// The same, and what its streams hold.
fn redacted(lines: &str) -> (String, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "include {}\nconnection A finesse:50412 -> side-a:42027 version=24\n10:00:00 A open\nuse open\n{lines}\n",
        captures()[0]
            .parent()
            .unwrap()
            .join("../scenarios/common.inc")
            .display()
    );
    let path = folder.path().join("leak.scn");
    std::fs::write(&path, text).unwrap();
    let scenario = ctishark_fixtures::Scenario::load(&path).unwrap();
    let capture = folder.path().join("leak.pcap");
    let file = std::fs::File::create(&capture).unwrap();
    scenario.capture_files().unwrap()[0].write_to(file).unwrap();
    let output = folder.path().join("shared.pcapng");
    redact(&["--key", KEY], &capture, &output);
    let records = records(&["--show-secrets"], &output);
    let told = records.iter().map(|r| format!("{r}\n")).collect();
    (told, content(&output).payload)
}

#[test]
fn a_phone_kept_as_a_peripheral_number_was_left_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("shared.pcapng");
    let number = |path: &Path, field: &str| -> Vec<u64> {
        let records = records(&[], path);
        let fields = records
            .iter()
            .flat_map(|r| r["floating"].as_array().into_iter().flatten());
        let named = fields.filter(|f| f["name"] == field);
        named.filter_map(|f| f["value"].as_u64()).collect()
    };
    let path = capture("configuration.pcap");
    redact(&["--key", KEY], &path, &output);
    let (before, after) = (
        number(&path, "PeripheralNumber"),
        number(&output, "PeripheralNumber"),
    );
    assert!(!before.is_empty() && before.len() == after.len());
    assert!(
        before.iter().all(|n| !after.contains(n)),
        "{before:?} {after:?}"
    );
}

#[test]
fn numbers_of_ten_digits_below_zero_or_above_stayed_what_they_were() {
    let numbers = [1_002_000_006_u32, 1_003_000_009, 1_234_567_890, 0xFFAB_4A9F];
    for number in numbers {
        let told = redacted_scenario(&format!(
            "+1s A < AGENT_STATE_EVENT AgentState=AVAILABLE ICMAgentID={number} AgentID=\"1001\""
        ));
        assert!(!told.contains(&number.to_string()), "{number}");
        assert!(
            !told.contains(&number.cast_signed().to_string()),
            "{number}"
        );
    }
}

#[test]
fn a_name_of_one_letter_outside_ascii_became_the_next_letter_whatever_the_key() {
    // No key is given: each run has its own.
    let images: BTreeSet<String> = (0..6)
        .map(|_| {
            let folder = tempfile::tempdir().unwrap();
            let output = folder.path().join("shared.pcapng");
            redact(&[], &capture("hostile.pcap"), &output);
            let records = records(&["--show-secrets"], &output);
            secrets(&records).into_iter().collect::<Vec<_>>().join("|")
        })
        .collect();
    assert_eq!(images.len(), 6);
}

#[test]
fn a_value_without_a_name_passed_for_a_name() {
    let value = "JOHNSMITH5550177-JOHNSMITH5550177-JOHNSMITH";
    let hex: String = value.bytes().map(|b| format!("{b:02x}")).collect();
    let told = redacted_scenario(&format!(
        "+1s A < CALL_DATA_UPDATE_EVENT ConnectionCallID=7 tag:82=hex:{hex}00"
    ));
    assert!(!told.contains("JOHNSMITH"), "{told}");
    let text = redacted_scenario(
        "+1s A < BEGIN_CALL_EVENT ConnectionCallID=7 tag:215=hex:4a4f484e444f4535353530313737 ANI=\"5550177\"",
    );
    assert!(!text.contains("JOHNDOE"), "{text}");
}

#[test]
fn a_report_overwrote_the_capture() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.pcap");
    std::fs::copy(capture("demo.pcap"), &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let output = folder.path().join("out.pcap");
    for report in [&path, &output] {
        let mut command = ctishark();
        command.arg("redact").arg(&path).arg("-o").arg(&output);
        command.arg("--report").arg(report).assert().code(2);
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn text_in_a_fixed_part_that_was_too_short_passed_for_numbers() {
    // With 26 the fixed part is whole: nothing tells that its numbers are none.
    let lines: String = (3..40)
        .filter(|len| *len != 26)
        .map(|len| {
            let text: String = "SMITH77"
                .bytes()
                .cycle()
                .take(len)
                .map(|b| format!("{b:02x}"))
                .collect();
            format!("+1s A < type:10 0000000000001388000100000100000a0000ffff0005{len:04x}{text}\n")
        })
        .collect();
    let (_, payload) = redacted(&lines);
    for part in b"SMITH77".windows(3) {
        assert!(!contains(&payload, part), "{}", part.escape_ascii());
    }
}
