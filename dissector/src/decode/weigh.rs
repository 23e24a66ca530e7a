//! How well a message can be read by the layout of each version, where the version is not known.

use super::parse::{self, Item, length_suits};
use super::wire;
use super::{Decoder, checks, lists};
use crate::protocol::{FloatingHeader, Layout, Message, NEWEST, OLDEST, ProtocolVersion, WireType};

/// How many versions are known.
pub(crate) const VERSIONS: usize = 21;

/// For each version from the oldest: the well-formed floating fields that its layout finds; `None` where the layout does
/// not read the message to its last byte, or where counters contradict what was read.
///
/// Numbers of a fixed part can be anything, so a longer fixed part may take in floating fields of the true one and still
/// end where it should. Floating fields hardly come about by chance: the layout that finds more of them is the better one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weights(pub [Option<usize>; VERSIONS]);

impl Weights {
    /// How well a version reads the message.
    pub(crate) fn at(&self, version: u8) -> Option<usize> {
        let index = usize::from(version.checked_sub(OLDEST)?);
        self.0.get(index).copied().flatten()
    }

    /// The newest of the versions with a floating header that read it best.
    pub(crate) fn best(&self, header: FloatingHeader) -> Option<ProtocolVersion> {
        (OLDEST..=NEWEST)
            .filter(|v| ProtocolVersion((*v).into()).floating_header() == header)
            .filter_map(|v| Some((self.at(v)?, v)))
            .max()
            .map(|(_, version)| ProtocolVersion(version.into()))
    }
}

impl Decoder {
    /// Reads a whole message by the layouts of all versions.
    pub(crate) fn weigh(&mut self, bytes: &[u8], message: &'static Message) -> Weights {
        let mut weights = Weights::default();
        for layout in message.layouts {
            for header in [FloatingHeader::Narrow, FloatingHeader::Wide] {
                let concerns = |version: u8| {
                    (layout.since..=layout.until).contains(&version)
                        && ProtocolVersion(version.into()).floating_header() == header
                        && message.since.is_none_or(|since| since <= version)
                };
                if !(OLDEST..=NEWEST).any(concerns) || !self.reads(bytes, message, layout, header) {
                    continue;
                }
                for (weight, version) in weights.0.iter_mut().zip(OLDEST..=NEWEST) {
                    if concerns(version) {
                        *weight = well_formed(bytes, &self.trial, version);
                    }
                }
            }
        }
        weights
    }

    /// Whether a layout reads the message to its last byte, with the entries that its counters tell; the fields are then
    /// in `trial`.
    fn reads(
        &mut self,
        bytes: &[u8],
        message: &'static Message,
        layout: &'static Layout,
        header: FloatingHeader,
    ) -> bool {
        if !parse::parse(bytes, message, layout, header, &mut self.trial).is_exact() {
            return false;
        }
        lists::group(message, bytes, &mut self.trial, &mut self.counts);
        let mut counters = checks::counters(message, layout, bytes, &self.counts);
        counters.all(|counter| counter.is_right())
    }
}

/// How many floating fields are just as their definition has them; `None` when the version lacks one of them.
fn well_formed(bytes: &[u8], items: &[Item], version: u8) -> Option<usize> {
    let mut count = 0;
    for item in items {
        let usage = item.usage;
        if usage.is_some_and(|u| !u.exists_at(version)) {
            return None;
        }
        let field = usage.map(|u| u.field);
        let data = bytes.get(item.data.clone()).unwrap_or(&[]);
        let good = field.is_some_and(|field| {
            let fits = field
                .max_at(version)
                .is_none_or(|max| data.len() <= usize::from(max));
            fits && length_suits(field, data.len()) && is_well_formed(field.wire, data)
        });
        count += usize::from(good);
    }
    Some(count)
}

fn is_well_formed(wire: Option<WireType>, data: &[u8]) -> bool {
    match wire {
        Some(WireType::String) => {
            matches!(data.split_last(), Some((0, text)) if !text.contains(&0))
        }
        Some(WireType::NamedVariable) => wire::named_variable(data).is_ok(),
        Some(WireType::NamedArray) => wire::named_array(data).is_ok(),
        _ => !data.is_empty(),
    }
}

/// Whether the capture has all bytes that the header promises.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    wire::header(bytes).is_ok_and(|(body, header)| {
        usize::try_from(header.length).is_ok_and(|length| length <= body.len())
    })
}
