//! From an expression to checks: names are resolved, types compared. What is about fields is in `fields.rs`.

use super::Options;
use super::ast::{Comparison, Expr, Item, Literal, Relation, Test};
use super::check::{Meant, NumberTest, PeerTest, TimeTest, joined};
use super::error::{Fault, FilterErrorKind as Kind};
use super::fields;
use super::names::{self, About, MessageSet, Subject};
use super::node::{Check, Node};
use super::values;
use crate::explain::suggest;
use crate::limits;
use crate::protocol::{self, Message};

/// Compiles an expression.
pub(super) fn compile(expr: &Expr, options: &Options) -> Result<Node, Fault> {
    let mut compiler = Compiler {
        options,
        patterns: 0,
    };
    compiler.expr(expr)
}

pub(super) struct Compiler<'o> {
    pub options: &'o Options,
    patterns: usize,
}

impl Compiler<'_> {
    fn expr(&mut self, expr: &Expr) -> Result<Node, Fault> {
        Ok(match expr {
            Expr::Or(parts) => Node::any(self.each(parts)?),
            Expr::And(parts) => Node::all(self.each(parts)?),
            Expr::Not(part) => Node::not(self.expr(part)?),
            Expr::Test(test) => self.test(test)?,
        })
    }

    fn each(&mut self, parts: &[Expr]) -> Result<Vec<Node>, Fault> {
        parts.iter().map(|part| self.expr(part)).collect()
    }

    fn test(&mut self, test: &Test) -> Result<Node, Fault> {
        let about = match names::resolve(&test.field)? {
            Subject::Field(field) => return fields::test(self, test, field),
            Subject::About(about) => about,
        };
        if test.mask.is_some() {
            return Err(refused(test, "no mask", "&"));
        }
        match about {
            About::Name => self.name(test),
            About::Type => numeric(test, Node::always(), message_type, Check::Type),
            About::Session => numeric(test, Node::always(), plain, Check::Session),
            About::Version => numeric(test, Node::always(), plain, Check::Version),
            About::Length => numeric(test, Node::always(), plain, Check::Length),
            About::Latency => {
                let has = Node::Check(Check::Latency(None));
                numeric(test, has, latency, |t| Check::Latency(Some(t)))
            }
            About::Direction => {
                let is = "client-to-server or server-to-client";
                choice(test, is, Node::always(), |literal| {
                    let found = values::direction(literal).map(Check::Direction);
                    let all = ["client-to-server", "server-to-client"].into_iter();
                    found.ok_or_else(|| values::unknown_word("direction", literal, all))
                })
            }
            About::Source => peer(test, Check::Source),
            About::Destination => peer(test, Check::Destination),
            About::Time => self.time(test),
            About::Status => {
                let has = Node::Check(Check::Status(None));
                choice(test, "an outcome", has, |literal| {
                    Ok(Check::Status(Some(values::status(literal)?)))
                })
            }
            About::Answered => {
                let has = Node::any(vec![
                    Node::Check(Check::Answered(true)),
                    Node::Check(Check::Answered(false)),
                ]);
                if test.relation == Relation::Exists {
                    return Ok(Node::Check(Check::Answered(true)));
                }
                choice(test, "true or false", has, |literal| {
                    match &*literal.word() {
                        "true" => Ok(Check::Answered(true)),
                        "false" => Ok(Check::Answered(false)),
                        _ => {
                            let all = ["true", "false"].into_iter();
                            Err(values::unknown_word("answered", literal, all))
                        }
                    }
                })
            }
            About::Findings => {
                let has = Node::Check(Check::Finding(None));
                choice(test, "codes of findings", has, |literal| {
                    Ok(Check::Finding(Some(values::code(literal)?)))
                })
            }
            About::Severity => severity(test),
        }
    }

    fn name(&mut self, test: &Test) -> Result<Node, Fault> {
        let messages = |condition: &dyn Fn(&Message) -> bool| {
            Node::Check(Check::Message(MessageSet::of(condition)))
        };
        Ok(match &test.relation {
            Relation::Exists => messages(&|_| true),
            Relation::Compare(Comparison::Equal, literal) => {
                let wanted = message(literal)?;
                messages(&|m| m.number == wanted.number)
            }
            Relation::Compare(Comparison::Unequal, literal) => {
                let wanted = message(literal)?;
                messages(&|m| m.number != wanted.number)
            }
            Relation::Compare(..) => {
                let operator = test.relation.operator();
                return Err(refused(test, "the name of a message", operator));
            }
            Relation::In(items) => {
                let wanted = items.iter().map(|item| match &item.last {
                    None => message(&item.first),
                    Some(_) => Err(refused(test, "the name of a message", "..")),
                });
                let wanted: Vec<&Message> = wanted.collect::<Result<_, _>>()?;
                messages(&|m| wanted.iter().any(|w| w.number == m.number))
            }
            Relation::Contains(literal) => {
                let wanted = literal.word();
                messages(&|m| m.name.contains(&*wanted))
            }
            Relation::Matches(literal) => {
                let regex = self.pattern(literal)?;
                messages(&|m| regex.is_match(m.name.as_bytes()))
            }
        })
    }

    fn time(&self, test: &Test) -> Result<Node, Fault> {
        let zone = &self.options.zone;
        let moment = |literal: &Literal| {
            values::moment(literal, zone).ok_or_else(|| {
                let hint =
                    "write it as 10:15, 10:15:00.250, 2026-11-23T10:15:00Z or \"2026-11-23 10:15\"";
                mismatch(test, "a time", hint, literal)
            })
        };
        let check = |test| Node::Check(Check::Time(test));
        Ok(match &test.relation {
            Relation::Exists => Node::always(),
            Relation::Compare(Comparison::Unequal, literal) => Node::not(check(TimeTest::Compare(
                Comparison::Equal,
                moment(literal)?,
            ))),
            Relation::Compare(comparison, literal) => {
                check(TimeTest::Compare(*comparison, moment(literal)?))
            }
            Relation::In(items) => {
                let ranges = ends(items, moment)?;
                for (item, (first, last)) in items.iter().zip(&ranges) {
                    in_order(item, first.time() <= last.time())?;
                }
                check(TimeTest::In(ranges))
            }
            Relation::Contains(_) | Relation::Matches(_) => {
                return Err(refused(test, "a time", test.relation.operator()));
            }
        })
    }

    /// A regular expression. It works on bytes, since texts of the protocol may be in any code.
    pub fn pattern(&mut self, literal: &Literal) -> Result<regex::bytes::Regex, Fault> {
        self.patterns += 1;
        if self.patterns > limits::MAX_FILTER_PATTERNS {
            return Err(Fault::new(Kind::TooManyPatterns, literal.span));
        }
        let fault = |reason: &str| Fault::new(Kind::Pattern(reason.to_owned()), literal.span);
        let pattern = std::str::from_utf8(&literal.text)
            .map_err(|_| fault(r#"bytes are written as in r"\xe9""#))?;
        regex::bytes::RegexBuilder::new(pattern)
            .unicode(false)
            .size_limit(limits::MAX_PATTERN_BYTES)
            .dfa_size_limit(limits::MAX_PATTERN_BYTES)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => fault("it takes too much memory"),
                // The reason stands in the last line, below the place.
                other => {
                    let text = other.to_string();
                    let last = text.lines().last().unwrap_or("");
                    fault(last.strip_prefix("error: ").unwrap_or(last))
                }
            })
    }
}

