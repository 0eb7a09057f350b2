//! What earlier versions left behind, in `tests/fixtures/upgrade/`, is opened by this one: databases are migrated and serve their
//! orders, journals replay to the same events, road archives are read, a recorded driver's session is understood.

mod session;
mod write;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use doorstep_control_plane::Secret;
use doorstep_control_plane::clock::Clock as ControlClock;
use doorstep_control_plane::config::GatewayConfig;
use doorstep_control_plane::events::bus::InProcessBus;
use doorstep_dispatch_server::{Clock as DispatchClock, Config as DispatchConfig, Running};
use doorstep_dispatch_wire::token::TokenKey;
use doorstep_gateway_sandbox::{self as sandbox, SandboxConfig, SigningSecret};
use serde_json::Value;

use self::write::{Town, events, psql, states};

/// Bytes of one file of a fixture.
const FILE_BYTES_MAX: u64 = 200 * 1024;

/// One version's folder.
struct Left {
    folder: PathBuf,
    town: Town,
    key: TokenKey,
    facts: Value,
}

impl Left {
    fn open(folder: PathBuf) -> Self {
        let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        Self {
            town: Town::open(&folder),
            key: TokenKey::from_text(text("token.key").trim()).unwrap(),
            facts: serde_json::from_str(&text("facts.json")).unwrap(),
            folder,
        }
    }

    /// Dispatch on a copy of the journal, at the time at which the city ended.
    async fn dispatch(&self, scratch: &Path, anchor: Instant) -> Running {
        let journal = scratch.join("journal");
        fs::create_dir(&journal).unwrap();
        for file in fs::read_dir(self.folder.join("journal")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), journal.join(file.file_name())).unwrap();
        }
        let clock = DispatchClock::scaled(self.ended_at("sqlite"), anchor, 1);
        let router = Arc::clone(&self.town.router);
        let mut config = DispatchConfig::new(router, self.key.clone(), clock);
        config.journal_dir = Some(journal);
        doorstep_dispatch_server::start(config).await.unwrap()
    }

    fn ended_at(&self, city: &str) -> u64 {
        self.facts[city]["ended_at_ms"].as_u64().unwrap()
    }

    /// Starts the servers of this version on a database of that one and asks for every order.
    async fn assert_orders(&self, city: &str, database: &str) {
        let scratch = tempfile::tempdir().unwrap();
        let anchor = Instant::now();
        let dispatch = self.dispatch(scratch.path(), anchor).await;
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let secret = Secret::new(self.key.to_text().into_bytes());
        let gateway = sandbox::start(SandboxConfig::new(
            any_port,
            SigningSecret::new(secret.expose()),
        ))
        .await
        .unwrap();
        let mut config = doorstep_control_plane::Config::new(
            any_port,
            database.to_owned(),
            format!("http://{}", dispatch.grpc_addr),
            GatewayConfig::new(format!("http://{}", gateway.addr), secret),
            self.key.clone(),
            Arc::new(InProcessBus::default()),
        );
        config.clock = ControlClock::scaled(self.ended_at(city), anchor, 1);
        let control_plane = doorstep_control_plane::start(config).await.unwrap();
        let then = self.facts[city]["orders"].as_object().unwrap();
        let ids: Vec<String> = then.keys().cloned().collect();
        let base = format!("http://{}", control_plane.addr);
        let now = states(&base, &self.key, &ids).await;
        control_plane.shutdown().await;
        dispatch.shutdown().await.unwrap();
        gateway.shutdown().await;
        assert!(now.len() >= 3, "{now:?}");
        for (order, state) in now {
            // An order that was under way may have gone on.
            if then[&order] == "delivered" {
                assert_eq!(state, "delivered", "{}: {order}", self.name());
            }
        }
    }

    fn name(&self) -> String {
        self.folder.display().to_string()
    }
}

/// Every version that left something; at least one did.
fn versions() -> Vec<Left> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/upgrade");
    let mut folders: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "no fixture");
    folders.into_iter().map(Left::open).collect()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

