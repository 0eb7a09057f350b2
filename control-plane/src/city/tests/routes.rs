//! Over HTTP: the page, its files and its map, who may see it, and the stream.

use super::*;

#[tokio::test]
async fn the_page_reads_without_scripts_and_escapes() {
    let (live, _) = live(true);
    let mut late = assigned(1, EVENING_MS);
    late.dropoff_eta_ms = Some(EVENING_MS + 60 * MINUTE_MS);
    live.picture().see_order(&late, EVENING_MS);
    live.picture().see_drivers(&drivers(vec![
        driver(1, 10, DriverState::Idle),
        driver(2, 20, DriverState::ToCustomer),
    ]));
    delta(&live, EVENING_MS);
    let response = get(&live, "/", &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.contains("script-src 'self'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let html = String::from_utf8(bytes(response).await.to_vec()).unwrap();
    assert!(
        !html.contains("{{"),
        "a name is left: {}",
        html.split("{{").nth(1).unwrap()
    );
    for expected in [
        "Grill &lt;1&gt;",
        "! late",
        "19:30",
        "<span id=\"on-duty\">2</span>",
        "© &lt;OSM&gt;",
    ] {
        assert!(html.contains(expected), "no {expected} in the page");
    }
}

#[tokio::test]
async fn files_are_revalidated_by_their_tag() {
    let (live, _) = live(false);
    let first = get(&live, "/assets/city/main.js", &[]).await;
    assert_eq!(
        first.headers()[header::CONTENT_TYPE],
        "text/javascript; charset=utf-8"
    );
    let etag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
    let again = get(
        &live,
        "/assets/city/main.js",
        &[(header::IF_NONE_MATCH, &etag)],
    )
    .await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    for wrong in [
        "/assets/city/nothing.js",
        "/assets/city/..%2fmain.js",
        "/assets/city/index.html",
    ] {
        assert_eq!(
            get(&live, wrong, &[]).await.status(),
            StatusCode::NOT_FOUND,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn the_map_comes_zipped_to_who_takes_it() {
    let (live, _) = live(true);
    let plain = get(
        &live,
        "/city/map.json",
        &[(header::ACCEPT_ENCODING, "gzip;q=0, br")],
    )
    .await;
    assert_eq!(plain.headers().get(header::CONTENT_ENCODING), None);
    assert_eq!(bytes(plain).await, MAP.as_bytes());
    let zipped = get(
        &live,
        "/city/map.json",
        &[(header::ACCEPT_ENCODING, "br, gzip")],
    )
    .await;
    assert_eq!(zipped.headers()[header::CONTENT_ENCODING], "gzip");
    let zipped = bytes(zipped).await;
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*zipped), &mut text).unwrap();
    assert_eq!(text, MAP);
}

#[tokio::test]
async fn only_the_operator_sees_a_private_city() {
    let (live, _) = live(false);
    for path in ["/", "/city/map.json", "/city/stream"] {
        assert_eq!(
            get(&live, path, &[]).await.status(),
            StatusCode::UNAUTHORIZED,
            "{path}"
        );
    }
    let token = |audience| {
        let expires_at_ms = u64::try_from(EVENING_MS + MINUTE_MS).unwrap();
        key().sign(&Claims {
            audience,
            subject: "ops".to_owned(),
            expires_at_ms,
        })
    };
    let customer = get(
        &live,
        &format!("/?token={}", token(Audience::Customer)),
        &[],
    )
    .await;
    assert_eq!(customer.status(), StatusCode::UNAUTHORIZED);

    let opened = get(&live, &format!("/?token={}", token(Audience::Admin)), &[]).await;
    assert_eq!(
        (opened.status(), &opened.headers()[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/".parse().unwrap())
    );
    let cookie = opened.headers()[header::SET_COOKIE]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let pair = cookie.split(';').next().unwrap();
    let page = get(&live, "/", &[(header::COOKIE, &format!("a=b; {pair}"))]).await;
    assert_eq!(page.status(), StatusCode::OK);
    let bearer = format!("Bearer {}", token(Audience::Admin));
    assert_eq!(
        get(&live, "/city/map.json", &[(header::AUTHORIZATION, &bearer)])
            .await
            .status(),
        StatusCode::OK
    );
}

/// Reads events from a stream's body until one satisfies `wanted`; returns it.
async fn event_where(body: &mut BodyDataStream, wanted: impl Fn(&str, &Value) -> bool) -> Value {
    let mut text = String::new();
    loop {
        while let Some((event, rest)) = text.split_once("\n\n") {
            let name = event
                .lines()
                .find_map(|line| line.strip_prefix("event: "))
                .unwrap_or("");
            let data = event
                .lines()
                .find_map(|line| line.strip_prefix("data: "))
                .unwrap_or("null");
            let data: Value = serde_json::from_str(data).unwrap();
            let found = wanted(name, &data);
            text = rest.to_owned();
            if found {
                return data;
            }
        }
        let chunk = body.next().await.expect("the stream goes on").unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_viewer_gets_a_snapshot_then_deltas_until_shutdown() {
    let (live, clock) = live(true);
    let feed = Feed::default();
    let (pictures, seen) = watch::channel(Arc::new(DriverPicture::default()));
    let opened = order(1, State::Accepted, Phase::Searching, EVENING_MS);
    let task = tokio::spawn(run(live.clone(), feed.clone(), seen, move || {
        let opened = vec![opened.clone()];
        async move { opened }
    }));
    let mut body = get(&live, "/city/stream", &[])
        .await
        .into_body()
        .into_data_stream();
    let first = event_where(&mut body, |name, _| name == "snapshot").await;
    let base = first["seq"].as_u64().unwrap();
    let second = event_where(&mut body, |name, _| name == "delta").await;
    assert_eq!(
        second["seq"],
        base + 1,
        "no message is missing between snapshot and deltas"
    );

    clock.advance(Duration::from_secs(1));
    feed.publish(assigned(2, EVENING_MS));
    pictures.send_replace(Arc::new(drivers(vec![driver(
        1,
        10,
        DriverState::ToRestaurant,
    )])));
    let told = event_where(&mut body, |name, data| {
        name == "delta" && data.get("drivers").is_some()
    })
    .await;
    assert_eq!(told["drivers"], json!([["1", 10, 145_000_000, 2]]));
    assert_eq!(told["now"], EVENING_MS + 1_000);
    assert_eq!(told["figures"]["open"], 2);

    live.config().shutdown.cancel();
    task.await.unwrap();
    while let Some(rest) = body.next().await {
        rest.unwrap();
    }
}

#[tokio::test]
async fn a_viewer_that_fell_behind_gets_a_snapshot() {
    let (live, _) = live(true);
    let mut body = get(&live, "/city/stream", &[])
        .await
        .into_body()
        .into_data_stream();
    event_where(&mut body, |name, _| name == "snapshot").await;
    for _ in 0..40 {
        live.publish(&DriverPicture::default());
    }
    let caught_up = event_where(&mut body, |name, _| name == "snapshot").await;
    assert_eq!(caught_up["seq"], 40);
    live.publish(&DriverPicture::default());
    assert_eq!(
        event_where(&mut body, |name, _| name == "delta").await["seq"],
        41
    );
}
