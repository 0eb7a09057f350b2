//! What the answers say, against the router itself.

use doorstep_route_server::{Code, Limits, polyline, url};
use doorstep_routing::LatLng;
use serde_json::Value;

use crate::town::{at, atlas, written};

fn ask(target: &str) -> Result<Value, Code> {
    let request = url::parse(target).map_err(|error| error.code)?;
    let answer = atlas(Limits::default()).answer(&request);
    answer
        .map(|bytes| serde_json::from_slice(&bytes).unwrap())
        .map_err(|error| error.code)
}

fn line(points: &[(f64, f64)]) -> String {
    let written: Vec<String> = points.iter().map(|&(n, e)| written(at(n, e))).collect();
    written.join(";")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn sum(list: &Value) -> f64 {
    list.as_array().unwrap().iter().map(number).sum()
}

#[test]
fn a_way_adds_up_from_steps_legs_and_pieces() {
    let stops = line(&[(0.0, 0.5), (1.5, 5.0), (4.0, 1.5)]);
    let answer = ask(&format!(
        "/route/v1/car/{stops}?steps=true&annotations=true&overview=full&geometries=geojson"
    ))
    .unwrap();
    let way = &answer["routes"][0];
    let legs = way["legs"].as_array().unwrap();
    assert_eq!(legs.len(), 2);
    let total: f64 = legs.iter().map(|leg| number(&leg["duration"])).sum();
    assert!((total - number(&way["duration"])).abs() < 0.11, "{total}");
    for leg in legs {
        let steps = leg["steps"].as_array().unwrap();
        for field in ["duration", "distance"] {
            let told: f64 = steps.iter().map(|step| number(&step[field])).sum();
            assert!((told - number(&leg[field])).abs() < 0.1 * steps.len() as f64);
            let pieces = sum(&leg["annotation"][field]);
            assert!(
                (pieces - number(&leg[field])).abs() < 0.1,
                "{field}: {pieces}"
            );
        }
        assert_eq!(steps[0]["maneuver"]["type"], "depart");
        assert_eq!(steps[steps.len() - 1]["maneuver"]["type"], "arrive");
        let pieces = leg["annotation"]["duration"].as_array().unwrap().len();
        let nodes = leg["annotation"]["nodes"].as_array().unwrap().len();
        assert_eq!(nodes, pieces + 1);
    }
    let first = &way["geometry"]["coordinates"][0];
    assert_eq!(first, &answer["waypoints"][0]["location"]);
}

#[test]
fn a_line_is_the_same_in_every_form() {
    let stops = line(&[(0.0, 0.5), (4.0, 1.5)]);
    let asked = |form: &str| {
        let target = format!("/route/v1/car/{stops}?overview=full&geometries={form}");
        ask(&target).unwrap()["routes"][0]["geometry"].clone()
    };
    let encoded = asked("polyline6");
    let points = polyline::decode(encoded.as_str().unwrap(), polyline::Precision::Six, 99).unwrap();
    let plain = asked("geojson");
    let plain = plain["coordinates"].as_array().unwrap();
    assert_eq!(points.len(), plain.len());
    for (point, other) in points.iter().zip(plain) {
        assert!((point.lng() - number(&other[0])).abs() < 1e-9);
        assert!((point.lat() - number(&other[1])).abs() < 1e-9);
    }
}

#[test]
fn nobody_turns_around_at_a_stop_unless_allowed() {
    // The stop lies on the way to nowhere: turning around there is the shortest.
    let stops = line(&[(0.0, 0.9), (0.0, 1.5), (0.0, 0.95)]);
    let time = |options: &str| {
        let answer = ask(&format!("/route/v1/car/{stops}?overview=false{options}")).unwrap();
        number(&answer["routes"][0]["duration"])
    };
    let (turning, straight) = (time("&continue_straight=false"), time(""));
    assert!(turning < straight, "{turning} {straight}");
    assert!((time("&continue_straight=true") - straight).abs() < f64::EPSILON);
}

#[test]
fn a_table_agrees_with_the_ways() {
    let points = [(0.0, 0.5), (1.5, 5.0), (4.0, 1.5), (2.5, 0.0)];
    let answer = ask(&format!(
        "/table/v1/car/{}?sources=0;2&annotations=duration,distance",
        line(&points)
    ))
    .unwrap();
    for (row, source) in [0, 2].into_iter().enumerate() {
        for (column, &target) in points.iter().enumerate() {
            let pair = line(&[points[source], target]);
            let way = ask(&format!("/route/v1/car/{pair}?overview=false")).unwrap();
            for (table, field) in [("durations", "duration"), ("distances", "distance")] {
                assert_eq!(
                    answer[table][row][column], way["routes"][0][field],
                    "{pair}"
                );
            }
        }
    }
    assert_eq!(answer["sources"].as_array().unwrap().len(), 2);
    assert_eq!(answer["destinations"].as_array().unwrap().len(), 4);
    let doubled = ask(&format!("/table/v1/car/{}?scale_factor=2", line(&points))).unwrap();
    let (once, twice) = (&answer["durations"][0][1], &doubled["durations"][0][1]);
    assert!((number(once) * 2.0 - number(twice)).abs() < 0.11);
}

#[test]
fn a_trip_keeps_its_ends() {
    let points = [(0.0, 0.5), (4.0, 4.5), (0.5, 5.0), (4.5, 0.0), (1.0, 2.5)];
    let trip = |options: &str| {
        let target = format!("/trip/v1/car/{}?overview=false{options}", line(&points));
        let answer = ask(&target).unwrap();
        let places: Vec<u64> = answer["waypoints"]
            .as_array()
            .unwrap()
            .iter()
            .map(|waypoint| waypoint["waypoint_index"].as_u64().unwrap())
            .collect();
        let legs = answer["trips"][0]["legs"].as_array().unwrap().len();
        let duration = number(&answer["trips"][0]["duration"]);
        let mut sorted = places.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3, 4], "{options}");
        (places, legs, duration)
    };
    let (_, legs, round) = trip("");
    assert_eq!(legs, 5);
    let (places, _, closed) = trip("&source=first&destination=last");
    assert_eq!((places[0], places[4]), (0, 4));
    assert!(closed >= round);
    let (places, legs, from_first) = trip("&roundtrip=false&source=first");
    assert_eq!((places[0], legs), (0, 4));
    let (places, _, to_last) = trip("&roundtrip=false&destination=last");
    assert_eq!(places[4], 4);
    let (places, _, both) = trip("&roundtrip=false&source=first&destination=last");
    assert_eq!((places[0], places[4]), (0, 4));
    let (_, legs, free) = trip("&roundtrip=false");
    assert_eq!(legs, 4);
    assert!(free <= from_first && free <= to_last && from_first <= both && to_last <= both);
}

