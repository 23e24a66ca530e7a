//! The documentation lists what the code has.

#![allow(missing_docs, clippy::unwrap_used)]

use cti_dissector::finding::Code;
use std::collections::BTreeMap;
use std::path::Path;

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(name);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_finding_is_documented_with_its_severity_meaning_and_advice() {
    let text = document("findings.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows: BTreeMap<&str, Vec<&str>> = rows
        .map(|row| {
            let (code, rest) = row.split_once("` | ").unwrap();
            (code, rest.trim_end_matches(" |").split(" | ").collect())
        })
        .collect();
    for code in Code::ALL {
        let cells = rows.get(code.name());
        let told = [code.severity().name(), code.meaning(), code.advice()];
        assert_eq!(cells.map(Vec::as_slice), Some(&told[..]), "{code}");
    }
    assert_eq!(
        rows.len(),
        Code::ALL.len(),
        "a code that does not exist is documented"
    );
}

#[test]
fn the_schema_lists_every_finding() {
    let schema: serde_json::Value = serde_json::from_str(&document("schema.json")).unwrap();
    let listed = schema
        .pointer("/$defs/code/enum")
        .unwrap()
        .as_array()
        .unwrap();
    let listed: Vec<&str> = listed.iter().map(|code| code.as_str().unwrap()).collect();
    let all: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(listed, all);
}

#[test]
fn every_limit_is_documented() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/limits.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let guide = document("guide.md");
    let names = source.lines().filter_map(|l| l.strip_prefix("pub const "));
    for name in names.map(|l| l.split(':').next().unwrap()) {
        assert!(
            guide.contains(&format!("`{name}`")),
            "{name} is not in the guide"
        );
    }
}
