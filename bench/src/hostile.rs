//! Traffic that could cost memory: many connections, connections that never come about, holes, absurd lengths.

use crate::capture::{Capture, Connection, Side};
use crate::centre::{Text, opening};
use anyhow::Result;
use cti_dissector::protocol::ProtocolVersion;
use fastrand::Rng;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddrV4};

const VERSION: ProtocolVersion = ProtocolVersion(24);
const SERVER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 5), 42027);

/// How many connections there are.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    /// In all.
    pub connections: usize,
    /// At once.
    pub at_once: usize,
}

fn connection(number: usize, rng: &mut Rng) -> Connection {
    let bytes = u32::try_from(number).unwrap_or(0) / 20_000 + 0x0a01_0001;
    let port = u16::try_from(number % 20_000).unwrap_or(0) + 30_000;
    let client = SocketAddrV4::new(Ipv4Addr::from_bits(bytes), port);
    Connection::new(client, SERVER, (rng.u32(..), rng.u32(..)))
}

/// Connections that open a session and are told of a call again and again, until the capture is full. With `holes`, the first
/// bytes that the server sends on each are missing.
pub fn connections<W: Write>(capture: &mut Capture<W>, crowd: Crowd, holes: bool) -> Result<()> {
    let mut rng = Rng::with_seed(11);
    let [open, granted] = opening("Finesse", VERSION)?;
    let text = |state: &str| {
        Text::new("AGENT_STATE_EVENT")
            .with("PeripheralID", 5000)
            .with("AgentState", state)
            .with("AgentID", "1001")
            .with("AgentExtension", "20101")
            .bytes()
    };
    let mut events = Vec::new();
    for state in ["NOT_READY", "AVAILABLE", "TALKING", "WORK_READY"] {
        events.extend(text(state)?);
    }
    let share = capture.wanted() / u64::try_from(crowd.connections.max(1))?;
    let mut opened = 0;
    while opened < crowd.connections {
        let mut batch: Vec<Connection> = (opened..crowd.connections)
            .take(crowd.at_once.max(1))
            .map(|number| connection(number, &mut rng))
            .collect();
        opened += batch.len();
        for connection in &mut batch {
            capture.open(connection)?;
            capture.send(connection, Side::Client, &open)?;
            if holes {
                connection.lose(Side::Server, 700);
            }
            capture.send(connection, Side::Server, &granted)?;
        }
        let end = capture.written() + share * u64::try_from(batch.len())?;
        while capture.written() < end {
            for connection in &mut batch {
                capture.send(connection, Side::Server, &events)?;
                capture.wait(50);
            }
        }
        for connection in &mut batch {
            capture.reset(connection)?;
        }
    }
    Ok(())
}

/// One SYN after the other, each for another connection.
pub fn syns<W: Write>(capture: &mut Capture<W>) -> Result<()> {
    let mut rng = Rng::with_seed(13);
    let mut number = 0;
    while !capture.is_full() {
        capture.knock(&mut connection(number, &mut rng))?;
        capture.wait(10);
        number += 1;
    }
    Ok(())
}

/// A session in which each side announces a message of nearly 4 GB, and then goes on as if it had not.
pub fn length<W: Write>(capture: &mut Capture<W>) -> Result<()> {
    let mut rng = Rng::with_seed(17);
    let mut connection = connection(0, &mut rng);
    let [open, granted] = opening("Finesse", VERSION)?;
    capture.open(&mut connection)?;
    capture.send(&mut connection, Side::Client, &open)?;
    capture.send(&mut connection, Side::Server, &granted)?;
    let header = [0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 30];
    for side in [Side::Client, Side::Server] {
        capture.send(&mut connection, side, &header)?;
    }
    while !capture.is_full() {
        let noise: Vec<u8> = (0..1460).map(|_| rng.u8(..)).collect();
        capture.send(&mut connection, Side::Server, &noise)?;
        capture.wait(50);
    }
    Ok(())
}
