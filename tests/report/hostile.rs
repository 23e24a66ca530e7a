//! Texts that try to break out, and passwords: what a capture holds stays text, or stays out.

use crate::browser::Browser;
use crate::pages::{STATUS, assert_quiet, ctishark, fixture, report};

/// What of a page could run, load or lead away.
const ACTIVE: &str = "
    const own = new Set(['settings', 'data', '']);
    const odd = [];
    for (const e of document.querySelectorAll('*')) {
        if (['IMG', 'IFRAME', 'OBJECT', 'EMBED', 'LINK', 'I', 'B', 'U', 'TEXTAREA'].includes(e.tagName)) odd.push(e.outerHTML);
        if (e.tagName === 'SCRIPT' && !own.has(e.id)) odd.push(e.outerHTML);
        if (e.localName === 'a' && !e.getAttribute('href').startsWith('#')) odd.push(e.outerHTML);
        for (const a of e.attributes) if (a.name.startsWith('on') || a.name === 'style') odd.push(e.outerHTML);
    }
    if (document.scripts.length !== 3) odd.push(`${document.scripts.length} scripts`);
    return odd.join('\\n')";

#[test]
fn hostile_texts_stay_texts() {
    let capture = fixture("hostile.pcap");
    let title = "</title><script>document.title='taken'</script>";
    let page = report(&capture, "hostile", &["--title", title]);
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.open(&page, "");
    assert_eq!(browser.text("return document.title"), title);
    browser.run("for (const b of document.querySelectorAll('#rows .row button')) b.click()");
    browser.run("for (const d of document.querySelectorAll('details')) d.open = true");
    assert_eq!(browser.text(ACTIVE), "");
    let text = browser.text("return document.body.innerText");
    for expected in [
        "<script>document.title='taken'</script>",
        "</title><svg onload=document.title=1>",
        "<b>1001</b>",
        "\\x1b[2J9\\u{202e}1",
        "\"><img src=x onerror=alert(1)>",
        "</script><!--<script>",
        "a\\u{202e}b\\u{2066}c\\u{009b}31m",
        "]]>&lt;b&gt;&amp;",
        "first\\nsecond\\tthird",
        "=cmd|' /C calc'!A0",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    let odd: Vec<char> = text
        .chars()
        .filter(|c| !matches!(c, '\n' | '\t') && !cti_dissector::render::text::is_harmless(*c))
        .collect();
    assert_eq!(odd, [' '; 0]);
    // What is shown can be searched as it is shown, and the links of agents find it.
    browser.run(
        "const s = document.getElementById('search'); s.value = '\\\\x1b[2J9'; s.dispatchEvent(new Event('input'))",
    );
    browser.wait(&format!("{STATUS}.startsWith('1 of')"));
    assert_eq!(browser.text("return document.title"), title);
    assert_quiet(&browser);
}

#[test]
fn hostile_texts_stay_texts_in_the_terminal_and_in_tables() {
    let output = |arguments: &[&str]| {
        let mut command = ctishark();
        command.args(arguments).arg(fixture("hostile.pcap"));
        let out = command.args(["--color", "always"]).output().unwrap();
        assert!(out.status.success(), "{arguments:?}");
        let text = String::from_utf8(out.stdout).unwrap();
        // What remains of control characters are the program's own colours.
        let plain = ["0", "1", "2", "31", "32", "33", "34", "36", "1;31"]
            .iter()
            .fold(text, |text, code| {
                text.replace(&format!("\x1b[{code}m"), "")
            });
        let odd: Vec<char> = plain
            .chars()
            .filter(|c| *c != '\n' && !cti_dissector::render::text::is_harmless(*c))
            .collect();
        assert_eq!(odd, [' '; 0], "{arguments:?}: {plain}");
        plain
    };
    for arguments in [
        &["--detail"][..],
        &["sessions"],
        &["triage"],
        &["calls"],
        &["call", "16777301"],
        &["agents"],
        &["stats"],
    ] {
        output(arguments);
    }
    for command in ["sessions", "triage", "calls", "agents"] {
        let table = output(&[command, "--format", "csv"]);
        let cells = || table.lines().flat_map(|line| line.split(','));
        let formula = cells().find(|cell| cell.trim_start_matches('"').starts_with(['=', '@']));
        assert_eq!(formula, None, "{command}");
    }
    let calls = output(&["calls", "--format", "csv"]);
    assert!(calls.contains(",'=1+1,"), "{calls}");
    let picture = output(&["call", "16777301", "--format", "svg"]);
    assert!(
        !picture.contains("<img") && picture.contains("&lt;img"),
        "{picture}"
    );
}

#[test]
fn the_policy_stops_what_would_get_in() {
    let page = report(&fixture("demo.pcap"), "policy", &[]);
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.open(&page, "");
    // As if something had got past the templates.
    browser.run(
        "const s = document.createElement('script'); s.textContent = 'window.taken = true'; document.body.append(s);
         const i = document.createElement('img'); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i);
         document.body.insertAdjacentHTML('beforeend', '<b onclick=\"window.taken = true\" id=\"bait\">x</b>');
         document.getElementById('bait').click();",
    );
    assert_eq!(browser.run("return window.taken === undefined"), true);
    let console = browser.console().join("\n");
    for directive in ["script-src", "default-src"] {
        assert!(console.contains(directive), "{console}");
    }
}

#[test]
fn passwords_are_not_in_the_page() {
    let page = report(&fixture("secrets.pcap"), "secrets", &[]);
    let Some(browser) = Browser::start() else {
        return;
    };
    browser.open(&page, "");
    browser.run("for (const b of document.querySelectorAll('#rows .row button')) b.click()");
    browser.run("for (const d of document.querySelectorAll('details')) d.open = true");
    let text = browser.text("return document.body.textContent");
    assert!(text.contains("masked"));
    let out = ctishark()
        .args(["--format", "ndjson", "--show-secrets"])
        .arg(fixture("secrets.pcap"))
        .output()
        .unwrap();
    let mut passwords = 0;
    for line in String::from_utf8(out.stdout).unwrap().lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        for field in record["floating"].as_array().into_iter().flatten() {
            let name = field["name"].as_str().unwrap_or_default();
            let value = field["value"].as_str().unwrap_or_default();
            if name.contains("Password") && !value.is_empty() {
                passwords += 1;
                assert!(!text.contains(value), "{name}");
            }
        }
    }
    assert!(passwords > 0);
}
