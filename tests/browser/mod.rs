//! Debian's Chromium, headless, driven through chromedriver: as much of WebDriver as the tests need.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long the page may take to do something before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one window; it goes away with this.
pub struct Browser {
    driver: Child,
    agent: ureq::Agent,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser, or says loudly why there is none; where CI is set it must be there.
    pub fn start() -> Option<Self> {
        for tool in ["chromium", "chromedriver"] {
            let found = Command::new(tool).arg("--version").output();
            if let Err(error) = found {
                assert!(std::env::var_os("CI").is_none(), "{tool}: {error}");
                eprintln!(
                    "SKIPPED, {tool} is not installed: the report is not tested in a browser"
                );
                return None;
            }
        }
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines
            .find_map(|line| {
                let line = line.unwrap();
                let (_, port) = line.rsplit_once("successfully on port ")?;
                port.trim_end_matches('.').parse::<u16>().ok()
            })
            .unwrap();
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir().unwrap();
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        let mut browser = Self {
            driver,
            agent,
            session: format!("http://127.0.0.1:{port}/session"),
            _profile: profile,
        };
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--force-prefers-reduced-motion",
            "--window-size=1400,1000",
        ];
        let mut arguments: Vec<String> = arguments.map(str::to_owned).to_vec();
        let profile = browser._profile.path().display();
        arguments.push(format!("--user-data-dir={profile}"));
        let session = browser.ask(
            "",
            &json!({"capabilities": {"alwaysMatch": {
                "browserName": "chrome",
                "goog:chromeOptions": {
                    "args": arguments,
                    "perfLoggingPrefs": {"enableNetwork": true, "enablePage": false},
                },
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            }}}),
        );
        let id = session["sessionId"].as_str().unwrap();
        browser.session = format!("{}/{id}", browser.session);
        Some(browser)
    }

    /// Opens a page and waits until its script has read the messages.
    pub fn open(&self, page: &Path, fragment: &str) {
        // Another page first: a change of the fragment alone would not load it again.
        self.ask("/url", &json!({"url": "about:blank"}));
        let url = format!("file://{}{fragment}", page.display());
        self.ask("/url", &json!({ "url": url }));
        self.wait("return document.documentElement.dataset.ready === 'true'");
    }

    /// What a script returns.
    pub fn run(&self, script: &str) -> Value {
        self.ask("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// A text that a script returns.
    pub fn text(&self, script: &str) -> String {
        let value = self.run(script);
        value
            .as_str()
            .unwrap_or_else(|| panic!("{script}: {value}"))
            .to_owned()
    }

    /// A number that a script returns.
    pub fn number(&self, script: &str) -> u64 {
        let value = self.run(script);
        value
            .as_u64()
            .unwrap_or_else(|| panic!("{script}: {value}"))
    }

    /// Waits until a script returns true.
    pub fn wait(&self, script: &str) {
        let start = Instant::now();
        while self.run(script) != true {
            assert!(start.elapsed() < PATIENCE, "never true: {script}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks on what a CSS selector finds first.
    pub fn click(&self, selector: &str) {
        let element = self.ask(
            "/element",
            &json!({"using": "css selector", "value": selector}),
        );
        let id = element.as_object().unwrap().values().next().unwrap();
        let id = id.as_str().unwrap();
        // Not below the bar, where nobody could click.
        self.run(&format!(
            "document.querySelector({}).scrollIntoView({{block: 'center'}})",
            json!(selector)
        ));
        self.ask(&format!("/element/{id}/click"), &json!({}));
    }

    /// Presses keys, one after the other, on whatever has the keyboard.
    pub fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|t| json!({"type": t, "value": key.to_string()}))
            })
            .collect();
        self.ask(
            "/actions",
            &json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}),
        );
    }

    /// Has the page believe what is given of media and preferences, such as `{"media": "print"}`.
    pub fn emulate(&self, media: Value) {
        self.command("Emulation.setEmulatedMedia", media);
    }

    /// A command of the Chrome DevTools Protocol.
    pub fn command(&self, name: &str, parameters: Value) -> Value {
        self.ask(
            "/goog/cdp/execute",
            &json!({"cmd": name, "params": parameters}),
        )
    }

    /// A picture of the window, as PNG.
    pub fn picture(&self) -> Vec<u8> {
        let picture = self.get("/screenshot");
        STANDARD.decode(picture.as_str().unwrap()).unwrap()
    }

    /// The page as it is printed, as PDF.
    pub fn print(&self) -> Vec<u8> {
        let document = self.ask("/print", &json!({"orientation": "landscape"}));
        STANDARD.decode(document.as_str().unwrap()).unwrap()
    }

    /// What stands in the browser's console since the last look.
    pub fn console(&self) -> Vec<String> {
        let entries = self.ask("/se/log", &json!({"type": "browser"}));
        let entries = entries.as_array().unwrap().iter();
        entries.map(ToString::to_string).collect()
    }

    /// Addresses that reports asked for since the last look; the browser's own pages ask for much.
    pub fn requests(&self) -> BTreeSet<String> {
        let entries = self.ask("/se/log", &json!({"type": "performance"}));
        let entries = entries.as_array().unwrap().iter();
        entries
            .map(|entry| serde_json::from_str::<Value>(entry["message"].as_str().unwrap()).unwrap())
            .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
            .filter(|event| {
                let page = event["message"]["params"]["documentURL"].as_str();
                page.is_some_and(|page| page.starts_with("file:"))
            })
            .map(|event| {
                let url = &event["message"]["params"]["request"]["url"];
                url.as_str().unwrap().to_owned()
            })
            .collect()
    }

    fn get(&self, path: &str) -> Value {
        let mut answer = self
            .agent
            .get(format!("{}{path}", self.session))
            .call()
            .unwrap();
        value(path, &answer.body_mut().read_to_string().unwrap())
    }

    fn ask(&self, path: &str, body: &Value) -> Value {
        let request = self.agent.post(format!("{}{path}", self.session));
        let request = request.header("content-type", "application/json");
        let mut answer = request.send(body.to_string()).unwrap();
        let body = answer.body_mut().with_config().limit(256 << 20);
        value(path, &body.read_to_string().unwrap())
    }
}

fn value(path: &str, answer: &str) -> Value {
    let mut answer: Value = serde_json::from_str(answer).unwrap();
    let value = answer["value"].take();
    assert!(value["error"].is_null(), "{path}: {value:#}");
    value
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser goes when its session does; chromedriver would leave it behind.
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
