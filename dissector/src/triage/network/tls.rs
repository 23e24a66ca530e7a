//! TLS records as far as they show in plain text: whether the handshake got anywhere.

use smallvec::SmallVec;

/// Bytes of a record header.
const HEADER: usize = 5;
/// Content type of alerts.
const ALERT: u8 = 21;
/// Content type of handshake messages.
const HANDSHAKE: u8 = 22;
/// Content type of application data; TLS 1.3 sends most of its handshake so.
const APPLICATION_DATA: u8 = 23;
/// Body of an alert as TLS 1.3 encrypts it: level, description, type, tag.
const ENCRYPTED_ALERT: usize = 19;
/// Level, description.
const PLAIN_ALERT: usize = 2;

/// How a handshake ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsEnd {
    /// An alert that could be read, and whether the client sent it.
    pub alert: Option<(u8, bool)>,
    /// The server answered with TLS at all.
    pub answered: bool,
    /// The client ended the connection.
    pub by_client: bool,
}

/// Name of an alert (RFC 8446, section 6).
pub fn alert_name(description: u8) -> &'static str {
    match description {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        109 => "missing_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "unknown alert",
    }
}

/// Whether a stream begins as TLS does.
pub(super) fn is_handshake(payload: &[u8]) -> bool {
    matches!(payload, [HANDSHAKE, 3, minor, ..] if *minor <= 4)
}

/// Whether a stream begins with an alert.
pub(super) fn is_alert(payload: &[u8]) -> bool {
    matches!(payload, [ALERT, 3, minor, 0, 2, ..] if *minor <= 4)
}

/// The records of one direction. Fed in order; it gives up for good when something is missing.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// Bytes of the record under way that are still to come.
    left: usize,
    /// Its header, as far as it came; then its first bytes, for alerts.
    head: SmallVec<[u8; 8]>,
    /// Records of application data that are no alert in disguise.
    pub data: u32,
    /// Description of the last plain alert.
    pub alert: Option<u8>,
    /// Something was missing.
    pub lost: bool,
}

impl Records {
    /// The next bytes of the direction.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.lost {
            if self.left == 0 || self.head.len() < HEADER {
                if self.head.len() >= HEADER {
                    self.head.clear();
                }
                let missing = HEADER.saturating_sub(self.head.len());
                let (part, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
                self.head.extend_from_slice(part);
                bytes = rest;
                if let [kind, 3, _, high, low] = self.head.as_slice() {
                    let length = usize::from(u16::from_be_bytes([*high, *low]));
                    self.left = length;
                    if *kind == APPLICATION_DATA && length != ENCRYPTED_ALERT {
                        self.data = self.data.saturating_add(1);
                    }
                } else if self.head.len() >= HEADER {
                    self.lost = true;
                }
                continue;
            }
            let (part, rest) = bytes.split_at_checked(self.left).unwrap_or((bytes, &[]));
            let room = (HEADER + PLAIN_ALERT).saturating_sub(self.head.len());
            self.head
                .extend_from_slice(part.get(..room).unwrap_or(part));
            self.left = self.left.saturating_sub(part.len());
            if let [ALERT, 3, _, 0, 2, _, description] = self.head.as_slice() {
                self.alert = Some(*description);
            }
            bytes = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(pieces: &[&[u8]]) -> Records {
        let mut records = Records::default();
        for piece in pieces {
            records.feed(piece);
        }
        records
    }

    #[test]
    fn records_are_told_however_they_are_cut() {
        let bytes: Vec<u8> = [
            &[22, 3, 1, 0, 3, 1, 2, 3][..],
            &[23, 3, 3, 0, 4, 9, 9, 9, 9],
            &[21, 3, 3, 0, 2, 2, 48],
        ]
        .concat();
        let one_by_one: Vec<&[u8]> = bytes.chunks(1).collect();
        for pieces in [vec![bytes.as_slice()], one_by_one] {
            let records = fed(&pieces);
            assert_eq!(
                (records.data, records.alert, records.lost),
                (1, Some(48), false)
            );
        }
    }

    #[test]
    fn an_encrypted_alert_is_no_data_and_nonsense_ends_it() {
        let mut alert = vec![23, 3, 3, 0, 19];
        alert.extend([7; 19]);
        assert_eq!(fed(&[&alert]).data, 0);
        assert!(fed(&[b"GET / HTTP"]).lost);
    }
}
