//! Where captures and other files are written to: beside the target under another name, and renamed when all went well; or to
//! standard output.

use std::fs;
use std::io::{self, BufWriter, Seek as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use cti_dissector::capture::{
    Capture, Input, Packet, SaveCompression, SaveError, SaveFormat, Saver,
};
use tempfile::NamedTempFile;

use crate::args::{CaptureFormat, SaveArgs};
use crate::driver;
use crate::inputs::FileInput;
use crate::output;
use crate::settings::Settings;

/// A capture to be written.
#[derive(Debug)]
pub struct Target {
    /// The file; standard output without one.
    path: Option<PathBuf>,
    /// A file that is open already.
    spool: Option<fs::File>,
    /// What messages call it.
    name: String,
    format: SaveFormat,
    compression: SaveCompression,
}

impl Target {
    /// What the arguments ask for. A file that is read cannot be written.
    pub fn new(args: &SaveArgs, inputs: &[FileInput]) -> anyhow::Result<Self> {
        let path = (args.output.as_os_str() != "-").then(|| followed(&args.output));
        let typed = args.output.to_string_lossy().to_lowercase();
        let (stem, compression) = match typed.rsplit_once('.') {
            Some((stem, "gz")) => (stem, SaveCompression::Gzip),
            Some((stem, "zst")) => (stem, SaveCompression::Zstd),
            _ => (typed.as_str(), SaveCompression::None),
        };
        let by_name = match stem.rsplit_once('.') {
            Some((_, "pcap" | "cap" | "dmp")) => Some(SaveFormat::Pcap),
            Some((_, "pcapng" | "ntar")) => Some(SaveFormat::PcapNg),
            _ => None,
        };
        let format = match args.format {
            Some(CaptureFormat::Pcap) => SaveFormat::Pcap,
            Some(CaptureFormat::Pcapng) => SaveFormat::PcapNg,
            None => by_name.unwrap_or(SaveFormat::PcapNg),
        };
        if let Some(path) = &path {
            if path.is_dir() {
                bail!("{}: is a directory", args.output.display());
            }
            for input in inputs {
                ensure!(
                    !is_same(path, input),
                    "{}: is read, and cannot be written at the same time",
                    args.output.display()
                );
            }
        }
        let name = match &path {
            Some(_) => args.output.display().to_string(),
            None => String::from("standard output"),
        };
        Ok(Self {
            path,
            spool: None,
            name,
            format,
            compression,
        })
    }

    /// A temporary file, which is read again.
    pub fn spool(file: &fs::File) -> anyhow::Result<Self> {
        Ok(Self {
            path: None,
            spool: Some(file.try_clone().context("a temporary file")?),
            name: String::from("a temporary file"),
            format: SaveFormat::PcapNg,
            compression: SaveCompression::None,
        })
    }

    /// Begins to write.
    pub fn open(self) -> anyhow::Result<Writer> {
        let sink = match (&self.path, &self.spool) {
            (_, Some(file)) => Sink::Special(file.try_clone().context("a temporary file")?),
            (None, None) => Sink::Stdout(io::stdout()),
            (Some(path), None) if is_special(path) => Sink::Special(self.special(path)?),
            (Some(path), None) => Sink::File(self.beside(path)?),
        };
        self.writer(sink)
    }

    /// Begins to write what is looked at before it gets its place.
    pub fn draft(&self) -> anyhow::Result<Writer> {
        let sink = match &self.path {
            Some(path) if !is_special(path) => Sink::File(self.beside(path)?),
            _ => Sink::Special(tempfile::tempfile().context("a temporary file")?),
        };
        self.writer(sink)
    }

    fn writer(&self, sink: Sink) -> anyhow::Result<Writer> {
        let sink = BufWriter::with_capacity(256 * 1024, sink);
        let saver =
            Saver::new(sink, self.format, self.compression).with_context(|| self.name.clone())?;
        Ok(Writer {
            saver,
            path: self.path.clone(),
            name: self.name.clone(),
            packets: 0,
        })
    }

    fn special(&self, path: &Path) -> anyhow::Result<fs::File> {
        fs::File::create(path).with_context(|| self.name.clone())
    }

    fn beside(&self, path: &Path) -> anyhow::Result<NamedTempFile> {
        beside(path).with_context(|| self.name.clone())
    }
}

/// Refuses to write a file that is read in the same run.
pub fn ensure_not_read<'a>(
    path: &Path,
    read: impl IntoIterator<Item = &'a Path>,
) -> anyhow::Result<()> {
    let target = fs::canonicalize(path);
    for input in read {
        let same = path == input
            || matches!((&target, fs::canonicalize(input)), (Ok(one), Ok(other)) if *one == other);
        ensure!(
            !same,
            "{}: is read, and cannot be written at the same time",
            path.display()
        );
    }
    Ok(())
}

