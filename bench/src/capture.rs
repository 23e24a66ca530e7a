//! A pcap written packet by packet, with TCP connections that keep their numbers.

use anyhow::Result;
use etherparse::PacketBuilder;
use std::io::Write;
use std::net::SocketAddrV4;

/// Largest payload of a segment (bytes).
const SEGMENT: usize = 1460;

/// A capture file being written.
pub struct Capture<W> {
    out: W,
    written: u64,
    wanted: u64,
    /// Nanoseconds since 1970.
    now: u64,
    packet: Vec<u8>,
}

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The end that opened the connection.
    Client,
    /// The CTI Server.
    Server,
}

/// The state of one TCP connection.
#[derive(Debug, Clone)]
pub struct Connection {
    client: SocketAddrV4,
    server: SocketAddrV4,
    /// Next sequence numbers of client and server.
    next: (u32, u32),
    /// Segments that nobody has acknowledged yet.
    unacknowledged: u32,
    id: u16,
}

/// What a segment says beside its payload.
#[derive(Debug, Clone, Copy, Default)]
pub struct Control {
    syn: bool,
    ack: bool,
    rst: bool,
}

impl Connection {
    /// A connection that has not begun.
    pub fn new(client: SocketAddrV4, server: SocketAddrV4, first: (u32, u32)) -> Self {
        Self {
            client,
            server,
            next: first,
            unacknowledged: 0,
            id: 0,
        }
    }

    /// Bytes that one side sends and nobody captures.
    pub fn lose(&mut self, from: Side, bytes: u32) {
        let next = match from {
            Side::Client => &mut self.next.0,
            Side::Server => &mut self.next.1,
        };
        *next = next.wrapping_add(bytes);
    }
}

impl<W: Write> Capture<W> {
    /// A capture that is to have about so many bytes.
    pub fn begin(mut out: W, wanted: u64) -> Result<Self> {
        const ETHERNET: u32 = 1;
        for number in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, ETHERNET] {
            out.write_all(&number.to_le_bytes())?;
        }
        Ok(Self {
            out,
            written: 24,
            wanted,
            // 2026-11-23 08:00:00 UTC.
            now: 1_795_420_800_000_000_000,
            packet: Vec::new(),
        })
    }

    /// It has as many bytes as it was to have.
    pub fn is_full(&self) -> bool {
        self.written >= self.wanted
    }

    /// Bytes that it was to have.
    pub fn wanted(&self) -> u64 {
        self.wanted
    }

    /// Bytes that it has.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Time passes.
    pub fn wait(&mut self, micros: u64) {
        self.now += micros * 1000;
    }

    /// Writes what is buffered.
    pub fn finish(mut self) -> Result<()> {
        self.out.flush()?;
        Ok(())
    }

    /// The handshake.
    pub fn open(&mut self, connection: &mut Connection) -> Result<()> {
        let syn = Control {
            syn: true,
            ..Control::default()
        };
        self.segment(connection, Side::Client, syn, &[])?;
        connection.lose(Side::Client, 1);
        self.wait(200);
        self.segment(connection, Side::Server, Control { ack: true, ..syn }, &[])?;
        connection.lose(Side::Server, 1);
        self.wait(100);
        self.acknowledge(connection, Side::Client)
    }

    /// A SYN alone.
    pub fn knock(&mut self, connection: &mut Connection) -> Result<()> {
        let syn = Control {
            syn: true,
            ..Control::default()
        };
        self.segment(connection, Side::Client, syn, &[])
    }

    /// The client ends the connection as CTI clients do.
    pub fn reset(&mut self, connection: &mut Connection) -> Result<()> {
        let rst = Control {
            rst: true,
            ack: true,
            ..Control::default()
        };
        self.segment(connection, Side::Client, rst, &[])
    }

    /// Sends bytes in as many segments as they need; every second segment is acknowledged.
    pub fn send(&mut self, connection: &mut Connection, from: Side, bytes: &[u8]) -> Result<()> {
        let ack = Control {
            ack: true,
            ..Control::default()
        };
        for payload in bytes.chunks(SEGMENT) {
            self.segment(connection, from, ack, payload)?;
            connection.lose(from, u32::try_from(payload.len())?);
            self.wait(20);
            connection.unacknowledged += 1;
            if connection.unacknowledged >= 2 {
                connection.unacknowledged = 0;
                let other = match from {
                    Side::Client => Side::Server,
                    Side::Server => Side::Client,
                };
                self.acknowledge(connection, other)?;
            }
        }
        Ok(())
    }

    fn acknowledge(&mut self, connection: &mut Connection, from: Side) -> Result<()> {
        let ack = Control {
            ack: true,
            ..Control::default()
        };
        self.segment(connection, from, ack, &[])
    }

    fn segment(
        &mut self,
        connection: &mut Connection,
        from: Side,
        control: Control,
        payload: &[u8],
    ) -> Result<()> {
        let Connection {
            client,
            server,
            next,
            id,
            ..
        } = connection;
        let (source, destination, sequence, acknowledgment) = match from {
            Side::Client => (*client, *server, next.0, next.1),
            Side::Server => (*server, *client, next.1, next.0),
        };
        *id = id.wrapping_add(1);
        let mut ip = etherparse::Ipv4Header::new(
            0,
            64,
            etherparse::IpNumber::TCP,
            source.ip().octets(),
            destination.ip().octets(),
        )?;
        ip.identification = *id;
        ip.dont_fragment = true;
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ip(etherparse::IpHeaders::Ipv4(ip, Default::default()))
            .tcp(source.port(), destination.port(), sequence, 64_240);
        let builder = if control.syn { builder.syn() } else { builder };
        let builder = if control.rst { builder.rst() } else { builder };
        let builder = if control.ack {
            builder.ack(acknowledgment)
        } else {
            builder
        };
        self.packet.clear();
        builder.write(&mut self.packet, payload)?;
        let length = u32::try_from(self.packet.len())?;
        let seconds = u32::try_from(self.now / 1_000_000_000)?;
        let micros = u32::try_from(self.now % 1_000_000_000 / 1000)?;
        for number in [seconds, micros, length, length] {
            self.out.write_all(&number.to_le_bytes())?;
        }
        self.out.write_all(&self.packet)?;
        self.written += 16 + u64::from(length);
        Ok(())
    }
}
