//! Text that needs no escape anywhere: most of what captures hold, so it is told apart many bytes at a time.

/// So many bytes are judged at once, by vector instructions where the machine has them.
const STEP: usize = 16;

/// Length of the longest beginning that is printable ASCII without quotes and backslashes.
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let (chunks, _) = bytes.as_chunks::<STEP>();
    let clean = chunks.iter().take_while(|chunk| is_plain(chunk)).count();
    let start = clean * STEP;
    let rest = bytes.get(start..).unwrap_or_default();
    start
        + rest
            .iter()
            .position(|b| special(*b) != 0)
            .unwrap_or(rest.len())
}

fn is_plain(chunk: &[u8; STEP]) -> bool {
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
            for at in 0..40 {
                let mut bytes = [b'x'; 40];
                bytes[at] = byte;
                assert_eq!(plain_length(&bytes), if plain { 40 } else { at });
            }
        }
        assert_eq!(plain_length(b""), 0);
    }
}
