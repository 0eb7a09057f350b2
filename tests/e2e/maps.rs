//! `doorstep map` on every real extract at hand, on damaged ones and on a made-up city.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use doorstep_maps::{Contents, default_map, unwatched};
use doorstep_routing::{Profile, SplitMix64, TurnGraph};
use serde_json::Value;

/// Share of the nodes on drivable ways in the largest strongly connected part of each extract, counted by another program
/// (pyosmium) before compression and without access rules; so ours may lie a tenth beside it.
/// Malta's two islands, 83.5 % and the rest, are one by the ferry, which that program left out.
const SHARES: &[(&str, f64)] = &[
    ("copenhagen", 0.968),
    ("heidelberg", 0.887),
    ("helsinki-centre", 0.858),
    ("london-centre", 0.940),
    ("malta", 0.987),
    ("monaco", 0.921),
    ("porto-alegre", 0.981),
    ("porto-metro", 0.989),
    ("rhein-neckar-roads", 0.986),
    ("seoul-centre", 0.975),
    ("singapore-bayfront", 0.298),
    ("stockholm-centre", 0.468),
    ("tokyo-shibuya", 0.824),
];

/// The real extracts, or `None` with a line that says what is missing.
pub(crate) fn extracts() -> Option<Vec<PathBuf>> {
    let data = std::env::var_os("DOORSTEP_DATA")
        .map_or_else(|| repository().join("../shared/data"), PathBuf::from);
    let found = fs::read_dir(data.join("osm"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let mut found: Vec<PathBuf> = found
        .filter(|path| path.to_string_lossy().ends_with(".osm.pbf"))
        .collect();
    found.sort();
    if found.is_empty() {
        say_skipped(&format!(
            "no .osm.pbf in {}; set DOORSTEP_DATA to a folder with osm/*.osm.pbf",
            data.display()
        ));
        return None;
    }
    Some(found)
}

fn skip(missing: &str) {
    assert!(
        std::env::var_os("DOORSTEP_REQUIRE_ALL").is_none_or(|all| all != "1"),
        "{missing}"
    );
    say_skipped(missing);
}

/// For what nobody can install, such as real extracts: said, never failed.
pub(crate) fn say_skipped(missing: &str) {
    // Past the capture of the test runner, so that a person sees it.
    let _ = writeln!(std::io::stderr(), "skipped: {missing}");
}

pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn stem(path: &Path) -> String {
    path.file_name()
        .unwrap()
        .to_string_lossy()
        .trim_end_matches(".osm.pbf")
        .to_owned()
}

pub(crate) fn doorstep(args: &[&str]) -> Output {
    doorstep_on(args, "2")
}

fn doorstep_on(args: &[&str], threads: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorstep"));
    command
        .args(args)
        .env("RAYON_NUM_THREADS", threads)
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap()
}

pub(crate) fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn json(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Imports a file that must be refused: exit code 1, a message with file and byte, nothing but the file in its folder.
fn assert_refused(damaged: &Path, what: &str) {
    let output = damaged.with_extension("road");
    let refused = doorstep(&[
        "map",
        "import",
        path_text(damaged),
        "-o",
        path_text(&output),
    ]);
    let message = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{what}: {message}");
    assert!(
        message.contains(path_text(damaged)) && message.contains("byte "),
        "{what}: {message}"
    );
    assert!(!message.contains("panicked"), "{what}: {message}");
    assert_eq!(
        fs::read_dir(damaged.parent().unwrap()).unwrap().count(),
        1,
        "{what}: something was left behind"
    );
}

#[test]
fn every_extract_is_imported_and_hangs_together() {
    let Some(extracts) = extracts() else { return };
    for extract in extracts {
        let name = stem(&extract);
        let (archive, report) =
            doorstep_maps::read(&extract, &unwatched).unwrap_or_else(|e| panic!("{name}: {e}"));
        for profile in Profile::ALL {
            let usable = TurnGraph::of(&archive.network, profile);
            let usable = archive
                .network
                .edges()
                .filter(|&edge| usable.is_usable(edge));
            assert!(usable.count() > 0, "{name}: a {profile} can go nowhere");
        }
        assert!(archive.attribution.contains("OpenStreetMap"), "{name}");
        assert!(
            report.kept.edges >= report.kept.roads && report.kept.roads > 0,
            "{name}: {report}"
        );
        let Some((_, expected)) = SHARES.iter().find(|(known, _)| *known == name) else {
            continue;
        };
        // The other program counted roads for cars only; people on foot get farther.
        for part in report
            .components
            .iter()
            .filter(|part| ["scooter", "car"].contains(&part.profile))
        {
            assert!(
                (part.share - expected).abs() < 0.1,
                "{name}: {} {} is not near {expected}",
                part.profile,
                part.share
            );
        }
    }
}

#[test]
fn a_truncated_extract_is_refused_with_file_and_byte() {
    let Some(extracts) = extracts() else { return };
    let mut random = SplitMix64::new(7);
    for extract in extracts {
        let folder = tempfile::tempdir().unwrap();
        let damaged = folder.path().join("damaged.osm.pbf");
        fs::copy(&extract, &damaged).unwrap();
        let bytes = fs::metadata(&damaged).unwrap().len();
        let mut cuts: Vec<u64> = (0..10).map(|_| random.next() % bytes).collect();
        cuts.sort_unstable_by_key(|cut| std::cmp::Reverse(*cut));
        for cut in cuts {
            OpenOptions::new()
                .write(true)
                .open(&damaged)
                .unwrap()
                .set_len(cut)
                .unwrap();
            assert_refused(&damaged, &format!("{} cut to {cut} bytes", stem(&extract)));
        }
    }
}

#[test]
fn bytes_that_are_no_extract_are_refused_with_file_and_byte() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged.osm.pbf");
    fs::write(&damaged, b"").unwrap();
    assert_refused(&damaged, "an empty file");
    fs::write(
        &damaged,
        b"<?xml version='1.0'?><osm version=\"0.6\"></osm>",
    )
    .unwrap();
    assert_refused(&damaged, "an XML file");
    for start in 0..8 {
        let mut random = SplitMix64::new(start);
        let bytes: Vec<u8> = (0..128).flat_map(|_| random.next().to_le_bytes()).collect();
        fs::write(&damaged, bytes).unwrap();
        assert_refused(
            &damaged,
            &format!("1 KiB of random bytes from seed {start}"),
        );
    }
}

#[test]
fn a_damaged_block_is_refused_with_file_and_byte() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged.osm.pbf");
    doorstep_maps::generate(7, 2000, &damaged).unwrap();
    let mut bytes = fs::read(&damaged).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 16].fill(0xff);
    fs::write(&damaged, bytes).unwrap();
    assert_refused(&damaged, "a block overwritten in its middle");
}

