//! The surface itself: the specification, problem bodies, bounds, headers, lists of restaurants.

use std::collections::BTreeSet;

use doorstep_api::problem::ProblemBody;
use doorstep_api::text::IdempotencyKey;
use doorstep_web::limits::RateLimits;
use doorstep_web::readiness::Readiness;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};

use super::harness::{Harness, answer, text};
use crate::platform::idempotency::KEY_CHARS_MAX;

mod both {
    crate::tests::on_both!(
        errors_are_problem_bodies,
        a_huge_body_is_refused_before_it_comes,
        every_route_is_specified,
        the_document_is_as_reviewed,
        a_problem_is_as_published,
        restaurants_are_found,
        quotes_are_checked,
    );
}

async fn errors_are_problem_bodies(h: Harness) {
    let town = h.town().await;
    let huge = "x".repeat(300_000);
    for (method, path, body, status) in [
        (Method::GET, "/v1/nothing", "", 404),
        (Method::DELETE, "/v1/orders", "", 405),
        (Method::POST, "/v1/customers", "{", 400),
        (
            Method::POST,
            "/v1/customers",
            r#"{"name":"x","extra":1}"#,
            400,
        ),
        (Method::POST, "/v1/customers", r#"{"name":" "}"#, 422),
        (Method::POST, "/v1/customers", huge.as_str(), 413),
        (Method::GET, "/v1/orders/not-an-id", "", 404),
        (Method::GET, "/v1/orders?limit=0", "", 400),
        (Method::GET, "/v1/orders?limit=x", "", 400),
        (Method::GET, "/v1/restaurants?near=91,0", "", 400),
    ] {
        let request = h
            .request(method, path, &town.customer.token)
            .header("x-request-id", "my-id");
        let request = request
            .header("content-type", "application/json")
            .body(body.to_owned());
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{path}");
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "application/problem+json", "{path}");
        assert_eq!(
            (header("x-request-id"), header("x-content-type-options")),
            ("my-id".into(), "nosniff".into())
        );
        let (_, problem) = answer(response).await;
        assert_eq!(
            (&problem["status"], &problem["request_id"]),
            (&json!(status), &json!("my-id")),
            "{problem}"
        );
        assert!(
            !text(&problem["code"]).is_empty() && !text(&problem["detail"]).is_empty(),
            "{problem}"
        );
    }
    let response = h
        .request(Method::GET, "/v1/orders", "ds1.forged.token")
        .send()
        .await
        .unwrap();
    assert_eq!(answer(response).await.0, 401);
    h.stop().await;
}

/// Nothing of the body is sent: the answer must not wait for it.
async fn a_huge_body_is_refused_before_it_comes(h: Harness) {
    let address = h.base.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /v1/customers HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut line = [0; 12];
    // Half of what a body may take; the answer comes within milliseconds.
    let read = timeout(Duration::from_secs(7), stream.read_exact(&mut line));
    read.await.expect("an answer at once").unwrap();
    assert_eq!(&line, b"HTTP/1.1 413");
    h.stop().await;
}

/// What only browsers and probes ask, and no client should rely on.
const UNDOCUMENTED: &[&str] = &[
    "/",
    "/assets/{*path}",
    "/city/drivers/{driver}/card",
    "/city/map.json",
    "/city/orders/{order}/card",
    "/city/stream",
    "/healthz",
    "/openapi.json",
    "/readyz",
];

async fn document(h: &Harness) -> Value {
    let request = h.request(Method::GET, "/openapi.json", "");
    let (status, document) = answer(request.send().await.unwrap()).await;
    assert_eq!(status, 200);
    document
}

/// The routes of the router, by its own account: its paths, and the methods that it allows when it is asked for another.
async fn served_routes(h: &Harness) -> BTreeSet<String> {
    let pages = crate::city::router(h.app.clone(), h.live.clone());
    let router = format!(
        "{:?}",
        crate::http::http_router(h.app.clone(), pages, Readiness::default(), RateLimits::NONE)
    );
    let named = router.split("RouteId(").filter_map(|part| {
        let (_, rest) = part.split_once("): \"")?;
        rest.split_once('"').map(|(path, _)| path)
    });
    let paths: BTreeSet<String> = named
        .filter(|path| {
            path.starts_with('/') && !path.contains("__private") && !UNDOCUMENTED.contains(path)
        })
        .map(str::to_owned)
        .collect();
    assert!(
        paths.len() > 20,
        "the paths of the router are not readable: {paths:?}"
    );
    let mut served = BTreeSet::new();
    for path in paths {
        let real = path.replace(['{', '}'], "");
        let response = h.request(Method::TRACE, &real, "").send().await.unwrap();
        assert_eq!(response.status().as_u16(), 405, "{path}");
        let allowed = response.headers()["allow"].to_str().unwrap().to_owned();
        let methods = allowed.split(',').map(str::trim);
        served.extend(
            methods
                .filter(|method| *method != "HEAD")
                .map(|method| format!("{} {path}", method.to_lowercase())),
        );
    }
    served
}

