//! What is worth telling about a decoded message.

use super::MAX_MESSAGE;
use super::lists::ListCount;
use super::parse::{Fit, Item, length_suits};
use super::view::{MessageView, Reading};
use super::wire::{self, HEADER_LEN};
use crate::finding::{Code, Finding};
use crate::protocol::{Layout, Message, TableKind, ValueTable, WireType};

pub(super) fn unknown_type(view: &MessageView<'_>, findings: &mut Vec<Finding>) {
    size(view, findings);
    if view.missing() > 0 {
        let there = view.bytes().len();
        let text = format!("{there} of {} bytes captured", there + view.missing());
        findings.push(Finding::at(Code::CutMessage, there, text));
    }
    findings.push(Finding::at(
        Code::UnknownType,
        4,
        format!(
            "message type {} (0x{:X}) is not in the protocol tables",
            view.number().0,
            view.number().0
        ),
    ));
}

fn size(view: &MessageView<'_>, findings: &mut Vec<Finding>) {
    if view.bytes().len() > MAX_MESSAGE {
        let text = format!(
            "{} bytes with the header; the protocol allows {MAX_MESSAGE}",
            view.bytes().len()
        );
        findings.push(Finding::at(Code::MessageTooLong, 0, text));
    }
}

pub(super) fn check(
    view: &MessageView<'_>,
    fit: Fit,
    items: &[Item],
    counts: &[ListCount],
    findings: &mut Vec<Finding>,
) {
    let mut seen = Seen::default();
    size(view, findings);
    reading(view, findings);
    let missing = view.missing();
    if missing > 0 {
        let there = view.bytes().len();
        let text = format!("{there} of {} bytes captured", there + missing);
        findings.push(Finding::at(Code::CutMessage, there, text));
    } else if fit.missing > 0 {
        let text = format!("the fixed part lacks {} bytes", fit.missing);
        findings.push(Finding::at(Code::FixedPartShort, view.bytes().len(), text));
    }
    fixed(view, findings);
    for item in items {
        if !item.usage.is_some_and(|u| u.is_plain(item.data.len())) {
            floating(view, item, findings);
        }
        duplicate(item, &mut seen, findings);
    }
    if missing > 0 {
        return;
    }
    count(view, counts, findings);
    if let Some((at, rest)) = view.unread() {
        let bytes = if rest.len() == 1 { "byte" } else { "bytes" };
        findings.push(Finding::at(
            Code::UnreadBytes,
            at,
            format!("{} {bytes} could not be decoded", rest.len()),
        ));
    }
}

fn reading(view: &MessageView<'_>, findings: &mut Vec<Finding>) {
    match view.reading() {
        Reading::Variant(variant) => {
            findings.push(Finding::new(
                Code::OtherLayout,
                format!("read by another layout: {}", variant.name),
            ));
        }
        Reading::OtherVersion(version) => {
            let text = format!(
                "read by the layout of version {version}: the body does not fit version {}",
                view.version()
            );
            findings.push(Finding::new(Code::OtherVersionLayout, text));
        }
        _ => {}
    }
    if let Some(message) = view.message() {
        let known = view.version().known();
        if let Some(since) = message.since
            && since > known
            && view.version().is_known()
        {
            let text = format!(
                "{} exists from version {since} on, the session has version {known}",
                message.name
            );
            findings.push(Finding::new(Code::NewerThanSession, text));
        }
        if message.number != view.number() {
            let text = format!("type {} read as {}", view.number().0, message.name);
            findings.push(Finding::at(Code::OtherNumbering, 4, text));
        }
    }
}

/// Whether a number is one that the table lists (or, for a mask, consists of listed bits).
fn is_listed(table: &ValueTable, number: u32) -> bool {
    match table.kind {
        TableKind::Enum => table.get(number).is_some(),
        TableKind::Mask => table.unknown_bits(number) == 0,
    }
}

