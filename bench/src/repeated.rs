//! The same few messages again and again: what is hardest to align, since nothing tells one from the other.

use crate::capture::{Capture, Connection, Side};
use crate::centre::{Text, opening};
use anyhow::Result;
use cti_dissector::protocol::ProtocolVersion;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddrV4};

/// Fills the capture with three messages in turn, so many in all (0: until it is full); with `turned`, in the opposite order.
pub fn repeated<W: Write>(capture: &mut Capture<W>, messages: u64, turned: bool) -> Result<()> {
    let client = SocketAddrV4::new(Ipv4Addr::new(10, 0, 1, 10), 50_412);
    let server = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 5), 42_027);
    let mut connection = Connection::new(client, server, (1_000, 90_000));
    capture.open(&mut connection)?;
    let [open, granted] = opening("Finesse", ProtocolVersion(24))?;
    capture.send(&mut connection, Side::Client, &open)?;
    capture.send(&mut connection, Side::Server, &granted)?;
    let state = |state: &str| {
        Text::new("AGENT_STATE_EVENT")
            .with("PeripheralID", 5000)
            .with("AgentState", state)
            .with("SkillGroupState", state)
            .with("SkillGroupNumber", 28_401)
            .with("AgentID", "1001")
            .bytes()
    };
    let mut states = ["AVAILABLE", "NOT_READY", "TALKING"];
    if turned {
        states.reverse();
    }
    let turn = [state(states[0])?, state(states[1])?, state(states[2])?];
    for (sent, bytes) in (0..).zip(turn.iter().cycle()) {
        if capture.is_full() || messages > 0 && sent >= messages {
            break;
        }
        capture.send(&mut connection, Side::Server, bytes)?;
        capture.wait(1_000);
    }
    Ok(())
}
