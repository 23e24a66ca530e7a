//! Findings of triage as text: a heading line each, below it what it means, what to check, and where to look.

use super::clock::Clock;
use super::pen::{Paint, Pen};
use super::{TimeMode, clock};
use crate::render::table::Look;
use crate::time::Timestamp;
use crate::triage::{Example, Problem};

/// Writes findings, one after the other.
#[derive(Debug)]
pub struct Problems {
    look: Look,
    several_inputs: bool,
    clock: Clock,
}

/// Names that a line lists before it says how many more there are.
const LISTED: usize = 8;

impl Problems {
    /// Nothing written yet.
    #[must_use]
    pub fn new(look: Look, several_inputs: bool) -> Self {
        Self {
            look,
            several_inputs,
            clock: Clock::default(),
        }
    }

    /// Appends a finding; `rank` counts from 1.
    pub fn write(&mut self, out: &mut Vec<u8>, problem: &Problem, rank: u64) {
        let mut pen = Pen {
            out,
            colour: self.look.colour,
            ascii: self.look.ascii,
        };
        let pen = &mut pen;
        pen.number(rank);
        pen.put(". ");
        pen.painted(Paint::of(problem.severity), problem.severity.name());
        pen.put("  ");
        pen.painted(Paint::Label, problem.code.name());
        pen.put("  ");
        pen.escaped(problem.text.as_bytes());
        if problem.count > 1 {
            pen.put(&format!(" ({} times)", problem.count));
        }
        pen.end_line();
        self.lead(pen, "when");
        self.moment(pen, problem.first);
        if problem.last != problem.first {
            pen.put(" to ");
            self.moment(pen, problem.last);
        }
        pen.end_line();
        self.touched(pen, problem);
        self.line(pen, "means", problem.code.means());
        for hint in &problem.hints {
            self.line(pen, "here", hint);
        }
        self.line(pen, "check", problem.code.check());
        if !problem.explains.is_empty() {
            let parts = problem.explains.iter();
            let parts: Vec<String> = parts
                .map(|(code, count)| format!("{} {}", count, code.name()))
                .collect();
            self.line(pen, "explains", &parts.join(", "));
        }
        let mut lead = "look at";
        for example in &problem.examples {
            self.lead(pen, lead);
            self.example(pen, example);
            lead = "";
        }
        let more = problem
            .count
            .saturating_sub(u64::try_from(problem.examples.len()).unwrap_or(u64::MAX));
        if more > 0 {
            self.line(pen, "", &format!("and {more} more"));
        }
        pen.end_line();
    }

    fn lead(&self, pen: &mut Pen<'_>, lead: &str) {
        pen.spaces(3);
        pen.on(Paint::Dim);
        pen.padded(lead, 9);
        pen.off();
    }

    fn line(&self, pen: &mut Pen<'_>, lead: &str, text: &str) {
        self.lead(pen, lead);
        pen.escaped(text.as_bytes());
        pen.end_line();
    }

    fn moment(&mut self, pen: &mut Pen<'_>, time: Timestamp) {
        clock::date(pen, self.clock.day(&self.look.zone, time));
        pen.put(" ");
        self.time_of_day(pen, time);
    }

    fn time_of_day(&mut self, pen: &mut Pen<'_>, time: Timestamp) {
        let mode = TimeMode::Absolute(self.look.zone.clone());
        self.clock.write(pen, &mode, time, None);
    }

    fn touched(&self, pen: &mut Pen<'_>, problem: &Problem) {
        let sessions: Vec<String> = problem.sessions.iter().map(|s| format!("S{s}")).collect();
        let agents: Vec<String> = problem.agents.iter().cloned().collect();
        let calls: Vec<String> = problem.calls.iter().map(ToString::to_string).collect();
        let parts: Vec<String> = [
            ("session", "sessions", sessions),
            ("agent", "agents", agents),
            ("call", "calls", calls),
        ]
        .into_iter()
        .filter(|(_, _, names)| !names.is_empty())
        .map(|(one, many, names)| {
            let shown = names.get(..LISTED.min(names.len())).unwrap_or_default();
            let more = match names.len().saturating_sub(shown.len()) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let noun = if names.len() == 1 { one } else { many };
            format!("{noun} {}{more}", shown.join(", "))
        })
        .collect();
        if !parts.is_empty() {
            self.line(pen, "touches", &parts.join("; "));
        }
    }

    fn example(&mut self, pen: &mut Pen<'_>, example: &Example) {
        self.time_of_day(pen, example.time);
        if let Some(session) = example.session {
            pen.put("  S");
            pen.number(session.into());
        }
        if let Some(message) = example.message {
            pen.put("  #");
            pen.number(message);
        }
        let packets = example.packets.iter().map(|packet| {
            if self.several_inputs {
                format!("{}:{}", packet.input + 1, packet.number)
            } else {
                packet.number.to_string()
            }
        });
        let packets: Vec<String> = packets.collect();
        if let [first, .., last] = packets.as_slice() {
            pen.put(&format!("  packets {first}..{last}"));
        } else if let [packet] = packets.as_slice() {
            pen.put(&format!("  packet {packet}"));
        }
        pen.put("  ");
        pen.escaped(example.text.as_bytes());
        pen.end_line();
    }
}