/// Every route that is served is in the document and the reverse; every operation says what it does and how it can fail.
async fn every_route_is_specified(h: Harness) {
    let document = document(&h).await;
    let mut specified = BTreeSet::new();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let route = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{route} has a summary");
            assert!(
                names.insert(text(&operation["operationId"])),
                "{route} has a name of its own"
            );
            let answers = operation["responses"].as_object().unwrap();
            assert!(
                answers.keys().any(|status| status.starts_with('2')),
                "{route}"
            );
            for (status, response) in answers {
                assert!(
                    !text(&response["description"]).is_empty(),
                    "{route} {status}"
                );
                let is_error = status.starts_with(['4', '5']);
                let is_problem = response["content"]["application/problem+json"].is_object();
                assert_eq!(is_error, is_problem, "{route} {status}");
            }
            let is_open = operation["security"] == json!([{}]);
            assert_eq!(answers.contains_key("401"), !is_open, "{route}");
            specified.insert(route);
        }
    }
    assert_eq!(served_routes(&h).await, specified);
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        assert!(
            document
                .pointer(reference.trim_start_matches('#'))
                .is_some(),
            "{reference} leads nowhere"
        );
    }
    h.stop().await;
}

/// The document as a whole: a change of the interface shows in a review as a change of this file.
async fn the_document_is_as_reviewed(h: Harness) {
    let document = serde_json::to_string_pretty(&document(&h).await).unwrap();
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("openapi", document);
    });
    h.stop().await;
}

/// What clients read is what is written: the errors of the server are those of the published type.
async fn a_problem_is_as_published(h: Harness) {
    let response = h
        .request(Method::GET, "/v1/orders", "")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    let written: Value = response.json().await.unwrap();
    let read: ProblemBody = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), written);
    h.stop().await;
}

#[test]
fn the_limits_of_the_platform_are_those_of_the_document() {
    assert_eq!(IdempotencyKey::CHARS_MAX, KEY_CHARS_MAX);
    let id = "ord_0193a7b2-c4d5-7e8f-9a0b-1c2d3e4f5061";
    assert!(
        id.parse::<crate::domain::ids::OrderId>().is_err(),
        "an id has one spelling"
    );
    assert!(
        id.replace('-', "")
            .parse::<crate::domain::ids::OrderId>()
            .is_ok()
    );
}

fn collect_references(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match (name.as_str(), field) {
                    ("$ref", Value::String(target)) => into.push(target.clone()),
                    _ => collect_references(field, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, into)),
        _ => {}
    }
}

async fn restaurants_are_found(h: Harness) {
    let town = h.town().await;
    h.restaurant(&town.admin, "100% Pasta").await;
    let names = |body: &Value| -> Vec<String> {
        body["restaurants"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| text(&one["name"]))
            .collect()
    };
    let list = async |query: &str| {
        h.get(&format!("/v1/restaurants{query}"), &town.customer)
            .await
            .1
    };
    assert_eq!(names(&list("").await).len(), 2);
    assert_eq!(names(&list("?q=pAsTa").await), ["100% Pasta"]);
    assert_eq!(
        names(&list("?q=%25").await),
        ["100% Pasta"],
        "a wildcard is a letter like any other"
    );
    assert_eq!(
        names(&list("?q=MALTESE&near=35.9,14.5&radius_m=100").await).len(),
        2
    );
    assert_eq!(names(&list("?near=36.2,14.5&radius_m=100").await).len(), 0);
    let first = list("?limit=1").await;
    assert_eq!(first["has_more"], true);
    let cursor = text(&first["restaurants"][0]["restaurant_id"]);
    let second = list(&format!("?limit=1&cursor={cursor}")).await;
    assert_eq!(second["has_more"], false);
    assert_ne!(names(&first), names(&second));
    h.stop().await;
}

async fn quotes_are_checked(h: Harness) {
    let town = h.town().await;
    let other = h.restaurant(&town.admin, "Other").await;
    let quote = async |restaurant: &str, item: &str, quantity: i64, lat: f64| {
        let body = json!({ "restaurant_id": restaurant, "items": [{ "item_id": item, "quantity": quantity }],
                           "dropoff": { "lat": lat, "lng": 14.51 } });
        let (status, body) = h.post("/v1/quotes", &town.customer, body).await;
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    };
    let (own, items) = (&town.restaurant.id, &town.items);
    let absent = "res_00000000000000000000000000000001";
    let refused = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(quote(own, &items[0], 1, 35.91).await, refused(201, ""));
    assert_eq!(
        quote(own, &items[2], 1, 35.91).await,
        refused(422, "sold_out")
    );
    assert_eq!(
        quote(&other.id, &items[0], 1, 35.91).await,
        refused(422, "unknown_item")
    );
    assert_eq!(
        quote(own, &items[0], 0, 35.91).await,
        refused(422, "invalid_cart")
    );
    assert_eq!(
        quote(own, &items[0], -1, 35.91).await,
        refused(400, "invalid_body")
    );
    assert_eq!(
        quote(own, &items[0], 1, 91.0).await,
        refused(422, "invalid_place")
    );
    assert_eq!(
        quote(own, &items[0], 1, 0.0).await,
        refused(422, "unreachable")
    );
    assert_eq!(
        quote(absent, &items[0], 1, 35.91).await,
        refused(404, "not_found")
    );
    h.stop().await;
}
