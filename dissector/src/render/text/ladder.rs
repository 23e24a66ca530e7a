//! The story of a call as text: what it came to, then a ladder with a lane for each party and a line for each step.

mod summary;

use super::TimeMode;
use super::clock::{self, Clock};
use super::lanes::Lanes;
use super::pen::{Paint, Pen, Sign};
use crate::analysis::calls::{Answered, Call, CallId, Setting, Step, StepKind, cause_name};
use crate::correlate::OutcomeKind;
use crate::render::table::Look;
use crate::time::Timestamp;

/// Writes the stories of calls, one after the other.
#[derive(Debug)]
pub struct Stories {
    look: Look,
    width: usize,
    clock: Clock,
    written: bool,
}

/// Characters of a value of call data that are shown; the protocol allows some 200.
const LONGEST_VALUE: usize = 64;
/// Columns of time and time since the step before.
const TIMES: usize = 26;
/// Columns that the words beside the lanes have at least.
const LEAST_WORDS: usize = 38;

impl Stories {
    /// Nothing written yet. Lines are about `width` columns wide.
    #[must_use]
    pub fn new(look: Look, width: usize) -> Self {
        Self {
            look,
            width: width.max(TIMES + LEAST_WORDS + 8),
            clock: Clock::default(),
            written: false,
        }
    }

    /// Appends the story of a call.
    pub fn write(&mut self, out: &mut Vec<u8>, call: &Call) {
        let mut pen = Pen {
            out,
            colour: self.look.colour,
            ascii: self.look.ascii,
        };
        let pen = &mut pen;
        if self.written {
            pen.end_line();
        }
        self.written = true;
        self.summary(pen, call);
        self.lead(pen, "signs");
        Lanes::legend(pen, call);
        pen.end_line();
        let room = self.width.saturating_sub(TIMES + LEAST_WORDS);
        let mut lanes = Lanes::new(call, room);
        lanes.heading(pen, TIMES);
        let mut previous: Option<&Step> = None;
        let mut id = None;
        for step in &call.steps {
            // The call ID is told where it is another one.
            let told = step.id.filter(|_| step.id != id && call.ids.len() > 1);
            id = step.id.or(id);
            self.step(pen, call, step, &mut lanes, (previous, told));
            previous = Some(step);
        }
        if call.steps_left_out > 0 {
            pen.spaces(TIMES);
            pen.painted(
                Paint::Doubtful,
                &format!("{} more steps left out: too many", call.steps_left_out),
            );
            pen.end_line();
        }
    }

    fn moment(&mut self, pen: &mut Pen<'_>, time: Timestamp) {
        let mode = TimeMode::Absolute(self.look.zone.clone());
        self.clock.write(pen, &mode, time, None);
    }

