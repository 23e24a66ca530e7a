//! Writes one side as a dump, to be compared with later.

use std::ffi::OsStr;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context as _, ensure};
use cti_dissector::record::{Record, Sink};
use cti_dissector::render::json;
use cti_dissector::select::Selector;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::sides::Reading;
use crate::driver::{self, Consumer};
use crate::inputs::FileInput;
use crate::output;
use crate::save::{self, File};

/// Where the dump goes.
enum Target {
    Plain(BufWriter<File>),
    Gzip(GzEncoder<BufWriter<File>>),
}

impl Target {
    fn finish(self) -> io::Result<()> {
        let file = match self {
            Self::Plain(file) => file,
            Self::Gzip(encoder) => encoder.finish()?,
        };
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .finish()
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }
}

/// Writes records as they come.
struct Dump {
    selector: Selector,
    renderer: json::Renderer,
    line: Vec<u8>,
    target: Target,
    error: Option<io::Error>,
}

impl Dump {
    fn line(&mut self, write: impl FnOnce(&mut json::Renderer, &mut Vec<u8>)) {
        if self.error.is_some() {
            return;
        }
        self.line.clear();
        write(&mut self.renderer, &mut self.line);
        self.line.push(b'\n');
        self.error = self.target.write_all(&self.line).err();
    }
}

impl Sink for Dump {
    fn record(&mut self, record: Record<'_>) {
        // Sessions tell who is who, whatever of them was asked for.
        let always = matches!(record, Record::SessionBegan(_) | Record::SessionEnded(_));
        if self.selector.accepts(&record) || always {
            self.line(|renderer, out| renderer.record(out, &record));
        }
    }
}

impl Consumer for Dump {
    fn check(&mut self) -> anyhow::Result<()> {
        match self.error.take() {
            Some(error) => Err(error).context("the baseline cannot be written"),
            None => Ok(()),
        }
    }
}

/// Writes what was selected of a side; whether some input could not be read. The file appears when it is complete.
pub fn write(
    path: &Path,
    mut inputs: Vec<FileInput>,
    reading: &Reading<'_>,
) -> anyhow::Result<bool> {
    ensure!(
        !reading.dump_among(&mut inputs)?,
        "OLD is a dump already; it can be compared with as it is"
    );
    save::ensure_not_read(path, inputs.iter().filter_map(FileInput::path))?;
    let Some((failed, messages)) = write_to(path, inputs, reading)? else {
        return Ok(true);
    };
    if !reading.settings.quiet {
        output::remark(&format!(
            "{}: {}",
            path.display(),
            driver::amount(messages, "message", "messages")
        ));
    }
    Ok(failed)
}

/// Whether some input could not be read, and the number of messages; `None` when none could, and nothing was written.
fn write_to(
    path: &Path,
    inputs: Vec<FileInput>,
    reading: &Reading<'_>,
) -> anyhow::Result<Option<(bool, u64)>> {
    let file = File::create(path)?;
    let file = BufWriter::with_capacity(256 * 1024, file);
    let target = if path.extension() == Some(OsStr::new("gz")) {
        Target::Gzip(GzEncoder::new(file, Compression::default()))
    } else {
        Target::Plain(file)
    };
    let names = driver::names(&inputs);
    let options = json::Options {
        show_secrets: false,
        several_inputs: inputs.len() > 1,
    };
    let selection = reading.selection;
    let dissector = driver::options(reading.decoding, selection.asks_for_outcomes());
    let jobs = reading.decoding.jobs;
    let outcome = driver::dissect(inputs, dissector, jobs, reading.settings, |start| {
        let mut dump = Dump {
            selector: Selector::new(selection.criteria(start)),
            renderer: json::Renderer::new(options),
            line: Vec::new(),
            target,
            error: None,
        };
        dump.line(|renderer, out| {
            let (tool, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
            renderer.header(out, tool, version, &names);
        });
        Ok(dump)
    })?;
    outcome.remark(reading.settings);
    if outcome.read_nothing() {
        return Ok(None);
    }
    outcome.remark_nothing_selected(&outcome.sink.selector, reading.settings);
    let (mut dump, outcome) = outcome.take();
    let selected = (!dump.selector.is_empty()).then(|| dump.selector.selected());
    for notice in &outcome.notices {
        dump.line(|renderer, out| renderer.record(out, &Record::Notice(notice)));
    }
    let summary = driver::summary(&outcome, selected);
    dump.line(|renderer, out| renderer.summary(out, &summary));
    dump.check()?;
    dump.target
        .finish()
        .context("the baseline cannot be written")?;
    let messages = selected.unwrap_or(outcome.totals.messages);
    Ok(Some((outcome.failed, messages)))
}
