//! A batch of pickups and dropoffs with time windows.

use anyhow::{Result, ensure};
use doorstep_bench_harness::rows::{Peer, Row, Unit, Wanted};
use serde_json::Value;

use crate::batch_routes::{Effort, plan};
use crate::peers::Peers;
use crate::{Measured, instances, repeated, say};

const NAME: &str = "batch-200x400";

pub(crate) fn rows(peers: &Peers) -> Result<Measured> {
    let batch = instances::batch(peers, 200, 400)?;
    let (time, routes) = repeated(NAME, 7, || plan(&batch, &Effort::default()));
    ensure!(
        routes.unserved.is_empty(),
        "{} orders unserved",
        routes.unserved.len()
    );
    for seed in 2..=5 {
        let effort = Effort {
            seed,
            ..Effort::default()
        };
        let other = plan(&batch, &effort).travel;
        say(&format!("{NAME}: seed {seed} travels {other} s"));
    }
    let lines = peers.measure("vroom_pdp.py", &["200x400"])?;
    let row = |name: String, ours: f64, figure: &str, wanted: Wanted| Row {
        name,
        unit: Unit::Seconds,
        ours: Ok(ours),
        peers: measured(peers, &lines, figure),
        wanted,
    };
    let travel = f64::from(u32::try_from(routes.travel)?);
    Ok(Measured {
        about: format!(
            "{} 200 drivers, 400 orders, three on board at most, 45 minutes from ready to the door; the travel times of all \
             routes together, with all orders served, and the time to find them.",
            instances::about(peers)
        ),
        rows: vec![
            row(NAME.to_owned(), travel, "travel_s", Wanted::NoMoreThanPeer),
            row(format!("{NAME}-time"), time, "s", Wanted::AtMost(0.5)),
        ],
    })
}

fn measured(peers: &Peers, lines: &[Value], figure: &str) -> Vec<Peer> {
    if let Some(why) = peers.missing() {
        return vec![Peer::missing("VROOM, OR-tools", why)];
    }
    let peer = |line: &Value| {
        let name = line["peer"].as_str().unwrap_or("unnamed");
        match (line[figure].as_f64(), line["unassigned"].as_u64()) {
            (Some(figure), Some(0)) => Peer::new(name, figure),
            (Some(_), Some(left)) => Peer::missing(name, format!("leaves {left} orders")),
            _ => Peer::missing(name, line["error"].to_string()),
        }
    };
    lines.iter().map(peer).collect()
}
