//! From FILE arguments to inputs that can be opened. What is wrong with a name is said here, before anything is read.

use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use cti_dissector::capture::Input;

/// A capture to read: a file, a pipe with a name, or standard input.
#[derive(Debug)]
pub struct FileInput {
    name: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// A regular file: can be read again.
    File(PathBuf),
    /// A named pipe or device: can be opened once.
    Pipe(Option<PathBuf>),
    /// Standard input; false once it was handed out.
    Stdin(bool),
    /// Cannot be read, and why. It says so when its turn comes, so that the others are read all the same.
    Bad(String),
}

impl FileInput {
    /// Its size in bytes, where that is known before reading.
    pub fn size(&self) -> Option<u64> {
        match &self.place {
            Place::File(path) => fs::metadata(path).ok().map(|m| m.len()),
            Place::Pipe(_) | Place::Stdin(_) | Place::Bad(_) => None,
        }
    }
}

impl Input for FileInput {
    /// The name for messages: the path as typed, or `standard input`.
    fn name(&self) -> &str {
        &self.name
    }

    /// Opens it from the start. What cannot be read again fails at the second time.
    fn open(&mut self) -> io::Result<Box<dyn Read + Send>> {
        tracing::info!(input = self.name, bytes = self.size(), "opening");
        let again = || io::Error::other("cannot be read a second time");
        match &mut self.place {
            Place::File(path) => Ok(Box::new(File::open(path)?)),
            Place::Pipe(path) => Ok(Box::new(File::open(path.take().ok_or_else(again)?)?)),
            Place::Stdin(fresh) => {
                if !std::mem::replace(fresh, false) {
                    return Err(again());
                }
                Ok(Box::new(io::stdin()))
            }
            Place::Bad(reason) => Err(io::Error::other(reason.clone())),
        }
    }

    /// Whether it can be opened more than once.
    fn reopenable(&self) -> bool {
        matches!(self.place, Place::File(_) | Place::Bad(_))
    }
}

/// Whether there is nothing to read: no file named, and standard input is a person.
pub fn nothing_given(files: &[PathBuf]) -> bool {
    files.is_empty() && io::stdin().is_terminal()
}

/// The inputs in the order named; standard input when none is. Of several, those that cannot be read fail when their turn
/// comes.
pub fn from_arguments(files: &[PathBuf]) -> anyhow::Result<Vec<FileInput>> {
    let is_stdin = |path: &&PathBuf| path.as_os_str() == "-";
    ensure!(
        files.iter().filter(is_stdin).count() < 2,
        "- stands for standard input and can be named once only"
    );
    if files.is_empty() {
        return Ok(vec![standard_input()]);
    }
    let found: Vec<_> = files.iter().map(|path| input(path)).collect();
    if found.iter().all(Result::is_err) {
        // Nothing to read at all: the first fault says enough.
        return found.into_iter().collect();
    }
    let or_bad = |(path, found): (&PathBuf, anyhow::Result<FileInput>)| {
        found.unwrap_or_else(|error| {
            let name = path.display().to_string();
            let text = format!("{error:#}");
            // The reader of the capture names it again.
            let reason = text
                .strip_prefix(&format!("{name}: "))
                .unwrap_or(&text)
                .to_owned();
            FileInput {
                name,
                place: Place::Bad(reason),
            }
        })
    };
    Ok(files.iter().zip(found).map(or_bad).collect())
}

fn standard_input() -> FileInput {
    FileInput {
        name: String::from("standard input"),
        place: Place::Stdin(true),
    }
}

fn input(path: &Path) -> anyhow::Result<FileInput> {
    if path.as_os_str() == "-" {
        return Ok(standard_input());
    }
    let name = path.display().to_string();
    let metadata = fs::metadata(path).map_err(|error| explain_missing(path, error))?;
    if metadata.is_dir() {
        let example = path.join("*.pcap");
        bail!(
            "{name}: is a directory; name the files, e.g. {}",
            example.display()
        );
    }
    let place = if metadata.is_file() {
        // Opening a pipe would take it from its writer, so only files are tried.
        File::open(path).with_context(|| name.clone())?;
        Place::File(path.to_owned())
    } else {
        Place::Pipe(Some(path.to_owned()))
    };
    Ok(FileInput { name, place })
}

fn explain_missing(path: &Path, error: io::Error) -> anyhow::Error {
    let name = path.display();
    if error.kind() != io::ErrorKind::NotFound {
        return anyhow::Error::from(error).context(name.to_string());
    }
    let typed = path.to_str().unwrap_or_default();
    if typed.contains(['*', '?']) {
        return anyhow::anyhow!("{name}: no file matches this pattern");
    }
    let near = crate::args::command_names()
        .into_iter()
        .find(|command| typed != command && command.starts_with(typed) && typed.len() > 3);
    match near {
        Some(command) => anyhow::anyhow!("{name}: no such file; for the command write {command}"),
        None => anyhow::anyhow!("{name}: no such file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: &Path) -> String {
        format!("{:#}", from_arguments(&[path.to_owned()]).unwrap_err())
    }

    #[test]
    fn a_file_can_be_read_twice() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.pcap");
        fs::write(&path, b"abc").unwrap();
        let mut inputs = from_arguments(std::slice::from_ref(&path)).unwrap();
        let input = inputs.first_mut().unwrap();
        assert!(input.reopenable());
        assert_eq!(input.name(), path.display().to_string());
        for _ in 0..2 {
            let mut text = String::new();
            input.open().unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "abc");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing.pcap");
        assert!(refusal(&missing).ends_with("missing.pcap: no such file"));
        let refused = refusal(directory.path());
        assert!(
            refused.contains("is a directory; name the files, e.g. "),
            "{refused}"
        );
        assert!(refusal(Path::new("sessio")).contains("for the command write sessions"));
        assert!(refusal(Path::new("*.nothing")).contains("no file matches this pattern"));
    }

    #[test]
    fn standard_input_is_handed_out_once() {
        let mut inputs = from_arguments(&[]).unwrap();
        let input = inputs.first_mut().unwrap();
        assert!(!input.reopenable());
        assert!(input.open().is_ok());
        assert!(input.open().is_err());
        let twice = [PathBuf::from("-"), PathBuf::from("-")];
        assert!(from_arguments(&twice).is_err());
    }
}
