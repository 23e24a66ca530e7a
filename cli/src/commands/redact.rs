//! Writes captures that can be shared.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use cti_dissector::protocol::privacy;
use cti_dissector::redact::{Options, Policy, Report};
use serde_json::json;

use crate::args::RedactArgs;
use crate::driver;
use crate::inputs::FileInput;
use crate::output;
use crate::redacted;
use crate::save::{self, Target};
use crate::settings::{RedactOptions, Settings};

/// Shows what is done about each field.
pub fn list(args: &RedactArgs) -> anyhow::Result<ExitCode> {
    output::show(&describe(&redacted::policy(
        &args.choices.keep,
        &args.choices.redact,
    )?))
}

/// Runs it.
pub fn run(options: RedactOptions, settings: &Settings) -> anyhow::Result<ExitCode> {
    let RedactOptions {
        inputs,
        decoding,
        save,
        args,
    } = options;
    let policy = redacted::policy(&args.keep, &args.redact)?;
    let key = redacted::key(args.key.as_deref(), args.key_file.as_deref())?;
    let target = Target::new(&save, &inputs)?;
    let read: Vec<PathBuf> = inputs
        .iter()
        .filter_map(FileInput::path)
        .map(Path::to_path_buf)
        .chain(args.key_file.clone())
        .collect();
    let read = || read.iter().map(PathBuf::as_path);
    save::ensure_not_read(&save.output, read())?;
    if let Some(report) = &args.report {
        save::ensure_not_read(report, read().chain([save.output.as_path()]))?;
    }
    let options = Options {
        drop_encrypted: args.drop_encrypted,
        keep_other: args.keep_other,
        ..Options::default()
    };
    let rewritten = redacted::rewrite(inputs, policy, key, options, &decoding, settings, target)?;
    let Some((redactor, failed)) = rewritten else {
        return Ok(driver::exit_code(true));
    };
    let report = redactor.report();
    if let Some(path) = &args.report {
        write_report(path, report).with_context(|| path.display().to_string())?;
    }
    for line in told(report) {
        save::tell(settings, &line);
    }
    Ok(driver::exit_code(failed))
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
    let mut file = save::File::create(path)?;
    file.write_all(&text)?;
    file.finish()?;
    Ok(())
}
