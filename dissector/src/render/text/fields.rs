//! The fields that the line of a message shows.

use super::TextOptions;
use super::clock;
use super::pen::{Paint, Pen, Sign};
use crate::analysis::StateChange;
use crate::correlate::OutcomeKind;
use crate::decode::{FieldValue, FixedView, FloatingView, MessageView, Number, Reading};
use crate::protocol::{Place, Shown, TableKind, ValueTable, roles};
use crate::record::MessageInfo;

/// Bytes of a text that the line shows; `--detail` shows all.
const LONGEST_TEXT: usize = 80;
/// Bytes of opaque data that the line shows.
const LONGEST_BYTES: usize = 16;
/// Elements of an array that the line shows.
const LONGEST_ARRAY: usize = 8;
/// Fields that the line shows of a message whose layout is not published.
const MOST_FOUND: usize = 4;
/// Tag of AgentID.
const AGENT_ID: u16 = 5;
/// Tag of AgentIDLong, which stands in for an AgentID that is too long for its field.
const AGENT_ID_LONG: u16 = 194;

/// A field to show.
enum Found<'a> {
    Fixed(FixedView<'a>),
    Floating(FloatingView<'a>),
}

fn shown(view: &MessageView<'_>) -> &'static [Shown] {
    view.layout().map_or(&[], |l| l.timeline)
}

fn is_invoke_id(entry: &Shown) -> bool {
    entry.label == "invoke"
}

fn find<'a>(view: &MessageView<'a>, entry: &Shown) -> Option<Found<'a>> {
    match entry.place {
        Place::Fixed(index) => view.fixed_at(index).map(Found::Fixed),
        Place::Floating(AGENT_ID) => view
            .floating_tag(AGENT_ID)
            .or_else(|| view.floating_tag(AGENT_ID_LONG))
            .map(Found::Floating),
        Place::Floating(tag) => view.floating_tag(tag).map(Found::Floating),
    }
}

/// The field that ties request and answer together; the answer's note follows it at once.
pub(super) fn leading(
    pen: &mut Pen<'_>,
    options: &TextOptions,
    info: &MessageInfo,
    view: &MessageView<'_>,
) {
    for entry in shown(view).iter().filter(|e| is_invoke_id(e)) {
        one(pen, options, info, view, entry);
    }
}

/// All other fields; for an agent's change of state both states and how long the first one held.
pub(super) fn others(
    pen: &mut Pen<'_>,
    options: &TextOptions,
    info: &MessageInfo,
    view: &MessageView<'_>,
    change: Option<StateChange>,
) {
    for entry in shown(view).iter().filter(|e| !is_invoke_id(e)) {
        if let (Some(change), "AgentState") = (change, entry.label) {
            let table = match find(view, entry) {
                Some(Found::Fixed(field)) => field.field().table,
                _ => None,
            };
            state_change(pen, table, change);
        } else {
            one(pen, options, info, view, entry);
        }
    }
    // No table says what matters in a message whose layout is not published: the first fields that were found.
    if matches!(view.reading(), Reading::Searched(_)) {
        for field in view.floating().take(MOST_FOUND) {
            floating(pen, options, view, &field, field.name().unwrap_or("?"));
        }
    }
}

fn state_change(pen: &mut Pen<'_>, table: Option<&'static ValueTable>, change: StateChange) {
    enumerated(pen, table, change.from);
    pen.put(" ");
    pen.sign(Sign::ToServer);
    pen.put(" ");
    pen.on(Paint::Label);
    enumerated(pen, table, change.to);
    pen.off();
    pen.put(" (");
    clock::duration(pen, change.held_nanos);
    pen.put(" in ");
    enumerated(pen, table, change.from);
    pen.put(") ");
}

fn enumerated(pen: &mut Pen<'_>, table: Option<&'static ValueTable>, bits: u32) {
    match table.and_then(|t| t.get(bits)) {
        Some(value) => pen.word(value.short.as_bytes(), usize::MAX),
        None => pen.number(bits.into()),
    }
}

/// One field with its label, unless it says nothing.
fn one(
    pen: &mut Pen<'_>,
    options: &TextOptions,
    info: &MessageInfo,
    view: &MessageView<'_>,
    entry: &Shown,
) {
    match find(view, entry) {
        Some(Found::Fixed(field)) => {
            if says_nothing(info, view, &field) {
                return;
            }
            label(pen, entry.label);
            value(pen, field.value(), field.field().table);
            pen.put(" ");
        }
        Some(Found::Floating(field)) => floating(pen, options, view, &field, entry.label),
        None => {}
    }
}

fn floating(
    pen: &mut Pen<'_>,
    options: &TextOptions,
    view: &MessageView<'_>,
    field: &FloatingView<'_>,
    name: &str,
) {
    let decoded = field.value();
    let special = match decoded {
        FieldValue::Number(n) | FieldValue::Bool(n) => field.special(n),
        _ => None,
    };
    if is_empty(decoded) || special.is_some() {
        return;
    }
    label(pen, name);
    if view.hides(field) && !options.show_secrets {
        pen.put("********");
    } else {
        value(pen, decoded, field.table());
    }
    pen.put(" ");
}

