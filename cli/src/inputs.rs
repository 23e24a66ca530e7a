//! From FILE arguments to inputs that can be opened. What is wrong with a name is said here, before the captures are read.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use cti_dissector::capture::Input;

use crate::search;

/// A capture to read: a file, a pipe with a name, or standard input.
#[derive(Debug)]
pub struct FileInput {
    name: String,
    place: Place,
    /// It has been opened before.
    opened: bool,
    /// What was read of a pipe to see what it holds, and the rest.
    begun: Option<Begun>,
}

/// The first bytes of a pipe, and the rest.
struct Begun(Vec<u8>, Box<dyn Read + Send>);

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Begun").field(&self.0.len()).finish()
    }
}

#[derive(Debug)]
enum Place {
    /// A regular file: can be read again.
    File(PathBuf),
    /// A named pipe or device: can be opened once.
    Pipe(Option<PathBuf>),
    /// Standard input; false once it was handed out.
    Stdin(bool),
    /// What came from a pipe, in a temporary file without a name: it is gone with the process, however that ends.
    Spooled(Arc<File>),
    /// Cannot be read, and why. It says so when its turn comes, so that the others are read all the same.
    Bad(String),
}

impl FileInput {
    fn new(name: String, place: Place) -> Self {
        Self {
            name,
            place,
            opened: false,
            begun: None,
        }
    }

    /// The first bytes of what it holds, decompressed. It can be opened afterwards as if nothing had happened.
    pub fn peek(&mut self) -> io::Result<Vec<u8>> {
        /// Enough to tell what it is, also when it is compressed.
        const START: u64 = 64 * 1024;
        let mut source = self.open()?;
        let mut start = Vec::new();
        source.by_ref().take(START).read_to_end(&mut start)?;
        if !self.reopenable() {
            self.begun = Some(Begun(start.clone(), source));
        }
        let mut first = Vec::new();
        let decompressed = cti_dissector::capture::decompressed(Box::new(io::Cursor::new(start)))?;
        // A compressed beginning ends in the middle; what comes before that is enough.
        let _ = decompressed.take(64).read_to_end(&mut first);
        Ok(first)
    }

    /// The same, to be read from its beginning; `None` where that goes once only.
    fn again(&self) -> Option<Self> {
        let place = match &self.place {
            Place::File(path) => Place::File(path.clone()),
            Place::Spooled(file) => Place::Spooled(Arc::clone(file)),
            Place::Bad(reason) => Place::Bad(reason.clone()),
            Place::Pipe(_) | Place::Stdin(_) => return None,
        };
        Some(Self::new(self.name.clone(), place))
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            _ => None,
        }
    }

    /// What was written to a temporary file, under this name.
    pub fn spooled(name: &str, file: File) -> Self {
        Self::new(name.to_owned(), Place::Spooled(Arc::new(file)))
    }

    /// A regular file.
    pub fn file(path: PathBuf) -> Self {
        Self::new(path.display().to_string(), Place::File(path))
    }
}

impl Input for FileInput {
    /// The name for messages: the path as typed, or `standard input`.
    fn name(&self) -> &str {
        &self.name
    }

    /// Opens it from the start. What cannot be read again fails at the second time.
    fn open(&mut self) -> io::Result<Box<dyn Read + Send>> {
        if let Some(Begun(start, rest)) = self.begun.take() {
            return Ok(Box::new(io::Cursor::new(start).chain(rest)));
        }
        if !std::mem::replace(&mut self.opened, true) {
            tracing::info!(input = self.name, bytes = self.size(), "opening");
        }
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
            Place::Spooled(file) => Ok(Box::new(Spool::new(file, 0))),
            Place::Bad(reason) => Err(io::Error::other(reason.clone())),
        }
    }

    fn open_at(&mut self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        let mut file = match &self.place {
            Place::File(path) => File::open(path)?,
            Place::Spooled(file) => return Ok(Box::new(Spool::new(file, offset))),
            _ => return Err(io::Error::other("cannot be read a second time")),
        };
        tracing::trace!(input = self.name, offset, "opening again");
        file.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(file))
    }

    fn size(&self) -> Option<u64> {
        match &self.place {
            Place::File(path) => fs::metadata(path).ok().map(|m| m.len()),
            Place::Spooled(file) => file.metadata().ok().map(|m| m.len()),
            Place::Pipe(_) | Place::Stdin(_) | Place::Bad(_) => None,
        }
    }

    /// Whether it can be opened more than once.
    fn reopenable(&self) -> bool {
        matches!(
            self.place,
            Place::File(_) | Place::Spooled(_) | Place::Bad(_)
        )
    }
}

/// Reads a file that is open from a place of its own, whoever else reads it.
struct Spool {
    file: Arc<File>,
    at: u64,
}

impl Spool {
    fn new(file: &Arc<File>, at: u64) -> Self {
        Self {
            file: Arc::clone(file),
            at,
        }
    }
}

impl Read for Spool {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = read_at(&self.file, buffer, self.at)?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(0));
        Ok(read)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

#[cfg(not(any(unix, windows)))]
fn read_at(mut file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    file.seek(SeekFrom::Start(at))?;
    file.read(buffer)
}

