//! What differs, in numbers.

use crate::correlate::OutcomeKind;
use crate::diff::{Amounts, Comparison, Summary};
use crate::render::text::clock;
use crate::render::text::pen::{Paint, Pen};
use std::collections::BTreeMap;

/// Appends all of it.
pub(super) fn write(pen: &mut Pen<'_>, comparison: &Comparison) {
    let summary = &comparison.summary;
    headline(pen, summary);
    for (side, (sessions, messages)) in [("old", summary.old), ("new", summary.new)] {
        pen.spaces(2);
        pen.on(Paint::Dim);
        pen.put(side);
        pen.off();
        pen.put("  ");
        amount(pen, sessions, "session", "sessions");
        pen.put(", ");
        amount(pen, messages, "message", "messages");
        pen.end_line();
    }
    let (old, new) = summary.missing_bytes;
    for (side, bytes) in [("old", old), ("new", new)] {
        if bytes > 0 {
            pen.spaces(2);
            pen.on(Paint::Doubtful);
            pen.put("the captures of the ");
            pen.put(side);
            pen.put(" side lack ");
            amount(pen, bytes, "byte", "bytes");
            pen.put(": some differences may come from that");
            pen.off();
            pen.end_line();
        }
    }
    for remark in remarks(summary) {
        pen.spaces(2);
        pen.put(&remark);
        pen.end_line();
    }
    failures(pen, summary);
    session_changes(pen, summary);
    latency(pen, comparison);
    types(pen, summary);
    fields(pen, summary);
}

/// What differs, in one line.
#[must_use]
pub fn verdict(summary: &Summary) -> String {
    let mut out = Vec::new();
    let mut pen = Pen {
        out: &mut out,
        colour: false,
        ascii: false,
    };
    headline(&mut pen, summary);
    String::from_utf8_lossy(&out).trim_end().to_owned()
}

