//! A filter says what can be read off the message's JSON: random expressions over generated messages, evaluated by the filter and, naively,
//! over the JSON object. `FILTER_CASES` raises the number of expressions per message.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod generate;

use cti_dissector::Timestamp;
use cti_dissector::correlate::{Answer, OutcomeKind, Part};
use cti_dissector::decode::Decoder;
use cti_dissector::filter::{self, Filter, FilterErrorKind};
use cti_dissector::finding::{Code, Finding};
use cti_dissector::protocol::{self, MessageType};
use cti_dissector::record::{Direction, MessageInfo, Packets, Peers, Record};
use cti_dissector::render::json::{self, Renderer};
use cti_dissector::session::VersionSource;
use generate::{Random, Wish, message, published, versions};
use serde_json::Value;

/// A test, written as an expression has it and answered over JSON.
#[derive(Debug, Clone)]
struct Test {
    field: Field,
    operator: Operator,
}

#[derive(Debug, Clone)]
enum Field {
    Own(&'static str),
    Variable(&'static str, String),
    Element(&'static str, String, u64),
    Header(&'static str),
}

#[derive(Debug, Clone)]
enum Operator {
    Exists,
    Compare(&'static str, Plain),
    In(Vec<Plain>, Option<(i64, i64)>),
    Contains(Vec<u8>),
    Begins(Vec<u8>),
    HasBit(String),
    Masked(u32, u32),
}

/// A value as JSON has it.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Plain {
    Number(i64),
    /// A number by its name.
    Named(String),
    Text(Vec<u8>),
}

#[derive(Debug, Clone)]
enum Expr {
    Or(Vec<Expr>),
    And(Vec<Expr>),
    Not(Box<Expr>),
    Test(Test),
}

/// A value of a message: what it is, and what else JSON says of it.
struct Shown {
    value: Plain,
    name: Option<String>,
    bits: Vec<String>,
    part: Option<String>,
    element: Option<u64>,
}

fn shown(value: &Value) -> Vec<Shown> {
    let plain = |value| Shown {
        value,
        name: None,
        bits: Vec::new(),
        part: None,
        element: None,
    };
    match value {
        Value::Array(several) => several.iter().flat_map(shown).collect(),
        Value::Number(n) => vec![plain(Plain::Number(n.as_i64().unwrap()))],
        Value::String(text) => vec![plain(Plain::Text(text.clone().into_bytes()))],
        Value::Object(object) if object.contains_key("hex") => {
            vec![plain(Plain::Text(unhex(object["hex"].as_str().unwrap())))]
        }
        // Tasks are not compared here.
        Value::Object(object) if object.contains_key("group_high") => Vec::new(),
        Value::Object(object) => {
            let mut inner = shown(&object["value"]).pop().unwrap();
            match inner.value {
                Plain::Text(_) => {
                    let name = shown(&object["name"]).pop().unwrap().value;
                    let Plain::Text(name) = name else { panic!() };
                    inner.part = String::from_utf8(name).ok();
                    inner.element = object.get("index").and_then(Value::as_u64);
                }
                _ => {
                    let text = |v: &Value| v.as_str().map(str::to_owned);
                    inner.name = object.get("name").and_then(text);
                    let bits = object.get("names").and_then(Value::as_array);
                    inner.bits = bits.into_iter().flatten().filter_map(text).collect();
                }
            }
            vec![inner]
        }
        other => panic!("{other}"),
    }
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|d| u8::try_from(d).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] * 16 + pair[1])
        .collect()
}

/// All values of a field in a message's JSON, and whether it is there at all.
fn values(json: &Value, field: &Field) -> (bool, Vec<Shown>) {
    let own = |name: &str| {
        let fixed = json["fields"].get(name).into_iter();
        let floating = json["floating"].as_array().unwrap().iter().filter(|f| {
            let tag = u16::try_from(f["tag"].as_u64().unwrap()).unwrap();
            f["name"] == name || protocol::floating(tag).is_some_and(|f| f.name == name)
        });
        let all: Vec<&Value> = fixed.chain(floating.map(|f| &f["value"])).collect();
        (
            !all.is_empty(),
            all.into_iter().flat_map(shown).collect::<Vec<_>>(),
        )
    };
    let of_part = |name: &str, part: &str, element: Option<u64>| {
        let (_, mut all) = own(name);
        all.retain(|s| {
            s.part.as_deref() == Some(part) && (element.is_none() || s.element == element)
        });
        (!all.is_empty(), all)
    };
    match field {
        Field::Own(name) => own(name),
        Field::Variable(name, part) => of_part(name, part, None),
        Field::Element(name, part, element) => of_part(name, part, Some(*element)),
        Field::Header(name) => {
            let listed = |key: &str| {
                let findings = json.get("findings").and_then(Value::as_array);
                let all: Vec<Shown> = findings
                    .into_iter()
                    .flatten()
                    .flat_map(|f| shown(&f[key]))
                    .collect();
                (!all.is_empty(), all)
            };
            match *name {
                "findings" => listed("code"),
                "severity" => listed("severity"),
                "latency_ms" => {
                    let there = json.get("latency_ms");
                    let whole = there.map(|v| v.as_f64().unwrap().trunc());
                    let number = whole.map(|v| v.to_string().parse().unwrap());
                    let all = number.map(|n: i64| shown(&Value::from(n)));
                    (there.is_some(), all.unwrap_or_default())
                }
                key => match json.get(key) {
                    None | Some(Value::Null) => (false, Vec::new()),
                    Some(value) => (true, shown(value)),
                },
            }
        }
    }
}

impl Test {
    fn holds(&self, json: &Value) -> bool {
        let (there, values) = values(json, &self.field);
        let is_number = |s: &&Shown| matches!(s.value, Plain::Number(_));
        let numbers = || values.iter().filter(is_number);
        let texts = || {
            values.iter().filter_map(|s| match &s.value {
                Plain::Text(text) => Some(text.as_slice()),
                _ => None,
            })
        };
        match &self.operator {
            Operator::Exists => there,
            Operator::Compare("==", wanted) => values.iter().any(|s| is(s, wanted)),
            Operator::Compare("!=", wanted) => {
                let is_text = matches!(wanted, Plain::Text(_));
                let comparable = |s: &Shown| is_text == matches!(s.value, Plain::Text(_));
                values.iter().any(comparable) && !values.iter().any(|s| is(s, wanted))
            }
            Operator::Compare(operator, wanted) => values.iter().any(|s| {
                let same_type = std::mem::discriminant(&s.value) == std::mem::discriminant(wanted);
                same_type
                    && match *operator {
                        "<" => s.value < *wanted,
                        "<=" => s.value <= *wanted,
                        ">" => s.value > *wanted,
                        ">=" => s.value >= *wanted,
                        other => panic!("{other}"),
                    }
            }),
            Operator::In(wanted, range) => values.iter().any(|s| {
                let in_range = |(a, b): (i64, i64)| match s.value {
                    Plain::Number(n) => a <= n && n <= b,
                    _ => false,
                };
                wanted.iter().any(|w| is(s, w)) || range.is_some_and(in_range)
            }),
            Operator::Contains(part) => texts().any(|t| {
                part.is_empty()
                    || t.windows(part.len())
                        .any(|window| window == part.as_slice())
            }),
            Operator::Begins(part) => texts().any(|t| t.starts_with(part)),
            Operator::HasBit(name) => numbers().any(|s| s.bits.contains(name)),
            Operator::Masked(mask, wanted) => numbers().any(|s| match s.value {
                Plain::Number(n) => i64::from(*mask) & n == i64::from(*wanted),
                _ => false,
            }),
        }
    }
}

fn is(shown: &Shown, wanted: &Plain) -> bool {
    match wanted {
        Plain::Named(name) => shown.name.as_ref() == Some(name),
        other => shown.value == *other,
    }
}

impl Expr {
    fn holds(&self, json: &Value) -> bool {
        match self {
            Self::Or(parts) => parts.iter().any(|p| p.holds(json)),
            Self::And(parts) => parts.iter().all(|p| p.holds(json)),
            Self::Not(part) => !part.holds(json),
            Self::Test(test) => test.holds(json),
        }
    }

    fn written(&self) -> String {
        let joined = |parts: &[Self], between: &str| {
            let parts: Vec<String> = parts.iter().map(Self::written).collect();
            format!("({})", parts.join(between))
        };
        match self {
            Self::Or(parts) => joined(parts, " || "),
            Self::And(parts) => joined(parts, " and "),
            Self::Not(part) => format!("!({})", part.written()),
            Self::Test(test) => test.written(),
        }
    }
}

impl Test {
    fn written(&self) -> String {
        let field = match &self.field {
            Field::Own(name) | Field::Header(name) => (*name).to_owned(),
            Field::Variable(name, part) => format!("{name}[{}]", quoted(part.as_bytes())),
            Field::Element(name, part, n) => format!("{name}[{}][{n}]", quoted(part.as_bytes())),
        };
        match &self.operator {
            Operator::Exists => field,
            Operator::Compare(operator, value) => format!("{field} {operator} {}", value.written()),
            Operator::In(several, range) => {
                let mut items: Vec<String> = several.iter().map(Plain::written).collect();
                items.extend(range.map(|(a, b)| format!("{a}..{b}")));
                format!("{field} in {{{}}}", items.join(", "))
            }
            Operator::Contains(part) => format!("{field} contains {}", quoted(part)),
            Operator::Begins(part) => {
                let bytes = part.iter().map(|b| format!("\\x{b:02x}"));
                let pattern = format!("(?s-u)^{}", bytes.collect::<String>());
                format!("{field} matches r\"{pattern}\"")
            }
            Operator::HasBit(name) => format!("{field} & {}", quoted(name.as_bytes())),
            Operator::Masked(mask, wanted) => format!("{field} & {mask:#x} == {wanted}"),
        }
    }
}

impl Plain {
    fn written(&self) -> String {
        match self {
            Self::Number(n) => n.to_string(),
            Self::Named(name) => quoted(name.as_bytes()),
            Self::Text(text) => quoted(text),
        }
    }
}

fn quoted(text: &[u8]) -> String {
    let bytes = text.iter().map(|b| match b {
        b'"' | b'\\' => format!("\\{}", char::from(*b)),
        0x20..0x7F => char::from(*b).to_string(),
        other => format!("\\x{other:02x}"),
    });
    format!("\"{}\"", bytes.collect::<String>())
}

/// Makes expressions about a message, some of them about fields that it does not have.
struct Maker<'r> {
    random: &'r mut Random,
    json: Value,
    /// The names of its fields.
    names: Vec<&'static str>,
}

impl Maker<'_> {
    fn expr(&mut self, depth: usize) -> Expr {
        let several = |maker: &mut Self| {
            let count = 1 + maker.random.below(3);
            (0..count).map(|_| maker.expr(depth - 1)).collect()
        };
        match self.random.below(7) {
            0 if depth > 0 => Expr::Or(several(self)),
            1 if depth > 0 => Expr::And(several(self)),
            2 if depth > 0 => Expr::Not(Box::new(self.expr(depth - 1))),
            _ => Expr::Test(self.test()),
        }
    }

