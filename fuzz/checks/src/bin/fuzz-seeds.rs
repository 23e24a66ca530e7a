//! Writes the seeds of all targets, or of those named, to `FOLDER/TARGET/`.

use ctishark_fuzz_checks::{TARGETS, seeds};
use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        eprintln!("usage: fuzz-seeds FOLDER [TARGET...]");
        std::process::exit(2);
    };
    let wanted: Vec<String> = arguments.collect();
    for (target, _) in TARGETS {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == target) {
            continue;
        }
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        for (name, bytes) in seeds::of(target) {
            fs::write(folder.join(name), bytes)?;
        }
    }
    Ok(())
}