#[test]
fn a_made_up_city_is_the_same_for_the_same_seed_and_at_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let generate = |name: &str, seed: &str| {
        let file = at(name);
        json(&doorstep(&[
            "map",
            "generate",
            "--seed",
            seed,
            "--nodes",
            "3000",
            "-o",
            path_text(&file),
            "--json",
        ]));
        fs::read(file).unwrap()
    };
    let city = generate("a.osm.pbf", "7");
    assert!(
        city == generate("b.osm.pbf", "7"),
        "the same seed gave other bytes"
    );
    assert!(
        city != generate("c.osm.pbf", "8"),
        "another seed gave the same bytes"
    );
    let import = |output: &str, threads: &str| {
        let (input, output) = (at("a.osm.pbf"), at(output));
        let args = [
            "map",
            "import",
            path_text(&input),
            "-o",
            path_text(&output),
            "--json",
        ];
        let report = json(&doorstep_on(&args, threads));
        (report, fs::read(output).unwrap())
    };
    let (report, archive) = import("one.road", "1");
    assert!(
        (report.clone(), archive) == import("two.road", "2"),
        "the number of threads shows"
    );
    assert!(
        (2600..3400).contains(&report["kept"]["nodes"].as_u64().unwrap()),
        "{report}"
    );
    for kind in ["forbidden_paths", "restaurants", "addresses"] {
        assert!(
            report["kept"][kind].as_u64().unwrap() > 0,
            "{kind}: {report}"
        );
    }
    assert!(
        report["components"][0]["share"].as_f64().unwrap() > 0.95,
        "{report}"
    );
}

