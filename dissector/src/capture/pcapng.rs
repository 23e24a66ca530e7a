//! The pcapng format: blocks in sections, each section with its own byte order and interfaces.

use super::record::{Record, Step};
use super::{length, offset, size};
use crate::limits;
use crate::time::{NANOS_PER_SECOND, Timestamp};
use pcap_parser::pcapng::{
    InterfaceDescriptionBlock, OptionCode, parse_enhancedpacketblock_be,
    parse_enhancedpacketblock_le, parse_interfacedescriptionblock_be,
    parse_interfacedescriptionblock_le, parse_simplepacketblock_be, parse_simplepacketblock_le,
    parse_unknownblock_be, parse_unknownblock_le,
};
use pcap_parser::traits::PcapNGPacketBlock;

/// First bytes of a section header, the same in both byte orders.
pub(super) const SECTION_MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// Bytes needed to know a section's byte order.
pub(super) const SECTION_START: usize = 12;
/// Block types.
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const NAMES: u32 = 4;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const JOURNAL: u32 = 9;
const SECRETS: u32 = 10;
const CUSTOM: u32 = 0xbad;
const CUSTOM_NO_COPY: u32 = 0x4000_0bad;
/// Type, length, and length again at the end (bytes).
const SMALLEST_BLOCK: usize = 12;
/// Where packet data start in enhanced and obsolete packet blocks, and in simple ones.
const PACKET_AT: usize = 28;
const SIMPLE_PACKET_AT: usize = 12;

/// State of a pcapng file between two blocks.
#[derive(Default)]
pub(super) struct PcapNg {
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// Time of the packet before, which simple packets take over.
    last: Timestamp,
}

struct Interface {
    link_type: u32,
    snap_len: u32,
    clock: Clock,
}

/// Byte order of the section that starts here; `None` if none does.
pub(super) fn section_is_big_endian(data: &[u8]) -> Option<bool> {
    match data.get(..SECTION_START)? {
        [0x0a, 0x0d, 0x0d, 0x0a, _, _, _, _, 0x4d, 0x3c, 0x2b, 0x1a] => Some(false),
        [0x0a, 0x0d, 0x0d, 0x0a, _, _, _, _, 0x1a, 0x2b, 0x3c, 0x4d] => Some(true),
        _ => None,
    }
}

/// Whether the section that starts here is of the version that is read (1).
pub(super) fn supported(data: &[u8]) -> bool {
    const MAJOR_VERSION_AT: usize = 12;
    let version = data
        .get(MAJOR_VERSION_AT..)
        .and_then(<[u8]>::first_chunk::<2>);
    match (section_is_big_endian(data), version) {
        (Some(true), Some(&version)) => u16::from_be_bytes(version) == 1,
        (Some(false), Some(&version)) => u16::from_le_bytes(version) == 1,
        _ => true,
    }
}

impl PcapNg {
    /// What stands at the start of `data`.
    pub(super) fn step(&mut self, data: &[u8]) -> Step {
        if data.len() < SMALLEST_BLOCK {
            return Step::Need(SMALLEST_BLOCK);
        }
        if data.starts_with(&SECTION_MAGIC) {
            let Some(big_endian) = section_is_big_endian(data) else {
                return Step::Damaged;
            };
            return match block(data, big_endian) {
                Block::Whole { len, .. } => {
                    self.big_endian = big_endian;
                    self.interfaces.clear();
                    Step::Skip(offset(len))
                }
                Block::Partial { len, .. } if len <= limits::MAX_BLOCK => Step::Need(len),
                Block::Partial { .. } | Block::Damaged => Step::Damaged,
            };
        }
        match block(data, self.big_endian) {
            Block::Whole { kind, len } => {
                let data = data.get(..len).unwrap_or(data);
                self.whole(kind, data).unwrap_or(Step::Spoiled(offset(len)))
            }
            Block::Partial { len, .. } if len <= limits::MAX_BLOCK => Step::Need(len),
            Block::Partial { kind, len }
                if stepped_over(kind) && len <= limits::MAX_SKIPPED_BLOCK =>
            {
                Step::Skip(offset(len))
            }
            Block::Partial { .. } | Block::Damaged => Step::Damaged,
        }
    }