/// An operator that makes no sense for what is asked.
pub(super) fn refused(test: &Test, is: &'static str, operator: &'static str) -> Fault {
    let kind = Kind::Operator {
        field: test.field.to_string(),
        is,
        operator,
    };
    Fault::new(kind, test.field.span)
}

/// A value of another type.
pub(super) fn mismatch(test: &Test, is: &'static str, hint: &str, at: &Literal) -> Fault {
    let kind = Kind::Mismatch {
        field: test.field.to_string(),
        is,
        hint: hint.to_owned(),
    };
    Fault::new(kind, at.span)
}

/// First and last of each range of a set; one value is both.
pub(super) fn ends<T: Clone>(
    items: &[Item],
    mut value: impl FnMut(&Literal) -> Result<T, Fault>,
) -> Result<Vec<(T, T)>, Fault> {
    let ends = items.iter().map(|item| {
        let first = value(&item.first)?;
        let last = match &item.last {
            Some(last) => value(last)?,
            None => first.clone(),
        };
        Ok((first, last))
    });
    ends.collect()
}

/// An error when a range is not in order.
pub(super) fn in_order(item: &Item, is: bool) -> Result<(), Fault> {
    match &item.last {
        Some(last) if !is => Err(Fault::new(Kind::Reversed, item.first.span.to(last.span))),
        _ => Ok(()),
    }
}

/// A set of numbers.
pub(super) fn number_set(
    items: &[Item],
    value: impl FnMut(&Literal) -> Result<Meant, Fault>,
) -> Result<NumberTest, Fault> {
    let (mut by_value, mut others) = (Vec::new(), Vec::new());
    for (item, ends) in items.iter().zip(ends(items, value)?) {
        match ends {
            (Meant::Value(first), Meant::Value(last)) => {
                in_order(item, first <= last)?;
                by_value.push((first, last));
            }
            (Meant::Bits(first), Meant::Bits(last)) => {
                in_order(item, first <= last)?;
                others.push((Meant::Bits(first), Meant::Bits(last)));
            }
            ends => others.push(ends),
        }
    }
    Ok(NumberTest::In {
        values: joined(by_value),
        others,
    })
}

