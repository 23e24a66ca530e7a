//! Cuts captures down to the packets of what was selected.

use std::process::ExitCode;

use cti_dissector::extract::Choice;
use cti_dissector::record::{Record, Sink};
use cti_dissector::select::Selector;

use crate::driver::{self, Consumer};
use crate::inputs;
use crate::save::{self, Target};
use crate::settings::{ExtractOptions, Settings};

/// A choice at work.
struct Run(Choice);

impl Sink for Run {
    fn record(&mut self, record: Record<'_>) {
        self.0.record(record);
    }
}

impl Consumer for Run {}

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
    let (first, again) = inputs::twice(inputs)?;
    let (looked, again) = inputs::twice(again)?;
    let whole = whole || selection.is_empty() || selection.names_sessions_only();
    // Whether a request is selected may show only when its outcome does.
    let dissector = driver::options(&decoding, selection.asks_for_outcomes());
    let outcome = driver::dissect(first, dissector, decoding.jobs, settings, |start| {
        let selector = Selector::new(selection.criteria(start));
        Ok(Run(Choice::new(selector, whole)))
    })?;
    outcome.remark(settings);
    outcome.remark_nothing_selected(outcome.sink.0.selector(), settings);
    let fragments = outcome.layers.fragments > 0;
    let (run, outcome) = outcome.take();
    let messages = run.0.selector().selected();
    let mut cut = run.0.finish();
    if fragments {
        save::packets(looked, settings, |packet| {
            cut.look(packet);
            Ok(())
        })?;
        cut.looked();
    }
    let mut writer = target.open()?;
    save::packets(again, settings, |packet| {
        if cut.keeps(packet) {
            writer.packet(packet)?;
        }
        Ok(())
    })?;
    let packets = writer.finish()?;
    save::tell(
        settings,
        &format!(
            "wrote {} of {}: {} of {}",
            driver::amount(packets, "packet", "packets"),
            outcome.layers.packets,
            driver::amount(messages, "selected message", "selected messages"),
            driver::amount(
                u64::try_from(cut.connections()).unwrap_or(u64::MAX),
                "connection",
                "connections"
            ),
        ),
    );
    Ok(driver::exit_code(outcome.failed))
}