    fn field(&mut self) -> Field {
        let messages = protocol::messages();
        let other = messages[self.random.below(messages.len())];
        let of_other = |random: &mut Random| {
            let fixed = other.layouts.iter().flat_map(|l| l.fixed).map(|f| f.name);
            let floating = other.floating.iter().map(|u| u.name);
            let names: Vec<&'static str> = fixed.chain(floating).collect();
            (!names.is_empty()).then(|| *random.pick(&names))
        };
        let header = [
            "name",
            "type",
            "session",
            "version",
            "direction",
            "length",
            "latency_ms",
            "findings",
            "severity",
        ];
        let name = match self.random.below(8) {
            0 => return Field::Header(header[self.random.below(header.len())]),
            1 => of_other(self.random),
            _ if self.names.is_empty() => None,
            _ => Some(*self.random.pick(&self.names)),
        };
        let Some(name) = name else {
            return Field::Header("type");
        };
        let parts: Vec<(String, Option<u64>)> = values(&self.json, &Field::Own(name))
            .1
            .into_iter()
            .filter_map(|s| Some((s.part?, s.element)))
            .collect();
        if parts.is_empty() || self.random.once_in(4) {
            return Field::Own(name);
        }
        let (part, element) = self.random.pick(&parts).clone();
        match element {
            Some(element) if self.random.once_in(2) => Field::Element(name, part, element),
            _ => Field::Variable(name, part),
        }
    }

