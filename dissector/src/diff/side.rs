//! One side of a comparison: its sessions with their messages, in the compact form in which they are compared. A message takes 32 bytes and
//! 4 for each thing that it names; what it says is a word of the [`Lexicon`] that it shares with all messages that say the same.

use super::lexicon::{Content, Head, Lexicon, Slot, Value, next, push_number};
use super::rules::{Treatment, classes};
use super::things::{Things, Use};
use crate::analysis::{Analysis, Seen};
use crate::correlate::{FailureCode, OutcomeKind};
use crate::decode::{FieldValue, MessageView, Number};
use crate::limits;
use crate::protocol::{Kind, Message, Special, WireType, roles};
use crate::record::{Direction, Record};
use crate::session::{Content as SessionContent, Session};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// A message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub template: u32,
    /// Where the things that it names begin in its session.
    pub things: u32,
    /// Number of the message.
    pub no: u32,
    /// Number of its first packet; 0 when not known.
    pub packet: u32,
    /// Its exchange in its session, for a request; else `u32::MAX`.
    pub exchange: u32,
    pub time: Timestamp,
}

/// What became of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub kind: OutcomeKind,
    pub latency: Option<i64>,
    pub failure: Option<FailureCode>,
}

/// A session.
#[derive(Debug, Default)]
pub(super) struct KeptSession {
    pub number: u32,
    /// What is known of it when it has ended.
    pub about: Option<Box<Session>>,
    pub messages: Vec<Kept>,
    pub things: Vec<u32>,
    pub exchanges: Vec<Asked>,
    /// How many heartbeats it has.
    pub heartbeats: u64,
    /// Sessions that were joined to it: where their messages begin, and their numbers.
    pub joined: Vec<(u32, u32)>,
}

impl KeptSession {
    /// The message at a place.
    pub fn message(&self, index: u32) -> Option<&Kept> {
        self.messages.get(super::lexicon::at(index))
    }

    /// The number of the session in its capture that a message is of.
    pub fn number_at(&self, index: u32) -> u32 {
        let before = self.joined.partition_point(|(start, _)| *start <= index);
        let joined = before.checked_sub(1).and_then(|last| self.joined.get(last));
        joined.map_or(self.number, |(_, number)| *number)
    }

    /// Appends a later session of the same client.
    pub fn join(&mut self, later: Self) {
        let (messages, things) = (next(self.messages.len()), next(self.things.len()));
        let exchanges = next(self.exchanges.len());
        self.joined.push((messages, later.number));
        let more = later.joined.into_iter();
        self.joined
            .extend(more.map(|(start, number)| (start.saturating_add(messages), number)));
        self.messages
            .extend(later.messages.into_iter().map(|kept| Kept {
                things: kept.things.saturating_add(things),
                exchange: kept.exchange.saturating_add(exchanges),
                ..kept
            }));
        self.things.extend(later.things);
        self.exchanges.extend(later.exchanges);
        self.heartbeats += later.heartbeats;
        if let (Some(about), Some(later)) = (&mut self.about, later.about) {
            about.last = later.last;
            about.close_status = later.close_status;
            about.end = later.end;
            about.ended_by = later.ended_by;
            about.counts.missing += later.counts.missing;
        }
    }

    /// The things that a message names, in the order of its template's slots.
    pub fn things_of(&self, lexicon: &Lexicon, message: &Kept) -> &[u32] {
        let start = super::lexicon::at(message.things);
        let count = super::lexicon::at(lexicon.identities(message.template));
        self.things
            .get(start..start.saturating_add(count))
            .unwrap_or_default()
    }

    /// What became of a request.
    pub fn asked(&self, message: &Kept) -> Option<&Asked> {
        self.exchanges.get(super::lexicon::at(message.exchange))
    }
}

/// One side.
#[derive(Debug, Default)]
pub(super) struct Side {
    pub sessions: Vec<KeptSession>,
    pub things: Things,
    pub messages: u64,
}

