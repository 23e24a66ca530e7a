//! Makes expressions about a message.

use crate::expression::{Expr, Field, Operator, Plain, Test};
use crate::generate::Random;
use crate::naive::{Shown, values};
use cti_dissector::finding::Code;
use cti_dissector::protocol;
use serde_json::Value;

/// Makes expressions about a message, some of them about fields that it does not have.
pub struct Maker<'r> {
    pub random: &'r mut Random,
    pub json: Value,
    /// The names of its fields.
    pub names: Vec<&'static str>,
}

impl Maker<'_> {
    pub fn expr(&mut self, depth: usize) -> Expr {
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