    /// Whether a sound block of a known type starts at the start of `data`.
    pub(super) fn confirm(&self, data: &[u8]) -> bool {
        let section = section_is_big_endian(data);
        match block(data, section.unwrap_or(self.big_endian)) {
            Block::Whole { kind: SECTION, .. } => section.is_some(),
            Block::Whole { kind, len } => {
                let known = matches!(
                    kind,
                    INTERFACE
                        | OBSOLETE_PACKET
                        | SIMPLE_PACKET
                        | NAMES
                        | STATISTICS
                        | ENHANCED_PACKET
                        | JOURNAL
                        | SECRETS
                        | CUSTOM
                        | CUSTOM_NO_COPY
                );
                known && len > SMALLEST_BLOCK && len <= limits::MAX_BLOCK
            }
            Block::Partial { .. } | Block::Damaged => false,
        }
    }

    /// A whole block; `None` if its content makes no sense.
    fn whole(&mut self, kind: u32, data: &[u8]) -> Option<Step> {
        match kind {
            INTERFACE => self.interface(data),
            ENHANCED_PACKET => self.enhanced_packet(data),
            SIMPLE_PACKET => self.simple_packet(data),
            OBSOLETE_PACKET => self.obsolete_packet(data),
            _ => Some(Step::Skip(offset(data.len()))),
        }
    }

    fn interface(&mut self, data: &[u8]) -> Option<Step> {
        let parse = if self.big_endian {
            parse_interfacedescriptionblock_be
        } else {
            parse_interfacedescriptionblock_le
        };
        let (_, interface) = parse(data).ok()?;
        if self.interfaces.len() >= limits::MAX_INTERFACES {
            return None;
        }
        self.interfaces.push(Interface {
            link_type: interface.linktype.0.cast_unsigned(),
            snap_len: interface.snaplen,
            clock: Clock::new(&interface, self.big_endian),
        });
        Some(Step::Skip(offset(data.len())))
    }

    fn enhanced_packet(&mut self, data: &[u8]) -> Option<Step> {
        let parse = if self.big_endian {
            parse_enhancedpacketblock_be
        } else {
            parse_enhancedpacketblock_le
        };
        let (_, packet) = parse(data).ok()?;
        let captured = packet.packet_data().len();
        self.packet(
            data,
            packet.if_id,
            (packet.ts_high, packet.ts_low),
            captured,
            packet.origlen,
        )
    }

    /// The obsolete packet block, which pcap-parser hands over unread.
    fn obsolete_packet(&mut self, data: &[u8]) -> Option<Step> {
        let parse = if self.big_endian {
            parse_unknownblock_be
        } else {
            parse_unknownblock_le
        };
        let (_, block) = parse(data).ok()?;
        let (words, _) = block.data.as_chunks::<4>();
        let &[interface, high, low, captured, original, ..] = words else {
            return None;
        };
        // Two 16-bit fields share the first word: the interface and a drop count.
        let [a, b, ..] = interface;
        let interface = if self.big_endian {
            u16::from_be_bytes([a, b])
        } else {
            u16::from_le_bytes([a, b])
        };
        let word = |bytes| word(bytes, self.big_endian);
        let captured = size(word(captured));
        data.get(PACKET_AT..data.len().checked_sub(4)?)?
            .get(..captured)?;
        let ticks = (word(high), word(low));
        let original = word(original);
        self.packet(data, interface.into(), ticks, captured, original)
    }

    fn packet(
        &mut self,
        data: &[u8],
        interface: u32,
        (high, low): (u32, u32),
        captured: usize,
        original: u32,
    ) -> Option<Step> {
        if captured > limits::MAX_PACKET {
            return None;
        }
        let description = self.interfaces.get(size(interface))?;
        let time = description
            .clock
            .time((u64::from(high) << 32) | u64::from(low));
        self.last = time;
        Some(Step::Packet(Record {
            time,
            interface,
            link_type: description.link_type,
            original_len: original.max(length(captured)),
            start: PACKET_AT,
            captured,
            len: data.len(),
        }))
    }

    /// A simple packet has no time: it gets that of the packet before it in the file (the epoch, if it is the first).
    /// Its captured length is not stored either: it follows from the interface's snap length.
    fn simple_packet(&mut self, data: &[u8]) -> Option<Step> {
        let parse = if self.big_endian {
            parse_simplepacketblock_be
        } else {
            parse_simplepacketblock_le
        };
        let (_, packet) = parse(data).ok()?;
        let interface = self.interfaces.first()?;
        let snap_len = if interface.snap_len == 0 {
            usize::MAX
        } else {
            size(interface.snap_len)
        };
        let captured = packet.packet_data().len().min(snap_len);
        if captured > limits::MAX_PACKET {
            return None;
        }
        Some(Step::Packet(Record {
            time: self.last,
            interface: 0,
            link_type: interface.link_type,
            original_len: packet.origlen.max(length(captured)),
            start: SIMPLE_PACKET_AT,
            captured,
            len: data.len(),
        }))
    }
}

