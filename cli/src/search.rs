//! Captures that are not named one by one: those of a directory, and those that match a pattern no shell has expanded.

use std::cmp::Ordering;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use cti_dissector::capture;
use glob::MatchOptions;
use tracing::info;

use crate::driver::amount;
use crate::inputs::FileInput;

/// The captures of a directory, and what else is in it.
pub struct Directory {
    name: String,
    /// In the order of their names, in which numbers count as such.
    pub captures: Vec<FileInput>,
    /// Files that are no captures.
    others: u64,
}

impl Directory {
    /// A word on what is not read.
    pub fn remark(&self) -> Option<String> {
        (self.others > 0).then(|| {
            let files = amount(
                self.others,
                "file that is no capture was",
                "files that are no captures were",
            );
            format!("{}: {files} skipped", self.name)
        })
    }
}

/// Looks through a directory: not into directories in it, nor at hidden files. Captures are recognised by their content; a
/// file that cannot be looked at counts as one, so that reading it says what is wrong.
pub fn directory(path: &Path) -> anyhow::Result<Directory> {
    let name = path.display().to_string();
    let mut files = Vec::new();
    let mut directories = 0;
    for entry in fs::read_dir(path).with_context(|| name.clone())? {
        let path = entry.with_context(|| name.clone())?.path();
        if is_hidden(&path) {
            continue;
        }
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => directories += 1,
            // Pipes and devices would have to be opened to be looked at.
            Ok(metadata) if !metadata.is_file() => {}
            Ok(_) | Err(_) => files.push(path),
        }
    }
    files.sort_by(|a, b| by_name(a, b));
    let mut found = Directory {
        name,
        captures: Vec::new(),
        others: 0,
    };
    for path in files {
        if matches!(
            capture::recognise(Box::new(FileInput::file(path.clone()))),
            Ok(false)
        ) {
            info!(file = %path.display(), "skipped, no capture");
            found.others += 1;
        } else {
            found.captures.push(FileInput::file(path));
        }
    }
    if found.captures.is_empty() {
        let Directory { name, others, .. } = found;
        let beside = match directories {
            0 => String::new(),
            n => format!(
                "; {} not searched",
                amount(n, "directory in it was", "directories in it were")
            ),
        };
        match others {
            0 => bail!("{name}: no files in this directory{beside}"),
            1 => bail!("{name}: the only file in this directory is no capture{beside}"),
            n => bail!("{name}: none of the {n} files in this directory is a capture{beside}"),
        }
    }
    Ok(found)
}

/// The paths that an argument stands for: those that match it, if there is nothing of this very name and it is a pattern;
/// else itself.
pub fn matching(argument: &Path) -> Vec<PathBuf> {
    let itself = vec![argument.to_owned()];
    let pattern = argument.to_str().filter(|text| is_pattern(text));
    let missing = fs::symlink_metadata(argument)
        .is_err_and(|error| error.kind() != io::ErrorKind::PermissionDenied);
    let Some(pattern) = pattern.filter(|_| missing) else {
        return itself;
    };
    let options = MatchOptions {
        case_sensitive: cfg!(not(windows)),
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let Ok(paths) = glob::glob_with(pattern, options) else {
        return itself;
    };
    // A directory that cannot be read is named, so that trying it says why.
    let mut paths: Vec<PathBuf> = paths
        .map(|path| path.unwrap_or_else(|error| error.path().to_owned()))
        .collect();
    if paths.is_empty() {
        return itself;
    }
    paths.sort_by(|a, b| by_name(a, b));
    paths
}

/// Whether a name has characters of which a shell makes other names.
pub fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// The order of names for people: `ring2` comes before `ring10`.
fn by_name(a: &Path, b: &Path) -> Ordering {
    let (a_name, b_name) = (a.to_string_lossy(), b.to_string_lossy());
    let (mut a_rest, mut b_rest) = (a_name.as_ref(), b_name.as_ref());
    while let (Some(x), Some(y)) = (a_rest.chars().next(), b_rest.chars().next()) {
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (x, y) = (number(&mut a_rest), number(&mut b_rest));
            x.len().cmp(&y.len()).then(x.cmp(y))
        } else {
            a_rest = a_rest.get(x.len_utf8()..).unwrap_or_default();
            b_rest = b_rest.get(y.len_utf8()..).unwrap_or_default();
            x.cmp(&y)
        };
        if order.is_ne() {
            return order;
        }
    }
    a_rest.len().cmp(&b_rest.len()).then_with(|| a.cmp(b))
}

/// Takes the digits off the beginning of a text; gives them without leading zeros.
fn number<'a>(text: &mut &'a str) -> &'a str {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    digits.trim_start_matches('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = [
            "b1",
            "a10",
            "a9",
            "a",
            "a010x",
            "a9b2",
            "a9b11",
            "ring_00002_20260101",
            "ring_00001_20270101",
            "a99999999999999999999999999",
            "é2",
        ]
        .map(PathBuf::from);
        names.sort_by(|a, b| by_name(a, b));
        let sorted: Vec<_> = names.iter().map(|n| n.to_str().unwrap()).collect();
        assert_eq!(
            sorted,
            [
                "a",
                "a9",
                "a9b2",
                "a9b11",
                "a10",
                "a010x",
                "a99999999999999999999999999",
                "b1",
                "ring_00001_20270101",
                "ring_00002_20260101",
                "é2"
            ]
        );
    }

    #[test]
    fn patterns_are_expanded_unless_something_has_that_very_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["r10.pcap", "r9.pcap", ".r1.pcap", "r1.txt"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let names = |pattern: &str| -> Vec<String> {
            let found = matching(&folder.path().join(pattern));
            let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
            found.iter().map(name).collect()
        };
        assert_eq!(names("r*.pcap"), ["r9.pcap", "r10.pcap"]);
        assert_eq!(names("r?.pcap"), ["r9.pcap"]);
        assert_eq!(names("r[19]*"), ["r1.txt", "r9.pcap", "r10.pcap"]);
        assert_eq!(names("*.cap"), ["*.cap"]);
        assert_eq!(names("r[.pcap"), ["r[.pcap"]);
        assert_eq!(names("r1.pcap"), ["r1.pcap"]);
        fs::write(folder.path().join("r[19].pcap"), "").unwrap();
        assert_eq!(names("r[19].pcap"), ["r[19].pcap"]);
    }
}
