//! Markup that a server, a plan or a label brings along: text on every page, and never markup.

use super::{Folder, Outsider, Panel, Walk, blast};
use crate::support::{Peer, Server, skipped};

/// Each would say that it was run.
const LABEL: &str = "<img src=x onerror=window.planted=1>";
const NAME: &str = "<img src=x onerror=window.planted=2>";
const PATH: &str = "/<svg/onload=window.planted=3>";
const ANSWER: &str = "HTTP/1.1 500 <img src=x onerror=window.planted=4>\r\n\
    X-Planted: <img src=x onerror=window.planted=5>\r\nContent-Length: 36\r\n\r\n\
    <img src=x onerror=window.planted=6>";
/// Its first bytes are shown.
const GARBAGE: &str = "HTTP/1.1 x <svg/onload=window.planted=7>\r\n\
    X-Planted: <script>window.planted=8</script>\r\n\r\n";

#[test]
fn markup_from_a_server_a_plan_and_a_label_is_text_in_a_browser() {
    let folder = Folder::new();
    let Some(mut browser) = super::Chromium::open(folder.path()) else {
        return skipped("planted markup in a browser", "Chromium is not installed");
    };
    let server = Server::start(|peer: &mut Peer| {
        let answer = if peer.number.is_multiple_of(2) { ANSWER } else { GARBAGE };
        peer.answer_all(answer.as_bytes());
    });
    let plan =
        format!("[[requests]]\nname = '{NAME}'\npath = '{PATH}'\n[[requests]]\nname = 'b'\n");
    std::fs::write(folder.path().join("plan.toml"), plan).unwrap();
    let mut run = blast(folder.path());
    run.arg("run").arg(folder.path().join("plan.toml")).args(["--host", &server.url(), "-c", "4"]);
    run.args(["--rps", "100", "-d", "1s", "--quiet"]).arg(format!("--save={LABEL}"));
    let said = run.output().unwrap();
    assert!(String::from_utf8_lossy(&said.stdout).contains("Requests/sec"), "{said:?}");

    let target = Outsider::start("");
    let panel = Panel::start(folder.path(), target.url());
    Walk { browser: &mut browser, panel: &panel, name: "planted" }.sign_in();
    for (place, planted) in [
        ("/#history", &[LABEL][..]),
        ("/runs/1#statistics", &[LABEL, NAME]),
        ("/runs/1#failures", &[NAME, "<svg/onload=window.planted=7>", "<script>"]),
        ("/runs/1#warnings", &[]),
        ("/runs/1#log", &[]),
        ("/runs/1#report", &[NAME, "<svg/onload=window.planted=7>", "<script>"]),
        ("/api/v1/runs/1/report/html", &[NAME, "<svg/onload=window.planted=7>", "<script>"]),
    ] {
        browser.go("about:blank");
        browser.go(&format!("{}{place}", panel.url));
        for text in planted {
            browser.until(&format!("document.body.textContent.includes({})", quoted(text)));
        }
        assert!(browser.value("window.planted === undefined").as_bool().unwrap(), "{place}: run");
        let markup = "document.querySelectorAll('[onerror],[onload],img[src=x]').length";
        assert_eq!(browser.value(markup), 0, "{place}: there as markup");
    }
    let heard = server.log();
    assert!(heard.iter().any(|heard| heard.head.contains("svg")), "{}", heard[0].head);
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}