/// Reads one side. Everything that is selected is kept, up to [`limits::MAX_DIFF_BYTES`].
#[derive(Debug)]
pub struct Collector {
    pub(super) lexicon: Lexicon,
    sessions: BTreeMap<u32, KeptSession>,
    things: Things,
    messages: u64,
    scratch: Vec<(Slot, u32)>,
    bytes: Vec<u8>,
    /// Bytes that the other side takes.
    others: usize,
    /// Bytes that the messages take, estimated.
    kept: usize,
    full: bool,
}

impl Collector {
    pub(super) fn new(lexicon: Lexicon, others: usize) -> Self {
        Self {
            lexicon,
            sessions: BTreeMap::new(),
            things: Things::default(),
            messages: 0,
            scratch: Vec::new(),
            bytes: Vec::new(),
            others,
            kept: 0,
            full: false,
        }
    }

    /// Whether there was more than can be kept: then there is nothing to compare.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.full
    }

    pub(super) fn size(&self) -> usize {
        self.kept + self.things.size()
    }

    pub(super) fn finish(mut self) -> (Lexicon, Side) {
        self.things.settle();
        let mut sessions: Vec<KeptSession> = self.sessions.into_values().collect();
        // A connection without anything that could be read says nothing.
        sessions.retain(|session| {
            let content = session.about.as_ref().map(|about| about.content);
            !session.messages.is_empty()
                || content.is_some_and(|content| content != SessionContent::Nothing)
        });
        for session in &mut sessions {
            session.messages.shrink_to_fit();
            session.things.shrink_to_fit();
        }
        let side = Side {
            sessions,
            things: self.things,
            messages: self.messages,
        };
        (self.lexicon, side)
    }

    fn session(&mut self, number: u32) -> &mut KeptSession {
        self.sessions.entry(number).or_insert_with(|| KeptSession {
            number,
            ..KeptSession::default()
        })
    }

    /// Takes note of a field; what is compared of it follows from its treatment.
    fn slot(&mut self, field: u32, entry: usize, used: Option<&Use<'_>>, value: Option<Value<'_>>) {
        let Some(treatment) = self.lexicon.about(field).map(|f| f.treatment) else {
            return;
        };
        let mut thing = u32::MAX;
        let content = match (treatment, value) {
            (Treatment::Ignored, _) => return,
            (_, None) => Content::Masked,
            (Treatment::Varies, Some(_)) => Content::Varies,
            (Treatment::Value, Some(value)) => Content::Value(self.lexicon.value(value)),
            (Treatment::Identity(class), Some(value)) => {
                let names_nothing = match value {
                    Value::Number { bits, .. } => {
                        let nothing = classes().get(usize::from(class)).and_then(|c| c.nothing);
                        let special = self.lexicon.about(field).and_then(|f| f.special);
                        nothing == Some(bits) || special.is_some_and(|s| s.value == bits)
                    }
                    Value::Text(bytes) | Value::Bytes(bytes) => bytes.is_empty(),
                    Value::Numbers(_) => false,
                };
                let value = self.lexicon.value(value);
                match used {
                    Some(used) if !names_nothing => {
                        let used = Use {
                            class,
                            value,
                            ..*used
                        };
                        thing = self.things.named(&used);
                        Content::Identity(class)
                    }
                    _ => Content::Value(value),
                }
            }
        };
        let entry = u16::try_from(entry).unwrap_or(u16::MAX);
        self.scratch.push((
            Slot {
                field,
                entry,
                content,
            },
            thing,
        ));
    }

    /// All fields of a message, into the scratch space.
    fn fields(&mut self, view: &MessageView<'_>, used: &Use<'_>) {
        let Some(message) = view.message() else {
            self.rest(view, None);
            return;
        };
        for field in view.fixed() {
            let definition = field.field();
            let known = self.lexicon.fixed(message, definition);
            let Number { value, bits } = field.number();
            let used = Use {
                field: definition.name,
                ..*used
            };
            self.slot(known, 0, Some(&used), Some(Value::Number { value, bits }));
        }
        for field in view.floating() {
            let name = field.name();
            let known = match field.usage() {
                Some(usage) => self.lexicon.floating(message, usage),
                None => {
                    let unknown = format!("tag {}", field.tag());
                    let definition = field.field();
                    self.lexicon.field(
                        message.number,
                        message.name,
                        name.unwrap_or(&unknown),
                        definition.and_then(|d| d.wire),
                        definition.and_then(|d| d.table),
                        definition.and_then(|d| d.special),
                    )
                }
            };
            let entry = field.group().unwrap_or(0);
            let used = Use {
                field: name.unwrap_or_default(),
                within: self.within(known, view),
                ..*used
            };
            if view.hides(&field) {
                self.slot(known, entry, None, None);
                continue;
            }
            self.floating(message, known, entry, &used, field.value());
        }
        self.rest(view, Some(message));
    }

    /// What the field says within which a name holds that another field gives.
    fn within(&self, field: u32, view: &MessageView<'_>) -> Option<u32> {
        let Treatment::Identity(class) = self.lexicon.about(field)?.treatment else {
            return None;
        };
        let within = classes().get(usize::from(class))?.within?;
        let mut fields = view.floating().filter(|f| f.name() == Some(within));
        match fields.next()?.value() {
            FieldValue::Number(number) => Some(number.bits),
            _ => None,
        }
    }

    fn floating(
        &mut self,
        message: &'static Message,
        known: u32,
        entry: usize,
        used: &Use<'_>,
        value: FieldValue<'_>,
    ) {
        let variable = |this: &mut Self, name: String, value: &[u8]| {
            let wire = Some(WireType::NamedVariable);
            let lexicon = &mut this.lexicon;
            let own = lexicon.field(message.number, message.name, &name, wire, None, None);
            // To ignore NamedVariable is to ignore all of them.
            if lexicon.about(known).map(|f| f.treatment) != Some(Treatment::Ignored) {
                let used = Use {
                    field: &name,
                    ..*used
                };
                this.slot(own, 0, Some(&used), Some(Value::Text(value)));
            }
        };
        let kept = match value {
            FieldValue::NamedVariable { name, value } => {
                variable(self, String::from_utf8_lossy(name).into_owned(), value);
                return;
            }
            FieldValue::NamedArray { index, name, value } => {
                let name = format!("{}[{index}]", String::from_utf8_lossy(name));
                variable(self, name, value);
                return;
            }
            FieldValue::Number(n) | FieldValue::Bool(n) => Value::Number {
                value: n.value,
                bits: n.bits,
            },
            FieldValue::Time(seconds) => Value::Number {
                value: seconds.into(),
                bits: seconds,
            },
            FieldValue::Text(text) => Value::Text(text),
            FieldValue::Bytes(bytes) | FieldValue::Raw(bytes) => Value::Bytes(bytes),
            FieldValue::TaskId {
                group_high,
                group_low,
                sequence,
            } => {
                let mut bytes = std::mem::take(&mut self.bytes);
                bytes.clear();
                for part in [group_high, group_low, sequence] {
                    push_number(&mut bytes, part.into(), part.cast_unsigned());
                }
                self.slot(known, entry, Some(used), Some(Value::Numbers(&bytes)));
                self.bytes = bytes;
                return;
            }
            FieldValue::Numbers(numbers) => {
                let mut bytes = std::mem::take(&mut self.bytes);
                bytes.clear();
                for n in numbers.iter() {
                    push_number(&mut bytes, n.value, n.bits);
                }
                self.slot(known, entry, Some(used), Some(Value::Numbers(&bytes)));
                self.bytes = bytes;
                return;
            }
        };
        self.slot(known, entry, Some(used), Some(kept));
    }

    /// Bytes that no field explains.
    fn rest(&mut self, view: &MessageView<'_>, message: Option<&'static Message>) {
        let name = message.map_or("", |m| m.name);
        let masked = view.may_hide_secret();
        for (what, part) in [
            ("opaque bytes", view.opaque()),
            ("unread bytes", view.unread()),
        ] {
            if let Some((_, bytes)) = part {
                let number = message.map_or(view.number(), |m| m.number);
                let special: Option<&'static Special> = None;
                let field = self.lexicon.field(number, name, what, None, None, special);
                let value = (!masked).then_some(Value::Bytes(bytes));
                self.slot(field, 0, None, value);
            }
        }
    }
}

