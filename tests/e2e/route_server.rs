//! `doorstep route-server` and the page of `doorstep map view`, as processes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use doorstep_maps::generate;

use crate::page::browser::{Browser, Page};

/// A server on a made-up city, ended with the test.
struct Served {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Served {
    fn start(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let map = folder.path().join("city.osm.pbf");
        generate(5, 2_000, &map).unwrap();
        let args = args.iter().map(|&arg| match arg {
            "MAP" => map.to_str().unwrap(),
            other => other,
        });
        let mut child = Command::new(env!("CARGO_BIN_EXE_doorstep"))
            .args(args)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let address = line.rsplit("http://").next().unwrap().trim().to_owned();
        Self {
            child,
            address,
            _folder: folder,
        }
    }

    fn get(&self, target: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {target} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn the_route_server_serves_until_it_is_asked_to_stop() {
    let mut served = Served::start(&["route-server", "--map", "MAP", "--profile", "car"]);
    assert!(served.get("/healthz").ends_with("ok"));
    let answer = served.get("/route/v1/driving/0,0;1,1?overview=false");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains(r#""code":"NoSegment""#), "{answer}");
    let asked = Command::new("kill")
        .args(["-TERM", &served.child.id().to_string()])
        .status()
        .unwrap();
    assert!(asked.success());
    assert!(served.child.wait().unwrap().success());
}

/// Two clicks on the map, then another vehicle, then how far one gets.
fn use_page(page: &mut Page<'_>, width: u32, what: &str) {
    page.wait_until("document.getElementById('map-note').hidden");
    page.wait_until("document.getElementById('attribution').textContent.length > 3");
    let across = width.min(1000);
    page.click(across * 2 / 5, 150);
    page.wait_until("document.getElementById('from').value !== ''");
    page.click(across * 3 / 5, 260);
    page.wait_until(
        "[...document.querySelectorAll('.profile .time')].every((time) => time.textContent !== '–')",
    );
    page.wait_until("document.querySelectorAll('#steps .turn').length >= 2");
    page.eval("document.querySelector('.profile input[value=foot]').click()");
    page.eval("document.getElementById('reach').click()");
    page.wait_until("location.hash.includes('profile=foot') && location.hash.includes('reach')");
    page.wait_until("document.getElementById('note').textContent === ''");
    let overflow = page.eval("document.documentElement.scrollWidth - window.innerWidth");
    assert!(
        overflow.as_i64().is_some_and(|pixels| pixels <= 0),
        "{what}: {overflow} px too wide"
    );
    let unnamed = page.eval(
        "[...document.querySelectorAll('button, input')].filter((control) => \
         !(control.textContent.trim() || control.ariaLabel || control.labels?.length)).length",
    );
    assert_eq!(unnamed, 0, "{what}: controls without a name");
    let complaints = page.complaints();
    assert!(complaints.is_empty(), "{what}: {complaints:#?}");
}

#[test]
fn two_clicks_show_the_ways_in_a_browser() {
    let Some(mut browser) = Browser::start() else {
        let required = std::env::var("DOORSTEP_REQUIRE_ALL").is_ok_and(|value| value == "1");
        assert!(!required, "no Chromium; apt-get install chromium");
        // Past the capture of the test runner, so that a person sees it.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: no Chromium; apt-get install chromium"
        );
        return;
    };
    let served = Served::start(&["map", "view", "MAP"]);
    let url = format!("http://{}/", served.address);
    for (width, height, scheme) in [(1440, 900, "light"), (390, 844, "dark")] {
        let mut page = browser.open(&url, width, height, scheme);
        use_page(&mut page, width, &format!("{width}×{height} {scheme}"));
    }
}
