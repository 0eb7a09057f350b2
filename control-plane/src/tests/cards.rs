//! The cards of the city view: who ordered what, and the way on the roads.

use doorstep_dispatch_wire::dispatch::LatLng;
use serde_json::{Value, json};

use super::harness::{Actor, Harness};

mod both {
    crate::tests::on_both!(a_card_says_who_and_what_and_which_way);
}

fn at(lat_e7: i32, lng_e7: i32) -> LatLng {
    LatLng { lat_e7, lng_e7 }
}

async fn a_card_says_who_and_what_and_which_way(h: Harness) {
    let town = h.town().await;
    let id = h.place(&town, "ok").await;
    h.until_state(id, "placed").await;
    let path = format!("/city/orders/{}/card", id.uuid());
    let nobody = Actor {
        id: String::new(),
        token: String::new(),
    };
    assert_eq!(h.get(&path, &nobody).await.0, 401);
    assert_eq!(h.get(&path, &town.restaurant).await.0, 401);

    let (status, card) = h.get(&path, &town.admin).await;
    assert_eq!(status, 200, "{card}");
    assert_eq!(card["customer"], "Ada");
    assert_eq!(card["currency"], "EUR");
    assert!(card["total_minor"].as_i64().unwrap() > 0);
    assert!(!card["items"].as_array().unwrap().is_empty(), "{card}");
    let route = card["route"].as_array().unwrap();
    assert_eq!(route.len(), 1, "from the restaurant to the door: {card}");

    assert_eq!(h.act(&town.restaurant, id, "accept").await.0, 200);
    h.dispatch.until_requested(id).await;
    h.dispatch
        .driver_serves(&id.uuid().to_string(), [at(1, 2), at(3, 4), at(5, 6)]);
    let path = "/city/drivers/7/card";
    let card = loop {
        let (status, card) = h.get(path, &town.admin).await;
        if status == 200 {
            break card;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(card["vehicle"], "scooter");
    assert_eq!(
        (&card["last_ping_ms"], &card["shift_until_ms"]),
        (&json!(5), &json!(9))
    );
    assert_eq!(card["route"], json!([[1, 2, 3, 4], [3, 4, 5, 6]]));

    let (status, answer): (u16, Value) = h.get("/city/drivers/8/card", &town.admin).await;
    assert_eq!((status, &answer["code"]), (404, &json!("not_found")));
}
