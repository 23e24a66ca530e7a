//! The report: what stands in the page, and what a browser makes of it.
//!
//! Needs Chromium and its driver (Debian's packages chromium and chromium-driver). Without them the tests in a browser are skipped, and say
//! so; where CI is set they fail.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod browser;
#[path = "report/hostile.rs"]
mod hostile;
#[path = "report/pages.rs"]
mod pages;

use browser::Browser;
use ctishark_fixtures::Scenario;
use pages::{
    DOWN, ENTER, ESCAPE, FOCUSED, ROWS, STATUS, assert_quiet, ctishark, fixture, keep_picture,
    place, report,
};
use predicates::prelude::*;
use serde_json::json;
use std::fs::{self, File};
use std::path::Path;

#[test]
fn a_page_opens_searches_and_expands() {
    let page = report(&fixture("demo.pcap"), "demo", &[]);
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.open(&page, "");
    assert_eq!(
        browser.text("return document.title"),
        "CTI traffic in demo.pcap"
    );
    assert_eq!(browser.number(ROWS), 69);
    assert_eq!(browser.text(STATUS), "69 messages");

    // Search narrows the table: by a word, by several, by a value that stands in no line.
    let search = |text: &str, expected: &str| {
        browser.run(&format!(
            "const s = document.getElementById('search'); s.value = {}; s.dispatchEvent(new Event('input'))",
            json!(text)
        ));
        browser.wait(&format!("{STATUS}.startsWith({})", json!(expected)));
    };
    search("hold_call", "2 of 69 messages");
    assert_eq!(browser.number(ROWS), 2);
    search("agent_state talking reserved", "1 of 69");
    search("AgentState=AGENT_STATE_TALKING", "4 of 69");
    search("\"call_variable\"", "0 of 69");
    search("\"queued 12 s\"", "1 of 69");
    search("", "69 messages");

    // Filters.
    browser.run(
        "const b = document.getElementById('by-worth'); b.value = 'bad'; b.dispatchEvent(new Event('change'))",
    );
    assert_eq!(browser.text(STATUS), "3 of 69 messages");
    browser.click("#clear");
    browser.wait(&format!("{STATUS} === '69 messages'"));

    // A row opens into its fields, and closes.
    browser.click("#m1 button");
    let opened = browser.text("return document.getElementById('f1').innerText");
    for expected in [
        "ClientID Finesse",
        "CTI_SERVICE_ALL_EVENTS",
        "VersionNumber 24",
        "ClientPassword",
    ] {
        assert!(opened.contains(expected), "{expected} is not in {opened}");
    }
    assert_eq!(
        browser.text("return document.querySelector('#m1 button').ariaExpanded"),
        "true"
    );
    browser.click("#m1 button");
    assert_eq!(
        browser.run("return document.getElementById('f1')"),
        json!(null)
    );

    // A finding's link leads to its message, which opens, even if a search had hidden it.
    search("hold_call", "2 of 69");
    browser.click("#findings table a[href='#m56']");
    browser.wait("return document.getElementById('f56') !== null");
    assert_eq!(browser.text(FOCUSED), "m56");
    assert_eq!(browser.text(STATUS), "69 messages");
    let place = browser.run("return document.getElementById('m56').getBoundingClientRect().top");
    assert!((0.0..1000.0).contains(&place.as_f64().unwrap()), "{place}");
    // The address of what is opened can be given to others.
    browser.click("#m57 button");
    assert_eq!(browser.text("return location.hash"), "#m57");
    // A link leads there even when the address is there already.
    browser.run("history.replaceState(null, '', '#m56')");
    search("hold_call", "2 of 69");
    browser.click("#findings table a[href='#m56']");
    browser.wait(&format!("{FOCUSED} === 'm56'"));
    // So can any other.
    browser.open(&page, "#m21");
    assert_eq!(browser.text(FOCUSED), "m21");
    let opened = browser.text("return document.getElementById('f21').innerText");
    assert!(
        opened.contains("FailureCode CF_INVALID_CSTA_CONNECTION_IDENTIFIER"),
        "{opened}"
    );
    assert_quiet(&browser);
}

#[test]
fn it_works_by_keyboard() {
    let page = report(&fixture("demo.pcap"), "keyboard", &[]);
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.open(&page, "");
    browser.press("jjj");
    assert_eq!(browser.text(FOCUSED), "m3");
    browser.press(&format!("k{DOWN}{DOWN}{ENTER}"));
    assert_eq!(browser.text(FOCUSED), "m4");
    assert_eq!(
        browser.run("return document.getElementById('f4') !== null"),
        true
    );
    browser.press(&ESCAPE.to_string());
    assert_eq!(
        browser.run("return document.getElementById('f4') === null"),
        true
    );
    browser.press("/begin_call_event");
    browser.wait(&format!("{STATUS}.startsWith('1 of')"));
    assert_eq!(browser.text("return document.activeElement.id"), "search");
    browser.press(&DOWN.to_string());
    assert_eq!(browser.text(FOCUSED), "m17");
    browser.press(&format!("/{ESCAPE}"));
    assert_eq!(browser.text(STATUS), "69 messages");
    browser.run("document.activeElement.blur()");
    browser.press("?");
    assert_eq!(
        browser.run("return document.getElementById('help').open"),
        true
    );
    browser.press(&ESCAPE.to_string());
    assert_eq!(
        browser.run("return document.getElementById('help').open"),
        false
    );
    assert_quiet(&browser);
}