/// A test of a number that is no field; `has` says whether there is one.
fn numeric(
    test: &Test,
    has: Node,
    value: fn(&Test, &Literal) -> Result<Meant, Fault>,
    check: fn(NumberTest) -> Check,
) -> Result<Node, Fault> {
    let value = |literal: &Literal| value(test, literal);
    let check = |test| Node::Check(check(test));
    Ok(match &test.relation {
        Relation::Exists => has,
        Relation::Compare(Comparison::Unequal, literal) => {
            let equal = NumberTest::Compare(Comparison::Equal, value(literal)?);
            Node::all(vec![has, Node::not(check(equal))])
        }
        Relation::Compare(comparison, literal) => {
            check(NumberTest::Compare(*comparison, value(literal)?))
        }
        Relation::In(items) => check(number_set(items, value)?),
        Relation::Contains(_) | Relation::Matches(_) => {
            return Err(refused(test, "a number", test.relation.operator()));
        }
    })
}

fn plain(test: &Test, literal: &Literal) -> Result<Meant, Fault> {
    let number = values::integer(&literal.word()).filter(|_| !literal.quoted);
    let hint = "compare it with a number, decimal or 0x hexadecimal";
    number
        .map(Meant::Value)
        .ok_or_else(|| mismatch(test, "a number", hint, literal))
}

fn message_type(test: &Test, literal: &Literal) -> Result<Meant, Fault> {
    let known = protocol::message_by_name(&literal.word());
    match known {
        Some(message) => Ok(Meant::Value(message.number.0.into())),
        None => plain(test, literal),
    }
}

fn latency(test: &Test, literal: &Literal) -> Result<Meant, Fault> {
    let hint = "compare it with milliseconds such as 250 or 1.5";
    values::milliseconds(literal)
        .map(Meant::Value)
        .ok_or_else(|| mismatch(test, "a number", hint, literal))
}

/// A test of something that is one of a few; `has` says whether there is anything.
fn choice(
    test: &Test,
    is: &'static str,
    has: Node,
    check: impl Fn(&Literal) -> Result<Check, Fault>,
) -> Result<Node, Fault> {
    match &test.relation {
        Relation::Exists => Ok(has),
        Relation::Compare(Comparison::Equal, literal) => check(literal).map(Node::Check),
        Relation::Compare(Comparison::Unequal, literal) => {
            let equal = Node::Check(check(literal)?);
            Ok(Node::all(vec![has, Node::not(equal)]))
        }
        Relation::In(items) => {
            let parts = items.iter().map(|item| match &item.last {
                None => check(&item.first).map(Node::Check),
                Some(_) => Err(refused(test, is, "..")),
            });
            Ok(Node::any(parts.collect::<Result<_, _>>()?))
        }
        other => Err(refused(test, is, other.operator())),
    }
}

fn peer(test: &Test, check: fn(PeerTest) -> Check) -> Result<Node, Fault> {
    let is = "an address and a port";
    let value = |literal: &Literal| {
        let hint = "write 10.0.0.5, 10.0.0.5:42027, 10.0.0.0/24, 42027, or \"[2001:db8::1]:42027\"";
        values::peer(literal).ok_or_else(|| mismatch(test, is, hint, literal))
    };
    let Relation::In(items) = &test.relation else {
        return choice(test, is, Node::always(), |literal| {
            value(literal).map(check)
        });
    };
    let parts = items.iter().map(|item| {
        let first = value(&item.first)?;
        let Some(last) = &item.last else {
            return Ok(Node::Check(check(first)));
        };
        match (first, value(last)?) {
            (PeerTest::Ports(first, _), PeerTest::Ports(_, last)) => {
                in_order(item, first <= last)?;
                Ok(Node::Check(check(PeerTest::Ports(first, last))))
            }
            _ => {
                let hint =
                    "only ports have ranges; write addresses as a network such as 10.0.0.0/24";
                Err(mismatch(test, is, hint, &item.first))
            }
        }
    });
    Ok(Node::any(parts.collect::<Result<_, _>>()?))
}

fn severity(test: &Test) -> Result<Node, Fault> {
    let is = "info, warn or error";
    let has = Node::Check(Check::Finding(None));
    if let Relation::Compare(comparison, literal) = &test.relation
        && !matches!(comparison, Comparison::Equal | Comparison::Unequal)
    {
        let wanted = values::severity(literal)?;
        let passes = values::SEVERITIES.map(|s| comparison.holds(s.cmp(&wanted)));
        return Ok(Node::Check(Check::Severity(passes)));
    }
    choice(test, is, has, |literal| {
        let wanted = values::severity(literal)?;
        Ok(Check::Severity(values::SEVERITIES.map(|s| s == wanted)))
    })
}

fn message(literal: &Literal) -> Result<&'static Message, Fault> {
    let word = literal.word();
    protocol::message_by_name(&word).ok_or_else(|| {
        let near = suggest::similar_messages(&word);
        Fault::new(Kind::UnknownMessage(word.into_owned()), literal.span).near(near)
    })
}
