//! Writes what one version leaves behind: a map, databases and a journal of a small city, and one driver's session.
//!
//! ```text
//!   town.road            road archive          token.key    signs the tokens of all of them
//!   doorstep.db          SQLite                journal/     of the city on SQLite
//!   postgres.sql         dump of PostgreSQL    session.bin  frames and datagrams of one driver
//!   facts.json           what must be found again
//! ```

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use doorstep_control_plane::clock::Clock as ControlClock;
use doorstep_control_plane::config::GatewayConfig;
use doorstep_control_plane::events::bus::InProcessBus;
use doorstep_control_plane::{Config as ControlConfig, Secret};
use doorstep_dispatch_server::{Clock as DispatchClock, Config as DispatchConfig};
use doorstep_dispatch_wire::dispatch::dispatch_client::DispatchClient;
use doorstep_dispatch_wire::dispatch::{DeliveryEvent, WatchDeliveriesRequest};
use doorstep_dispatch_wire::token::{Audience, Claims, TokenKey};
use doorstep_gateway_sandbox::{self as sandbox, SandboxConfig, SigningSecret};
use doorstep_routing::{Profile, RoadArchive, Router};
use doorstep_sim::{Scenario, World};
use doorstep_sim_live::{Clock as LiveClock, LiveConfig};
use doorstep_web::limits::RateLimits;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::session;

const SCENARIO: &str = include_str!("../../../sim/scenarios/demo.toml");
const JUNCTIONS: u32 = 100;
const SPEEDUP: u32 = 120;
/// Real time that a city lives: some forty of its minutes.
const LIFE: Duration = Duration::from_secs(20);
/// A driver's app sends a position so often, in city time: often enough, and the journal stays small.
const PING_INTERVAL_MS: u32 = 20_000;
/// Six in the evening of 1 December 2026.
const ORIGIN_MS: u64 = 1_796_148_000_000;

/// Writes all files into a folder that is there. With `postgres`, the address of a server on which databases can be made, the
/// dump too.
pub(crate) fn write(folder: &Path, postgres: Option<&str>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let extract = folder.join("town.osm.pbf");
    doorstep_maps::generate(7, JUNCTIONS, &extract).unwrap();
    let imported = Command::new(env!("CARGO_BIN_EXE_doorstep"))
        .args(["map", "import"])
        .arg(&extract)
        .arg("-o")
        .arg(folder.join("town.road"))
        .output()
        .unwrap();
    assert!(imported.status.success(), "{imported:?}");
    fs::remove_file(extract).unwrap();

    let town = Town::open(folder);
    let key = TokenKey::generate().unwrap();
    fs::write(folder.join("token.key"), key.to_text()).unwrap();
    let database = format!("sqlite://{}", folder.join("doorstep.db").display());
    let journal = folder.join("journal");
    let sqlite = runtime.block_on(town.live(&key, &database, &journal));
    shrink(&folder.join("doorstep.db"));
    let postgres = postgres.map(|server| {
        let spare = tempfile::tempdir().unwrap();
        let name = format!("doorstep_upgrade_{}", std::process::id());
        let database = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        psql(server, &format!("create database {name}"));
        let facts = runtime.block_on(town.live(&key, &database, spare.path()));
        let dump = Command::new("pg_dump")
            .args(["--no-owner", "--no-privileges", &database])
            .output()
            .unwrap();
        assert!(dump.status.success(), "{dump:?}");
        // Commands of newer versions of psql that older ones do not know.
        let dump = String::from_utf8(dump.stdout).unwrap();
        let is_new =
            |line: &&str| line.starts_with("\\restrict") || line.starts_with("\\unrestrict");
        let lines = dump.lines().filter(|line| !is_new(line));
        let dump: String = lines.flat_map(|line| [line, "\n"]).collect();
        fs::write(folder.join("postgres.sql"), dump).unwrap();
        psql(server, &format!("drop database {name} with (force)"));
        facts
    });
    let recorded = runtime.block_on(session::record(&town.router, &key));
    fs::write(folder.join("session.bin"), recorded).unwrap();
    let facts =
        json!({ "version": env!("CARGO_PKG_VERSION"), "sqlite": sqlite, "postgres": postgres });
    let facts = serde_json::to_string_pretty(&facts).unwrap();
    fs::write(folder.join("facts.json"), facts + "\n").unwrap();
}

/// Smaller pages, since most tables hold little, and no file beside it.
fn shrink(database: &Path) {
    let output = Command::new("sqlite3")
        .arg(database)
        .arg("pragma journal_mode=delete; pragma page_size=512; vacuum;")
        .output()
        .expect("sqlite3 makes the file small: install it");
    assert!(output.status.success(), "{output:?}");
}

/// Runs a statement with `psql`.
pub(crate) fn psql(server: &str, statement: &str) {
    let output = Command::new("psql")
        .args([server, "-qc", statement])
        .output()
        .unwrap();
    assert!(output.status.success(), "{statement}: {output:?}");
}

/// The road archive of a folder and who could live there.
pub(crate) struct Town {
    pub(crate) router: Arc<Router>,
    archive: RoadArchive,
}

impl Town {
    pub(crate) fn open(folder: &Path) -> Self {
        let archive = doorstep_maps::open_map(&folder.join("town.road")).unwrap();
        let router = Arc::new(Router::new(&archive, Profile::Scooter));
        Self { router, archive }
    }