    /// A piece of a line, to be put where there is room.
    fn piece(&self, write: impl FnOnce(&mut Pen<'_>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut Pen {
            out: &mut out,
            colour: false,
            ascii: self.look.ascii,
        });
        out
    }

    /// Pieces with commas between them, on as many lines as they need; the first line is begun, the others begin at a column.
    fn wrapped(&self, pen: &mut Pen<'_>, pieces: &[Vec<u8>], column: usize) {
        let mut at = column;
        for (index, piece) in pieces.iter().enumerate() {
            let wide = columns(piece) + 2;
            if index > 0 {
                pen.put(",");
                if at + wide > self.width {
                    pen.end_line();
                    pen.spaces(column);
                    at = column;
                } else {
                    pen.put(" ");
                }
            }
            pen.out.extend_from_slice(piece);
            at += wide;
        }
        pen.end_line();
    }

    fn step(
        &mut self,
        pen: &mut Pen<'_>,
        call: &Call,
        step: &Step,
        lanes: &mut Lanes,
        (previous, told): (Option<&Step>, Option<CallId>),
    ) {
        self.moment(pen, step.time);
        let mut since = Vec::new();
        if let Some(previous) = previous {
            let mut small = Pen {
                out: &mut since,
                colour: false,
                ascii: self.look.ascii,
            };
            small.put("+");
            clock::duration(&mut small, step.time.nanos_since(previous.time).max(0));
        }
        let since = String::from_utf8_lossy(&since).into_owned();
        pen.on(Paint::Dim);
        pen.spaces(9usize.saturating_sub(since.chars().count()));
        pen.put(&since);
        pen.off();
        pen.spaces(2);
        lanes.step(pen, step);
        pen.on(match step.kind {
            StepKind::Request => Paint::Request,
            StepKind::Answer => Paint::Answer,
            StepKind::Event | StepKind::Agent => Paint::Event,
        });
        pen.put(step.name);
        pen.off();
        self.told_by(pen, step);
        if let Some(answered) = &step.answered {
            self::answered(pen, step.kind, answered);
        }
        let mut lines = self.words(call, step);
        let before = TIMES + lanes.columns() + self.head_columns(step);
        let said: Vec<Vec<u8>> = self.said(step, told);
        let wide: usize = said.iter().map(|piece| columns(piece) + 2).sum();
        if !said.is_empty() && before + wide <= self.width {
            pen.put("  ");
            for (index, piece) in said.iter().enumerate() {
                pen.put(if index == 0 { "" } else { ", " });
                pen.out.extend_from_slice(piece);
            }
        } else if !said.is_empty() {
            lines.insert(0, said);
        }
        pen.end_line();
        for line in lines {
            pen.spaces(TIMES);
            lanes.between(pen);
            pen.put("  ");
            let at = TIMES + lanes.columns() + 2;
            self.wrapped(pen, &line, at);
        }
    }

    /// The messages that tell of a step.
    fn told_by(&self, pen: &mut Pen<'_>, step: &Step) {
        const LISTED: usize = 6;
        pen.on(Paint::Dim);
        for (index, sighting) in step.sightings.iter().take(LISTED).enumerate() {
            pen.put(if index == 0 { "  " } else { ", " });
            pen.put(&format!("#{} S{}", sighting.no, sighting.session));
        }
        if let Some(more @ 1..) = step.sightings.len().checked_sub(LISTED) {
            pen.put(&format!(" and {more} more"));
        }
        pen.off();
    }

    /// Columns of a step's name and of the messages that tell of it.
    fn head_columns(&self, step: &Step) -> usize {
        let mut out = self.piece(|pen| self.told_by(pen, step));
        let mut pen = Pen {
            out: &mut out,
            colour: false,
            ascii: self.look.ascii,
        };
        if let Some(answered) = &step.answered {
            self::answered(&mut pen, step.kind, answered);
        }
        step.name.len() + columns(&out)
    }

    /// What stands behind the name of a step: the call ID where it is another one, its cause and other fields.
    fn said(&self, step: &Step, told: Option<CallId>) -> Vec<Vec<u8>> {
        let mut said: Vec<Vec<u8>> = Vec::new();
        if let Some(id) = told {
            said.push(self.piece(|pen| pen.put(&format!("call={}", id.id))));
        }
        if let Some(cause) = step.cause {
            said.push(self.piece(|pen| pen.put(&cause_name(cause))));
        }
        for (name, value) in &step.details {
            said.push(self.piece(|pen| {
                pen.put(name);
                pen.put("=");
                pen.word(value.as_bytes(), LONGEST_VALUE);
            }));
        }
        said
    }

    /// What a step changes, as lines of pieces.
    fn words(&self, call: &Call, step: &Step) -> Vec<Vec<Vec<u8>>> {
        let mut lines = Vec::new();
        for change in &step.changes {
            let Some(party) = call.parties.get(change.party) else {
                continue;
            };
            lines.push(vec![self.piece(|pen| {
                pen.escaped(party.label().as_bytes());
                pen.put(" ");
                if let Some(from) = change.from {
                    pen.put(from.name());
                    pen.put(" ");
                    pen.sign(Sign::ToServer);
                    pen.put(" ");
                }
                pen.put(change.to.name());
                if change.held_nanos > 0 {
                    pen.put(" after ");
                    clock::duration(pen, change.held_nanos);
                }
            })]);
        }
        if let Some(change) = &step.agent {
            lines.push(vec![self.piece(|pen| {
                pen.put("agent ");
                pen.escaped(change.agent.as_bytes());
                pen.put(" ");
                if let Some(from) = &change.from {
                    pen.put(from);
                    pen.put(" ");
                    pen.sign(Sign::ToServer);
                    pen.put(" ");
                }
                pen.put(&change.to);
                if change.held_nanos > 0 {
                    pen.put(" after ");
                    clock::duration(pen, change.held_nanos);
                }
                if let Some(reason) = change.reason {
                    pen.put(", reason ");
                    pen.number(reason.into());
                }
            })]);
        }
        let mut said: Vec<Vec<u8>> = Vec::new();
        for setting in &step.settings {
            said.push(self.piece(|pen| self::setting(pen, setting)));
        }
        if !said.is_empty() {
            lines.push(said);
        }
        for note in &step.notes {
            lines.push(vec![self.piece(|pen| pen.escaped(note.as_bytes()))]);
        }
        if !step.findings.is_empty() {
            let findings = step.findings.iter();
            let findings: Vec<&str> = findings.map(|code| code.name()).collect();
            lines.push(vec![
                self.piece(|pen| pen.put(&format!("! {}", findings.join(", ")))),
            ]);
        }
        lines
    }
}

/// Columns of a piece without colours.
fn columns(piece: &[u8]) -> usize {
    String::from_utf8_lossy(piece).chars().count()
}

fn assigned(pen: &mut Pen<'_>, name: &str, value: &str) {
    pen.escaped(name.as_bytes());
    pen.put("=");
    if value.is_empty() {
        pen.put("\"\"");
    } else {
        pen.word(value.as_bytes(), LONGEST_VALUE);
    }
}

fn setting(pen: &mut Pen<'_>, setting: &Setting) {
    match (&setting.value, &setting.was) {
        (Some(value), None) => assigned(pen, &setting.name, value),
        (Some(value), Some(was)) => {
            assigned(pen, &setting.name, value);
            pen.put(" (was ");
            pen.word(was.as_bytes(), LONGEST_VALUE);
            pen.put(")");
        }
        (None, _) => {
            pen.escaped(setting.name.as_bytes());
            pen.put(" gone");
        }
    }
}

/// What became of a request, or how long an answer took.
fn answered(pen: &mut Pen<'_>, kind: StepKind, answered: &Answered) {
    pen.put("  ");
    if kind == StepKind::Request {
        pen.sign(Sign::Outcome);
        pen.put(" ");
        if let Some(no) = answered.no {
            pen.put(&format!("#{no} "));
        }
    }
    if let Some(latency) = answered.latency {
        pen.put("+");
        clock::duration(pen, latency);
    }
    if answered.failed() {
        let failure = answered.failure.as_ref();
        let what = match (answered.kind, failure.and_then(|f| f.name())) {
            (OutcomeKind::Failed, Some(name)) => format!("FAILED {name}"),
            (OutcomeKind::Failed, None) => {
                format!("FAILED {}", failure.map_or(0, |f| f.code))
            }
            (kind, _) => kind.name().replace('_', " "),
        };
        pen.put(if answered.latency.is_some() { " " } else { "" });
        pen.painted(Paint::Bad, &what);
    }
}
