//! Compiles what is asked about a field, by the types that the tables give it.

use super::ast::{Comparison, Literal, Relation, Test};
use super::check::{Meant, Moment, NumberTest, TextTest};
use super::compile::{Compiler, ends, in_order, mismatch, number_set, refused};
use super::error::{Fault, FilterErrorKind as Kind};
use super::names::{Field, Form};
use super::node::{Check, FieldCheck, FieldTest, Node, ValueTests};
use super::values;
use crate::protocol::WireType;
use crate::time::NANOS_PER_SECOND;
use memchr::memmem::Finder;
use std::sync::Arc;

/// How the values of a field are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Number,
    Time,
    Task,
    Text,
}

const fn class(wire: Option<WireType>) -> Class {
    match wire {
        Some(WireType::Time) => Class::Time,
        Some(WireType::TaskId) => Class::Task,
        Some(
            WireType::String | WireType::Unspec | WireType::NamedVariable | WireType::NamedArray,
        )
        | None => Class::Text,
        Some(_) => Class::Number,
    }
}

/// Values compared for each form of the field that suits; an error when none does.
pub(super) fn test(compiler: &mut Compiler<'_>, test: &Test, field: Field) -> Result<Node, Fault> {
    let shows_secrets = compiler.options.show_secrets;
    let is_bare = test.relation == Relation::Exists && test.mask.is_none();
    if !is_bare && !shows_secrets && field.forms.iter().any(|f| f.secret) {
        let kind = Kind::Secret(field.name.to_owned());
        return Err(Fault::new(kind, test.field.span));
    }
    let none_passes = matches!(test.relation, Relation::Compare(Comparison::Unequal, _));
    let (values, mut clues) = match is_bare {
        true => (FieldTest::Exists, Vec::new()),
        false => comparisons(compiler, test, &field)?,
    };
    if none_passes {
        clues.clear();
    }
    if let Some(part) = test.field.part.as_ref().filter(|p| !p.is_empty()) {
        clues.push(vec![Finder::new(part).into_owned()]);
    }
    Ok(Node::Check(Check::Field(Arc::new(FieldCheck {
        field,
        part: test.field.part.clone(),
        element: test.field.element,
        test: values,
        none_passes,
        shows_secrets,
        clues,
    }))))
}

type Clues = Vec<Vec<Finder<'static>>>;

fn comparisons(
    compiler: &mut Compiler<'_>,
    test: &Test,
    field: &Field,
) -> Result<(FieldTest, Clues), Fault> {
    let has = |wanted| field.forms.iter().any(|f| class(f.wire) == wanted);
    let mut faults = Vec::new();
    let mut keep = |fault| faults.push(fault);
    let number = ok(has(Class::Number), || numbers(test, field), &mut keep);
    let time = ok(has(Class::Time), || times(compiler, test), &mut keep);
    let task = ok(has(Class::Task), || tasks(test), &mut keep);
    let text = ok(has(Class::Text), || texts(compiler, test), &mut keep);
    let tested = number.is_some() || time.is_some() || task.is_some() || text.is_some();
    if !tested && let Some(fault) = faults.into_iter().next() {
        return Err(fault);
    }
    let of_one_type = |class_: Class| field.forms.iter().all(|f| class(f.wire) == class_);
    let clues = match (&number, &text) {
        (Some(number), None) if field.forms.iter().all(|f| has_four_bytes(f.wire)) => {
            number_clues(number)
        }
        (None, Some(text)) if of_one_type(Class::Text) => text_clues(text),
        _ => None,
    };
    let tests = ValueTests {
        number,
        time,
        text,
        task: task.unwrap_or_default(),
    };
    Ok((
        FieldTest::Values(Box::new(tests)),
        clues.into_iter().collect(),
    ))
}

fn ok<T>(
    applies: bool,
    make: impl FnOnce() -> Result<T, Fault>,
    keep: &mut impl FnMut(Fault),
) -> Option<T> {
    if !applies {
        return None;
    }
    make().map_err(keep).ok()
}

/// The comparison with a single value; the check turns unequal around for all values of the field together.
const fn one_by_one(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Unequal => Comparison::Equal,
        other => other,
    }
}

fn numbers(test: &Test, field: &Field) -> Result<NumberTest, Fault> {
    let forms = field.forms.iter().copied();
    let forms: Vec<Form> = forms.filter(|f| class(f.wire) == Class::Number).collect();
    let value = |literal: &Literal| values::number(field.name, &forms, literal);
    let compared = match &test.relation {
        Relation::Exists => None,
        Relation::Compare(comparison, literal) => Some(NumberTest::Compare(
            one_by_one(*comparison),
            value(literal)?,
        )),
        Relation::In(items) => Some(number_set(items, value)?),
        Relation::Contains(_) | Relation::Matches(_) => {
            return Err(refused(test, "a number", test.relation.operator()));
        }
    };
    let Some(mask) = &test.mask else {
        return compared.ok_or_else(|| refused(test, "a number", ""));
    };
    let bits = match value(mask)? {
        Meant::Value(value) => u32::try_from(value).ok(),
        Meant::Bits(bits) => Some(bits),
        Meant::Named(meanings) => meanings.first().map(|(_, bits)| *bits),
    };
    let hint = "a mask is not negative";
    let mask = bits.ok_or_else(|| mismatch(test, "a number", hint, mask))?;
    Ok(match compared {
        None => NumberTest::AnyOf(mask),
        Some(test) => NumberTest::Masked {
            mask,
            test: Box::new(test),
        },
    })
}

