//! Over a socket.

use std::net::SocketAddr;

use axum::Router;
use doorstep_route_server::http::{Server, router};
use doorstep_route_server::{Limits, Page};
use doorstep_web::serve::{Bound, ServeConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::town::{at, atlas, written};

/// Sends one request and reads until the server closes.
async fn exchange(address: SocketAddr, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn serve(bound: Bound, router: Router, stop: &CancellationToken) -> JoinHandle<()> {
    tokio::spawn(bound.serve(router, ServeConfig::new("public"), stop.clone()))
}

#[tokio::test]
async fn clients_are_answered_until_the_server_is_stopped() {
    let bound = Bound::to(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = bound.address();
    let stop = CancellationToken::new();
    let server = Server::new(atlas(Limits::default()), 2);
    let serving = serve(bound, router(server, None), &stop);
    let pair = format!("{};{}", written(at(0.0, 0.5)), written(at(3.5, 4.0)));

    let answer = exchange(
        address,
        &format!("GET /route/v1/driving/{pair}?overview=false"),
        "",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let lower = answer.to_lowercase();
    assert!(lower.contains("access-control-allow-origin: *"), "{answer}");
    assert!(lower.contains("content-type: application/json"), "{answer}");
    assert!(answer.contains(r#"{"code":"Ok","routes":[{"#), "{answer}");

    let escaped = pair.replace(';', "%3B").replace(',', "%2c");
    for target in [
        format!("GET /trip/v1/driving/{escaped}.json?overview=false"),
        format!("GET /table/v1/driving/{};{pair};{pair};{pair}", pair),
    ] {
        let answer = exchange(address, &target, "").await;
        assert!(answer.contains(r#"{"code":"Ok""#), "{target}: {answer}");
    }
    for (target, status, part) in [
        ("GET /", "400", "InvalidUrl"),
        ("GET /route/v1/driving/%", "400", "InvalidUrl"),
        ("GET /route/v9/driving/1,1;2,2", "400", "InvalidVersion"),
        ("GET /route/v1/driving/0,0;9,9", "400", "NoSegment"),
        ("POST /route/v1/driving/0,0;9,9", "405", ""),
        (
            "OPTIONS /route/v1/driving/0,0;9,9",
            "204",
            "access-control-allow-methods",
        ),
        ("GET /healthz", "200", "ok"),
    ] {
        let answer = exchange(address, target, "").await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{target}: {answer}"
        );
        assert!(answer.contains(part), "{target}: {answer}");
    }

    let start = at(2.01, 0.5);
    let json = format!(
        r#"{{"locations":[{{"lat":{},"lon":{}}}],"costing":"auto","contours":[{{"time":1}}]}}"#,
        start.lat(),
        start.lng()
    );
    let escaped = json
        .replace('"', "%22")
        .replace('{', "%7B")
        .replace('}', "%7D");
    let asked = exchange(address, &format!("GET /isochrone?json={escaped}"), "").await;
    let posted = exchange(address, "POST /isochrone", &json).await;
    for answer in [&asked, &posted] {
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains(r#""type":"FeatureCollection""#), "{answer}");
    }
    let refused = exchange(address, "POST /isochrone", "{}").await;
    assert!(refused.contains(r#"{"error_code":120,"#), "{refused}");
    let huge = exchange(address, "POST /isochrone", &" ".repeat(100_000)).await;
    assert!(huge.starts_with("HTTP/1.1 413"), "{huge}");

    stop.cancel();
    serving.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_page_comes_with_its_policy_and_its_map() {
    let drawing = br#"{"attribution":"them","classes":[]}"#.to_vec();
    let page = Page::prepare("town", "© them", &["car", "foot"], drawing);
    let bound = Bound::to(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = bound.address();
    let stop = CancellationToken::new();
    let server = Server::new(atlas(Limits::default()), 1);
    let serving = serve(bound, router(server, Some(page)), &stop);
    for (target, part) in [
        ("GET /", "© them"),
        ("GET /map.json", r#""attribution":"them""#),
        ("GET /profiles.json", r#"["car","foot"]"#),
        ("GET /assets/map_view/map_view.js", "import"),
        ("GET /route/v1/car/0,0;0.001,0", r#""code":"Ok""#),
    ] {
        let answer = exchange(address, target, "").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{target}: {answer}");
        assert!(answer.contains(part), "{target}: {answer}");
        let is_guarded = answer.contains("content-security-policy: default-src 'none'");
        assert_eq!(
            is_guarded,
            !target.contains("/route/"),
            "{target}: {answer}"
        );
    }
    let missing = exchange(address, "GET /assets/map_view/nothing.js", "").await;
    assert!(missing.starts_with("HTTP/1.1 404"), "{missing}");
    stop.cancel();
    serving.await.unwrap();
}
