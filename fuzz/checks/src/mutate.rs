//! Inputs changed a little, always in the same way for the same seed: what a fuzzer would try first.

use crate::input::Random;

/// Numbers at which code tends to decide something.
const NUMBERS: [u32; 12] = [
    0,
    1,
    7,
    8,
    0x7F,
    0xFF,
    0x100,
    0xFFFF,
    0x1_0000,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
];

/// The input with a few changes; `other` lends parts.
pub fn mutate(input: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let longest = [4, 16, 256][random.below(3)];
        let len = random.below(longest);
        let end = (at + len).min(bytes.len());
        match random.below(8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let copy = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, copy));
            }
            3 => {
                let from = random.below(other.len() + 1);
                let part = &other[from..(from + len).min(other.len())];
                drop(bytes.splice(at..end, part.iter().copied()));
            }
            4 => {
                let number = NUMBERS[random.below(NUMBERS.len())];
                let number = match random.below(4) {
                    0 => vec![number as u8],
                    1 => (number as u16).to_be_bytes().to_vec(),
                    2 => number.to_le_bytes().to_vec(),
                    _ => number.to_be_bytes().to_vec(),
                };
                for (to, from) in bytes.iter_mut().skip(at).zip(number) {
                    *to = from;
                }
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
    bytes
}
