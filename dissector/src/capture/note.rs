//! What is worth telling about an input that was read all the same.

use super::Compression;
use std::fmt;

/// Something found while reading an input that a user should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Index of the input in the order given, from 0; [`Capture::name`](super::Capture::name) gives its name.
    pub input: u32,
    /// What was found.
    pub kind: NoteKind,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

/// The kinds of [`Note`]. Offsets are bytes of the capture, after decompression.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoteKind {
    /// The file ends inside a record.
    CutOff {
        /// Where the unfinished record starts.
        offset: u64,
        /// Packets read before it.
        packets: u64,
    },
    /// The compressed data ends before its end mark.
    CompressionCutOff {
        /// How it is compressed.
        compression: Compression,
        /// How many bytes could be decompressed.
        offset: u64,
        /// Packets read from these.
        packets: u64,
    },
    /// The compressed data cannot be decompressed any further.
    CompressionDamaged {
        /// How it is compressed.
        compression: Compression,
        /// How many bytes could be decompressed.
        offset: u64,
        /// Packets read from these.
        packets: u64,
        /// What the decoder said.
        reason: String,
    },
    /// Records could not be read and were skipped; reading went on behind them, if anything came.
    DamageSkipped {
        /// In how many places.
        places: u64,
        /// How many bytes in all.
        bytes: u64,
        /// Where the first one starts.
        offset: u64,
        /// Packets read before that.
        packets: u64,
    },
    /// Packets with an earlier time than the one before them in the same file; they keep their place.
    ClockWentBack {
        /// How many.
        packets: u64,
    },
    /// Packets of which only the first part was captured (snap length).
    PacketsCut {
        /// How many.
        packets: u64,
    },
    /// Packets of a link type that cannot be read; given once for each link type and input.
    UnknownLinkType {
        /// The LINKTYPE_ number.
        link_type: u32,
        /// Number of the first such packet.
        packet: u64,
    },
}

impl fmt::Display for NoteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutOff { offset, packets } => {
                write!(
                    f,
                    "cut off inside a record at byte {offset}, after {}",
                    Amount(*packets, "packet")
                )
            }
            Self::CompressionCutOff {
                compression,
                offset,
                packets,
            } => {
                write!(
                    f,
                    "{compression} data cut off after {} and {}",
                    Amount(*offset, "decompressed byte"),
                    Amount(*packets, "packet")
                )
            }
            Self::CompressionDamaged {
                compression,
                offset,
                packets,
                reason,
            } => write!(
                f,
                "{compression} data damaged after {} and {}: {reason}",
                Amount(*offset, "decompressed byte"),
                Amount(*packets, "packet")
            ),
            Self::DamageSkipped {
                places,
                bytes,
                offset,
                packets,
            } => write!(
                f,
                "{} skipped in {}, first at byte {offset} after {}",
                Amount(*bytes, "damaged byte"),
                Amount(*places, "place"),
                Amount(*packets, "packet")
            ),
            Self::ClockWentBack { packets } => {
                write!(f, "clock went back before {}", Amount(*packets, "packet"))
            }
            Self::PacketsCut { packets } => {
                write!(f, "{} cut by the snap length", Amount(*packets, "packet"))
            }
            Self::UnknownLinkType { link_type, packet } => {
                write!(
                    f,
                    "link type {link_type} is not supported, first at packet {packet}"
                )
            }
        }
    }
}

/// A count of things in words.
struct Amount(u64, &'static str);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, thing) = self;
        let plural = if *count == 1 { "" } else { "s" };
        write!(f, "{count} {thing}{plural}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_packet_was_told_as_1_packets() {
        let told = |packets| NoteKind::ClockWentBack { packets }.to_string();
        assert_eq!(told(1), "clock went back before 1 packet");
        assert_eq!(told(2), "clock went back before 2 packets");
        let skipped = NoteKind::DamageSkipped {
            places: 1,
            bytes: 1,
            offset: 24,
            packets: 0,
        };
        assert_eq!(
            skipped.to_string(),
            "1 damaged byte skipped in 1 place, first at byte 24 after 0 packets"
        );
    }
}
