//! Captures rewritten with pseudonyms, for the command `redact` and for the option `--redact` of others.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use cti_dissector::capture::Segment;
use cti_dissector::limits;
use cti_dissector::ports::Ports;
use cti_dissector::protocol::privacy;
use cti_dissector::record::{Record, Sink};
use cti_dissector::redact::{self, Learner, Options, Policy, Redactor};

use crate::args::RedactionArgs;
use crate::driver::{self, Consumer};
use crate::inputs::{self, FileInput};
use crate::save::{self, Target};
use crate::settings::{Decoding, Settings};

/// A learner at work.
struct Run(Learner<File>);

impl Sink for Run {
    fn record(&mut self, record: Record<'_>) {
        self.0.record(record);
    }
}

impl Consumer for Run {
    fn segment(&mut self, segment: &Segment<'_>) {
        self.0.segment(segment);
    }
}

/// The inputs, redacted where that is asked for: they are rewritten to a temporary file first, so that all commands show the same as they
/// would of what `redact` writes.
pub fn inputs(
    inputs: Vec<FileInput>,
    args: &RedactionArgs,
    decoding: &Decoding,
    settings: &Settings,
) -> anyhow::Result<Vec<FileInput>> {
    let Some(more) = &args.redact else {
        return Ok(inputs);
    };
    let more: Vec<String> = more
        .iter()
        .filter(|name| !name.is_empty())
        .cloned()
        .collect();
    let policy = policy(&args.keep, &more)?;
    let key = key(args.key.as_deref(), args.key_file.as_deref())?;
    let file = tempfile::tempfile().context("a temporary file")?;
    let target = Target::spool(&file)?;
    let rewritten = rewrite(
        inputs,
        policy,
        key,
        Options::default(),
        decoding,
        settings,
        target,
    )?;
    if rewritten.is_none_or(|(_, failed)| failed) {
        bail!("with --redact all captures must be readable");
    }
    Ok(vec![FileInput::spooled("redacted captures", file)])
}

/// Writes captures with pseudonyms in place of what the policy names. Tells what was done, and whether some input could not be read;
/// `None` when none could, and nothing was written.
pub fn rewrite(
    inputs: Vec<FileInput>,
    policy: Policy,
    key: [u8; 32],
    options: Options,
    decoding: &Decoding,
    settings: &Settings,
    target: Target,
) -> anyhow::Result<Option<(Redactor<File>, bool)>> {
    let (first, again) = inputs::twice(inputs)?;
    let (looked, again) = inputs::twice(again)?;
    let spool = tempfile::tempfile().context("a temporary file")?;
    let options = Options {
        ports: Ports::with(decoding.ports.clone()),
        ..options
    };
    let dissector = driver::options(decoding, false);
    let outcome = driver::dissect(first, dissector, decoding.jobs, settings, |_| {
        Ok(Run(Learner::new(policy, key, options, spool)))
    })?;
    outcome.remark(settings);
    if outcome.read_nothing() {
        return Ok(None);
    }
    let (run, outcome) = outcome.take();
    let mut redactor = run.0.finish().context("a temporary file")?;
    if outcome.layers.fragments_given_up > 0 {
        save::packets(looked, settings, |packet| {
            redactor.look(packet);
            Ok(())
        })?;
        redactor.looked();
    }
    let mut writer = target.open()?;
    save::packets(again, settings, |packet| {
        match redactor.packet(packet).context("a temporary file")? {
            Some(packet) => writer.packet(&packet),
            None => Ok(()),
        }
    })?;
    writer.finish()?;
    Ok(Some((redactor, outcome.failed)))
}

/// What to replace: what the protocol data says, but for these classes and fields.
pub fn policy(keep: &[String], redact: &[String]) -> anyhow::Result<Policy> {
    let mut policy = Policy::default();
    // Classes first, so that a field may differ from its class, whatever the order of the options.
    let is_class = |name: &&String| privacy::classes().iter().any(|c| c.name == name.as_str());
    for classes in [true, false] {
        for name in keep.iter().filter(|n| is_class(n) == classes) {
            policy
                .keep(name)
                .context("invalid value for '--keep <NAME>'")?;
        }
        for name in redact.iter().filter(|n| is_class(n) == classes) {
            policy
                .redact(name)
                .context("invalid value for '--redact <NAME>'")?;
        }
    }
    Ok(policy)
}

/// The key that was given, or a new one that nobody knows.
pub fn key(text: Option<&str>, file: Option<&Path>) -> anyhow::Result<[u8; 32]> {
    match (text, file) {
        (Some(key), _) => redact::key(key.as_bytes()).context("--key"),
        (None, Some(path)) => {
            let read = || -> anyhow::Result<[u8; 32]> {
                let mut content = Vec::new();
                // A device may have no end.
                let longest = u64::try_from(limits::MAX_KEY_BYTES)?.saturating_add(1);
                File::open(path)?.take(longest).read_to_end(&mut content)?;
                let key = if content.len() > limits::MAX_KEY_BYTES {
                    &content
                } else {
                    content.trim_ascii_end()
                };
                Ok(redact::key(key)?)
            };
            read().with_context(|| path.display().to_string())
        }
        (None, None) => {
            let mut key = [0; 32];
            getrandom::fill(&mut key).context("random numbers for a key")?;
            Ok(key)
        }
    }
}
