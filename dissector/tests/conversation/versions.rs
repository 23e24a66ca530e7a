//! By which version a session is decoded, and how that is known.

use super::*;

#[test]
fn a_forced_version_rules_whatever_the_session_says() {
    let mut wire = Wire::with(Options {
        version: Some(ProtocolVersion(19)),
        ..Options::default()
    });
    wire.open();
    wire.say(Client, &open_req(24))
        .say(Server, &open_conf(24, 0x16));
    let story = wire.end();
    let told: Vec<_> = story
        .messages()
        .map(|(info, _)| (info.version.0, info.version_source))
        .collect();
    assert_eq!(told, [(19, VersionSource::Forced); 2]);
}

/// Messages that a session may consist of, one of each kind that the version has.
fn session_of(version: ProtocolVersion, seed: u64) -> Vec<Generated> {
    let mut random = Random(seed);
    let wish = Wish {
        usual: true,
        ..Wish::default()
    };
    let has = |m: &&Message| versions(m).any(|v| v == version);
    // Which of the two numberings a network recording message follows needs a session to tell.
    let clear = |m: &&'static Message| {
        m.sender != Sender::Either && m.name != "OPEN_REQ" && m.name != "CLOSE_CONF"
    };
    let mut list: Vec<Generated> = published()
        .filter(has)
        .filter(clear)
        .map(|m| generate::message(m, version, &mut random, wish))
        .collect();
    random.shuffle(&mut list);
    list
}

fn side_of(made: &Generated) -> Side {
    match made.message.sender {
        Sender::Server => Server,
        _ => Client,
    }
}

#[test]
fn the_version_of_a_session_joined_late_is_inferred() {
    let (mut all, mut right) = (0, 0);
    for version in (5..=25).map(ProtocolVersion) {
        for seed in 0..4 {
            let list = session_of(version, seed);
            let mut wire = Wire::new();
            for made in &list {
                wire.say(side_of(made), &made.bytes);
            }
            let story = wire.end();
            let label = format!("version {version}, seed {seed}");
            let [session] = story.ended()[..] else {
                panic!("{label}: {} sessions", story.ended().len())
            };
            let VersionSource::Inferred { oldest, newest } = session.version_source else {
                panic!("{label}: {:?}", session.version_source)
            };
            assert!(
                (oldest..=newest).contains(&version.known()),
                "{label}: {oldest} to {newest}"
            );
            assert_eq!(story.notices(), [Code::VersionInferred], "{label}");
            // The first message of a side may have to wait for the next to be believed: the sides are compared each.
            for (side, direction) in [
                (Client, Direction::ClientToServer),
                (Server, Direction::ServerToClient),
            ] {
                let sent: Vec<&Generated> = list.iter().filter(|m| side_of(m) == side).collect();
                let told: Vec<_> = story
                    .messages()
                    .filter(|(info, _)| info.direction == direction)
                    .collect();
                assert_eq!(told.len(), sent.len(), "{label}");
                let mut decoder = Decoder::new();
                for ((info, bytes), made) in told.into_iter().zip(sent) {
                    assert_eq!(bytes, made.bytes, "{label}");
                    let view = decoder.decode_as(bytes, info.version, info.message);
                    // A short field may be just as long as what another version has in its fixed part.
                    all += 1;
                    if view.layout() == made.message.layout(version.known()) {
                        made.assert_equals(&view);
                        right += 1;
                    }
                }
            }
        }
    }
    assert!(right * 100 > all * 99, "{right} of {all}");
}

