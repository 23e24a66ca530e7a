//! Text that needs no escape anywhere: most of what captures hold, so it is told apart many bytes at a time.

/// Length of the longest beginning that is printable ASCII without quotes and backslashes.
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    if is_plain(bytes) {
        return bytes.len();
    }
    let special = bytes.iter().position(|b| special(*b) != 0);
    special.unwrap_or(bytes.len())
}

/// Whether nothing needs an escape. The last step may go over bytes once more that the one before has seen.
fn is_plain(bytes: &[u8]) -> bool {
    let (chunks, rest) = bytes.as_chunks::<16>();
    if !chunks.iter().all(are_plain) {
        return false;
    }
    if rest.is_empty() {
        return true;
    }
    if let Some(last) = bytes.last_chunk::<16>() {
        return are_plain(last);
    }
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => are_plain(first) && are_plain(last),
        _ => bytes.iter().all(|b| special(*b) == 0),
    }
}

fn are_plain<const N: usize>(chunk: &[u8; N]) -> bool {
    // No way out of the loop before its end: that is what lets it become vector instructions.
    let mut any = 0;
    for byte in chunk {
        any |= special(*byte);
    }
    any == 0
}

/// 1 for a byte that may need an escape.
fn special(byte: u8) -> u8 {
    u8::from(byte.wrapping_sub(0x20) > 0x5E) | u8::from(byte == b'"') | u8::from(byte == b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_special_byte_ends_it_wherever_it_stands() {
        for byte in 0..=255_u8 {
            let plain = matches!(byte, 0x20..=0x7E) && byte != b'"' && byte != b'\\';
            for length in [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40] {
                for at in 0..length {
                    let mut bytes = vec![b'x'; length];
                    bytes[at] = byte;
                    assert_eq!(plain_length(&bytes), if plain { length } else { at });
                }
            }
        }
        assert_eq!(plain_length(b""), 0);
    }
}
