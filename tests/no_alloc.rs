//! The workers of the ring engine allocate nothing between the start barrier and the end of
//! measure. A binary of its own, since it replaces the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use blast::metrics::Summary;
use blast::plan::{Expected, GroupBy, Law, Load, Offered, Plan, Rate, Shape, Url, Wait, Warmup};
use blast::target::{Behaviour, Options, Target};
use blast::{Nanos, engine, http, time};

/// Times of the workers' allocations, the first so many.
const NOTES: usize = 65_536;
static NOTED: [AtomicU64; NOTES] = [const { AtomicU64::new(0) }; NOTES];
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The notes are of one run at a time.
static ONE: Mutex<()> = Mutex::new(());

struct Noting;

#[global_allocator]
static ALLOCATOR: Noting = Noting;

// SAFETY: everything is passed on to the system's allocator; the noting allocates nothing.
unsafe impl GlobalAlloc for Noting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        // SAFETY: passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Notes the time if the calling thread is a worker.
fn note() {
    let mut name = [0u8; 16];
    // SAFETY: PR_GET_NAME writes at most 16 bytes.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    if name.starts_with(b"blast-worker") {
        let index = COUNT.fetch_add(1, SeqCst);
        if let Some(slot) = NOTED.get(index) {
            slot.store(time::now().0, SeqCst);
        }
    }
}

fn plan(address: SocketAddr, load: &Load, warmup: Nanos) -> Plan {
    let url = Url::parse(&format!("http://{address}/")).unwrap();
    let request = http::Request::new("GET", "/", &address.to_string());
    Plan {
        load: load.clone(),
        connections: 50,
        threads: Some(1),
        warmup: Warmup::For(warmup),
        duration: Some(load.shape().map_or(Nanos::from_millis(2_500), Shape::length)),
        wait: Wait::Block,
        ..Plan::new(url, request)
    }
}

/// The workers' allocations before measure and within it.
fn allocations(summary: &Summary) -> (usize, usize) {
    let wall = summary.started_at.duration_since(UNIX_EPOCH).unwrap();
    let ago = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() - wall;
    // A little inside: the two clocks are not read at the same instant.
    let margin = Duration::from_millis(2);
    let start = time::now() - Nanos::from(ago) + Nanos::from(margin);
    let end = start + summary.measured - Nanos::from(margin * 2);
    let count = COUNT.load(SeqCst);
    assert!(count < NOTES, "{count} allocations are more than can be noted");
    let noted = || NOTED[..count].iter().map(|slot| Nanos(slot.load(SeqCst)));
    (
        noted().filter(|at| *at < start).count(),
        noted().filter(|at| (start..end).contains(at)).count(),
    )
}

#[test]
fn a_worker_of_the_ring_engine_allocates_nothing_while_it_measures() {
    let _alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let target = Target::start(Options::default()).unwrap();
    let rate = Load::steady(Rate::per_second(5_000));
    let ms = Nanos::from_millis;
    let levels = [(ms(400), 3_000), (ms(700), 9_000), (ms(400), 9_000)];
    let ramp = Shape::to_levels(0, &levels).unwrap();
    let poisson = Law::Poisson { seed: 1 };
    let users = Shape::to_levels(4, &[(ms(800), 16), (ms(700), 8)]).unwrap();
    for (load, warmup) in [
        (rate.clone(), Nanos::ZERO),
        (rate, ms(700)),
        (Load::Open(Offered::shaped(ramp, Nanos::from_secs(1), poisson).unwrap()), Nanos::ZERO),
        (Load::CLOSED, Nanos::ZERO),
        (Load::Closed { users: Some(users) }, Nanos::ZERO),
    ] {
        COUNT.store(0, SeqCst);
        let summary = engine::run(&plan(target.address(), &load, warmup), &mut |_| {}).unwrap();
        assert!(summary.audit.ok() && summary.measure.counters.good > 1_000);
        let (before, within) = allocations(&summary);
        // The worker makes its ring, buffers and histograms: the noting works.
        assert!(before > 10, "{before}");
        assert_eq!(within, 0, "{load:?}");
    }
}

