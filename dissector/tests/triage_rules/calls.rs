//! Calls: what fails about them, what is missed, and which of them are one.

use super::*;

#[test]
fn calls_that_go_on_under_another_number_need_no_end() {
    nothing(&found(
        r#"
use login invoke=2
use login invoke=3 agent=$agent_b ext=$ext_b
use call-arrives
use answer invoke=4
use consult invoke=5
use conference invoke=6
use leaves device=$ext_a type=AGENT_DEVICE
+1ms A < END_CALL_EVENT ConnectionCallID=$call ConnectionDeviceID="$ext_a"
use later invoke=7
use ends ext=$ext_b
use later invoke=8
use later invoke=9
"#,
    ));
}

#[test]
fn a_ringing_call_is_not_answered_in_several_ways() {
    let info = [(Code::RingNoAnswer, Severity::Info, 1)];
    let (found, text) = after_login(
        "use agent state=AVAILABLE\nuse agent state=RESERVED wait=3s\nuse rings\n+9s A < CALL_CONNECTION_CLEARED_EVENT ConnectionCallID=$call \
         LocalConnectionState=NULL EventCause=CECX_RING_NO_ANSWER ConnectionDeviceID=\"$ext_a\"\n",
    );
    assert_eq!(found, info);
    assert!(text.ends_with("then cleared with cause 1019"), "{text}");
    // Call events before the state, as may be.
    let (found, text) = after_login(
        "use agent state=AVAILABLE\nuse agent state=RESERVED wait=3s\nuse rings\n+9s A < CALL_CONNECTION_CLEARED_EVENT ConnectionCallID=$call \
         LocalConnectionState=NULL EventCause=CEC_REDIRECTED ConnectionDeviceID=\"$ext_a\"\n\
         +1ms A < CALL_CLEARED_EVENT ConnectionCallID=$call ConnectionDeviceID=\"$ext_a\"\n\
         +1ms A < END_CALL_EVENT ConnectionCallID=$call ConnectionDeviceID=\"$ext_a\"\nuse agent state=NOT_READY reason=32767\n",
    );
    assert_eq!(found, info);
    assert!(text.ends_with("then NOT_READY (32767)"), "{text}");
    // The timer of the VRU was quicker than the agent's: only the other agent shows it.
    let (found, text) = after_login(
        "use login invoke=3 agent=$agent_b ext=$ext_b\nuse agent state=RESERVED wait=3s\nuse rings\n\
         +9s A < CALL_CONNECTION_CLEARED_EVENT ConnectionCallID=$call LocalConnectionState=NULL EventCause=CEC_REDIRECTED \
         ConnectionDeviceID=\"$ext_a\"\nuse agent state=AVAILABLE\nuse rings call=$call2 ext=$ext_b wait=200ms\nuse answers call=$call2 ext=$ext_b\n\
         use ends call=$call2 ext=$ext_b\n+1ms A < END_CALL_EVENT ConnectionCallID=$call ConnectionDeviceID=\"$ext_a\"\n",
    );
    assert_eq!(found, info);
    assert!(text.ends_with("then sent to phone 20102"), "{text}");
}

/// A consultation that agent B answers, then a transfer that the server confirms, and what comes then.
fn transfer(then: &str) -> (Vec<(Code, Severity, u64)>, String) {
    after_login(&format!(
        "use login invoke=3 agent=$agent_b ext=$ext_b\nuse call-arrives\nuse answer invoke=4\nuse consult invoke=5\n{then}use later invoke=92\n"
    ))
}

#[test]
fn a_transfer_fails_in_several_ways() {
    let warn = [(Code::TransferFailed, Severity::Warn, 1)];
    let (found, text) = transfer(
        "+6s A > TRANSFER_CALL_REQ InvokeID=6 ActiveConnectionCallID=$call2 HeldConnectionCallID=$call ActiveConnectionDeviceID=\"$ext_a\" \
         HeldConnectionDeviceID=\"$ext_a\" AgentInstrument=\"$ext_a\"\n+5ms A < TRANSFER_CALL_CONF InvokeID=6\n",
    );
    assert_eq!(found, warn);
    assert!(
        text.contains("confirmed, but no CALL_TRANSFERRED_EVENT"),
        "{text}"
    );
    let (found, text) = transfer("use transfer invoke=6\nuse ends ext=$ext_b wait=1s\n");
    assert_eq!(found, warn);
    assert!(
        text.contains("the caller's side was cleared 1 s after"),
        "{text}"
    );
    // Somebody outside took the call over: nothing more is told of it.
    let (found, _) = after_login(
        "use call-arrives\nuse answer invoke=4\n+9s A < CALL_TRANSFERRED_EVENT PrimaryCallID=$call SecondaryCallID=$call2 LocalConnectionState=NULL \
         EventCause=CEC_TRANSFER PrimaryDeviceID=\"$ext_a\" SecondaryDeviceID=\"$ext_a\" TransferringDeviceID=\"$ext_a\" \
         TransferredDeviceID=\"95550123\" ConnectedPartyCallID=$call ConnectedPartyDeviceIDType=0 ConnectedPartyDeviceID=\"$caller\"\n\
         use ends wait=1s\nuse later invoke=92\n",
    );
    assert_eq!(found, []);
}

#[test]
fn media_are_missed_only_where_the_phone_has_them_at_other_times() {
    let call = |n: u32, media: &str| {
        format!(
            "use agent state=RESERVED wait=5s\nuse rings call=1677730{n} key=203{n}\nuse answers call=1677730{n}\n{media}\
             use agent state=TALKING\nuse ends call=1677730{n} wait=9s\nuse agent state=AVAILABLE\n"
        )
    };
    let heard = |n: u32| call(n, &format!("use rtp-started call=1677730{n}\n"));
    let (found, text) = after_login(&(heard(1) + &call(2, "") + &heard(3)));
    assert_eq!(found, [(Code::MediaSuspect, Severity::Warn, 1)]);
    assert_eq!(text, "call 16777302 answered at phone 20101");
    assert_eq!(after_login(&(call(1, "") + &call(2, ""))).0, []);
}

