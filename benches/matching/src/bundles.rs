//! Bundles of orders for drivers: set partition.

use anyhow::Result;
use doorstep_bench_harness::rows::{Peer, Row, Unit, Wanted};
use serde_json::Value;

use crate::peers::Peers;
use crate::set_partition::{Effort, choose};
use crate::{Measured, instances, repeated, say};

const NAME: &str = "set-partition-1000";

pub(crate) fn rows(peers: &Peers) -> Result<Measured> {
    let bundles = instances::bundles(peers)?;
    let (time, choice) = repeated(NAME, 7, || choose(&bundles, &Effort::default()));
    for seed in 2..=5 {
        let effort = Effort {
            seed,
            ..Effort::default()
        };
        let other = choose(&bundles, &effort);
        say(&format!("{NAME}: seed {seed} finds {}", other.cost));
    }
    let lines = peers.measure("setpart_peers.py", &[])?;
    let of_size = |line: &&Value| line["orders"] == 1000 || line["kind"].is_null();
    let lines: Vec<&Value> = lines.iter().filter(of_size).collect();
    let bounds = lines.iter().filter_map(|line| line["bound"].as_i64());
    let best_bound = bounds.chain([choice.lower_bound]).max().unwrap_or(0);
    say(&format!(
        "{NAME}: ours costs {} and proves {}; the best bound is {best_bound}",
        choice.cost, choice.lower_bound
    ));
    let above = |cost: f64| (cost / millions(best_bound) - 1.0) * 100.0;
    let row =
        |name: String, unit: Unit, ours: f64, figure: &dyn Fn(&Value) -> Option<f64>, most: f64| {
            Row {
                name,
                unit,
                ours: Ok(ours),
                peers: measured(peers, &lines, figure),
                wanted: Wanted::AtMost(most),
            }
        };
    // What costs less than the bound is the zero of a peer that has found nothing yet.
    let is_found = |cost: &f64| *cost >= millions(best_bound);
    let gap = |line: &Value| line["cost"].as_f64().filter(is_found).map(above);
    let seconds = |line: &Value| line["ms"].as_f64().map(|millis| millis / 1e3);
    Ok(Measured {
        about: format!(
            "{} 1000 orders, 500 drivers, bundles of up to three orders; the cost above the best bound that anyone proves, \
             {best_bound} (ours alone: {:.2} % above our own bound {}), and the time. The peers stop after 10 s.",
            instances::about(peers),
            (millions(choice.cost) / millions(choice.lower_bound) - 1.0) * 100.0,
            choice.lower_bound
        ),
        rows: vec![
            row(
                NAME.to_owned(),
                Unit::Percent,
                above(millions(choice.cost)),
                &gap,
                2.0,
            ),
            row(format!("{NAME}-time"), Unit::Seconds, time, &seconds, 1.0),
        ],
    })
}

/// Costs of this size are exact as floats.
fn millions(cost: i64) -> f64 {
    cost as f64
}

fn measured(peers: &Peers, lines: &[&Value], figure: &dyn Fn(&Value) -> Option<f64>) -> Vec<Peer> {
    if let Some(why) = peers.missing() {
        return vec![Peer::missing("HiGHS, CP-SAT, SCIP, CBC", why)];
    }
    let peer = |line: &&Value| {
        let name = line["peer"].as_str().unwrap_or("unnamed");
        figure(line).map_or_else(
            || Peer::missing(name, line["error"].as_str().unwrap_or("nothing found")),
            |figure| Peer::new(name, figure),
        )
    };
    lines.iter().map(peer).collect()
}