/// The same inputs twice, for whoever has to read them twice. What comes from a pipe is copied to a temporary file first.
pub fn twice(inputs: Vec<FileInput>) -> anyhow::Result<(Vec<FileInput>, Vec<FileInput>)> {
    let mut first = Vec::new();
    let mut second = Vec::new();
    for mut input in inputs {
        if !input.reopenable() {
            let mut file = tempfile::tempfile().context("a temporary file")?;
            let mut source = input.open().with_context(|| input.name.clone())?;
            io::copy(&mut source, &mut file)
                .with_context(|| format!("{}: copying it to a temporary file", input.name))?;
            input.place = Place::Spooled(Arc::new(file));
        }
        if let Some(again) = input.again() {
            second.push(again);
            first.push(input);
        }
    }
    Ok((first, second))
}

/// The same inputs once more, unless one of them can be read once only.
pub fn again(inputs: &[FileInput]) -> Option<Vec<FileInput>> {
    inputs.iter().map(FileInput::again).collect()
}

/// Whether there is nothing to read: no file named, and standard input is a person.
pub fn nothing_given(files: &[PathBuf]) -> bool {
    files.is_empty() && io::stdin().is_terminal()
}

/// What the arguments stand for.
#[derive(Debug)]
pub struct Found {
    /// The inputs in the order named; those of a directory or pattern in the order of their names.
    pub inputs: Vec<FileInput>,
    /// What is worth a word on standard error.
    pub remarks: Vec<String>,
}

/// The inputs that the arguments name; standard input when there is none. Of several, those that cannot be read fail when
/// their turn comes.
pub fn from_arguments(files: &[PathBuf]) -> anyhow::Result<Found> {
    let is_stdin = |path: &&PathBuf| path.as_os_str() == "-";
    ensure!(
        files.iter().filter(is_stdin).count() < 2,
        "- stands for standard input and can be named once only"
    );
    let mut found = Found {
        inputs: Vec::new(),
        remarks: Vec::new(),
    };
    if files.is_empty() {
        found.inputs.push(standard_input());
        return Ok(found);
    }
    let mut first_fault = None;
    let mut faults = 0;
    for path in files {
        for path in search::matching(path) {
            if let Err(error) = found.add(&path) {
                let name = path.display().to_string();
                let text = format!("{error:#}");
                // The reader of the capture names it again.
                let reason = text
                    .strip_prefix(&format!("{name}: "))
                    .unwrap_or(&text)
                    .to_owned();
                found.inputs.push(FileInput::new(name, Place::Bad(reason)));
                first_fault = first_fault.or(Some(error));
                faults += 1;
            }
        }
    }
    match first_fault {
        // Nothing to read at all: the first fault says enough.
        Some(error) if faults == found.inputs.len() => Err(error),
        _ => Ok(found),
    }
}

impl Found {
    /// Adds what one path stands for.
    fn add(&mut self, path: &Path) -> anyhow::Result<()> {
        if path.as_os_str() == "-" {
            self.inputs.push(standard_input());
            return Ok(());
        }
        let metadata = fs::metadata(path).map_err(|error| explain_missing(path, error))?;
        if metadata.is_dir() {
            let directory = search::directory(path)?;
            self.remarks.extend(directory.remark());
            self.inputs.extend(directory.captures);
        } else if metadata.is_file() {
            // Opening a pipe would take it from its writer, so only files are tried.
            File::open(path).with_context(|| path.display().to_string())?;
            self.inputs.push(FileInput::file(path.to_owned()));
        } else {
            let name = path.display().to_string();
            let place = Place::Pipe(Some(path.to_owned()));
            self.inputs.push(FileInput::new(name, place));
        }
        Ok(())
    }
}

fn standard_input() -> FileInput {
    FileInput::new(String::from("standard input"), Place::Stdin(true))
}

fn explain_missing(path: &Path, error: io::Error) -> anyhow::Error {
    let name = path.display();
    if error.kind() != io::ErrorKind::NotFound {
        return anyhow::Error::from(error).context(name.to_string());
    }
    let typed = path.to_str().unwrap_or_default();
    if search::is_pattern(typed) {
        return anyhow::anyhow!("{name}: no file matches this pattern");
    }
    let commands = crate::args::command_names();
    if commands.iter().any(|command| typed == command) {
        return anyhow::anyhow!("{name}: no such file; a command comes before all options");
    }
    let near = commands
        .into_iter()
        .find(|command| command.starts_with(typed) && typed.len() > 3);
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
        let mut inputs = from_arguments(std::slice::from_ref(&path)).unwrap().inputs;
        let input = inputs.first_mut().unwrap();
        assert!(input.reopenable());
        assert_eq!(input.name(), path.display().to_string());
        for _ in 0..2 {
            let mut text = String::new();
            input.open().unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "abc");
        }
        for (offset, rest) in [(0, "abc"), (2, "c"), (3, ""), (4, "")] {
            let mut text = String::new();
            let mut source = input.open_at(offset).unwrap();
            source.read_to_string(&mut text).unwrap();
            assert_eq!(text, rest);
        }
        assert_eq!(input.size(), Some(3));
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing.pcap");
        assert!(refusal(&missing).ends_with("missing.pcap: no such file"));
        assert!(refusal(Path::new("sessio")).contains("for the command write sessions"));
        assert!(refusal(Path::new("sessions")).ends_with("a command comes before all options"));
        assert!(refusal(Path::new("*.nothing")).contains("no file matches this pattern"));
    }

    #[test]
    fn standard_input_is_handed_out_once() {
        let mut inputs = from_arguments(&[]).unwrap().inputs;
        let input = inputs.first_mut().unwrap();
        assert!(!input.reopenable());
        assert!(input.open().is_ok());
        assert!(input.open().is_err());
        let twice = [PathBuf::from("-"), PathBuf::from("-")];
        assert!(from_arguments(&twice).is_err());
    }
}
