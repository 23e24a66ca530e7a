//! A set of packets: one bit for each packet up to the last one in it.

use super::PacketId;
use std::collections::BTreeMap;

/// Packets by input and number.
#[derive(Default)]
pub(crate) struct PacketSet {
    inputs: BTreeMap<u32, Vec<u64>>,
}

impl PacketSet {
    /// Adds packets.
    pub(crate) fn add(&mut self, packets: &[PacketId]) {
        for packet in packets {
            let Some((word, bit)) = place(packet.number) else {
                continue;
            };
            let words = self.inputs.entry(packet.input).or_default();
            if words.len() <= word {
                words.resize(word.saturating_add(1), 0);
            }
            if let Some(word) = words.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// Whether a packet is in it.
    pub(crate) fn contains(&self, packet: PacketId) -> bool {
        let found = || {
            let (word, bit) = place(packet.number)?;
            Some(self.inputs.get(&packet.input)?.get(word)? & bit != 0)
        };
        found().unwrap_or(false)
    }
}

fn place(number: u64) -> Option<(usize, u64)> {
    Some((usize::try_from(number / 64).ok()?, 1 << (number % 64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_in_it_once_added() {
        let id = |input, number| PacketId { input, number };
        let mut set = PacketSet::default();
        set.add(&[id(0, 1), id(0, 64), id(2, 1_000_000)]);
        for (packet, there) in [
            (id(0, 1), true),
            (id(0, 2), false),
            (id(0, 63), false),
            (id(0, 64), true),
            (id(0, 10_000), false),
            (id(1, 1), false),
            (id(2, 1_000_000), true),
        ] {
            assert_eq!(set.contains(packet), there, "{packet:?}");
        }
    }
}
