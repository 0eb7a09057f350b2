//! The figures by which whole days are compared: those that are judged, and the table of the means of all.

use doorstep_bench_harness::rows::Unit;
use doorstep_bench_harness::table::{Column, table};
use doorstep_sim::mdrp::Kpis;

/// A figure of a day: its head in the table of means, its column in the peers' table (which may lack it), how many digits
/// of it are shown after the point, and where it is among ours.
#[derive(Clone, Copy)]
pub(crate) struct Figure {
    head: &'static str,
    pub(crate) column: &'static str,
    digits: usize,
    pub(crate) of: fn(&Kpis) -> f64,
}

const UNDELIVERED: Figure = Figure {
    head: "undelivered %",
    column: "undelivered_pct",
    digits: 3,
    of: |kpis| kpis.undelivered_pct,
};
const IMPOSSIBLE: Figure = Figure {
    head: "impossible %",
    column: "impossible_pct",
    digits: 3,
    of: |kpis| kpis.impossible_pct,
};
const CLICK_TO_DOOR: Figure = Figure {
    head: "click to door",
    column: "ctd_mean",
    digits: 2,
    of: |kpis| kpis.ctd_mean,
};
const CLICK_TO_DOOR_P90: Figure = Figure {
    head: "90 %",
    column: "ctd_p90",
    digits: 2,
    of: |kpis| kpis.ctd_p90,
};
const READY_TO_PICKUP: Figure = Figure {
    head: "ready to pickup",
    column: "rtp_mean",
    digits: 2,
    of: |kpis| kpis.rtp_mean,
};
const READY_TO_PICKUP_P90: Figure = Figure {
    head: "90 %",
    column: "rtp_p90",
    digits: 2,
    of: |kpis| kpis.rtp_p90,
};
const LATE: Figure = Figure {
    head: "late %",
    column: "late_pct",
    digits: 2,
    of: |kpis| kpis.late_pct,
};
const COST: Figure = Figure {
    head: "dollars an order",
    column: "cost_per_order",
    digits: 2,
    of: |kpis| kpis.cost_per_order,
};
const UTILIZATION: Figure = Figure {
    head: "utilization",
    column: "utilization",
    digits: 3,
    of: |kpis| kpis.utilization,
};
const ORDERS_A_PICKUP: Figure = Figure {
    head: "orders a pickup",
    column: "orders_per_bundle",
    digits: 3,
    of: |kpis| kpis.orders_per_bundle,
};

/// The figures that are held against the peers', and what they count.
pub(crate) const JUDGED: [(Figure, Unit); 6] = [
    (UNDELIVERED, Unit::Percent),
    (CLICK_TO_DOOR, Unit::Minutes),
    (READY_TO_PICKUP, Unit::Minutes),
    (READY_TO_PICKUP_P90, Unit::Minutes),
    (LATE, Unit::Percent),
    (COST, Unit::Dollars),
];

/// The figures of the table of means, in the order of its columns.
const SHOWN: [Figure; 10] = [
    UNDELIVERED,
    IMPOSSIBLE,
    CLICK_TO_DOOR,
    CLICK_TO_DOOR_P90,
    READY_TO_PICKUP,
    READY_TO_PICKUP_P90,
    LATE,
    COST,
    UTILIZATION,
    ORDERS_A_PICKUP,
];

/// A line of the table of means.
pub(crate) struct Means {
    policy: String,
    rules: &'static str,
    /// In the order of [`SHOWN`]; none where it is not known.
    figures: [Option<f64>; SHOWN.len()],
}

impl Means {
    /// A policy of ours under one set of rules.
    pub(crate) fn of_ours(policy: &str, rules: &'static str, kpis: &Kpis) -> Self {
        Self {
            policy: policy.to_owned(),
            rules,
            figures: SHOWN.map(|figure| Some((figure.of)(kpis))),
        }
    }

    /// A peer, whose figures have their columns' names.
    pub(crate) fn of_peer(name: &str, mean: impl Fn(&str) -> Option<f64>) -> Self {
        Self {
            policy: name.to_owned(),
            rules: "",
            figures: SHOWN.map(|figure| mean(figure.column)),
        }
    }
}

/// The table of means.
pub(crate) fn means_table(lines: &[Means]) -> String {
    let mut columns = vec![
        Column::words("policy", |line: &Means| line.policy.clone()),
        Column::words("rules", |line: &Means| line.rules.to_owned()),
    ];
    columns.extend(SHOWN.iter().enumerate().map(|(at, figure)| {
        Column::figures(figure.head, move |line: &Means| {
            let value = line.figures[at];
            value.map_or_else(String::new, |value| format!("{value:.*}", figure.digits))
        })
    }));
    table(&columns, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_stands_under_its_own_head() {
        let ours = Kpis {
            instance: "mean".to_owned(),
            orders: 100.0,
            undelivered_pct: 0.58,
            impossible_pct: 0.331,
            ctd_mean: 34.31,
            ctd_p90: 50.04,
            rtp_mean: 3.69,
            rtp_p90: 9.95,
            late_pct: 28.94,
            cost_per_order: 11.59,
            utilization: 0.609,
            orders_per_bundle: 1.056,
        };
        let bound = |column: &str| match column {
            "undelivered_pct" => Some(0.0),
            "ctd_mean" => Some(30.58),
            "late_pct" => Some(18.96),
            _ => None,
        };
        let lines = [
            Means::of_ours("mdrp", "open", &ours),
            Means::of_peer("bound", bound),
        ];
        assert_eq!(
            means_table(&lines),
            "| policy | rules | undelivered % | impossible % | click to door | 90 % | ready to pickup | 90 % | late % | \
             dollars an order | utilization | orders a pickup |\n\
             |---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n\
             | mdrp | open | 0.580 | 0.331 | 34.31 | 50.04 | 3.69 | 9.95 | 28.94 | 11.59 | 0.609 | 1.056 |\n\
             | bound | | 0.000 | | 30.58 | | | | 18.96 | | | |\n"
        );
    }
}
