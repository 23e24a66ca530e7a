//! The files of the protocol data.

use crate::{advice, privacy, schema};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// All files of the protocol data, read but not yet checked.
pub struct Data {
    /// Each message with the name of its file.
    pub messages: Vec<(String, schema::Message)>,
    pub floating: Vec<schema::Floating>,
    pub enums: std::collections::BTreeMap<String, schema::EnumTable>,
    pub specials: Vec<schema::Special>,
    pub unpublished: Vec<schema::Unpublished>,
    pub advice: advice::Advice,
    pub versions: std::collections::BTreeMap<String, schema::Version>,
    pub privacy: Vec<privacy::Class>,
    pub comparison: schema::Comparison,
}

/// Reads all files below the directory of the protocol data.
pub fn load(root: &Path) -> Result<Data, Box<dyn Error>> {
    let mut files: Vec<PathBuf> = fs::read_dir(root.join("messages"))?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let mut messages = Vec::new();
    for path in files {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("?");
        let file: schema::MessageFile = read(&path)?;
        messages.extend(
            file.message
                .into_iter()
                .map(|m| (format!("messages/{name}"), m)),
        );
    }
    messages.sort_by_key(|(_, m)| m.number);
    Ok(Data {
        messages,
        floating: read::<schema::FloatingFile>(&root.join("floating.toml"))?.floating,
        enums: read::<schema::EnumFile>(&root.join("enums.toml"))?.tables,
        specials: read::<schema::SpecialFile>(&root.join("special.toml"))?.special,
        unpublished: read::<schema::UnpublishedFile>(&root.join("unpublished.toml"))?.types,
        advice: advice::Advice {
            reasons: read::<advice::ReasonFile>(&root.join("reasons.toml"))?.reason,
            errors: read::<advice::PeripheralErrorFile>(&root.join("peripheral_errors.toml"))?
                .error,
            hints: read(&root.join("hints.toml"))?,
        },
        privacy: read::<privacy::PrivacyFile>(&root.join("privacy.toml"))?.class,
        versions: read::<schema::VersionFile>(&root.join("versions.toml"))?.version,
        comparison: read(&root.join("comparison.toml"))?,
    })
}

/// One file; a fault names it with line and key.
fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()).into())
}
