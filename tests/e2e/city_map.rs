//! The city view of `doorstep control-plane` has the map that `--map` names.

use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::maps::doorstep;

/// A control plane without dispatch and gateway: enough for its page. Ended with the test.
struct ControlPlane {
    child: Child,
    address: String,
    token: String,
}

impl ControlPlane {
    fn start(folder: &Path, map: Option<&Path>) -> Self {
        let path = |name: &str| folder.join(name).display().to_string();
        let (key, secret) = (path("key"), path("secret"));
        fs::write(&secret, "secret").unwrap();
        let token = doorstep(&[
            "token",
            "--audience",
            "admin",
            "--subject",
            "operator",
            "--key-file",
            &key,
            "--generate",
        ]);
        let token = String::from_utf8(token.stdout).unwrap().trim().to_owned();
        let mut child = Command::new(env!("CARGO_BIN_EXE_doorstep"))
            .args(["control-plane", "--listen", "127.0.0.1:0"])
            .args(["--gateway-url", "http://127.0.0.1:9", "--gateway-secret"])
            .args([&secret, "--token-key", &key, "--database"])
            .arg(format!("sqlite://{}", path("orders.db")))
            .args(map.iter().flat_map(|map| [Path::new("--map"), *map]))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, rest) = line.split_once("http://")?;
                Some(rest.split([',', '/', ' ']).next()?.to_owned())
            })
            .unwrap();
        Self {
            child,
            address,
            token,
        }
    }

    /// Status line and body.
    fn get(&self, target: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {target} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
            self.address, self.token
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn the_city_view_of_a_server_has_the_map_that_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let extract = folder.path().join("city.osm.pbf");
    let archive = folder.path().join("city.road");
    doorstep_maps::generate(7, 300, &extract).unwrap();
    let output = doorstep(&[
        "map",
        "import",
        "--roads-only",
        extract.to_str().unwrap(),
        "-o",
        archive.to_str().unwrap(),
    ]);
    assert!(output.status.success());
    for (map, has_features) in [(&extract, true), (&archive, false)] {
        let server = ControlPlane::start(folder.path(), Some(map));
        let (status, body) = server.get("/city/map.json");
        assert!(status.contains("200"), "{status}: {body}");
        let drawing: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(drawing["has_features"], has_features);
        assert!(!drawing["classes"].as_array().unwrap().is_empty());
        let (_, page) = server.get("/");
        assert!(page.contains(drawing["attribution"].as_str().unwrap()));
    }
    let (status, _) = ControlPlane::start(folder.path(), None).get("/city/map.json");
    assert!(status.contains("404"), "{status}");
}