#[test]
fn call_data_are_lost_and_cut_in_several_ways() {
    let set = |fields: &str, then: &str| {
        after_login(&format!(
            "use agent state=RESERVED wait=5s\nuse rings\nuse answers\nuse agent state=TALKING\n+5s A > SET_CALL_DATA_REQ InvokeID=4 \
             ConnectionCallID=$call ConnectionDeviceID=\"$ext_a\" {fields}\n{then}"
        ))
    };
    let updated = |fields: &str| {
        format!(
            "+1ms A < SET_CALL_DATA_CONF InvokeID=4\n+1ms A < CALL_DATA_UPDATE_EVENT ConnectionCallID=$call NewConnectionCallID=$call \
             ConnectionDeviceID=\"$ext_a\" NewConnectionDeviceID=\"$ext_a\" {fields}\n"
        )
    };
    let waits = "use later invoke=92 time=20s\nuse later invoke=93 time=20s\n";
    let (found, _) = set("CallVariable1=\"silver\"", waits);
    assert_eq!(found, [(Code::DataUpdateLost, Severity::Warn, 1)]);
    let long = "0123456789012345678901234567890123456789X";
    let hex: String = long.bytes().map(|b| format!("{b:02x}")).collect();
    let value = format!("tag:13=hex:{hex}00");
    let (found, text) = set(
        &value,
        &updated(&format!("CallVariable1=\"{}\"", &long[..40])),
    );
    assert_eq!(found, [(Code::DataTruncated, Severity::Warn, 1)]);
    assert_eq!(text, "call 16777301: CallVariable1 of 41 bytes");
    // The set that an update carries replaces the one before.
    let first = updated("user.a=\"1\" user.b=\"2\"");
    let second = "+1s A > SET_CALL_DATA_REQ InvokeID=5 ConnectionCallID=$call ConnectionDeviceID=\"$ext_a\" user.a=\"3\"\n";
    let then = |fields: &str| {
        let answer = updated(fields).replace("InvokeID=4", "InvokeID=5");
        set(
            "user.a=\"1\" user.b=\"2\"",
            &format!("{first}{second}{answer}"),
        )
    };
    assert_eq!(then("user.a=\"3\" user.b=\"2\"").0, []);
    let (found, text) = then("user.a=\"3\"");
    assert_eq!(found, [(Code::EccNearLimit, Severity::Info, 1)]);
    assert_eq!(text, "call 16777301: user.b no more, after S1 wrote");
}

#[test]
fn a_call_that_two_sessions_show_is_one() {
    let mut steps =
        String::from("use open\n+1s B open\nuse open c=B client=CTIOSServer\nuse login invoke=2\n");
    // Two calls over at once, which is one too few.
    for n in 1..=2 {
        for step in ["rings", "answers", "ends"] {
            let wait = if step == "rings" { "9s" } else { "2s" };
            let key = if step == "rings" {
                format!(" key=203{n}")
            } else {
                String::new()
            };
            let other = if step == "ends" {
                "wait=0.1ms"
            } else {
                "wait=0.2ms"
            };
            steps.push_str(&format!("use {step} call=1677730{n}{key} wait={wait}\n"));
            steps.push_str(&format!("use {step} c=B call=1677730{n}{key} {other}\n"));
        }
    }
    // A recording that fails, and a call that is not answered: the first of this agent.
    for (c, wait) in [("A", "9s"), ("B", "1ms")] {
        steps.push_str(&format!(
            "+{wait} {c} < NETWORK_RECORDING_FAILED_EVENT ConnectionCallID=16777302 ConnectionDeviceID=\"$ext_a\" RecordFailureCause=3\n"
        ));
    }
    steps.push_str(
        "use rings call=16777309 key=2039 wait=9s\nuse rings c=B call=16777309 key=2039 wait=0.1ms\nuse agent state=NOT_READY reason=32767 wait=9s\n\
         use agent c=B state=NOT_READY reason=32767\nuse ends call=16777309\nuse ends c=B call=16777309 wait=0.1ms\n\
         use later invoke=8\nuse later c=B invoke=8\n",
    );
    let problems = found_in(TWO, &steps, Thresholds::default());
    assert_eq!(
        summary(&problems),
        [
            (Code::RingNoAnswer, Severity::Info, 1),
            (Code::FeatureFailed, Severity::Info, 1),
        ]
    );
}

#[test]
fn a_number_that_is_used_again_is_a_new_call() {
    let (found, _) = after_login(
        "use rings\nuse answers\nuse ends\nuse later invoke=92 time=90s\nuse rings key=2035\nuse answers\nuse later invoke=93 time=70s\n\
         use ends\n",
    );
    assert_eq!(found, []);
}

#[test]
fn a_call_that_rings_before_its_agent_is_reserved_belongs_to_that() {
    let (found, _) = after_login(
        "use rings\nuse agent state=RESERVED wait=300ms\nuse later invoke=92 time=50s\nuse answers\nuse ends\n",
    );
    assert_eq!(found, []);
    // One that rang long before does not.
    let (found, _) = after_login(
        "use rings\nuse agent state=RESERVED wait=9s\nuse later invoke=92 time=50s\nuse answers\nuse ends\n",
    );
    assert_eq!(found, [(Code::StuckReserved, Severity::Warn, 1)]);
}
