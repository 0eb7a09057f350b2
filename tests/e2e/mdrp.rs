//! `doorstep sim mdrp`: days of the Meal Delivery Routing Problem, the same on every number of threads, judged by a referee of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::maps::{repository, say_skipped};

fn doorstep(args: &[&str], threads: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_doorstep"))
        .args(args)
        .env("RAYON_NUM_THREADS", threads)
        .output()
        .unwrap()
}

/// Three small days, one of them without a driver.
fn suite() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, drivers, shift) in [("a", 4, 200), ("b", 3, 150), ("c", 0, 0)] {
        let day = folder.path().join(name);
        fs::create_dir(&day).unwrap();
        let mut orders = String::from("order\tx\ty\tplacement_time\trestaurant\tready_time\n");
        for n in 1..=20 {
            let (x, y, placed) = (n * 731 % 5000, n * 1373 % 5000, n * 6);
            orders += &format!(
                "o{n}\t{x}\t{y}\t{placed}\tr{}\t{}\n",
                n % 3 + 1,
                placed + 12
            );
        }
        let mut couriers = String::from("courier\tx\ty\ton_time\toff_time\n");
        for n in 1..=drivers {
            couriers += &format!("c{n}\t{}\t{}\t0\t{shift}\n", n * 900, n * 700);
        }
        let restaurants = "restaurant\tx\ty\nr1\t1000\t1000\nr2\t4000\t1500\nr3\t2500\t4000\n";
        let parameters = "meters_per_minute\tpickup service minutes\tdropoff service minutes\ttarget click-to-door\t\
                          maximum click-to-door\tpay per order\tguaranteed pay per hour\n320\t4\t4\t40\t90\t10\t15\n";
        for (file, text) in [
            ("orders.txt", orders.as_str()),
            ("couriers.txt", couriers.as_str()),
            ("restaurants.txt", restaurants),
            ("instance_parameters.txt", parameters),
        ] {
            fs::write(day.join(file), text).unwrap();
        }
    }
    folder
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_suite_is_the_same_on_one_thread_and_on_two() {
    let folder = suite();
    let run = |threads, more: &[&str]| {
        let path = text(folder.path());
        let mut args = vec!["sim", "mdrp", "--suite", &path, "--json"];
        args.extend(more);
        let output = doorstep(&args, threads);
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    for more in [
        &["--policy", "mdrp"][..],
        &["--rules", "open"],
        &["--stochastic"],
        &["--prep", "mean"],
    ] {
        assert_eq!(run("1", more), run("2", more));
    }
    let report: Value = serde_json::from_slice(&run("2", &[])).unwrap();
    let days = report["instances"].as_array().unwrap();
    assert_eq!(days.len(), 3);
    assert_eq!(days[0]["undelivered_pct"], 0.0, "{report}");
    assert_eq!(days[2]["undelivered_pct"], 100.0, "nobody there: {report}");
    assert_eq!(report["mean"]["orders"], 20.0);
}

#[test]
fn mistakes_are_named() {
    let folder = suite();
    let day = folder.path().join("a");
    fs::write(
        day.join("orders.txt"),
        "order\tx\ty\tplacement_time\trestaurant\tready_time\no1\t1\t2\tsoon\tr1\t9\n",
    )
    .unwrap();
    let output = doorstep(&["sim", "mdrp", &text(&day)], "1");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(1)
            && error.contains("orders.txt, line 2: placement_time is \"soon\""),
        "{output:?}"
    );
    let empty = tempfile::tempdir().unwrap();
    let output = doorstep(&["sim", "mdrp", "--suite", &text(empty.path())], "1");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("no instance below"),
        "{output:?}"
    );
    assert_eq!(doorstep(&["sim", "mdrp"], "1").status.code(), Some(2));
}

/// The instances and the referee that lie beside the project, or a line that says what is missing.
fn referee() -> Option<(PathBuf, PathBuf)> {
    let shared = repository().join("../shared");
    let data = std::env::var_os("DOORSTEP_DATA").map_or_else(|| shared.join("data"), PathBuf::from);
    let instances = data.join("mdrp/public_instances");
    let score = data.join("../peers/mdrp/score.py");
    let has_python = Command::new("python3").arg("--version").output().is_ok();
    if has_python && instances.is_dir() && score.is_file() {
        return Some((instances, score));
    }
    say_skipped(&format!(
        "no python3, or nothing in {} to judge",
        instances.display()
    ));
    None
}

#[test]
fn the_referee_finds_every_solution_feasible_and_under_the_publishers_rules_strictly_so() {
    let Some((instances, score)) = referee() else {
        return;
    };
    let out = tempfile::tempdir().unwrap();
    for (policy, rules) in [
        ("nearest", "mdrp"),
        ("mdrp", "mdrp"),
        ("foodmatch", "mdrp"),
        ("doorstep", "mdrp"),
        ("foodmatch", "open"),
        ("doorstep", "open"),
    ] {
        for day in ["0o50t75s1p100", "1o50t100s1p125"] {
            let (instance, solution) = (
                text(&instances.join(day)),
                text(&out.path().join(policy).join(rules).join(day)),
            );
            let output = doorstep(
                &[
                    "sim", "mdrp", &instance, "--policy", policy, "--rules", rules, "--out",
                    &solution,
                ],
                "1",
            );
            assert!(output.status.success(), "{output:?}");
            let judged = Command::new("python3")
                .arg(&score)
                .args([&instance, &solution])
                .output()
                .unwrap();
            let verdict: Value = serde_json::from_slice(&judged.stdout).unwrap();
            assert!(
                judged.status.success() && verdict["feasible"] == true,
                "{policy} {rules} {day}: {verdict}"
            );
            let strict = verdict["strict"].as_object().unwrap();
            let allowed = rules == "open";
            let broken: Vec<&String> = strict
                .keys()
                .filter(|rule| !allowed || *rule != "pick-up while carrying another assignment")
                .collect();
            assert!(broken.is_empty(), "{policy} {rules} {day}: {broken:?}");
        }
    }
}
