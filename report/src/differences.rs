//! The page of a comparison: what differs between two runs, first in numbers, then place by place. It has no script.

use crate::policy::policy;
use crate::shown::{Style, amount, grouped, shown};
use askama::Template;
use cti_dissector::diff::{Amounts, Comparison, Edit, FieldChange, Line, Pair, Place, SessionView};
use cti_dissector::record::Direction;
use cti_dissector::render::text::differences::{outcome_words, remarks, verdict};
use cti_dissector::session::Content;
use jiff::tz::TimeZone;
use std::fmt;

const STYLE: &str = concat!(
    include_str!("../assets/style.css"),
    include_str!("../assets/differences.css")
);

/// What the page is made of.
pub struct Differences<'a> {
    /// Heading of the page.
    pub title: String,
    /// Name and version of the program.
    pub tool: String,
    /// Time zone of the times.
    pub zone: TimeZone,
    /// What was compared.
    pub comparison: &'a Comparison,
    /// Messages without a difference shown around those with one.
    pub context: usize,
    /// Differing places that are shown.
    pub limit: usize,
}

#[derive(Template)]
#[template(path = "differences.html")]
struct Page<'a> {
    title: String,
    tool: &'a str,
    policy: String,
    style: &'static str,
    zone: String,
    same: bool,
    verdict: String,
    sides: Vec<Side>,
    remarks: Vec<String>,
    failures: Vec<Failure>,
    changes: Vec<Change>,
    slower: Vec<Slower>,
    types: Vec<Type>,
    fields: Vec<Field>,
    lone: Vec<Lone>,
    pairs: Vec<Pairs>,
    more: Option<String>,
}

/// One of the two runs, in numbers.
struct Side {
    name: &'static str,
    amounts: String,
    lacks: Option<String>,
}

/// Requests that fail now.
struct Failure {
    count: String,
    request: String,
    before: &'static str,
    now: &'static str,
    code: String,
}

/// How something was, and how it is.
struct Change {
    count: Option<String>,
    what: String,
    old: String,
    new: String,
}

/// A request type that is answered more slowly.
struct Slower {
    name: String,
    median: [String; 2],
    p95: [String; 2],
    factor: String,
    counts: [usize; 2],
}

/// Differences of a message type.
struct Type {
    name: String,
    counts: [String; 4],
}

/// A field that changed.
struct Field {
    count: String,
    name: String,
    /// How it was and is, where that is always the same.
    values: Option<[String; 2]>,
}

/// A session without counterpart.
struct Lone {
    added: bool,
    number: u32,
    who: String,
    messages: String,
}

/// Two sessions that differ.
struct Pairs {
    heading: String,
    who: String,
    changes: Vec<Change>,
    rows: Vec<Row>,
}

/// What stands in a row of a pair's table.
enum Row {
    Message {
        class: &'static str,
        word: &'static str,
        old: String,
        new: String,
        time: String,
        to_server: bool,
        name: String,
        parts: String,
        changes: Vec<Change>,
        note: String,
    },
    Skipped(String),
}

