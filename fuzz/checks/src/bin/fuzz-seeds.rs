//! Writes the inputs to start from, of all targets, to `FOLDER/TARGET/`; or packs a corpus into `fuzz/found/TARGET`.

use ctishark_fuzz_checks::{TARGETS, found, pack, regressions, seeds};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Bytes that are kept of a corpus.
const KEPT: usize = 48 * 1024;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["pack", target, corpus] => pack_corpus(target, Path::new(corpus)),
        [folder] => write_all(Path::new(folder)),
        _ => {
            eprintln!("usage: fuzz-seeds FOLDER | fuzz-seeds pack TARGET CORPUS");
            std::process::exit(2);
        }
    }
}

fn write_all(folder: &Path) -> io::Result<()> {
    for (target, _) in TARGETS {
        let folder: PathBuf = folder.join(target);
        fs::create_dir_all(&folder)?;
        let seeds = seeds::of(target).into_iter();
        for (name, bytes) in seeds.chain(found(target)).chain(regressions(target)) {
            fs::write(folder.join(name), bytes)?;
        }
    }
    Ok(())
}

fn pack_corpus(target: &str, corpus: &Path) -> io::Result<()> {
    let inputs = fs::read_dir(corpus)?
        .map(|entry| fs::read(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    let file = ctishark_fuzz_checks::folder("found").join(target);
    fs::write(file, pack::pack(inputs, KEPT))
}
