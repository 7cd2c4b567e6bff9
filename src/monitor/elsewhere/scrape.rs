//! `--scrape [NAME=]URL#METRIC`: one metric of a page that Prometheus would read, once a second.

use std::time::Duration;

use ureq::Agent;

use super::exposition::Selector;
use super::is_name;
use super::repeated::Source;
use crate::error::{Error, Result};
use crate::plan::Url;
use crate::plan::url::Host;
use crate::units::quote;

/// From the connect to the page's last byte.
const LIMIT: Duration = Duration::from_secs(2);

/// A page that is longer is not read.
const MOST: u64 = 16 << 20;

#[derive(Clone, Debug)]
pub struct Scrape {
    pub name: String,
    url: Url,
    selector: Selector,
    /// Keeps the connection. Made with the first reading.
    agent: Option<Agent>,
}

/// As it was asked for.
impl PartialEq for Scrape {
    fn eq(&self, other: &Scrape) -> bool {
        (&self.name, &self.url, &self.selector) == (&other.name, &other.url, &other.selector)
    }
}

impl Scrape {
    /// `[NAME=]URL#METRIC{label="value"}`. Errors hold no secret of the URL.
    pub fn parse(text: &str) -> Result<Scrape> {
        let form = "write [NAME=]URL#METRIC, as in `--scrape http://localhost:9090/metrics#up`";
        let Some((place, metric)) = text.split_once('#') else {
            return Err(Error::usage(format!("the metric is missing behind the URL; {form}")));
        };
        let (name, place) = match place.split_once('=') {
            Some((name, url)) if is_name(name) => (Some(name), url),
            _ => (None, place),
        };
        if place.trim().is_empty() {
            return Err(Error::usage(format!("the URL is missing; {form}")));
        }
        let url = Url::fixed(place)?;
        if url.is_https {
            return Err(Error::usage(format!(
                "{} cannot be scraped: a page of metrics is read over http alone; give one of its \
                 http addresses, or read it by `--sample NAME='curl -s https://... | ...'`",
                quote(&url.shown)
            )));
        }
        if matches!(url.host, Host::Unix(_) | Host::Zoned(..)) {
            return Err(Error::usage(format!(
                "{} cannot be scraped; give a name or an address without a zone",
                quote(&url.shown)
            )));
        }
        let selector = Selector::parse(metric)
            .map_err(|flaw| Error::usage(format!("{} {flaw}", quote(&format!("#{metric}")))))?;
        let name = name.unwrap_or(&selector.metric).to_string();
        Ok(Scrape { name, url, selector, agent: None })
    }

    pub fn gauge(&self) -> String {
        format!("scrape.{}", self.name)
    }

    fn page(&mut self) -> std::result::Result<String, String> {
        let agent = self.agent.get_or_insert_with(agent);
        let url = format!("http://{}{}", self.url.authority, self.url.target);
        let mut request = agent.get(url).header("Accept", "text/plain;version=0.0.4");
        if let Some(authorization) = &self.url.authorization {
            request = request.header("Authorization", authorization);
        }
        let mut response = request.call().map_err(|error| fault(&error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(format!("was answered with status {}", status.as_u16()));
        }
        let page = response.body_mut().with_config().limit(MOST).lossy_utf8(true).read_to_string();
        page.map_err(|error| fault(&error))
    }
}

/// As it says, but for the address, which may hold a secret.
fn fault(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "was not answered within 2 s".to_string(),
        ureq::Error::BodyExceedsLimit(_) => "was answered with more than 16 MB".to_string(),
        ureq::Error::Io(error) => format!("failed ({error})"),
        ureq::Error::HostNotFound => "failed (the host was not found)".to_string(),
        ureq::Error::ConnectionFailed => "failed (it could not be connected to)".to_string(),
        ureq::Error::Protocol(error) => format!("was answered with what is no HTTP ({error})"),
        _ => "failed".to_string(),
    }
}