impl Differences<'_> {
    /// Writes the page.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn page(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let comparison = self.comparison;
        let summary = &comparison.summary;
        let style = Style::new(self.zone.clone());
        let mut left = self.limit;
        let mut pairs = Vec::new();
        let differing = || {
            let pairs = comparison.pairs.iter();
            pairs.filter(|pair| !pair.edits.is_empty() || !pair.changes.is_empty())
        };
        for pair in differing() {
            let most = pair.edits.len().min(left);
            left -= most;
            pairs.push(self.pair(pair, most, &style));
        }
        let places: usize = comparison.pairs.iter().map(|pair| pair.edits.len()).sum();
        let more = places.saturating_sub(self.limit);
        let first = differing().find_map(|pair| comparison.sessions(pair).1.about);
        let page = Page {
            title: shown(&self.title),
            tool: &self.tool,
            policy: policy("", STYLE),
            style: STYLE,
            zone: style.zone(first.map(|session| session.first).unwrap_or_default()),
            same: !summary.is_different(),
            verdict: sentence(&verdict(summary)),
            sides: [
                ("Old", summary.old, summary.missing_bytes.0),
                ("New", summary.new, summary.missing_bytes.1),
            ]
            .into_iter()
            .map(side)
            .collect(),
            remarks: remarks(summary).iter().map(|r| sentence(r)).collect(),
            failures: summary.failures.iter().map(failure).collect(),
            changes: summary
                .session_changes
                .iter()
                .map(|((what, old, new), count)| Change {
                    count: Some(grouped(*count)),
                    what: sentence(what),
                    old: text(old.as_deref().map(str::as_bytes)),
                    new: text(new.as_deref().map(str::as_bytes)),
                })
                .collect(),
            slower: self.slower(&style),
            types: types(comparison),
            fields: fields(comparison),
            lone: lone(comparison),
            pairs,
            more: (more > 0).then(|| amount(count(more), "more place", "more places")),
        };
        page.render_into(out).map_err(|_| fmt::Error)
    }

    fn slower(&self, style: &Style) -> Vec<Slower> {
        let rows = self.comparison.slower.iter();
        rows.map(|(number, message, slower)| Slower {
            name: Comparison::type_name(*number, *message),
            median: [slower.old_median, slower.new_median].map(|nanos| style.duration(nanos)),
            p95: [slower.old_p95, slower.new_p95].map(|nanos| style.duration(nanos)),
            factor: format!("{:.1}", slower.factor()),
            counts: [slower.old_count, slower.new_count],
        })
        .collect()
    }

    fn pair(&self, pair: &Pair, most: usize, style: &Style) -> Pairs {
        let comparison = self.comparison;
        let (old, new) = comparison.sessions(pair);
        let rows = comparison.places(pair, self.context, most).into_iter();
        let rows = rows.map(|place| match place {
            Place::Skipped(number) => Row::Skipped(amount(
                count(number),
                "message the same",
                "messages the same",
            )),
            Place::Same(old, new) => self.row(pair, ("same", ""), Some(old), Some(new), style),
            Place::Differs(edit) => {
                self.row(pair, words(edit), edit.old_place(), edit.new_place(), style)
            }
        });
        Pairs {
            heading: match (numbers(&old), numbers(&new)) {
                (old, new) if old == new => old,
                (old, new) => format!("{old}, now {new}"),
            },
            who: who(&new),
            changes: pair
                .changes
                .iter()
                .map(|change| Change {
                    count: None,
                    what: sentence(change.what),
                    old: text(change.old.as_deref().map(str::as_bytes)),
                    new: text(change.new.as_deref().map(str::as_bytes)),
                })
                .collect(),
            rows: rows.collect(),
        }
    }

    fn row(
        &self,
        pair: &Pair,
        (class, word): (&'static str, &'static str),
        old: Option<u32>,
        new: Option<u32>,
        style: &Style,
    ) -> Row {
        let comparison = self.comparison;
        let old_line = old.and_then(|old| comparison.old_line(pair, old));
        let new_line = new.and_then(|new| comparison.new_line(pair, new));
        let changes = match (class, old, new) {
            ("changed", Some(old), Some(new)) => comparison.field_changes(pair, old, new),
            _ => Vec::new(),
        };
        let note = match (class, new) {
            ("reordered", Some(new)) => self.neighbour(pair, new),
            _ => String::new(),
        };
        let number = |line: &Option<Line>| {
            line.as_ref()
                .map_or_else(String::new, |line| format!("#{}", line.no))
        };
        let (old_number, new_number) = (number(&old_line), number(&new_line));
        let line = new_line.or(old_line);
        Row::Message {
            class,
            word,
            old: old_number,
            new: new_number,
            time: line
                .as_ref()
                .map_or_else(String::new, |line| style.day_and_time(line.time).1),
            to_server: line
                .as_ref()
                .is_some_and(|line| line.direction == Direction::ClientToServer),
            name: line.as_ref().map_or_else(String::new, |l| l.name.clone()),
            parts: line.as_ref().map_or_else(String::new, parts),
            changes: changes.iter().map(change).collect(),
            note,
        }
    }

    /// Where a message stands now that its order is another.
    fn neighbour(&self, pair: &Pair, new: u32) -> String {
        let line = |index: Option<u32>| index.and_then(|n| self.comparison.new_line(pair, n));
        match (line(new.checked_sub(1)), line(new.checked_add(1))) {
            (Some(line), _) => format!("now behind #{} {}", line.no, line.name),
            (None, Some(line)) => format!("now before #{} {}", line.no, line.name),
            (None, None) => String::new(),
        }
    }
}