    fn test(&mut self) -> Test {
        let field = self.field();
        let operator = self.operator(&field);
        Test { field, operator }
    }

    fn operator(&mut self, field: &Field) -> Operator {
        let there = values(&self.json, field).1;
        if let Field::Header(name @ ("direction" | "findings" | "severity" | "name")) = field {
            let all: Vec<&str> = match *name {
                "direction" => vec!["client-to-server", "server-to-client"],
                "severity" => vec!["info", "warn", "error"],
                "name" => protocol::messages().iter().map(|m| m.name).collect(),
                _ => Code::ALL.iter().map(|c| c.name()).collect(),
            };
            let value = match there.first() {
                Some(first) if self.random.once_in(2) => first.value.clone(),
                _ => Plain::Text(self.random.pick(&all).as_bytes().to_vec()),
            };
            let operator = *self.random.pick(&["==", "!="]);
            return match self.random.below(4) {
                0 => Operator::Exists,
                1 => Operator::In(vec![value], None),
                _ => Operator::Compare(operator, value),
            };
        }
        if there.is_empty() {
            return self.blindly();
        }
        let at = self.random.below(there.len());
        let one = &there[at];
        let operators = ["==", "!=", "<", "<=", ">", ">="];
        let operator = *self.random.pick(&operators);
        match &one.value {
            Plain::Number(n) => {
                let near = n + i64::try_from(self.random.below(3)).unwrap() - 1;
                let name = one.name.clone().filter(|_| self.random.once_in(2));
                if let Some(bit) = one.bits.first().filter(|_| self.random.once_in(2)) {
                    return Operator::HasBit(bit.clone());
                }
                match (name, self.random.below(6)) {
                    (_, 0) => Operator::Exists,
                    (Some(name), _) => {
                        let sign = ["==", "!="][self.random.below(2)];
                        Operator::Compare(sign, Plain::Named(name))
                    }
                    (_, 1) => Operator::In(vec![Plain::Number(near)], Some((*n, *n))),
                    (_, 2) => {
                        Operator::In(vec![Plain::Number(near), Plain::Number(near / 2)], None)
                    }
                    (_, 3) if *n >= 0 && !matches!(field, Field::Header(_)) => {
                        // JSON does not say how many bits a negative number has.
                        let is_negative = |s: &Shown| s.value < Plain::Number(0);
                        let keep = if there.iter().any(is_negative) {
                            0x7F
                        } else {
                            u32::MAX
                        };
                        let mask = keep & u32::try_from(self.random.next() >> 32).unwrap();
                        let wanted = u32::try_from(*n).map_or(0, |n| n & mask);
                        Operator::Masked(mask, wanted)
                    }
                    _ => Operator::Compare(operator, Plain::Number(near)),
                }
            }
            Plain::Text(text) => {
                let from = self.random.below(text.len() + 1);
                let to = from + self.random.below(text.len() - from + 1);
                let part = text[from..to].to_vec();
                match self.random.below(6) {
                    0 => Operator::Exists,
                    1 => Operator::Contains(part),
                    2 => Operator::Begins(part),
                    3 => Operator::In(vec![Plain::Text(part), Plain::Text(text.clone())], None),
                    4 => Operator::Compare(operator, Plain::Text(part)),
                    _ => Operator::Compare(operator, Plain::Text(text.clone())),
                }
            }
            Plain::Named(_) => panic!("no value is a name"),
        }
    }

