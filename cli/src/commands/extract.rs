//! Cuts captures down to the packets of what was selected.

use std::process::ExitCode;

use cti_dissector::Timestamp;
use cti_dissector::extract::{Choice, Cut, Proof, Widened};
use cti_dissector::record::{Record, Sink};
use cti_dissector::select::Selector;

use crate::driver::{self, Consumer};
use crate::inputs;
use crate::save::{self, Draft, Target};
use crate::settings::{ExtractOptions, Settings};

/// A choice at work.
struct Run(Choice);

impl Sink for Run {
    fn record(&mut self, record: Record<'_>) {
        self.0.record(record);
    }
}

impl Consumer for Run {}

/// A result that is read.
struct Reading(Proof);

impl Sink for Reading {
    fn record(&mut self, record: Record<'_>) {
        self.0.record(record);
    }
}

impl Consumer for Reading {}

/// Runs it.
pub fn run(options: ExtractOptions, settings: &Settings) -> anyhow::Result<ExitCode> {
    let ExtractOptions {
        inputs,
        selection,
        decoding,
        save,
        whole,
    } = options;
    let target = Target::new(&save, &inputs)?;
    let (first, mut again) = inputs::twice(inputs)?;
    let mut next = || -> anyhow::Result<_> {
        let (one, other) = inputs::twice(std::mem::take(&mut again))?;
        again = other;
        Ok(one)
    };
    let whole = whole || selection.is_empty() || selection.names_sessions_only();
    // Whether a request is selected may show only when its outcome does.
    let dissector = || driver::options(&decoding, selection.asks_for_outcomes());
    let mut start = Timestamp::default();
    let outcome = driver::dissect(first, dissector(), decoding.jobs, settings, |time| {
        start = time;
        let selector = Selector::new(selection.criteria(time));
        Ok(Run(Choice::new(selector, whole, decoding.reply_wait)))
    })?;
    outcome.remark(settings);
    if outcome.read_nothing() {
        return Ok(driver::exit_code(true));
    }
    outcome.remark_nothing_selected(outcome.sink.0.selector(), settings);
    let (run, outcome) = outcome.take();
    let messages = run.0.selector().selected();
    let mut cut = run.0.finish(outcome.layers.fragments > 0);
    let draft = loop {
        if cut.must_look() {
            save::packets(next()?, settings, |packet| {
                cut.look(packet);
                Ok(())
            })?;
            cut.looked();
        }
        let mut writer = target.draft()?;
        save::packets(next()?, settings, |packet| {
            if cut.keeps(packet) {
                writer.packet(packet)?;
            }
            Ok(())
        })?;
        let draft = writer.drafted()?;
        if !cut.must_prove() {
            break draft;
        }
        let read = vec![draft.input()?];
        let selector = Selector::new(selection.criteria(start));
        let proof = driver::dissect(read, dissector(), decoding.jobs, settings, |_| {
            Ok(Reading(cut.proof(selector)))
        })?;
        let more;
        (cut, more) = proof.sink.0.finish();
        if !more {
            break draft;
        }
    };
    publish(
        draft,
        &target,
        &cut,
        outcome.layers.packets,
        messages,
        settings,
    )?;
    Ok(driver::exit_code(outcome.failed))
}

/// Gives the result its place and says what it holds.
fn publish(
    draft: Draft,
    target: &Target,
    cut: &Cut,
    of: u64,
    messages: u64,
    settings: &Settings,
) -> anyhow::Result<()> {
    let packets = draft.publish(target)?;
    save::tell(
        settings,
        &format!(
            "wrote {} of {of}: {} of {}",
            driver::amount(packets, "packet", "packets"),
            driver::amount(messages, "selected message", "selected messages"),
            connections(u64::try_from(cut.connections()).unwrap_or(u64::MAX)),
        ),
    );
    if let Some(text) = told(cut.widened()) {
        save::tell(settings, &text);
    }
    Ok(())
}

fn connections(number: u64) -> String {
    driver::amount(number, "connection", "connections")
}

/// Where more was kept than usual, and why.
fn told(widened: Widened) -> Option<String> {
    let Widened {
        inferred,
        around,
        whole,
        different,
    } = widened;
    let mut parts = Vec::new();
    if inferred > 0 {
        parts.push(format!(
            "kept the beginning of {}, which the version is inferred from",
            connections(inferred)
        ));
    }
    if around > 0 {
        parts.push(format!(
            "kept more around the selected messages of {}, which would be read differently without",
            connections(around)
        ));
    }
    if whole > 0 {
        parts.push(format!(
            "kept {} as a whole, which would be read differently in part",
            connections(whole)
        ));
    }
    if different > 0 {
        parts.push(format!(
            "{} read differently all the same: what decided is in other connections",
            driver::amount(different, "connection is", "connections are")
        ));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}
