//! What a name in an expression stands for: a test of the message as a whole, or a field of some messages.

use super::ast::FieldName;
use super::error::{Fault, FilterErrorKind as Kind};
use crate::explain::suggest;
use crate::protocol::{self, FixedField, FloatingField, Message, Special, ValueTable, WireType};

/// What can be asked about a message without looking into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Name,
    Type,
    Session,
    Direction,
    Version,
    Source,
    Destination,
    Time,
    Length,
    Latency,
    Status,
    Answered,
    Findings,
    Severity,
}

/// The names of these tests. All are in lower case, which no field's name is.
const ABOUT: [(&str, About); 14] = [
    ("name", About::Name),
    ("type", About::Type),
    ("session", About::Session),
    ("direction", About::Direction),
    ("version", About::Version),
    ("src", About::Source),
    ("dst", About::Destination),
    ("time", About::Time),
    ("length", About::Length),
    ("latency_ms", About::Latency),
    ("status", About::Status),
    ("answered", About::Answered),
    ("findings", About::Findings),
    ("severity", About::Severity),
];

/// What a name stands for.
#[derive(Debug)]
pub(super) enum Subject {
    About(About),
    Field(Field),
}

/// A set of messages, by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct MessageSet(Vec<u64>);

impl MessageSet {
    /// The messages that meet a condition.
    pub fn of(condition: impl Fn(&'static Message) -> bool) -> Self {
        let mut set = Self::default();
        for message in protocol::messages().iter().filter(|m| condition(m)) {
            let (word, bit) = Self::place(message);
            if set.0.len() <= word {
                set.0.resize(word + 1, 0);
            }
            if let Some(word) = set.0.get_mut(word) {
                *word |= bit;
            }
        }
        set
    }

    pub fn has(&self, message: &Message) -> bool {
        let (word, bit) = Self::place(message);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    fn place(message: &Message) -> (usize, u64) {
        let number = message.number.0;
        let word = usize::try_from(number / 64).unwrap_or(usize::MAX);
        (word, 1 << (number % 64))
    }
}

/// What the tables say of a field under one name, in one of the forms in which messages have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    /// `None` for tags whose type is not known.
    pub wire: Option<WireType>,
    pub table: Option<&'static ValueTable>,
    pub special: Option<&'static Special>,
    pub secret: bool,
}

/// A field by its name, over all messages.
#[derive(Debug)]
pub(super) struct Field {
    pub name: &'static str,
    /// The messages to which the tables give it.
    pub carriers: MessageSet,
    /// The tags that have this name, in some message or by the tag table.
    pub tags: Vec<u16>,
    /// Those that have it by the tag table: any message may carry them, whatever the tables say.
    pub usual_tags: Vec<u16>,
    /// Its forms, each once; never empty.
    pub forms: Vec<Form>,
}

/// What a name stands for.
pub(super) fn resolve(wanted: &FieldName) -> Result<Subject, Fault> {
    let about = ABOUT.iter().find(|(name, _)| *name == wanted.name);
    let subject = match about {
        Some((_, about)) => Subject::About(*about),
        None => Subject::Field(field(&wanted.name).ok_or_else(|| unknown(wanted))?),
    };
    let has_parts = |wire: Option<WireType>| match wanted.element {
        None => {
            matches!(wire, Some(WireType::NamedVariable | WireType::NamedArray))
        }
        Some(_) => wire == Some(WireType::NamedArray),
    };
    let has_parts = match &subject {
        Subject::About(_) => false,
        Subject::Field(field) => field.forms.iter().any(|form| has_parts(form.wire)),
    };
    if wanted.part.is_some() && !has_parts {
        return Err(Fault::new(Kind::NoParts(wanted.name.clone()), wanted.span));
    }
    Ok(subject)
}

fn unknown(wanted: &FieldName) -> Fault {
    let tests = ABOUT.iter().map(|(name, _)| *name);
    let fault = Fault::new(Kind::UnknownField(wanted.name.clone()), wanted.span);
    let same = names().chain(tests.clone());
    let same: Vec<&str> = same
        .filter(|n| n.eq_ignore_ascii_case(&wanted.name))
        .collect();
    if let Some(first) = same.first() {
        return fault.near([*first]);
    }
    if wanted.name.contains(':') {
        // An address or a time where a name should be: no name is near.
        return fault;
    }
    fault.near(suggest::nearest(&wanted.name, names().chain(tests)))
}

/// The names of all fields; many come more than once.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let fixed = protocol::messages()
        .iter()
        .flat_map(|m| fixed_fields(m))
        .map(|f| f.name);
    let used = protocol::messages()
        .iter()
        .flat_map(|m| m.floating)
        .map(|u| u.name);
    let usual = protocol::floating_fields().iter().map(|f| f.name);
    fixed.chain(used).chain(usual)
}

/// The fixed fields of a message in all its layouts.
fn fixed_fields(message: &'static Message) -> impl Iterator<Item = &'static FixedField> {
    let variants = message.variants.iter().flat_map(|v| v.layouts);
    message
        .layouts
        .iter()
        .chain(variants)
        .flat_map(|layout| layout.fixed)
}

/// A field by its name; `None` when no message has one of that name.
fn field(wanted: &str) -> Option<Field> {
    let name = names().find(|name| *name == wanted)?;
    let usual: Vec<&'static FloatingField> = protocol::floating_fields()
        .iter()
        .copied()
        .filter(|f| f.name == name)
        .collect();
    let mut forms: Vec<Form> = Vec::new();
    let mut add = |form: Form| {
        if !forms.contains(&form) {
            forms.push(form);
        }
    };
    let mut tags: Vec<u16> = usual.iter().map(|f| f.tag).collect();
    for field in &usual {
        add(floating_form(field, None));
    }
    for message in protocol::messages() {
        for field in fixed_fields(message).filter(|f| f.name == name) {
            add(Form {
                wire: Some(field.wire),
                table: field.table,
                special: field.special,
                secret: false,
            });
        }
        for usage in message.floating {
            if usage.name == name || usage.field.name == name {
                add(floating_form(usage.field, usage.special));
                tags.push(usage.field.tag);
            }
        }
    }
    tags.sort_unstable();
    tags.dedup();
    let carriers = MessageSet::of(|message| {
        fixed_fields(message).any(|f| f.name == name)
            || message
                .floating
                .iter()
                .any(|u| u.name == name || u.field.name == name)
            || usual.iter().any(|f| f.listed_for.contains(&message.name))
    });
    Some(Field {
        name,
        carriers,
        tags,
        usual_tags: usual.iter().map(|f| f.tag).collect(),
        forms,
    })
}

fn floating_form(field: &'static FloatingField, special: Option<&'static Special>) -> Form {
    Form {
        wire: field.wire,
        table: field.table,
        special: special.or(field.special),
        secret: field.secret,
    }
}