    /// For a field that is not there.
    fn blindly(&mut self) -> Operator {
        match self.random.below(5) {
            0 => Operator::Compare("==", Plain::Number(0)),
            1 => Operator::Compare("!=", Plain::Number(1)),
            2 => Operator::Contains(Vec::new()),
            3 => Operator::Compare("!=", Plain::Text(b"x".to_vec())),
            _ => Operator::Exists,
        }
    }
}

fn info(bytes: &[u8], random: &mut Random) -> MessageInfo {
    let number = MessageType(u32::from_be_bytes(bytes[4..8].try_into().unwrap()));
    let message = protocol::message(number);
    let part = Part {
        no: 1,
        number,
        message,
        time: Timestamp::default(),
    };
    let is_answer = message.is_some_and(|m| m.answers.is_some());
    let latency = i64::try_from(random.below(9)).unwrap() * 1_000_000;
    let direction = match random.once_in(2) {
        true => Direction::ClientToServer,
        false => Direction::ServerToClient,
    };
    let finding = random
        .once_in(8)
        .then(|| Finding::new(Code::InvokeIdReused, "again"));
    MessageInfo {
        no: 2,
        time: Timestamp::from_seconds(1_795_428_901),
        peers: Peers {
            session: u32::try_from(random.below(4)).unwrap(),
            client: "10.0.1.10:50412".parse().unwrap(),
            server: "10.0.0.5:42027".parse().unwrap(),
        },
        direction,
        packets: Packets::default(),
        version: protocol::ProtocolVersion(24),
        version_source: VersionSource::Stated,
        number,
        message,
        answers: is_answer.then_some(Answer {
            request: part,
            latency,
            kind: OutcomeKind::Confirmed,
            failure: None,
        }),
        outcome: None,
        findings: finding.into_iter().collect(),
        first_of_session: false,
    }
}

