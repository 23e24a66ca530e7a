//! Makes the values of a message, by the tables and a wish.

use super::decoded::{Field, Plain};
use super::random::Random;
use super::{Wish, lifelike};
use cti_dissector::encode::{Draft, Value};
use cti_dissector::protocol::{
    FixedField, FloatingHeader, FloatingUse, List, Message, ProtocolVersion, Special, ValueTable,
    WireType,
};

/// Fills a message with values.
pub(super) struct Maker<'r> {
    pub(super) message: &'static Message,
    pub(super) version: ProtocolVersion,
    pub(super) random: &'r mut Random,
    pub(super) usual: bool,
    pub(super) wish: Wish<'r>,
    pub(super) draft: Draft,
    pub(super) floating: Vec<Field>,
    pub(super) groups: usize,
}

/// Fields that stand together.
struct Block {
    uses: Vec<&'static FloatingUse>,
    grouped: bool,
}

impl Maker<'_> {
    fn known(&self) -> u8 {
        self.version.known()
    }

    pub(super) fn fixed_part(&mut self, wished: &[(&str, i64)]) -> Vec<(&'static str, i64)> {
        let layout = self.message.layout(self.known()).unwrap();
        let mut fixed = Vec::new();
        for (index, field) in layout.fixed.iter().enumerate() {
            let list = layout.counters.iter().position(|c| *c == Some(index));
            let value = match (wished.iter().find(|(name, _)| *name == field.name), list) {
                (Some((_, value)), _) => *value,
                // Counters are filled in.
                (None, Some(list)) => {
                    fixed.push((field.name, self.entries(&self.message.lists[list])));
                    continue;
                }
                (None, None) => self.fixed_value(field),
            };
            self.draft.set(field.name, &Value::Number(value)).unwrap();
            fixed.push((field.name, value));
        }
        fixed
    }

    fn entries(&self, list: &List) -> i64 {
        let count = self.floating.iter().filter(|f| f.tag == list.lead).count();
        i64::try_from(count).unwrap()
    }

    fn fixed_value(&mut self, field: &FixedField) -> i64 {
        if self.wish.lifelike {
            let bits = lifelike::number(
                field.name,
                field.wire,
                field.table,
                field.special,
                self.random,
            );
            return signed(field.wire, bits);
        }
        self.number(field.wire, field.table, field.special)
    }

    /// A number of a type, most often one that the tables know.
    fn number(
        &mut self,
        wire: WireType,
        table: Option<&'static ValueTable>,
        special: Option<&'static Special>,
    ) -> i64 {
        let bits = match (self.random.below(10), table, special) {
            (0..=5, Some(table), _) if !table.values.is_empty() => {
                self.random.pick(table.values).number
            }
            (_, Some(table), _) if self.usual && !table.values.is_empty() => {
                self.random.pick(table.values).number
            }
            (6, _, Some(special)) => special.value,
            (7, ..) => 0,
            (8, ..) => u32::MAX,
            (9, ..) => 0x8000_8080,
            _ => u32::try_from(self.random.next() >> 32).unwrap(),
        };
        signed(wire, bits)
    }

    pub(super) fn floating_part(&mut self) {
        let known = self.known();
        let uses: Vec<&FloatingUse> = self
            .message
            .floating
            .iter()
            .filter(|u| u.exists_at(known) && u.field.wire.is_some())
            .collect();
        let mut blocks = Vec::new();
        let is_counter = |u: &FloatingUse| {
            let mut lists = self.message.lists.iter();
            !self.message.record && lists.any(|l| l.counter_tag == Some(u.field.tag))
        };
        for usage in uses.iter().filter(|u| u.list.is_none() && !is_counter(u)) {
            let left_out = match self.wish.lifelike {
                true if usage.listed_only => !self.random.once_in(16),
                true => self.random.once_in(2),
                false => self.random.once_in(4),
            };
            if !usage.optional || !left_out {
                blocks.push(Block {
                    uses: vec![usage],
                    grouped: false,
                });
            }
        }
        for (index, list) in self.message.lists.iter().enumerate() {
            let members: Vec<&FloatingUse> = uses
                .iter()
                .copied()
                .filter(|u| u.list == Some(index))
                .collect();
            if members.iter().any(|u| u.field.tag == list.lead) {
                let most = match self.wish.entries {
                    0 => 3,
                    entries => entries,
                };
                for _ in 0..self.random.below(most + 1) {
                    blocks.push(self.entry(list, &members));
                }
            }
        }
        self.random.shuffle(&mut blocks);
        for block in blocks {
            let group = block.grouped.then(|| {
                self.groups += 1;
                self.groups
            });
            for usage in block.uses {
                self.push(usage, group, None);
            }
        }
        for list in self.message.lists {
            let counter = uses.iter().find(|u| list.counter_tag == Some(u.field.tag));
            if let Some(counter) = counter.filter(|u| is_counter(u)) {
                let count = self.entries(list);
                self.push(counter, None, Some(count));
            }
        }
    }

    /// One entry of a list.
    fn entry(&mut self, list: &List, members: &[&'static FloatingUse]) -> Block {
        let mut uses: Vec<&FloatingUse> = Vec::new();
        let mut lead = None;
        for usage in members {
            if usage.field.tag == list.lead {
                lead = Some(*usage);
                continue;
            }
            let times = match usage.nested {
                true => self.random.below(4),
                false => usize::from(!self.random.once_in(4)),
            };
            uses.extend(std::iter::repeat_n(*usage, times));
        }
        self.random.shuffle(&mut uses);
        match list.lead_ends_entry {
            true => uses.extend(lead),
            false => uses.splice(..0, lead).for_each(drop),
        }
        Block {
            uses,
            grouped: list.fields > 1 || list.record,
        }
    }

    fn push(&mut self, usage: &'static FloatingUse, group: Option<usize>, number: Option<i64>) {
        let (value, plain) = match number {
            Some(number) => (Value::Number(number), Plain::Number(number)),
            None => self.floating_value(usage),
        };
        self.draft.set(usage.name, &value).unwrap();
        self.floating.push(Field {
            tag: usage.field.tag,
            name: usage.name,
            value: plain,
            group,
        });
    }

    fn floating_value(&mut self, usage: &FloatingUse) -> (Value, Plain) {
        let field = usage.field;
        let max = usize::from(field.max_at(self.known()).unwrap_or(255));
        let max = match self.version.floating_header() {
            FloatingHeader::Narrow => max.min(255),
            FloatingHeader::Wide => max,
        };
        let wire = field.wire.unwrap();
        if let Some(bytes) = self.smuggled(wire, max) {
            return (Value::Bytes(bytes.clone()), Plain::Bytes(bytes));
        }
        match wire {
            WireType::String if self.wish.lifelike => {
                let text = lifelike::text(usage.name, max.saturating_sub(1), self.random);
                (Value::Text(text.clone()), Plain::Text(text.into()))
            }
            WireType::String => self.text(max),
            WireType::Unspec => {
                let length = self.length(max);
                let bytes: Vec<u8> = (0..length).map(|_| self.byte()).collect();
                (Value::Bytes(bytes.clone()), Plain::Bytes(bytes))
            }
            WireType::NamedVariable => {
                let (name, value) = self.variable();
                let plain = Plain::Variable(name.clone().into(), value.clone().into());
                (Value::NamedVariable { name, value }, plain)
            }
            WireType::NamedArray => {
                let (name, value) = self.variable();
                let index = self.byte();
                let plain = Plain::Element(index, name.clone().into(), value.clone().into());
                (Value::NamedArray { index, name, value }, plain)
            }
            WireType::TaskId => {
                let mut part = || i32::try_from(self.random.next() >> 33).unwrap();
                let (high, low, sequence) = (part(), -part(), part());
                let value = Value::TaskId {
                    high,
                    low,
                    sequence,
                };
                (value, Plain::Task(high, low, sequence))
            }
            _ if self.wish.lifelike => {
                let special = usage.special.or(field.special);
                let bits = lifelike::number(usage.name, wire, field.table, special, self.random);
                let number = signed(wire, bits);
                (Value::Number(number), Plain::Number(number))
            }
            _ if field.array && !self.random.once_in(4) => {
                let fits = max / usize::from(wire.size().unwrap());
                let count = self.random.below(fits.min(6) + 1);
                let special = usage.special.or(field.special);
                let numbers: Vec<i64> = (0..count)
                    .map(|_| self.number(wire, field.table, special))
                    .collect();
                let plain = match numbers.as_slice() {
                    [one] => Plain::Number(*one),
                    several => Plain::Numbers(several.to_vec()),
                };
                (Value::Array(numbers), plain)
            }
            _ => {
                let number = self.number(wire, field.table, usage.special.or(field.special));
                (Value::Number(number), Plain::Number(number))
            }
        }
    }

    /// Now and then, what shall be found inside a field of this type: whole, and with what the type needs around it.
    fn smuggled(&mut self, wire: WireType, max: usize) -> Option<Vec<u8>> {
        let content = self.wish.smuggled;
        if content.is_empty() || self.random.once_in(2) {
            return None;
        }
        let bytes = match wire {
            WireType::String => [content, &[0]].concat(),
            WireType::Unspec => content.to_vec(),
            WireType::NamedVariable => [b"user.x\0", content, &[0]].concat(),
            WireType::NamedArray => [b"\x01user.x\0", content, &[0]].concat(),
            _ => return None,
        };
        let longest = match wire {
            WireType::NamedVariable | WireType::NamedArray => 200,
            _ => max,
        };
        (bytes.len() <= longest).then_some(bytes)
    }

    /// A text that takes at most `max` bytes with its terminating zero.
    fn text(&mut self, max: usize) -> (Value, Plain) {
        let room = max.saturating_sub(1);
        let length = self.length(room);
        let text = self.ascii(length);
        let plain = Plain::Text(text.clone().into());
        match self.random.below(16) {
            _ if self.usual => (Value::Text(text), plain),
            // Two bytes could also be the layout that such a length selects.
            0 if self.message.variants.iter().all(|v| v.body.is_none()) => {
                (Value::Bytes(Vec::new()), Plain::Text(Vec::new()))
            }
            // No terminating zero.
            1 => (Value::Bytes(text.into()), plain),
            2 => {
                let bytes: Vec<u8> = (0..length)
                    .map(|_| u8::try_from(1 + self.random.below(255)).unwrap())
                    .collect();
                let value = Value::Bytes([bytes.as_slice(), &[0]].concat());
                (value, Plain::Text(bytes))
            }
            _ => (Value::Text(text), plain),
        }
    }

    /// Now and then nothing or all that is allowed, else something short.
    fn length(&mut self, max: usize) -> usize {
        match self.random.below(12) {
            0 if !self.usual => 0,
            1 => max,
            _ => (1 + self.random.below(12)).min(max),
        }
    }

    fn variable(&mut self) -> (String, String) {
        let name = 1 + self.random.below(24);
        let value = self.length(210);
        (format!("user.{}", self.ascii(name)), self.ascii(value))
    }

    fn ascii(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(u8::try_from(0x20 + self.random.below(0x5F)).unwrap()))
            .collect()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.random.next() >> 56).unwrap()
    }
}

/// The number that a field of a type shows for some bits; higher bits than it has are dropped.
fn signed(wire: WireType, bits: u32) -> i64 {
    let [a, b, c, d] = bits.to_be_bytes();
    match wire {
        WireType::Char => i8::from_be_bytes([d]).into(),
        WireType::UChar => d.into(),
        WireType::Short => i16::from_be_bytes([c, d]).into(),
        WireType::UShort | WireType::Bool => u16::from_be_bytes([c, d]).into(),
        WireType::Int => i32::from_be_bytes([a, b, c, d]).into(),
        _ => bits.into(),
    }
}