#[test]
fn nor_does_one_that_looks_through_the_bodies() {
    let _alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let target = Target::start(Options::default()).unwrap();
    let pattern = http::Pattern::parse("/no such (thing|body)/").unwrap();
    let expected = Expected { body: Some(pattern.into()), ..Expected::default() };
    let load = Load::steady(Rate::per_second(5_000));
    let plan = Plan { expected, ..plan(target.address(), &load, Nanos::ZERO) };
    COUNT.store(0, SeqCst);
    let summary = engine::run(&plan, &mut |_| {}).unwrap();
    assert!(summary.audit.ok() && summary.measure.counters.rejected() > 1_000);
    assert_eq!(allocations(&summary).1, 0);
}

#[test]
fn nor_does_one_that_tells_answers_apart_by_a_header() {
    let _alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let target = Target::start(Options::default()).unwrap();
    let group_by = Some(GroupBy::parse("header:Content-Length").unwrap());
    for load in [Load::steady(Rate::per_second(5_000)), Load::CLOSED] {
        let group_by = group_by.clone();
        let duration = Some(Nanos::from_millis(800));
        let plan = Plan { group_by, duration, ..plan(target.address(), &load, Nanos::ZERO) };
        COUNT.store(0, SeqCst);
        let summary = engine::run(&plan, &mut |_| {}).unwrap();
        let groups = summary.groups.as_ref().unwrap();
        assert!(summary.audit.ok() && groups.completed() > 1_000);
        assert_eq!((groups.rows.len(), groups.rows[0].value.kind()), (1, "value"));
        assert_eq!(allocations(&summary).1, 0);
    }
}

#[test]
fn nor_does_a_worker_whose_requests_and_connections_fail() {
    let _alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let behaviour = Behaviour { unanswered: Some(50), ..Behaviour::default() };
    let target = Target::start(Options { behaviour, ..Options::default() }).unwrap();
    let load = Load::steady(Rate::per_second(2_000));
    // No warm-up: the first failures, which are kept, are in measure.
    let timeout = Nanos::from_millis(100);
    let plan = Plan { timeout, ..plan(target.address(), &load, Nanos::ZERO) };
    COUNT.store(0, SeqCst);
    let summary = engine::run(&plan, &mut |_| {}).unwrap();
    assert!(summary.audit.ok());
    let timeouts = summary.measure.counters.failures[blast::Kind::Timeout as usize];
    assert!(timeouts >= 50 && summary.connections.reopened >= 50, "{timeouts}");
    assert_eq!(summary.examples.len(), 5);
    assert_eq!(allocations(&summary).1, 0);
}

/// Five requests of which each draws eight values, one of them from a file.
const MIX: &str = r#"
[data.users]
file = "users.csv"
[[requests]]
path = "/plain?a={{int 1 9}}&b={{hex 8}}"
weight = 3
headers = { X-C = "{{string 9}}", X-D = "{{uuid}}", X-E = "{{data.users.name}}", X-F = "{{seq}}", X-G = "{{now rfc3339}}", X-H = "{{float 0 1 3}}" }
[[requests]]
method = "POST"
path = "/update"
weight = 2
headers = { X-API-Key = "k" }
json = { field1 = "{{float 0 100 2}}", field2 = "{{int 1 5}}", field3 = "{{choice a 'b c' d}}", field4 = "{{string 5}}", field5 = "{{data.users.name}}", field6 = "{{hex 6}}", field7 = "{{now unix_ms}}", field8 = "{{seq}}" }
checks = [{ name = "ok", json = "/ok", equals = true }]
[[requests]]
path = "/form"
form = { a = "{{int 1 9}}", b = "{{uuid}}", c = "{{string 3}}", d = "{{float 0 1 3}}", e = "{{data.users.name}}", f = "{{seq}}", g = "{{hex 2}}", h = "{{choice x y}}" }
[[requests]]
path = "/part"
multipart = [ { name = "a", value = "{{int 1 9}} {{string 2}} {{hex 2}} {{seq}} {{uuid}} {{float 0 1 2}}" }, { name = "b", value = "{{data.users.name}} {{choice x y}}" } ]
[[requests]]
path = "/text"
body = "{{int 1 9}} {{string 2}} {{hex 2}} {{seq}} {{uuid}} {{float 0 1 2}} {{choice x y}} {{now unix}}"
"#;

