//! What an expression says of a message, read off its JSON.

use crate::expression::{Expr, Field, Operator, Plain, Test};
use cti_dissector::protocol;
use serde_json::Value;

/// A value of a message: what it is, and what else JSON says of it.
pub struct Shown {
    pub value: Plain,
    pub name: Option<String>,
    pub bits: Vec<String>,
    pub part: Option<String>,
    pub element: Option<u64>,
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
pub fn values(json: &Value, field: &Field) -> (bool, Vec<Shown>) {
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
    pub fn holds(&self, json: &Value) -> bool {
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
    pub fn holds(&self, json: &Value) -> bool {
        match self {
            Self::Or(parts) => parts.iter().any(|p| p.holds(json)),
            Self::And(parts) => parts.iter().all(|p| p.holds(json)),
            Self::Not(part) => !part.holds(json),
            Self::Test(test) => test.holds(json),
        }
    }
}