#[test]
fn a_bearing_chooses_the_direction() {
    let at = line(&[(0.0, 2.5)]);
    let nearest = |bearing: &str| ask(&format!("/nearest/v1/car/{at}?bearings={bearing}"));
    assert_eq!(nearest("90,20").unwrap()["waypoints"][0]["name"], "0. Row");
    let north = nearest("0,20").unwrap();
    let name = north["waypoints"][0]["name"].as_str().unwrap();
    assert!(name.ends_with("Column"), "{name}");
    assert_eq!(nearest("45,5").unwrap_err(), Code::NoSegment);
    // From the middle of a block to its east end, facing west: once around.
    let stops = line(&[(0.0, 2.5), (0.0, 2.9)]);
    let time = |bearings: &str| {
        let target = format!("/route/v1/car/{stops}?overview=false&bearings={bearings}");
        number(&ask(&target).unwrap()["routes"][0]["duration"])
    };
    assert!(time("90,20;") < 20.0 && time("270,20;") > 25.0);
}

#[test]
fn too_much_is_refused() {
    let limits = Limits {
        route_coordinates_max: 3,
        table_coordinates_max: 3,
        distance_cells_max: 8,
        trip_coordinates_max: 3,
        nearest_max: 3,
        ..Limits::default()
    };
    let atlas = atlas(limits);
    let four = line(&[(0.0, 0.5), (1.5, 5.0), (4.0, 1.5), (2.5, 0.0)]);
    let three = line(&[(0.0, 0.5), (1.5, 5.0), (4.0, 1.5)]);
    for target in [
        format!("/route/v1/car/{four}"),
        format!("/table/v1/car/{four}"),
        format!("/table/v1/car/{three}?annotations=distance"),
        format!("/trip/v1/car/{four}"),
        "/nearest/v1/car/0,0?number=4".to_owned(),
    ] {
        let request = url::parse(&target).unwrap();
        let error = atlas.answer(&request).unwrap_err();
        assert_eq!(error.code, Code::TooBig, "{target}");
    }
}

#[test]
fn what_cannot_be_answered_says_why() {
    let far = format!("{};10,10", written(at(0.0, 0.5)));
    assert_eq!(
        ask(&format!("/route/v1/car/{far}")).unwrap_err(),
        Code::NoSegment
    );
    let pair = line(&[(0.0, 0.5), (1.0, 0.5)]);
    assert_eq!(
        ask(&format!("/route/v1/bicycle/{pair}")).unwrap_err(),
        Code::InvalidUrl
    );
    assert_eq!(
        ask(&format!("/nearest/v1/car/{pair}")).unwrap_err(),
        Code::InvalidOptions
    );
    assert!(ask(&format!("/route/v1/walking/{pair}")).is_ok());
    assert!(ask(&format!("/route/v1/driving/{pair}")).is_ok());
    let middle: LatLng = at(0.0, 0.5);
    let same = format!("/route/v1/car/{0};{0}?steps=true", written(middle));
    let answer = ask(&same).unwrap();
    assert_eq!(number(&answer["routes"][0]["duration"]), 0.0);
    assert_eq!(
        answer["routes"][0]["legs"][0]["steps"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}
