//! Pseudonyms: of texts, numbers and addresses, each of the same length and alphabet as what it stands for, and the same one
//! wherever that stands.

mod spelling;

use super::permute::Permutation;
use crate::limits::MAX_PSEUDONYMS;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Gives pseudonyms by a key.
pub(super) struct Pseudonyms {
    permutation: Permutation,
    words: HashMap<Box<[u8]>, Box<[u8]>>,
    addresses: HashMap<IpAddr, IpAddr>,
    hardware: HashMap<[u8; 6], [u8; 6]>,
    /// By number and bound.
    numbers: HashMap<(u32, u32), u32>,
}

impl Pseudonyms {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self {
            permutation: Permutation::new(key),
            words: HashMap::new(),
            addresses: HashMap::new(),
            hardware: HashMap::new(),
            numbers: HashMap::new(),
        }
    }

    /// Replaces a text word by word. What is neither letter nor digit stays: `20101;5550177` is two words, and each becomes
    /// what it becomes alone. An IPv4 address is one word, and becomes what it is in packets.
    pub(super) fn text(&mut self, text: &mut [u8]) {
        self.words_of(text, false);
    }

    /// Replaces a value that should be an address or hold one, in whatever spelling; what is none is a text like others.
    pub(super) fn address_text(&mut self, data: &mut [u8]) {
        self.words_of(data, true);
    }

    /// `addresses` says that what looks like an IPv6 address is one. Elsewhere `1001::2002` may be two extensions, of which an address
    /// would keep the zeros.
    fn words_of(&mut self, text: &mut [u8], addresses: bool) {
        let mut rest = text;
        while !rest.is_empty() {
            let len = match self.address_at(rest, addresses) {
                Some(fake) => {
                    let (word, _) = rest.split_at_mut(fake.len());
                    word.copy_from_slice(&fake);
                    fake.len()
                }
                None => {
                    let len = rest.iter().take_while(|b| is_word(**b)).count();
                    let (word, _) = rest.split_at_mut(len);
                    self.word(word);
                    len
                }
            };
            // What parts words; a dot after digits was looked at already. An address may begin with colons.
            let (_, behind) = rest.split_at_mut(len);
            let may_begin = |at: usize| {
                let begins = behind.get(at..).is_some_and(|b| b.starts_with(b"::"));
                addresses && at.saturating_add(len) > 0 && begins
            };
            let apart = (0..)
                .zip(behind.iter())
                .take_while(|(at, byte)| !is_word(**byte) && !may_begin(*at))
                .count();
            (_, rest) = behind.split_at_mut(apart);
        }
    }

    /// What stands for the address at the beginning of a text, in the same spelling.
    fn address_at(&mut self, text: &[u8], six: bool) -> Option<Vec<u8>> {
        if six && let Some((len, address)) = spelling::six(text) {
            let fake = self.address(IpAddr::V6(address));
            let spelled = match fake {
                IpAddr::V6(fake) => spelling::like(text.get(..len)?, fake),
                IpAddr::V4(_) => None,
            };
            // Where it cannot be spelled alike, its words are replaced like any others.
            if spelled.is_some() {
                return spelled;
            }
        }
        let (len, address) = spelling::four(text)?;
        let fake = self.address(IpAddr::V4(address)).to_string().into_bytes();
        Some(if fake.len() == len {
            fake
        } else {
            vec![b'0'; len]
        })
    }

    /// Replaces bytes that may be anything: text as text, others as they are.
    pub(super) fn bytes(&mut self, data: &mut [u8]) {
        if is_text(data) {
            self.text(data);
            return;
        }
        let radices = vec![256; data.len()];
        // What looks like a text is the pseudonym of one. Going on comes back to the bytes themselves at the latest.
        loop {
            let mut digits: Vec<u32> = data.iter().map(|b| u32::from(*b)).collect();
            self.permutation.apply(b"bytes", &radices, &mut digits);
            for (byte, digit) in data.iter_mut().zip(digits) {
                *byte = low_byte(digit);
            }
            if !is_text(data) {
                return;
            }
        }
    }

    /// Another number of as many decimal digits, and not above `most`.
    pub(super) fn number(&mut self, number: u32, most: u32) -> u32 {
        if let Some(fake) = self.numbers.get(&(number, most)) {
            return *fake;
        }
        let fake = self.another_number(number, most);
        remember(&mut self.numbers, (number, most), fake);
        fake
    }

    fn another_number(&self, number: u32, most: u32) -> u32 {
        if number == 0 || number > most {
            return number;
        }
        let mut digits: Vec<u32> = number
            .to_string()
            .bytes()
            .map(|b| u32::from(b - b'0'))
            .collect();
        let mut radices = vec![10; digits.len()];
        if let Some(first) = radices.first_mut() {
            // No number begins with 0.
            *first = 9;
        }
        let value = |digits: &[u32]| {
            let value = digits
                .iter()
                .fold(0_u64, |value, digit| value * 10 + u64::from(*digit));
            u32::try_from(value).ok().filter(|value| *value <= most)
        };
        let shift = |digits: &mut Vec<u32>, up: bool| {
            if let Some(first) = digits.first_mut() {
                *first = if up {
                    first.saturating_add(1)
                } else {
                    first.saturating_sub(1)
                };
            }
        };
        shift(&mut digits, false);
        let all_fit = u64::from(most)
            >= 10_u64.saturating_pow(u32::try_from(radices.len()).unwrap_or(u32::MAX)) - 1;
        if all_fit {
            self.permutation.apply(b"number", &radices, &mut digits);
            shift(&mut digits, true);
            return value(&digits).unwrap_or_default();
        }
        // Going on until it fits: one to one as well, since it would come back to the number itself. One in three to one in ten fits.
        for _ in 0..1024 {
            self.permutation.network(b"number", &radices, &mut digits);
            let mut shown = digits.clone();
            shift(&mut shown, true);
            if let Some(value) = value(&shown) {
                return value;
            }
        }
        0
    }

    /// The number that stands for a phone number which is kept as one: the same digits as in texts.
    pub(super) fn phone(&mut self, number: u32, most: u32) -> u32 {
        let before = number.to_string();
        let mut text = before.clone().into_bytes();
        self.text(&mut text);
        let fake = std::str::from_utf8(&text).ok();
        fake.filter(|fake| !fake.starts_with('0'))
            .and_then(|fake| fake.parse().ok())
            .filter(|fake| *fake <= most)
            .unwrap_or_else(|| self.number(number, most))
    }

    /// Replaces a hardware address, but for the one of all and none at all. Groups stay groups.
    pub(super) fn hardware(&mut self, address: &mut [u8]) {
        let Some(place) = address.first_chunk_mut::<6>() else {
            return;
        };
        let before = *place;
        if let Some(fake) = self.hardware.get(&before) {
            *place = *fake;
            return;
        }
        // Going on past those that stay: they would stand for two.
        while !stays(&before) {
            self.another_hardware(place);
            if !stays(place) {
                break;
            }
        }
        remember(&mut self.hardware, before, *place);
    }

    fn another_hardware(&self, address: &mut [u8; 6]) {
        let [first, rest @ ..] = address;
        let mut radices = vec![64];
        let mut digits = vec![u32::from(*first >> 2)];
        radices.extend(rest.iter().map(|_| 256));
        digits.extend(rest.iter().map(|b| u32::from(*b)));
        self.permutation.apply(b"hardware", &radices, &mut digits);
        let mut digits = digits.into_iter();
        *first = low_byte(digits.next().unwrap_or(0) << 2) | *first & 3;
        for (byte, digit) in rest.iter_mut().zip(digits) {
            *byte = low_byte(digit);
        }
    }

    /// Another address. Those of one network stay in one network, private ones private; its text is as long as before.
    pub(super) fn address(&mut self, address: IpAddr) -> IpAddr {
        if let Some(fake) = self.addresses.get(&address) {
            return *fake;
        }
        let fake = match address {
            IpAddr::V4(four) => IpAddr::V4(self.four(four)),
            IpAddr::V6(six) => match six.to_ipv4_mapped() {
                Some(four) => IpAddr::V6(self.four(four).to_ipv6_mapped()),
                None => IpAddr::V6(self.six(six)),
            },
        };
        remember(&mut self.addresses, address, fake);
        fake
    }

    /// Byte by byte, each by an order that depends on those before it.
    fn four(&self, address: Ipv4Addr) -> Ipv4Addr {
        let is_special = address.is_unspecified() || address.is_loopback();
        if is_special || address.is_multicast() || address.is_broadcast() {
            return address;
        }
        let octets = address.octets();
        let mut fake = [0; 4];
        for (index, (from, to)) in octets.iter().zip(&mut fake).enumerate() {
            let before = octets.get(..index).unwrap_or_default();
            let set: Vec<u8> = (0..=u8::MAX)
                .filter(|o| are_alike(before, *from, *o))
                .collect();
            let place = set.iter().position(|o| o == from).unwrap_or(0);
            let context = [b"four", before, &[set.first().copied().unwrap_or(0)]].concat();
            let next = self.permutation.successor(
                &context,
                u32::try_from(set.len()).unwrap_or(1),
                u32::try_from(place).unwrap_or(0),
            );
            let next = usize::try_from(next).ok().and_then(|n| set.get(n));
            *to = next.copied().unwrap_or(0);
        }
        fake.into()
    }

    /// Half a byte at a time. Zeros stay, so that the text is as long; so does what tells the kind of address.
    fn six(&self, address: Ipv6Addr) -> Ipv6Addr {
        if address.is_unspecified() || address.is_loopback() || address.is_multicast() {
            return address;
        }
        let octets = address.octets();
        let nibbles: Vec<u8> = octets.iter().flat_map(|o| [o >> 4, o & 15]).collect();
        let kept = match octets {
            [0xfe, 0x80, ..] => 4,
            [0xfc | 0xfd, ..] => 2,
            _ => 1,
        };
        let fake: Vec<u8> = nibbles
            .iter()
            .enumerate()
            .map(|(index, nibble)| {
                if index < kept || *nibble == 0 {
                    return *nibble;
                }
                let before = nibbles.get(..index).unwrap_or_default();
                let context = [b"six-", before].concat();
                let next = self
                    .permutation
                    .successor(&context, 15, u32::from(*nibble - 1));
                low_byte(next).saturating_add(1)
            })
            .collect();
        let mut octets = [0; 16];
        for (octet, pair) in octets.iter_mut().zip(fake.as_chunks::<2>().0) {
            let [high, low] = pair;
            *octet = high << 4 | low;
        }
        octets.into()
    }

    /// Replaces a word, letter by letter and digit by digit, but all of it together.
    fn word(&mut self, word: &mut [u8]) {
        if word.is_empty() {
            return;
        }
        if let Some(fake) = self.words.get(&*word) {
            if fake.len() == word.len() {
                word.copy_from_slice(fake);
            }
            return;
        }
        let before: Box<[u8]> = (&*word).into();
        let alphabets = alphabets(word);
        let radices: Vec<u32> = alphabets.iter().map(|a| a.size).collect();
        let mut digits: Vec<u32> = word
            .iter()
            .zip(&alphabets)
            .map(|(byte, a)| u32::from(byte.wrapping_sub(a.first)))
            .collect();
        let shape: Vec<u8> = alphabets
            .iter()
            .flat_map(|a| [a.first, low_byte(a.size)])
            .collect();
        let context = [b"word", &*shape].concat();
        self.permutation.apply(&context, &radices, &mut digits);
        for ((byte, digit), alphabet) in word.iter_mut().zip(digits).zip(&alphabets) {
            *byte = alphabet.first.wrapping_add(low_byte(digit));
        }
        remember(&mut self.words, before, (&*word).into());
    }
}

