//! The places that differ, session by session, with what is the same around them.

use super::Differences;
use super::columns;
use super::totals::was_is;
use crate::diff::{Comparison, Edit, Line, Pair, Place, SessionView};
use crate::record::Direction;
use crate::render::text::TimeMode;
use crate::render::text::clock::Clock;
use crate::render::text::pen::{Paint, Pen, Sign};
use crate::session::Content;

/// Bytes of a value that a line shows.
const LONGEST: usize = 40;

/// Appends all places.
pub(super) fn write(pen: &mut Pen<'_>, style: &Differences, comparison: &Comparison) {
    for (mark, paint, what, sessions) in [
        (
            "-",
            Paint::Bad,
            "missing",
            comparison.missing_sessions().collect::<Vec<_>>(),
        ),
        (
            "+",
            Paint::Answer,
            "added",
            comparison.added_sessions().collect(),
        ),
    ] {
        for session in sessions {
            pen.end_line();
            pen.on(paint);
            pen.put(mark);
            pen.put(" S");
            pen.number(session.number.into());
            pen.put("  session ");
            pen.put(what);
            pen.off();
            who(pen, &session);
            pen.put(", ");
            pen.number(session.messages);
            pen.put(if session.messages == 1 {
                " message"
            } else {
                " messages"
            });
            pen.end_line();
        }
    }
    let mut left = style.limit;
    for pair in &comparison.pairs {
        if pair.edits.is_empty() && pair.changes.is_empty() {
            continue;
        }
        pen.end_line();
        heading(pen, comparison, pair);
        let shown = pair.edits.len().min(left);
        left -= shown;
        let mut places = Places {
            style,
            comparison,
            pair,
            clock: Clock::default(),
        };
        places.write(pen, shown);
    }
    let places: usize = comparison.pairs.iter().map(|pair| pair.edits.len()).sum();
    let more = places.saturating_sub(style.limit);
    if more > 0 {
        pen.end_line();
        pen.put("and ");
        pen.count(more);
        pen.put(" more; --limit shows them, or --format ndjson");
        pen.end_line();
    }
}

fn who(pen: &mut Pen<'_>, session: &SessionView<'_>) {
    let Some(about) = session.about else { return };
    let identity = &about.identity;
    for text in [&identity.client_id, &identity.agent_id]
        .into_iter()
        .flatten()
    {
        pen.spaces(2);
        pen.escaped(text.as_bytes());
    }
    if about.content == Content::Encrypted {
        pen.put("  encrypted (TLS)");
    } else if let Some(version) = about.version {
        pen.put("  version ");
        pen.number(version.0.into());
    }
}

/// Up to which session others were joined to one.
fn joined(pen: &mut Pen<'_>, session: &SessionView<'_>) {
    if let Some(last) = session.joined {
        pen.put(" to S");
        pen.number(last.into());
    }
}

fn heading(pen: &mut Pen<'_>, comparison: &Comparison, pair: &Pair) {
    let (old, new) = comparison.sessions(pair);
    pen.on(Paint::Label);
    pen.put("S");
    pen.number(old.number.into());
    joined(pen, &old);
    if (old.number, old.joined) != (new.number, new.joined) {
        pen.put(", now S");
        pen.number(new.number.into());
        joined(pen, &new);
    }
    pen.off();
    who(pen, &new);
    pen.put(", ");
    pen.number(old.messages);
    if old.messages != new.messages {
        pen.put(", now ");
        pen.number(new.messages);
    }
    pen.put(" messages");
    pen.end_line();
    for change in &pair.changes {
        pen.painted(Paint::Doubtful, "!");
        pen.spaces(1);
        pen.put(change.what);
        pen.put(": ");
        was_is(
            pen,
            change.old.as_deref().map(str::as_bytes),
            change.new.as_deref().map(str::as_bytes),
        );
        pen.end_line();
    }
}

/// The places of one pair of sessions.
pub(super) struct Places<'a> {
    pub style: &'a Differences,
    pub comparison: &'a Comparison,
    pub pair: &'a Pair,
    pub clock: Clock,
}

/// What a line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Same,
    Missing,
    Added,
    Changed,
    Moved,
}

impl Mark {
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Same => " ",
            Self::Missing => "-",
            Self::Added => "+",
            Self::Changed => "!",
            Self::Moved => ">",
        }
    }

    pub const fn paint(self) -> Option<Paint> {
        match self {
            Self::Same => None,
            Self::Missing => Some(Paint::Bad),
            Self::Added => Some(Paint::Answer),
            Self::Changed | Self::Moved => Some(Paint::Doubtful),
        }
    }
}

