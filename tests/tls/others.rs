//! Servers of others: nginx, OpenSSL's and Python's. Where one is missing, that is said.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Site;
use crate::support::{Blast, Certified, Document, Folder, LIMIT, beside_others, skipped};

const ENGINES: [&str; 3] = crate::support::ENGINES;

/// A program that listens; killed at the end.
struct Foreign {
    child: Child,
    address: SocketAddr,
}

impl Foreign {
    /// `None`, and said so, where this host has no such program. `words` are given the port.
    fn start(program: &str, words: impl Fn(u16) -> Vec<String>, folder: &Path) -> Option<Foreign> {
        // Between the look for a port and its use somebody else may take it.
        for _ in 0..10 {
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let mut command = Command::new(program);
            command.args(words(address.port())).current_dir(folder).stdin(Stdio::piped());
            let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            let Ok(child) = child else {
                skipped(&format!("https against {program}"), "this host has none");
                return None;
            };
            let mut foreign = Foreign { child, address };
            if foreign.listens() {
                return Some(foreign);
            }
        }
        skipped(&format!("https against {program}"), "it did not start");
        None
    }

    fn listens(&mut self) -> bool {
        let start = Instant::now();
        while start.elapsed() < LIMIT / 3 && matches!(self.child.try_wait(), Ok(None)) {
            if TcpStream::connect(self.address).is_ok() {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}/{path}", self.address)
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // SAFETY: signals our own child, which has not been waited for. nginx takes its worker
        // with it when it is asked, and not when it is killed.
        unsafe { libc::kill(self.child.id() as i32, libc::SIGTERM) };
        let start = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && start.elapsed() < Duration::from_secs(2)
        {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a server of these needs: files for its certificate and its key.
fn files(folder: &Folder, certified: &Certified) {
    folder.file("cert.pem", certified.pem());
    folder.file("key.pem", &certified.key_pem);
}

fn openssl(folder: &Folder, words: &str) -> Option<Foreign> {
    let words = |port: u16| {
        let all =
            format!("s_server -accept 127.0.0.1:{port} -cert cert.pem -key key.pem -quiet {words}");
        all.split_whitespace().map(String::from).collect()
    };
    Foreign::start("openssl", words, folder.path())
}

fn all_good(document: &Document, requests: u64) {
    assert_eq!(document.fates(["sent", "good"]), [requests; 2], "{}", document.at("failures"));
    assert_eq!(document.counts("statuses"), [("200", requests)].into());
    assert!(document.counts("connections.failures").is_empty());
}

const NGINX: &str = "
daemon off; pid nginx.pid; error_log error.log; worker_processes 1;
events { worker_connections 256; }
http {
  access_log access.log; client_body_temp_path body; proxy_temp_path proxy;
  fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  keepalive_requests 15; ssl_session_cache builtin:1000;
  server {
    listen 127.0.0.1:PORT ssl;
    ssl_certificate cert.pem; ssl_certificate_key key.pem; ssl_protocols TLSv1.2 TLSv1.3;
    location = / { return 200 hello; }
    location / { root .; }
  }
}";

fn nginx(folder: &Folder) -> Option<Foreign> {
    let words = |port: u16| {
        let path = folder.file("nginx.conf", NGINX.replace("PORT", &port.to_string()));
        let prefix = folder.path().display().to_string();
        ["-p", &prefix, "-e", "start.log", "-c", path.to_str().unwrap()].map(String::from).into()
    };
    Foreign::start("nginx", words, folder.path())
}

#[test]
fn nginx_is_served_in_each_version_and_closes_now_and_then() {
    beside_others(|| {
        let site = Site::new();
        files(&site.folder, &site.certified);
        site.folder.file("large", vec![b'x'; 300_000]);
        let Some(server) = nginx(&site.folder) else { return };
        let mut heard = 0;
        for engine in ENGINES {
            for (version, path, requests) in
                [("1.2", "", 80), ("1.3", "", 80), ("1.3", "large", 20)]
            {
                let flags = format!("-c 4 -n {requests} --tls-min {version} --tls-max {version}");
                let document = site.blast(engine, &server.url(path)).args(&flags).document();
                // nginx closes each connection after fifteen, and says so in the answer.
                all_good(&document, requests);
                assert_eq!(document.text("tls.version"), format!("TLSv{version}"));
                heard += requests;
            }
            let flags = "-c 4 -n 20 --no-keepalive --tls-resumption on";
            let document = site.blast(engine, &server.url("")).args(flags).document();
            all_good(&document, 20);
            assert!(document.count("tls.resumed_handshake.count") >= 15);
            heard += 20;
        }
        let mut log = String::new();
        let path = site.folder.path().join("access.log");
        let lines = || {
            log.clear();
            std::fs::File::open(&path).unwrap().read_to_string(&mut log).unwrap();
            log.lines().count()
        };
        until(lines, heard as usize);
    });
}

/// What was answered is written down a little later.
fn until(mut count: impl FnMut() -> usize, expected: usize) {
    let start = Instant::now();
    while count() < expected && start.elapsed() < LIMIT / 3 {
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(count(), expected);
}

#[test]
fn openssl_s_server_is_served_in_each_version() {
    beside_others(|| {
        let site = Site::new();
        files(&site.folder, &site.certified);
        for version in ["1_2", "1_3"] {
            let Some(server) = openssl(&site.folder, &format!("-www -tls{version}")) else {
                return;
            };
            for engine in ENGINES {
                // A body to the end of the connection, of HTTP/1.0.
                let document = site.blast(engine, &server.url("")).args("-c 1 -n 10").document();
                all_good(&document, 10);
                let expected = format!("TLSv{}", version.replace('_', "."));
                assert_eq!(document.text("tls.version"), expected);
            }
        }
    });
}

#[test]
fn a_server_of_tls_1_1_alone_has_no_version_in_common() {
    beside_others(|| {
        let site = Site::new();
        files(&site.folder, &site.certified);
        let words = "-www -tls1_1 -cipher DEFAULT:@SECLEVEL=0";
        let Some(server) = openssl(&site.folder, words) else { return };
        for engine in ENGINES {
            let run = site.blast(engine, &server.url("")).run();
            assert_eq!(run.code(), Some(1), "{run:?}");
            let sentence = run.complaint();
            assert!(
                sentence.contains("(tls_handshake): it and blast have no version"),
                "{sentence}"
            );
        }
    });
}

/// Makes a certificate as nobody should any more, `cert.pem`, and `ca.pem` to trust it by.
fn weak(folder: &Folder, key: &str, digest: &str) -> bool {
    let make = |name: &str, words: &str| {
        let all = format!("req -x509 -nodes -days 2 -keyout {name}.key -out {name}.pem {words}");
        let mut command = Command::new("openssl");
        command.args(all.split_whitespace()).current_dir(folder.path());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let of_server = format!(
        "-subj /CN=weak -newkey rsa:{key} -{digest} -CA ca.pem -CAkey ca.key \
         -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE"
    );
    let made = make("ca", "-subj /CN=strong -newkey rsa:2048") && make("cert", &of_server);
    if !made {
        skipped("a weak certificate", "no openssl on this host makes one");
    }
    made && std::fs::rename(folder.path().join("cert.key"), folder.path().join("key.pem")).is_ok()
}

#[test]
fn a_weak_key_or_digest_of_a_certificate_is_told_as_such() {
    beside_others(|| {
        for (key, digest) in [("1024", "sha256"), ("2048", "sha1")] {
            let folder = Folder::new();
            if !weak(&folder, key, digest) {
                return;
            }
            let words = "-www -cipher DEFAULT:@SECLEVEL=0";
            let Some(server) = openssl(&folder, words) else { return };
            let roots = folder.path().join("ca.pem");
            for engine in ENGINES {
                let blast = Blast::calm(engine, &server.url("")).arg("--cacert");
                let run = blast.arg(roots.to_str().unwrap()).run();
                assert_eq!(run.code(), Some(1), "{run:?}");
                let sentence = run.complaint();
                assert!(sentence.contains("(tls_certificate): "), "{key} {digest}: {sentence}");
                assert!(sentence.contains("too weak"), "{key} {digest}: {sentence}");
            }
        }
    });
}

const PYTHON: &str = "
import http.server, ssl, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('cert.pem', 'key.pem')
server = http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
";

#[test]
fn python_s_server_is_served_and_counted() {
    beside_others(|| {
        let site = Site::new();
        files(&site.folder, &site.certified);
        site.folder.file("page", vec![b'x'; 20_000]);
        site.folder.file("server.py", PYTHON);
        let words = |port: u16| vec!["server.py".to_string(), port.to_string()];
        let Some(server) = Foreign::start("python3", words, site.folder.path()) else { return };
        for engine in ENGINES {
            for (version, flags) in [("1.2", "--tls-max 1.2"), ("1.3", "--no-keepalive")] {
                let blast = site.blast(engine, &server.url("page")).args("-c 2 -n 12").args(flags);
                let document = blast.document();
                all_good(&document, 12);
                assert_eq!(document.text("tls.version"), format!("TLSv{version}"));
                assert!(document.count("bytes.received") > 12 * 20_000);
            }
        }
    });
}