/// Remembers one more, or begins anew when there are too many.
fn remember<K: Hash + Eq, V>(known: &mut HashMap<K, V>, key: K, value: V) {
    if known.len() >= MAX_PSEUDONYMS {
        known.clear();
    }
    known.insert(key, value);
}

/// The bytes that may stand in a place.
#[derive(Clone, Copy)]
struct Alphabet {
    first: u8,
    size: u32,
}

/// For each byte of a word, those that it may become. What was UTF-8 stays so: the bytes that begin its letters stay.
fn alphabets(word: &[u8]) -> Vec<Alphabet> {
    let is_utf8 = std::str::from_utf8(word).is_ok();
    let mut before = 0;
    word.iter()
        .map(|byte| {
            let (first, size) = match (byte, before) {
                (b'0'..=b'9', _) => (b'0', 10),
                (b'a'..=b'z', _) => (b'a', 26),
                (b'A'..=b'Z', _) => (b'A', 26),
                (1..=8, _) => (1, 8),
                (0x0b | 0x0c, _) => (0x0b, 2),
                (0x0e..=0x1f, _) => (0x0e, 18),
                (0xc0.., _) if is_utf8 => (*byte, 1),
                (0x80..=0xbf, 0xe0) if is_utf8 => (0xa0, 32),
                (0x80..=0xbf, 0xed) if is_utf8 => (0x80, 32),
                (0x80..=0xbf, 0xf0) if is_utf8 => (0x90, 48),
                (0x80..=0xbf, 0xf4) if is_utf8 => (0x80, 16),
                (0x80..=0xbf, _) => (0x80, 64),
                (0xc0.., _) => (0xc0, 64),
                _ => (*byte, 1),
            };
            before = *byte;
            Alphabet { first, size }
        })
        .collect()
}

