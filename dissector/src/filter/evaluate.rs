//! Answers a compiled expression for one message. Decodes it at most once, and only when nothing else decides.

use super::check::{NumberTest, Operand, TextTest};
use super::node::{Check, FieldCheck, FieldTest, Node, ValueTests};
use crate::correlate::{FailureCode, OutcomeKind, is_answer};
use crate::decode::{self, Decoder, FieldValue, FixedView, FloatingView, MessageView};
use crate::finding::{Code, Finding, Severity};
use crate::protocol::ValueTable;
use crate::record::MessageInfo;

/// A message that is decoded when that is needed.
pub(super) struct Lazy<'a> {
    info: &'a MessageInfo,
    bytes: &'a [u8],
    decoder: Option<&'a mut Decoder>,
    view: Option<MessageView<'a>>,
}

impl<'a> Lazy<'a> {
    pub const fn new(info: &'a MessageInfo, bytes: &'a [u8], decoder: &'a mut Decoder) -> Self {
        Self {
            info,
            bytes,
            decoder: Some(decoder),
            view: None,
        }
    }

    fn view(&mut self) -> Option<MessageView<'a>> {
        if let Some(decoder) = self.decoder.take() {
            let info = self.info;
            self.view = Some(decoder.decode_as(self.bytes, info.version, info.message));
        }
        self.view
    }

    /// Whether the message passes.
    pub fn passes(&mut self, node: &Node) -> bool {
        match node {
            Node::Or(parts) => parts.iter().any(|part| self.passes(part)),
            Node::And(parts) => parts.iter().all(|part| self.passes(part)),
            Node::Not(part) => !self.passes(part),
            Node::Check(check) => self.meets(check),
        }
    }

    fn meets(&mut self, check: &Check) -> bool {
        let info = self.info;
        let (source, destination) = info.peers.ends(info.direction);
        match check {
            Check::Message(set) => info.message.is_some_and(|m| set.has(m)),
            Check::Type(test) => accepts(test, info.number.0),
            Check::Session(test) => accepts(test, info.peers.session),
            Check::Version(test) => accepts(test, info.version.0),
            Check::Length(test) => {
                let header = decode::wire::header(self.bytes);
                accepts(test, header.map_or(0, |(_, h)| h.length))
            }
            Check::Direction(direction) => info.direction == *direction,
            Check::Source(test) => test.accepts(source),
            Check::Destination(test) => test.accepts(destination),
            Check::Time(test) => test.accepts(info.time),
            Check::Latency(test) => latency(info).is_some_and(|latency| {
                let passes = |t: &NumberTest| t.accepts(Operand::plain(latency));
                test.as_ref().is_none_or(passes)
            }),
            Check::Status(test) => status(info).is_some_and(|(kind, failure)| {
                test.as_ref().is_none_or(|t| t.accepts(kind, failure))
            }),
            Check::Answered(wanted) => info
                .outcome
                .is_some_and(|outcome| outcome.answer.is_some() == *wanted),
            Check::Finding(wanted) => self.finds(|code| wanted.is_none_or(|w| w == code)),
            Check::Severity([info, warn, error]) => self.finds(|code| match code.severity() {
                Severity::Info => *info,
                Severity::Warn => *warn,
                Severity::Error => *error,
            }),
            Check::Field(check) => self.has_field(check),
        }
    }

    /// Whether there is a finding of such a code; those of decoding are looked at last.
    fn finds(&mut self, wanted: impl Fn(Code) -> bool) -> bool {
        let any = |findings: &[Finding]| findings.iter().any(|f| wanted(f.code));
        any(&self.info.findings) || self.view().is_some_and(|view| any(view.findings()))
    }

    fn has_field(&mut self, check: &FieldCheck) -> bool {
        (self.view.is_some() || self.may_have(check))
            && self.view().is_some_and(|view| passes(check, &view))
    }

    /// Whether the message can have the field with such a value, by what can be told without decoding.
    fn may_have(&self, check: &FieldCheck) -> bool {
        let Some(message) = self.info.message else {
            return false;
        };
        let field = &check.field;
        if !field.carriers.has(message) {
            if field.usual_tags.is_empty() {
                return false;
            }
            let version = self.info.version;
            if message.published
                && !decode::has_foreign_tag(self.bytes, version, message, &field.usual_tags)
            {
                return false;
            }
        }
        let is_there = |clues: &Vec<memchr::memmem::Finder<'_>>| {
            clues.iter().any(|clue| clue.find(self.bytes).is_some())
        };
        check.clues.iter().all(is_there)
    }
}

