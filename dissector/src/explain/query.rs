//! From words to topics.

use crate::protocol::{self, MessageType, ValueTable};

use super::index::{self, TYPES};
use super::suggest;
use super::topic::{MessageTopic, NumberHit, NumberTopic, TableTopic, Topic};

/// What was found for a list of words, and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Found, in the order asked.
    pub topics: Vec<Topic>,
    /// Not found.
    pub missing: Vec<Missing>,
}

/// A word behind which nothing stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The word.
    pub word: String,
    /// Names that come near to it.
    pub near: Vec<&'static str>,
}

/// Looks up words, whatever the case of their letters. Neighbouring words that are a name together, such as `tag 25`, count as
/// one; each other word is looked up by itself. Layouts are those of `version`, or of all versions. Without words: what can be
/// asked for.
#[must_use]
pub fn find(words: &[&str], version: Option<u8>) -> Answer {
    let mut answer = Answer::default();
    let mut rest: Vec<&str> = words.iter().flat_map(|w| w.split_whitespace()).collect();
    if rest.is_empty() {
        answer.topics.push(Topic::Overview(index::overview()));
    }
    while let Some(word) = rest.first().copied() {
        let found = (1..=rest.len()).rev().find_map(|count| {
            let (together, after) = rest.split_at_checked(count)?;
            let topics = look_up(&together.join(" "), version);
            (!topics.is_empty()).then(|| (topics, after.to_vec()))
        });
        match found {
            Some((topics, after)) => {
                for topic in topics {
                    if !answer.topics.contains(&topic) {
                        answer.topics.push(topic);
                    }
                }
                rest = after;
            }
            // A word that only announces another one is missing together with it.
            None => {
                let count = if is_qualifier(word) { 2 } else { 1 };
                let at = count.min(rest.len());
                let (gone, after) = rest.split_at(at);
                let name = gone.last().copied().unwrap_or(word);
                answer.missing.push(Missing {
                    word: gone.join(" "),
                    near: suggest::similar(name),
                });
                rest = after.to_vec();
            }
        }
    }
    answer
}