#[test]
fn it_is_light_dark_and_printed() {
    let page = report(&fixture("failures.pcap"), "failures", &[]);
    let Some(browser) = Browser::start() else {
        return;
    };
    const LIGHT: [u8; 3] = [255, 255, 255];
    const DARK: [u8; 3] = [0x14, 0x17, 0x1b];
    let prefer = |scheme: &str| {
        browser.emulate(json!({
            "media": "",
            "features": [{"name": "prefers-color-scheme", "value": scheme}],
        }));
    };
    prefer("light");
    browser.open(&page, "");
    let colours = keep_picture(&browser, "light");
    assert!(colours.contains(&LIGHT) && !colours.contains(&DARK));
    prefer("dark");
    let colours = keep_picture(&browser, "dark");
    assert!(colours.contains(&DARK) && !colours.contains(&LIGHT));
    // The reader's choice wins, and holds when the page is opened again.
    browser.press("t");
    assert!(keep_picture(&browser, "chosen").contains(&LIGHT));
    browser.open(&page, "");
    assert!(keep_picture(&browser, "chosen").contains(&LIGHT));
    browser.press("t");
    // Paper is white whatever the screen is.
    browser.emulate(json!({"media": "print", "features": []}));
    let colours = keep_picture(&browser, "print");
    assert!(colours.contains(&LIGHT) && !colours.contains(&DARK));
    let document = browser.print();
    assert!(document.starts_with(b"%PDF-"));
    fs::write(place("failures.pdf"), document).unwrap();
    assert_quiet(&browser);
}

#[test]
fn ten_thousand_messages_stay_usable() {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/large/busy-day.scn");
    let scenario = Scenario::load(&scenario).unwrap();
    let capture = place("busy-day.pcap");
    let files = scenario.capture_files().unwrap();
    files[0].write_to(File::create(&capture).unwrap()).unwrap();
    let page = report(&capture, "busy-day", &[]);
    let size = fs::metadata(&page).unwrap().len();
    assert!(size < 12 << 20, "{size} bytes");
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.open(&page, "");
    assert_eq!(browser.text(STATUS), "12,000 messages · page 1 of 125");
    let said = browser.text("return document.getElementById('messages').innerText");
    assert!(
        said.contains("The table holds the first 10,000 messages, and 2,000 more that findings and calls point at;"),
        "{said}"
    );
    assert!(browser.number(ROWS) <= 100);
    browser.run(
        "const s = document.getElementById('search'); s.value = 'answer_call_req call=16777400'; s.dispatchEvent(new Event('input'))",
    );
    browser.wait(&format!("{STATUS}.startsWith('1 of 12,000 messages')"));
    browser.click("#rows .row button");
    let opened = browser.text("return document.querySelector('.panel').innerText");
    assert!(opened.contains("ConnectionCallID 16777400"), "{opened}");
    browser.click("#clear");
    browser.wait(&format!("{STATUS}.startsWith('12,000 messages')"));
    browser.click("#last-page");
    browser.press("j");
    assert!(browser.text(STATUS).ends_with("page 125 of 125"));
    browser.press("[");
    assert!(browser.text(STATUS).ends_with("page 124 of 125"));
    // Of so many calls the ladders are packed, and drawn when they are asked for.
    browser.click("#calls a[href='#call-990']");
    let ladder = "document.querySelector('#call-990 .ladder svg')";
    browser.wait(&format!("return {ladder} !== null"));
    let told = browser.text(&format!("return {ladder}.textContent"));
    assert!(told.contains("16778290"), "{told}");
    // A message that is not in the table is not passed over in silence.
    browser.click("#call-990 .ladder a text.name");
    browser.wait("return !document.getElementById('trouble').hidden");
    assert_quiet(&browser);
}

#[test]
fn calls_agents_and_requests_lead_to_their_messages() {
    let page = report(&fixture("call-transferred.pcap"), "calls", &[]);
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.open(&page, "#call-1");
    let ladder = "document.querySelector('#call-1 .ladder svg')";
    let told = browser.text(&format!("return {ladder}.textContent"));
    for expected in [
        "caller",
        "agent 1001",
        "agent 1002",
        "CALL_TRANSFERRED_EVENT",
    ] {
        assert!(told.contains(expected), "{expected} is not in {told}");
    }
    // A step of the ladder.
    browser.click("#call-1 .ladder a[href='#m23'] text.name");
    browser.wait("return document.getElementById('f23') !== null");
    assert_eq!(browser.text(FOCUSED), "m23");
    // A stretch of an agent's strip, wide enough to hold its name.
    let states = browser.text("return document.querySelector('.strip').textContent");
    assert!(states.contains("TALKING"), "{states}");
    browser.click(".strip a[href='#m26'] rect");
    browser.wait("return document.getElementById('f26') !== null");
    // All messages about a call, and all requests of a type.
    browser.click("#call-1 a[data-find]");
    let status = browser.text(STATUS);
    assert!(status.ends_with("of 64 messages"), "{status}");
    browser.click("#requests a[data-name='HOLD_CALL_REQ']");
    assert_eq!(browser.text(STATUS), "1 of 64 messages");
    keep_picture(&browser, "calls");
    assert_quiet(&browser);
}

