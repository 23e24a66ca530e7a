//! Detail, hex, times and colours.

use super::*;
use crate::finding::{Code, Finding};

#[test]
fn detail_shows_every_kind_of_value() {
    let mut begin = fixed_part(
        "BEGIN_CALL_EVENT",
        &[
            ("NumNamedVariables", 1),
            ("NumNamedArrays", 1),
            ("CallType", 9999),
        ],
    );
    begin.extend(field(82, b"user.x\0a value\0"));
    begin.extend(field(83, b"\x03user.list\0\x1b[2J\0"));
    begin.extend(field(301, b"\x01\x02"));
    begin.extend([0, 5, 0]);
    let number = protocol::message_by_name("BEGIN_CALL_EVENT")
        .unwrap()
        .number;
    let bytes = message(number.0, &begin);
    let info = info(23, &bytes);
    let options = TextOptions {
        detail: true,
        ..TextOptions::default()
    };
    let hints = Hints {
        previous: Some(at(0)),
        change: None,
    };
    let text = render_with(options, Record::Message(&info, &bytes), hints);
    insta::assert_snapshot!(text, @r#"
    #23   10:15:01.433417  S1  ←  BEGIN_CALL_EVENT       call=0 CallType=9999  ! unknown_tag tag 301 is not in the protocol tables (+1 more)
          2026-11-23T10:15:01.433417000Z, packets 41 42, version 24 (open_req)
          event from the server: A call became associated with the CTI client; carries the initial call context
          Header
              0  MessageLength                     74
              4  MessageType                       23  BEGIN_CALL_EVENT
          Fixed part, 26 bytes
              8  MonitorID                         0  no monitor
             12  PeripheralID                      0
             16  PeripheralType                    0  not in the table
             18  NumCTIClients                     0
             20  NumNamedVariables                 1
             22  NumNamedArrays                    1
             24  CallType                          9999  not in the table
             26  ConnectionDeviceIDType            0  CONNECTION_ID_STATIC  id keeps its value between calls
             28  ConnectionCallID                  0
             32  CalledPartyDisposition            0  not in the table
          Floating part, 45 bytes
             34  NamedVariable (tag 82)            user.x = "a value"
             53  NamedArray (tag 83)               user.list[3] = "\x1b[2J"
             73  unknown field (tag 301)           0102
          Not decoded, 3 bytes
             79  bytes                             000500
          Findings
             24  info unknown_value: CallType 9999 (0x270F) is not in the table CallType
                 Check the sender's release; the number is shown.
             73  warn unknown_tag: tag 301 is not in the protocol tables
                 Check the sender's release; the data is shown raw.
             79  warn unread_bytes: 3 bytes could not be decoded
                 They are shown raw with their offset; suspect another protocol version.
    "#);
}

#[test]
fn detail_and_hex() {
    let bytes = open_req();
    let mut info = info(1, &bytes);
    info.findings = vec![Finding::at(Code::VersionUnknown, 12, "just to show one")];
    let options = TextOptions {
        detail: true,
        hex: true,
        several_inputs: true,
        ..TextOptions::default()
    };
    let text = render_with(options, Record::Message(&info, &bytes), Hints::default());
    insta::assert_snapshot!(text, @r#"
    -- 2026-11-23 --
    #1    10:15:01.213417  S1  →  OPEN_REQ               v24 ClientID=Finesse ServicesRequested=CONNECTION_MONITOR|ALL_EVENTS IdleTimeout=240  ! version_unknown just to show one
          2026-11-23T10:15:01.213417000Z, packets 1:41 2:42, version 24 (open_req)
          request from the client: Open a session: protocol version, wanted services, event masks and identity
          Header
              0  MessageLength                     68
              4  MessageType                       3  OPEN_REQ
          Fixed part, 44 bytes
              8  InvokeID                          1
             12  VersionNumber                     24
             16  IdleTimeout                       240
             20  PeripheralID                      4294967295  NULL_PERIPHERAL_ID  no peripheral
             24  ServicesRequested                 0x18
                   0x08  CTI_SERVICE_CONNECTION_MONITOR  session open and close raise alarm events
                   0x10  CTI_SERVICE_ALL_EVENTS  call and agent events of every ACD phone
             28  CallMsgMask                       0x0
             32  AgentStateMask                    0x0
             36  ConfigMsgMask                     0x0
             40  Reserved1                         0
             44  Reserved2                         0
             48  Reserved3                         0
          Floating part, 24 bytes
             52  ClientID (tag 1)                  "Finesse"
             64  ClientPassword (tag 2)            ********
          Findings
             12  warn version_unknown: just to show one
                 Decoded with the nearest known version.
              0  00 00 00 44 00 00 00 03  00 00 00 01 00 00 00 18  |...D............|
             16  00 00 00 f0 ff ff ff ff  00 00 00 18 00 00 00 00  |................|
             32  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
             48  00 00 00 00 00 01 00 08  46 69 6e 65 73 73 65 00  |........Finesse.|
             64  00 02 00 08 ** ** ** **  ** ** ** **              |....********|
    "#);
}

#[test]
fn times_in_all_modes() {
    let bytes = message(6, &[0, 0, 0, 1]);
    let info = info(2, &bytes);
    let new_york = jiff::tz::TimeZone::fixed(jiff::tz::offset(-5));
    let mut all = String::new();
    for time in [
        TimeMode::Absolute(jiff::tz::TimeZone::UTC),
        TimeMode::Absolute(new_york),
        TimeMode::Relative(at(0)),
        TimeMode::Delta,
        TimeMode::Epoch,
    ] {
        let options = TextOptions {
            time,
            ..TextOptions::default()
        };
        for previous in [None, Some(at(15)), Some(at(25))] {
            let hints = Hints {
                previous,
                change: None,
            };
            all += &render_with(options.clone(), Record::Message(&info, &bytes), hints);
        }
    }
    insta::assert_snapshot!(all, @r#"
    -- 2026-11-23 --
    #2    10:15:01.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    #2    10:15:01.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    #2    10:15:01.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    -- 2026-11-23 --
    #2    05:15:01.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    #2    05:15:01.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    #2    05:15:01.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    #2        0.020000  S1  ←  HEARTBEAT_CONF         invoke=1
    #2        0.020000  S1  ←  HEARTBEAT_CONF         invoke=1
    #2        0.020000  S1  ←  HEARTBEAT_CONF         invoke=1
    #2       +0.000000  S1  ←  HEARTBEAT_CONF         invoke=1
    #2       +0.005000  S1  ←  HEARTBEAT_CONF         invoke=1
    #2       -0.005000  S1  ←  HEARTBEAT_CONF         invoke=1
    #2    1795428901.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    #2    1795428901.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    #2    1795428901.223417  S1  ←  HEARTBEAT_CONF         invoke=1
    "#);
}

#[test]
fn durations_are_short() {
    let mut out = Vec::new();
    let mut pen = Pen {
        out: &mut out,
        colour: false,
        ascii: false,
    };
    for nanos in [
        0,
        850,
        340_000,
        999_499,
        999_500,
        4_700_000,
        999_949_999,
        999_950_000,
        27_800_000_000,
        59_949_999_999,
        59_960_000_000,
        192_000_000_000,
        3_599_600_000_000,
        7_500_000_000_000,
        360_000_000_000_000,
        -4_700_000,
        i64::MIN,
    ] {
        clock::duration(&mut pen, nanos);
        pen.put(" ");
    }
    insta::assert_snapshot!(String::from_utf8(out).unwrap(), @"0µs 850ns 340µs 999µs 1.0ms 4.7ms 999.9ms 1.0s 27.8s 59.9s 1m00s 3m12s 1h00m 2h05m 4d04h -4.7ms -106751d23h");
}

#[test]
fn colours_are_switched_off_again_and_change_no_text() {
    for (version, bytes) in vectors() {
        let mut info = info(1, &bytes);
        info.version = ProtocolVersion(version);
        let options = TextOptions {
            detail: true,
            hex: true,
            ..TextOptions::default()
        };
        let record = Record::Message(&info, &bytes);
        let plain = render_with(options.clone(), record, Hints::default());
        let options = TextOptions {
            colour: true,
            ..options
        };
        let coloured = render_with(options, record, Hints::default());
        let mut stripped = String::new();
        for (index, piece) in coloured.split('\x1b').enumerate() {
            stripped += if index == 0 {
                piece
            } else {
                piece.split_once('m').unwrap().1
            };
        }
        assert_eq!(stripped, plain);
    }
}
