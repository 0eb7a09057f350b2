//! Servers over TLS: dispatch and NATS as a control plane reaches them, with their authority and with another one; a city
//! in one process, its sandbox included.

use std::path::Path;
use std::time::{Duration, Instant};

use doorstep_control_plane_nats::JetStreamConfig;
use doorstep_dispatch_wire::token::Audience;
use doorstep_web::tls::client_config;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::api::{Api, Ask, Restaurant};
use crate::broker;
use crate::processes::Server;
use crate::site::Site;

/// A hang fails the test; nothing is timed by it.
const HANG: Duration = Duration::from_secs(60);

/// Writes a certificate for this machine, its key, and nothing else: who trusts `NAME.pem` trusts it alone.
fn certify(folder: &Path, name: &str) {
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let file = |kind: &str| folder.join(format!("{name}.{kind}"));
    std::fs::write(file("pem"), made.cert.pem()).unwrap();
    std::fs::write(file("key"), made.signing_key.serialize_pem()).unwrap();
}

/// A control plane that trusts a file and reaches no gateway.
fn control_plane(site: &Site, ca: &str, more: &str) -> Server {
    let arguments = format!(
        "control-plane --listen 127.0.0.1:0 --token-key token.key --gateway-secret gateway.secret --ca {ca} \
         --gateway-url http://127.0.0.1:9 --log-format json {more}"
    );
    Server::spawn(site.doorstep(&arguments))
}

async fn open_restaurant(site: &Site, api: &Api) -> (Restaurant, String) {
    let admin = site.token(Audience::Admin, "operator");
    let restaurant = api.restaurant(&admin, site.places[0]).await;
    (restaurant, api.customer().await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dispatch_and_nats_are_reached_over_tls_by_those_who_trust_them() {
    if !broker::is_installed("nats-server") {
        return;
    }
    let site = Site::new();
    for name in ["own", "foreign"] {
        certify(site.folder(), name);
    }
    let tls = ["--tls", "--tlscert", "own.pem", "--tlskey", "own.key"];
    let (_broker, nats) = broker::start(site.folder(), &tls);
    let mut dispatch = Server::spawn(site.doorstep(
        "dispatch --map city.road --token-key token.key --quic 127.0.0.1:0 --grpc 127.0.0.1:0 \
         --grpc-certificate own.pem --grpc-certificate-key own.key",
    ));
    let grpc = dispatch.last_word("grpc ");

    let both = format!("--dispatch https://{grpc} --nats tls://{nats} --database sqlite://own.db");
    let mut trusting = control_plane(&site, "own.pem", &both);
    let api = Api::at(&trusting.wait_for("control plane on"));
    let (restaurant, customer) = open_restaurant(&site, &api).await;
    let quoted = api.quoted(&restaurant, &customer, site.places[1]).await;
    let order = api.order(&customer, quoted.paid_by("sandbox_ok")).await;
    let own = client_config(Some(&site.folder().join("own.pem"))).unwrap();
    let bus = JetStreamConfig {
        trust: Some(own),
        ..JetStreamConfig::new(format!("tls://{nats}"))
    };
    let published = broker::until_published(bus, &order).await;
    assert_eq!(published.subject(), "orders.opened");

    let mut refused = control_plane(&site, "foreign.pem", &both);
    assert_eq!(refused.wait().code(), Some(1));
    let said = refused.said.last().unwrap();
    for part in [&format!("tls://{nats}"), "invalid peer certificate"] {
        assert!(said.contains(part), "no {part} in {said}");
    }

    let alone = format!("--dispatch https://{grpc} --database sqlite://foreign.db");
    let mut distrusting = control_plane(&site, "foreign.pem", &alone);
    let api = Api::at(&distrusting.wait_for("control plane on"));
    let warning = distrusting.line("dispatch does not answer");
    let warning: Value = serde_json::from_str(&warning).unwrap();
    assert_eq!(warning["fields"]["address"], format!("https://{grpc}"));
    let why = warning["fields"]["why"].as_str().unwrap();
    assert!(why.contains("invalid peer certificate"), "{why}");
    let (restaurant, customer) = open_restaurant(&site, &api).await;
    let cart = restaurant.cart(site.places[1]);
    let ask = Ask::post("/v1/quotes", &customer, cart);
    let (status, body) = api.send(ask).await.unwrap();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    assert_ne!(body["code"], json!(null), "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_in_one_process_is_served_over_https_and_its_sandbox_trusts_it() {
    let site = Site::new();
    certify(site.folder(), "own");
    let quick = "[dispatch.policy]\nround_interval = \"1s\"\n";
    std::fs::write(site.folder().join("quick.toml"), quick).unwrap();
    let mut server = Server::spawn(site.doorstep(
        "serve --config quick.toml --map city.road --data data --sandbox --listen 127.0.0.1:0 --quic 127.0.0.1:0 \
         --private-listen 127.0.0.1:0 --tls-cert own.pem --tls-key own.key --ca own.pem",
    ));
    let private = server.last_word("private on");
    let http = server.last_word("city view");
    let quic = server.wait_for("drivers ");
    let quic = quic.split([' ', ',']).find(|word| word.contains(':'));
    let trial = format!(
        "trial-order --server {http} --ca own.pem --quic {} --certificate data/certificate.der \
         --token-key data/token.key --map city.road",
        quic.unwrap()
    );
    server.wait_for("ready");
    let output = site.doorstep(&trial).output().unwrap();
    assert!(output.status.success(), "{output:#?}\n{:#?}", server.said);
    let taken =
        r#"doorstep_http_requests_total{method="POST",route="/v1/payments/webhook",status="2xx"}"#;
    let until = Instant::now() + HANG;
    loop {
        let figures = reqwest::get(format!("{private}/metrics")).await.unwrap();
        let figures = figures.text().await.unwrap();
        if figures.contains(taken) {
            return;
        }
        assert!(
            Instant::now() < until,
            "no webhook came over HTTPS: {figures}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
