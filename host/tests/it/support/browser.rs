//! A real Chromium, as people use it: it clicks what can be clicked, types with keys, and looks at what is shown.
//! `.tools/chromium` says where it is, and what to do where it is not.
//!
//! Speaks WebDriver with `chromedriver`, which is JSON over HTTP. The libraries for it are left out for what they bring:
//! features of serde or syn that nothing else here has, with which wasmtime would be compiled a second time for tests.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::client::{self, Client};
use super::{DEADLINE, eventually, nothing_amiss};

/// The member of an element's reference (WebDriver, 12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Looks for what people with disabilities run into; see its licence beside it.
const AXE: &str = include_str!("../browser/axe-core/axe.min.js");

/// Of WCAG 2.2, what is to be kept by law in most places, and what axe knows besides.
const RULES: &str = r#"["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]"#;

/// What people call something, by which it is found: what it is labelled with, or what it says.
const FIND: &str = r"
const [selector, name] = arguments;
const plain = (text) => (text ?? '').replace(/[\s\u00a0\u202f]+/g, ' ').trim();
const named = (element) => [
    element.getAttribute('aria-label'),
    ...(element.labels ? [...element.labels].map((label) => label.innerText) : []),
    element.innerText,
].map(plain).some((text) => text === name || text.startsWith(name));
return [...document.querySelectorAll(selector)].find((element) => element.checkVisibility() && (name === '' || named(element))) ?? null;
";

const CONTROLS: &str = "a[href], button, summary, [role=tab], label.choice";
const FIELDS: &str = "input, select, textarea";

/// What the browser is made to be.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// `fr-CA`, as the browser asks for it.
    pub language: &'static str,
    pub width: u32,
    pub height: u32,
    /// `light` or `dark`.
    pub scheme: &'static str,
}

pub const DESKTOP: Look = Look { language: "en-CA", width: 1280, height: 900, scheme: "light" };
pub const PHONE: Look = Look { width: 390, height: 844, ..DESKTOP };

/// A window with a profile of its own. Ends with the test.
pub struct Browser {
    driver: Child,
    session: String,
    site: String,
    client: Client,
}

