//! Writes captures that can be shared.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use cti_dissector::protocol::privacy;
use cti_dissector::record::{Record, Sink};
use cti_dissector::redact::{self, Learner, Options, Policy, Report};
use serde_json::json;

use crate::args::{RedactArgs, RedactChoices};
use crate::driver::{self, Consumer};
use crate::inputs;
use crate::output;
use crate::save::{self, Target};
use crate::settings::{RedactOptions, Settings};

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

/// Shows what is done about each field.
pub fn list(args: &RedactArgs) -> anyhow::Result<ExitCode> {
    output::show(&describe(&policy(&args.choices)?))
}

/// Runs it.
pub fn run(options: RedactOptions, settings: &Settings) -> anyhow::Result<ExitCode> {
    let RedactOptions {
        inputs,
        decoding,
        save,
        args,
    } = options;
    let policy = policy(&args)?;
    let key = key(&args)?;
    let target = Target::new(&save, &inputs)?;
    let (first, again) = inputs::twice(inputs)?;
    let spool = tempfile::tempfile().context("a temporary file")?;
    let options = Options {
        drop_encrypted: args.drop_encrypted,
        keep_other: args.keep_other,
    };
    let dissector = driver::options(&decoding, false);
    let outcome = driver::dissect(first, dissector, decoding.jobs, settings, |_| {
        Ok(Run(Learner::new(policy, key, options, spool)))
    })?;
    outcome.remark(settings);
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
    let report = redactor.report();
    if let Some(path) = &args.report {
        write_report(path, report).with_context(|| path.display().to_string())?;
    }
    for line in told(report) {
        save::tell(settings, &line);
    }
    Ok(driver::exit_code(outcome.failed))
}

fn policy(args: &RedactChoices) -> anyhow::Result<Policy> {
    let mut policy = Policy::default();
    // Classes first, so that a field may differ from its class, whatever the order of the options.
    let is_class = |name: &&String| privacy::classes().iter().any(|c| c.name == name.as_str());
    for classes in [true, false] {
        for name in args.keep.iter().filter(|n| is_class(n) == classes) {
            policy
                .keep(name)
                .context("invalid value for '--keep <NAME>'")?;
        }
        for name in args.redact.iter().filter(|n| is_class(n) == classes) {
            policy
                .redact(name)
                .context("invalid value for '--redact <NAME>'")?;
        }
    }
    Ok(policy)
}

/// The key that was given, or a new one that nobody knows.
fn key(args: &RedactChoices) -> anyhow::Result<[u8; 32]> {
    let secret = match (&args.key, &args.key_file) {
        (Some(key), _) => key.clone().into_bytes(),
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

fn describe(policy: &Policy) -> String {
    const WIDTH: usize = 100;
    let mut text = String::new();
    for class in privacy::classes() {
        let treatment = policy.class(class.name);
        text.push_str(&format!(
            "{} ({}): {}\n",
            class.name,
            treatment.name(),
            class.summary
        ));
        let mut line = String::from("   ");
        let rows: Vec<_> = policy.rows().filter(|r| r.class == class.name).collect();
        for row in &rows {
            let mut word = row.field.to_owned();
            if row.treatment != treatment {
                word = format!("{word} ({})", row.treatment.name());
            }
            if line.len() + word.len() >= WIDTH {
                text.push_str(line.trim_end());
                text.push('\n');
                line = String::from("   ");
            }
            line.push(' ');
            line.push_str(&word);
        }
        if !rows.is_empty() {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// What was done, in a few lines.
fn told(report: &Report) -> Vec<String> {
    let mut lines = vec![format!(
        "wrote {} with {}; left out {}",
        driver::amount(report.packets, "packet", "packets"),
        driver::amount(report.messages, "message", "messages"),
        driver::amount(report.dropped, "packet", "packets"),
    )];
    let classes: Vec<String> = report
        .classes()
        .iter()
        .map(|(class, values)| format!("{class} {values}"))
        .collect();
    if !classes.is_empty() {
        lines.push(format!("replaced values: {}", classes.join(", ")));
    }
    if report.blanked > 0 {
        lines.push(format!(
            "blanked {} of messages that could not be decoded",
            driver::amount(report.blanked, "byte", "bytes")
        ));
    }
    if report.encrypted > 0 {
        lines.push(format!(
            "blanked {} of encrypted connections",
            driver::amount(report.encrypted, "byte", "bytes")
        ));
    }
    if report.reshaped > 0 {
        lines.push(format!(
            "{} may decode in another way than before",
            driver::amount(report.reshaped, "message", "messages")
        ));
    }
    lines
}

fn write_report(path: &Path, report: &Report) -> anyhow::Result<()> {
    let fields: Vec<_> = report.fields().collect();
    let document = json!({
        "kind": "redaction",
        "tool": env!("CARGO_PKG_NAME"),
        "tool_version": env!("CARGO_PKG_VERSION"),
        "packets": report.packets,
        "packets_left_out": report.dropped,
        "messages": report.messages,
        "bytes_blanked": report.blanked,
        "encrypted_bytes_blanked": report.encrypted,
        "messages_reshaped": report.reshaped,
        "replaced": fields,
    });
    let mut text = serde_json::to_vec_pretty(&document)?;
    text.push(b'\n');
    File::create(path)?.write_all(&text)?;
    Ok(())
}
