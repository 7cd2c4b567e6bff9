//! Chromium, driven by its DevTools protocol over a pair of pipes: messages of JSON, each ended by a
//! zero. No port is opened, and nothing is waited for but by a condition on the page.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

/// For each thing that is waited for. The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(40);

/// A browser with one page; killed at the end.
pub struct Chromium {
    child: Child,
    orders: File,
    answers: Receiver<Value>,
    session: String,
    number: u64,
    /// What the page complained of, a policy that it broke among it.
    complaints: Vec<String>,
}

impl Chromium {
    /// `None` where it is not installed.
    pub fn open(folder: &Path) -> Option<Chromium> {
        const NAMES: [&str; 4] =
            ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
        NAMES.iter().find_map(|name| Chromium::start(name, folder).ok())
    }

    fn start(name: &str, folder: &Path) -> io::Result<Chromium> {
        let (read_orders, orders) = pipe()?;
        let (answers, write_answers) = pipe()?;
        let mut command = Command::new(name);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-dev-shm-usage"]);
        command.arg("--remote-debugging-pipe");
        command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
        command.arg("about:blank").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let ends = [read_orders.as_raw_fd(), write_answers.as_raw_fd()];
        let place = move || {
            // Out of the way first: one of them may be where the other has to be.
            // SAFETY: system calls on descriptors that this process has, between fork and exec.
            let aside = ends.map(|end| unsafe { libc::fcntl(end, libc::F_DUPFD, 10) });
            for (from, to) in aside.into_iter().zip([3, 4]) {
                // SAFETY: as above; what stood there before is not needed any more.
                if from < 0 || unsafe { libc::dup2(from, to) } < 0 {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(())
        };
        // SAFETY: the closure makes system calls alone.
        unsafe { command.pre_exec(place) };
        let child = command.spawn()?;
        drop((read_orders, write_answers));
        let mut browser = Chromium {
            child,
            orders: File::from(orders),
            answers: listen(File::from(answers)),
            session: String::new(),
            number: 0,
            complaints: Vec::new(),
        };
        browser.attach();
        Ok(browser)
    }

    fn attach(&mut self) {
        let targets = self.call("Target.getTargets", json!({}));
        let all = targets["targetInfos"].as_array().expect("a list of targets");
        let page = all.iter().find(|target| target["type"] == "page").expect("a page");
        let to = json!({ "targetId": page["targetId"], "flatten": true });
        let session = self.call("Target.attachToTarget", to)["sessionId"].clone();
        self.session = session.as_str().expect("a session").to_string();
        for part in ["Page.enable", "Runtime.enable", "Log.enable"] {
            self.call(part, json!({}));
        }
    }

    /// As wide as a screen, or as narrow as a phone.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    pub fn go(&mut self, url: &str) {
        let answer = self.call("Page.navigate", json!({ "url": url }));
        assert!(answer.get("errorText").is_none(), "{url}: {answer}");
        self.until("document.readyState === 'complete'");
    }

    /// What an expression comes to.
    pub fn value(&mut self, expression: &str) -> Value {
        let ask = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", ask);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    pub fn text(&mut self, expression: &str) -> String {
        self.value(expression).as_str().unwrap_or_default().to_string()
    }

    /// Waits until it is true; a page that is just left has no answer, and is asked again.
    pub fn until(&mut self, condition: &str) {
        let start = Instant::now();
        let ask = json!({ "expression": format!("Boolean({condition})"), "returnByValue": true });
        while self.call("Runtime.evaluate", ask.clone())["result"]["value"] != json!(true) {
            if start.elapsed() > PATIENCE {
                let page = self.text("location.href + '\\n' + document.body.innerText");
                panic!("never: {condition}\n{page}\n{:?}", self.complaints);
            }
            thread::sleep(Duration::from_millis(30));
        }
    }

    /// Presses the mouse in the middle of it, as a user would: what lies over it gets the press.
    pub fn press(&mut self, selector: &str) {
        let found = format!("document.querySelector({})", json!(selector));
        self.until(&format!("{found} && {found}.offsetParent !== null && !{found}.disabled"));
        let place = format!(
            "(() => {{ const e = {found}; e.scrollIntoView({{ block: 'center', inline: 'center' }}); \
             const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; }})()"
        );
        let place = self.value(&place);
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Instead of what stands in the field.
    pub fn write(&mut self, selector: &str, text: &str) {
        let found = format!("document.querySelector({})", json!(selector));
        self.until(&format!("{found} && {found}.offsetParent !== null"));
        self.value(&format!("{found}.focus(); {found}.select?.(); true"));
        match text {
            "" => self.key("Delete"),
            _ => {
                self.call("Input.insertText", json!({ "text": text }));
            }
        }
    }

    pub fn choose(&mut self, selector: &str, value: &str) {
        let found = format!("document.querySelector({})", json!(selector));
        self.until(&format!(
            "{found} && [...{found}.options].some((o) => o.value === {})",
            json!(value)
        ));
        self.value(&format!(
            "{found}.value = {}; {found}.dispatchEvent(new Event('change', {{ bubbles: true }})); true",
            json!(value)
        ));
    }

    /// A key by its name: `Tab`, `ArrowRight`.
    pub fn key(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.call("Input.dispatchKeyEvent", json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code(key) }));
        }
    }

    /// The visible part, as PNG.
    pub fn picture(&mut self) -> Vec<u8> {
        let answer = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        let data = answer["data"].as_str().expect("a picture");
        base64::engine::general_purpose::STANDARD.decode(data).expect("base64")
    }

    /// What it complained of so far, and no more of it later.
    pub fn complaints(&mut self) -> Vec<String> {
        self.value("1");
        std::mem::take(&mut self.complaints)
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.number += 1;
        let mut order = json!({ "id": self.number, "method": method, "params": parameters });
        if !self.session.is_empty() {
            order["sessionId"] = json!(self.session);
        }
        let mut bytes = order.to_string().into_bytes();
        bytes.push(0);
        self.orders.write_all(&bytes).expect("the browser listens");
        loop {
            let message = match self.answers.recv_timeout(PATIENCE) {
                Ok(message) => message,
                Err(RecvTimeoutError::Timeout) => panic!("{method}: the browser does not answer"),
                Err(RecvTimeoutError::Disconnected) => panic!("{method}: the browser is gone"),
            };
            if message["id"] == json!(self.number) {
                // What is asked of a page that is being left fails, and is asked again.
                return message.get("result").cloned().unwrap_or_else(|| message["error"].clone());
            }
            self.hear(&message);
        }
    }

    fn hear(&mut self, message: &Value) {
        let said = match message["method"].as_str() {
            Some("Log.entryAdded") => &message["params"]["entry"],
            Some("Runtime.exceptionThrown") => &message["params"]["exceptionDetails"],
            _ => return,
        };
        if said["level"] != json!("verbose") && said["level"] != json!("info") {
            self.complaints.push(said.to_string());
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn code(key: &str) -> u32 {
    match key {
        "Tab" => 9,
        "Enter" => 13,
        "Escape" => 27,
        "End" => 35,
        "Home" => 36,
        "ArrowLeft" => 37,
        "ArrowRight" => 39,
        "Delete" => 46,
        _ => 0,
    }
}

/// Two ends, the one to read from first; no child has them but where they are put.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = io::pipe()?;
    Ok((read.into(), write.into()))
}

fn listen(answers: File) -> Receiver<Value> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut answers = BufReader::new(answers);
        let mut bytes = Vec::new();
        while answers.read_until(0, &mut bytes).is_ok_and(|read| read > 0) {
            let message = serde_json::from_slice(bytes.strip_suffix(&[0]).unwrap_or(&bytes));
            bytes.clear();
            if message.is_ok_and(|message| tell.send(message).is_err()) {
                break;
            }
        }
    });
    told
}
