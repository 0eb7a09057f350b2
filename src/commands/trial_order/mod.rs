//! `doorstep trial-order`: one order to the door, to see that an installation works.

mod driver;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use doorstep_dispatch_wire::token::{Audience, Claims, TokenKey};
use doorstep_routing::{LatLng, RoadArchive};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use self::driver::TrialDriver;
use super::server_address::ServerAddress;
use super::token::{parse_span, read_key};

/// Between two looks at the order.
const POLL: Duration = Duration::from_millis(200);

/// The trial's customer lives about so far from its restaurant, in metres: near enough to believe the driver's jump.
const TRIAL_TRIP_M: std::ops::Range<u64> = 150..400;

/// Places one order and carries it to the door, to see that an installation works.
///
/// Opens a restaurant and a customer called "Trial", orders with a payment method of the gateway, accepts as the
/// restaurant, and drives as a driver of its own. Exit code 0 once the order is delivered. Needs the key that signs
/// tokens; the trial stays in the books, as every order does.
#[derive(clap::Args)]
#[command(
    after_help = "Example: doorstep trial-order --map porto.road --token-key token.key --quic 127.0.0.1:4433 \\
         --certificate server.der"
)]
pub(crate) struct TrialOrderArgs {
    #[command(flatten)]
    server: ServerAddress,
    /// Where dispatch takes drivers
    #[arg(long, default_value = "127.0.0.1:4433", value_name = "ADDR")]
    quic: SocketAddr,
    /// Dispatch's certificate in DER, as --certificate-out writes it
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
    /// The key that signs tokens
    #[arg(long, value_name = "FILE")]
    token_key: PathBuf,
    /// The map that dispatch serves: the trial happens in its middle
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// How the customer pays, in the gateway's words
    #[arg(long, default_value = "sandbox_ok", value_name = "METHOD")]
    payment_method: String,
    /// The number of the trial's driver
    #[arg(long, default_value_t = 999_999_999)]
    driver: u64,
    /// How long it may take
    #[arg(long, default_value = "5m", value_name = "DURATION", value_parser = parse_span)]
    within: Duration,
}

pub(crate) fn run(args: TrialOrderArgs) -> anyhow::Result<ExitCode> {
    let archive = doorstep_maps::open_map(&args.map)?;
    let (pickup, dropoff) = two_places(&archive)
        .with_context(|| format!("{} has no two places for a trial", args.map.display()))?;
    drop(archive);
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        match tokio::time::timeout(args.within, trial(&args, pickup, dropoff)).await {
            Ok(outcome) => outcome,
            Err(_) => bail!("the order is not delivered after {:?}", args.within),
        }
    })
}

/// Two junctions near the middle of a map: a restaurant and a customer.
fn two_places(archive: &RoadArchive) -> Option<(LatLng, LatLng)> {
    let network = &archive.network;
    let (south_west, north_east) = network.bounds()?;
    let middle = LatLng::from_e7(
        i32::midpoint(south_west.lat_e7(), north_east.lat_e7()),
        i32::midpoint(south_west.lng_e7(), north_east.lng_e7()),
    );
    let places = || network.nodes().map(|node| network.node_at(node));
    let pickup = places().min_by_key(|place| place.crow_distance(middle).as_millimetres())?;
    let far = |place: &LatLng| place.crow_distance(pickup).as_millimetres() / 1_000;
    let near_enough = places().filter(|place| TRIAL_TRIP_M.contains(&far(place)));
    let dropoff = near_enough.min_by_key(far)?;
    Some((pickup, dropoff))
}

async fn trial(args: &TrialOrderArgs, pickup: LatLng, dropoff: LatLng) -> anyhow::Result<ExitCode> {
    let key = read_key(&args.token_key)?;
    let started = Instant::now();
    let api = Api {
        client: args.server.client()?,
        server: args.server.clone(),
    };
    let driver = TrialDriver::start(
        args.quic,
        &read_certificate(&args.certificate)?,
        token(&key, Audience::Driver, &args.driver.to_string())?,
        pickup,
    )?;
    let admin = token(&key, Audience::Admin, "trial-order")?;
    let restaurant = api.open_restaurant(&admin, pickup).await?;
    let customer = api
        .call(
            Method::POST,
            "/v1/customers",
            "",
            Some(&json!({"name": "Trial"})),
        )
        .await?;
    let customer = text(&customer, "token")?;
    let order_id = api
        .order(&restaurant, customer, dropoff, &args.payment_method)
        .await?;
    say(started, &format!("order {order_id} is placed"));

    let path = format!("/v1/orders/{order_id}");
    let mut before = String::new();
    loop {
        let order = api.call(Method::GET, &path, customer, None).await?;
        let state = text(&order, "state")?;
        if state != before {
            say(started, state);
            before = state.to_owned();
        }
        match state {
            "placed" => restaurant.accept(&api, &order_id).await?,
            "delivered" => break,
            "payment_failed" | "rejected" | "expired" | "cancelled" => {
                bail!("the order ended as {state}: {order}")
            }
            _ => {}
        }
        driver.check()?;
        tokio::time::sleep(POLL).await;
    }
    let receipt = api
        .call(Method::GET, &format!("{path}/receipt"), customer, None)
        .await?;
    ensure!(
        receipt["total_minor"].is_i64(),
        "the receipt has no total: {receipt}"
    );
    driver.end().await;
    Ok(ExitCode::SUCCESS)
}

