//! TCP sequence numbers: the only place that does arithmetic on them.

use crate::capture::Segment;
use crate::limits::MAX_PACKET;

/// A sequence number. It wraps, so it has no order, only a distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SeqNum(u32);

impl SeqNum {
    pub(super) const fn new(raw: u32) -> Self {
        Self(raw)
    }

    pub(super) const fn raw(self) -> u32 {
        self.0
    }

    /// The number `count` further on.
    pub(super) const fn plus(self, count: u32) -> Self {
        Self(self.0.wrapping_add(count))
    }

    /// How far this number is after `other` by serial arithmetic: negative when it is before, between -2^31 and 2^31 - 1.
    pub(super) fn distance_from(self, other: Self) -> i64 {
        i64::from(self.0.wrapping_sub(other.0).cast_signed())
    }

    /// The two numbers are at most `reach` apart.
    pub(super) fn is_near(self, other: Self, reach: u32) -> bool {
        self.distance_from(other).unsigned_abs() <= u64::from(reach)
    }
}

/// Sequence numbers that a segment takes: payload (captured and missing), SYN and FIN.
pub(super) fn seq_len(segment: &Segment<'_>) -> u32 {
    payload_len(segment)
        .saturating_add(u32::from(segment.flags.syn))
        .saturating_add(u32::from(segment.flags.fin))
}

/// Number of the first payload byte.
pub(super) fn payload_start(segment: &Segment<'_>) -> SeqNum {
    SeqNum::new(segment.sequence).plus(u32::from(segment.flags.syn))
}

/// Payload bytes of the segment on the wire.
pub(super) fn payload_len(segment: &Segment<'_>) -> u32 {
    let captured = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX);
    captured.saturating_add(believable_missing(segment))
}

/// Bytes cut off by the snap length; a number that no packet could hold is not believed.
pub(super) fn believable_missing(segment: &Segment<'_>) -> u32 {
    match usize::try_from(segment.missing) {
        Ok(missing) if missing.saturating_add(segment.payload.len()) <= MAX_PACKET => {
            segment.missing
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::at;
    use super::*;

    #[test]
    fn distance_across_the_wrap() {
        let before = SeqNum::new(0xFFFF_FFF0);
        let after = before.plus(0x20);
        assert_eq!(after.raw(), 0x10);
        assert_eq!(after.distance_from(before), 0x20);
        assert_eq!(before.distance_from(after), -0x20);
        assert!(after.is_near(before, 0x20));
        assert!(!after.is_near(before, 0x1F));
    }

    #[test]
    fn opposite_numbers_are_far_and_nothing_overflows() {
        let zero = SeqNum::new(0);
        let far = SeqNum::new(0x8000_0000);
        assert_eq!(far.distance_from(zero), -(1 << 31));
        assert_eq!(zero.distance_from(far), -(1 << 31));
        assert!(!far.is_near(zero, u32::MAX >> 1));
    }

    #[test]
    fn syn_fin_payload_and_missing_bytes_take_numbers() {
        let plain = at(0).payload(b"abc");
        assert_eq!(seq_len(&plain.segment()), 3);
        assert_eq!(seq_len(&plain.clone().missing(7).segment()), 10);
        assert_eq!(seq_len(&plain.clone().missing(7).fin().segment()), 11);
        assert_eq!(seq_len(&plain.syn().missing(7).fin().segment()), 12);
        assert_eq!(seq_len(&at(0).segment()), 0);
    }

    #[test]
    fn missing_bytes_beyond_any_packet_are_not_believed() {
        assert_eq!(
            seq_len(&at(0).payload(b"abc").missing(u32::MAX).segment()),
            3
        );
    }
}
