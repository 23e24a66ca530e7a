//! The stories of the calls that go by a name.

use std::process::ExitCode;

use anyhow::bail;
use cti_dissector::analysis::calls::Call;
use cti_dissector::render::json;
use cti_dissector::render::svg;
use cti_dissector::render::table::{self, Cell, Column};
use cti_dissector::render::text::Stories;

use super::book::{self, Json, Show};
use crate::args::{CallArgs, StoryFormat, TableFormat};
use crate::driver;
use crate::output;
use crate::settings::{Settings, StoryOptions};

const COLUMNS: [Column; 15] = [
    Column::csv("call"),
    Column::csv("step"),
    Column::csv("time"),
    Column::csv("type"),
    Column::csv("name"),
    Column::csv("id"),
    Column::csv("from"),
    Column::csv("to"),
    Column::csv("cause"),
    Column::csv("states"),
    Column::csv("settings"),
    Column::csv("details"),
    Column::csv("outcome"),
    Column::csv("notes"),
    Column::csv("messages"),
];

/// Runs it.
pub fn run(args: CallArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let wanted = args.id.clone();
    let StoryOptions {
        inputs,
        selection,
        format,
        look,
        decoding,
    } = StoryOptions::new(args.study, settings)?;
    let only = Some(wanted.as_str());
    let json_options = json::Options {
        show_secrets: false,
        several_inputs: inputs.len() > 1,
    };
    let names = driver::names(&inputs);
    let is_wanted = |call: &Call| call.selected && call.goes_by(&wanted);
    let mut shown = 0u64;
    let outcome = match format {
        StoryFormat::Text => {
            let mut stories = Stories::new(look, settings.width);
            let show = Each(|out: &mut Vec<u8>, call: &Call| {
                if is_wanted(call) {
                    shown += 1;
                    stories.write(out, call);
                }
            });
            book::run(inputs, &selection, &decoding, settings, only, show)?.1
        }
        StoryFormat::Csv => {
            let mut headed = false;
            let show = Each(|out: &mut Vec<u8>, call: &Call| {
                if is_wanted(call) {
                    shown += 1;
                    if !headed {
                        table::csv_heading(out, &COLUMNS);
                        headed = true;
                    }
                    table::csv_rows(out, &rows(call));
                }
            });
            book::run(inputs, &selection, &decoding, settings, only, show)?.1
        }
        StoryFormat::Svg => {
            let show = Picture {
                is_wanted,
                shown: &mut shown,
                calls: Vec::new(),
                zone: look.zone,
            };
            book::run(inputs, &selection, &decoding, settings, only, show)?.1
        }
        StoryFormat::Json | StoryFormat::Ndjson => {
            let form = if format == StoryFormat::Json {
                TableFormat::Json
            } else {
                TableFormat::Ndjson
            };
            let write = |objects: &json::Objects, out: &mut Vec<u8>, call: &Call| {
                if is_wanted(call) {
                    shown += 1;
                    json::story(out, call, &json_options, |out, write| {
                        objects.next(out, |out| write(out));
                    });
                }
            };
            let show = Json::new(form, names, write);
            book::run(inputs, &selection, &decoding, settings, only, show)?.1
        }
    }
    .outcome;
    if shown == 0 && !outcome.failed {
        bail!("no call goes by '{wanted}'; `ctishark calls` lists those that there are");
    }
    if shown > 1 && !settings.quiet {
        output::remark(&format!("{shown} calls go by '{wanted}'"));
    }
    Ok(driver::exit_code(outcome.failed))
}

/// Writes each call by a function.
struct Each<F>(F);

impl<F: FnMut(&mut Vec<u8>, &Call)> Show for Each<F> {
    fn call(&mut self, out: &mut Vec<u8>, call: &Call) {
        (self.0)(out, call);
    }
}

/// Most calls in one picture: it stands in memory as a whole.
const MOST_PICTURES: usize = 16;

/// Calls as one picture.
struct Picture<'a, F> {
    is_wanted: F,
    shown: &'a mut u64,
    calls: Vec<Call>,
    zone: jiff::tz::TimeZone,
}

impl<F: Fn(&Call) -> bool> Show for Picture<'_, F> {
    fn call(&mut self, _: &mut Vec<u8>, call: &Call) {
        if (self.is_wanted)(call) {
            *self.shown += 1;
            if self.calls.len() < MOST_PICTURES {
                self.calls.push(call.clone());
            }
        }
    }

    fn close(&mut self, out: &mut Vec<u8>, _: &book::End) {
        if !self.calls.is_empty() {
            svg::ladders(out, &self.calls, &self.zone);
        }
    }
}

fn rows(call: &Call) -> Vec<Vec<Cell>> {
    let device = |index: Option<usize>| {
        let party = index.and_then(|i| call.parties.get(i));
        Cell::text(party.map(|p| p.device.clone()))
    };
    (1u64..)
        .zip(&call.steps)
        .map(|(number, step)| {
            let states = step.changes.iter().filter_map(|change| {
                let party = call.parties.get(change.party)?;
                Some(format!("{} {}", party.device, change.to.name()))
            });
            let agent = step.agent.iter().map(|a| format!("{} {}", a.agent, a.to));
            let settings = step.settings.iter().map(|s| match &s.value {
                Some(value) => format!("{}={value}", s.name),
                None => format!("{} gone", s.name),
            });
            let outcome = step.answered.as_ref().map(|answered| {
                answered
                    .failure
                    .and_then(|f| f.name())
                    .unwrap_or(answered.kind.name())
            });
            vec![
                Cell::Number(call.no),
                Cell::Number(number),
                Cell::Time(step.time),
                Cell::Text(step.kind.name().to_owned()),
                Cell::Text(step.name.to_owned()),
                Cell::text(step.id.map(|id| id.id.to_string())),
                device(step.from),
                device(step.to),
                Cell::text(step.cause.map(cti_dissector::analysis::calls::cause_name)),
                Cell::many(states.chain(agent)),
                Cell::many(settings),
                Cell::many(step.details.iter().map(|(n, v)| format!("{n}={v}"))),
                Cell::text(outcome),
                Cell::many(&step.notes),
                Cell::many(step.sightings.iter().map(|s| s.no)),
            ]
        })
        .collect()
}
