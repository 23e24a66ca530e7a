//! All agents of a capture, or one of them.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use cti_dissector::analysis::Agents;
use cti_dissector::analysis::agents::{Agent, AgentsReport, Domain, state, state_name};
use cti_dissector::render::json;
use cti_dissector::render::table::{self, Cell, Column};
use cti_dissector::render::text::{self, AgentPage};

use super::study::{self, Finished};
use crate::args::{AgentArgs, StudyArgs, TableFormat};
use crate::driver;
use crate::output::{self, Output};
use crate::settings::{Settings, StudyOptions, StudyView};

const COLUMNS: [Column; 37] = [
    Column::left("AGENT", "agent"),
    Column::left("EXTENSION", "extension"),
    Column::csv("instrument"),
    Column::left("PERIPHERAL", "peripheral").spare(8),
    Column::left("MRD", "mrd"),
    Column::left("SESSIONS", "sessions").spare(6),
    Column::left("FIRST", "first").spare(5),
    Column::left("LAST", "last").spare(7),
    Column::csv("messages"),
    Column::right("LOGGED IN", "logged_in_s").spare(1),
    Column::right("AVAILABLE", "available_percent"),
    Column::csv("available_s"),
    Column::right("NOT READY", "not_ready_percent"),
    Column::csv("not_ready_s"),
    Column::right("RESERVED", "reserved_percent").spare(4),
    Column::right("ON CALLS", "on_calls_percent"),
    Column::csv("talking_s"),
    Column::right("ACTIVE", "active_percent").spare(4),
    Column::csv("active_s"),
    Column::right("WORK", "work_percent").spare(4),
    Column::csv("work_s"),
    Column::csv("reserved_s"),
    Column::csv("hold_s"),
    Column::left("LAST STATE", "last_state"),
    Column::csv("logins"),
    Column::csv("logouts"),
    Column::csv("calls_came"),
    Column::right("CALLS", "calls_answered"),
    Column::right("RONA", "ring_no_answer").spare(2),
    Column::csv("calls_made"),
    Column::csv("calls_ring_s"),
    Column::csv("calls_talk_s"),
    Column::csv("calls_consult_s"),
    Column::csv("calls_hold_s"),
    Column::right("REQUESTS", "requests").spare(6),
    Column::right("FAILED", "requests_failed").spare(3),
    Column::right("ODD", "contradictions").spare(3),
];

/// Lists all agents.
pub fn all(args: StudyArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    // Text shows strips, for which all states are needed.
    let whole = args.show.format == TableFormat::Text;
    let (names, view, finished) = run(args, settings, whole)?;
    let report = &finished.analysis;
    let agents: Vec<&Agent> = report.agents.iter().filter(|a| a.selected).collect();
    let mut out = Vec::new();
    match view.format {
        TableFormat::Text if agents.is_empty() => {}
        TableFormat::Text => {
            let rows: Vec<Vec<Cell>> = agents.iter().flat_map(|a| rows(a, true)).collect();
            table::text(&mut out, &columns(&agents), &rows, &view.look);
            text::agents_at_a_glance(&mut out, report, &agents, &view.look, settings.width);
        }
        TableFormat::Csv => {
            let rows: Vec<Vec<Cell>> = agents.iter().flat_map(|a| rows(a, false)).collect();
            table::csv_heading(&mut out, &COLUMNS);
            table::csv_rows(&mut out, &rows);
        }
        TableFormat::Json | TableFormat::Ndjson => {
            out = as_json(&view, &names, &finished, &agents, false);
        }
    }
    write(&out, settings)?;
    if !settings.quiet {
        let any = finished.outcome.totals.messages > 0 && finished.selected != Some(0);
        if agents.is_empty() && any {
            output::remark("no messages about agents");
        }
        left_out(report);
    }
    Ok(driver::exit_code(finished.outcome.failed))
}

/// The columns for people; that of a state which only tasks other than calls bring is left out where nobody is in it.
fn columns(agents: &[&Agent]) -> [Column; 37] {
    let mut columns = COLUMNS;
    let mut domains = agents.iter().flat_map(|agent| agent.domains.values());
    if let Some(active) = columns.iter_mut().find(|c| c.key == "active_percent") {
        active.csv_only = domains.all(|d| !d.totals.contains_key(&state::ACTIVE));
    }
    columns
}

/// Shows one agent, or all that go by a name.
pub fn one(args: AgentArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let wanted = args.id;
    let (names, view, finished) = run(args.study, settings, true)?;
    let report = &finished.analysis;
    let agents: Vec<&Agent> = report
        .agents
        .iter()
        .filter(|a| a.selected && a.is_called(&wanted))
        .collect();
    let mut out = Vec::new();
    match view.format {
        TableFormat::Text => {
            let mut page = AgentPage::new(view.look, settings.width);
            for (index, agent) in agents.iter().enumerate() {
                if index > 0 {
                    out.push(b'\n');
                }
                page.write(&mut out, agent);
            }
        }
        TableFormat::Csv => {
            let rows: Vec<Vec<Cell>> = agents
                .iter()
                .flat_map(|a| text::period_rows(a, false))
                .collect();
            table::csv_heading(&mut out, &text::PERIOD_COLUMNS);
            table::csv_rows(&mut out, &rows);
        }
        TableFormat::Json | TableFormat::Ndjson => {
            out = as_json(&view, &names, &finished, &agents, true);
        }
    }
    write(&out, settings)?;
    if !settings.quiet {
        left_out(report);
    }
    if agents.is_empty() {
        anyhow::bail!(
            "no agent, extension or instrument is called '{wanted}' in what was selected; `ctishark agents` lists all agents"
        );
    }
    Ok(driver::exit_code(finished.outcome.failed))
}

