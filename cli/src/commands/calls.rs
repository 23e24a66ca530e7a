//! All calls: one row each.

use std::process::ExitCode;

use cti_dissector::analysis::calls::Call;
use cti_dissector::render::json;
use cti_dissector::render::table::{self, Cell, Column, Look, Pieces};

use super::book::{self, Json, Show};
use crate::args::{CallsArgs, TableFormat};
use crate::driver;
use crate::output;
use crate::settings::{Settings, StudyOptions};
use crate::went::Went;

const COLUMNS: [Column; 33] = [
    Column::right("CALL", "call"),
    Column::left("BEGAN", "first"),
    Column::csv("last"),
    Column::right("LENGTH", "duration_s").spare(3),
    Column::left("IDS", "ids"),
    Column::csv("peripherals"),
    Column::csv("router_keys"),
    Column::csv("references"),
    Column::left("ANI", "ani"),
    Column::csv("dnis"),
    Column::left("DIALED", "dialed_number").spare(5),
    Column::csv("call_type"),
    Column::left("AGENTS", "agents"),
    Column::csv("devices"),
    Column::csv("skill_groups"),
    Column::left("OUTCOME", "outcome"),
    Column::right("QUEUE", "queue_s").spare(7),
    Column::right("RING", "ring_s").spare(2),
    Column::right("TALK", "talk_s").spare(1),
    Column::right("HOLD", "hold_s").spare(6),
    Column::csv("answered_after_s"),
    Column::csv("transfers"),
    Column::csv("conferences"),
    Column::left("ENDED BY", "ended_by").spare(8),
    Column::left("CAUSE", "cause").spare(9),
    Column::left("ALSO", "features").spare(4),
    Column::csv("changed"),
    Column::csv("failed_requests"),
    Column::csv("findings"),
    Column::csv("sessions"),
    Column::csv("first_message"),
    Column::csv("last_message"),
    Column::csv("messages"),
];

/// Rows that the text waits for before it decides how wide columns are.
const PIECE: usize = 1_000;

/// Runs it.
pub fn run(args: CallsArgs, settings: &Settings) -> anyhow::Result<ExitCode> {
    let went = Went {
        outcomes: args.outcomes,
        min_talk: args.min_talk,
        max_talk: args.max_talk,
        min_hold: args.min_hold,
        min_queue: args.min_queue,
        min_ring: args.min_ring,
        min_length: args.min_length,
    };
    let StudyOptions {
        inputs,
        selection,
        view,
        decoding,
    } = StudyOptions::new(args.study, settings)?;
    let names = driver::names(&inputs);
    let selective = !went.is_empty();
    let wanted = move |call: &Call| call.selected && went.accepts(call);
    let mut shown = 0u64;
    let end = match view.format {
        TableFormat::Text => {
            let table = Text {
                look: view.look,
                pieces: Pieces::new(&COLUMNS),
                rows: Vec::new(),
            };
            let show = Only {
                wanted,
                shown: &mut shown,
                show: table,
            };
            book::run(inputs, &selection, &decoding, settings, None, show)?.1
        }
        TableFormat::Csv => {
            let show = Only {
                wanted,
                shown: &mut shown,
                show: Csv,
            };
            book::run(inputs, &selection, &decoding, settings, None, show)?.1
        }
        TableFormat::Json | TableFormat::Ndjson => {
            let write = |objects: &json::Objects, out: &mut Vec<u8>, call: &Call| {
                objects.next(out, |out| json::call(out, call));
            };
            let show = Only {
                wanted,
                shown: &mut shown,
                show: Json::new(view.format, names, write),
            };
            book::run(inputs, &selection, &decoding, settings, None, show)?.1
        }
    };
    let some_selected = end.selected.is_none_or(|n| n > 0);
    if shown == 0 && some_selected && end.outcome.totals.messages > 0 && !settings.quiet {
        output::remark(if selective {
            "no call that is selected went as --outcome and the other options ask for"
        } else {
            "no calls in these messages"
        });
    }
    Ok(driver::exit_code(end.outcome.failed))
}