/// What was tried.
#[derive(Debug, Default)]
struct Tried {
    passed: u32,
    failed: u32,
    refused: u32,
}

fn compare(bytes: &[u8], info: &MessageInfo, random: &mut Random, cases: usize, tried: &mut Tried) {
    let mut renderer = Renderer::new(json::Options {
        show_secrets: true,
        ..json::Options::default()
    });
    let options = filter::Options {
        show_secrets: true,
        ..filter::Options::default()
    };
    let mut out = Vec::new();
    renderer.record(&mut out, &Record::Message(info, bytes));
    let json: Value = serde_json::from_slice(&out).unwrap();
    let mut decoder = Decoder::new();
    let view = decoder.decode_as(bytes, info.version, info.message);
    let fixed = view.fixed().map(|f| f.field().name);
    let names: Vec<&'static str> = fixed
        .chain(view.floating().filter_map(|f| f.name()))
        .collect();
    let mut maker = Maker {
        random,
        json,
        names,
    };
    for _ in 0..cases {
        let expr = maker.expr(2);
        let text = expr.written();
        match Filter::with_options(&text, &options) {
            Ok(filter) => {
                let expected = expr.holds(&maker.json);
                let actual = filter.matches(info, bytes, &mut decoder);
                assert_eq!(actual, expected, "{text}\n{}", maker.json);
                match actual {
                    true => tried.passed += 1,
                    false => tried.failed += 1,
                }
            }
            // Values were chosen without a look at types.
            Err(error) => match error.kind() {
                FilterErrorKind::Mismatch { .. }
                | FilterErrorKind::Operator { .. }
                | FilterErrorKind::OutOfRange { .. }
                | FilterErrorKind::UnknownValue { .. }
                | FilterErrorKind::Ambiguous { .. } => tried.refused += 1,
                _ => panic!("{text}: {error}"),
            },
        }
    }
}

#[test]
fn a_filter_says_what_the_json_says() {
    let cases = std::env::var("FILTER_CASES").ok();
    let cases = cases.map_or(40, |n| n.parse().unwrap());
    let mut random = Random(20_261_123);
    let mut tried = Tried::default();
    for definition in published() {
        let versions: Vec<_> = versions(definition).collect();
        for wish in [
            Wish {
                usual: true,
                ..Wish::default()
            },
            Wish::default(),
        ] {
            let version = *random.pick(&versions);
            let made = message(definition, version, &mut random, wish);
            let mut info = info(&made.bytes, &mut random);
            info.version = version;
            info.message = Some(definition);
            compare(&made.bytes, &info, &mut random, cases, &mut tried);
            // Cut, read as another version, and with fields that it should not have.
            let end = 8 + random.below(made.bytes.len() - 7);
            compare(
                &made.bytes[..end],
                &info,
                &mut random,
                cases / 4,
                &mut tried,
            );
            info.version = *random.pick(&versions);
            compare(&made.bytes, &info, &mut random, cases / 4, &mut tried);
            let mut foreign = made.bytes.clone();
            let tag = u8::try_from(1 + random.below(250)).unwrap();
            match version.floating_header() {
                protocol::FloatingHeader::Narrow => foreign.extend([tag, 2, b'x', 0]),
                protocol::FloatingHeader::Wide => foreign.extend([0, tag, 0, 2, b'x', 0]),
            }
            let length = u32::try_from(foreign.len() - 8).unwrap();
            foreign[..4].copy_from_slice(&length.to_be_bytes());
            info.version = version;
            compare(&foreign, &info, &mut random, cases / 4, &mut tried);
        }
    }
    eprintln!("{tried:?}");
    let answered = tried.passed + tried.failed;
    assert!(tried.refused < answered / 2, "{tried:?}");
    assert!(
        tried.passed > answered / 5 && tried.failed > answered / 5,
        "{tried:?}"
    );
}