#[test]
fn a_real_city_is_the_same_at_any_number_of_threads() {
    let Some(extracts) = extracts() else { return };
    for extract in extracts
        .iter()
        .filter(|path| ["monaco", "heidelberg"].contains(&stem(path).as_str()))
    {
        let folder = tempfile::tempdir().unwrap();
        let archives = ["1", "2"].map(|threads| {
            let output = folder.path().join(format!("{threads}.road"));
            let args = [
                "map",
                "import",
                path_text(extract),
                "-o",
                path_text(&output),
            ];
            let imported = doorstep_on(&args, threads);
            assert!(
                imported.status.success(),
                "{}",
                String::from_utf8_lossy(&imported.stderr)
            );
            assert!(
                imported.stderr.is_empty(),
                "a progress bar was drawn into a pipe"
            );
            fs::read(output).unwrap()
        });
        assert!(
            archives[0] == archives[1],
            "{}: the number of threads shows",
            stem(extract)
        );
    }
}

#[test]
fn an_archive_is_inspected_as_figures_and_as_geojson() {
    let folder = tempfile::tempdir().unwrap();
    let [city, archive] = ["toy.osm.pbf", "toy.road"].map(|name| folder.path().join(name));
    doorstep_maps::generate(7, 500, &city).unwrap();
    let report = json(&doorstep(&[
        "map",
        "import",
        path_text(&city),
        "-o",
        path_text(&archive),
        "--json",
    ]));
    let figures = json(&doorstep(&[
        "map",
        "inspect",
        path_text(&archive),
        "--json",
    ]));
    assert_eq!(figures["roads"], report["kept"]["roads"]);
    assert_eq!(figures["components"], report["components"]);
    assert_eq!(figures["features"], report["features"]);
    assert!(figures["attribution"].as_str().unwrap().contains("seed 7"));
    assert_eq!(
        figures,
        json(&doorstep(&["map", "inspect", path_text(&city), "--json"]))
    );
    let drawn = json(&doorstep(&[
        "map",
        "inspect",
        path_text(&archive),
        "--geojson",
    ]));
    let kept = |kind: &str| figures[kind].as_u64().unwrap();
    let features = drawn["features"].as_array().unwrap();
    assert_eq!(
        features.len() as u64,
        kept("roads") + kept("restaurants") + kept("addresses")
    );
    assert!(features.iter().all(|feature| feature["type"] == "Feature"));
}

#[test]
fn a_damaged_archive_and_an_unknown_file_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [city, archive] = ["toy.osm.pbf", "toy.road"].map(|name| folder.path().join(name));
    doorstep_maps::generate(7, 200, &city).unwrap();
    doorstep_maps::import(&city, &archive, Contents::RoadsAndFeatures, &unwatched).unwrap();
    let overwrite = doorstep(&["map", "import", path_text(&city), "-o", path_text(&city)]);
    assert_eq!(
        overwrite.status.code(),
        Some(1),
        "an extract was overwritten with its own archive"
    );
    let mut bytes = fs::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&archive, bytes).unwrap();
    let text = repository().join("Cargo.toml");
    for wrong in [
        archive.as_path(),
        text.as_path(),
        folder.path(),
        Path::new("no-such-map.road"),
    ] {
        let refused = doorstep(&["map", "inspect", path_text(wrong)]);
        let message = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{message}");
        assert!(message.contains(path_text(wrong)), "{message}");
        assert!(!message.contains("panicked"), "{message}");
    }
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    for wrong in [
        &["map"][..],
        &["map", "import"],
        &["map", "import", "a.osm.pbf"],
        &["map", "import", "a.osm.pbf", "-o"],
        &["map", "generate", "--nodes", "5", "-o", "a.osm.pbf"],
        &["map", "generate", "--seed", "many", "-o", "a.osm.pbf"],
        &["map", "inspect", "a.road", "--json", "--geojson"],
        &["map", "explode"],
    ] {
        let refused = doorstep(wrong);
        assert_eq!(
            refused.status.code(),
            Some(2),
            "{wrong:?}: {}",
            String::from_utf8_lossy(&refused.stderr)
        );
    }
    let help = doorstep(&["map", "import", "--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("Examples:"));
}

#[test]
fn the_default_map_is_malta() {
    let Some(path) = default_map::locate() else {
        skip(&format!(
            "the default map is not fetched; run `{}`",
            default_map::FETCH_COMMAND
        ));
        return;
    };
    let (archive, report) = doorstep_maps::read(&path, &unwatched).unwrap();
    assert!(report.kept.restaurants > 1000, "{report}");
    let (south_west, north_east) = archive.network.bounds().unwrap();
    assert!(
        south_west.lat() < 35.9
            && 35.9 < north_east.lat()
            && south_west.lng() < 14.5
            && 14.5 < north_east.lng()
    );
}