fn fixed(view: &MessageView<'_>, findings: &mut Vec<Finding>) {
    let fields = view.layout().map_or(&[][..], |l| l.fixed);
    let tabled = (0..).zip(fields).filter(|(_, f)| f.table.is_some());
    for field in tabled.map_while(|(index, _)| view.fixed_at(index)) {
        let bits = field.number().bits;
        if let Some(table) = field.field().table
            && !is_listed(table, bits)
            && field.special().is_none()
            && !is_unset(field.field().wire, bits)
        {
            unknown_value(
                field.field().name,
                table,
                bits,
                field.range().start,
                findings,
            );
        }
    }
}

/// Zero and all ones say that nothing, or everything, is meant: worth no word though the table does not list them.
fn is_unset(wire: WireType, bits: u32) -> bool {
    let ones = match wire.size() {
        Some(1) => 0xFF,
        Some(2) => 0xFFFF,
        _ => u32::MAX,
    };
    bits == 0 || bits == ones
}

fn unknown_value(
    name: &str,
    table: &ValueTable,
    bits: u32,
    at: usize,
    findings: &mut Vec<Finding>,
) {
    let text = match table.kind {
        TableKind::Enum => format!(
            "{name} {bits} (0x{bits:X}) is not in the table {}",
            table.name
        ),
        TableKind::Mask => format!(
            "{name} has bits 0x{:X} that are not in the table {}",
            table.unknown_bits(bits),
            table.name
        ),
    };
    findings.push(Finding::at(Code::UnknownValue, at, text));
}

/// Whether an enumerated fixed field holds a value that its table does not list.
pub(super) fn unknown_fixed_values(bytes: &[u8], layout: &Layout) -> bool {
    layout.fixed.iter().any(|field| {
        let start = HEADER_LEN + usize::from(field.offset);
        let raw = bytes.get(start..start + usize::from(field.wire.size().unwrap_or(0)));
        let number = raw.and_then(|r| wire::number(field.wire, r));
        match (field.table, number) {
            (Some(table), Some(number)) => !is_listed(table, number.bits),
            _ => false,
        }
    })
}

fn floating(view: &MessageView<'_>, item: &Item, findings: &mut Vec<Finding>) {
    let length = item.data.len();
    let Some(field) = item.field else {
        let text = format!("tag {} is not in the protocol tables", item.tag);
        findings.push(Finding::at(Code::UnknownTag, item.at, text));
        return;
    };
    let name = item.usage.map_or(field.name, |u| u.name);
    let known = view.version().known();
    match (item.usage, view.message()) {
        (None, Some(message)) if message.published && !field.listed_for.contains(&message.name) => {
            let text = format!(
                "{name} (tag {}) is not among the fields of {}",
                item.tag, message.name
            );
            findings.push(Finding::at(Code::ForeignTag, item.at, text));
        }
        (Some(usage), _)
            if !usage.inferred && !usage.exists_at(known) && view.version().is_known() =>
        {
            let when = match (usage.since, usage.until) {
                (Some(since), _) if since > known => format!("from version {since} on"),
                (_, Some(until)) => format!("up to version {until} only"),
                _ => "in other versions only".to_owned(),
            };
            let text = format!("{name} exists here {when}, the session has version {known}");
            findings.push(Finding::at(Code::NewerThanSession, item.at, text));
        }
        _ => {}
    }
    let suits = length_suits(field, length);
    if !suits {
        let wire = field.wire.map_or("", WireType::name);
        let text = format!("{name} has {length} bytes, which cannot be {wire}");
        findings.push(Finding::at(Code::FieldLength, item.at, text));
    }
    if let Some(max) = field.max_at(known)
        && length > usize::from(max)
    {
        findings.push(Finding::at(
            Code::FieldTooLong,
            item.at,
            format!("{name} has {length} bytes, at most {max} are allowed"),
        ));
    }
    let data = view.bytes().get(item.data.clone()).unwrap_or(&[]);
    let malformed = match field.wire {
        Some(WireType::NamedVariable) if suits => wire::named_variable(data).is_err(),
        Some(WireType::NamedArray) if suits => wire::named_array(data).is_err(),
        _ => false,
    };
    if malformed {
        let text = format!("{name} has no zero byte behind its variable name");
        findings.push(Finding::at(Code::FieldLength, item.at, text));
    }
    if let (Some(table), Some(wire)) = (field.table, field.wire)
        && let Some(size) = wire.size()
        && suits
    {
        for (index, chunk) in data.chunks_exact(usize::from(size)).enumerate() {
            let Some(number) = wire::number(wire, chunk) else {
                continue;
            };
            let special = field.special.is_some_and(|s| s.value == number.bits);
            if !is_listed(table, number.bits) && !special && !is_unset(wire, number.bits) {
                unknown_value(
                    name,
                    table,
                    number.bits,
                    item.data.start + index * usize::from(size),
                    findings,
                );
            }
        }
    }
}

