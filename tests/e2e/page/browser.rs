//! A headless Chromium, spoken to in its debugging protocol over two pipes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// What Chromium is called on the systems we know.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Runs as root in a container, asks nobody on the network, and is spoken to on descriptors 3 and 4.
const FLAGS: &str = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-dev-shm-usage \
     --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars --remote-debugging-pipe";

pub(crate) struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    last_id: u64,
    complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts Chromium with a fresh profile; `None` when the system has none.
    pub(crate) fn start() -> Option<Self> {
        let name = NAMES.into_iter().find(|name| {
            let version = Command::new(name)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            version.is_ok_and(|status| status.success())
        })?;
        let profile = tempfile::tempdir().unwrap();
        let script = format!(
            "exec {name} {FLAGS} --user-data-dir=\"$1\" about:blank 3<&0 4>&1 0</dev/null 1>/dev/null"
        );
        let mut child = Command::new("sh")
            .args(["-c", &script, "sh"])
            .arg(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let from = BufReader::new(child.stdout.take().unwrap());
        Some(Self {
            child,
            to,
            from,
            last_id: 0,
            complaints: Vec::new(),
            _profile: profile,
        })
    }

    /// Opens a page of that size and colour scheme.
    pub(crate) fn open(&mut self, url: &str, width: u32, height: u32, scheme: &str) -> Page<'_> {
        let target = self.call(None, "Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = self.call(None, "Target.attachToTarget", attach)["sessionId"]
            .as_str()
            .unwrap()
            .to_owned();
        self.complaints.clear();
        let mut page = Page {
            browser: self,
            session,
            target: target["targetId"].clone(),
        };
        for domain in ["Runtime.enable", "Log.enable", "Page.enable"] {
            page.call(domain, json!({}));
        }
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        page.call("Emulation.setDeviceMetricsOverride", metrics);
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        page.call("Emulation.setEmulatedMedia", features);
        page.call("Page.navigate", json!({"url": url}));
        page
    }

    fn call(&mut self, session: Option<&str>, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let mut message = json!({"id": self.last_id, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap();
        self.to.flush().unwrap();
        loop {
            let mut answer = Vec::new();
            let length = self.from.read_until(0, &mut answer).unwrap();
            assert!(length > 0, "Chromium went away during {method}");
            answer.pop();
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            if answer["id"] == self.last_id {
                assert!(
                    answer.get("error").is_none(),
                    "{method}: {}",
                    answer["error"]
                );
                return answer["result"].clone();
            }
            self.complaints.extend(complaint(&answer));
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What an event says that a clean page does not say.
fn complaint(event: &Value) -> Option<String> {
    let params = &event["params"];
    match event["method"].as_str()? {
        "Runtime.exceptionThrown" => Some(params["exceptionDetails"].to_string()),
        "Runtime.consoleAPICalled" if params["type"] == "error" => Some(params["args"].to_string()),
        "Log.entryAdded" if params["entry"]["level"] == "error" => {
            Some(params["entry"].to_string())
        }
        _ => None,
    }
}

pub(crate) struct Page<'a> {
    browser: &'a mut Browser,
    session: String,
    target: Value,
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let params = json!({"targetId": self.target});
            self.browser.call(None, "Target.closeTarget", params);
        }
    }
}

impl Page<'_> {
    fn call(&mut self, method: &str, params: Value) -> Value {
        let session = self.session.clone();
        self.browser.call(Some(&session), method, params)
    }

    /// The value of a script, awaited when it is a promise.
    pub(crate) fn eval(&mut self, script: &str) -> Value {
        let params = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", params);
        assert!(
            answer.get("exceptionDetails").is_none(),
            "{script}: {}",
            answer["exceptionDetails"]
        );
        answer["result"]["value"].clone()
    }

    /// Presses and releases the mouse at a place of the page.
    pub(crate) fn click(&mut self, x: u32, y: u32) {
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Waits until a condition holds in the page; fails when it did not within half a minute.
    pub(crate) fn wait_until(&mut self, condition: &str) {
        let script = format!(
            "new Promise((resolve) => {{ const end = performance.now() + 30000; const look = () => {{ \
             let holds = false; try {{ holds = Boolean({condition}); }} catch {{ holds = false; }} \
             if (holds || performance.now() > end) resolve(holds); else setTimeout(look, 50); }}; look(); }})"
        );
        let holds = self.eval(&script);
        assert_eq!(
            holds, true,
            "never true: {condition}; complaints: {:?}",
            self.browser.complaints
        );
    }

    /// Errors of the console, of the network and of the content security policy since the page was opened.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        self.eval("0");
        self.browser.complaints.clone()
    }
}
