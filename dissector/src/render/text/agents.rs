//! One agent as text: who it is, its states as a strip and as a list, its calls and requests. And all agents as strips.

use super::agent_rows::{
    CALL_COLUMNS, PERIOD_COLUMNS, REQUEST_COLUMNS, call_rows, name_of, number, period_rows,
    request_rows,
};
use super::clock::{self, Clock};
use super::pen::{Paint, Pen};
use super::strip::{self, Span};
use crate::analysis::agents::{Agent, AgentsReport, Domain};
use crate::protocol;
use crate::render::table::{self, Cell, Column, Look};
use crate::time::Timestamp;

/// Agents that get a strip each below the list of all.
const MAX_STRIPS: usize = 200;

/// Writes pages about single agents.
#[derive(Debug)]
pub struct AgentPage {
    look: Look,
    width: usize,
    clock: Clock,
}

impl AgentPage {
    /// Nothing written yet; strips take up to `width` columns.
    #[must_use]
    pub fn new(look: Look, width: usize) -> Self {
        Self {
            look,
            width,
            clock: Clock::default(),
        }
    }

    /// Appends the page of an agent.
    pub fn write(&mut self, out: &mut Vec<u8>, agent: &Agent) {
        self.head(out, agent);
        let several = agent.domains.len() > 1;
        for (mrd, domain) in &agent.domains {
            self.strip(out, agent, several.then_some(*mrd), domain);
        }
        let forgotten = agent.domains.values().map(|d| d.periods.forgotten()).sum();
        let mut periods = PERIOD_COLUMNS;
        if let Some(mrd) = periods.iter_mut().find(|c| c.key == "mrd") {
            mrd.csv_only = !several;
        }
        self.section(out, "states", forgotten);
        table::text(out, &periods, &period_rows(agent, true), &self.look);
        if !agent.calls.list.is_empty() {
            self.section(out, "calls", agent.calls.list.forgotten());
            table::text(
                out,
                &CALL_COLUMNS,
                &call_rows(&agent.calls.list),
                &self.look,
            );
        }
        if !agent.requests.list.is_empty() {
            self.section(out, "requests", agent.requests.list.forgotten());
            let rows = request_rows(&agent.requests.list);
            table::text(out, &REQUEST_COLUMNS, &rows, &self.look);
        }
        if !agent.contradictions.is_empty() {
            self.section(
                out,
                "states that contradict the events of calls",
                agent.contradictions.forgotten(),
            );
            let rows: Vec<Vec<Cell>> = agent
                .contradictions
                .iter()
                .map(|c| {
                    vec![
                        Cell::Time(c.from),
                        Cell::Seconds(c.to.nanos_since(c.from)),
                        Cell::Text(name_of(c.state)),
                        Cell::Text(c.kind.name().to_owned()),
                        number(c.call),
                        Cell::Number(c.message),
                    ]
                })
                .collect();
            table::text(out, &CONTRADICTION_COLUMNS, &rows, &self.look);
        }
    }

    fn pen<'a>(&self, out: &'a mut Vec<u8>) -> Pen<'a> {
        Pen {
            out,
            colour: self.look.colour,
            ascii: self.look.ascii,
        }
    }

    fn section(&self, out: &mut Vec<u8>, title: &str, forgotten: u64) {
        let mut pen = self.pen(out);
        pen.end_line();
        pen.painted(Paint::Label, title);
        if forgotten > 0 {
            pen.put(&format!(" ({forgotten} older ones are not kept)"));
        }
        pen.end_line();
    }

    fn head(&mut self, out: &mut Vec<u8>, agent: &Agent) {
        let look = self.look.clone();
        let mut pen = self.pen(out);
        let pen = &mut pen;
        pen.on(Paint::Label);
        pen.put("agent ");
        pen.word(agent.key.id.as_bytes(), 64);
        pen.off();
        for (label, devices) in [
            ("extension", &agent.extensions),
            ("instrument", &agent.instruments),
        ] {
            if label == "instrument" && agent.extensions == agent.instruments {
                continue;
            }
            for (index, device) in devices.iter().enumerate() {
                pen.put(if index == 0 { "  " } else { ", " });
                if index == 0 {
                    pen.put(label);
                    pen.put(" ");
                }
                pen.word(device.name.as_bytes(), 64);
                if index > 0 {
                    pen.put(" from ");
                    self.clock.short(pen, &look.zone, device.from, false);
                }
            }
        }
        if let Some(peripheral) = agent.key.peripheral {
            pen.put(&format!("  peripheral {peripheral}"));
        }
        if let Some(kind) = agent.peripheral_type {
            let table = protocol::value_table("PeripheralType");
            if let Some(value) = table.and_then(|t| t.get(kind)) {
                pen.put(&format!(" ({})", value.short));
            }
        }
        if let Some(id) = agent.icm_id {
            pen.put(&format!("  ICMAgentID {id}"));
        }
        pen.end_line();
        pen.put("  seen       ");
        self.moment(pen, agent.first);
        pen.put(" to ");
        self.moment(pen, agent.last);
        let sessions: Vec<String> = agent.sessions.iter().map(|s| format!("S{s}")).collect();
        let shown = sessions.get(..8).unwrap_or(&sessions);
        pen.put(&format!(" in {}", shown.join(",")));
        if sessions.len() > shown.len() {
            pen.put(&format!(" and {} more", sessions.len() - shown.len()));
        }
        pen.end_line();
        for (mrd, domain) in &agent.domains {
            pen.put("  logged in  ");
            shares(pen, domain);
            if agent.domains.len() > 1 {
                pen.put(&format!(" in MRD {mrd}"));
            }
            pen.put(&format!(
                "; {}, {}, {}",
                times(domain.changes, "change", "changes"),
                times(domain.logins, "login", "logins"),
                times(domain.logouts, "logout", "logouts")
            ));
            pen.end_line();
        }
        let calls = &agent.calls;
        pen.put(&format!(
            "  calls      {} came, {} answered, {} not answered in time (RONA); {} made",
            calls.delivered, calls.answered, calls.ring_no_answer, calls.outgoing
        ));
        pen.end_line();
        let requests = &agent.requests;
        pen.put(&format!(
            "  requests   {}, {} failed, {} unanswered",
            requests.count, requests.failed, requests.unanswered
        ));
        pen.end_line();
    }

    fn moment(&mut self, pen: &mut Pen<'_>, time: Timestamp) {
        clock::date(pen, self.clock.day(&self.look.zone, time));
        pen.put(" ");
        let zone = self.look.zone.clone();
        self.clock.short(pen, &zone, time, false);
    }

    fn strip(&mut self, out: &mut Vec<u8>, agent: &Agent, mrd: Option<u32>, domain: &Domain) {
        const INDENT: usize = 2;
        let look = self.look.clone();
        let span = Span {
            from: agent.first,
            to: domain
                .periods
                .last()
                .map_or(agent.last, |p| p.to.max(agent.last)),
            width: self.width.saturating_sub(2 * INDENT).max(20),
        };
        let mut pen = self.pen(out);
        pen.end_line();
        if let Some(mrd) = mrd {
            pen.painted(Paint::Label, &format!("MRD {mrd}"));
            pen.end_line();
        }
        pen.spaces(INDENT);
        strip::states(&mut pen, domain, &span);
        pen.end_line();
        strip::axis(&mut pen, &span, INDENT, &look, &mut self.clock);
        pen.spaces(INDENT);
        strip::legend(&mut pen, [domain].into_iter());
        pen.end_line();
    }
}

