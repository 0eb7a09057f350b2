//! The surface itself: the specification, problem bodies, bounds, headers, lists of restaurants.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::harness::{Harness, answer, text};

mod both {
    crate::tests::on_both!(
        errors_are_problem_bodies,
        every_route_is_specified,
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

/// Every `/v1` route that is served is in the specification, as the sources register them, and every reference resolves.
async fn every_route_is_specified(h: Harness) {
    let (status, spec) = answer(
        h.request(Method::GET, "/openapi.json", "")
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(status, 200);
    let mut specified = BTreeSet::new();
    for (path, item) in spec["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            specified.insert(format!("{method} {path}"));
            assert!(
                operation["summary"].is_string(),
                "{method} {path} says what it does"
            );
            let answers = operation["responses"].as_object().unwrap();
            assert!(
                answers.keys().any(|status| status.starts_with('2')),
                "{method} {path} succeeds somehow"
            );
            // What is specified is served: neither the fallback nor a refused method answers.
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let real = path
                .replace("{order_id}", "x")
                .replace("{restaurant_id}", "x");
            let response = h.request(method, &real, "").send().await.unwrap();
            assert_ne!(response.status().as_u16(), 405, "{path}");
        }
    }
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("routes", specified.into_iter().collect::<Vec<_>>().join("\n"));
    });
    let registered = include_str!("../http/mod.rs").matches("routes!(").count();
    assert_eq!(
        spec["paths"].as_object().unwrap().len(),
        registered,
        "one path for each registration"
    );
    let mut references = Vec::new();
    collect_references(&spec, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        assert!(
            spec.pointer(reference.trim_start_matches('#')).is_some(),
            "{reference} leads nowhere"
        );
    }
    h.stop().await;
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
