//! Protocol versions and what depends on them alone.

/// The first protocol version whose layouts are known.
pub const OLDEST: u8 = 5;
/// The last protocol version whose layouts are known.
pub const NEWEST: u8 = 25;

/// A protocol version as OPEN_REQ states it. Any number is legal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtocolVersion(pub u32);

impl ProtocolVersion {
    /// The nearest version whose layouts are known.
    #[must_use]
    pub fn known(self) -> u8 {
        u8::try_from(self.0).unwrap_or(NEWEST).clamp(OLDEST, NEWEST)
    }

    /// Whether the tables know this very version.
    #[must_use]
    pub fn is_known(self) -> bool {
        u32::from(self.known()) == self.0
    }

    /// How floating fields are written.
    #[must_use]
    pub fn floating_header(self) -> FloatingHeader {
        if self.known() < 20 {
            FloatingHeader::Narrow
        } else {
            FloatingHeader::Wide
        }
    }
}

impl std::fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Width of a floating field's tag and length. Another dialect may mix the widths; it would be one more case here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FloatingHeader {
    /// One byte each: versions below 20.
    Narrow,
    /// Two bytes each: version 20 and later.
    Wide,
}

impl FloatingHeader {
    /// Bytes of tag and length together.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Narrow => 2,
            Self::Wide => 4,
        }
    }
}

/// A protocol version and what it brought.
#[derive(Debug, PartialEq, Eq)]
pub struct VersionInfo {
    /// The number in OPEN_REQ.
    pub number: u8,
    /// The product release that speaks it, where stated.
    pub release: Option<&'static str>,
    /// What changed, a line each.
    pub changes: &'static [&'static str],
    /// Remarks.
    pub notes: &'static [&'static str],
}
