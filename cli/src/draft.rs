//! Files that are there as a whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::output::Output;

/// A file that gets its name when it is complete. Until then it stands beside its place under another one, and goes away with the draft.
pub struct Draft {
    target: Target,
    shown: String,
}

enum Target {
    /// Standard output.
    Stdout(Output),
    /// Something that is no regular file and is written as it is: a pipe, a device.
    Special(BufWriter<File>),
    /// A regular file, in the making.
    File(Part),
}

/// The file in the making.
struct Part {
    file: BufWriter<File>,
    part: PathBuf,
    target: PathBuf,
    done: bool,
}

impl Draft {
    /// Begins a file of this name; `-` is standard output. What cannot be written is told now, not after long work.
    pub fn new(name: &Path) -> anyhow::Result<Self> {
        let shown = name.display().to_string();
        let target = if name.as_os_str() == "-" {
            Target::Stdout(Output::stdout(false))
        } else {
            target(name).with_context(|| shown.clone())?
        };
        Ok(Self { target, shown })
    }

    /// Writes the whole content and gives the file its name.
    pub fn finish(self, content: &[u8]) -> anyhow::Result<()> {
        let shown = self.shown;
        match self.target {
            Target::Stdout(mut out) => {
                out.write_all(content).context("standard output")?;
                out.finish()
            }
            Target::Special(mut file) => {
                let written = file.write_all(content).and_then(|()| file.flush());
                written.context(shown)
            }
            Target::File(part) => part.finish(content).context(shown),
        }
    }
}

fn target(name: &Path) -> anyhow::Result<Target> {
    // A link stays a link: what it leads to is replaced.
    let target = match fs::canonicalize(name) {
        Ok(path) => path,
        Err(error) if error.kind() == io::ErrorKind::NotFound => name.to_owned(),
        Err(error) => return Err(error.into()),
    };
    match fs::metadata(&target) {
        Ok(found) if found.is_dir() => bail!("is a directory; name a file in it"),
        Ok(found) if !found.is_file() => {
            let file = OpenOptions::new().write(true).open(&target)?;
            return Ok(Target::Special(BufWriter::new(file)));
        }
        _ => {}
    }
    let Some(file_name) = target.file_name() else {
        bail!("is no name of a file");
    };
    let mut part_name = file_name.to_owned();
    part_name.push(format!(".{}.part", std::process::id()));
    let part = target.with_file_name(part_name);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&part)?;
    Ok(Target::File(Part {
        file: BufWriter::new(file),
        part,
        target,
        done: false,
    }))
}

impl Part {
    fn finish(mut self, content: &[u8]) -> io::Result<()> {
        self.file.write_all(content)?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.part, &self.target)?;
        self.done = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.done {
            // Nothing can be done when that fails.
            let _ = fs::remove_file(&self.part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_has_its_name_only_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("report.html");
        fs::write(&name, "old").unwrap();
        let draft = Draft::new(&name).unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        drop(draft);
        assert_eq!(names(folder.path()), ["report.html"]);
        assert_eq!(fs::read_to_string(&name).unwrap(), "old");
        Draft::new(&name).unwrap().finish(b"new").unwrap();
        assert_eq!(names(folder.path()), ["report.html"]);
        assert_eq!(fs::read_to_string(&name).unwrap(), "new");
    }

    #[test]
    fn what_cannot_be_written_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Draft::new(folder.path()).is_err());
        assert!(Draft::new(&folder.path().join("no/such/folder.html")).is_err());
        assert!(names(folder.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_device_a_device() {
        let folder = tempfile::tempdir().unwrap();
        let (link, file) = (folder.path().join("link"), folder.path().join("file"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        Draft::new(&link).unwrap().finish(b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        Draft::new(Path::new("/dev/null"))
            .unwrap()
            .finish(b"x")
            .unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
