//! Days of real demand: how long the largest one takes, and how good the policies are on all of them beside the peers.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use doorstep_bench_harness::rows::{Peer, Row, Unit, Wanted, rows_table};
use doorstep_dispatch_core::Matching;
use doorstep_sim::mdrp::{Chance, Instance, Kpis, Rules, policy, run};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::figures::{Figure, JUDGED, Means, means_table};
use crate::reference::{self, Reference};
use crate::{Measured, repeated, say};

/// What all chance of the stochastic days grows from.
const SEED: u64 = 7;
const LARGEST: &str = "7o100t75s1p100";

/// One policy under one set of rules.
type Contestant = (Matching, Rules);

const PUBLISHED: [Contestant; 4] = [
    (Matching::Mdrp, Rules::Mdrp),
    (Matching::FoodMatch, Rules::Open),
    (Matching::Doorstep, Rules::Mdrp),
    (Matching::Doorstep, Rules::Open),
];

const STOCHASTIC: [Contestant; 5] = [
    (Matching::Mdrp, Rules::Mdrp),
    (Matching::FoodMatch, Rules::Mdrp),
    (Matching::FoodMatch, Rules::Open),
    (Matching::Doorstep, Rules::Mdrp),
    (Matching::Doorstep, Rules::Open),
];

/// Peers in the table, and what they are called here.
const PEERS: [(&str, &str); 3] = [
    ("mdrp_open_minutes", "peer: MDRP heuristic (2026-11)"),
    ("foodmatch_minutes", "peer: FoodMatch (2026-11)"),
    ("floor", "bound: ready food meets a driver"),
];

/// The figures of all days: rows for the page of all benches, and tables of means for the page about matching.
pub(crate) struct Quality {
    pub(crate) about: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) means: String,
}

impl Quality {
    /// The rows' table, then the means.
    pub(crate) fn table(&self) -> String {
        format!("{}\n{}", rows_table(&self.rows), self.means)
    }
}

/// The largest day, all of it: read, driven and scored.
pub(crate) fn largest() -> Result<Measured> {
    let name = "mdrp-day-3213";
    let row = |name: &str, ours, peers, wanted| Row {
        name: name.to_owned(),
        unit: Unit::Seconds,
        ours,
        peers,
        wanted,
    };
    let mut rows = Vec::new();
    let contestants = [
        (
            name.to_owned(),
            (Matching::Doorstep, Rules::Mdrp),
            Wanted::AtMost(3.0),
        ),
        (
            format!("{name}-foodmatch"),
            (Matching::FoodMatch, Rules::Open),
            Wanted::NoMoreThanPeer,
        ),
    ];
    let folder = match reference::folder() {
        Ok(folder) => folder,
        Err(why) => {
            rows.extend(
                contestants
                    .map(|(name, _, wanted)| row(&name, Err(why.clone()), Vec::new(), wanted)),
            );
            return Ok(Measured {
                about: format!("Not measured: {why}."),
                rows,
            });
        }
    };
    let table = Reference::read(&folder)?;
    let peer = || {
        let name = "FoodMatch(2026-11)";
        let seconds = table.figure(LARGEST, "foodmatch_seconds", "seconds");
        seconds.map_or_else(
            || Peer::missing(name, "not in reference.csv"),
            |seconds| Peer::new(name, seconds),
        )
    };
    let day = folder.join("public_instances").join(LARGEST);
    for (name, contestant, wanted) in contestants {
        let (seconds, kpis) = repeated(&name, 3, || drive(&day, contestant, Chance::none(SEED)));
        let kpis = kpis?;
        say(&format!(
            "{name}: {} orders, {:.3} % undelivered, {:.2} min from click to door",
            kpis.orders, kpis.undelivered_pct, kpis.ctd_mean
        ));
        rows.push(row(&name, Ok(seconds), vec![peer()], wanted));
    }
    Ok(Measured {
        about: format!(
            "{LARGEST}, 3,213 orders and 404 drivers, on one thread: reading the files, driving the day minute by minute, and \
             its figures. FoodMatch's own program cannot be run here: its time is the one that `reference.csv` notes for its \
             run of November 2026."
        ),
        rows,
    })
}

