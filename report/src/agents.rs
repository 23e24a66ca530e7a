//! Agents, as the page shows them: a row each, and their states over time as a strip.

use crate::axis::{Axis, Mark, percent};
use crate::limits::{MAX_AGENTS, MAX_ODD, MAX_PERIODS};
use crate::messages::Packed;
use crate::shown::{Style, amount, grouped, shown};
use crate::table::Table;
use cti_dissector::analysis::agents::{
    self, AgentsReport, Contradiction, Domain, Period, state, state_name,
};
use cti_dissector::render::table::Cell;
use cti_dissector::render::text::{self, PERIOD_COLUMNS};
use std::collections::BTreeSet;

/// Narrower stretches than this are not drawn one by one (thousandths of a percent).
const LEAST: i64 = 60;

/// All agents.
pub(crate) struct Agents {
    pub agents: Vec<Agent>,
    pub more: usize,
    pub marks: Vec<Mark>,
    /// The states that there are.
    pub legend: Vec<Sign>,
    /// Messages about agents that were too many to follow.
    pub left_out: Option<String>,
}

/// An agent.
pub(crate) struct Agent {
    pub rank: usize,
    pub id: String,
    pub extension: String,
    pub peripheral: String,
    pub logged_in: String,
    /// Shares of the time logged in: available, not ready, on calls, work.
    pub shares: [String; 4],
    pub last: String,
    pub calls: String,
    pub messages: String,
    /// Calls not answered in time, requests that failed, states that contradict the calls.
    pub faults: [crate::sessions::Count; 3],
    pub strip: Vec<Stretch>,
    pub odd: Vec<Odd>,
    pub more_odd: Option<String>,
    pub periods: Table,
}

/// A state that contradicts the events of calls.
pub(crate) struct Odd {
    pub text: String,
    pub message: u64,
    /// Whether that message is in the table.
    pub here: bool,
}

/// A state and how the strips show it.
pub(crate) struct Sign {
    pub class: &'static str,
    pub letter: &'static str,
    pub name: String,
}

/// A stretch of time in one state.
pub(crate) struct Stretch {
    pub class: &'static str,
    pub x: String,
    pub width: String,
    pub middle: String,
    /// What fits into it: the state's name, its letter or nothing.
    pub word: String,
    pub title: String,
    /// The message that told it, if that is in the page.
    pub message: Option<u64>,
}

impl Agents {
    pub fn new(report: &AgentsReport, style: &Style, messages: &Packed) -> Self {
        let axis = Axis::new(report.from, report.to);
        let selected = || report.agents.iter().filter(|a| a.selected);
        let mut states: BTreeSet<u32> = BTreeSet::new();
        let agents = (1..)
            .zip(selected().take(MAX_AGENTS))
            .map(|(rank, agent)| {
                if let Some((_, domain)) = agent.main_domain() {
                    states.extend(domain.periods.iter().map(|p| p.state));
                }
                Agent::new(rank, agent, axis, style, messages)
            })
            .collect();
        Self {
            agents,
            more: selected().count().saturating_sub(MAX_AGENTS),
            marks: axis.marks(style),
            legend: states
                .into_iter()
                .map(|of| {
                    let (class, letter) = sign(of);
                    Sign {
                        class,
                        letter,
                        name: name(of),
                    }
                })
                .collect(),
            left_out: (report.left_out > 0).then(|| amount(report.left_out, "message", "messages")),
        }
    }

    /// The place of an agent in the page, by its ID.
    pub fn rank(&self, id: &str) -> Option<usize> {
        let agent = self.agents.iter().find(|a| a.id == id)?;
        Some(agent.rank)
    }
}

