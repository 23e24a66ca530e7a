//! Words for what messages say, each kept once for both sides: fields, values, and templates. A template is a message without what no
//! run repeats, so that two messages say the same if they have the same template and name the same things.

use super::rules::{FieldPattern, Rules, Tolerance, Treatment};
use crate::protocol::{
    self, FixedField, FloatingUse, Message, MessageType, Special, TableKind, ValueTable, WireType,
};
use crate::record::Direction;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::collections::HashMap;
use std::hash::BuildHasher as _;

/// A field of a message type.
#[derive(Debug)]
pub(super) struct Field {
    pub name: Box<str>,
    pub treatment: Treatment,
    pub tolerance: Option<Tolerance>,
    pub table: Option<&'static ValueTable>,
    pub special: Option<&'static Special>,
    /// It says what a message is about, roughly.
    pub is_subject: bool,
    /// First and last protocol version with it in this message, where the tables say so.
    versions: Option<Span>,
}

/// First and last protocol version with something; `None` for no bound.
type Span = (Option<u8>, Option<u8>);

impl Field {
    /// Whether only one of two protocol versions has it.
    pub fn is_of_one(&self, (one, other): (u8, u8)) -> bool {
        let (since, until) = self.versions.unwrap_or_default();
        let has =
            |version| since.is_none_or(|s| s <= version) && until.is_none_or(|u| version <= u);
        has(one) != has(other)
    }
}

/// Fields that say what a message is about, beside the things that it names.
const SUBJECTS: [&str; 5] = [
    "AgentID",
    "ICMAgentID",
    "ConnectionDeviceID",
    "SkillGroupNumber",
    "AgentState",
];

/// A field in a template and what is compared of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Slot {
    pub field: u32,
    /// Number of its list entry, from 1; 0 outside of lists.
    pub entry: u16,
    pub content: Content,
}

/// What is compared of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Content {
    /// Its value.
    Value(u32),
    /// What thing of this class it names; which one stands with the message.
    Identity(u8),
    /// That it is there.
    Varies,
    /// That it is there; its value is a secret.
    Masked,
}

/// What a message is and which way it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Head {
    pub number: MessageType,
    pub direction: Direction,
}