impl Browser {
    /// `site`: `http://host:port`, before every path.
    pub async fn start(site: &str, look: Look) -> Self {
        let (chromium, chromedriver) = programs();
        let mut command = Command::new(chromedriver);
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().expect("chromedriver starts");
        let mut lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let port = lines.find_map(|line| Some(line.strip_suffix('.')?.rsplit_once(" on port ")?.1.to_owned()));
        let port = port.expect("chromedriver says its port");
        std::thread::spawn(move || lines.for_each(drop));
        // As root, as tests run in containers, Chromium refuses its sandbox.
        let arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"];
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": chromium, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let mut browser = Self {
            driver,
            session: format!("http://127.0.0.1:{port}"),
            site: site.to_owned(),
            client: Client::keep_alive(),
        };
        let started = browser.command(Method::POST, "/session", &capabilities).await;
        browser.session = format!("{}/session/{}", browser.session, started["sessionId"].as_str().expect("an id"));
        browser.look(look).await;
        browser
    }

    /// For the pages that are loaded from now on.
    pub async fn look(&self, look: Look) {
        let Look { language, width, height, scheme } = look;
        let screen = json!({
            "width": width, "height": height, "screenWidth": width, "screenHeight": height,
            "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await;
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features})).await;
        let agent = self.devtools("Browser.getVersion", json!({})).await;
        let agent = json!({"userAgent": agent["userAgent"], "acceptLanguage": language});
        self.devtools("Emulation.setUserAgentOverride", agent).await;
    }

    /// A path of the site.
    pub async fn goto(&self, path: &str) {
        let url = format!("{}{path}", self.site);
        self.command(Method::POST, "/url", &json!({"url": url})).await;
    }

    /// Of the page that is shown.
    pub async fn path(&self) -> String {
        let path = self.script("return location.pathname", &json!([])).await;
        path.as_str().expect("a path").to_owned()
    }

    /// Waits until that path is shown.
    pub async fn arrives(&self, path: &str) {
        eventually(&format!("{path} is shown"), async || self.path().await == path).await;
    }

    /// Clicks the link or button of that name, or whose name begins so, once it is there.
    pub async fn press(&self, name: &str) {
        self.click(CONTROLS, name).await;
    }

    /// Clicks the first element that matches and has that name; any name, if it is empty.
    pub async fn click(&self, selector: &str, name: &str) {
        let what = format!("{selector} named {name:?} can be clicked");
        // It may move, or be drawn anew, between being found and being clicked.
        eventually(&what, async || {
            let Some(element) = self.find(selector, name).await else { return false };
            self.try_command(Method::POST, &format!("/element/{element}/click"), &json!({})).await.is_ok()
        })
        .await;
    }

    /// Types into the field of that label, in the place of what it has.
    pub async fn fill(&self, label: &str, text: &str) {
        eventually(&format!("a field {label:?} can be filled"), async || {
            let Some(element) = self.find(FIELDS, label).await else { return false };
            let cleared = self.try_command(Method::POST, &format!("/element/{element}/clear"), &json!({})).await;
            let typed =
                self.try_command(Method::POST, &format!("/element/{element}/value"), &json!({"text": text})).await;
            cleared.is_ok() && typed.is_ok()
        })
        .await;
    }

    /// Chooses from the list of that label, by typing how the option begins.
    pub async fn choose(&self, label: &str, option: &str) {
        eventually(&format!("{option:?} can be chosen as {label:?}"), async || {
            let Some(element) = self.find("select", label).await else { return false };
            let typed = json!({"text": option});
            self.try_command(Method::POST, &format!("/element/{element}/value"), &typed).await.is_ok()
        })
        .await;
    }

    /// Chooses a file in the field of that label.
    pub async fn choose_file(&self, label: &str, file: &Path) {
        let path = json!({"text": file.to_str().expect("a path of text")});
        eventually(&format!("a file can be chosen in {label:?}"), async || {
            let Some(element) = self.find(FIELDS, label).await else { return false };
            self.try_command(Method::POST, &format!("/element/{element}/value"), &path).await.is_ok()
        })
        .await;
    }

    /// Keys to whatever has the focus: `\u{e004}` is Tab, `\u{e007}` is Enter (WebDriver, 17.4.2).
    pub async fn keys(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})])
            .collect();
        let actions = json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]});
        self.command(Method::POST, "/actions", &actions).await;
    }

    /// What the page says there, once it says anything; white space is one space.
    pub async fn text(&self, selector: &str) -> String {
        let mut text = String::new();
        eventually(&format!("{selector} has a text"), async || {
            text = self.text_now(selector).await;
            !text.is_empty()
        })
        .await;
        text
    }

    /// Waits until the page says this there, among other things.
    pub async fn says(&self, selector: &str, text: &str) {
        nothing_amiss(selector, async || {
            let found = self.text_now(selector).await;
            if found.contains(text) { Vec::new() } else { vec![format!("{text:?} is not in {found:?}")] }
        })
        .await;
    }

    async fn text_now(&self, selector: &str) -> String {
        let script = r"return [...document.querySelectorAll(arguments[0])].map((element) => element.innerText).join(' ')
            .replace(/[\s\u00a0\u202f]+/g, ' ').trim()";
        self.script(script, &json!([selector])).await.as_str().expect("a text").to_owned()
    }

    /// The body of a function; `arguments` has the arguments. A promise is waited for.
    pub async fn script(&self, body: &str, arguments: &Value) -> Value {
        self.command(Method::POST, "/execute/sync", &json!({"script": body, "args": arguments})).await
    }

    /// Of the DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.command(Method::POST, "/goog/cdp/execute", &json!({"cmd": command, "params": parameters})).await
    }

    /// What was said in the console since the last look, but for what has a part in `expected`: a browser tells of every
    /// answer that is no success, also of one that the page is made for. It also tells when the machine gets or loses a
    /// network, with which it breaks off what is under way, even to itself; a page has to get along with that.
    pub async fn complaints(&self, expected: &[&str]) -> Vec<String> {
        let entries = self.command(Method::POST, "/se/log", &json!({"type": "browser"})).await;
        let entries = entries.as_array().expect("a list").iter();
        let lines =
            entries.map(|entry| format!("{}: {}", entry["level"], entry["message"].as_str().unwrap_or_default()));
        lines
            .filter(|line| ![expected, &["ERR_NETWORK_CHANGED"]].concat().iter().any(|text| line.contains(text)))
            .collect()
    }

    /// Fails when somebody with a screen reader, with a keyboard or with weak eyes would not get along with the page.
    pub async fn is_accessible(&self) {
        let script = format!(
            "{AXE}; return axe.run(document, {{runOnly: {RULES}}}).then(({{ violations }}) => violations.map(
                ({{ id, help, nodes }}) => `${{id}}: ${{help}}: ${{nodes.map(({{ html, failureSummary }}) =>
                    `${{html}} ${{failureSummary}}`).join('; ')}}`))"
        );
        let violations = self.script(&script, &json!([])).await;
        assert_eq!(violations, json!([]), "{}: {violations:#}", self.path().await);
    }

    /// Fails when something is wider than the screen; the window of a phone grows with its page.
    pub async fn fits(&self) {
        let script = "return [document.documentElement.scrollWidth, screen.width]";
        let widths = self.script(script, &json!([])).await;
        assert!(
            widths[0].as_f64() <= widths[1].as_f64(),
            "{} is {} wide on {}",
            self.path().await,
            widths[0],
            widths[1]
        );
    }

    /// Bytes that came over the network for the page that was loaded last, with their heads.
    pub async fn bytes_loaded(&self) -> u64 {
        let script =
            "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
            .reduce((sum, { transferSize }) => sum + transferSize, 0)";
        self.script(script, &json!([])).await.as_u64().expect("a number")
    }

    /// The whole page, as a PNG.
    pub async fn screenshot(&self, path: &Path) {
        let size = self.devtools("Page.getLayoutMetrics", json!({})).await["cssContentSize"].clone();
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let shot = json!({"captureBeyondViewport": true, "clip": clip});
        let shot = self.devtools("Page.captureScreenshot", shot).await;
        let png = STANDARD.decode(shot["data"].as_str().expect("an image")).expect("base64");
        std::fs::write(path, png).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Without the runtime, which may have ended.
    fn quit(&self) -> std::io::Result<()> {
        let (host, path) = self.session.trim_start_matches("http://").split_once('/').unwrap_or((&self.session, ""));
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        write!(stream, "DELETE /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
        stream.read(&mut [0; 12]).map(|_| ())
    }

    async fn find(&self, selector: &str, name: &str) -> Option<String> {
        let found = self.script(FIND, &json!([selector, name])).await;
        Some(found.get(ELEMENT)?.as_str().expect("an id").to_owned())
    }

    async fn command(&self, method: Method, path: &str, body: &Value) -> Value {
        let done = self.try_command(method, path, body).await;
        done.unwrap_or_else(|error| panic!("{path}: {error:#}"))
    }

    async fn try_command(&self, method: Method, path: &str, body: &Value) -> Result<Value, Value> {
        let mut request =
            client::request(method, &format!("{}{path}", self.session), &[("content-type", "application/json")]);
        *request.body_mut() = client::whole(body.to_string());
        let answer = self.client.send(request).await;
        let value = answer.json()["value"].take();
        if answer.status == StatusCode::OK { Ok(value) } else { Err(value) }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A driver that is killed leaves its browser behind.
        if let Err(error) = self.quit() {
            eprintln!("the browser may still be there: {error}");
        }
        _ = self.driver.kill();
        _ = self.driver.wait();
    }
}

/// The browser and its driver.
fn programs() -> &'static (PathBuf, PathBuf) {
    static FOUND: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    FOUND.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/chromium");
        let found = Command::new(script).arg("--find").output().expect("a script that runs");
        assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
        let found = String::from_utf8(found.stdout).expect("paths");
        let (chromium, chromedriver) = found.trim().split_once('\n').expect("two paths");
        (chromium.into(), chromedriver.into())
    })
}