fn read_certificate(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("certificate {}", path.display()))
}

fn token(key: &TokenKey, audience: Audience, subject: &str) -> anyhow::Result<String> {
    let expires_at = SystemTime::now().duration_since(UNIX_EPOCH)? + Duration::from_secs(3_600);
    Ok(key.sign(&Claims {
        audience,
        subject: subject.to_owned(),
        expires_at_ms: u64::try_from(expires_at.as_millis())?,
    }))
}

/// The restaurant of the trial.
struct Restaurant {
    id: String,
    token: String,
    item_id: String,
}

impl Restaurant {
    async fn accept(&self, api: &Api, order_id: &str) -> anyhow::Result<()> {
        let path = format!("/v1/orders/{order_id}");
        let soon = json!({"ready_in_ms": 0});
        api.call(
            Method::POST,
            &format!("{path}/accept"),
            &self.token,
            Some(&soon),
        )
        .await?;
        api.call(
            Method::POST,
            &format!("{path}/ready"),
            &self.token,
            Some(&json!({})),
        )
        .await?;
        Ok(())
    }
}

/// The control plane over HTTP.
struct Api {
    client: reqwest::Client,
    server: ServerAddress,
}

impl Api {
    async fn open_restaurant(&self, admin: &str, at: LatLng) -> anyhow::Result<Restaurant> {
        let new = json!({
            "name": "Trial", "cuisine": "trial", "lat": at.lat(), "lng": at.lng(),
            "menu": [{"name": "Trial dish", "price_minor": 1_000}],
        });
        let made = self
            .call(Method::POST, "/v1/restaurants", admin, Some(&new))
            .await?;
        let id = text(&made, "restaurant_id")?.to_owned();
        let path = format!("/v1/restaurants/{id}");
        let view = self.call(Method::GET, &path, admin, None).await?;
        Ok(Restaurant {
            item_id: text(&view["menu"][0], "item_id")?.to_owned(),
            token: text(&made, "token")?.to_owned(),
            id,
        })
    }

    /// Places the order; answers its id.
    async fn order(
        &self,
        restaurant: &Restaurant,
        customer: &str,
        dropoff: LatLng,
        payment_method: &str,
    ) -> anyhow::Result<String> {
        let cart = json!({
            "restaurant_id": restaurant.id,
            "items": [{"item_id": restaurant.item_id, "quantity": 1}],
            "dropoff": {"lat": dropoff.lat(), "lng": dropoff.lng()},
        });
        let quote = self
            .call(Method::POST, "/v1/quotes", customer, Some(&cart))
            .await?;
        let new = json!({"quote_id": text(&quote, "quote_id")?, "payment_method": payment_method});
        let order = self
            .call(Method::POST, "/v1/orders", customer, Some(&new))
            .await?;
        Ok(text(&order, "order_id")?.to_owned())
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let url = self.server.url.join(path)?;
        let mut request = self.client.request(method.clone(), url);
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request
                .header("Idempotency-Key", Uuid::now_v7().to_string())
                .json(body);
        }
        let answer = request.send().await;
        let answer = answer.map_err(|error| self.server.no_answer(error))?;
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or_default();
        ensure!(
            status.is_success(),
            "{method} {path} answers {status}: {}",
            body["detail"].as_str().unwrap_or("no reason given")
        );
        Ok(body)
    }
}

fn text<'a>(answer: &'a Value, field: &str) -> anyhow::Result<&'a str> {
    answer[field]
        .as_str()
        .with_context(|| format!("an answer has no {field}: {answer}"))
}

#[allow(clippy::print_stdout, reason = "the course of the trial is the answer")]
fn say(started: Instant, what: &str) {
    println!("{:6.1} s  {what}", started.elapsed().as_secs_f64());
}
