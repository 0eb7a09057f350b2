//! The commands that ask a router: files of points in, tables out.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use doorstep_maps::{generate, read, unwatched};
use doorstep_routing::{LatLng, Profile, Router};

use serde_json::Value;

use crate::maps::doorstep;

/// A made-up city, a router on it and a few of its junctions that the router reaches.
struct RoutedCity {
    folder: tempfile::TempDir,
    router: Router,
    points: Vec<LatLng>,
}

impl RoutedCity {
    fn build(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let map = folder.path().join("city.osm.pbf");
        generate(seed, 500, &map).unwrap();
        let (archive, _) = read(&map, &unwatched).unwrap();
        let router = Router::new(&archive, Profile::Scooter);
        let network = router.network();
        let points = network
            .nodes()
            .step_by(41)
            .map(|node| network.node_at(node))
            .filter(|&at| router.snap(at).is_ok())
            .collect();
        Self {
            folder,
            router,
            points,
        }
    }

    fn map(&self) -> String {
        self.folder
            .path()
            .join("city.osm.pbf")
            .display()
            .to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

fn pair(from: LatLng, to: LatLng) -> String {
    format!("{},{},{},{}\n", from.lng(), from.lat(), to.lng(), to.lat())
}

#[test]
fn a_batch_answers_line_by_line_as_the_router_does() {
    let city = RoutedCity::build(3);
    let (mut lines, mut wanted) = (String::from("lon1,lat1,lon2,lat2\n"), String::new());
    for ends in city.points.windows(2) {
        lines += &pair(ends[0], ends[1]);
        let [from, to] = [ends[0], ends[1]].map(|at| city.router.snap(at).unwrap());
        wanted += &match city.router.route(&mut city.router.workspace(), &from, &to) {
            Some(route) => format!(
                "{:.3},{:.3}\n",
                f64::from(route.travel_time.as_millis()) / 1000.0,
                route.distance.as_metres()
            ),
            None => ",\n".to_owned(),
        };
    }
    lines += &pair(LatLng::from_degrees(80.0, 1.0).unwrap(), city.points[0]);
    wanted += ",\n";
    let (map, file) = (city.map(), city.write("pairs.csv", &lines));
    let answer = doorstep(&["route", "--map", &map, "--batch", &file]);
    assert!(answer.status.success());
    assert_eq!(String::from_utf8_lossy(&answer.stdout), wanted);
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(said.contains("1 of "), "{said}");

    let mut child = Command::new(env!("CARGO_BIN_EXE_doorstep"))
        .args(["route", "--map", &map, "--batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(lines.as_bytes()).unwrap();
    drop(input);
    let piped = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&piped.stdout), wanted);
}

#[test]
fn a_malformed_line_is_named_and_the_lines_before_it_are_answered() {
    let city = RoutedCity::build(3);
    let text = pair(city.points[0], city.points[1]) + "1,2,3\n";
    let file = city.write("broken.csv", &text);
    let answer = doorstep(&["route", "--map", &city.map(), "--batch", &file]);
    assert_eq!(answer.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&answer.stdout).lines().count(), 1);
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(
        said.contains("broken.csv: line 2: ") && said.contains("too few fields"),
        "{said}"
    );
}

fn run(args: &[&str]) -> String {
    let answer = doorstep(args);
    let said = String::from_utf8_lossy(&answer.stderr).into_owned();
    assert!(answer.status.success(), "{args:?}: {said}");
    assert!(said.is_empty(), "piped, yet it says {said}");
    String::from_utf8(answer.stdout).unwrap()
}

#[test]
fn a_matrix_is_the_same_in_every_form() {
    let city = RoutedCity::build(5);
    let points = &city.points[..4];
    let mut csv = "name,lat,lng\n".to_owned();
    for (index, at) in points.iter().enumerate() {
        csv += &format!("\"p, {index}\",{},{}\n", at.lat(), at.lng());
    }
    let (map, file) = (city.map(), city.write("points.csv", &csv));
    let first = points[0].to_string();
    let asked = |form: &str| {
        run(&[
            "matrix", "--map", &map, "--from", &file, "--to", &first, form,
        ])
    };
    let json: Value = serde_json::from_str(&asked("--json")).unwrap();
    let lines: Vec<String> = asked("--csv").lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 5);
    for (index, at) in points.iter().enumerate() {
        let [from, to] = [*at, points[0]].map(|at| city.router.snap(at).unwrap());
        let time = city
            .router
            .travel_time(&mut city.router.workspace(), &from, &to);
        let millis = time.map(|time| time.as_millis());
        assert_eq!(json["travel_times_ms"][index][0], serde_json::json!(millis));
        assert!(
            lines[index + 1].starts_with(&format!("\"p, {index}\",\"{first}\",")),
            "{lines:?}"
        );
    }
    let table = run(&["matrix", "--map", &map, "--from", &file]);
    assert_eq!(table.lines().count(), 5, "{table}");
}

#[test]
fn the_nearest_and_how_far_one_gets_are_told() {
    let city = RoutedCity::build(5);
    let (map, at) = (city.map(), city.points[3].to_string());
    let roads = run(&["nearest", "--map", &map, &at, "--count", "3", "--csv"]);
    assert_eq!(roads.lines().count(), 4, "{roads}");
    let [one, other] = [4, 5].map(|index| city.points[index].to_string());
    let soonest = run(&[
        "nearest", "--map", &map, &at, "--of", &one, "--of", &other, "--json",
    ]);
    let soonest: Value = serde_json::from_str(&soonest).unwrap();
    let times: Vec<u64> = soonest["nearest"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["travel_time_ms"].as_u64().unwrap())
        .collect();
    assert!(times.is_sorted() && times.len() == 2, "{soonest}");

    let args = ["isochrone", "--map", &map, &at, "--minutes", "1,2"];
    let areas: Value = serde_json::from_str(&run(&[&args[..], &["--json"]].concat())).unwrap();
    let area = |index: usize| {
        areas["isochrones"][index]["square_kilometres"]
            .as_f64()
            .unwrap()
    };
    assert!(0.0 < area(0) && area(0) < area(1), "{areas}");
    let drawn = run(&[&args[..], &["--geojson"]].concat());
    let drawn: Value = serde_json::from_str(&drawn).unwrap();
    assert_eq!(drawn["features"][1]["geometry"]["type"], "MultiPolygon");

    for (args, says) in [
        (vec!["nearest", "--map", &map, "89,1"], "outside the map"),
        (vec!["isochrone", "--map", &map, "NaN,1"], "not a number"),
        (
            vec!["matrix", "--map", &map, "--from", "nowhere.csv"],
            "neither",
        ),
    ] {
        let refused = doorstep(&args);
        assert!(!refused.status.success(), "{args:?}");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains(says), "{args:?}: {said}");
    }
}
