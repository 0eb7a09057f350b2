//! `doorstep sim run` on a made-up city: sound, the same on every number of threads, and clear about mistakes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const SCENARIO: &str = r#"
name = "half an hour"
start = "18:00"
duration_min = 30
drain_min = 60
[demand]
orders_per_hour = 60.0
[drivers]
count = 25
"#;

struct SimulatedCity {
    folder: tempfile::TempDir,
}

impl SimulatedCity {
    fn generate() -> Self {
        let city = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::write(city.path("half-hour.toml"), SCENARIO).unwrap();
        let map = city.path("toy.osm.pbf");
        let output = doorstep(
            &[
                "map",
                "generate",
                "--seed",
                "7",
                "--nodes",
                "1000",
                "-o",
                &text(&map),
            ],
            "2",
        );
        assert!(output.status.success(), "{output:?}");
        city
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, seed: &str, threads: &str) -> Value {
        let (scenario, map) = (
            text(&self.path("half-hour.toml")),
            text(&self.path("toy.osm.pbf")),
        );
        let output = doorstep(
            &[
                "sim", "run", &scenario, "--map", &map, "--seed", seed, "--json",
            ],
            threads,
        );
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn doorstep(args: &[&str], threads: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_doorstep"))
        .args(args)
        .env("RAYON_NUM_THREADS", threads)
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap()
}

fn refusal(scenario: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.toml");
    std::fs::write(&path, scenario).unwrap();
    let output = doorstep(&["sim", "run", &text(&path)], "1");
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn the_digest_depends_on_the_seed_and_not_on_threads() {
    let city = SimulatedCity::generate();
    let one = city.run("7", "1");
    assert_eq!(one, city.run("7", "1"));
    assert_eq!(one, city.run("7", "2"));
    assert_ne!(one["digest"], city.run("8", "2")["digest"]);
    assert_eq!(one["violation_count"], 0);
    let orders = &one["kpis"]["orders"];
    let delivered = orders["delivered"].as_u64().unwrap();
    assert!(delivered >= 24, "of 30 orders: {orders}");
}

#[test]
fn a_mistake_in_a_scenario_is_named_with_file_and_key() {
    let (code, message) = refusal(&SCENARIO.replace("count", "cuont"));
    assert_eq!(code, Some(1), "{message}");
    assert!(
        message.contains("bad.toml:9: drivers.cuont: unknown field"),
        "{message}"
    );
    let (code, message) = refusal(&SCENARIO.replace("25", "0"));
    assert_eq!(code, Some(1), "{message}");
    assert!(
        message.contains("bad.toml: drivers.count: expected 1 to 1000000, found 0"),
        "{message}"
    );
}