fn assert_sqlite(left: &Left) {
    let scratch = tempfile::tempdir().unwrap();
    let database = scratch.path().join("doorstep.db");
    fs::copy(left.folder.join("doorstep.db"), &database).unwrap();
    block_on(left.assert_orders("sqlite", &format!("sqlite://{}", database.display())));
}

fn assert_postgres(left: &Left, server: &str) {
    let name = format!(
        "doorstep_upgraded_{}_{}",
        std::process::id(),
        left.ended_at("postgres")
    );
    psql(server, &format!("create database {name}"));
    let database = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
    let restored = Command::new("psql")
        .args([&database, "-q", "-v", "ON_ERROR_STOP=1", "-f"])
        .arg(left.folder.join("postgres.sql"))
        .output()
        .unwrap();
    assert!(restored.status.success(), "{restored:?}");
    block_on(left.assert_orders("postgres", &database));
    psql(server, &format!("drop database {name} with (force)"));
}

/// What dispatch said of the deliveries then, it says again: the same decisions, in the same order.
fn assert_journal(left: &Left) {
    let scratch = tempfile::tempdir().unwrap();
    let said = block_on(async {
        let dispatch = left.dispatch(scratch.path(), Instant::now()).await;
        let said = events(&format!("http://{}", dispatch.grpc_addr)).await;
        dispatch.shutdown().await.unwrap();
        said
    });
    let then = left.facts["sqlite"]["events"].as_array().unwrap();
    let then: Vec<&str> = then.iter().map(|line| line.as_str().unwrap()).collect();
    assert!(then.len() > 10, "{then:?}");
    assert_eq!(said[..then.len()], then, "{}", left.name());
}

fn postgres() -> Option<String> {
    let server = std::env::var("DOORSTEP_POSTGRES_URL").ok();
    if server.is_none() {
        assert!(
            std::env::var_os("DOORSTEP_REQUIRE_ALL").is_none(),
            "DOORSTEP_POSTGRES_URL names no server"
        );
        println!("not run on PostgreSQL: DOORSTEP_POSTGRES_URL names no server");
    }
    server
}

#[test]
fn sqlite_databases_of_earlier_versions_serve_their_orders() {
    versions().iter().for_each(assert_sqlite);
}

#[test]
fn dumps_of_earlier_versions_serve_their_orders() {
    if let Some(server) = postgres() {
        for left in versions() {
            assert_postgres(&left, &server);
        }
    }
}

#[test]
fn journals_of_earlier_versions_replay_to_the_same_events() {
    versions().iter().for_each(assert_journal);
}

#[test]
fn sessions_of_earlier_apps_are_understood() {
    for left in versions() {
        let recorded = fs::read(left.folder.join("session.bin")).unwrap();
        session::assert_decodes(&recorded);
        block_on(session::assert_is_welcome(
            &recorded,
            &left.town.router,
            &left.key,
        ));
    }
}

#[test]
fn fixtures_stay_small() {
    for left in versions() {
        let mut open = vec![left.folder];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let bytes = fs::metadata(&path).unwrap().len();
                    assert!(bytes <= FILE_BYTES_MAX, "{}: {bytes} bytes", path.display());
                }
            }
        }
    }
}

/// `make fixtures` names a folder, which is kept; otherwise the files go as they came.
#[test]
fn this_version_opens_what_it_writes() {
    if Command::new("sqlite3").arg("--version").output().is_err() {
        assert!(
            std::env::var_os("DOORSTEP_REQUIRE_ALL").is_none(),
            "sqlite3 is not installed"
        );
        println!("no fixture is written: sqlite3 is not installed");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("DOORSTEP_FIXTURES").map(PathBuf::from);
    let folder = kept.unwrap_or_else(|| scratch.path().to_owned());
    fs::create_dir_all(&folder).unwrap();
    let server = postgres();
    write::write(&folder, server.as_deref());
    let left = Left::open(folder);
    assert_sqlite(&left);
    if let Some(server) = server {
        assert_postgres(&left, &server);
    }
    assert_journal(&left);
    let recorded = fs::read(left.folder.join("session.bin")).unwrap();
    session::assert_decodes(&recorded);
    block_on(session::assert_is_welcome(
        &recorded,
        &left.town.router,
        &left.key,
    ));
}
