//! Turns the protocol data (`protocol/*.toml`) into static tables. Bad data stops the build, naming file, row and key.

#[path = "build/advice.rs"]
mod advice;
#[path = "build/check.rs"]
mod check;
#[path = "build/comparison.rs"]
mod comparison;
#[path = "build/data.rs"]
mod data;
#[path = "build/emit.rs"]
mod emit;
#[path = "build/emit_comparison.rs"]
mod emit_comparison;
#[path = "build/emit_messages.rs"]
mod emit_messages;
#[path = "build/emit_versions.rs"]
mod emit_versions;
#[path = "build/layout.rs"]
mod layout;
#[path = "build/privacy.rs"]
mod privacy;
#[path = "build/schema.rs"]
mod schema;

use data::{Data, load};
use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

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