    /// A city on a database: gives its orders, how they stood, and what dispatch said of the deliveries.
    async fn live(&self, key: &TokenKey, database: &str, journal: &Path) -> Value {
        let anchor = Instant::now();
        let secret = Secret::new(key.to_text().into_bytes());
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let gateway = sandbox::start(SandboxConfig::new(
            any_port,
            SigningSecret::new(secret.expose()),
        ))
        .await
        .unwrap();
        let clock = DispatchClock::scaled(ORIGIN_MS, anchor, SPEEDUP);
        let mut config = DispatchConfig::new(Arc::clone(&self.router), key.clone(), clock);
        config.journal_dir = Some(journal.to_owned());
        config.ping_interval_ms = PING_INTERVAL_MS;
        let dispatch = doorstep_dispatch_server::start(config).await.unwrap();
        let mut config = ControlConfig::new(
            any_port,
            database.to_owned(),
            format!("http://{}", dispatch.grpc_addr),
            GatewayConfig::new(format!("http://{}", gateway.addr), secret),
            key.clone(),
            Arc::new(InProcessBus::default()),
        );
        config.clock = ControlClock::scaled(ORIGIN_MS, anchor, SPEEDUP);
        // All people of a simulated city live at one address.
        config.rate_limits = RateLimits::NONE;
        let control_plane = doorstep_control_plane::start(config).await.unwrap();

        let mut scenario = Scenario::parse("demo.toml", SCENARIO).unwrap();
        scenario.drivers.count = 5;
        scenario.demand.orders_per_hour = 14.0;
        scenario.drivers.ping_interval_s = f64::from(PING_INTERVAL_MS) / 1_000.0;
        let world = World::build(&self.archive, Arc::clone(&self.router), &scenario, 7).unwrap();
        let mut config = LiveConfig::new(
            Arc::new(world),
            scenario,
            format!("http://{}", control_plane.addr),
            dispatch.quic_addr,
            dispatch.certificate_der.clone(),
            key.clone(),
            LiveClock::new(ORIGIN_MS, anchor, SPEEDUP),
        );
        config.ping_interval_floor = Duration::from_secs(1);
        let stop = CancellationToken::new();
        let people = tokio::spawn(doorstep_sim_live::run(config, stop.clone()));
        tokio::time::sleep(LIFE).await;
        stop.cancel();
        let report = people.await.unwrap().unwrap();
        let orders: Vec<String> = report
            .acknowledged
            .iter()
            .map(|order| format!("ord_{}", order.order.simple()))
            .collect();
        let base = format!("http://{}", control_plane.addr);
        let states = states(&base, key, &orders).await;
        control_plane.shutdown().await;
        let events = events(&format!("http://{}", dispatch.grpc_addr)).await;
        dispatch.shutdown().await.unwrap();
        gateway.shutdown().await;
        assert!(
            states.iter().any(|(_, state)| state == "delivered"),
            "no order was delivered: {states:?}"
        );
        let now_ms =
            ORIGIN_MS + u64::try_from(anchor.elapsed().as_millis()).unwrap() * u64::from(SPEEDUP);
        let states: serde_json::Map<String, Value> = states
            .into_iter()
            .map(|(id, state)| (id, state.into()))
            .collect();
        json!({ "ended_at_ms": now_ms, "orders": states, "events": events })
    }
}

/// A token of an operator that does not run out.
pub(crate) fn admin(key: &TokenKey) -> String {
    key.sign(&Claims {
        audience: Audience::Admin,
        subject: "upgrade".to_owned(),
        expires_at_ms: u64::MAX,
    })
}

/// How orders stand, as the control plane says.
pub(crate) async fn states(base: &str, key: &TokenKey, orders: &[String]) -> Vec<(String, String)> {
    doorstep_web::tls::install_provider();
    let client = reqwest::Client::new();
    let mut states = Vec::new();
    for order in orders {
        let response = client
            .get(format!("{base}/v1/orders/{order}"))
            .bearer_auth(admin(key))
            .send()
            .await
            .unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "order {order}: {status} {text}");
        let view: Value = serde_json::from_str(&text).unwrap();
        states.push((order.clone(), view["state"].as_str().unwrap().to_owned()));
    }
    states
}

/// All that dispatch says of deliveries, a line each, until nothing comes any more.
pub(crate) async fn events(address: &str) -> Vec<String> {
    let mut dispatch = DispatchClient::connect(address.to_owned()).await.unwrap();
    let request = WatchDeliveriesRequest {
        after: 0,
        ..WatchDeliveriesRequest::default()
    };
    let mut stream = dispatch
        .watch_deliveries(request)
        .await
        .unwrap()
        .into_inner();
    let mut lines = Vec::new();
    // What is known comes at once; what happens later is not asked for.
    while let Ok(event) = tokio::time::timeout(Duration::from_secs(2), stream.message()).await {
        lines.push(line(&event.unwrap().unwrap()));
    }
    lines
}

fn line(event: &DeliveryEvent) -> String {
    let DeliveryEvent {
        cursor,
        delivery_id,
        seq,
        at_ms,
        driver_id,
        ..
    } = event;
    let state = event.state();
    format!("{cursor} {delivery_id} {seq} {at_ms} {state:?} {driver_id:?}")
}
