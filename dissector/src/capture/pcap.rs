//! The classic pcap format: one header, then records. Microseconds or nanoseconds, either byte order, and the variant with
//! longer record headers ("modified" pcap, little-endian).

use super::record::{Record, Step};
use super::{length, offset, size};
use crate::limits;
use crate::time::{NANOS_PER_SECOND, Timestamp};
use nom::Needed;
use pcap_parser::PcapError;
use pcap_parser::nom;
use pcap_parser::pcap::{
    LegacyPcapBlock, PcapHeader, parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified,
    parse_pcap_header,
};

type Parse =
    for<'a> fn(&'a [u8]) -> nom::IResult<&'a [u8], LegacyPcapBlock<'a>, PcapError<&'a [u8]>>;

/// Length of the file header (bytes).
pub(super) const FILE_HEADER: usize = 24;
/// The link type's bits in its field; those above describe the frame check sequence.
const LINK_TYPE_MASK: u32 = 0x03ff_ffff;
/// When searching for a record in damaged data, its time may differ that much from the last sound record's (seconds).
const PLAUSIBLE_TIME_STEP: u32 = 24 * 60 * 60;

/// A pcap file after its header.
pub(super) struct Pcap {
    parse: Parse,
    big_endian: bool,
    record_header: usize,
    /// What the fraction field counts in (nanoseconds).
    fraction: i64,
    link_type: u32,
    /// Seconds of the last record; `None` before the first.
    last: Option<u32>,
    /// Seconds of the last record that was near to the one before it: damage may pass for a record, but not twice alike.
    trusted: Option<u32>,
}

/// Whether the file starts like a pcap file that can be read.
pub(super) fn recognise(data: &[u8]) -> bool {
    matches!(
        data,
        [0xd4, 0xc3, 0xb2, 0xa1, ..]
            | [0x4d, 0x3c, 0xb2, 0xa1, ..]
            | [0xa1, 0xb2, 0xc3, 0xd4, ..]
            | [0xa1, 0xb2, 0x3c, 0x4d, ..]
            | [0x34, 0xcd, 0xb2, 0xa1, ..]
    )
}

impl Pcap {
    /// Reads the file header; `None` if it is none or of a version that never was.
    pub(super) fn new(data: &[u8]) -> Option<Self> {
        let (_, header) = parse_pcap_header(data).ok()?;
        if header.version_major != 2 {
            return None;
        }
        let (parse, record_header): (Parse, _) = if header.is_modified_format() {
            (parse_pcap_frame_modified, 24)
        } else if header.is_bigendian() {
            (parse_pcap_frame_be, 16)
        } else {
            (parse_pcap_frame, 16)
        };
        Some(Self {
            parse,
            big_endian: header.is_bigendian(),
            record_header,
            fraction: fraction(&header),
            link_type: header.network.0.cast_unsigned() & LINK_TYPE_MASK,
            last: None,
            trusted: None,
        })
    }

    /// What stands at the start of `data`.
    pub(super) fn step(&mut self, data: &[u8]) -> Step {
        if recognise(data) {
            // Two files in one, one after the other. A record that started like this would be of the year 2055, or of
            // later ones that the format cannot express.
            if data.len() < FILE_HEADER {
                return Step::Need(FILE_HEADER);
            }
            if let Some(next) = Self::new(data) {
                *self = next;
                return Step::Skip(offset(FILE_HEADER));
            }
        }
        let record = match (self.parse)(data) {
            Ok((_, record)) => record,
            Err(nom::Err::Incomplete(Needed::Size(missing))) => {
                let needed = data.len().saturating_add(missing.get());
                let too_large = needed > self.record_header.saturating_add(limits::MAX_PACKET);
                return if too_large {
                    Step::Damaged
                } else {
                    Step::Need(needed)
                };
            }
            Err(_) => return Step::Damaged,
        };
        if record.data.len() > limits::MAX_PACKET {
            return Step::Damaged;
        }
        if is_near(record.ts_sec, self.last) {
            self.trusted = Some(record.ts_sec);
        }
        self.last = Some(record.ts_sec);
        Step::Packet(Record {
            time: self.time(record.ts_sec, record.ts_usec),
            interface: 0,
            link_type: self.link_type,
            original_len: record.origlen.max(length(record.data.len())),
            start: self.record_header,
            captured: record.data.len(),
            len: self.record_header.saturating_add(record.data.len()),
        })
    }

