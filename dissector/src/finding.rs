//! Anything worth telling about a capture: one table of codes, used in JSON, text and documentation alike.

use std::fmt;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know; nothing is wrong with the traffic.
    Info,
    /// Unusual, or something could not be judged.
    Warn,
    /// Something failed, or bytes break the protocol.
    Error,
}

impl Severity {
    /// The lower-case name used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

macro_rules! codes {
    ($($variant:ident $name:literal $severity:ident $meaning:literal $advice:literal;)*) => {
        /// What a finding is about. The snake_case names are stable: scripts may rely on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// All codes, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How much it matters.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What it means, in one line.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// What to do about it, in one line.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }
        }
    };
}

codes! {
    UnknownType "unknown_type" Warn "The message type is in no table." "Check the server's release; the bytes are shown raw.";
    UnknownTag "unknown_tag" Warn "A floating field's tag is in no table." "Check the sender's release; the data is shown raw.";
    ForeignTag "foreign_tag" Info "The tag is known, but no table gives it to this message." "Usually a newer or sister product; the field is decoded.";
    NewerThanSession "newer_than_session" Warn "A message or field is younger than the version the session was opened with." "Check which version the client asked for in OPEN_REQ.";
    UnknownValue "unknown_value" Info "An enumerated field holds a number, or a mask holds bits, that its table does not list." "Check the sender's release; the number is shown.";
    FieldLength "field_length" Warn "A field's length does not suit its type." "The data is shown raw; suspect the sender.";
    FieldTooLong "field_too_long" Warn "A field is longer than the protocol allows." "Servers answer this with status 23; suspect the sender.";
    DuplicateField "duplicate_field" Warn "A floating field that may appear once appears again." "Suspect the sender; all values are shown.";
    CountMismatch "count_mismatch" Warn "A counter does not agree with the number of list entries." "Servers answer this with status 77 or 78 for named variables and arrays.";
    FixedPartShort "fixed_part_short" Error "The message ends inside its fixed part." "Suspect another protocol version, or a sender's fault.";
    UnreadBytes "unread_bytes" Warn "Bytes at the end of the message could not be decoded." "They are shown raw with their offset; suspect another protocol version.";
    MessageTooLong "message_too_long" Warn "The message is longer than the 12500 bytes that the protocol allows." "Suspect the sender; the message is decoded all the same.";
    OtherLayout "other_layout" Info "The body fits another known layout of the message, not the usual one." "Decoded by that layout; see `ctishark explain` for its origin.";
    OtherVersionLayout "other_version_layout" Info "The body fits the layout of another protocol version." "Decoded by that version's layout; compare the releases of both ends.";
    OtherNumbering "other_numbering" Info "The message type follows another edition's numbering." "Network recording messages are numbered in two ways; the body decided.";
    CutMessage "cut_message" Warn "Part of the message is not in the capture: bytes are missing, the snap length cut its packet, or the capture ends." "What was captured is decoded; fields behind the cut are not shown.";
    PlaceInferred "place_inferred" Info "The message stands between missing bytes; its place was found by its content, and nothing else confirms it." "Almost always right; content that looks like messages could deceive here.";
    EncryptedSession "encrypted_session" Info "The connection is encrypted (TLS): its messages cannot be read." "Capture on the plain port, or where TLS ends.";
    VersionInferred "version_inferred" Info "OPEN_REQ was not captured; the protocol version was inferred from the messages." "Force it with --protocol-version if you know better.";
    VersionUnknown "version_unknown" Warn "OPEN_REQ names a protocol version that the tables do not know." "Decoded with the nearest known version.";
    VersionUndecided "version_undecided" Warn "The protocol version could not be told from the messages; the newest that fits is assumed." "Force it with --protocol-version.";
    OneDirection "one_direction" Info "Only one direction of the connection was captured." "Check the mirror port; answers cannot be matched.";
    AnswerWithoutRequest "answer_without_request" Warn "An answer has no open request with its InvokeID." "Normal right after a capture's start, a gap or a failover.";
    WrongAnswer "wrong_answer" Warn "The answer is of another kind than the request asks for." "Suspect the server, or an InvokeID used twice.";
    InvokeIdReused "invoke_id_reused" Warn "A request uses the InvokeID of one that is still open." "Answers cannot be told apart for sure; suspect the client.";
    BufferLimit "buffer_limit" Warn "A memory limit was reached: something was shown before all was known about it." "See the limits in the documentation.";
    CaptureCutOff "capture_cut_off" Warn "The capture file ends inside a packet." "The file was still being written, or copied in part.";
    CaptureDamaged "capture_damaged" Warn "Part of the capture file makes no sense and was skipped." "Try to capture or copy it again.";
    PacketsCut "packets_cut" Warn "Packets were captured in part only (snap length)." "Capture with a larger snap length.";
    UnknownLinkType "unknown_link_type" Warn "Packets of a link type that is not supported were skipped." "Convert the capture, or capture on another interface.";
    FragmentsIncomplete "fragments_incomplete" Warn "IP fragments never became whole packets." "Some fragments are missing from the capture.";
    CaptureRepeated "capture_repeated" Info "A capture was given more than once: all its bytes are in another one too." "It is read once; nothing is missing.";
    CapturesOverlap "captures_overlap" Info "Captures cover the same time; they were merged packet by packet." "Expected of captures from several places; of one ring buffer's files it is odd.";
    CapturesMissing "captures_missing" Warn "Numbers are missing among the files of a ring buffer." "Look for the files that are named; what they hold is shown as gaps.";
    DuplicatePackets "duplicate_packets" Info "Packets were captured more than once, on several interfaces or VLANs or inside and outside a tunnel." "Nothing; each counts once.";
    NestedTooDeep "nested_too_deep" Warn "Packets have more tunnels inside each other than are followed." "Capture nearer to the server, where fewer are around.";
    ForeignPdu "foreign_pdu" Warn "Packets that Wireshark exported do not tell where in a TCP stream they belong." "Export IP packets instead (`tshark -U IP`).";
    ConflictingRetransmission "conflicting_retransmission" Warn "Bytes were sent again with another value." "The first copy is shown; suspect a middlebox or a damaged capture.";
}

impl Code {
    /// Whether it is about one message, and stands with it; others are about sessions and captures.
    #[must_use]
    pub const fn is_about_a_message(self) -> bool {
        matches!(
            self,
            Self::UnknownType
                | Self::UnknownTag
                | Self::ForeignTag
                | Self::NewerThanSession
                | Self::UnknownValue
                | Self::FieldLength
                | Self::FieldTooLong
                | Self::DuplicateField
                | Self::CountMismatch
                | Self::FixedPartShort
                | Self::UnreadBytes
                | Self::MessageTooLong
                | Self::OtherLayout
                | Self::OtherVersionLayout
                | Self::OtherNumbering
                | Self::CutMessage
                | Self::PlaceInferred
                | Self::VersionUnknown
                | Self::AnswerWithoutRequest
                | Self::WrongAnswer
                | Self::InvokeIdReused
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A finding about one message, with the place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub code: Code,
    /// What was seen.
    pub text: String,
    /// Bytes from the beginning of the message, header included.
    pub offset: Option<usize>,
}

impl Finding {
    /// A finding without a place.
    #[must_use]
    pub fn new(code: Code, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            offset: None,
        }
    }

    /// A finding at an offset from the beginning of the message.
    #[must_use]
    pub fn at(code: Code, offset: usize, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            offset: Some(offset),
        }
    }
}