/// All days, every policy; then the same days with chance.
pub(crate) fn quality() -> Result<Quality> {
    let folder = match reference::folder() {
        Ok(folder) => folder,
        Err(why) => {
            return Ok(Quality {
                about: format!("Not measured: {why}."),
                rows: Vec::new(),
                means: String::new(),
            });
        }
    };
    let table = Reference::read(&folder)?;
    let days = reference::days(&folder)?;
    let names_of_days: Vec<String> = days.iter().map(|day| name_of(day)).collect();
    let published = means(&days, &PUBLISHED, Chance::none(SEED))?;
    let stochastic = means(&days, &STOCHASTIC, Chance::stochastic(SEED))?;
    let rows = published
        .iter()
        .flat_map(|(contestant, kpis)| judge(*contestant, kpis, &table, &names_of_days))
        .collect();
    let ours = |(contestant, kpis): &(Contestant, Kpis)| {
        let (matching, rules) = names(*contestant);
        Means::of_ours(matching, rules, kpis)
    };
    let others = PEERS.map(|(algorithm, name)| {
        Means::of_peer(name, |column| table.mean(&names_of_days, algorithm, column))
    });
    let on_published: Vec<Means> = published.iter().map(ours).chain(others).collect();
    let on_stochastic: Vec<Means> = stochastic.iter().map(ours).collect();
    let means = format!(
        "Means over {} days; times in minutes. Nobody can bring the impossible ones within the 90 minutes that a day allows, so \
         they bound the undelivered.\n\n{}\nThe same days with chance (seed {SEED}): preparation differs from what \
         is known with a standard deviation of 8 minutes, one offer in five is declined, answers take 20 seconds.\n\n{}",
        days.len(),
        means_table(&on_published),
        means_table(&on_stochastic),
    );
    Ok(Quality {
        about: "Every public day of the Meal Delivery Routing Problem that is at hand. The peers' means are computed from \
                `reference.csv`: their own programs, with travel in whole minutes as the rules want."
            .to_owned(),
        rows,
        means,
    })
}

fn name_of(day: &Path) -> String {
    day.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Days are independent, so that any of them can go first.
fn means(
    days: &[PathBuf],
    contestants: &[Contestant],
    chance: Chance,
) -> Result<Vec<(Contestant, Kpis)>> {
    let mut means = Vec::new();
    for &contestant in contestants {
        let lines: Result<Vec<Kpis>> = days
            .par_iter()
            .map(|day| drive(day, contestant, chance))
            .collect();
        let mean = Kpis::mean(&lines?);
        let (matching, rules) = names(contestant);
        say(&format!(
            "{matching}, {rules}, noise {}: impossible {:.3} %, undelivered {:.3} %, {:.2} min from click to door, {:.2} from ready to pickup",
            chance.decline_permille > 0,
            mean.impossible_pct,
            mean.undelivered_pct,
            mean.ctd_mean,
            mean.rtp_mean
        ));
        means.push((contestant, mean));
    }
    Ok(means)
}

fn drive(day: &Path, (matching, rules): Contestant, chance: Chance) -> Result<Kpis> {
    let instance = Instance::read(day)?;
    let policy = policy(matching, rules, &instance, &chance);
    let outcome = run(&instance, policy, chance)
        .with_context(|| format!("{matching} on {}", instance.name))?;
    Ok(outcome.kpis)
}

const fn names((matching, rules): Contestant) -> (&'static str, &'static str) {
    let rules = match rules {
        Rules::Mdrp => "mdrp",
        Rules::Open => "open",
    };
    (matching.name(), rules)
}

/// Each judged figure of a policy beside the peers that do the same; ours beside all of them.
fn judge(contestant: Contestant, kpis: &Kpis, table: &Reference, days: &[String]) -> Vec<Row> {
    let (matching, rules) = names(contestant);
    let algorithms: &[(&str, &str)] = match contestant.0 {
        Matching::Mdrp => &[("mdrp_open_minutes", "MDRP-heuristic(2026-11)")],
        Matching::FoodMatch => &[("foodmatch_minutes", "FoodMatch(2026-11)")],
        Matching::Nearest | Matching::Doorstep => &[
            ("mdrp_open_minutes", "MDRP-heuristic(2026-11)"),
            ("foodmatch_minutes", "FoodMatch(2026-11)"),
        ],
    };
    let peer = |figure: &Figure, (algorithm, name): (&str, &str)| {
        let mean = table.mean(days, algorithm, figure.column);
        mean.map_or_else(
            || Peer::missing(name, "not in reference.csv"),
            |mean| Peer::new(name, mean),
        )
    };
    let rows = JUDGED.iter().zip(wanted(contestant));
    rows.map(|((figure, unit), wanted)| Row {
        name: format!("mdrp-{matching}-{rules}-{}", figure.column),
        unit: *unit,
        ours: Ok((figure.of)(kpis)),
        peers: algorithms.iter().map(|&one| peer(figure, one)).collect(),
        wanted,
    })
    .collect()
}

/// In the order of [`JUDGED`].
const fn wanted(contestant: Contestant) -> [Wanted; 6] {
    use Wanted::{AtMost, NoMoreThanPeer, Within};
    match contestant {
        (Matching::Mdrp, _) => [
            Within(0.25, 0.1),
            Within(33.15, 0.3),
            Within(2.0, 0.25),
            NoMoreThanPeer,
            NoMoreThanPeer,
            NoMoreThanPeer,
        ],
        (Matching::Doorstep, Rules::Mdrp) => [
            AtMost(0.2),
            AtMost(32.8),
            AtMost(1.6),
            AtMost(5.2),
            AtMost(22.5),
            AtMost(11.4),
        ],
        (Matching::Doorstep, Rules::Open) => [
            AtMost(0.2),
            AtMost(32.2),
            AtMost(1.4),
            AtMost(4.7),
            AtMost(21.0),
            AtMost(11.0),
        ],
        (Matching::Nearest | Matching::FoodMatch, _) => [NoMoreThanPeer; 6],
    }
}