#[test]
fn network_recording_follows_either_numbering() {
    let other = |name: &str, fields: &[(&str, Value)]| {
        let mut draft = Draft::new(name, ProtocolVersion(24)).unwrap();
        for (field, value) in fields {
            draft.set(field, value).unwrap();
        }
        let message = draft.message();
        draft.number(message.alternative.as_ref().unwrap().number);
        draft.encode().unwrap()
    };
    let id = |id: i64| [("InvokeID", Value::Number(id))];
    type Line<'a> = (Side, &'a str, Vec<(&'a str, Value)>);
    let list: [Line<'_>; 8] = [
        (Client, "START_NETWORK_RECORDING_REQ", id(3).to_vec()),
        (Server, "START_NETWORK_RECORDING_CONF", id(3).to_vec()),
        (Server, "NETWORK_RECORDING_STARTED_EVENT", vec![]),
        (Server, "NETWORK_RECORDING_TARGET_INFO_EVENT", vec![]),
        (Client, "STOP_NETWORK_RECORDING_REQ", id(4).to_vec()),
        (Server, "STOP_NETWORK_RECORDING_CONF", id(4).to_vec()),
        (Server, "NETWORK_RECORDING_ENDED_EVENT", vec![]),
        (Server, "NETWORK_RECORDING_FAILED_EVENT", vec![]),
    ];
    let names: Vec<&str> = list.iter().map(|(_, name, _)| *name).collect();
    for usual in [true, false] {
        let mut wire = opened();
        for (side, name, fields) in &list {
            let bytes = match usual {
                true => message(name, fields),
                false => other(name, fields),
            };
            wire.say(*side, &bytes);
        }
        let story = wire.end();
        assert_eq!(story.names()[2..], names, "usual numbering: {usual}");
        assert_eq!(
            story.exchanges()[1..],
            [(Some(3), Some(4), Confirmed), (Some(7), Some(8), Confirmed)]
        );
    }
}

#[test]
fn team_configuration_travels_under_two_numbers_below_version_19() {
    let untyped = |number: u32, body: &[u8]| {
        let length = u32::try_from(body.len()).unwrap();
        [&length.to_be_bytes(), &number.to_be_bytes(), body].concat()
    };
    let skill_group = |version| {
        let fields = [("RecordType", 0.into()), ("PeripheralNumber", 28401.into())];
        message_at(version, "CONFIG_SKILL_GROUP_EVENT", &fields)
    };
    for version in [15, 18] {
        let mut wire = Wire::new();
        wire.open().say(Client, &open_req(version));
        wire.say(Server, &open_conf(version, 0x16));
        wire.say(Client, &untyped(236, &[0, 0, 0, 7, 0, 0, 0x13, 0x88]));
        wire.say(Server, &untyped(237, &[0, 0, 0x13, 0x88, 0, 0, 0, 9, 0, 0]));
        wire.say(Server, &untyped(238, &[0, 0, 0, 7]));
        wire.say(Server, &skill_group(version));
        let story = wire.end();
        assert_eq!(
            story.names()[2..],
            [
                "TEAM_CONFIG_REQ",
                "TEAM_CONFIG_EVENT",
                "TEAM_CONFIG_CONF",
                "CONFIG_SKILL_GROUP_EVENT"
            ],
            "version {version}"
        );
        assert_eq!(story.exchanges()[1], (Some(3), Some(5), Confirmed));
    }
}

#[test]
fn team_configuration_was_taken_for_configuration_records_until_the_version_was_known() {
    let untyped = |number: u32, body: &[u8]| {
        let length = u32::try_from(body.len()).unwrap();
        [&length.to_be_bytes(), &number.to_be_bytes(), body].concat()
    };
    let agent_state = |version| {
        let fields = [
            ("PeripheralID", 5000.into()),
            ("AgentID", "1001".into()),
            ("AgentExtension", "20101".into()),
        ];
        message_at(version, "AGENT_STATE_EVENT", &fields)
    };
    for (version, name) in [(15, "TEAM_CONFIG_EVENT"), (24, "CONFIG_AGENT_EVENT")] {
        // A body that is no record of a configuration in any version.
        let mut wire = Wire::new();
        wire.say(Server, &agent_state(version));
        wire.say(Server, &untyped(237, &[0, 0, 0x13, 0x88, 0xEE]));
        for _ in 0..12 {
            wire.say(Server, &agent_state(version));
        }
        let story = wire.end();
        assert_eq!(story.names()[1], name, "version {version}");
    }
}
