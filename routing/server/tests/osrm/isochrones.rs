//! `/isochrone` has the fields of Valhalla 3.9, written down from its answers.

use doorstep_route_server::Limits;
use doorstep_route_server::isochrone_request::IsochroneRequest;
use serde_json::{Value, json};

use crate::town::{at, atlas};

fn ask(options: &Value) -> Value {
    let start = at(2.01, 0.5);
    let mut request = json!({
        "locations": [{"lat": start.lat(), "lon": start.lng()}],
        "costing": "auto",
        "contours": [{"time": 1}, {"time": 2, "color": "ff0000"}],
    });
    for (key, value) in options.as_object().unwrap() {
        request[key] = value.clone();
    }
    let request = IsochroneRequest::parse(request.to_string().as_bytes(), 60, 4).unwrap();
    let bytes = atlas(Limits::default()).isochrone(&request).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn polygons_come_from_far_to_near_with_valhallas_properties() {
    let answer = ask(&json!({"polygons": true, "id": "mine"}));
    assert_eq!(answer["type"], "FeatureCollection");
    assert_eq!(answer["id"], "mine");
    let features = answer["features"].as_array().unwrap();
    assert_eq!(features.len(), 2);
    assert_eq!(
        features[0]["properties"],
        json!({
            "fill-opacity": 0.33, "fillColor": "#ff0000", "opacity": 0.33, "fill": "#ff0000",
            "fillOpacity": 0.33, "color": "#ff0000", "contour": 2.0, "metric": "time",
        })
    );
    assert_eq!(features[1]["properties"]["contour"], 1.0);
    for feature in features {
        assert_eq!(feature["geometry"]["type"], "Polygon");
        let ring = feature["geometry"]["coordinates"][0].as_array().unwrap();
        assert!(ring.len() > 4);
        assert_eq!(ring.first(), ring.last());
    }
}

#[test]
fn lines_and_places_are_told_when_asked_for() {
    let answer = ask(&json!({"polygons": false, "show_locations": true, "denoise": 0.5}));
    let kinds: Vec<&str> = answer["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|feature| feature["geometry"]["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["LineString", "LineString", "MultiPoint", "Point"]);
    let last = &answer["features"][3]["properties"];
    assert_eq!(*last, json!({"type": "input", "location_index": 0}));
}

#[test]
fn what_is_not_served_is_refused() {
    for (costing, place, number) in [("bicycle", 0.0, 125), ("auto", 10.0, 171)] {
        let request = json!({
            "locations": [{"lat": place, "lon": place}], "costing": costing, "contours": [{"time": 1}],
        });
        let request = IsochroneRequest::parse(request.to_string().as_bytes(), 60, 4).unwrap();
        let error = atlas(Limits::default()).isochrone(&request).unwrap_err();
        assert_eq!(error.error_code, number, "{error}");
    }
}
