//! Which connections carry sessions, and where those begin and end.

use super::*;

#[test]
fn a_refused_client_tries_a_lower_version() {
    let mut wire = Wire::new();
    wire.open().say(Client, &open_req(25));
    let fields = [("InvokeID", 1.into()), ("Status", 1.into())];
    wire.say(Server, &message_at(25, "FAILURE_CONF", &fields));
    wire.say(Client, &open_req(19));
    wire.say(Server, &open_conf(19, 0x16));
    let story = wire.end();
    let versions: Vec<u32> = story.messages().map(|(info, _)| info.version.0).collect();
    assert_eq!(versions, [25, 25, 19, 19]);
    let [session] = story.ended()[..] else {
        panic!("one session")
    };
    assert_eq!(session.version, Some(ProtocolVersion(19)));
    assert_eq!(session.refused, None);
    assert_eq!(session.identity.services_granted, Some(0x16));
}

#[test]
fn a_connection_may_carry_a_second_session() {
    let mut wire = opened();
    wire.say(Client, &invoke("HEARTBEAT_REQ", 5));
    wire.say(
        Client,
        &message("CLOSE_REQ", &[("InvokeID", 9.into()), ("Status", 0.into())]),
    );
    wire.say(Server, &invoke("CLOSE_CONF", 9));
    wire.say(Client, &open_req(15))
        .say(Server, &open_conf(15, 4));
    let story = wire.end();
    let sessions: Vec<u32> = story
        .messages()
        .map(|(info, _)| info.peers.session)
        .collect();
    assert_eq!(sessions, [1, 1, 1, 1, 1, 2, 2]);
    let ended = story.ended();
    assert_eq!(ended.len(), 2);
    assert_eq!(ended[0].close_status, Some(0));
    assert_eq!(ended[0].end, None);
    assert_eq!(ended[1].version, Some(ProtocolVersion(15)));
    assert!(story.exchanges().contains(&(Some(3), None, SessionEnded)));
}

#[test]
fn a_tls_connection_is_told_as_encrypted() {
    let hello = [&[0x16, 3, 1, 0, 50, 1][..], &[7; 49]].concat();
    for port in [42030, 42027] {
        let mut wire = Wire::new();
        wire.server.set_port(port);
        wire.open().say(Client, &hello).say(Server, &hello);
        let story = wire.end();
        assert_eq!(story.totals.encrypted, 1, "port {port}");
        assert_eq!(story.notices(), [Code::EncryptedSession]);
        assert_eq!(story.ended()[0].content, Content::Encrypted);
        assert_eq!(story.names().len(), 0);
    }
    let mut wire = Wire::new();
    wire.server.set_port(443);
    wire.open().say(Client, &hello).say(Server, &hello);
    assert_eq!(wire.end().notes.len(), 0);
}

#[test]
fn tls_is_told_when_its_first_bytes_come_in_pieces() {
    let hello = [&[0x16, 3, 1, 0, 50, 1][..], &[7; 49]].concat();
    let mut wire = Wire::new();
    wire.open();
    for byte in &hello {
        wire.say(Client, std::slice::from_ref(byte));
    }
    assert_eq!(wire.end().totals.encrypted, 1);
}

#[test]
fn a_hole_elsewhere_does_not_make_an_unusual_port_be_given_up() {
    let mut wire = Wire::new();
    wire.server.set_port(5000);
    wire.open()
        .say(Client, &open_req(24))
        .say(Server, &open_conf(24, 0x16));
    // Another connection waits for data all the while.
    let (server, sequences) = (wire.server, wire.sequences);
    (wire.server, wire.sequences) = ("10.0.0.9:42027".parse().unwrap(), [1, 1]);
    wire.open();
    wire.sequences[0] += 100;
    wire.say(Client, &invoke("HEARTBEAT_REQ", 1));
    (wire.server, wire.sequences) = (server, sequences);
    let count = 4000;
    for id in 0..count {
        wire.say(Client, &invoke("HEARTBEAT_REQ", id));
    }
    let story = wire.end();
    assert_eq!(
        story
            .names()
            .iter()
            .filter(|n| **n == "HEARTBEAT_REQ")
            .count(),
        4001
    );
}

#[test]
fn other_ports_are_told_by_their_content() {
    for (port, options) in [
        (5000, Options::default()),
        (
            5001,
            Options {
                ports: Ports::with(vec![5001]),
                ..Options::default()
            },
        ),
    ] {
        let mut wire = Wire::with(options);
        wire.server.set_port(port);
        wire.open();
        wire.say(Client, &open_req(24))
            .say(Server, &open_conf(24, 0x16));
        let story = wire.end();
        assert_eq!(story.names(), ["OPEN_REQ", "OPEN_CONF"], "port {port}");
        assert_eq!(story.exchanges(), [OPENED]);
    }
}

#[test]
fn other_ports_are_told_by_their_content_byte_by_byte() {
    let mut wire = Wire::new();
    wire.server.set_port(5000);
    wire.open();
    for byte in open_req(24) {
        wire.say(Client, &[byte]);
    }
    for byte in open_conf(24, 0x16) {
        wire.say(Server, &[byte]);
    }
    assert_eq!(wire.end().exchanges(), [OPENED]);
}

#[test]
fn other_ports_joined_late_are_told_by_a_chain_of_messages() {
    let mut wire = Wire::new();
    wire.server.set_port(5000);
    for _ in 0..6 {
        let fields = [
            ("PeripheralID", 5000.into()),
            ("AgentID", "1001".into()),
            ("AgentExtension", "20101".into()),
        ];
        wire.say(Server, &message("AGENT_STATE_EVENT", &fields));
    }
    wire.say(Client, &invoke("HOLD_CALL_REQ", 3));
    let story = wire.end();
    assert_eq!(story.names().len(), 7);
    assert_eq!(
        story.ended()[0].peers.server,
        "10.0.0.5:5000".parse().unwrap()
    );
}

#[test]
fn other_traffic_is_not_cti() {
    for port in [80, 5000] {
        let mut wire = Wire::new();
        wire.server.set_port(port);
        wire.open();
        wire.say(Client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        for number in 0..2000_u32 {
            // A binary protocol with small big-endian numbers.
            let words = [4, number % 300, number, 0, 1, number % 7];
            let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
            wire.say(Server, &bytes);
        }
        let story = wire.end();
        assert_eq!(story.notes.len(), 0, "port {port}: {:?}", story.names());
        assert_eq!(story.totals.connections, 1);
    }
    // The same, joined late.
    let mut wire = Wire::new();
    wire.server.set_port(5000);
    for number in 0..2000_u32 {
        let words = [4, number % 300, number, 0, 1, number % 7];
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
        wire.say(Server, &bytes);
    }
    assert_eq!(wire.end().notes.len(), 0);
}
