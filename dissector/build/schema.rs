//! The rows of the protocol data as they stand in the TOML files. Unknown keys are refused.

use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageFile {
    pub message: Vec<Message>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct Message {
    #[serde(rename = "type")]
    pub number: u32,
    pub name: String,
    pub kind: String,
    pub direction: String,
    pub service: String,
    pub summary: String,
    pub since: Option<u8>,
    pub reply: Option<String>,
    #[serde(default)]
    pub record: bool,
    pub failure: Option<String>,
    pub more: Option<String>,
    pub alternative_type: Option<u32>,
    #[serde(default)]
    pub timeline: Vec<String>,
    pub max_size_v15: Option<u32>,
    pub notes: Option<String>,
    #[serde(default)]
    pub fixed: Vec<Fixed>,
    #[serde(default)]
    pub floating: Vec<FloatingUse>,
    #[serde(default)]
    pub variants: Vec<Variant>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct Fixed {
    pub name: String,
    #[serde(rename = "type")]
    pub wire: String,
    #[serde(rename = "enum")]
    pub enumeration: Option<String>,
    pub mask: Option<String>,
    pub values: Option<BTreeMap<String, String>>,
    pub since: Option<u8>,
    pub until: Option<u8>,
    #[serde(default)]
    pub inferred: bool,
    pub when: Option<String>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct FloatingUse {
    pub tag: Option<u16>,
    pub name: String,
    #[serde(default)]
    pub optional: bool,
    pub since: Option<u8>,
    pub until: Option<u8>,
    #[serde(default)]
    pub inferred: bool,
    pub when: Option<String>,
    #[serde(default)]
    pub listed_only: bool,
    pub repeat: Option<String>,
    pub follows: Option<String>,
    pub count: Option<String>,
    pub sender: Option<String>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    pub name: String,
    pub note: String,
    #[serde(default)]
    pub without: Vec<String>,
    #[serde(default)]
    pub insert: Vec<Insert>,
    #[serde(default)]
    pub retype: Vec<Retype>,
    #[serde(default)]
    pub order: Vec<String>,
    pub body: Option<u16>,
    pub decide: Option<String>,
    pub since: Option<u8>,
    pub until: Option<u8>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct Insert {
    pub before: Option<String>,
    pub after: Option<String>,
    pub name: String,
    #[serde(rename = "type")]
    pub wire: String,
    #[serde(rename = "enum")]
    pub enumeration: Option<String>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct Retype {
    pub name: String,
    #[serde(rename = "type")]
    pub wire: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FloatingFile {
    pub floating: Vec<Floating>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floating {
    pub tag: u16,
    pub constant: String,
    pub name: String,
    #[serde(default)]
    pub also: Vec<String>,
    #[serde(rename = "type")]
    pub wire: Option<String>,
    pub max: Option<u16>,
    #[serde(default)]
    pub sizes: Vec<Size>,
    #[serde(default)]
    pub array: bool,
    #[serde(default)]
    pub secret: bool,
    #[serde(rename = "enum")]
    pub enumeration: Option<String>,
    pub mask: Option<String>,
    pub values: Option<BTreeMap<String, String>>,
    pub since: Option<u8>,
    pub until: Option<u8>,
    #[serde(default)]
    pub also_listed_for: Vec<String>,
    pub notes: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    pub until: u8,
    pub max: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnumFile {
    #[serde(rename = "enum")]
    pub tables: BTreeMap<String, EnumTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnumTable {
    pub kind: String,
    pub prefix: Option<String>,
    pub values: BTreeMap<String, EnumValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnumValue {
    pub name: Option<String>,
    pub label: Option<String>,
    pub since: Option<u8>,
    pub note: Option<String>,
    pub doubt: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecialFile {
    pub special: Vec<Special>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Special {
    pub name: Option<String>,
    pub value: u32,
    pub label: String,
    #[serde(default)]
    pub quiet: bool,
    pub fields: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnpublishedFile {
    #[serde(rename = "type")]
    pub types: Vec<Unpublished>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unpublished {
    pub number: u32,
    pub name: String,
    pub kind: String,
    pub reply: Option<String>,
    pub failure: Option<String>,
    pub alternative_type: Option<u32>,
    pub alternative_until: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionFile {
    pub version: BTreeMap<String, Version>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    pub release: Option<String>,
    pub versions: Option<Vec<u8>>,
    #[serde(default)]
    pub internal: bool,
    #[serde(default)]
    pub unconfirmed: bool,
    pub source: Option<String>,
    #[serde(default)]
    pub wire: Vec<String>,
    #[serde(default)]
    pub new_types: Vec<String>,
    #[serde(default)]
    pub new_services: Vec<String>,
    #[serde(default)]
    pub removed_services: Vec<String>,
    #[serde(default)]
    pub new_messages: Vec<String>,
    #[serde(default)]
    pub changed_messages: Vec<String>,
    #[serde(default)]
    pub new_fields: Vec<VersionField>,
    #[serde(default)]
    pub removed_fields: Vec<VersionField>,
    #[serde(default)]
    pub retyped: Vec<VersionRetyped>,
    #[serde(default)]
    pub resized: Vec<VersionResized>,
    #[serde(default)]
    pub new_tags: Vec<VersionTag>,
    #[serde(default)]
    pub removed_tags: Vec<VersionTag>,
    #[serde(default)]
    pub tag_uses: Vec<VersionTag>,
    #[serde(default)]
    pub new_values: Vec<VersionValue>,
    #[serde(default)]
    pub limits: Vec<VersionLimit>,
    #[serde(default)]
    pub notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionField {
    pub message: String,
    pub field: String,
    #[serde(default)]
    pub optional: bool,
    #[serde(default)]
    pub inferred: bool,
    pub part: Option<String>,
    pub replaced_by: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionRetyped {
    pub message: String,
    pub field: String,
    pub from: String,
    pub to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionResized {
    pub field: String,
    pub from: Option<u16>,
    pub to: u16,
    pub messages: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionTag {
    pub name: String,
    pub number: Option<u16>,
    pub last: Option<u16>,
    pub message: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionValue {
    #[serde(rename = "enum")]
    pub table: String,
    pub name: Option<String>,
    pub value: Option<u32>,
    pub first: Option<u32>,
    pub last: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionLimit {
    pub name: String,
    pub from: u32,
    pub to: u32,
}

/// What a comparison of two runs goes by.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    pub varies: Varies,
    pub agents: Agents,
    pub identity: Vec<Identity>,
    pub line: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Varies {
    pub types: Vec<String>,
    pub fields: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agents {
    pub fields: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub name: String,
    pub scope: String,
    pub fields: Vec<String>,
    #[serde(default)]
    pub except: Vec<String>,
    pub within: Option<String>,
    pub begins: Option<FieldOf>,
    pub ends: Option<FieldOf>,
    pub nothing: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldOf {
    pub message: String,
    pub field: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub name: String,
    pub about: About,
    pub messages: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum About {
    Word(String),
    Fields(Vec<String>),
}
