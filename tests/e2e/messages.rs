//! What commands say when something is wrong: what it is, and what to do; each cause once, and no colour in files.

use std::fs;
use std::io::{BufRead, BufReader, Read as _};
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};

use doorstep_routing::{Profile, Router};

use crate::maps::doorstep;

/// A folder with a made-up city.
struct Town {
    folder: tempfile::TempDir,
}

impl Town {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        doorstep_maps::generate(7, 300, &folder.path().join("city.osm.pbf")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        fs::write(self.folder.path().join(name), bytes).unwrap();
        self.path(name)
    }
}

/// Runs a command that must fail with this code; every text must be in what it says, and no part of it twice.
fn assert_says(arguments: &[&str], code: i32, expected: &[&str]) {
    let output = doorstep(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    for text in expected {
        assert!(said.contains(text), "{arguments:?}: no `{text}` in {said}");
    }
    assert!(
        !said.contains("panicked") && !said.contains('\u{1b}'),
        "{said}"
    );
    let parts: Vec<&str> = said.trim().split(": ").collect();
    for (index, part) in parts.iter().enumerate() {
        assert!(
            !parts[index + 1..].contains(part),
            "`{part}` is said twice: {said}"
        );
    }
}

/// The file's first blob, which is its header.
fn header_of(map: &str) -> Vec<u8> {
    let bytes = fs::read(map).unwrap();
    let length = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
    let second = bytes[4..]
        .windows(7)
        .position(|window| window == b"OSMData")
        .unwrap();
    assert!(second > length);
    // Before the name: four bytes of length, a tag and a length.
    bytes[..4 + second - 6].to_vec()
}

/// A file whose first block is compressed in another way: `field` is the tag of the blob's data.
fn compressed_otherwise(map: &str, field: u8) -> Vec<u8> {
    let blob = [&[0x10, 5, field, 5][..], b"bytes"].concat();
    let header = [
        &[0x0a, 7][..],
        b"OSMData",
        &[0x18, u8::try_from(blob.len()).unwrap()],
    ]
    .concat();
    let length = u32::try_from(header.len()).unwrap().to_be_bytes();
    [header_of(map), length.to_vec(), header, blob].concat()
}

/// Files that are no map, each with what has to be said about it.
fn foreign_files(town: &Town) -> Vec<(String, Vec<&'static str>)> {
    let city = town.path("city.osm.pbf");
    let whole = fs::read(&city).unwrap();
    let convert = "osmium cat";
    vec![
        (
            town.write("x.osm", b"<?xml version='1.0'?>\n<osm version=\"0.6\"/>"),
            vec!["XML", convert, "x.osm.pbf"],
        ),
        (
            town.write("y.osm.gz", &[0x1f, 0x8b, 8, 0, 0]),
            vec!["gzip", convert, "y.osm.pbf"],
        ),
        (
            town.write("z.osm.bz2", b"BZh91AY&SY"),
            vec!["bzip2", convert, "z.osm.pbf"],
        ),
        (
            town.write("page.osm.pbf", b"\n<!DOCTYPE html><html><body>404"),
            vec!["web page", "download"],
        ),
        (
            town.write("empty.osm.pbf", b""),
            vec!["empty", "download it again"],
        ),
        (
            town.write("text.osm.pbf", b"hello"),
            vec!["neither", "geofabrik"],
        ),
        (
            town.write("cut.osm.pbf", &whole[..whole.len() / 2]),
            vec!["byte ", "download may be incomplete"],
        ),
        (
            town.write("start.osm.pbf", &whole[..9]),
            vec!["byte 0", "download may be incomplete"],
        ),
        (
            town.write("lzma.osm.pbf", &compressed_otherwise(&city, 0x22)),
            vec!["lzma", convert, "pbf_compression=zlib"],
        ),
        (
            town.write("lz4.osm.pbf", &compressed_otherwise(&city, 0x32)),
            vec!["lz4", convert, "pbf_compression=zlib"],
        ),
        (
            town.write("zstd.osm.pbf", &compressed_otherwise(&city, 0x3a)),
            vec!["zstd", convert, "pbf_compression=zlib"],
        ),
        (
            town.folder.path().display().to_string(),
            vec!["is a folder", "city.osm.pbf"],
        ),
        (
            town.path("missing.osm.pbf"),
            vec!["cannot open", "No such file"],
        ),
    ]
}

#[test]
fn a_file_that_is_no_map_is_named_for_what_it_is() {
    let town = Town::new();
    let city = town.path("city.osm.pbf");
    let archive = town.path("city.road");
    assert!(
        doorstep(&["map", "import", &city, "-o", &archive])
            .status
            .success()
    );
    let output = town.path("out.road");
    for (file, expected) in foreign_files(&town) {
        let mut expected: Vec<&str> = expected;
        expected.push(&file);
        assert_says(&["map", "import", &file, "-o", &output], 1, &expected);
        assert_says(&["map", "inspect", &file], 1, &expected);
        assert!(!Path::new(&output).exists());
    }
    let already = ["already", "map view", archive.as_str()];
    assert_says(&["map", "import", &archive, "-o", &output], 1, &already);
}

#[test]
fn swapped_coordinates_are_noticed() {
    let town = Town::new();
    let city = town.path("city.osm.pbf");
    let archive = doorstep_maps::open_map(Path::new(&city)).unwrap();
    let router = Router::new(&archive, Profile::Scooter);
    let network = router.network();
    let mut reachable = network
        .nodes()
        .map(|node| network.node_at(node))
        .filter(|at| router.snap(*at).is_ok());
    let [from, to] = [reachable.next().unwrap(), reachable.last().unwrap()];
    let [right, there] = [from, to].map(|at| format!("{},{}", at.lat(), at.lng()));
    let wrong = format!("{},{}", from.lng(), from.lat());
    let file = town.write("swapped.csv", format!("lat,lng\n{wrong}\n").as_bytes());
    let hint = ["did you swap latitude and longitude?", right.as_str()];
    let map = ["--map", city.as_str()];
    for arguments in [
        &["route", &wrong, &there][..],
        &["route", &there, &wrong],
        &["nearest", &wrong],
        &["isochrone", &wrong, "--minutes", "5"],
        &["matrix", "--from", &file, "--to", &there],
    ] {
        let arguments = [arguments, &map[..]].concat();
        assert_says(&arguments, 1, &hint[..1]);
    }
    // Far from any road, and no better the other way round: no such hint.
    let output = doorstep(&["nearest", "--map", &city, "10,20"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("swap"));
    // A latitude that there is not.
    for arguments in [
        &["route", "121.5,25.0", &there][..],
        &["nearest", "121.5,25.0"],
    ] {
        let arguments = [arguments, &map[..]].concat();
        assert_says(&arguments, 2, &hint[..1]);
    }
}

#[test]
fn an_address_to_listen_on_has_a_form_and_may_be_taken() {
    let town = Town::new();
    let city = town.path("city.osm.pbf");
    let key = town.path("key");
    let made = doorstep(&[
        "token",
        "--audience",
        "admin",
        "--subject",
        "ops",
        "--key-file",
        &key,
        "--generate",
    ]);
    assert!(made.status.success());
    let secret = town.write("secret", b"secret");
    let database = format!("sqlite://{}", town.path("db"));
    let control_plane = [
        "control-plane",
        "--gateway-url",
        "http://127.0.0.1:9",
        "--gateway-secret",
        &secret,
        "--token-key",
        &key,
        "--database",
        &database,
    ];
    let dispatch = ["dispatch", "--map", &city, "--token-key", &key];
    let route_server = ["route-server", "--map", &city];
    let servers: [(&[&str], &str); 6] = [
        (&route_server, "--listen"),
        (&["map", "view", &city], "--listen"),
        (&control_plane, "--listen"),
        (&["demo"], "--listen"),
        (&dispatch, "--quic"),
        (&dispatch, "--grpc"),
    ];
    for (command, option) in servers {
        for wrong in ["8080", "localhost:8080", "here"] {
            let arguments = [command, &[option, wrong]].concat();
            assert_says(&arguments, 2, &["ADDR:PORT", "127.0.0.1:8080"]);
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp = listener.local_addr().unwrap().to_string();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let udp = socket.local_addr().unwrap().to_string();
    let any = "127.0.0.1:0";
    let taken: [(&[&str], &[&str]); 5] = [
        (&route_server, &["--listen", &tcp]),
        (&["map", "view", &city], &["--listen", &tcp]),
        (&control_plane, &["--listen", &tcp]),
        (&dispatch, &["--grpc", &tcp, "--quic", any]),
        (&dispatch, &["--quic", &udp, "--grpc", any]),
    ];
    for (command, address) in taken {
        let arguments = [command, address].concat();
        assert_says(&arguments, 1, &["another program", address[1]]);
    }
}

#[test]
fn a_folder_of_many_instances_is_no_instance() {
    let folder = tempfile::tempdir().unwrap();
    for day in ["0o50", "1o50"] {
        fs::create_dir(folder.path().join(day)).unwrap();
        fs::write(folder.path().join(day).join("orders.txt"), "order\n").unwrap();
    }
    let suite = folder.path().display().to_string();
    assert_says(
        &["sim", "mdrp", &suite],
        1,
        &["2 instances", &format!("--suite {suite}"), "0o50"],
    );
    let help = doorstep(&["sim", "mdrp", "--help"]);
    let help = String::from_utf8_lossy(&help.stdout);
    let (suite, one) = (help.find("--suite"), help.find("INSTANCE_DIR"));
    assert!(suite.is_some() && suite < one, "{help}");
}

#[test]
fn a_log_in_a_file_has_no_colour_codes() {
    let town = Town::new();
    let key = town.path("key");
    let made = doorstep(&[
        "token",
        "--audience",
        "admin",
        "--subject",
        "ops",
        "--key-file",
        &key,
        "--generate",
    ]);
    assert!(made.status.success());
    let arguments = [
        "dispatch",
        "--map",
        &town.path("city.osm.pbf"),
        "--token-key",
        &key,
        "--quic",
        "127.0.0.1:0",
        "--grpc",
        "127.0.0.1:0",
    ];
    let mut server = Command::new(env!("CARGO_BIN_EXE_doorstep"))
        .args(arguments)
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It has told where it is once both lines are there; its log says so before.
    let lines = BufReader::new(server.stdout.take().unwrap()).lines();
    assert_eq!(lines.take(2).count(), 2);
    server.kill().unwrap();
    server.wait().unwrap();
    let mut log = String::new();
    server
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    assert!(log.contains("dispatch is up"), "{log}");
    assert!(!log.contains('\u{1b}'), "{log:?}");
}
