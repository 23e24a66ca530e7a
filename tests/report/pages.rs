//! Reports to be tested, and what is asked of every one.

use crate::browser::Browser;
use assert_cmd::Command;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

pub const ENTER: char = '\u{E007}';
pub const ESCAPE: char = '\u{E00C}';
pub const DOWN: char = '\u{E015}';

/// What the browser shows of the rows of messages.
pub const ROWS: &str = "return document.querySelectorAll('#rows tr.row').length";
/// Number of the row that has the keyboard.
pub const FOCUSED: &str = "return (document.activeElement.closest('tr')?.id ?? '')";
pub const STATUS: &str = "return document.getElementById('status').textContent";

pub fn fixture(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/captures");
    folder.join(name).canonicalize().unwrap()
}

/// Where pages and pictures of a test are left, to be looked at.
pub fn place(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

pub fn ctishark() -> Command {
    let mut command = Command::cargo_bin("ctishark").unwrap();
    command.env("TZ", "UTC").env("NO_COLOR", "1");
    command
}

/// The report of a capture, in a file named after the test.
pub fn report(capture: &Path, name: &str, options: &[&str]) -> PathBuf {
    let page = place(&format!("{name}.html"));
    let mut command = ctishark();
    command.arg("report").arg(capture).args(options);
    command.arg("-o").arg(&page).assert().success();
    page
}

/// Writes a picture and makes sure that there is something in it.
pub fn keep_picture(browser: &Browser, name: &str) -> BTreeSet<[u8; 3]> {
    let png = browser.picture();
    fs::write(place(&format!("{name}.png")), &png).unwrap();
    let decoder = png::Decoder::new(std::io::Cursor::new(png));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert!(info.width >= 1000 && info.height >= 500, "{info:?}");
    let width = info.color_type.samples();
    let colours: BTreeSet<[u8; 3]> = pixels
        .chunks_exact(width)
        .map(|p| [p[0], p[1], p[2]])
        .collect();
    assert!(colours.len() > 20, "{} colours", colours.len());
    colours
}

/// Nothing went wrong, and nothing but the pages themselves was asked for.
pub fn assert_quiet(browser: &Browser) {
    assert_eq!(browser.console(), Vec::<String>::new());
    let requests = browser.requests();
    assert!(!requests.is_empty());
    let pages = format!("file://{}", place("").display());
    for url in requests {
        assert!(url.starts_with(&pages) && url.contains(".html"), "{url}");
    }
}
