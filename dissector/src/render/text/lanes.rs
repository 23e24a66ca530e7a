//! The lanes of a ladder: a column for each party, with the state of its connection at each step.

use super::pen::{Paint, Pen};
use crate::analysis::calls::{Call, ConnectionState, PartyKind, Step, StepKind};

/// Narrowest and widest lane (columns).
const NARROWEST: usize = 8;
const WIDEST: usize = 16;

/// A column for each party, as far as they fit beside each other.
#[derive(Debug)]
pub(super) struct Lanes {
    /// Columns of one lane.
    width: usize,
    names: Vec<(String, String)>,
    states: Vec<Option<ConnectionState>>,
    /// Parties that have no lane.
    without: usize,
}

impl Lanes {
    /// The lanes of a call within so many columns.
    pub fn new(call: &Call, room: usize) -> Self {
        let most = (room / NARROWEST).max(1);
        let parties = call.parties.iter().take(most);
        let names: Vec<(String, String)> = parties
            .map(|party| {
                let what = match (&party.agent, party.kind) {
                    (Some(agent), _) if *agent != party.device => agent.clone(),
                    _ if party.caller => "caller".to_owned(),
                    (_, PartyKind::Device) => String::new(),
                    (_, kind) => kind.name().to_owned(),
                };
                (party.device.clone(), what)
            })
            .collect();
        let longest = names
            .iter()
            .map(|(a, b)| a.chars().count().max(b.chars().count()) + 2)
            .max()
            .unwrap_or(NARROWEST);
        let share = room / names.len().max(1);
        Self {
            width: longest.clamp(NARROWEST, WIDEST).min(share.max(NARROWEST)),
            states: vec![None; names.len()],
            without: call.parties.len().saturating_sub(names.len()),
            names,
        }
    }

    /// Columns of all lanes.
    pub fn columns(&self) -> usize {
        self.width * self.names.len()
    }

    /// The names of the parties above their lanes.
    pub fn heading(&self, pen: &mut Pen<'_>, indent: usize) {
        for second in [false, true] {
            pen.spaces(indent);
            pen.on(if second { Paint::Dim } else { Paint::Label });
            for (name, what) in &self.names {
                let text = shown(if second { what } else { name }, self.width - 1, pen.ascii);
                pen.put(&text);
                pen.spaces(self.width.saturating_sub(text.chars().count()));
            }
            pen.off();
            if !second && self.without > 0 {
                pen.put(&format!("(and {} more without a lane)", self.without));
            }
            pen.end_line();
        }
    }

    /// The lanes at a step, with what happens between them.
    pub fn step(&mut self, pen: &mut Pen<'_>, step: &Step) {
        for change in &step.changes {
            if let Some(state) = self.states.get_mut(change.party) {
                *state = Some(change.to);
            }
        }
        let lane = |party: Option<usize>| party.filter(|p| *p < self.names.len());
        let (from, to) = (lane(step.from), lane(step.to));
        let mark = mark(step.kind, pen.ascii);
        let ends = from.zip(to).filter(|(a, b)| a != b);
        for (index, state) in self.states.iter().enumerate() {
            let sign = match ends {
                Some((a, b)) if b == index => arrow(a < b, pen.ascii),
                Some((a, _)) if a == index => mark,
                Some((a, b)) if a.min(b) < index && index < a.max(b) => line(pen.ascii),
                None if from.or(to) == Some(index) => mark,
                _ => lane_sign(*state, pen.ascii),
            };
            pen.put(sign);
            let runs = ends.is_some_and(|(a, b)| a.min(b) <= index && index < a.max(b));
            for _ in 1..self.width {
                pen.put(if runs { line(pen.ascii) } else { " " });
            }
        }
    }

    /// The lanes between two steps.
    pub fn between(&self, pen: &mut Pen<'_>) {
        for state in &self.states {
            pen.put(lane_sign(*state, pen.ascii));
            pen.spaces(self.width - 1);
        }
    }

    /// What the signs in the lanes mean, of those that the story needs.
    pub fn legend(pen: &mut Pen<'_>, call: &Call) {
        let ascii = pen.ascii;
        let kinds = StepKind::ALL.iter().filter(|kind| {
            let mut steps = call.steps.iter();
            steps.any(|step| step.kind == **kind)
        });
        let kinds = kinds.map(|kind| format!("{} {}", mark(*kind, ascii), kind.name()));
        let states = ConnectionState::ALL.iter().filter(|state| {
            let mut changes = call.steps.iter().flat_map(|step| &step.changes);
            changes.any(|change| change.to == **state) && lane_sign(Some(**state), ascii) != " "
        });
        let states =
            states.map(|state| format!("{} {}", lane_sign(Some(*state), ascii), state.name()));
        let all: Vec<String> = kinds.chain(states).collect();
        pen.put(&all.join("  "));
        pen.end_line();
    }
}

/// A name cut to a width and made harmless.
fn shown(name: &str, width: usize, ascii: bool) -> String {
    let mut out = Vec::new();
    let mut pen = Pen {
        out: &mut out,
        colour: false,
        ascii,
    };
    pen.escaped(name.as_bytes());
    let text = String::from_utf8_lossy(&out).into_owned();
    if text.chars().count() < width {
        return text;
    }
    let mut cut: String = text.chars().take(width.saturating_sub(2)).collect();
    cut.push_str(if ascii { "~" } else { "…" });
    cut
}

const fn lane_sign(state: Option<ConnectionState>, ascii: bool) -> &'static str {
    match (state, ascii) {
        (Some(ConnectionState::Initiated), false) => "┊",
        (Some(ConnectionState::Initiated), true) => ".",
        (Some(ConnectionState::Alerting), false) => "○",
        (Some(ConnectionState::Alerting), true) => "o",
        (Some(ConnectionState::Queued), false) => "◇",
        (Some(ConnectionState::Queued), true) => "q",
        (Some(ConnectionState::Connected), false) => "┃",
        (Some(ConnectionState::Connected), true) => "|",
        (Some(ConnectionState::Held), false) => "‖",
        (Some(ConnectionState::Held), true) => "H",
        _ => " ",
    }
}

const fn mark(kind: StepKind, ascii: bool) -> &'static str {
    match (kind, ascii) {
        (StepKind::Event, false) => "●",
        (StepKind::Event, true) => "*",
        (StepKind::Request, false) => "→",
        (StepKind::Request, true) => ">",
        (StepKind::Answer, false) => "←",
        (StepKind::Answer, true) => "<",
        (StepKind::Agent, false) => "◆",
        (StepKind::Agent, true) => "@",
    }
}

const fn arrow(right: bool, ascii: bool) -> &'static str {
    match (right, ascii) {
        (true, false) => "▶",
        (true, true) => ">",
        (false, false) => "◀",
        (false, true) => "<",
    }
}

const fn line(ascii: bool) -> &'static str {
    if ascii { "-" } else { "─" }
}