/// A value, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Number {
        value: i64,
        bits: u32,
    },
    Text(&'a [u8]),
    Bytes(&'a [u8]),
    /// Several numbers, 12 bytes each.
    Numbers(&'a [u8]),
}

#[derive(Debug)]
struct Template {
    head: Head,
    message: Option<&'static Message>,
    end: usize,
    identities: u32,
}

/// All words.
#[derive(Debug)]
pub(super) struct Lexicon {
    pub rules: Rules,
    hasher: RandomState,
    fields: Vec<Field>,
    by_name: HashMap<(u32, Box<str>), u32, RandomState>,
    /// By the address of the definition, which tells fields of a message apart at once.
    by_definition: HashMap<usize, u32, RandomState>,
    values: HashTable<u32>,
    value_ends: Vec<usize>,
    value_bytes: Vec<u8>,
    templates: HashTable<u32>,
    template_list: Vec<Template>,
    slots: Vec<Slot>,
}

/// Where in a list an index leads.
pub(super) fn at(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// The number that the next element of a list gets.
pub(super) fn next(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

impl Lexicon {
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            hasher: RandomState::default(),
            fields: Vec::new(),
            by_name: HashMap::default(),
            by_definition: HashMap::default(),
            values: HashTable::new(),
            value_ends: Vec::new(),
            value_bytes: Vec::new(),
            templates: HashTable::new(),
            template_list: Vec::new(),
            slots: Vec::new(),
        }
    }

    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        self.value_bytes.capacity()
            + self.value_ends.capacity() * 8
            + (self.values.capacity() + self.templates.capacity()) * 5
            + self.template_list.capacity() * size_of::<Template>()
            + self.slots.capacity() * size_of::<Slot>()
            + (self.by_name.len() + self.by_definition.len()) * 160
    }

    /// A fixed field of a message.
    pub fn fixed(&mut self, message: &'static Message, field: &'static FixedField) -> u32 {
        let address = std::ptr::from_ref(field).addr();
        if let Some(known) = self.by_definition.get(&address) {
            return *known;
        }
        let known = self.field(
            message.number,
            message.name,
            field.name,
            Some(field.wire),
            field.table,
            field.special,
        );
        self.stands_in(known, (field.since, field.until));
        self.by_definition.insert(address, known);
        known
    }

    /// A floating field as a message uses it.
    pub fn floating(&mut self, message: &'static Message, usage: &'static FloatingUse) -> u32 {
        let address = std::ptr::from_ref(usage).addr();
        if let Some(known) = self.by_definition.get(&address) {
            return *known;
        }
        let special = usage.special.or(usage.field.special);
        let known = self.field(
            message.number,
            message.name,
            usage.name,
            usage.field.wire,
            usage.field.table,
            special,
        );
        self.stands_in(known, (usage.since, usage.until));
        self.by_definition.insert(address, known);
        known
    }

    /// Any field of a message, by name.
    pub fn field(
        &mut self,
        message: MessageType,
        message_name: &str,
        name: &str,
        wire: Option<WireType>,
        table: Option<&'static ValueTable>,
        special: Option<&'static Special>,
    ) -> u32 {
        let key = (message.0, Box::from(name));
        if let Some(known) = self.by_name.get(&key) {
            return *known;
        }
        let index = next(self.fields.len());
        self.fields.push(Field {
            name: Box::from(name),
            treatment: self.rules.treatment(message_name, name, wire),
            tolerance: self.rules.tolerance(message_name, name),
            table,
            special,
            is_subject: SUBJECTS.contains(&name),
            versions: None,
        });
        self.by_name.insert(key, index);
        index
    }

    /// Takes note of a definition. A name with several of them is in other versions too.
    fn stands_in(&mut self, field: u32, span: Span) {
        if let Some(field) = self.fields.get_mut(at(field)) {
            let same = field.versions.is_none_or(|known| known == span);
            field.versions = Some(if same { span } else { Span::default() });
        }
    }

    /// Whether a message that was read has a field that a pattern names.
    pub fn has(&self, pattern: &FieldPattern) -> bool {
        self.by_name.keys().any(|(number, field)| {
            let message = protocol::message(MessageType(*number));
            pattern.matches(message.map_or("", |m| m.name), field)
        })
    }

    /// What is known of a field.
    pub fn about(&self, field: u32) -> Option<&Field> {
        self.fields.get(at(field))
    }

    /// A value.
    pub fn value(&mut self, value: Value<'_>) -> u32 {
        let mut number = [0u8; 13];
        let (kind, bytes): (u8, &[u8]) = match value {
            Value::Number { value, bits } => {
                for (to, from) in number
                    .iter_mut()
                    .zip(value.to_be_bytes().into_iter().chain(bits.to_be_bytes()))
                {
                    *to = from;
                }
                (0, number.get(..12).unwrap_or_default())
            }
            Value::Text(text) => (1, text),
            Value::Bytes(bytes) => (2, bytes),
            Value::Numbers(bytes) => (3, bytes),
        };
        let hash = self.hasher.hash_one((kind, bytes));
        let (ends, all) = (&self.value_ends, &self.value_bytes);
        let same =
            |index: &u32| raw(ends, all, *index).is_some_and(|(k, b)| k == kind && b == bytes);
        if let Some(known) = self.values.find(hash, same) {
            return *known;
        }
        let index = next(self.value_ends.len());
        self.value_bytes.push(kind);
        self.value_bytes.extend_from_slice(bytes);
        self.value_ends.push(self.value_bytes.len());
        let (ends, all, hasher) = (&self.value_ends, &self.value_bytes, &self.hasher);
        let rehash = |index: &u32| {
            raw(ends, all, *index).map_or(0, |(kind, bytes)| hasher.hash_one((kind, bytes)))
        };
        self.values.insert_unique(hash, index, rehash);
        index
    }

    /// What a value is.
    pub fn value_of(&self, index: u32) -> Value<'_> {
        let (kind, bytes) = raw(&self.value_ends, &self.value_bytes, index).unwrap_or((2, &[]));
        match kind {
            0 => first_number(bytes),
            1 => Value::Text(bytes),
            3 => Value::Numbers(bytes),
            _ => Value::Bytes(bytes),
        }
    }

    /// A template.
    pub fn template(
        &mut self,
        head: Head,
        message: Option<&'static Message>,
        slots: impl Iterator<Item = Slot> + Clone,
    ) -> u32 {
        let hasher = &self.hasher;
        let hash_of = |head: Head, slots: &[Slot]| hasher.hash_one((head, slots));
        let start = self.slots.len();
        self.slots.extend(slots);
        let new = self.slots.get(start..).unwrap_or_default();
        let hash = hash_of(head, new);
        let (list, all) = (&self.template_list, &self.slots);
        let same = |index: &u32| {
            let of = list.get(at(*index)).map(|t| t.head);
            of == Some(head) && slots_of(list, all, *index) == new
        };
        if let Some(known) = self.templates.find(hash, same) {
            let known = *known;
            self.slots.truncate(start);
            return known;
        }
        let index = next(self.template_list.len());
        let identities = new
            .iter()
            .filter(|slot| matches!(slot.content, Content::Identity(_)))
            .count();
        self.template_list.push(Template {
            head,
            message,
            end: self.slots.len(),
            identities: next(identities),
        });
        let (list, all) = (&self.template_list, &self.slots);
        let rehash = |index: &u32| {
            let head = list.get(at(*index)).map(|t| t.head);
            head.map_or(0, |head| hash_of(head, slots_of(list, all, *index)))
        };
        self.templates.insert_unique(hash, index, rehash);
        index
    }

    /// The slots of a template.
    pub fn slots(&self, template: u32) -> &[Slot] {
        slots_of(&self.template_list, &self.slots, template)
    }

    /// What a template is of.
    pub fn head(&self, template: u32) -> Option<Head> {
        self.template_list.get(at(template)).map(|t| t.head)
    }

    /// The definition of a template's message.
    pub fn message(&self, template: u32) -> Option<&'static Message> {
        self.template_list.get(at(template))?.message
    }

    /// How many things a message of this template names.
    pub fn identities(&self, template: u32) -> u32 {
        self.template_list
            .get(at(template))
            .map_or(0, |t| t.identities)
    }
}