/// Leaves out calls that are not asked for.
struct Only<'a, F, S> {
    wanted: F,
    shown: &'a mut u64,
    show: S,
}

impl<F: Fn(&Call) -> bool, S: Show> Show for Only<'_, F, S> {
    fn open(&mut self, out: &mut Vec<u8>) {
        self.show.open(out);
    }

    fn call(&mut self, out: &mut Vec<u8>, call: &Call) {
        if (self.wanted)(call) {
            *self.shown += 1;
            self.show.call(out, call);
        }
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        self.show.flush(out);
    }

    fn close(&mut self, out: &mut Vec<u8>, end: &book::End) {
        self.show.close(out, end);
    }
}

/// An aligned table.
struct Text {
    look: Look,
    pieces: Pieces<'static>,
    rows: Vec<Vec<Cell>>,
}

impl Show for Text {
    fn call(&mut self, out: &mut Vec<u8>, call: &Call) {
        self.rows.push(row(call));
        if self.rows.len() >= PIECE {
            self.flush(out);
        }
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        if !self.rows.is_empty() {
            self.pieces.rows(out, &self.rows, &self.look);
            self.rows.clear();
        }
    }

    fn close(&mut self, out: &mut Vec<u8>, _end: &book::End) {
        self.pieces.finish(out, &self.look);
    }
}

/// Lines of CSV.
struct Csv;

impl Show for Csv {
    fn open(&mut self, out: &mut Vec<u8>) {
        table::csv_heading(out, &COLUMNS);
    }

    fn call(&mut self, out: &mut Vec<u8>, call: &Call) {
        table::csv_rows(out, &[row(call)]);
    }
}

/// A time, or nothing where there was none.
const fn span(nanos: i64) -> Cell {
    if nanos == 0 {
        Cell::Missing
    } else {
        Cell::Seconds(nanos)
    }
}

fn row(call: &Call) -> Vec<Cell> {
    let peripherals = call.ids.iter().filter_map(|id| id.peripheral);
    let peripherals: std::collections::BTreeSet<u32> = peripherals.collect();
    let ended_by = call.ended_by.and_then(|index| call.parties.get(index));
    let failed = call.failed_requests.iter();
    vec![
        Cell::Number(call.no),
        Cell::Time(call.first),
        Cell::Time(call.last),
        Cell::Seconds(call.duration()),
        Cell::many(call.ids.iter().map(|id| id.id)),
        Cell::many(peripherals),
        Cell::many(&call.router_keys),
        Cell::many(&call.references),
        Cell::text(call.ani.clone()),
        Cell::text(call.dnis.clone()),
        Cell::text(call.dialed.clone().or_else(|| call.dnis.clone())),
        Cell::text(call.call_type_name()),
        Cell::many(call.agents()),
        Cell::many(call.parties.iter().map(|party| &party.device)),
        Cell::many(&call.skill_groups),
        Cell::Text(call.outcome.name().to_owned()),
        span(call.times.queue),
        span(call.times.ring),
        span(call.times.talk),
        span(call.times.hold),
        call.answered_after.map_or(Cell::Missing, Cell::Seconds),
        Cell::Number(call.transfers.into()),
        Cell::Number(call.conferences.into()),
        Cell::text(ended_by.map(|party| party.label())),
        Cell::text(call.cause_name()),
        Cell::many(call.features.iter().map(|feature| feature.name())),
        Cell::many(&call.changed),
        Cell::many(failed.map(|f| format!("{} {}", f.name, f.reason()))),
        Cell::many(call.findings.keys().map(|code| code.name())),
        Cell::many(&call.sessions),
        Cell::Number(call.first_message),
        Cell::Number(call.last_message),
        Cell::Number(call.messages),
    ]
}
