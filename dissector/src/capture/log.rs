//! Keeps account of what is worth a note while an input is read. Each kind of trouble makes one note, however often it
//! comes, so that the account stays small.

use super::link;
use super::note::NoteKind;
use super::record::Record;
use crate::limits;
use crate::time::Timestamp;

/// What becomes notes at the end.
#[derive(Default)]
pub(super) struct Log {
    notes: Vec<NoteKind>,
    damage: Option<Damage>,
    last_time: Option<Timestamp>,
    latest: Option<Timestamp>,
    clock_went_back: u64,
    packets_cut: u64,
    /// Link type of the last packet; already checked.
    link_type: Option<u32>,
    unknown_link_types: Vec<u32>,
}

struct Damage {
    places: u64,
    bytes: u64,
    offset: u64,
    packets: u64,
}

impl Log {
    /// A packet was read, as the file's packet of that number.
    pub(super) fn packet(&mut self, record: &Record, number: u64) {
        if self.last_time.is_some_and(|last| record.time < last) {
            self.clock_went_back = self.clock_went_back.saturating_add(1);
        }
        self.last_time = Some(record.time);
        self.latest = self.latest.max(self.last_time);
        if super::size(record.original_len) > record.captured {
            self.packets_cut = self.packets_cut.saturating_add(1);
        }
        if self.link_type != Some(record.link_type) {
            self.link_type = Some(record.link_type);
            self.check_link_type(record.link_type, number);
        }
    }

    /// Time of the latest packet.
    pub(super) fn latest(&self) -> Option<Timestamp> {
        self.latest
    }

    fn check_link_type(&mut self, link_type: u32, packet: u64) {
        let seen = self.unknown_link_types.contains(&link_type);
        if !link::is_supported(link_type)
            && !seen
            && self.unknown_link_types.len() < limits::UNKNOWN_LINK_TYPES
        {
            self.unknown_link_types.push(link_type);
            self.notes
                .push(NoteKind::UnknownLinkType { link_type, packet });
        }
    }

    /// Damaged bytes were skipped, after that many packets.
    pub(super) fn damage(&mut self, offset: u64, bytes: u64, packets: u64) {
        let damage = self.damage.get_or_insert(Damage {
            places: 0,
            bytes: 0,
            offset,
            packets,
        });
        damage.places = damage.places.saturating_add(1);
        damage.bytes = damage.bytes.saturating_add(bytes);
    }

    /// The end of the data was reached, and not as it should be.
    pub(super) fn end(&mut self, kind: NoteKind) {
        self.notes.push(kind);
    }

    /// All that has to be told.
    pub(super) fn into_notes(self) -> Vec<NoteKind> {
        let mut notes = self.notes;
        if let Some(Damage {
            places,
            bytes,
            offset,
            packets,
        }) = self.damage
        {
            notes.push(NoteKind::DamageSkipped {
                places,
                bytes,
                offset,
                packets,
            });
        }
        if self.clock_went_back > 0 {
            notes.push(NoteKind::ClockWentBack {
                packets: self.clock_went_back,
            });
        }
        if self.packets_cut > 0 {
            notes.push(NoteKind::PacketsCut {
                packets: self.packets_cut,
            });
        }
        notes
    }
}
