//! `doorstep token` and `doorstep dispatch`: a server of its own process, stopped and started again.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use doorstep_dispatch_wire::dispatch::dispatch_client::DispatchClient;
use doorstep_dispatch_wire::dispatch::{DriversRequest, LatLng, RequestDeliveryRequest};
use doorstep_driver_client::{CloseCode, Config, LinkEvent, client_endpoint, connect, driver};
use tokio::time::timeout;

const TIMEOUT: Duration = Duration::from_secs(60);

fn doorstep(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorstep"));
    command.args(arguments).current_dir(folder);
    command
}

fn output(arguments: &[&str], folder: &Path) -> Output {
    doorstep(arguments, folder).output().unwrap()
}

fn line(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A server in a process of its own; killed if the test fails.
struct Server {
    process: Child,
    quic: SocketAddr,
    grpc: SocketAddr,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let arguments = "dispatch --map toy.osm.pbf --quic 127.0.0.1:0 --grpc 127.0.0.1:0 --journal journal \
             --token-key doorstep.key --open-grpc --certificate-out server.der";
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        let mut process = doorstep(&arguments, folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut address = |name: &str| {
            let line = lines.next().expect("the server tells where it is").unwrap();
            line.strip_prefix(name).unwrap().trim().parse().unwrap()
        };
        let (quic, grpc) = (address("quic"), address("grpc"));
        Self {
            process,
            quic,
            grpc,
        }
    }

    /// What Ctrl-C does.
    fn interrupt(mut self) {
        let process = self.process.id().to_string();
        let sent = Command::new("kill").args(["-INT", &process]).status();
        assert!(sent.unwrap().success());
        let status = self.process.wait().unwrap();
        assert_eq!(status.code(), Some(0), "Ctrl-C is the normal end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has usually ended already.
        let _ = self.process.kill();
    }
}

/// The middle of a map's bounds.
fn middle_of(map: &Path) -> LatLng {
    let map = doorstep_maps::open_map(map).unwrap();
    let (south_west, north_east) = map.network.bounds().unwrap();
    LatLng {
        lat_e7: i32::midpoint(south_west.lat_e7(), north_east.lat_e7()),
        lng_e7: i32::midpoint(south_west.lng_e7(), north_east.lng_e7()),
    }
}

#[test]
fn tokens_are_told_apart_from_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let token = [
        "token",
        "--audience",
        "driver",
        "--key-file",
        "k",
        "--subject",
    ];
    let with = |rest: &[&str]| output(&[&token[..], rest].concat(), folder.path());
    assert_eq!(with(&["7"]).status.code(), Some(1), "no key file yet");
    assert_eq!(with(&["7", "--ttl", "soon"]).status.code(), Some(2));
    assert_eq!(with(&["seven", "--generate"]).status.code(), Some(1));
    let first = line(&with(&["7", "--generate"]));
    assert!(first.starts_with("ds1."), "{first}");
    let key = fs::read(folder.path().join("k")).unwrap();
    line(&with(&["8", "--generate"]));
    assert_eq!(
        fs::read(folder.path().join("k")).unwrap(),
        key,
        "a key is never replaced"
    );
    fs::write(folder.path().join("k"), "short").unwrap();
    assert_eq!(with(&["7"]).status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    line(&output(
        &["map", "generate", "--nodes", "400", "-o", "toy.osm.pbf"],
        folder,
    ));
    let generate = "token --audience driver --subject 7 --key-file doorstep.key --generate";
    let token = line(&output(&generate.split(' ').collect::<Vec<_>>(), folder));
    let middle = middle_of(&folder.join("toy.osm.pbf"));
    let (lat_e7, lng_e7) = (middle.lat_e7, middle.lng_e7);
    let request = RequestDeliveryRequest {
        delivery_id: "00000000-0000-7000-8000-000000000001".to_owned(),
        pickup: Some(middle),
        dropoff: Some(middle),
        placed_at_ms: 1,
        ready_at_ms: 1,
    };

    let server = Server::start(folder);
    let mut control_plane = DispatchClient::connect(format!("http://{}", server.grpc))
        .await
        .unwrap();
    let created = control_plane
        .request_delivery(request.clone())
        .await
        .unwrap();
    assert!(created.into_inner().created);
    let certificate = fs::read(folder.join("server.der")).unwrap();
    let endpoint = client_endpoint(SocketAddr::from(([127, 0, 0, 1], 0)), &[&certificate]).unwrap();
    let (link, mut events) = connect(&endpoint, Config::new(server.quic, token));
    let first = timeout(TIMEOUT, events.recv()).await.unwrap();
    assert!(
        matches!(&first, Some(LinkEvent::Up(welcome)) if welcome.driver_id == 7),
        "{first:?}"
    );
    link.on_duty(driver::LatLng { lat_e7, lng_e7 }, None)
        .await
        .unwrap();
    let plan = timeout(TIMEOUT, events.recv()).await.unwrap();
    assert!(matches!(plan, Some(LinkEvent::Plan(_))), "{plan:?}");
    let drivers = control_plane
        .drivers(DriversRequest::default())
        .await
        .unwrap();
    assert_eq!(drivers.into_inner().drivers.len(), 1);
    drop(control_plane);

    server.interrupt();
    let closed = timeout(TIMEOUT, async {
        loop {
            match events.recv().await {
                Some(LinkEvent::Down(loss)) => break loss.code,
                Some(_) => {}
                None => panic!("the link gave up"),
            }
        }
    });
    assert_eq!(closed.await.unwrap(), Some(CloseCode::ShuttingDown));

    let server = Server::start(folder);
    let mut control_plane = DispatchClient::connect(format!("http://{}", server.grpc))
        .await
        .unwrap();
    let created = control_plane.request_delivery(request).await.unwrap();
    assert!(
        !created.into_inner().created,
        "it was acknowledged before the restart"
    );
    drop(control_plane);
    server.interrupt();
}
