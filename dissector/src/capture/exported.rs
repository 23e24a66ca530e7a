//! Packets as Wireshark exports them (LINKTYPE_WIRESHARK_UPPER_PDU): tags that say what they were, then the bytes of one
//! protocol, without the headers below it.
//!
//! Read are those that begin with an IP or Ethernet header, and TCP payload whose tags give addresses, ports and sequence
//! numbers; of "OSI layer 4" that is what some dissector took up. Of all others nobody can tell what lies between two of them.

use super::Flags;
use super::bytes::Bytes;
use super::ip::Stop;
use super::link::{self, Network};
use super::tunnel::{need, too_short};
use std::net::{IpAddr, SocketAddr};

/// What an exported packet is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Exported<'a> {
    /// It goes on with a lower layer.
    Inside(Network<'a>),
    /// TCP payload.
    Tcp(Payload<'a>),
}

/// TCP payload with what its tags tell about the segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payload<'a> {
    pub source: SocketAddr,
    pub destination: SocketAddr,
    /// Sequence number of the first byte. Wireshark counts from the beginning of the connection unless told otherwise.
    pub sequence: u32,
    pub acknowledgment: u32,
    pub flags: Flags,
    pub bytes: Bytes<'a>,
}

const DISSECTOR: u16 = 12;
const SOURCE_4: u16 = 20;
const DESTINATION_4: u16 = 21;
const SOURCE_6: u16 = 22;
const DESTINATION_6: u16 = 23;
const PORT_TYPE: u16 = 24;
const SOURCE_PORT: u16 = 25;
const DESTINATION_PORT: u16 = 26;
const TCP_INFO: u16 = 34;

#[derive(Default)]
struct Tags<'a> {
    dissector: &'a [u8],
    source: Option<IpAddr>,
    destination: Option<IpAddr>,
    port_type: Option<u32>,
    source_port: Option<u16>,
    destination_port: Option<u16>,
    tcp: Option<TcpInfo>,
}

/// What the tag about TCP holds.
#[derive(Clone, Copy)]
struct TcpInfo {
    sequence: u32,
    /// Of the byte behind the segment.
    next: u32,
    acknowledgment: u32,
    /// The payload begins in an earlier segment and ends with this one.
    reassembled: bool,
    flags: u16,
}

/// What was exported; [`Stop::ForeignPdu`] where it is nothing that can be followed.
pub(super) fn read(bytes: Bytes<'_>) -> Result<Exported<'_>, Stop> {
    let (tags, bytes) = tags(bytes)?;
    let inside = match tags.dissector {
        b"ip" | b"ipv4" | b"ipv6" | b"raw_ip" => Network::Ip(bytes),
        b"eth" | b"eth_withoutfcs" | b"eth_withfcs" | b"eth_maybefcs" => link::ethernet(bytes),
        _ => {
            return tags
                .payload(bytes)
                .map(Exported::Tcp)
                .ok_or(Stop::ForeignPdu);
        }
    };
    Ok(Exported::Inside(inside))
}

/// Each tag is a number, a length and that many bytes; number 0 is the last.
fn tags(mut bytes: Bytes<'_>) -> Result<(Tags<'_>, Bytes<'_>), Stop> {
    let mut tags = Tags::default();
    loop {
        let (&[kind_high, kind_low, len_high, len_low], rest) = need(bytes)?;
        let len = usize::from(u16::from_be_bytes([len_high, len_low]));
        let (Some(value), Some(behind)) = (rest.data.get(..len), rest.skip(len)) else {
            return Err(too_short(rest));
        };
        bytes = behind;
        match u16::from_be_bytes([kind_high, kind_low]) {
            0 => return Ok((tags, bytes)),
            kind => tags.take(kind, value),
        }
    }
}

impl<'a> Tags<'a> {
    fn take(&mut self, kind: u16, value: &'a [u8]) {
        let four = || Some(IpAddr::from(*value.first_chunk::<4>()?));
        let six = || Some(IpAddr::from(*value.first_chunk::<16>()?));
        let number = || Some(u32::from_be_bytes(*value.first_chunk()?));
        let port = || u16::try_from(number()?).ok();
        match kind {
            DISSECTOR => {
                // Names may be filled up with zeros.
                let end = value.iter().position(|b| *b == 0);
                self.dissector = value.get(..end.unwrap_or(value.len())).unwrap_or_default();
            }
            SOURCE_4 => self.source = four(),
            DESTINATION_4 => self.destination = four(),
            SOURCE_6 => self.source = six(),
            DESTINATION_6 => self.destination = six(),
            PORT_TYPE => self.port_type = number(),
            SOURCE_PORT => self.source_port = port(),
            DESTINATION_PORT => self.destination_port = port(),
            TCP_INFO => self.tcp = tcp_info(value),
            _ => {}
        }
    }

    /// The payload, if the tags tell where in its stream it belongs.
    fn payload(&self, bytes: Bytes<'a>) -> Option<Payload<'a>> {
        const TCP: u32 = 2;
        const FIN: u16 = 0x01;
        const SYN: u16 = 0x02;
        const RST: u16 = 0x04;
        const ACK: u16 = 0x10;
        let tcp = self.tcp.filter(|_| self.port_type == Some(TCP))?;
        let len = bytes.on_wire();
        if !tcp.reassembled && tcp.next.wrapping_sub(tcp.sequence) != len {
            return None;
        }
        let has = |flag: u16| tcp.flags & flag != 0;
        Some(Payload {
            source: SocketAddr::new(self.source?, self.source_port?),
            destination: SocketAddr::new(self.destination?, self.destination_port?),
            sequence: tcp.next.wrapping_sub(len),
            acknowledgment: tcp.acknowledgment,
            flags: Flags {
                syn: has(SYN),
                fin: has(FIN),
                rst: has(RST),
                ack: has(ACK),
            },
            bytes,
        })
    }
}

/// Version, sequence number, that of the next segment, the last acknowledged one, whether reassembled, flags, urgent pointer.
fn tcp_info(value: &[u8]) -> Option<TcpInfo> {
    let &[
        version_high,
        version_low,
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
        i,
        j,
        k,
        l,
        reassembled,
        flags_high,
        flags_low,
        ..,
    ] = value.first_chunk::<19>()?;
    (u16::from_be_bytes([version_high, version_low]) == 1).then(|| TcpInfo {
        sequence: u32::from_be_bytes([a, b, c, d]),
        next: u32::from_be_bytes([e, f, g, h]),
        acknowledgment: u32::from_be_bytes([i, j, k, l]),
        reassembled: reassembled != 0,
        flags: u16::from_be_bytes([flags_high, flags_low]),
    })
}
