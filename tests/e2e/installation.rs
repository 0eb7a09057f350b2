//! An installation of several processes: gateway, dispatch and control planes on one database and one broker.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use doorstep_control_plane_nats::JetStreamConfig;

use crate::api::Api;
use crate::broker;
use crate::database::Database;
use crate::processes::Server;
use crate::site::Site;

/// A hang fails the test; nothing is timed by it.
const HANG: Duration = Duration::from_secs(60);

/// What several control planes share; all ends with it.
pub(crate) struct Installation {
    pub(crate) dispatch: Server,
    /// Where drivers connect.
    pub(crate) quic: SocketAddr,
    grpc: String,
    gateway_url: String,
    nats: String,
    _gateway: Server,
    _broker: Server,
    pub(crate) database: Database,
    // Last, for it goes when nobody writes into its folder any more.
    pub(crate) site: Site,
}

/// A control plane of an installation.
pub(crate) struct ControlPlane {
    pub(crate) server: Server,
    pub(crate) api: Api,
}

impl Installation {
    /// Starts all but the control planes; nothing where PostgreSQL or NATS is missing.
    pub(crate) fn start() -> Option<Self> {
        if !broker::is_installed("nats-server") {
            return None;
        }
        let database = Database::create()?;
        let site = Site::new();
        let (broker, nats) = broker::start(site.folder(), &[]);
        let mut gateway = Server::spawn(
            site.doorstep("gateway-sandbox --listen 127.0.0.1:0 --secret gateway.secret"),
        );
        let gateway_url = gateway.last_word("payment gateway");
        let quick = "[dispatch.policy]\nround_interval = \"1s\"\n";
        std::fs::write(site.folder().join("dispatch.toml"), quick).unwrap();
        let mut dispatch = Server::spawn(site.doorstep(
            "dispatch --config dispatch.toml --map city.road --token-key token.key --quic 127.0.0.1:0 --grpc 127.0.0.1:0 \
             --certificate-out server.der --log-format json",
        ));
        let quic = dispatch.last_word("quic ").parse().unwrap();
        let grpc = dispatch.last_word("grpc ");
        Some(Self {
            dispatch,
            quic,
            grpc,
            gateway_url,
            nats,
            _gateway: gateway,
            _broker: broker,
            database,
            site,
        })
    }

    /// Starts a control plane at an address, with further arguments.
    pub(crate) fn control_plane(&self, listen: &str, more: &str) -> ControlPlane {
        let arguments = format!(
            "control-plane --listen {listen} --token-key token.key --gateway-secret gateway.secret --log-format json \
             --dispatch http://{} --gateway-url {} --nats nats://{} --database {} {more}",
            self.grpc,
            self.gateway_url,
            self.nats,
            self.database.url(),
        );
        let mut server = Server::spawn(self.site.doorstep(&arguments));
        let api = Api::at(&server.wait_for("control plane on"));
        ControlPlane { server, api }
    }

    /// How the broker is reached.
    pub(crate) fn bus(&self) -> JetStreamConfig {
        JetStreamConfig::new(format!("nats://{}", self.nats))
    }

    /// Waits until a query answers this.
    pub(crate) async fn until_query(&self, sql: &str, wanted: &str) {
        let until = Instant::now() + HANG;
        loop {
            let found = self.database.query(sql);
            if found == wanted {
                return;
            }
            assert!(Instant::now() < until, "{sql}: {found}, not {wanted}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