fn label(pen: &mut Pen<'_>, name: &str) {
    pen.on(Paint::Dim);
    pen.put(name);
    pen.put("=");
    pen.off();
}

/// A NULL value, a value that another part of the line tells, or an everyday zero.
fn says_nothing(info: &MessageInfo, view: &MessageView<'_>, field: &FixedView<'_>) -> bool {
    let name = field.field().name;
    let bits = field.number().bits;
    if field.special().is_some() {
        return true;
    }
    match name {
        "EventReasonCode"
        | "NumNamedVariables"
        | "NumNamedArrays"
        | "PeripheralErrorCode"
        | "AgentWorkMode"
        | "ForcedFlag"
        | "ICMAgentID"
        | "PGStatus"
        | "SystemEventArg1"
            if bits == 0 =>
        {
            true
        }
        // The voice domain is what everyone expects.
        "MRDID" => bits <= 1,
        "VersionNumber" => info.number == roles::OPEN_REQ,
        "Status" | "FailureCode" | "PeripheralErrorCode" => info
            .answers
            .is_some_and(|a| a.kind == OutcomeKind::Failed && a.failure.is_some()),
        "SkillGroupState" => view
            .fixed_named("AgentState")
            .is_some_and(|s| s.number().bits == bits),
        "NewConnectionCallID" => view
            .fixed_named("ConnectionCallID")
            .is_some_and(|c| c.number().bits == bits),
        _ => false,
    }
}

fn is_empty(value: FieldValue<'_>) -> bool {
    match value {
        FieldValue::Text(text) | FieldValue::Bytes(text) | FieldValue::Raw(text) => text.is_empty(),
        FieldValue::Numbers(numbers) => numbers.is_empty(),
        _ => false,
    }
}

fn value(pen: &mut Pen<'_>, value: FieldValue<'_>, table: Option<&'static ValueTable>) {
    match value {
        FieldValue::Number(number) => self::number(pen, number, table),
        FieldValue::Bool(number) => match number.bits {
            0 => pen.put("false"),
            1 => pen.put("true"),
            _ => pen.signed(number.value),
        },
        FieldValue::Time(seconds) => clock::rfc_3339(pen, seconds.into(), None),
        FieldValue::Text(text) => pen.word(text, LONGEST_TEXT),
        FieldValue::NamedVariable { name, value } => {
            pen.word(name, LONGEST_TEXT);
            pen.put(":");
            pen.word(value, LONGEST_TEXT);
        }
        FieldValue::NamedArray { index, name, value } => {
            pen.word(name, LONGEST_TEXT);
            pen.put("[");
            pen.number(index.into());
            pen.put("]:");
            pen.word(value, LONGEST_TEXT);
        }
        FieldValue::TaskId {
            group_high,
            group_low,
            sequence,
        } => {
            pen.signed(group_high.into());
            pen.put(":");
            pen.signed(group_low.into());
            pen.put(":");
            pen.signed(sequence.into());
        }
        FieldValue::Numbers(numbers) => {
            for (index, number) in numbers.iter().take(LONGEST_ARRAY).enumerate() {
                if index > 0 {
                    pen.put(",");
                }
                self::number(pen, number, table);
            }
            if numbers.len() > LONGEST_ARRAY {
                pen.sign(Sign::Ellipsis);
            }
        }
        FieldValue::Bytes(bytes) | FieldValue::Raw(bytes) => {
            for byte in bytes.iter().take(LONGEST_BYTES) {
                pen.hex(*byte);
            }
            if bytes.len() > LONGEST_BYTES {
                pen.sign(Sign::Ellipsis);
            }
        }
    }
}

fn number(pen: &mut Pen<'_>, number: Number, table: Option<&'static ValueTable>) {
    match table {
        Some(table) if table.kind == TableKind::Mask => mask(pen, number.bits, table),
        Some(table) => match table.get(number.bits) {
            Some(value) => pen.word(value.short.as_bytes(), usize::MAX),
            None => pen.signed(number.value),
        },
        None => pen.signed(number.value),
    }
}

/// The names of all bits, and the rest as a number.
fn mask(pen: &mut Pen<'_>, bits: u32, table: &'static ValueTable) {
    if bits == 0 {
        match table.get(0) {
            Some(value) => pen.word(value.short.as_bytes(), usize::MAX),
            None => pen.put("0"),
        }
        return;
    }
    let mut first = true;
    for value in table.bits(bits) {
        if !first {
            pen.put("|");
        }
        first = false;
        pen.word(value.short.as_bytes(), usize::MAX);
    }
    let rest = table.unknown_bits(bits);
    if rest != 0 {
        if !first {
            pen.put("|");
        }
        pen.hex_number(rest, 1);
    }
}