/// A field that is in no list may stand once only.
fn duplicate(item: &Item, seen: &mut Seen, findings: &mut Vec<Finding>) {
    let Some(usage) = item.usage else { return };
    let may_repeat = usage.list.is_some() || usage.repeat.is_some();
    if !may_repeat && seen.again(item.tag) {
        let text = format!("{} (tag {}) appears again", usage.name, item.tag);
        findings.push(Finding::at(Code::DuplicateField, item.at, text));
    }
}

/// What a counter says and what was found.
pub(super) struct Counter {
    name: &'static str,
    /// Where it stands.
    at: usize,
    stated: u32,
    entries: usize,
}

impl Counter {
    /// Whether there are as many entries as it says.
    pub(super) fn is_right(&self) -> bool {
        usize::try_from(self.stated) == Ok(self.entries)
    }
}

/// The counters of a message's lists that say something about its entries.
pub(super) fn counters<'a>(
    message: &'static Message,
    layout: &'static Layout,
    bytes: &'a [u8],
    counts: &'a [ListCount],
) -> impl Iterator<Item = Counter> + use<'a> {
    let lists = message.lists.iter().zip(counts).enumerate();
    lists.filter_map(move |(index, (list, count))| {
        let nested = list.counter_tag.is_some() && message.record;
        let index = layout.counters.get(index).copied().flatten();
        let fixed = index.and_then(|index| {
            let field = layout.fixed.get(index)?;
            let start = HEADER_LEN + usize::from(field.offset);
            let size = usize::from(field.wire.size()?);
            let number = wire::number(field.wire, bytes.get(start..start + size)?)?;
            Some((start, number.bits))
        });
        let stated = fixed
            .map(|(_, stated)| stated)
            .or(count.counter)
            .filter(|_| !nested)?;
        Some(Counter {
            name: list.counter,
            at: fixed.map_or(HEADER_LEN, |(at, _)| at),
            stated,
            entries: count.entries,
        })
    })
}

/// Tags that were met in a message.
#[derive(Default)]
struct Seen([u64; 8]);

impl Seen {
    /// Whether a tag was met before. Tags from 512 up, which no table has, never were.
    fn again(&mut self, tag: u16) -> bool {
        let Some(word) = self.0.get_mut(usize::from(tag / 64)) else {
            return false;
        };
        let bit = 1 << (tag % 64);
        let again = *word & bit != 0;
        *word |= bit;
        again
    }
}

fn count(view: &MessageView<'_>, counts: &[ListCount], findings: &mut Vec<Finding>) {
    let (Some(message), Some(layout)) = (view.message(), view.layout()) else {
        return;
    };
    for counter in counters(message, layout, view.bytes(), counts).filter(|c| !c.is_right()) {
        let text = format!(
            "{} says {}, the message has {}",
            counter.name, counter.stated, counter.entries
        );
        findings.push(Finding::at(Code::CountMismatch, counter.at, text));
    }
}
