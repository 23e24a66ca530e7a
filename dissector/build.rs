//! Turns the protocol data (`protocol/*.toml`) into static tables. Bad data stops the build, naming file, row and key.

#[path = "build/check.rs"]
mod check;
#[path = "build/emit.rs"]
mod emit;
#[path = "build/layout.rs"]
mod layout;
#[path = "build/schema.rs"]
mod schema;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// All files of the protocol data, read but not yet checked.
struct Data {
    /// Each message with the name of its file.
    messages: Vec<(String, schema::Message)>,
    floating: Vec<schema::Floating>,
    enums: std::collections::BTreeMap<String, schema::EnumTable>,
    specials: Vec<schema::Special>,
    unpublished: Vec<schema::Unpublished>,
    versions: std::collections::BTreeMap<String, schema::Version>,
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=protocol");
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("protocol");
    let data = load(&root)?;
    let faults = check::check(&data);
    if !faults.is_empty() {
        return Err(format!("the protocol data is not sound:\n  {}", faults.join("\n  ")).into());
    }
    let out = PathBuf::from(env::var("OUT_DIR")?).join("tables.rs");
    fs::write(out, emit::emit(&data)?)?;
    Ok(())
}

fn load(root: &Path) -> Result<Data, Box<dyn Error>> {
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
        versions: read::<schema::VersionFile>(&root.join("versions.toml"))?.version,
    })
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()).into())
}