impl Places<'_> {
    fn write(&mut self, pen: &mut Pen<'_>, shown: usize) {
        let comparison = self.comparison;
        for place in comparison.places(self.pair, self.style.context, shown) {
            match place {
                Place::Same(old, new) => {
                    let old = comparison.old_line(self.pair, old);
                    let new = comparison.new_line(self.pair, new);
                    self.line(pen, Mark::Same, old.as_ref(), new.as_ref());
                }
                Place::Differs(edit) => self.edit(pen, edit),
                Place::Skipped(count) => skipped(pen, count),
            }
        }
    }

    fn edit(&mut self, pen: &mut Pen<'_>, edit: Edit) {
        let old = edit
            .old_place()
            .and_then(|o| self.comparison.old_line(self.pair, o));
        let new = edit
            .new_place()
            .and_then(|n| self.comparison.new_line(self.pair, n));
        let mark = match edit {
            Edit::Missing(_) => Mark::Missing,
            Edit::Added(_) => Mark::Added,
            Edit::Changed(..) => Mark::Changed,
            Edit::Moved(..) => Mark::Moved,
        };
        self.line(pen, mark, old.as_ref(), new.as_ref());
        match edit {
            Edit::Changed(old, new) => {
                for change in self.comparison.field_changes(self.pair, old, new) {
                    pen.spaces(BELOW);
                    pen.escaped(change.field.as_bytes());
                    if let Some(entry) = change.entry {
                        pen.put(" of entry ");
                        pen.number(entry.into());
                    }
                    pen.put(": ");
                    was_is(pen, change.old.as_deref(), change.new.as_deref());
                    pen.end_line();
                }
            }
            Edit::Moved(_, new) => {
                pen.spaces(BELOW);
                pen.put("reordered: now ");
                let neighbour =
                    |index: Option<u32>| index.and_then(|n| self.comparison.new_line(self.pair, n));
                let before = neighbour(new.checked_sub(1));
                let after = neighbour(new.checked_add(1));
                match (before, after) {
                    (Some(line), _) => pen.put(&format!("behind #{} {}", line.no, line.name)),
                    (None, Some(line)) => pen.put(&format!("before #{} {}", line.no, line.name)),
                    (None, None) => {}
                }
                pen.end_line();
            }
            Edit::Missing(_) | Edit::Added(_) => {}
        }
    }

    fn line(&mut self, pen: &mut Pen<'_>, mark: Mark, old: Option<&Line>, new: Option<&Line>) {
        if let Some(width) = self.style.beside {
            columns::beside(pen, self, width, mark, (old, new));
            return;
        }
        if let Some(paint) = mark.paint() {
            pen.on(paint);
        }
        pen.put(mark.sign());
        for line in [old, new] {
            pen.spaces(1);
            match line {
                Some(line) => number(pen, line.no),
                None => pen.spaces(NUMBER),
            }
        }
        pen.spaces(2);
        if let Some(line) = new.or(old) {
            self.message(pen, line);
        }
        if mark.paint().is_some() {
            pen.off();
        }
        pen.end_line();
    }

    /// Time, direction, name and fields of a message.
    pub fn message(&mut self, pen: &mut Pen<'_>, line: &Line) {
        let mode = TimeMode::Absolute(self.style.look.zone.clone());
        self.clock.write(pen, &mode, line.time, None);
        pen.spaces(1);
        pen.sign(match line.direction {
            Direction::ClientToServer => Sign::ToServer,
            Direction::ServerToClient => Sign::ToClient,
        });
        pen.spaces(1);
        pen.put(&line.name);
        for part in &line.parts {
            pen.spaces(1);
            pen.put(&part.label);
            pen.put("=");
            pen.word(&part.value, LONGEST);
        }
    }
}

/// Columns of a message's number.
const NUMBER: usize = 7;

/// Columns before what stands below a message.
const BELOW: usize = 20;

fn number(pen: &mut Pen<'_>, number: u32) {
    let text = format!("#{number}");
    pen.spaces(NUMBER.saturating_sub(text.len()));
    pen.put(&text);
}

fn skipped(pen: &mut Pen<'_>, count: usize) {
    if count == 0 {
        return;
    }
    pen.spaces(BELOW - 2);
    pen.on(Paint::Dim);
    pen.sign(Sign::Ellipsis);
    pen.spaces(1);
    pen.count(count);
    pen.put(if count == 1 {
        " message the same"
    } else {
        " messages the same"
    });
    pen.off();
    pen.end_line();
}
