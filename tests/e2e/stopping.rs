//! Every command that serves, as a process: it says where it is, is watched on its private listener, and stops in time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use doorstep_maps::generate;

/// A hang fails the test; nothing is timed by it.
const HANG: Duration = Duration::from_secs(60);
/// What service managers wait at least before they kill.
const STOPS_WITHIN: Duration = Duration::from_secs(10);

/// A process that serves, killed with the test.
pub(crate) struct Process {
    child: Child,
    /// Its lines on both outputs, as they come.
    lines: mpsc::Receiver<String>,
}

impl Process {
    pub(crate) fn start(folder: &Path, arguments: &str) -> Self {
        let temporary = folder.join("tmp");
        std::fs::create_dir_all(&temporary).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_doorstep"))
            .args(arguments.split_whitespace())
            .current_dir(folder)
            .env("TMPDIR", &temporary)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, lines) = mpsc::channel();
        forward(child.stdout.take().unwrap(), said.clone());
        forward(child.stderr.take().unwrap(), said);
        Self { child, lines }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The address behind `prefix` in a line to come.
    pub(crate) fn address(&self, prefix: &str) -> SocketAddr {
        let deadline = Instant::now() + HANG;
        let mut before = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self
                .lines
                .recv_timeout(left)
                .unwrap_or_else(|_| panic!("no line with {prefix:?} after {before:#?}"));
            if let Some((_, rest)) = line.split_once(prefix) {
                let end = |c: char| !(c.is_ascii_digit() || c == '.' || c == ':');
                let address = rest.split(end).next().unwrap().trim_end_matches('.');
                return address.parse().unwrap_or_else(|_| panic!("{line}"));
            }
            before.push(line);
        }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// How it ended, and how long it took.
    fn wait(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, began.elapsed());
            }
            assert!(began.elapsed() < HANG, "it does not end");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends the signal; it has to end well and in time.
    fn stops_on(mut self, signal: &str, what: &str) {
        self.signal(signal);
        let (status, took) = self.wait();
        let said: Vec<String> = self.lines.try_iter().collect();
        assert_eq!(status.code(), Some(0), "{what} on {signal}: {said:#?}");
        assert!(
            took < STOPS_WITHIN,
            "{what} took {took:?} on {signal}: {said:#?}"
        );
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn forward(stream: impl Read + Send + 'static, said: mpsc::Sender<String>) {
    thread::spawn(move || {
        // Goes on reading when nobody wants the lines, so that the process never waits for a full pipe.
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            drop(said.send(line));
        }
    });
}

fn city(folder: &Path) {
    generate(5, 400, &folder.join("city.osm.pbf")).unwrap();
}