fn is_text(data: &[u8]) -> bool {
    data.iter().all(|b| matches!(b, 0 | 0x20..=0x7e))
}

/// Letters, digits, and what is no text: digits may be written as bytes from 0 to 9.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || is_control(byte)
}

/// Control characters but those that part words and lines.
pub(super) const fn is_control(byte: u8) -> bool {
    matches!(byte, 1..=8 | 0x0b | 0x0c | 0x0e..=0x1f)
}

/// Whether one byte of an IPv4 address may become another: as many digits, and private where the address is.
fn are_alike(before: &[u8], one: u8, other: u8) -> bool {
    let digits = |o: u8| match o {
        0..=9 => 1,
        10..=99 => 2,
        _ => 3,
    };
    let kind = |o: u8| match (before, o) {
        // Each of these is a kind of its own.
        ([], 0 | 10 | 127 | 169 | 172 | 192 | 224..=239 | 255) => u32::from(o) + 1,
        // Multicast is not for others, nor are no address and that of all.
        ([], 240..) => 300,
        ([0] | [0, 0] | [0, 0, 0], 0) | ([255] | [255, 255] | [255, 255, 255], 255) => 1,
        ([172], 16..=31) | ([192], 168) | ([169], 254) => 1,
        _ => 0,
    };
    digits(one) == digits(other) && kind(one) == kind(other)
}

/// Whether a hardware address says nothing about anybody.
const fn stays(address: &[u8; 6]) -> bool {
    matches!(
        address,
        [0, 0, 0, 0, 0, 0] | [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
    )
}

fn low_byte(number: u32) -> u8 {
    let [byte, ..] = number.to_le_bytes();
    byte
}

#[cfg(test)]
mod tests;