fn raw<'v>(ends: &[usize], all: &'v [u8], index: u32) -> Option<(u8, &'v [u8])> {
    let index = at(index);
    let start = match index.checked_sub(1) {
        Some(before) => *ends.get(before)?,
        None => 0,
    };
    let (kind, bytes) = all.get(start..*ends.get(index)?)?.split_first()?;
    Some((*kind, bytes))
}

fn slots_of<'s>(list: &[Template], all: &'s [Slot], index: u32) -> &'s [Slot] {
    let index = at(index);
    let before = index.checked_sub(1).and_then(|before| list.get(before));
    let start = before.map_or(0, |t| t.end);
    list.get(index)
        .and_then(|template| all.get(start..template.end))
        .unwrap_or_default()
}

fn first_number(bytes: &[u8]) -> Value<'static> {
    let value = bytes.first_chunk::<8>().copied().unwrap_or_default();
    let bits = bytes.last_chunk::<4>().copied().unwrap_or_default();
    Value::Number {
        value: i64::from_be_bytes(value),
        bits: u32::from_be_bytes(bits),
    }
}

/// Appends a number as [`Value::Numbers`] has it.
pub(super) fn push_number(bytes: &mut Vec<u8>, value: i64, bits: u32) {
    bytes.extend_from_slice(&value.to_be_bytes());
    bytes.extend_from_slice(&bits.to_be_bytes());
}

impl Value<'_> {
    /// The value as people read it, by the tables of its field. It may hold whatever the capture does.
    pub fn show(
        &self,
        table: Option<&'static ValueTable>,
        special: Option<&'static Special>,
    ) -> Vec<u8> {
        match self {
            Self::Number { value, bits } => {
                if let Some(name) = special.filter(|s| s.value == *bits && !s.quiet) {
                    return name.text().as_bytes().to_vec();
                }
                number(*value, *bits, table).into_bytes()
            }
            Self::Text(text) => text.to_vec(),
            Self::Bytes(bytes) => {
                let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
                format!("0x{}", hex.concat()).into_bytes()
            }
            Self::Numbers(bytes) => {
                let numbers = bytes.chunks(12).map(|chunk| match first_number(chunk) {
                    Value::Number { value, bits } => number(value, bits, table),
                    _ => String::new(),
                });
                let numbers: Vec<String> = numbers.collect();
                format!("[{}]", numbers.join(", ")).into_bytes()
            }
        }
    }
}

fn number(value: i64, bits: u32, table: Option<&'static ValueTable>) -> String {
    match table {
        Some(table) if table.kind == TableKind::Enum => match table.get(bits) {
            Some(entry) => entry.short.to_owned(),
            None => value.to_string(),
        },
        Some(table) if bits != 0 => {
            let mut names: Vec<String> = table.bits(bits).map(|v| v.short.to_owned()).collect();
            let rest = table.unknown_bits(bits);
            if rest != 0 {
                names.push(format!("{rest:#x}"));
            }
            names.join("|")
        }
        _ => value.to_string(),
    }
}