/// A file that is there when it is complete; a pipe, a device or standard output (`-`) is written as it is.
pub struct File {
    sink: Sink,
    path: Option<PathBuf>,
}

impl File {
    /// Begins to write.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self {
                sink: Sink::Stdout(io::stdout()),
                path: None,
            });
        }
        ensure!(
            !path.is_dir(),
            "{}: is a directory; name a file in it",
            path.display()
        );
        let path = followed(path);
        let sink = if is_special(&path) {
            let file = fs::OpenOptions::new().write(true).open(&path);
            Sink::Special(file.with_context(|| path.display().to_string())?)
        } else {
            Sink::File(beside(&path).with_context(|| path.display().to_string())?)
        };
        Ok(Self {
            sink,
            path: Some(path),
        })
    }

    /// Gives the file its name.
    pub fn finish(mut self) -> io::Result<()> {
        self.sink.flush()?;
        if let (Sink::File(file), Some(path)) = (self.sink, self.path) {
            file.persist(path).map_err(|error| error.error)?;
        }
        Ok(())
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// What a link leads to is written, not the link.
fn followed(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Pipes and devices are written as they are.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

/// A new file in the folder of another one, with the permissions of that, or of any new file if there is none.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ctishark-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(folder)?;
    #[cfg(unix)]
    if let Ok(metadata) = fs::metadata(path) {
        file.as_file().set_permissions(metadata.permissions())?;
    }
    Ok(file)
}

fn is_same(path: &Path, input: &FileInput) -> bool {
    let Some(input) = input.path() else {
        return false;
    };
    match (fs::canonicalize(path), fs::canonicalize(input)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

enum Sink {
    File(NamedTempFile),
    Special(fs::File),
    Stdout(io::Stdout),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Special(file) => file.write(bytes),
            Self::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Special(file) => file.flush(),
            Self::Stdout(stdout) => stdout.flush(),
        }
    }
}

/// A capture that is being written. Dropped before [`Writer::finish`], it leaves no file.
pub struct Writer {
    saver: Saver<BufWriter<Sink>>,
    path: Option<PathBuf>,
    name: String,
    packets: u64,
}

impl Writer {
    /// Writes a packet.
    pub fn packet(&mut self, packet: &Packet<'_>) -> anyhow::Result<()> {
        self.packets += 1;
        // An error of writing by itself tells a broken pipe.
        let outcome = self.saver.packet(packet).map_err(|error| match error {
            SaveError::Io(error) => anyhow::Error::from(error),
            error => anyhow::Error::from(error),
        });
        outcome.with_context(|| self.name.clone())
    }

    /// Writes what is left and gives the file its name. Returns the number of packets.
    pub fn finish(self) -> anyhow::Result<u64> {
        let path = self.path.clone();
        let draft = self.drafted()?;
        if let (Sink::File(file), Some(path)) = (draft.sink, path) {
            file.persist(path)
                .map_err(|error| error.error)
                .context(draft.name)?;
        }
        Ok(draft.packets)
    }

    /// Writes what is left. What was written has no name yet.
    pub fn drafted(self) -> anyhow::Result<Draft> {
        let sink = self.saver.finish().context(self.name.clone())?;
        let sink = sink
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .context(self.name.clone())?;
        Ok(Draft {
            sink,
            name: self.name,
            packets: self.packets,
        })
    }
}

/// A capture that is complete but not in its place. Dropped, it is gone.
pub struct Draft {
    sink: Sink,
    name: String,
    packets: u64,
}

impl Draft {
    /// The same as an input.
    pub fn input(&self) -> anyhow::Result<FileInput> {
        let file = match &self.sink {
            Sink::File(file) => file.as_file().try_clone(),
            Sink::Special(file) => file.try_clone(),
            Sink::Stdout(_) => Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(FileInput::spooled(
            &self.name,
            file.with_context(|| self.name.clone())?,
        ))
    }

    /// Puts it where it belongs. Returns the number of packets.
    pub fn publish(self, target: &Target) -> anyhow::Result<u64> {
        let placed = match (self.sink, &target.path) {
            (Sink::File(file), Some(path)) => {
                let kept = file.persist(path);
                kept.map(|_| ()).map_err(|error| error.error)
            }
            (Sink::Special(file), Some(path)) => copy(file, &mut target.special(path)?),
            (Sink::Special(file), None) => copy(file, &mut io::stdout()),
            (Sink::File(_) | Sink::Stdout(_), _) => Ok(()),
        };
        placed.context(self.name)?;
        Ok(self.packets)
    }
}

fn copy(mut file: fs::File, to: &mut dyn Write) -> io::Result<()> {
    file.rewind()?;
    io::copy(&mut file, to)?;
    to.flush()
}

/// Reads all packets of captures that have been read before; what was wrong with them has been told then.
pub fn packets(
    inputs: Vec<FileInput>,
    settings: &Settings,
    mut each: impl FnMut(&Packet<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut progress = driver::Progress::new(&inputs, settings);
    let mut capture = Capture::new(
        inputs
            .into_iter()
            .map(|input| -> Box<dyn Input> { Box::new(input) })
            .collect(),
    );
    loop {
        match capture.next_packet() {
            Ok(None) => break,
            Ok(Some(packet)) => each(&packet)?,
            Err(_) => continue,
        }
        progress.tick(|| capture.progress().bytes);
    }
    progress.finish();
    Ok(())
}

/// Says on standard error what was written.
pub fn tell(settings: &Settings, text: &str) {
    if !settings.quiet {
        output::remark(text);
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
        let draft = File::create(&name).unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        drop(draft);
        assert_eq!(names(folder.path()), ["report.html"]);
        assert_eq!(fs::read_to_string(&name).unwrap(), "old");
        let mut file = File::create(&name).unwrap();
        file.write_all(b"new").unwrap();
        file.finish().unwrap();
        assert_eq!(names(folder.path()), ["report.html"]);
        assert_eq!(fs::read_to_string(&name).unwrap(), "new");
    }

    #[test]
    fn what_cannot_be_written_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        assert!(File::create(folder.path()).is_err());
        assert!(File::create(&folder.path().join("no/such/folder.html")).is_err());
        assert!(names(folder.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_only_some_may_read_became_readable_for_all_when_it_was_written_anew() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("cut.pcap");
        fs::write(&name, "old").unwrap();
        for mode in [0o640, 0o600, 0o666] {
            fs::set_permissions(&name, fs::Permissions::from_mode(mode)).unwrap();
            let mut file = File::create(&name).unwrap();
            file.write_all(b"new").unwrap();
            file.finish().unwrap();
            let now = fs::metadata(&name).unwrap().permissions().mode();
            assert_eq!(now & 0o7777, mode, "{now:o}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_a_device_a_device() {
        let folder = tempfile::tempdir().unwrap();
        let (link, file) = (folder.path().join("link"), folder.path().join("file"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let mut new = File::create(&link).unwrap();
        new.write_all(b"new").unwrap();
        new.finish().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        let mut device = File::create(Path::new("/dev/null")).unwrap();
        device.write_all(b"x").unwrap();
        device.finish().unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