    /// Whether a sound record starts at the start of `data`: plausible itself, and followed by another such record or,
    /// with `last` set, by the end of the data.
    pub(super) fn confirm(&self, data: &[u8], last: bool) -> bool {
        let Some(len) = self.plausible(data) else {
            return false;
        };
        match data.get(len..) {
            Some([]) => last,
            Some(next) => self.plausible(next).is_some(),
            None => false,
        }
    }

    /// Length of the record at the start of `data` if its header could be one.
    fn plausible(&self, data: &[u8]) -> Option<usize> {
        let (words, _) = data.as_chunks::<4>();
        let word = |at: usize| {
            let bytes = *words.get(at)?;
            Some(if self.big_endian {
                u32::from_be_bytes(bytes)
            } else {
                u32::from_le_bytes(bytes)
            })
        };
        let (seconds, fraction, captured, original) = (word(0)?, word(1)?, word(2)?, word(3)?);
        let near =
            self.last.is_none() || is_near(seconds, self.last) || is_near(seconds, self.trusted);
        let sound = near
            && i64::from(fraction).saturating_mul(self.fraction) < NANOS_PER_SECOND
            && captured > 0
            && captured <= original
            && size(original) <= limits::MAX_PACKET;
        sound.then(|| self.record_header.saturating_add(size(captured)))
    }

    fn time(&self, seconds: u32, fraction: u32) -> Timestamp {
        let seconds = i64::from(seconds).saturating_mul(NANOS_PER_SECOND);
        Timestamp::from_nanos(
            seconds.saturating_add(i64::from(fraction).saturating_mul(self.fraction)),
        )
    }
}

fn is_near(seconds: u32, other: Option<u32>) -> bool {
    other.is_some_and(|other| seconds.abs_diff(other) <= PLAUSIBLE_TIME_STEP)
}

fn fraction(header: &PcapHeader) -> i64 {
    if header.is_nanosecond_precision() {
        1
    } else {
        1_000
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]

    use super::super::NoteKind;
    use super::super::samples::{MICROS, NANOS, pcap, plain, read, samples};

    #[test]
    fn files_put_one_behind_the_other_are_one_capture() {
        let samples = samples(6);
        let files = [
            plain(&samples[..2]),
            pcap(NANOS, true, 101, &samples[2..4]),
            plain(&samples[4..]),
        ]
        .concat();
        let read = read(&files);
        assert_eq!(
            read.nanos(),
            samples
                .iter()
                .map(|sample| sample.nanos)
                .collect::<Vec<_>>()
        );
        let links: Vec<_> = read.packets.iter().map(|packet| packet.link_type).collect();
        assert_eq!(links, [1, 1, 101, 101, 1, 1]);
        assert!(read.notes.is_empty());
    }

    #[test]
    fn bits_above_the_link_type_are_no_part_of_it() {
        // A frame check sequence of 4 bytes, announced in the upper bits.
        let file = pcap(MICROS, false, 0x2400_0001, &samples(1));
        let file = [&file[..20], &0x4400_0001_u32.to_le_bytes(), &file[24..]].concat();
        assert_eq!(read(&file).packets[0].link_type, 1);
    }

    #[test]
    fn damage_that_passes_for_a_record_does_not_hide_the_records_behind_it() {
        let samples = samples(9);
        let before = plain(&samples[..4]).len();
        let mut file = plain(&samples);
        // Too short a length: packet bytes are taken for the next record.
        file[before + 8] -= 20;
        let read = read(&file);
        let data = read.data();
        assert_eq!(
            data[..4],
            samples[..4]
                .iter()
                .map(|sample| sample.data.clone())
                .collect::<Vec<_>>()
        );
        assert!(
            data.ends_with(
                &samples[5..]
                    .iter()
                    .map(|sample| sample.data.clone())
                    .collect::<Vec<_>>()
            )
        );
        assert!(matches!(
            read.kinds()[0],
            NoteKind::DamageSkipped { places: 1, .. }
        ));
    }
}
