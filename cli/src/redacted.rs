//! Captures rewritten with pseudonyms, for the command `redact` and for the option `--redact` of others.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use cti_dissector::protocol::privacy;
use cti_dissector::record::{Record, Sink};
use cti_dissector::redact::{self, Learner, Options, Policy, Redactor};

use crate::args::RedactionArgs;
use crate::driver::{self, Consumer};
use crate::inputs::{self, FileInput};
use crate::save::{self, Target};
use crate::settings::{Decoding, Settings};

/// A key shorter than that is too easy to find by trying.
const SHORTEST_KEY: usize = 16;

/// A learner at work.
struct Run(Learner<File>);

impl Sink for Run {
    fn record(&mut self, record: Record<'_>) {
        self.0.record(record);
    }
}

impl Consumer for Run {}

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
    let spool = tempfile::tempfile().context("a temporary file")?;
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
    let secret = match (text, file) {
        (Some(key), _) => key.as_bytes().to_vec(),
        (None, Some(path)) => {
            let content = fs::read(path).with_context(|| path.display().to_string())?;
            content.trim_ascii_end().to_vec()
        }
        (None, None) => {
            let mut key = [0; 32];
            getrandom::fill(&mut key).context("random numbers for a key")?;
            return Ok(key);
        }
    };
    ensure!(
        secret.len() >= SHORTEST_KEY,
        "a key of less than {SHORTEST_KEY} characters is too easy to find by trying"
    );
    Ok(redact::key(&secret))
}