fn accepts(test: &NumberTest, number: u32) -> bool {
    test.accepts(Operand::plain(number.into()))
}

/// Nanoseconds from request to answer, on either of them.
fn latency(info: &MessageInfo) -> Option<i64> {
    let of_request = || info.outcome.and_then(|o| o.latency);
    info.answers.map(|a| a.latency).or_else(of_request)
}

/// What became of the message's exchange, on either of its messages.
fn status(info: &MessageInfo) -> Option<(OutcomeKind, Option<FailureCode>)> {
    if let Some(answer) = &info.answers {
        return Some((answer.kind, answer.failure));
    }
    if let Some(outcome) = &info.outcome {
        return Some((outcome.kind, outcome.failure));
    }
    let stray = info.message.is_some_and(is_answer)
        && (info.findings.iter()).any(|f| f.code == Code::AnswerWithoutRequest);
    stray.then_some((OutcomeKind::NoRequest, None))
}

/// What a look at some values has shown.
#[derive(Default)]
struct Seen {
    /// There is a value that can be compared.
    any: bool,
    /// One passes the test.
    passes: bool,
}

fn passes(check: &FieldCheck, view: &MessageView<'_>) -> bool {
    let mut seen = Seen::default();
    if check.part.is_none() {
        let fixed = view.layout().map_or(&[][..], |l| l.fixed);
        let named = (0..).zip(fixed).filter(|(_, f)| f.name == check.field.name);
        for field in named.filter_map(|(index, _)| view.fixed_at(index)) {
            seen.fixed(check, &field);
        }
    }
    for field in view.floating() {
        if check.field.tags.contains(&field.tag()) && is_called(&field, check.field.name) {
            seen.floating(check, view, &field);
        }
    }
    if check.none_passes {
        seen.any && !seen.passes
    } else {
        seen.passes
    }
}

/// Whether a floating field has this name, in its message or by the tag table.
fn is_called(field: &FloatingView<'_>, name: &str) -> bool {
    field.usage().is_some_and(|u| u.name == name) || field.field().is_some_and(|f| f.name == name)
}

impl Seen {
    fn note(&mut self, passes: bool) {
        self.any = true;
        self.passes |= passes;
    }

    fn fixed(&mut self, check: &FieldCheck, field: &FixedView<'_>) {
        self.value(check, field.value(), field.field().table);
    }

    fn floating(&mut self, check: &FieldCheck, view: &MessageView<'_>, field: &FloatingView<'_>) {
        let value = field.value();
        if let Some(wanted) = &check.part {
            let (name, element) = match value {
                FieldValue::NamedVariable { name, .. } => (name, None),
                FieldValue::NamedArray { index, name, .. } => (name, Some(index)),
                _ => return,
            };
            if name != wanted.as_slice() || (check.element.is_some() && check.element != element) {
                return;
            }
        }
        let is_hidden = || !check.shows_secrets && view.hides(field);
        if matches!(check.test, FieldTest::Exists) || !is_hidden() {
            self.value(check, value, field.table());
        }
    }

    fn value(
        &mut self,
        check: &FieldCheck,
        value: FieldValue<'_>,
        table: Option<&'static ValueTable>,
    ) {
        let FieldTest::Values(tests) = &check.test else {
            self.note(true);
            return;
        };
        let ValueTests {
            number,
            time,
            text,
            task,
        } = &**tests;
        let mut text_is = |found: &[u8]| {
            if let Some(test) = text {
                self.note(TextTest::accepts(test, found));
            }
        };
        match value {
            FieldValue::Text(found) | FieldValue::Bytes(found) | FieldValue::Raw(found) => {
                text_is(found);
            }
            FieldValue::NamedVariable { value, .. } | FieldValue::NamedArray { value, .. } => {
                text_is(value);
            }
            FieldValue::Number(found) | FieldValue::Bool(found) => {
                if let Some(test) = number {
                    self.note(test.accepts(Operand::of(found, table)));
                }
            }
            FieldValue::Numbers(found) => {
                if let Some(test) = number {
                    for found in found.iter() {
                        self.note(test.accepts(Operand::of(found, table)));
                    }
                }
            }
            FieldValue::Time(seconds) => {
                if let Some(test) = time {
                    self.note(accepts(test, seconds));
                }
            }
            FieldValue::TaskId {
                group_high,
                group_low,
                sequence,
            } => {
                if !task.is_empty() {
                    self.note(task.contains(&(group_high, group_low, sequence)));
                }
            }
        }
    }
}