/// What a control plane needs beside its arguments.
fn secrets(folder: &Path) {
    std::fs::write(folder.join("gateway.secret"), "a secret of the tests").unwrap();
    let token = Command::new(env!("CARGO_BIN_EXE_doorstep"))
        .args(["token", "--audience", "admin", "--subject", "ops"])
        .args(["--key-file", "token.key", "--generate"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(token.status.success(), "{token:?}");
    std::fs::write(folder.join("admin.token"), token.stdout).unwrap();
}

const CONTROL_PLANE: &str = "control-plane --listen 127.0.0.1:0 --private-listen 127.0.0.1:0 \
    --dispatch http://127.0.0.1:9 --gateway-url http://127.0.0.1:9 --gateway-secret gateway.secret --token-key token.key";

fn ask(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Connections that a server must not wait for: a half-sent head, a half-sent body, one that rests.
fn dawdle(address: SocketAddr) -> Vec<TcpStream> {
    let starts = [
        "GET /healthz HT",
        "POST /isochrone HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
        "POST /v1/customers HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
        "GET /city/stream HTTP/1.1\r\nhost: x\r\n\r\n",
        "",
    ];
    starts
        .iter()
        .map(|start| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(start.as_bytes()).unwrap();
            stream
        })
        .collect()
}

#[test]
fn a_control_plane_stops_in_time_on_either_signal() {
    let folder = tempfile::tempdir().unwrap();
    secrets(folder.path());
    for signal in ["-TERM", "-INT"] {
        let process = Process::start(folder.path(), CONTROL_PLANE);
        let private = process.address("private on http://");
        let public = process.address("control plane on http://");
        let ready = ask(private, "/readyz");
        assert!(ready.starts_with("HTTP/1.1 200 "), "{ready}");
        assert!(ask(public, "/openapi.json").contains("\"openapi\":\"3."));
        let figures = ask(private, "/metrics");
        assert!(
            figures.contains("route=\"/openapi.json\",status=\"2xx\"} 1"),
            "{figures}"
        );
        assert!(
            !ask(public, "/metrics").starts_with("HTTP/1.1 200 "),
            "figures are private"
        );
        let open = dawdle(public);
        process.stops_on(signal, "control-plane");
        drop(open);
    }
}

#[test]
fn dispatch_stops_in_time_on_either_signal() {
    let folder = tempfile::tempdir().unwrap();
    city(folder.path());
    secrets(folder.path());
    for signal in ["-TERM", "-INT"] {
        let process = Process::start(
            folder.path(),
            "dispatch --map city.osm.pbf --quic 127.0.0.1:0 --grpc 127.0.0.1:0 --private-listen 127.0.0.1:0 \
             --journal journal --token-key token.key",
        );
        let private = process.address("private on http://");
        let grpc = process.address("grpc ");
        let ready = ask(private, "/readyz");
        assert!(ready.starts_with("HTTP/1.1 200 "), "{ready}");
        assert!(ask(private, "/metrics").contains("doorstep_process_uptime_seconds "));
        let open = dawdle(grpc);
        process.stops_on(signal, "dispatch");
        drop(open);
    }
}

#[test]
fn route_server_and_map_view_stop_in_time_on_either_signal() {
    let folder = tempfile::tempdir().unwrap();
    city(folder.path());
    for command in ["route-server --map city.osm.pbf", "map view city.osm.pbf"] {
        for signal in ["-TERM", "-INT"] {
            let process = Process::start(
                folder.path(),
                &format!("{command} --listen 127.0.0.1:0 --private-listen 127.0.0.1:0"),
            );
            let private = process.address("private on http://");
            let public = process.address("on http://");
            assert!(ask(private, "/readyz").starts_with("HTTP/1.1 200 "));
            assert!(ask(public, "/nearest/v1/car/0,0").contains("\"code\""));
            let open = dawdle(public);
            process.stops_on(signal, command);
            drop(open);
        }
    }
}

#[test]
fn a_demo_stops_in_time_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    city(folder.path());
    for signal in ["-TERM", "-INT"] {
        let process = Process::start(
            folder.path(),
            "demo --map city.osm.pbf --drivers 5 --orders-per-hour 60 --listen 127.0.0.1:0",
        );
        let public = process.address("http://");
        let open = dawdle(public);
        let kept = || {
            std::fs::read_dir(folder.path().join("tmp"))
                .unwrap()
                .count()
        };
        assert_eq!(kept(), 1, "the database and the journal");
        process.stops_on(signal, "demo");
        assert_eq!(kept(), 0, "left in the temporary folder");
        drop(open);
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    secrets(folder.path());
    let mut process = Process::start(folder.path(), CONTROL_PLANE);
    let private = process.address("private on http://");
    let public = process.address("control plane on http://");
    let open = dawdle(public);
    process.signal("-TERM");
    // The first is at work once it is not ready any more.
    let deadline = Instant::now() + HANG;
    while !ask(private, "/readyz").starts_with("HTTP/1.1 503 ") {
        assert!(Instant::now() < deadline, "it is still ready");
    }
    process.signal("-TERM");
    let (status, took) = process.wait();
    assert_eq!(status.code(), Some(130));
    assert!(took < Duration::from_secs(4), "{took:?}");
    drop(open);
}

#[test]
fn logs_carry_no_colour_into_files_and_can_be_json() {
    let folder = tempfile::tempdir().unwrap();
    secrets(folder.path());
    for (format, is_json) in [("text", false), ("json", true)] {
        let arguments = format!("{CONTROL_PLANE} --log-format {format}");
        let process = Process::start(folder.path(), &arguments);
        let _ = process.address("control plane on http://");
        let logged = process.lines.recv_timeout(HANG).unwrap();
        assert!(!logged.contains('\u{1b}'), "{logged:?}");
        let parsed = serde_json::from_str::<serde_json::Value>(&logged);
        assert_eq!(parsed.is_ok(), is_json, "{logged}");
        process.stops_on("-TERM", "control-plane");
    }
}

/// Resident memory of a process in bytes.
fn resident(id: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let kib: usize = line.trim().trim_end_matches(" kB").trim().parse().unwrap();
    kib * 1024
}

fn text_of(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

/// Sends a request and reads until `end` has come.
fn until(stream: &mut TcpStream, request: &str, end: &str) -> String {
    stream.set_read_timeout(Some(HANG)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut read = String::new();
    let mut buffer = [0; 8_192];
    while !read.contains(end) {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "closed after {read}");
        read.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    read
}

/// `DOORSTEP_FULL=1` opens ten thousand of each instead of one thousand.
#[test]
fn connections_that_rest_cost_little_memory() {
    let count = if std::env::var_os("DOORSTEP_FULL").is_some() {
        9_500
    } else {
        1_000
    };
    let folder = tempfile::tempdir().unwrap();
    secrets(folder.path());
    // Each connection comes from an address of its own, as far as the limits know.
    let process = Process::start(
        folder.path(),
        &format!("{CONTROL_PLANE} --trusted-proxy 127.0.0.1"),
    );
    let public = process.address("control plane on http://");
    let token = text_of(&folder.path().join("admin.token"));
    let new = "{\"name\":\"Quiet\",\"lat\":41.15,\"lng\":-8.61,\"menu\":[{\"name\":\"Soup\",\"price_minor\":500}]}";
    let head = format!(
        "POST /v1/restaurants HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{new}",
        new.len()
    );
    let made = until(&mut TcpStream::connect(public).unwrap(), &head, "}");
    assert!(made.starts_with("HTTP/1.1 201 "), "{made}");
    let id = made
        .split("\"restaurant_id\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let inbox = format!(
        "GET /v1/restaurants/{id}/inbox HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    let rests = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n".to_owned();
    for (what, request, end, most) in [
        ("keep-alive connection", rests, "\r\n\r\nok", 25_000),
        ("event stream", inbox, "text/event-stream", 25_000),
    ] {
        // The first few pay for what all share.
        let mut open: Vec<TcpStream> = Vec::new();
        let connect = |open: &mut Vec<TcpStream>| {
            let mut stream = TcpStream::connect(public).unwrap();
            let from = open.len();
            let head = request.trim_end();
            let request = format!(
                "{head}\r\nx-forwarded-for: 10.0.{}.{}\r\n\r\n",
                from / 250,
                from % 250
            );
            until(&mut stream, &request, end);
            open.push(stream);
        };
        (0..50).for_each(|_| connect(&mut open));
        let before = resident(process.id());
        (0..count).for_each(|_| connect(&mut open));
        let each = resident(process.id()).saturating_sub(before) / count;
        println!("{count} of {what}: {each} bytes each");
        assert!(each <= most, "{each} bytes for each {what}");
    }
    process.stops_on("-TERM", "control-plane");
}