impl Agent {
    fn new(
        rank: usize,
        agent: &agents::Agent,
        axis: Axis,
        style: &Style,
        messages: &Packed,
    ) -> Self {
        let domain = agent.main_domain().map(|(_, domain)| domain);
        let share = |states: &[u32]| {
            let shares = |d: &Domain| {
                let shares = states.iter().map(|s| text::percent(d, *s));
                shares.sum::<Option<f64>>()
            };
            let share = domain.and_then(shares);
            share.map_or_else(dash, |share| style.cell(&Cell::Percent(share)))
        };
        let last = domain.and_then(|d| d.periods.last());
        let odd = u64::try_from(agent.contradictions.len()).unwrap_or(u64::MAX);
        let odd = odd.saturating_add(agent.contradictions.forgotten());
        let told = u64::try_from(agent.contradictions.len().min(MAX_ODD)).unwrap_or(u64::MAX);
        let rows = text::period_rows(agent, true);
        let domains: &[&str] = if agent.domains.len() > 1 {
            &[]
        } else {
            &["mrd"]
        };
        Self {
            rank,
            id: shown(&agent.key.id),
            extension: agent
                .extensions
                .last()
                .map_or_else(dash, |d| shown(&d.name)),
            peripheral: agent
                .key
                .peripheral
                .map_or_else(dash, |number| number.to_string()),
            logged_in: domain.map_or_else(dash, |d| style.duration(d.logged_in())),
            shares: [
                share(&[state::AVAILABLE]),
                share(&[state::NOT_READY]),
                share(&[state::TALKING, state::HOLD]),
                share(&[state::WORK_READY, state::WORK_NOT_READY]),
            ],
            last: last.map_or_else(dash, |p| name(p.state)),
            calls: match agent.calls.delivered {
                0 => dash(),
                delivered => format!(
                    "{} of {}",
                    grouped(agent.calls.answered),
                    grouped(delivered)
                ),
            },
            messages: grouped(agent.messages),
            faults: [agent.calls.ring_no_answer, agent.requests.failed, odd]
                .map(crate::sessions::Count::new),
            odd: agent
                .contradictions
                .iter()
                .take(MAX_ODD)
                .map(|c| Odd::new(c, style, messages))
                .collect(),
            more_odd: (odd > told).then(|| grouped(odd - told)),
            strip: domain.map_or_else(Vec::new, |d| strip(d, axis, style, messages)),
            periods: Table::new(
                &PERIOD_COLUMNS,
                &rows,
                domains,
                MAX_PERIODS,
                style,
                messages,
            ),
        }
    }
}

impl Odd {
    fn new(of: &Contradiction, style: &Style, messages: &Packed) -> Self {
        let call = of.call.map(|call| format!(", call {call}"));
        Self {
            text: format!(
                "{} from {} for {}: {}{}",
                name(of.state),
                style.moment(of.from),
                style.duration(of.to.nanos_since(of.from)),
                of.kind.name().replace('_', " "),
                call.unwrap_or_default()
            ),
            message: of.message,
            here: messages.has(of.message),
        }
    }
}

/// The stretches of a domain that are wide enough to be seen.
fn strip(domain: &Domain, axis: Axis, style: &Style, messages: &Packed) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut drawn = -LEAST;
    for period in &domain.periods {
        let (x, width) = axis.stretch(period.from, period.to);
        if width < LEAST && x < drawn + LEAST {
            continue;
        }
        drawn = x;
        stretches.push(stretch(period, x, width.max(LEAST), style, messages));
    }
    stretches
}

fn stretch(period: &Period, x: i64, width: i64, style: &Style, messages: &Packed) -> Stretch {
    let (class, letter) = sign(period.state);
    let name = name(period.state);
    let (_, from) = style.day_and_time(period.from);
    let room = |text: &str| {
        let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
        width > 900 * length.saturating_add(1)
    };
    Stretch {
        class,
        x: percent(x),
        width: percent(width),
        middle: percent(x + width / 2),
        title: format!("{name} from {from}, {}", style.duration(period.nanos())),
        word: if room(&name) {
            name
        } else if room(letter) {
            letter.to_owned()
        } else {
            String::new()
        },
        message: Some(period.message).filter(|no| messages.has(*no)),
    }
}

/// The class and the letter of a state.
const fn sign(of: u32) -> (&'static str, &'static str) {
    match of {
        state::LOGIN => ("login", "L"),
        state::LOGOUT => ("logout", "O"),
        state::NOT_READY => ("not-ready", "N"),
        state::AVAILABLE => ("available", "A"),
        state::TALKING => ("talking", "T"),
        state::WORK_NOT_READY | state::WORK_READY => ("work", "W"),
        state::BUSY_OTHER => ("busy", "B"),
        state::RESERVED => ("reserved", "R"),
        state::HOLD => ("hold", "H"),
        _ => ("other", "?"),
    }
}

/// A state's name, or its number.
fn name(of: u32) -> String {
    state_name(of).map_or_else(|| of.to_string(), str::to_owned)
}

fn dash() -> String {
    "–".to_owned()
}
