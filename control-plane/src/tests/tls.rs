//! TLS to others: PostgreSQL that takes nothing else, a payment gateway behind HTTPS, with an authority of our own.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use doorstep_web::serve::{Bound, ServeConfig};
use doorstep_web::tls::{CertificateFiles, ServerTls, client_config};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_util::sync::CancellationToken;

use crate::config::{GatewayConfig, Secret};
use crate::domain::ids::OrderId;
use crate::gateway::http::HttpGateway;
use crate::gateway::{GatewayError, PaymentGateway};
use crate::store::Store;
use crate::tests::harness::START_MS;

/// A server's certificate for `localhost` and the authority that signed it.
struct Signed {
    ca: PathBuf,
    files: CertificateFiles,
}

fn signed(folder: &Path) -> Signed {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let own = CertificateParams::new(names).unwrap();
    let own = own.signed_by(&key, &issuer).unwrap();
    let made = Signed {
        ca: folder.join("ca.pem"),
        files: CertificateFiles {
            chain: folder.join("server.crt"),
            key: folder.join("server.key"),
        },
    };
    fs::write(&made.ca, issuer.pem()).unwrap();
    fs::write(&made.files.chain, own.pem()).unwrap();
    fs::write(&made.files.key, key.serialize_pem()).unwrap();
    made
}

/// A PostgreSQL of our own, ended with the test.
struct Postgres {
    server: Child,
    port: u16,
    user: &'static str,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let id = self.server.id().to_string();
        // "Fast shutdown"; the wrapper, if there is one, passes it on.
        drop(Command::new("kill").args(["-INT", &id]).status());
        drop(self.server.wait());
    }
}

fn newest_tools() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> = versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .filter(|folder| folder.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop()
}

/// PostgreSQL does not run as root; there it runs as the user of its package.
fn as_database_user(program: &Path, is_root: bool) -> Command {
    if is_root {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
            .arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

impl Postgres {
    /// Starts a server that takes TLS only; nothing where there is no PostgreSQL.
    fn start(folder: &Path, files: &CertificateFiles) -> Option<Self> {
        let tools = newest_tools()?;
        let whoami = Command::new("id").arg("-u").output().unwrap();
        let is_root = whoami.stdout.trim_ascii() == b"0";
        let data = folder.join("data");
        fs::create_dir(&data).unwrap();
        let paths = [folder, &data, &files.chain, &files.key];
        if is_root {
            run(Command::new("chown").arg("postgres").args(paths));
        }
        run(Command::new("chmod").arg("600").arg(&files.key));
        run(Command::new("chmod").args(["755"]).arg(folder));
        run(as_database_user(&tools.join("initdb"), is_root)
            .args(["--auth=trust", "--username=doorstep", "--no-sync", "-D"])
            .arg(&data)
            .current_dir("/"));
        let hba = "hostssl all all 127.0.0.1/32 trust\n";
        fs::write(data.join("pg_hba.conf"), hba).unwrap();
        // Free a moment ago; PostgreSQL cannot choose by itself.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.local_addr().unwrap().port();
        let server = as_database_user(&tools.join("postgres"), is_root)
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories=", "-c", "ssl=on"])
            .args(["-c", &format!("ssl_cert_file={}", files.chain.display())])
            .args(["-c", &format!("ssl_key_file={}", files.key.display())])
            .current_dir("/")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Some(Self {
            server,
            port,
            user: "doorstep",
        })
    }

    fn url(&self, query: &str) -> String {
        let (user, port) = (self.user, self.port);
        format!("postgres://{user}@localhost:{port}/postgres?{query}")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_is_reached_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let signed = signed(folder.path());
    let Some(postgres) = Postgres::start(folder.path(), &signed.files) else {
        let required = std::env::var("DOORSTEP_REQUIRE_ALL").is_ok_and(|value| value == "1");
        assert!(!required, "no PostgreSQL; apt-get install postgresql");
        // Past the capture of the test runner, so that a person sees it.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: no PostgreSQL; apt-get install postgresql"
        );
        return;
    };
    let trusted = format!("sslrootcert={}", signed.ca.display());
    let mut opened = Store::open(&postgres.url("sslmode=require")).await;
    for _ in 0..100 {
        if opened.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        opened = Store::open(&postgres.url("sslmode=require")).await;
    }
    opened.unwrap().close().await;
    let verified = postgres.url(&format!("sslmode=verify-full&{trusted}"));
    Store::open(&verified).await.unwrap().close().await;
    for query in ["sslmode=verify-full", "sslmode=disable"] {
        let refused = Store::open(&postgres.url(query)).await;
        assert!(refused.is_err(), "{query}");
    }
}

#[tokio::test]
async fn a_gateway_behind_https_is_reached_if_its_authority_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let signed = signed(folder.path());
    let bound = Bound::to(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .unwrap();
    let port = bound.address().port();
    let mut config = ServeConfig::new("public");
    config.tls = Some(ServerTls::open(signed.files).unwrap());
    let stop = CancellationToken::new();
    let nobody = Router::new().fallback(|| async {
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (StatusCode::NOT_FOUND, kind, "{}")
    });
    let serving = tokio::spawn(bound.serve(nobody, config, stop.clone()));
    let at = GatewayConfig::new(format!("https://localhost:{port}"), Secret::new(*b"secret"));
    let asking = |ca: Option<&Path>| {
        let trust = client_config(ca).unwrap();
        HttpGateway::new(&at, String::new(), trust).unwrap()
    };
    let reference = OrderId::fresh(START_MS);
    let found = asking(Some(&signed.ca)).find(reference).await;
    assert!(matches!(found, Ok(None)), "{found:?}");
    match asking(None).find(reference).await {
        Err(GatewayError::Unknown(why)) => assert!(why.contains("certificate"), "{why}"),
        other => panic!("{other:?}"),
    }
    stop.cancel();
    serving.await.unwrap();
}