#[test]
fn without_scripts_there_is_all_but_the_messages() {
    let page = report(&fixture("demo.pcap"), "plain", &[]);
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.command(
        "Emulation.setScriptExecutionDisabled",
        json!({"value": true}),
    );
    let url = format!("file://{}", page.display());
    browser.command("Page.navigate", json!({ "url": url }));
    std::thread::sleep(std::time::Duration::from_millis(500));
    let text = browser.text("return document.body.innerText");
    for expected in [
        "QUERY_AGENT_STATE_REQ not answered",
        "lost the request",
        "reset by the client after CLOSE_REQ",
        "States of agent 1001",
        "ANSWER_CALL_REQ",
        "CF_INVALID_CSTA_CONNECTION_IDENTIFIER",
        "Messages are shown by a script, and scripts are off.",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    assert!(!text.contains("Keyboard"), "{text}");
    let pictures = "return document.querySelectorAll('.ladder svg, .strip rect').length";
    assert!(browser.number(pictures) > 5);
}

#[test]
fn a_report_of_nothing_says_so() {
    let page = report(&fixture("tls.pcap"), "tls", &[]);
    let text = fs::read_to_string(page).unwrap();
    assert!(text.contains("TLS"));
    let empty = place("empty.pcap");
    let header = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0";
    fs::write(&empty, header).unwrap();
    let page = report(&empty, "empty", &[]);
    assert!(fs::read_to_string(page).unwrap().contains("No packets"));
}

#[test]
fn the_same_capture_gives_the_same_page() {
    let one = fs::read(report(&fixture("demo.pcap"), "same-1", &[])).unwrap();
    let two = fs::read(report(&fixture("demo.pcap"), "same-2", &["--jobs", "1"])).unwrap();
    assert!(one == two);
    let out = ctishark()
        .arg("report")
        .arg(fixture("demo.pcap"))
        .args(["-o", "-"])
        .output()
        .unwrap();
    assert!(out.stdout == one);
}

#[test]
fn what_is_left_out_is_said() {
    let options = ["--max-messages", "10", "--agent", "1001"];
    let page = fs::read_to_string(report(&fixture("demo.pcap"), "cut", &options)).unwrap();
    assert!(
        page.contains("The table holds the first 10 messages, and "),
        "{page}"
    );
    assert!(page.contains("This report is about a selection:"), "{page}");
}

#[test]
fn links_lead_somewhere_also_beyond_the_first_messages() {
    let capture = fixture("heartbeat-loss.pcap");
    let options = ["--max-messages", "2"];
    let path = report(&capture, "further", &options);
    let page = fs::read_to_string(&path).unwrap();
    assert!(
        page.contains("The table holds the first 2 messages, and "),
        "{page}"
    );
    assert!(!page.contains("not in the table of messages"), "{page}");
    // A pipe cannot be read again: what is not there is no link.
    let piped = place("piped.html");
    let mut command = ctishark();
    command.args(["report", "-"]).args(options);
    command.pipe_stdin(&capture).unwrap();
    command.arg("-o").arg(&piped).assert().success();
    let piped = fs::read_to_string(piped).unwrap();
    assert!(piped.contains("The table holds the first 2 messages;"));
    assert!(piped.contains("not in the table of messages"));
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.open(&path, "");
    let astray = "return [...document.querySelectorAll('a')].map((a) => a.getAttribute('href')) \
                  .filter((to) => /^#m\\d+$/.test(to) && !document.querySelector(to)).join(' ')";
    assert_eq!(browser.text(astray), "");
    let rows = browser.text("return document.getElementById('rows').innerText");
    assert!(rows.contains("left out here"), "{rows}");
}

#[test]
fn the_output_is_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("report.html");
    let run = |input: &Path, output: &Path| {
        let mut command = ctishark();
        command.arg("report").arg(input).arg("-o").arg(output);
        command.assert().code(2)
    };
    fs::write(&output, "old").unwrap();
    run(&folder.path().join("missing.pcap"), &output);
    assert_eq!(fs::read_to_string(&output).unwrap(), "old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    // A capture is not overwritten by its own report.
    let capture = folder.path().join("capture.pcap");
    fs::copy(fixture("demo.pcap"), &capture).unwrap();
    run(&capture, &capture).stderr(predicate::str::contains("is one of the captures"));
    assert_eq!(
        fs::read(&capture).unwrap(),
        fs::read(fixture("demo.pcap")).unwrap()
    );
    run(&capture, folder.path()).stderr(predicate::str::contains("is a directory"));
}