const fn words(edit: Edit) -> (&'static str, &'static str) {
    match edit {
        Edit::Missing(_) => ("missing", "missing"),
        Edit::Added(_) => ("added", "added"),
        Edit::Changed(..) => ("changed", "changed"),
        Edit::Moved(..) => ("reordered", "reordered"),
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// A value as text; nothing says so.
fn text(value: Option<&[u8]>) -> String {
    match value {
        None => "(none)".to_owned(),
        Some([]) => "\"\"".to_owned(),
        Some(value) => shown(&String::from_utf8_lossy(value)),
    }
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

fn side((name, (sessions, messages), lacks): (&'static str, (u64, u64), u64)) -> Side {
    Side {
        name,
        amounts: format!(
            "{}, {}",
            amount(sessions, "session", "sessions"),
            amount(messages, "message", "messages")
        ),
        lacks: (lacks > 0).then(|| amount(lacks, "byte", "bytes")),
    }
}

fn failure((failure, count): (&cti_dissector::diff::NewFailure, &u64)) -> Failure {
    Failure {
        count: grouped(*count),
        request: failure.request.clone(),
        before: failure.before.map_or("not asked before", outcome_words),
        now: outcome_words(failure.now),
        code: failure.code.as_deref().map(shown).unwrap_or_default(),
    }
}

fn types(comparison: &Comparison) -> Vec<Type> {
    let mut rows: Vec<(&String, &Amounts)> = comparison.summary.by_type.iter().collect();
    rows.sort_by_key(|(name, amounts)| (std::cmp::Reverse(amounts.all()), *name));
    let cell = |n: u64| if n == 0 { "–".to_owned() } else { grouped(n) };
    rows.into_iter()
        .map(|(name, amounts)| Type {
            name: name.clone(),
            counts: [
                amounts.missing,
                amounts.added,
                amounts.changed,
                amounts.reordered,
            ]
            .map(cell),
        })
        .collect()
}

/// Changed fields, the most frequent first: name and number of times.
fn fields(comparison: &Comparison) -> Vec<Field> {
    let mut rows: Vec<_> = comparison.summary.fields.iter().collect();
    rows.sort_by_key(|(names, of)| (std::cmp::Reverse(of.count), *names));
    rows.into_iter()
        .map(|((message, field), of)| Field {
            count: grouped(of.count),
            name: shown(&format!("{message}.{field}")),
            values: (of.values.as_ref())
                .map(|(old, new)| [text(old.as_deref()), text(new.as_deref())]),
        })
        .collect()
}

fn lone(comparison: &Comparison) -> Vec<Lone> {
    let row = |added| {
        move |session: SessionView<'_>| Lone {
            added,
            number: session.number,
            who: who(&session),
            messages: amount(session.messages, "message", "messages"),
        }
    };
    let missing = comparison.missing_sessions().map(row(false));
    missing
        .chain(comparison.added_sessions().map(row(true)))
        .collect()
}

/// The number of a session, and that of the last one that was joined to it.
fn numbers(session: &SessionView<'_>) -> String {
    match session.joined {
        Some(last) => format!("S{} to S{last}", session.number),
        None => format!("S{}", session.number),
    }
}

fn who(session: &SessionView<'_>) -> String {
    let Some(about) = session.about else {
        return String::new();
    };
    let identity = &about.identity;
    let names = [&identity.client_id, &identity.agent_id];
    let mut words: Vec<String> = names.into_iter().flatten().map(|n| shown(n)).collect();
    if about.content == Content::Encrypted {
        words.push("encrypted (TLS)".to_owned());
    } else if let Some(version) = about.version {
        words.push(format!("version {}", version.0));
    }
    words.join(", ")
}

fn parts(line: &Line) -> String {
    let parts = line.parts.iter();
    let parts: Vec<String> = parts
        .map(|part| format!("{}={}", part.label, text(Some(&part.value))))
        .collect();
    parts.join(" ")
}

fn change(change: &FieldChange) -> Change {
    let entry = change.entry.map(|n| format!(" of entry {n}"));
    Change {
        count: None,
        what: format!("{}{}", shown(&change.field), entry.unwrap_or_default()),
        old: text(change.old.as_deref()),
        new: text(change.new.as_deref()),
    }
}