impl Analysis for Collector {
    fn message(&mut self, seen: &Seen<'_>) {
        if !seen.selected || self.full {
            return;
        }
        let (info, view) = (seen.info, seen.view);
        let kind = info.message.map(|m| m.kind);
        let asks = kind == Some(Kind::Request);
        let from_client = info.direction == Direction::ClientToServer;
        let used = Use {
            class: 0,
            value: 0,
            within: None,
            session: info.peers.session,
            by_client: from_client == asks,
            asks,
            time: info.time,
            message: info.message.map(|m| m.number),
            field: "",
        };
        self.scratch.clear();
        self.fields(view, &used);
        // The order of floating fields means nothing, but within a list.
        self.scratch
            .sort_by_key(|(slot, _)| (slot.entry, slot.field));
        let head = Head {
            number: info.message.map_or(info.number, |m| m.number),
            direction: info.direction,
        };
        let slots = self.scratch.iter().map(|(slot, _)| *slot);
        let template = self.lexicon.template(head, info.message, slots);
        let scratch = std::mem::take(&mut self.scratch);
        let session = self.session(info.peers.session);
        let things = next(session.things.len());
        let identities = scratch
            .iter()
            .filter(|(slot, _)| matches!(slot.content, Content::Identity(_)));
        session.things.extend(identities.map(|(_, thing)| *thing));
        let named = session.things.len();
        session.heartbeats += u64::from(info.number == roles::HEARTBEAT_REQ);
        session.messages.push(Kept {
            template,
            things,
            no: u32::try_from(info.no).unwrap_or(u32::MAX),
            packet: info
                .packets
                .first()
                .map_or(0, |p| u32::try_from(p.number).unwrap_or(u32::MAX)),
            exchange: u32::MAX,
            time: info.time,
        });
        self.scratch = scratch;
        self.messages += 1;
        self.kept += size_of::<Kept>() + (named - super::lexicon::at(things)) * 4;
        if self.messages.is_multiple_of(1024) {
            let size = self.lexicon.size() + self.size() + self.others;
            self.full = u64::try_from(size).is_ok_and(|size| size > limits::MAX_DIFF_BYTES);
        }
    }

    fn record(&mut self, record: &Record<'_>) {
        match record {
            Record::Exchange(exchange) => {
                let Some(request) = exchange.request else {
                    return;
                };
                let Some(session) = self.sessions.get_mut(&exchange.session) else {
                    return;
                };
                let no = u32::try_from(request.no).unwrap_or(u32::MAX);
                let place = session.messages.binary_search_by_key(&no, |m| m.no);
                let index = next(session.exchanges.len());
                if let Ok(place) = place
                    && let Some(message) = session.messages.get_mut(place)
                {
                    message.exchange = index;
                    session.exchanges.push(Asked {
                        kind: exchange.outcome.kind,
                        latency: exchange.outcome.latency,
                        failure: exchange.outcome.failure,
                    });
                    self.kept += size_of::<Asked>();
                }
            }
            Record::SessionEnded(about) => {
                let about = Box::new((*about).clone());
                self.kept += size_of::<Session>() + size_of::<KeptSession>();
                let number = about.peers.session;
                self.session(number).about = Some(about);
            }
            _ => {}
        }
    }
}