/// The time logged in, and the share of each state in it.
fn shares(pen: &mut Pen<'_>, domain: &Domain) {
    let logged_in = domain.logged_in();
    clock::duration(pen, logged_in);
    let mut parts: Vec<(i64, String)> = domain
        .totals
        .iter()
        .filter(|(_, total)| total.nanos > 0)
        .filter_map(|(state, total)| {
            let share = percent(domain, *state)?;
            Some((total.nanos, format!("{} {share:.1}%", name_of(*state))))
        })
        .collect();
    parts.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    if !parts.is_empty() {
        let parts: Vec<String> = parts.into_iter().map(|(_, part)| part).collect();
        pen.put(&format!(" ({})", parts.join(", ")));
    }
}

/// The share of a state in the time logged in; `None` for states that are no part of it, and where that time is nothing.
#[must_use]
pub fn percent(domain: &Domain, of: u32) -> Option<f64> {
    use crate::analysis::agents::state;
    let logged_in = domain.logged_in();
    if logged_in <= 0 || matches!(of, state::LOGOUT | state::UNKNOWN) {
        return None;
    }
    let thousandths = i128::from(domain.nanos_in(of)) * 100_000 / i128::from(logged_in);
    Some(f64::from(i32::try_from(thousandths).ok()?) / 1000.0)
}

fn times(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

const CONTRADICTION_COLUMNS: [Column; 6] = [
    Column::left("FROM", "from"),
    Column::right("DURATION", "duration_s"),
    Column::left("STATE", "state"),
    Column::left("CONTRADICTION", "contradiction"),
    Column::left("CALL", "call"),
    Column::right("MESSAGE", "message"),
];

/// Appends a strip for each agent, all over the same span of time.
pub fn agents_at_a_glance(
    out: &mut Vec<u8>,
    report: &AgentsReport,
    agents: &[&Agent],
    look: &Look,
    width: usize,
) {
    let shown = agents.get(..MAX_STRIPS).unwrap_or(agents);
    let longest = shown
        .iter()
        .map(|a| a.key.id.chars().count())
        .max()
        .unwrap_or(0);
    let label = longest.clamp(4, 16);
    let from = shown.iter().map(|a| a.first).min().unwrap_or(report.from);
    let domains = || shown.iter().filter_map(|a| a.main_domain()).map(|(_, d)| d);
    let last = domains()
        .filter_map(|d| d.periods.last())
        .map(|p| p.to)
        .max();
    let span = Span {
        from,
        to: last.unwrap_or(report.to),
        width: width.saturating_sub(label + 2).max(20),
    };
    if domains().all(|d| d.periods.is_empty()) {
        return;
    }
    let mut pen = Pen {
        out,
        colour: look.colour,
        ascii: look.ascii,
    };
    let mut clock = Clock::default();
    pen.end_line();
    for agent in shown {
        let Some((_, domain)) = agent.main_domain() else {
            continue;
        };
        let name: String = agent.key.id.chars().take(label).collect();
        let start = pen.out.len();
        pen.escaped(name.as_bytes());
        let written = pen.out.get(start..).map(String::from_utf8_lossy);
        let written = written.map_or(0, |w| w.chars().count());
        pen.spaces((label + 2).saturating_sub(written));
        strip::states(&mut pen, domain, &span);
        pen.end_line();
    }
    strip::axis(&mut pen, &span, label + 2, look, &mut clock);
    pen.spaces(label + 2);
    strip::legend(&mut pen, domains());
    pen.end_line();
    if agents.len() > shown.len() {
        pen.put(&format!("and {} more agents", agents.len() - shown.len()));
        pen.end_line();
    }
}
