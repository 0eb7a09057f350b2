//! Dispatch is killed under load, again and again: nothing acknowledged is lost, nothing is given to two drivers, and the journal
//! replays to the same digest from its beginning and from its newest snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use doorstep_dispatch_wire::dispatch::dispatch_client::DispatchClient;
use doorstep_dispatch_wire::dispatch::{
    DeliveriesHeadRequest, DeliveryEvent, DeliveryState, LatLng, RequestDeliveryRequest,
    WatchDeliveriesRequest,
};
use doorstep_dispatch_wire::driver::{LatLng as DriverLatLng, MilestoneKind, StopKind};
use doorstep_driver_client::{
    Answer, Config, DriverLink, LinkEvent, LinkEvents, client_endpoint, connect,
};
use tokio::time::sleep;
use uuid::Uuid;

const CALLERS: usize = 24;
const DRIVERS: u64 = 6;
/// A kill counts with so many requests in flight.
const IN_FLIGHT_MIN: usize = 20;
/// Everything that is waited for; a hang fails the test, nothing is timed by it.
const HANG: Duration = Duration::from_secs(120);

fn doorstep(arguments: &str, folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_doorstep"))
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A dispatch that ends with the test at the latest.
pub(crate) struct Dispatch(Child);

impl Dispatch {
    /// Kills it, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Dispatch {
    fn drop(&mut self) {
        // It has usually ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What all starts have in common.
pub(crate) struct Site {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) at: LatLng,
    certificate_der: Vec<u8>,
    grpc: SocketAddr,
    pub(crate) quic: SocketAddr,
}

/// Rounds follow each other at once, and orders that nobody takes end soon.
const BUSY: &str = "[dispatch.policy]\nround_interval = \"100ms\"\nno_driver_after = \"1s\"\n\
                    [dispatch.limits]\nsegment_records_max = 400\njournal_keep = \"1s\"\n";

impl Site {
    pub(crate) fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        said(&doorstep(
            "map generate --nodes 400 -o toy.osm.pbf",
            folder.path(),
        ));
        said(&doorstep(
            "token --audience driver --subject 1 --key-file doorstep.key --generate",
            folder.path(),
        ));
        let map = doorstep_maps::open_map(&folder.path().join("toy.osm.pbf")).unwrap();
        let (south_west, north_east) = map.network.bounds().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        fs::write(folder.path().join("server.der"), made.cert.der()).unwrap();
        file("chain.pem", &made.cert.pem());
        file("key.pem", &made.signing_key.serialize_pem());
        file("doorstep.toml", settings);
        let free = || {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let quic = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        Self {
            at: LatLng {
                lat_e7: i32::midpoint(south_west.lat_e7(), north_east.lat_e7()),
                lng_e7: i32::midpoint(south_west.lng_e7(), north_east.lng_e7()),
            },
            certificate_der: made.cert.der().to_vec(),
            grpc: free(),
            quic: quic.local_addr().unwrap(),
            folder,
        }
    }

    /// Starts dispatch, and says how long it took until it served.
    pub(crate) fn start(&self) -> (Dispatch, Duration) {
        let arguments = format!(
            "dispatch --config doorstep.toml --map toy.osm.pbf --quic {} --grpc {} --journal journal --token-key doorstep.key \
             --open-grpc --certificate chain.pem --certificate-key key.pem",
            self.quic, self.grpc
        );
        let started = Instant::now();
        let mut process = Command::new(env!("CARGO_BIN_EXE_doorstep"))
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(self.folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let up = lines.find(|line| line.as_ref().is_ok_and(|line| line.starts_with("grpc")));
        let log = || fs::read_to_string(self.folder.path().join("log")).unwrap();
        assert!(up.is_some(), "{}", log());
        (Dispatch(process), started.elapsed())
    }

    pub(crate) fn driver_token(&self, driver: u64) -> String {
        let arguments =
            format!("token --audience driver --subject {driver} --key-file doorstep.key");
        said(&doorstep(&arguments, self.folder.path()))
    }

    /// What a crash left, to be looked at while the next process works.
    fn copy_of_the_journal(&self) -> String {
        let copy = self.folder.path().join("as-it-was");
        // Of the kill before, if there was one.
        let _ = fs::remove_dir_all(&copy);
        fs::create_dir(&copy).unwrap();
        for file in fs::read_dir(self.folder.path().join("journal")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
        "as-it-was".to_owned()
    }

    /// The digest of the whole journal, which is that of its newest snapshot and what is behind it.
    fn digest(&self) -> String {
        self.digest_of("journal")
    }

    fn digest_of(&self, journal: &str) -> String {
        let check = format!("dispatch journal check {journal}");
        let report = said(&doorstep(&check, self.folder.path()));
        let (_, digest) = report.rsplit_once("digest ").unwrap();
        digest.to_owned()
    }

    pub(crate) async fn client(&self) -> DispatchClient<tonic::transport::Channel> {
        let deadline = Instant::now() + HANG;
        loop {
            match DispatchClient::connect(format!("http://{}", self.grpc)).await {
                Ok(client) => return client,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Every event of the stream after a cursor.
    pub(crate) async fn events(&self, after: u64) -> Vec<DeliveryEvent> {
        let mut client = self.client().await;
        let head = client.deliveries_head(DeliveriesHeadRequest {}).await;
        let head = head.unwrap().into_inner().cursor;
        let request = WatchDeliveriesRequest {
            after,
            ..WatchDeliveriesRequest::default()
        };
        let mut stream = client.watch_deliveries(request).await.unwrap().into_inner();
        let mut events: Vec<DeliveryEvent> = Vec::new();
        while events.last().map_or(after, |event| event.cursor) < head {
            events.push(stream.message().await.unwrap().expect("no end"));
        }
        events
    }
}

/// What the callers share.
#[derive(Default)]
struct Load {
    in_flight: AtomicUsize,
    acknowledged: Mutex<BTreeSet<String>>,
    is_over: AtomicBool,
    /// Dropoffs that drivers have reported.
    dropoffs: AtomicUsize,
    /// Why drivers lost their connections.
    losses: Mutex<Vec<String>>,
}

impl Load {
    /// Waits until orders were acknowledged and delivered since, and as many calls are in flight as a kill wants. Says how many.
    async fn is_under_way(&self) -> usize {
        let acknowledged = || self.acknowledged.lock().unwrap().len();
        let (orders, dropoffs) = (acknowledged(), self.dropoffs.load(Ordering::Relaxed));
        let deadline = Instant::now() + HANG;
        loop {
            let in_flight = self.in_flight.load(Ordering::Relaxed);
            let served = self.dropoffs.load(Ordering::Relaxed) - dropoffs;
            if in_flight >= IN_FLIGHT_MIN && acknowledged() >= orders + 60 && served >= 3 {
                return in_flight;
            }
            assert!(
                Instant::now() < deadline,
                "{in_flight} in flight, {served} served"
            );
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Requests deliveries one after the other; what was not answered is asked again, as the control plane does.
async fn call(site: Arc<Site>, load: Arc<Load>) {
    let mut delivery = Uuid::now_v7().to_string();
    let mut client = site.client().await;
    while !load.is_over.load(Ordering::Relaxed) {
        let now = unix_ms();
        let request = RequestDeliveryRequest {
            delivery_id: delivery.clone(),
            pickup: Some(site.at),
            dropoff: Some(site.at),
            placed_at_ms: now,
            ready_at_ms: now,
        };
        load.in_flight.fetch_add(1, Ordering::Relaxed);
        let answer = client.request_delivery(request).await;
        load.in_flight.fetch_sub(1, Ordering::Relaxed);
        match answer {
            Ok(_) => {
                load.acknowledged.lock().unwrap().insert(delivery);
                delivery = Uuid::now_v7().to_string();
            }
            // Asked again with other times, what was taken before the kill is refused as another one: it is there.
            Err(status) if status.code() == tonic::Code::AlreadyExists => {
                delivery = Uuid::now_v7().to_string();
            }
            Err(_) => client = site.client().await,
        }
    }
}

/// Accepts everything and is at each stop at once.
async fn drive(load: Arc<Load>, link: DriverLink, mut events: LinkEvents, at: DriverLatLng) {
    let mut served: BTreeSet<(String, i32)> = BTreeSet::new();
    while let Some(event) = events.recv().await {
        let done = match event {
            LinkEvent::Up(_) => link.on_duty(at, None).await,
            LinkEvent::Offer(offer) => link.answer(offer.offer_id, Answer::Accept).await,
            LinkEvent::Plan(plan) => {
                let next = plan
                    .stops
                    .iter()
                    .find(|stop| !served.contains(&(stop.delivery_id.clone(), stop.kind)));
                let Some(stop) = next else { continue };
                served.insert((stop.delivery_id.clone(), stop.kind));
                let done = match stop.kind() {
                    StopKind::Pickup => MilestoneKind::PickedUp,
                    _ => {
                        load.dropoffs.fetch_add(1, Ordering::Relaxed);
                        MilestoneKind::DroppedOff
                    }
                };
                link.milestone(&stop.delivery_id, done, unix_ms()).await
            }
            LinkEvent::Down(loss) => {
                load.losses.lock().unwrap().push(loss.why);
                Ok(())
            }
            LinkEvent::Closed(loss) => panic!("{}", loss.why),
            _ => Ok(()),
        };
        done.unwrap();
    }
}

pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

/// What a watcher has read over all restarts.
#[derive(Default)]
struct Seen {
    cursor: u64,
    last: BTreeMap<String, DeliveryEvent>,
    delivered: usize,
}

impl Seen {
    /// The stream goes on where it was. Each acknowledged delivery is in it; its numbers have no gap, and it goes from driver to
    /// driver only through a new search.
    fn check(&mut self, events: Vec<DeliveryEvent>, acknowledged: &BTreeSet<String>) {
        for event in events {
            assert_eq!(event.cursor, self.cursor + 1, "{event:?}");
            self.cursor = event.cursor;
            let before = self.last.get(&event.delivery_id);
            let (seq, driver) = before.map_or((0, None), |before| (before.seq, before.driver_id));
            assert_eq!(event.seq, seq + 1, "{event:?} after {before:?}");
            let is_free = matches!(
                event.state(),
                DeliveryState::Searching | DeliveryState::Offered
            );
            assert!(
                driver.is_none() || is_free || event.driver_id == driver,
                "{event:?} after {before:?}"
            );
            self.delivered += usize::from(event.state() == DeliveryState::DroppedOff);
            self.last.insert(event.delivery_id.clone(), event);
        }
        for delivery in acknowledged {
            assert!(
                self.last.contains_key(delivery),
                "{delivery} was acknowledged and is gone"
            );
        }
    }
}

async fn kill_and_start(kills: usize) {
    let site = Arc::new(Site::new(BUSY));
    let (mut process, _) = site.start();
    let load = Arc::new(Load::default());
    let calls = (0..CALLERS).map(|_| tokio::spawn(call(Arc::clone(&site), Arc::clone(&load))));
    let calls: Vec<_> = calls.collect();
    let endpoint = client_endpoint(([127, 0, 0, 1], 0).into(), &[&site.certificate_der]).unwrap();
    let at = DriverLatLng {
        lat_e7: site.at.lat_e7,
        lng_e7: site.at.lng_e7,
    };
    let drivers = (1..=DRIVERS).map(|driver| {
        let config = Config::new(site.quic, site.driver_token(driver));
        let (link, events) = connect(&endpoint, config);
        tokio::spawn(drive(Arc::clone(&load), link, events, at))
    });
    let drivers: Vec<_> = drivers.collect();
    let (mut slowest, mut in_flight_least) = (Duration::ZERO, usize::MAX);
    let mut seen = Seen::default();
    for _ in 0..kills {
        in_flight_least = in_flight_least.min(load.is_under_way().await);
        process.kill();
        let acknowledged = load.acknowledged.lock().unwrap().clone();
        let as_it_was = site.copy_of_the_journal();
        let took;
        (process, took) = site.start();
        site.digest_of(&as_it_was);
        slowest = slowest.max(took);
        seen.check(site.events(seen.cursor).await, &acknowledged);
    }
    load.is_over.store(true, Ordering::Relaxed);
    for call in calls {
        call.await.unwrap();
    }
    drivers.iter().for_each(|driver| driver.abort());
    let acknowledged = load.acknowledged.lock().unwrap().clone();
    seen.check(site.events(seen.cursor).await, &acknowledged);
    println!(
        "{kills} kills with {in_flight_least} or more in flight: {} acknowledged, {} delivered, {} events, none lost; slowest \
         start {slowest:?}",
        acknowledged.len(),
        seen.delivered,
        seen.cursor
    );
    // The process that starts anew says so, rather than that drivers wait for their time-out.
    let losses = load.losses.lock().unwrap().clone();
    let resets = losses.iter().filter(|why| why.contains("reset")).count();
    assert!(resets >= kills, "{losses:?}");
    assert!(seen.delivered >= 2 * kills, "{} delivered", seen.delivered);
    process.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_dispatch_loses_nothing_and_replays_to_the_same_digest() {
    let kills = if std::env::var_os("DOORSTEP_FULL").is_some() {
        200
    } else {
        4
    };
    kill_and_start(kills).await;
}

/// A journal of the toy city with some records, and the folder it is in.
async fn some_journal() -> Site {
    let site = Arc::new(Site::new(BUSY));
    let (mut process, _) = site.start();
    let load = Arc::new(Load::default());
    let call = tokio::spawn(call(Arc::clone(&site), Arc::clone(&load)));
    let deadline = Instant::now() + HANG;
    while load.acknowledged.lock().unwrap().len() < 20 {
        assert!(Instant::now() < deadline);
        sleep(Duration::from_millis(5)).await;
    }
    load.is_over.store(true, Ordering::Relaxed);
    call.await.unwrap();
    process.kill();
    Arc::try_unwrap(site).ok().expect("nobody else has it")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_prints_the_same_twice_and_says_why() {
    let site = some_journal().await;
    let folder = site.folder.path();
    let first = said(&doorstep("dispatch replay journal", folder));
    assert_eq!(said(&doorstep("dispatch replay journal", folder)), first);
    assert!(
        first.contains("requested from") && first.ends_with(&site.digest()),
        "{first}"
    );
    let lines = said(&doorstep("dispatch replay journal --json", folder));
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.last().unwrap()["digest"], site.digest());
    let (_, rest) = first.split_once("delivery ").unwrap();
    let order = rest.split(' ').next().unwrap();
    let why = said(&doorstep(
        &format!("dispatch replay journal --explain {order}"),
        folder,
    ));
    assert!(
        why.contains(order) && why.contains("Nobody was asked"),
        "{why}"
    );
    let early = said(&doorstep(
        "dispatch replay journal --until 2020-01-01T00:00:00Z",
        folder,
    ));
    assert!(!early.contains("requested"), "{early}");
    let nothing = doorstep("dispatch replay elsewhere", folder);
    assert_eq!(nothing.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_journal_is_repaired_when_it_is_asked_for() {
    let site = some_journal().await;
    let folder = site.folder.path();
    let journal = fs::read_dir(folder.join("journal")).unwrap();
    let paths = journal.map(|entry| entry.unwrap().path());
    let segment = paths.filter(|path| path.extension().is_some_and(|end| end == "segment"));
    let segment = segment.max().unwrap();
    let whole = fs::read(&segment).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x40;
    fs::write(&segment, &damaged).unwrap();

    let check = doorstep("dispatch journal check journal", folder);
    let error = String::from_utf8_lossy(&check.stderr).into_owned();
    assert_eq!(check.status.code(), Some(1), "{error}");
    assert!(
        error.contains("is damaged at byte") && error.contains("journal repair"),
        "{error}"
    );
    let look = doorstep("dispatch journal repair journal", folder);
    let text = String::from_utf8_lossy(&look.stdout).into_owned();
    assert_eq!(look.status.code(), Some(1), "{text}");
    assert!(
        text.contains("whole records behind it would be lost") && text.contains("--yes"),
        "{text}"
    );
    assert_eq!(
        fs::read(&segment).unwrap(),
        damaged,
        "looking changes nothing"
    );

    let done = said(&doorstep("dispatch journal repair journal --yes", folder));
    assert!(done.contains("repaired"), "{done}");
    let lost = segment.with_extension("segment.lost");
    assert_eq!(fs::read(lost).unwrap(), damaged, "nothing is deleted");
    site.digest();
    let again = said(&doorstep("dispatch journal repair journal", folder));
    assert_eq!(again, "nothing is damaged");
    let (mut process, _) = site.start();
    assert!(!site.events(0).await.is_empty());
    let refused = doorstep("dispatch journal check journal", folder);
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(error.contains("in use by another process"), "{error}");
    process.kill();
}
