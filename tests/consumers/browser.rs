//! The page and the pictures in Chromium, as wide as a screen and as narrow as a phone.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{number, own, run, views};
use crate::support::{Folder, beside_others, skipped};

/// By the names that it is installed under; `None`, and said so, where there is none.
fn chromium(folder: &Path, arguments: &[&str]) -> Option<std::process::Output> {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let common = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"];
    for name in ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"] {
        let mut command = std::process::Command::new(name);
        command.args(common).arg(&profile).args(arguments);
        if let Ok(output) = command.output() {
            return Some(output);
        }
    }
    skipped("the page in a browser", "Chromium is not installed");
    None
}

/// The page that shows the report at both widths.
fn frames(folder: &Path, pictures: &[&str]) -> PathBuf {
    let report = fs::read_to_string(folder.join("run.html")).unwrap();
    // A text that ends no script.
    let report = Value::from(report).to_string().replace("</", "<\\/");
    let pictures = serde_json::to_string(pictures).unwrap();
    let page = fs::read_to_string(own("frames.html")).unwrap();
    let page = page.replace("PICTURES", &pictures).replace("REPORT", &report);
    let path = folder.join("frames.html");
    fs::write(&path, page).unwrap();
    path
}

/// What the page found, and what the browser said of it.
fn found(folder: &Path, page: &Path) -> Option<(Value, String)> {
    let url = format!("file://{}", page.display());
    let output = chromium(folder, &["--virtual-time-budget=20000", "--dump-dom", &url])?;
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = dom.split("id=\"found\" hidden=\"\">").nth(1);
    let found = found.and_then(|rest| rest.split("</pre>").next()).unwrap_or_default();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let value = serde_json::from_str(&text);
    Some((value.unwrap_or_else(|error| panic!("{error}: {text:?}\n{said}")), said))
}

#[test]
fn a_browser_shows_the_page_at_both_widths_without_an_error_or_an_overflow() {
    beside_others(|| {
        let folder = Folder::new();
        let (saved, document) = run(&folder);
        let pictures: &[&str] = match cfg!(feature = "pictures") {
            true => &["run.svg", "run.png"],
            false => &["run.svg"],
        };
        views(&saved, &["run.html"]);
        views(&saved, pictures);
        let page = frames(folder.path(), pictures);
        let Some((found, said)) = found(folder.path(), &page) else { return };
        assert_eq!(found["problems"], Value::Array(Vec::new()));
        let complaints: Vec<&str> = said.lines().filter(|l| l.contains("CONSOLE")).collect();
        assert!(complaints.is_empty(), "{complaints:?}");
        for frame in found["frames"].as_array().unwrap() {
            let width = number(frame, "width");
            assert_eq!(number(frame, "inner"), width);
            assert!(number(frame, "scroll") <= width, "it is wider than {width}: {frame}");
            assert!(number(frame, "tall") > 1_500.0, "{frame}");
            assert!(number(frame, "letters") >= 9.0, "letters in charts at {width}: {frame}");
            let charts = frame["charts"].as_array().unwrap();
            assert!(charts.len() >= 5, "{frame}");
            for size in charts {
                let size = [0, 1].map(|side| size[side].as_f64().unwrap());
                assert!(size[0] > 300.0 && size[0] < width && size[1] > 100.0, "{size:?}");
            }
            assert!(number(frame, "heat") > 8.0, "no more than the legend: {frame}");
            hovered(frame, document.intervals().len());
        }
        for picture in found["pictures"].as_array().unwrap() {
            let size = [number(picture, "width"), number(picture, "height")];
            let scale = if picture["name"] == "run.png" { 2.0 } else { 1.0 };
            assert!(size[0] == 1_088.0 * scale && size[1] > 600.0 * scale, "{picture}");
        }
        #[cfg(feature = "pictures")]
        painted(folder.path(), &page);
    });
}

/// Under the pointer stand the interval's end and a line for each column of the chart.
fn hovered(frame: &Value, intervals: usize) {
    let charts = frame["hover"].as_array().unwrap();
    assert!(charts.len() >= 4 && intervals > 1, "{frame}");
    for chart in charts {
        let columns: Vec<&str> = chart["columns"].as_str().unwrap().split(',').collect();
        let lines: Vec<&str> =
            chart["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        assert_eq!(lines.len(), columns.len() + 1, "{chart}");
        assert!(lines[0].starts_with("until "), "{chart}");
        for (line, column) in lines[1..].iter().zip(columns) {
            assert!(line.strip_prefix(column).is_some_and(|rest| rest.len() > 1), "{chart}");
        }
        assert_eq!(chart["left"], true, "it goes when the pointer does");
    }
    let heat = charts.iter().filter(|c| c["title"].as_str().unwrap().ends_with("heat map"));
    assert_eq!(heat.count(), 1, "{frame}");
}

/// In a picture of the window either frame has the colours of lines, and the heat map's.
#[cfg(feature = "pictures")]
fn painted(folder: &Path, page: &Path) {
    use std::collections::HashSet;
    let file = folder.join("screen.png");
    let screenshot = format!("--screenshot={}", file.display());
    let url = format!("file://{}", page.display());
    let size = "--window-size=1670,9000";
    let taken =
        chromium(folder, &[&screenshot, size, "--virtual-time-budget=20000", &url]).unwrap();
    let png = fs::read(&file).unwrap_or_else(|error| panic!("{error}: {taken:?}"));
    let image = resvg::tiny_skia::Pixmap::decode_png(&png).unwrap();
    assert!(image.width() >= 1_670, "{}", image.width());
    let width = image.width() as usize;
    for (name, columns) in [("screen", 0..1_280), ("phone", 1_280..1_670)] {
        let pixels = image.pixels().iter().enumerate();
        let pixels = pixels.filter(|(at, _)| columns.contains(&(at % width)));
        let colours: HashSet<[u8; 3]> =
            pixels.map(|(_, p)| [p.red(), p.green(), p.blue()]).collect();
        assert!(colours.len() > 100, "{name} is blank: {} colours", colours.len());
        // A band of the heat map, and the first two kinds of lines.
        for colour in [[0x3f, 0x0f, 0x6b], [0x25, 0x63, 0xeb], [0x0d, 0x94, 0x88]] {
            assert!(colours.contains(&colour), "{name} lacks {colour:x?}");
        }
    }
}