/// Goes where it is told: neither by a proxy of the environment nor by redirects.
fn agent() -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(LIMIT))
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("blast/", env!("CARGO_PKG_VERSION")))
        .build();
    config.new_agent()
}

impl Source for Scrape {
    fn gauge(&self) -> String {
        Scrape::gauge(self)
    }

    fn read(&mut self, _: &dyn Fn() -> bool) -> std::result::Result<f64, String> {
        let page = self.page()?;
        let metric = &self.selector.metric;
        self.selector.sum(&page).ok_or_else(|| {
            format!("found no {} with a number among {} bytes", quote(metric), page.len())
        })
    }

    // It ends within its limit by itself, and leaves nothing behind.
    const IS_WAITED_FOR: bool = false;
    const CODE: &'static str = "scrape_failed";
    const EXPECTED: &'static str = "the URL has to give Prometheus text over http within 2 s, with \
        that metric and those labels in it: look at it with `curl`";
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};

    use super::*;

    fn scrape(text: &str) -> Scrape {
        Scrape::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Answers each connection with these bytes.
    fn server(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4_096]);
                let _ = stream.write_all(answer.as_bytes());
                if answer.is_empty() {
                    // It says nothing for longer than anybody waits.
                    std::thread::sleep(Duration::from_secs(30));
                }
            }
        });
        address
    }

    #[test]
    fn a_scrape_has_a_name_a_url_and_a_metric() {
        for (text, name, authority, target, metric) in [
            ("http://h:9090/metrics#up", "up", "h:9090", "/metrics", "up"),
            ("h:9090/metrics#up", "up", "h:9090", "/metrics", "up"),
            ("my-db=http://h/m?a=b#x:y{c=\"d=e#f\"}", "my-db", "h", "/m?a=b", "x:y"),
            ("http://h/?a=b#up", "up", "h", "/?a=b", "up"),
            ("x=[::1]:9#up", "x", "[::1]:9", "/", "up"),
        ] {
            let found = scrape(text);
            let place = (found.url.authority.as_str(), found.url.target.as_str());
            assert_eq!((found.name.as_str(), place), (name, (authority, target)), "{text}");
            assert_eq!(found.selector.metric, metric);
        }
        for (text, expected) in [
            ("http://u:s3cret@h/metrics", "the metric is missing"),
            ("x=#up", "the URL is missing"),
            ("http://u:s3cret@h/#", "names no metric"),
            ("https://u:s3cret@h/#up", "over http alone"),
            ("http+unix://%2Fx/#up", "cannot be scraped"),
            ("http://h/#up{a}", "labels that cannot be read"),
        ] {
            let message = Scrape::parse(text).unwrap_err().message;
            assert!(message.contains(expected) && !message.contains("s3cret"), "{message}");
        }
    }

    #[test]
    fn the_value_of_the_metric_is_read_again_and_again() {
        let page =
            "HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\nup 1\nup 2\nup -1";
        let address = server(page);
        let mut source = scrape(&format!("http://{address}/metrics#up"));
        for _ in 0..3 {
            assert_eq!(source.read(&|| false), Ok(2.0));
        }
    }

    #[test]
    fn what_came_instead_is_told() {
        for (answer, expected) in [
            ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "was answered with status 404"),
            (
                "HTTP/1.1 302 No\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
                "was answered with status 302",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ndown 1",
                "found no `up` with a number among 6 bytes",
            ),
            ("what?\r\n\r\n", "was answered with what is no HTTP"),
            ("", "was not answered within 2 s"),
        ] {
            let mut source = scrape(&format!("http://{}/#up", server(answer)));
            let fault = source.read(&|| false).unwrap_err();
            assert!(fault.starts_with(expected), "{answer:?}: {fault}");
        }
        // A port that was free a moment ago.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut source = scrape(&format!("http://{free}/#up"));
        assert!(source.read(&|| false).unwrap_err().starts_with("failed ("));
    }
}