/// A number as people type it: decimal or 0x hexadecimal.
#[must_use]
pub fn parse_number(text: &str) -> Option<u32> {
    let text = text.trim();
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = hex.map_or((text, 10), |digits| (digits, 16));
    if digits.starts_with('+') {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}

fn is_qualifier(word: &str) -> bool {
    const WORDS: [&str; 12] = [
        "tag", "message", "msg", "type", "version", "field", "table", "enum", "mask", "value",
        "service", "reason",
    ];
    WORDS.iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// Everything that a query may mean; empty when it means nothing.
fn look_up(query: &str, version: Option<u8>) -> Vec<Topic> {
    if let Some((first, second)) = query.split_once([' ', ':', '=']) {
        let found = qualified(first, second.trim(), version);
        if !found.is_empty() || query.contains([':', '=']) {
            return found;
        }
    }
    if let Some(number) = parse_number(query) {
        return by_number(number, version);
    }
    let named = by_name(query, version);
    if named.is_empty() && query.contains(' ') {
        return by_name(&query.replace(' ', "_"), version);
    }
    named
}

/// A query of two parts: what kind of thing, or which table, and which one.
fn qualified(kind: &str, what: &str, version: Option<u8>) -> Vec<Topic> {
    let number = parse_number(what);
    match kind.to_ascii_lowercase().as_str() {
        "tag" => match number {
            Some(n) => u16::try_from(n)
                .ok()
                .and_then(protocol::floating)
                .map(|f| Topic::Floating(index::floating_topic(f, version)))
                .into_iter()
                .collect(),
            None => floating(what, version),
        },
        "message" | "msg" => messages(what, number, version),
        "type" => {
            let mut found = messages(what, number, version);
            found.extend(wire_type(what));
            found
        }
        "version" | "v" => number
            .and_then(index::version_topic)
            .map(Topic::Version)
            .into_iter()
            .collect(),
        "protocol" => match what.split_once(' ') {
            Some((word, number)) if word.eq_ignore_ascii_case("version") => {
                qualified("version", number, version)
            }
            _ => Vec::new(),
        },
        "field" => {
            let mut found = floating(what, version);
            found.extend(index::fixed_topic(what, version).map(Topic::Fixed));
            found
        }
        "table" | "enum" | "mask" => tables(what),
        "value" => match number {
            Some(n) => by_number(n, version),
            None => values(what),
        },
        "service" => service(what),
        "reason" | "eventreasoncode" => only("reason", number),
        "peripheralerrorcode" => only("peripheral_error", number),
        _ => in_table(kind, what, number),
    }
}

/// A value of one table, by number or by name.
fn in_table(table: &str, what: &str, number: Option<u32>) -> Vec<Topic> {
    let tables = index::tables()
        .into_iter()
        .filter(|t| t.name.eq_ignore_ascii_case(table));
    let found = tables.filter_map(|table| {
        let number = number.or_else(|| {
            table
                .values
                .iter()
                .find(|v| is_called(v, what))
                .map(|v| v.number)
        })?;
        index::value_topic(table, number)
    });
    found.map(Topic::Value).collect()
}

fn by_name(name: &str, version: Option<u8>) -> Vec<Topic> {
    let mut found = messages(name, None, version);
    found.extend(floating(name, version));
    found.extend(index::fixed_topic(name, version).map(Topic::Fixed));
    found.extend(tables(name));
    found.extend(values(name));
    let specials = protocol::specials()
        .iter()
        .filter(|s| s.name.is_some_and(|n| n.eq_ignore_ascii_case(name)));
    found.extend(specials.map(|s| Topic::Special(index::special_topic(s))));
    found.extend(wire_type(name));
    found.extend(service(name));
    let version_number = name.strip_prefix(['v', 'V']).and_then(parse_number);
    found.extend(
        version_number
            .and_then(index::version_topic)
            .map(Topic::Version),
    );
    found
}

fn messages(name: &str, number: Option<u32>, version: Option<u8>) -> Vec<Topic> {
    let topic = |m| Topic::Message(MessageTopic::new(m, version));
    match number {
        Some(number) => {
            let number = MessageType(number);
            let others = protocol::alternatives(number).map(|(m, _)| m);
            protocol::message(number)
                .into_iter()
                .chain(others)
                .map(topic)
                .collect()
        }
        None => protocol::message_by_name(name)
            .into_iter()
            .map(topic)
            .collect(),
    }
}

/// Floating fields by the name of their tag, their usual name or the name that some message gives them.
fn floating(name: &str, version: Option<u8>) -> Vec<Topic> {
    let called = |n: &str| n.eq_ignore_ascii_case(name);
    let fields = protocol::floating_fields().iter().copied();
    let exact: Vec<_> = fields
        .clone()
        .filter(|f| called(f.constant) || called(f.name))
        .collect();
    let found = if exact.is_empty() {
        fields
            .filter(|f| f.also.iter().any(|n| called(n)))
            .collect()
    } else {
        exact
    };
    found
        .into_iter()
        .map(|f| Topic::Floating(index::floating_topic(f, version)))
        .collect()
}

fn tables(name: &str) -> Vec<Topic> {
    let named = index::tables()
        .into_iter()
        .filter(|t| t.name.eq_ignore_ascii_case(name));
    named.map(|t| Topic::Table(TableTopic::new(t))).collect()
}

/// Values by symbol, short form or meaning.
fn values(name: &str) -> Vec<Topic> {
    let all = index::tables().into_iter();
    let found = all.flat_map(|table: &'static ValueTable| {
        table
            .values
            .iter()
            .filter(|v| is_called(v, name))
            .filter_map(move |v| index::value_topic(table, v.number))
    });
    found.map(Topic::Value).collect()
}

fn is_called(value: &protocol::Value, name: &str) -> bool {
    [Some(value.text), Some(value.short), value.label]
        .into_iter()
        .flatten()
        .any(|n| n.eq_ignore_ascii_case(name))
}

fn wire_type(name: &str) -> Vec<Topic> {
    let name = match name.to_ascii_uppercase().as_str() {
        "NAMEDVARIABLE" => "NAMEDVAR",
        _ => name,
    };
    let found = TYPES
        .iter()
        .filter(|(wire, _)| wire.name().eq_ignore_ascii_case(name));
    found
        .map(|(wire, _)| Topic::Type(index::type_topic(*wire)))
        .collect()
}

fn service(name: &str) -> Vec<Topic> {
    let name = name.replace([' ', '_'], "-");
    let found = index::services()
        .into_iter()
        .filter(|s| s.service.eq_ignore_ascii_case(&name));
    found.map(Topic::Service).collect()
}

/// Everything with a number; the thing itself when only one message or field has it.
fn by_number(number: u32, version: Option<u8>) -> Vec<Topic> {
    let mut hits = Vec::new();
    let mut hit = |kind, table, name, label| {
        hits.push(NumberHit {
            kind,
            table,
            name,
            label,
        })
    };
    let kind = MessageType(number);
    for message in protocol::message(kind)
        .into_iter()
        .chain(protocol::alternatives(kind).map(|(m, _)| m))
    {
        hit("message", None, message.name, Some(message.summary));
    }
    if let Some(field) = u16::try_from(number).ok().and_then(protocol::floating) {
        hit("tag", None, field.constant, Some(field.name));
    }
    if let Some(topic) = index::version_topic(number) {
        hit(
            "version",
            None,
            topic.info.release.unwrap_or("release not stated"),
            None,
        );
    }
    for special in protocol::specials().iter().filter(|s| s.value == number) {
        hit(
            "special",
            None,
            special.text(),
            Some(special.label).filter(|_| special.name.is_some()),
        );
    }
    for table in index::tables() {
        for value in table.get(number).into_iter() {
            hit(
                "value",
                Some(table.name),
                value.text,
                value.label.filter(|l| *l != value.text),
            );
        }
    }
    for reason in protocol::reasons().iter().filter(|r| r.code == number) {
        hit(
            "reason",
            Some(of_reason(reason)),
            reason.short,
            Some(reason.meaning),
        );
    }
    if let Some(error) = protocol::peripheral_error(number) {
        hit(
            "peripheral_error",
            Some("PeripheralErrorCode (Unified CCE)"),
            error.meaning,
            error.hint,
        );
    }
    match hits.as_slice() {
        [] => Vec::new(),
        [only] if only.kind == "message" => messages("", Some(number), version),
        [only] if only.kind == "tag" => qualified("tag", &number.to_string(), version),
        _ => vec![Topic::Number(NumberTopic { number, hits })],
    }
}

/// What a reason code is a value of.
fn of_reason(reason: &protocol::Reason) -> &'static str {
    if reason.product == "Unified CCX" {
        "EventReasonCode (Unified CCX)"
    } else {
        "EventReasonCode (Unified CCE)"
    }
}

/// The meanings of a number that are of one kind.
fn only(kind: &str, number: Option<u32>) -> Vec<Topic> {
    let found = number.map(|n| by_number(n, None)).unwrap_or_default();
    let found = found.into_iter().filter_map(|topic| match topic {
        Topic::Number(mut topic) => {
            topic.hits.retain(|hit| hit.kind == kind);
            (!topic.hits.is_empty()).then_some(Topic::Number(topic))
        }
        _ => None,
    });
    found.collect()
}

#[cfg(test)]
mod tests;