fn times(compiler: &Compiler<'_>, test: &Test) -> Result<NumberTest, Fault> {
    unmasked(test, "a time")?;
    let value = |literal: &Literal| {
        if !literal.quoted
            && let Some(seconds) = values::integer(&literal.word())
        {
            return Ok(Meant::Value(seconds));
        }
        match values::moment(literal, &compiler.options.zone) {
            Some(Moment::At(time)) => Ok(Meant::Value(time.nanos().div_euclid(NANOS_PER_SECOND))),
            _ => {
                let hint = "write it as 2026-11-23T10:15:00Z, \"2026-11-23 10:15\" or in seconds since 1970";
                Err(mismatch(test, "a time", hint, literal))
            }
        }
    };
    match &test.relation {
        Relation::Compare(comparison, literal) => Ok(NumberTest::Compare(
            one_by_one(*comparison),
            value(literal)?,
        )),
        Relation::In(items) => number_set(items, value),
        other => Err(refused(test, "a time", other.operator())),
    }
}

fn tasks(test: &Test) -> Result<Vec<(i32, i32, i32)>, Fault> {
    let is = "the ID of a task";
    unmasked(test, is)?;
    let value = |literal: &Literal| {
        let word = literal.word();
        let mut parts = word.split(':').map(|part| part.parse::<i32>().ok());
        let mut part = || parts.next().flatten();
        let task = part().zip(part()).zip(part());
        match (task, parts.next()) {
            (Some(((high, low), sequence)), None) => Ok((high, low, sequence)),
            _ => {
                let hint = "write its three numbers as in \"12:-5:1\"";
                Err(mismatch(test, is, hint, literal))
            }
        }
    };
    match &test.relation {
        Relation::Compare(Comparison::Equal | Comparison::Unequal, literal) => {
            Ok(vec![value(literal)?])
        }
        Relation::In(items) => items
            .iter()
            .map(|item| match &item.last {
                None => value(&item.first),
                Some(_) => Err(refused(test, is, "..")),
            })
            .collect(),
        other => Err(refused(test, is, other.operator())),
    }
}

fn texts(compiler: &mut Compiler<'_>, test: &Test) -> Result<TextTest, Fault> {
    unmasked(test, "a text")?;
    let value = |literal: &Literal| {
        if literal.quoted {
            return Ok(literal.text.clone());
        }
        let hint = format!("write \"{}\" in double quotes", literal.word());
        Err(mismatch(test, "a text", &hint, literal))
    };
    Ok(match &test.relation {
        Relation::Compare(comparison, literal) => {
            TextTest::Compare(one_by_one(*comparison), value(literal)?)
        }
        Relation::Contains(literal) => {
            let finder = Finder::new(&value(literal)?).into_owned();
            TextTest::Contains(Box::new(finder))
        }
        Relation::Matches(literal) => {
            value(literal)?;
            TextTest::Matches(compiler.pattern(literal)?)
        }
        Relation::In(items) => {
            let (mut single, mut ranges) = (Vec::new(), Vec::new());
            for (item, (first, last)) in items.iter().zip(ends(items, value)?) {
                in_order(item, first <= last)?;
                match item.last {
                    None => single.push(first),
                    Some(_) => ranges.push((first, last)),
                }
            }
            single.sort_unstable();
            TextTest::In {
                values: single,
                ranges,
            }
        }
        Relation::Exists => return Err(refused(test, "a text", "")),
    })
}

fn unmasked(test: &Test, is: &'static str) -> Result<(), Fault> {
    match &test.mask {
        None => Ok(()),
        Some(_) => Err(refused(test, is, "&")),
    }
}

/// Values that are looked for before a message is decoded; looking for more of them costs more than decoding.
const MOST_CLUES: usize = 8;

/// Bytes of which one must be in the message; `None` when nothing can be said.
fn text_clues(test: &TextTest) -> Option<Vec<Finder<'static>>> {
    let wanted: Vec<&[u8]> = match test {
        TextTest::Compare(Comparison::Equal, text) => vec![text],
        TextTest::Contains(finder) => vec![finder.needle()],
        TextTest::In { values, ranges } if ranges.is_empty() => {
            values.iter().map(Vec::as_slice).collect()
        }
        _ => return None,
    };
    if wanted.len() > MOST_CLUES || wanted.iter().any(|text| text.is_empty()) {
        return None;
    }
    let finders = wanted.into_iter().map(|w| Finder::new(w).into_owned());
    Some(finders.collect())
}

const fn has_four_bytes(wire: Option<WireType>) -> bool {
    matches!(wire, Some(WireType::Int | WireType::UInt))
}

/// The same for a number of four bytes.
fn number_clues(test: &NumberTest) -> Option<Vec<Finder<'static>>> {
    let bytes = |meant: &Meant| match meant {
        Meant::Value(value) => match u32::try_from(*value) {
            Ok(bits) => Some(bits.to_be_bytes()),
            Err(_) => i32::try_from(*value).ok().map(i32::to_be_bytes),
        },
        Meant::Bits(bits) => Some(bits.to_be_bytes()),
        Meant::Named(_) => None,
    };
    let wanted: Option<Vec<[u8; 4]>> = match test {
        NumberTest::Compare(Comparison::Equal, meant) => Some(vec![bytes(meant)?]),
        NumberTest::In { values, others } if others.is_empty() && values.len() <= MOST_CLUES => {
            let single = |(first, last): &(i64, i64)| {
                (first == last)
                    .then(|| bytes(&Meant::Value(*first)))
                    .flatten()
            };
            values.iter().map(single).collect()
        }
        _ => None,
    };
    let finders = wanted?.into_iter().map(|w| Finder::new(&w).into_owned());
    Some(finders.collect())
}
