//! The reference of all findings, as Markdown: docs/findings.md is this text.

use super::{Code, Thresholds};
use crate::finding;

/// What stands above the tables.
const INTRODUCTION: &str = "\
# Findings

This page is made by `ctishark generate findings`; the tables in the code are its source.

A finding is anything worth telling about a capture that is not a message. There are two kinds. The dissector's own findings say what is
unusual about bytes, sessions and captures; they stand in the timeline and in JSON. The findings of `ctishark triage` say what went wrong in
the conversation, what it usually means and what to check next.

Each has a code, which is stable and meant for scripts, and a severity:

- `info`: good to know; nothing is wrong with the traffic.
- `warn`: unusual, or something could not be judged.
- `error`: something failed, or bytes break the protocol.

The text beside the code says what was seen, with names and numbers; it is meant for people and may be reworded. Finding something never
stops decoding. Only `ctishark triage --fail-on` lets findings change the exit code.

";

const IN_MESSAGES: &str = "\
## In messages

These stand in the `findings` of a message, most with the offset of the bytes they are about. The timeline shows the first finding of a
message behind `!`, those of severity `info` only with `--detail`. JSON shows all of them ([json.md](json.md)).

";

const ABOUT_CAPTURES: &str = "
## About sessions and captures

These are records of their own: `finding` records in JSON, lines between the messages or remarks on standard error in text.

";

const OF_TRIAGE: &str = "
## Of triage

`ctishark triage` looks at the whole capture. The severity is the usual one; it is lower where the traffic shows that no harm was done, and
higher where it shows more of the same. What is not captured is not judged: nothing counts as missing where bytes are missing, where one
direction only was captured, or where the session ended before the wait was over. State from before the capture is unknown, and while
state is rebuilt after a failover, findings about order and duplicates are held back. Effects that a cause explains are counted under it.

";

const THRESHOLDS: &str = "
## Numbers that decide

`ctishark triage --threshold NAME=VALUE` changes one for a run.

| name | default | meaning |
|---|---|---|
";

/// The reference of all findings, as Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str(IN_MESSAGES);
    dissection(&mut page, |code| code.is_about_a_message());
    page.push_str(ABOUT_CAPTURES);
    dissection(&mut page, |code| !code.is_about_a_message());
    page.push_str(OF_TRIAGE);
    let mut section = "";
    for code in Code::ALL {
        if code.section() != section {
            if !section.is_empty() {
                page.push('\n');
            }
            section = code.section();
            page.push_str(&format!(
                "### {section}\n\n| code | severity | what is seen | what it usually means | what to check next |\n|---|---|---|---|---|\n"
            ));
        }
        page.push_str(&format!(
            "| `{code}` | {} | {} | {} | {} |\n",
            code.severity().name(),
            cell(code.seen()),
            cell(code.means()),
            cell(code.check())
        ));
    }
    page.push_str(THRESHOLDS);
    for (name, value, meaning) in Thresholds::default().list() {
        page.push_str(&format!("| `{name}` | {value} | {} |\n", cell(meaning)));
    }
    page
}

fn dissection(page: &mut String, which: impl Fn(finding::Code) -> bool) {
    page.push_str("| code | severity | meaning | what to do |\n|---|---|---|---|\n");
    for code in finding::Code::ALL.iter().filter(|code| which(**code)) {
        page.push_str(&format!(
            "| `{code}` | {} | {} | {} |\n",
            code.severity().name(),
            cell(code.meaning()),
            cell(code.advice())
        ));
    }
}

/// Text that does not end a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