/// Users who log in in each round, so that what they capture and their cookies change, and think.
const USERS: &str = r#"
[data.users]
file = "users.csv"
[[requests]]
name = "login"
path = "/login"
json = { user = "user-{{int 100 999}}", password = "{{data.users.name}}" }
capture = { token = { json = "/token" }, again = { cookie = "session" }, all = { regex = "\"token\": ?\"([^\"]+)" }, type = { header = "Content-Type" } }
[[requests]]
name = "items"
path = "/api/items?x={{capture.all}}"
headers = { Authorization = "Bearer {{capture.token}}" }
checks = [ { name = "five", json = "/items/4/id", equals = 5 }, { name = "typed", header = "Content-Type", contains = "json" }, { name = "text", contains = "item 3" }, { name = "like", regex = "item \\d" } ]
[session]
think = "exp 4ms"
steps = [ "login", { request = "items", repeat = "1..3", probability = 0.9 } ]
"#;

/// After a while, in which buffers find their sizes.
#[test]
fn nor_does_a_worker_whose_requests_vary_and_whose_users_remember() {
    let _alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let target = Target::start(Options { app: true, ..Options::default() }).unwrap();
    let folder = std::env::temp_dir().join(format!("blast-no-alloc-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("users.csv"), "name\nann\n\"b \"\"e\"\"\"\n100 % ü\n").unwrap();
    for (text, load, least) in
        [(MIX, "-c 50", 1_000), (MIX, "-c 50 -R 3000", 1_000), (USERS, "-c 50", 500)]
    {
        let file = folder.join("plan.toml");
        std::fs::write(&file, text).unwrap();
        let fixed = "-t 1 --wait block --engine ring --warmup 1500ms -d 1200ms";
        let url = format!("http://{}", target.address());
        let words = ["blast", "run", file.to_str().unwrap(), "--host", &url].map(String::from);
        let more = [load, fixed].map(|words| words.split(' ')).into_iter().flatten();
        let words: Vec<std::ffi::OsString> =
            words.into_iter().chain(more.map(String::from)).map(Into::into).collect();
        let plan = blast::cli::plan_of_file(&words).unwrap();
        COUNT.store(0, SeqCst);
        let summary = engine::run(&plan, &mut |_| {}).unwrap();
        let counters = &summary.measure.counters;
        assert!(summary.audit.ok() && counters.good > least, "{load}: {}", counters.good);
        assert_eq!(counters.completed, counters.good, "{:?}", counters.statuses().next());
        let (before, within) = allocations(&summary);
        assert!(before > 10, "{before}");
        assert_eq!(within, 0, "{load} {text}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Answers each request over TLS; a thread a connection.
#[cfg(feature = "tls")]
fn secure_server() -> SocketAddr {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let made = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
    let certificate = CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes()).unwrap();
    let provider = rustls::crypto::ring::default_provider();
    let builder = rustls::ServerConfig::builder_with_provider(provider.into());
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = std::sync::Arc::new(builder.with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tls = rustls::ServerConnection::new(config.clone()).unwrap();
            std::thread::spawn(move || {
                let mut stream = BufReader::new(rustls::StreamOwned::new(tls, stream));
                let mut line = String::new();
                while stream.read_line(&mut line).is_ok_and(|length| length > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                    if line == "\r\n" && stream.get_mut().write_all(answer).is_err() {
                        return;
                    }
                    line.clear();
                }
            });
        }
    });
    address
}

/// After the first request of each connection, with which its session is handed over.
#[cfg(feature = "tls")]
#[test]
fn nor_does_a_worker_that_speaks_tls() {
    let _alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let address = secure_server();
    let settings = blast::tls::Settings { insecure: true, ..blast::tls::Settings::new() };
    for load in [Load::steady(Rate::per_second(2_000)), Load::CLOSED] {
        let plan = Plan {
            url: Url::parse(&format!("https://{address}/")).unwrap(),
            tls: Some(settings.clone()),
            ..plan(address, &load, Nanos::from_millis(700))
        };
        COUNT.store(0, SeqCst);
        let summary = engine::run(&plan, &mut |_| {}).unwrap();
        assert!(summary.audit.ok() && summary.measure.counters.good > 500);
        let (before, within) = allocations(&summary);
        assert!(before > 10, "{before}");
        assert_eq!(within, 0, "{load:?}");
    }
}