/// What the frame of a block says.
enum Block {
    /// The block is in the buffer and its two lengths agree.
    Whole { kind: u32, len: usize },
    /// More bytes are needed.
    Partial { kind: u32, len: usize },
    /// Its lengths cannot be.
    Damaged,
}

fn block(data: &[u8], big_endian: bool) -> Block {
    let (words, _) = data.as_chunks::<4>();
    let &[kind, length, ..] = words else {
        return Block::Damaged;
    };
    let kind = word(kind, big_endian);
    let len = size(word(length, big_endian));
    if len < SMALLEST_BLOCK || !len.is_multiple_of(4) {
        return Block::Damaged;
    }
    match words.get(..len / 4).map(<[[u8; 4]]>::last) {
        Some(Some(&again)) if again == length => Block::Whole { kind, len },
        Some(_) => Block::Damaged,
        None => Block::Partial { kind, len },
    }
}

/// Blocks without packets, which may be very long.
fn stepped_over(kind: u32) -> bool {
    !matches!(
        kind,
        SECTION | INTERFACE | OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET | STATISTICS
    )
}

fn word(bytes: [u8; 4], big_endian: bool) -> u32 {
    if big_endian {
        u32::from_be_bytes(bytes)
    } else {
        u32::from_le_bytes(bytes)
    }
}

/// How an interface counts time.
struct Clock {
    tick: Tick,
    /// Seconds to be added.
    offset: i64,
}

/// Length of one tick.
enum Tick {
    /// So many nanoseconds.
    Nanos(u64),
    /// A nanosecond divided by this.
    Fraction(u64),
    /// A second divided by this power of 2.
    Binary(u32),
}

impl Clock {
    fn new(interface: &InterfaceDescriptionBlock<'_>, big_endian: bool) -> Self {
        let mut clock = Self {
            tick: Tick::Nanos(1_000),
            offset: 0,
        };
        for option in &interface.options {
            let value: &[u8] = option.value();
            match (option.code, value) {
                (OptionCode::IfTsresol, [resolution, ..]) => clock.tick = Tick::new(*resolution),
                (OptionCode::IfTsoffset, value) => {
                    if let Some(&bytes) = value.first_chunk::<8>() {
                        clock.offset = if big_endian {
                            i64::from_be_bytes(bytes)
                        } else {
                            i64::from_le_bytes(bytes)
                        };
                    }
                }
                _ => {}
            }
        }
        clock
    }

    /// The time after so many ticks; saturates at the ends of the range.
    fn time(&self, ticks: u64) -> Timestamp {
        let nanos = match self.tick {
            Tick::Nanos(nanos) => ticks.saturating_mul(nanos),
            Tick::Fraction(parts) => ticks / parts.max(1),
            Tick::Binary(power) => {
                let nanos =
                    u128::from(ticks).saturating_mul(u128::from(NANOS_PER_SECOND.unsigned_abs()));
                u64::try_from(nanos.checked_shr(power).unwrap_or(0)).unwrap_or(u64::MAX)
            }
        };
        let offset = i128::from(self.offset).saturating_mul(i128::from(NANOS_PER_SECOND));
        let nanos = i128::from(nanos).saturating_add(offset);
        let limit = if nanos < 0 { i64::MIN } else { i64::MAX };
        Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(limit))
    }
}

impl Tick {
    /// From the `if_tsresol` option: the top bit chooses powers of 2, otherwise powers of 10, both negative.
    fn new(resolution: u8) -> Self {
        const NANO: u32 = 9;
        let power = u32::from(resolution & 0x7f);
        if resolution & 0x80 != 0 {
            Self::Binary(power)
        } else if power <= NANO {
            Self::Nanos(10_u64.pow(NANO.saturating_sub(power)))
        } else {
            // So short a tick that all of them together make no nanosecond.
            let vanishing = Self::Binary(u32::from(u8::MAX));
            let parts = 10_u64.checked_pow(power.saturating_sub(NANO));
            parts.map_or(vanishing, Self::Fraction)
        }
    }
}

#[cfg(test)]
mod tests;