fn headline(pen: &mut Pen<'_>, summary: &Summary) {
    if !summary.is_different() {
        pen.painted(Paint::Answer, "same");
        if summary.reordered_freely > 0 {
            pen.put(": ");
            amount(pen, summary.reordered_freely, "message", "messages");
            pen.put(" in another order, as the protocol allows");
        }
        pen.end_line();
        return;
    }
    pen.painted(Paint::Bad, "different");
    pen.put(": ");
    let of = summary.messages;
    let messages = |n: u64, what: &str| {
        let noun = if n == 1 { "message" } else { "messages" };
        (n > 0).then(|| format!("{n} {noun} {what}"))
    };
    let sessions = |n: u64, what: &str| {
        let noun = if n == 1 { "session" } else { "sessions" };
        (n > 0).then(|| format!("{n} {noun} {what}"))
    };
    let failures: u64 = summary.failures.values().sum();
    let noun = if failures == 1 { "failure" } else { "failures" };
    let types = if summary.slower == 1 { "type" } else { "types" };
    let parts = [
        (failures > 0).then(|| format!("{failures} new {noun}")),
        sessions(summary.sessions_missing, "missing"),
        sessions(summary.sessions_added, "added"),
        messages(of.missing, "missing"),
        messages(of.added, "added"),
        messages(of.changed, "changed"),
        messages(of.reordered, "reordered"),
        changed_about_sessions(summary),
        (summary.slower > 0).then(|| format!("{} request {types} slower", summary.slower)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    pen.put(&parts.join(", "));
    if summary.reordered_freely > 0 {
        pen.put("; ");
        amount(pen, summary.reordered_freely, "more", "more");
        pen.put(" reordered as the protocol allows");
    }
    pen.end_line();
}

/// What is not as it was about sessions: `version changed in 2 sessions`.
fn changed_about_sessions(summary: &Summary) -> Option<String> {
    let mut what: Vec<String> = summary
        .session_changes
        .keys()
        .map(|(what, ..)| what.replace('_', " "))
        .collect();
    what.dedup();
    let sessions = summary.sessions_changed;
    let noun = if sessions == 1 { "session" } else { "sessions" };
    let what = what.join(", ");
    (sessions > 0).then(|| format!("{what} changed in {sessions} {noun}"))
}

/// What is no difference by itself, but explains some or might surprise, in sentences.
#[must_use]
pub fn remarks(summary: &Summary) -> Vec<String> {
    let mut remarks = Vec::new();
    for (side, (_, messages)) in [("old", summary.old), ("new", summary.new)] {
        if messages == 0 {
            remarks.push(format!("the {side} side holds no messages to compare"));
        }
    }
    let (missing, added) = summary.behind_end;
    for (side, other, count, what) in [
        ("new", "old", missing, "missing"),
        ("old", "new", added, "added"),
    ] {
        if count > 0 {
            remarks.push(format!(
                "the {side} capture ends in the middle of a session: {count} of the {what} messages are those that the {other} side has \
                 from there on"
            ));
        }
    }
    let (of_old, of_new) = summary.lone_calls;
    for (side, of, what) in [("old", of_old, "missing"), ("new", of_new, "added")] {
        if of.calls > 0 {
            let noun = if of.calls == 1 {
                "call is"
            } else {
                "calls are"
            };
            let (calls, messages) = (of.calls, of.messages);
            remarks.push(format!(
                "{calls} {noun} only in {side}: {messages} of the {what} messages"
            ));
        }
    }
    let mut versions: BTreeMap<u8, (u64, Vec<&str>)> = BTreeMap::new();
    for ((version, field), messages) in &summary.by_version {
        let of = versions.entry(*version).or_default();
        of.0 += messages;
        of.1.push(field);
    }
    let times = |count| {
        if count == 1 {
            "once".to_owned()
        } else {
            format!("{count} times")
        }
    };
    for (version, (count, fields)) in versions {
        let more = fields.len().saturating_sub(MOST_NAMED);
        let names = fields.iter().take(MOST_NAMED).copied().collect::<Vec<_>>();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let noun = if fields.len() == 1 { "field" } else { "fields" };
        remarks.push(format!(
            "not compared: {} {noun} that only version {version} has, {times} in all: {}{more}",
            fields.len(),
            names.join(", "),
            times = times(count),
        ));
    }
    let (missing, added) = summary.heartbeats;
    if (missing, added) != (0, 0) {
        remarks.push(format!(
            "not compared: how many heartbeats and answers there are, {missing} only in old, {added} only in new"
        ));
    }
    remarks
}

/// Fields of one version that a remark names.
const MOST_NAMED: usize = 5;

fn amount(pen: &mut Pen<'_>, number: u64, one: &str, many: &str) {
    pen.number(number);
    pen.put(" ");
    pen.put(if number == 1 { one } else { many });
}

fn title(pen: &mut Pen<'_>, text: &str) {
    pen.end_line();
    pen.painted(Paint::Label, text);
    pen.end_line();
}

fn failures(pen: &mut Pen<'_>, summary: &Summary) {
    if summary.failures.is_empty() {
        return;
    }
    title(pen, "new failures");
    let longest = summary.failures.keys().map(|f| f.request.len()).max();
    for (failure, count) in &summary.failures {
        pen.spaces(2);
        pen.right(*count, 6);
        pen.spaces(2);
        pen.padded(&failure.request, longest.unwrap_or(0) + 2);
        pen.put(failure.before.map_or("not asked before", outcome_words));
        pen.put(", now ");
        pen.on(Paint::Bad);
        pen.put(outcome_words(failure.now));
        if let Some(code) = &failure.code {
            pen.put(": ");
            pen.escaped(code.as_bytes());
        }
        pen.off();
        pen.end_line();
    }
}

/// The name of an outcome as people read it.
#[must_use]
pub fn outcome_words(outcome: &'static str) -> &'static str {
    [
        (OutcomeKind::WrongAnswer, "answered by another message"),
        (OutcomeKind::NotExpected, "without answer"),
        (OutcomeKind::NotJudged, "not known"),
        (OutcomeKind::SessionEnded, "open when the session ended"),
        (OutcomeKind::CaptureEnded, "open when the capture ended"),
        (OutcomeKind::Late, "answered late"),
    ]
    .into_iter()
    .find(|(kind, _)| kind.name() == outcome)
    .map_or(outcome, |(_, words)| words)
}

fn session_changes(pen: &mut Pen<'_>, summary: &Summary) {
    if summary.session_changes.is_empty() {
        return;
    }
    title(pen, "sessions");
    for ((what, old, new), count) in &summary.session_changes {
        pen.spaces(2);
        pen.right(*count, 6);
        pen.spaces(2);
        pen.put(what);
        pen.put(": ");
        was_is(
            pen,
            old.as_deref().map(str::as_bytes),
            new.as_deref().map(str::as_bytes),
        );
        pen.end_line();
    }
}

/// How something was and how it is.
pub(super) fn was_is(pen: &mut Pen<'_>, old: Option<&[u8]>, new: Option<&[u8]>) {
    value(pen, old);
    pen.put(" ");
    pen.sign(crate::render::text::pen::Sign::ToServer);
    pen.put(" ");
    value(pen, new);
}

/// Bytes of a value that are shown.
const LONGEST: usize = 120;

fn value(pen: &mut Pen<'_>, value: Option<&[u8]>) {
    match value {
        None => pen.painted(Paint::Dim, "(none)"),
        Some([]) => pen.put("\"\""),
        Some(value) => pen.word(value, LONGEST),
    }
}

fn latency(pen: &mut Pen<'_>, comparison: &Comparison) {
    if comparison.slower.is_empty() {
        return;
    }
    title(pen, "slower answers");
    for (number, message, slower) in &comparison.slower {
        pen.spaces(4);
        pen.put(&Comparison::type_name(*number, *message));
        pen.put(": median ");
        clock::duration(pen, slower.old_median);
        pen.put(", now ");
        pen.on(Paint::Bad);
        clock::duration(pen, slower.new_median);
        pen.off();
        pen.put(&format!(" ({:.1} times); 95 % within ", slower.factor()));
        clock::duration(pen, slower.old_p95);
        pen.put(", now ");
        clock::duration(pen, slower.new_p95);
        pen.put("; ");
        pen.count(slower.old_count);
        pen.put(" and ");
        pen.count(slower.new_count);
        pen.put(" answers");
        pen.end_line();
    }
}

fn types(pen: &mut Pen<'_>, summary: &Summary) {
    if summary.by_type.is_empty() {
        return;
    }
    let longest = summary.by_type.keys().map(String::len).max().unwrap_or(0);
    let longest = longest.max("messages".len());
    pen.end_line();
    pen.on(Paint::Label);
    pen.padded("messages", longest + 2);
    pen.put("  missing    added  changed  reordered");
    pen.off();
    pen.end_line();
    let mut rows: Vec<(&String, &Amounts)> = summary.by_type.iter().collect();
    rows.sort_by_key(|(name, amounts)| (std::cmp::Reverse(amounts.all()), *name));
    for (name, amounts) in rows {
        pen.spaces(2);
        pen.padded(name, longest);
        for (count, width) in [
            (amounts.missing, 9),
            (amounts.added, 9),
            (amounts.changed, 9),
            (amounts.reordered, 11),
        ] {
            if count == 0 {
                pen.spaces(width - 1);
                pen.put("-");
            } else {
                pen.right(count, width);
            }
        }
        pen.end_line();
    }
}

/// Fields that are listed.
const MOST_FIELDS: usize = 20;

fn fields(pen: &mut Pen<'_>, summary: &Summary) {
    if summary.fields.is_empty() {
        return;
    }
    title(pen, "changed fields");
    let mut rows: Vec<_> = summary.fields.iter().collect();
    rows.sort_by_key(|(names, of)| (std::cmp::Reverse(of.count), *names));
    for ((message, field), of) in rows.iter().take(MOST_FIELDS) {
        pen.spaces(2);
        pen.right(of.count, 6);
        pen.spaces(2);
        pen.put(message);
        pen.put(".");
        pen.escaped(field.as_bytes());
        if let Some((old, new)) = &of.values {
            pen.put(": ");
            was_is(pen, old.as_deref(), new.as_deref());
        }
        pen.end_line();
    }
    let more = rows.len().saturating_sub(MOST_FIELDS);
    if more > 0 {
        pen.spaces(8);
        pen.put(&format!("and {more} more"));
        pen.end_line();
    }
}
