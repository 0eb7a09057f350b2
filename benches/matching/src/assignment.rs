//! One order a driver: sparse and dense linear assignment.

use anyhow::{Result, ensure};
use doorstep_bench_harness::rows::{Peer, Row, Unit, Wanted};
use doorstep_dispatch_core::optimization::assignment::{assign_dense, assign_sparse};
use serde_json::Value;

use crate::peers::Peers;
use crate::{Measured, instances, repeated};

pub(crate) fn rows(peers: &Peers) -> Result<Measured> {
    let (sparse, dense) = (instances::sparse(peers)?, instances::dense(peers)?);
    let (name, dense_name) = ("assignment-10000x20", "assignment-dense-1000");
    let (sparse_time, sparse) = repeated(name, 31, || assign_sparse(&sparse).total);
    let (dense_time, dense) = repeated(dense_name, 31, || assign_dense(&dense).total);
    let lines = peers.measure("lap_peers.py", &[])?;
    let row = |name: &str, ours: f64, peers: Vec<Peer>, wanted: Wanted| Row {
        name: name.to_owned(),
        unit: Unit::Millis,
        ours: Ok(ours),
        peers,
        wanted,
    };
    let sparse_peers = measured(peers, &lines, "sparse20", 10_000, sparse)?;
    let dense_peers = measured(peers, &lines, "dense", 1000, dense)?;
    Ok(Measured {
        about: format!(
            "{} 10,000 orders with 20 of 15,000 drivers each, and 1000 of each in a full matrix; medians, one thread. All \
             that finish reach the same cost, or the run fails.",
            instances::about(peers)
        ),
        rows: vec![
            row(name, sparse_time, sparse_peers, Wanted::AtMost(0.004)),
            row(dense_name, dense_time, dense_peers, Wanted::NoMoreThanPeer),
        ],
    })
}

/// The peers of one kind and size, which must have found the same cost.
fn measured(peers: &Peers, lines: &[Value], kind: &str, size: u64, cost: i64) -> Result<Vec<Peer>> {
    if let Some(why) = peers.missing() {
        return Ok(vec![Peer::missing("SciPy, OR-tools, lapx, lapjv", why)]);
    }
    let mut found = Vec::new();
    for line in lines {
        let is_meant = line["kind"] == kind && line["n"] == size;
        if !is_meant && !line["kind"].is_null() {
            continue;
        }
        let name = line["peer"].as_str().unwrap_or("unnamed");
        match line["ms"].as_f64() {
            Some(millis) => {
                ensure!(
                    line["cost"] == cost,
                    "{name} finds {} and ours {cost}",
                    line["cost"]
                );
                found.push(Peer::new(name, millis / 1e3));
            }
            None => found.push(Peer::missing(name, line["error"].to_string())),
        }
    }
    Ok(found)
}