/// Reads the captures.
fn run(
    args: StudyArgs,
    settings: &Settings,
    whole_history: bool,
) -> anyhow::Result<(Vec<json::Input>, StudyView, Finished<AgentsReport>)> {
    let StudyOptions {
        inputs,
        selection,
        view,
        decoding,
    } = StudyOptions::new(args, settings)?;
    let names = driver::names(&inputs);
    let finished = study::run(inputs, &selection, &decoding, settings, |_| {
        Agents::new(whole_history)
    })?;
    let finished = Finished {
        analysis: finished.analysis.finish(),
        selected: finished.selected,
        selected_sessions: finished.selected_sessions,
        outcome: finished.outcome,
    };
    Ok((names, view, finished))
}

fn as_json(
    view: &StudyView,
    names: &[json::Input],
    finished: &Finished<AgentsReport>,
    agents: &[&Agent],
    whole: bool,
) -> Vec<u8> {
    let options = json::Options {
        show_secrets: false,
        several_inputs: names.len() > 1,
    };
    study::json(
        view.format,
        names,
        &finished.outcome,
        finished.selected,
        |objects, out| {
            for agent in agents {
                objects.next(out, |out| json::agent(out, agent, whole, &options));
            }
        },
    )
}

fn write(out: &[u8], settings: &Settings) -> anyhow::Result<()> {
    let mut stdout = Output::stdout(settings.color);
    stdout.write_all(out).context("standard output")?;
    stdout.finish()
}

fn left_out(report: &AgentsReport) {
    if report.left_out > 0 {
        let messages = driver::amount(report.left_out, "message", "messages");
        output::remark(&format!(
            "{messages} about further agents: too many agents to follow all"
        ));
    }
}

/// A row for each media routing domain; what belongs to the phone stands in that of voice.
fn rows(agent: &Agent, text: bool) -> Vec<Vec<Cell>> {
    let main = agent.main_domain().map(|(mrd, _)| mrd);
    if agent.domains.is_empty() {
        return vec![row(agent, None, None, true, text)];
    }
    agent
        .domains
        .iter()
        .map(|(mrd, domain)| row(agent, Some(*mrd), Some(domain), main == Some(*mrd), text))
        .collect()
}

fn row(
    agent: &Agent,
    mrd: Option<u32>,
    domain: Option<&Domain>,
    main: bool,
    text: bool,
) -> Vec<Cell> {
    let number = |n: u64| {
        if main { Cell::Number(n) } else { Cell::Missing }
    };
    let calls = |nanos: i64| {
        if main {
            Cell::Seconds(nanos)
        } else {
            Cell::Missing
        }
    };
    let seconds = |states: &[u32]| {
        domain.map_or(Cell::Missing, |d| {
            Cell::Seconds(states.iter().map(|s| d.nanos_in(*s)).sum())
        })
    };
    let percent = |states: &[u32]| {
        let shares = |d: &Domain| {
            let shares = states.iter().map(|s| text::percent(d, *s));
            shares.sum::<Option<f64>>()
        };
        domain.and_then(shares).map_or(Cell::Missing, Cell::Percent)
    };
    let work = [state::WORK_READY, state::WORK_NOT_READY];
    let on_calls = [state::TALKING, state::HOLD];
    let last = domain.and_then(|d| d.periods.last()).map(|p| p.state);
    let last = last.map(|s| state_name(s).map_or_else(|| s.to_string(), str::to_owned));
    let name =
        |d: Option<&cti_dissector::analysis::agents::Device>| Cell::text(d.map(|d| d.name.clone()));
    let odd = u64::try_from(agent.contradictions.len()).unwrap_or(u64::MAX);
    vec![
        Cell::Text(agent.key.id.clone()),
        name(agent.extensions.last()),
        name(agent.instruments.last()),
        agent
            .key
            .peripheral
            .map_or(Cell::Missing, |p| Cell::Number(p.into())),
        mrd.filter(|mrd| *mrd != 0)
            .map_or(Cell::Missing, |mrd| Cell::Number(mrd.into())),
        Cell::many(agent.sessions.iter().map(
            |s| {
                if text { format!("S{s}") } else { s.to_string() }
            },
        )),
        Cell::Time(agent.first),
        Cell::Time(agent.last),
        Cell::Number(agent.messages),
        domain.map_or(Cell::Missing, |d| Cell::Seconds(d.logged_in())),
        percent(&[state::AVAILABLE]),
        seconds(&[state::AVAILABLE]),
        percent(&[state::NOT_READY]),
        seconds(&[state::NOT_READY]),
        percent(&[state::RESERVED]),
        percent(&on_calls),
        seconds(&[state::TALKING]),
        percent(&[state::ACTIVE]),
        seconds(&[state::ACTIVE]),
        percent(&work),
        seconds(&work),
        seconds(&[state::RESERVED]),
        seconds(&[state::HOLD]),
        Cell::text(last),
        domain.map_or(Cell::Missing, |d| Cell::Number(d.logins)),
        domain.map_or(Cell::Missing, |d| Cell::Number(d.logouts)),
        number(agent.calls.delivered),
        number(agent.calls.answered),
        number(agent.calls.ring_no_answer),
        number(agent.calls.outgoing),
        calls(agent.calls.ring),
        calls(agent.calls.talk),
        calls(agent.calls.consult),
        calls(agent.calls.hold),
        number(agent.requests.count),
        number(agent.requests.failed),
        number(odd.saturating_add(agent.contradictions.forgotten())),
    ]
}
