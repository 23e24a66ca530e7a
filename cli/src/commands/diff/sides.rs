//! Reads the sides of a comparison: captures, or a dump of them.

use std::io::BufReader;

use anyhow::{Context as _, bail};
use cti_dissector::Timestamp;
use cti_dissector::analysis::Study;
use cti_dissector::capture::{Input as _, decompressed};
use cti_dissector::diff::Collector;
use cti_dissector::dump::{self, Taker};
use cti_dissector::limits;
use cti_dissector::record::{Record, Sink};
use cti_dissector::select::Selector;

use crate::commands::study;
use crate::driver;
use crate::inputs::FileInput;
use crate::output;
use crate::settings::{Decoding, Selection, Settings};

/// How sides are read.
pub struct Reading<'a> {
    /// Which messages count.
    pub selection: &'a Selection,
    /// How they are found and decoded.
    pub decoding: &'a Decoding,
    /// What holds for every command.
    pub settings: &'a Settings,
}

/// A side that was read.
pub struct SideRead {
    /// What was kept.
    pub collector: Collector,
    /// Some input could not be read; that has been told.
    pub failed: bool,
}

impl Reading<'_> {
    /// Reads one side.
    pub fn side(
        &self,
        mut inputs: Vec<FileInput>,
        collector: Collector,
    ) -> anyhow::Result<SideRead> {
        let side = match self.dump_among(&mut inputs)? {
            true => self.dump(inputs, collector)?,
            false => self.captures(inputs, collector)?,
        };
        if side.collector.is_full() {
            bail!(
                "too much to compare: it takes more than {} GiB of memory; compare parts, by --only, --ignore-type or --from and --to",
                limits::MAX_DIFF_BYTES / (1 << 30)
            );
        }
        Ok(side)
    }

    /// Whether the only input is a dump.
    pub fn dump_among(&self, inputs: &mut [FileInput]) -> anyhow::Result<bool> {
        let [input] = inputs else {
            return Ok(false);
        };
        // What cannot be read is told when its turn comes.
        Ok(input.peek().is_ok_and(|start| dump::recognise(&start)))
    }

    fn captures(&self, inputs: Vec<FileInput>, collector: Collector) -> anyhow::Result<SideRead> {
        let finished = study::run(inputs, self.selection, self.decoding, self.settings, |_| {
            collector
        })?;
        Ok(SideRead {
            failed: finished.outcome.failed,
            collector: finished.analysis,
        })
    }

    fn dump(&self, inputs: Vec<FileInput>, collector: Collector) -> anyhow::Result<SideRead> {
        let mut input = inputs.into_iter().next().context("no input")?;
        let name = input.name().to_owned();
        let source = input.open().with_context(|| name.clone())?;
        let source = decompressed(source).with_context(|| name.clone())?;
        let mut sink = FromDump {
            selection: self.selection,
            stage: Stage::Waiting(Box::new(collector)),
        };
        let extent = dump::read(BufReader::with_capacity(256 * 1024, source), &mut sink)
            .with_context(|| name.clone())?;
        let collector = match sink.stage {
            Stage::Waiting(collector) => *collector,
            Stage::Reading(study) => study.finish(),
            Stage::Between => bail!("{name}: reading broke down"),
        };
        if !extent.complete && !collector.is_full() && !self.settings.quiet {
            output::remark(&format!(
                "{name}: the dump is not complete, its summary record is missing"
            ));
        }
        if extent.messages == 0 && !self.settings.quiet {
            output::remark(&format!("{name}: the dump holds no messages"));
        }
        tracing::info!(
            "{name}: a dump of {}",
            driver::amount(extent.messages, "message", "messages")
        );
        Ok(SideRead {
            collector,
            failed: false,
        })
    }
}

/// Takes the records of a dump.
struct FromDump<'a> {
    selection: &'a Selection,
    stage: Stage,
}

enum Stage {
    /// The time of the first message, which the selection may need, is not known yet.
    Waiting(Box<Collector>),
    Reading(Box<Study<Collector>>),
    Between,
}

impl FromDump<'_> {
    fn study(&mut self, start: Timestamp) -> Option<&mut Study<Collector>> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Between) {
            Stage::Waiting(collector) => {
                let selector = Selector::new(self.selection.criteria(start));
                Stage::Reading(Box::new(Study::new(*collector, selector)))
            }
            stage => stage,
        };
        match &mut self.stage {
            Stage::Reading(study) => Some(study),
            _ => None,
        }
    }
}

impl Sink for FromDump<'_> {
    fn record(&mut self, record: Record<'_>) {
        if let Some(study) = self.study(Timestamp::default()) {
            study.record(record);
        }
    }
}

impl Taker for FromDump<'_> {
    fn begins(&mut self, first: Timestamp) {
        self.study(first);
    }

    fn wants_outcomes(&self) -> bool {
        self.selection.asks_for_outcomes()
    }

    fn wants_more(&self) -> bool {
        match &self.stage {
            Stage::Reading(study) => !study.seen().is_full(),
            _ => true,
        }
    }
}
