//! The drawings of real cities: small, whole, with the sea where it is, the same from an extract and its archive.

use std::fs;
use std::io::Write as _;

use doorstep_maps::CityDrawing;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::maps::{doorstep, extracts, path_text, stem};

/// The largest maps, one whose header holds less than its roads, and those whose coast or water the edge has cut.
const DRAWN: &[&str] = &[
    "porto-metro",
    "malta",
    "rhein-neckar-roads",
    "copenhagen",
    "singapore-bayfront",
];

#[test]
fn drawings_stay_small() {
    let Some(extracts) = extracts() else { return };
    let shown = extracts
        .iter()
        .filter(|path| DRAWN.contains(&stem(path).as_str()));
    for extract in shown {
        let name = stem(extract);
        let drawing = doorstep_maps::open_drawing(extract).unwrap();
        let text = serde_json::to_vec(&drawing).unwrap();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&text).unwrap();
        let gzip = gzip.finish().unwrap().len();
        assert!(gzip < 1_500_000, "{name}: {gzip} bytes");
        println!("{name}: {} bytes, {gzip} compressed", text.len());
        let roads = drawing.classes.iter().flat_map(|class| &class.lines);
        let green = drawing.green.iter().flat_map(|green| &green.areas);
        let areas = drawing.sea.iter().chain(&drawing.water).chain(green);
        for line in roads
            .chain(&drawing.waterways)
            .chain(areas.clone().flatten())
        {
            assert_within(line, &drawing);
        }
        assert!(areas.clone().flatten().all(|ring| ring.len() >= 8));
        let [west, south, east, north] = drawing.view;
        let [left, bottom, right, top] = drawing.bbox;
        assert!(
            left <= west && west < east && east <= right,
            "{name}: {:?}",
            drawing.view
        );
        assert!(
            bottom <= south && south < north && north <= top,
            "{name}: {:?}",
            drawing.view
        );
    }
}

/// Every point of a line lies in the drawing's box.
fn assert_within(line: &[i32], drawing: &CityDrawing) {
    let [west, south, east, north] = drawing.bbox;
    assert!(line.len() >= 4 && line.len().is_multiple_of(2));
    let (mut lng, mut lat) = (0, 0);
    for step in line.chunks(2) {
        (lng, lat) = (lng + step[0], lat + step[1]);
        let [lng, lat] = [lng, lat].map(|whole| f64::from(whole) / drawing.scale);
        assert!((west - 1e-5..=east + 1e-5).contains(&lng));
        assert!((south - 1e-5..=north + 1e-5).contains(&lat));
    }
}

/// Whether a point in degrees lies in one of the areas.
fn is_in(areas: &[Vec<Vec<i32>>], (lat, lng): (f64, f64)) -> bool {
    let [x, y] = [lng, lat].map(|degrees| degrees * 100_000.0);
    let crossings = areas.iter().flatten().map(|ring| {
        let mut at = (0.0, 0.0);
        let points: Vec<(f64, f64)> = ring
            .chunks(2)
            .map(|step| {
                at = (at.0 + f64::from(step[0]), at.1 + f64::from(step[1]));
                at
            })
            .collect();
        let edges = points.windows(2).filter(|pair| {
            let [(ax, ay), (bx, by)] = [pair[0], pair[1]];
            (ay > y) != (by > y) && x < ax + (y - ay) / (by - ay) * (bx - ax)
        });
        edges.count()
    });
    crossings.sum::<usize>() % 2 == 1
}

/// A map by its name, with latitudes and longitudes in the sea and on land.
type Shore = (&'static str, &'static [(f64, f64)], &'static [(f64, f64)]);

/// Places that everybody knows to be wet or dry.
const SHORES: &[Shore] = &[
    (
        "malta",
        &[(35.9050, 14.5300), (36.0000, 14.4000), (35.6500, 14.6000)],
        &[
            (35.8989, 14.5146),
            (35.8800, 14.4000),
            (36.0450, 14.2400),
            (36.0120, 14.3340),
        ],
    ),
    (
        "monaco",
        &[(43.7300, 7.4500), (43.7200, 7.4300)],
        &[(43.7400, 7.4270), (43.7600, 7.4700), (43.7310, 7.4190)],
    ),
];

#[test]
fn the_sea_is_where_it_is_and_the_view_leaves_the_ferries_out() {
    let Some(extracts) = extracts() else { return };
    for (name, wet, dry) in SHORES {
        let Some(extract) = extracts.iter().find(|path| stem(path) == *name) else {
            continue;
        };
        let drawing = doorstep_maps::open_drawing(extract).unwrap();
        for at in *wet {
            assert!(is_in(&drawing.sea, *at), "{name}: no sea at {at:?}");
        }
        for at in *dry {
            assert!(!is_in(&drawing.sea, *at), "{name}: sea at {at:?}");
        }
        assert!(!drawing.names.is_empty() && !drawing.green.is_empty());
        let [west, south, east, north] = drawing.view;
        assert!(
            east - west < 0.5 && north - south < 0.5,
            "{name}: {:?} is more than the city",
            drawing.view
        );
    }
}

#[test]
fn an_archive_draws_what_its_extract_draws_and_one_with_roads_only_says_so() {
    let Some(extracts) = extracts() else { return };
    let Some(extract) = extracts.iter().find(|path| stem(path) == "monaco") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let [whole, roads] = ["whole.road", "roads.road"].map(|name| folder.path().join(name));
    for (output, flag) in [(&whole, None), (&roads, Some("--roads-only"))] {
        let paths = [path_text(extract), "-o", path_text(output)];
        let args: Vec<&str> = ["map", "import"]
            .into_iter()
            .chain(paths)
            .chain(flag)
            .collect();
        let imported = doorstep(&args);
        let said = String::from_utf8_lossy(&imported.stdout);
        let bytes = fs::metadata(output).unwrap().len();
        assert!(
            said.contains(&format!("{bytes} bytes to {}", output.display()))
                && said.contains("doorstep map view"),
            "{said}"
        );
        assert_eq!(said.contains("areas of sea"), flag.is_none(), "{said}");
    }
    let of_extract = doorstep_maps::open_drawing(extract).unwrap();
    let of_archive = doorstep_maps::open_drawing(&whole).unwrap();
    assert!(of_archive.has_features && of_archive == of_extract);
    let of_roads = doorstep_maps::open_drawing(&roads).unwrap();
    assert!(!of_roads.has_features && of_roads.sea.is_empty() && of_roads.names.is_empty());
    assert_eq!(of_roads.classes, of_extract.classes);
    // An archive that an older version wrote has no features either, and opens.
    assert!(doorstep_maps::load_archive(&whole).is_ok());
}
