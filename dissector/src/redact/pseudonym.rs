//! Pseudonyms: of texts, numbers and addresses, each of the same length and alphabet as what it stands for, and the same one
//! wherever that stands.

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
        let mut rest = text;
        while !rest.is_empty() {
            let len = match address_len(rest) {
                Some((len, address)) => {
                    let fake = self.address(IpAddr::V4(address)).to_string();
                    let (word, _) = rest.split_at_mut(len);
                    if fake.len() == word.len() {
                        word.copy_from_slice(fake.as_bytes());
                    } else {
                        word.fill(b'0');
                    }
                    len
                }
                None => {
                    let len = rest.iter().take_while(|b| is_word(**b)).count();
                    let (word, _) = rest.split_at_mut(len);
                    self.word(word);
                    len
                }
            };
            // What parts words; a dot after digits was looked at already.
            let (_, behind) = rest.split_at_mut(len);
            let apart = behind.iter().take_while(|b| !is_word(**b)).count();
            (_, rest) = behind.split_at_mut(apart);
        }
    }

    /// Replaces a value that should be an address, and is treated as any text if it is none.
    pub(super) fn address_text(&mut self, data: &mut [u8]) {
        let end = data.iter().position(|b| *b == 0).unwrap_or(data.len());
        let (text, behind) = data.split_at_mut(end);
        let parsed = std::str::from_utf8(text).ok();
        let six = parsed.and_then(|t| t.parse::<Ipv6Addr>().ok());
        let same = six.and_then(|address| {
            let written = address.to_string();
            let fake = self.address(IpAddr::V6(address)).to_string();
            if written.as_bytes() == &*text {
                Some(fake)
            } else if written.to_uppercase().as_bytes() == &*text {
                Some(fake.to_uppercase())
            } else {
                None
            }
        });
        match same.filter(|fake| fake.len() == text.len()) {
            Some(fake) => text.copy_from_slice(fake.as_bytes()),
            None => self.text(text),
        }
        self.text(behind);
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

    /// Replaces a hardware address, but for groups and for none at all.
    pub(super) fn hardware(&mut self, address: &mut [u8]) {
        let Some(place) = address.first_chunk_mut::<6>() else {
            return;
        };
        let before = *place;
        if let Some(fake) = self.hardware.get(&before) {
            *place = *fake;
            return;
        }
        self.another_hardware(place);
        remember(&mut self.hardware, before, *place);
    }

    fn another_hardware(&self, address: &mut [u8; 6]) {
        let [first, rest @ ..] = address;
        if *first & 1 == 1 || *first == 0 && rest.iter().all(|b| *b == 0) {
            return;
        }
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
        if address.is_unspecified() || address.is_loopback() || address.octets() >= [224, 0, 0, 0] {
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

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// The IPv4 address at the beginning of a text, and its length.
fn address_len(text: &[u8]) -> Option<(usize, Ipv4Addr)> {
    let len = text
        .iter()
        .take_while(|b| b.is_ascii_digit() || **b == b'.')
        .count();
    let digits = text.get(..len)?;
    // A sentence may end behind it.
    let digits = digits.strip_suffix(b".").unwrap_or(digits);
    if text.get(digits.len()).is_some_and(|b| is_word(*b)) {
        return None;
    }
    let address = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((digits.len(), address))
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
        ([], 0 | 10 | 127 | 169 | 172 | 192) => u32::from(o) + 1,
        ([], 224..) => u32::from(o) + 1,
        ([172], 16..=31) | ([192], 168) | ([169], 254) => 1,
        _ => 0,
    };
    digits(one) == digits(other) && kind(one) == kind(other)
}

fn low_byte(number: u32) -> u8 {
    let [byte, ..] = number.to_le_bytes();
    byte
}

#[cfg(test)]
mod tests;
