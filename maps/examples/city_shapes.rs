//! Measures the shape of road networks, so that made-up cities can be held against real ones:
//! `cargo run --release -p doorstep-maps --example city_shapes -- MAP…` prints a table in Markdown.
//!
//! A map is an extract, an archive, or `made-up:SEED:JUNCTIONS`.

#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a table for people"
)]

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use doorstep_maps::{generate, open_map};
use doorstep_routing::{Profile, RoadArchive, RoadId, RoadNetwork, TurnGraph};

const PROFILE: Profile = Profile::Car;
/// Side of a cell in which junctions are counted, in degrees of latitude: about a kilometre.
const CELL_E7: i32 = 90_000;
/// A branch of the elimination tree with less than this share of its piece was not cut off by a separator.
const BRANCH_SHARE: f64 = 0.1;

#[allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table is what the example is for"
)]
fn main() -> ExitCode {
    println!(
        "| map | junctions | km | junctions a km² | ends, 3, 4 and more roads | mean degree | road m, median | mean | \
         circuity | one-way | separator: whole | of 10,000 | of 1,000 | height |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for map in std::env::args().skip(1) {
        match measure(&map) {
            Ok(shape) => println!("| {} | {shape} |", name(&map)),
            Err(error) => {
                eprintln!("{map}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn name(map: &str) -> String {
    let file = Path::new(map).file_name().unwrap_or_default();
    let file = file.to_string_lossy();
    file.split('.').next().unwrap_or_default().to_owned()
}

fn open(map: &str) -> Result<RoadArchive, Box<dyn Error>> {
    let Some(wanted) = map.strip_prefix("made-up:") else {
        return Ok(open_map(Path::new(map))?);
    };
    let (seed, junctions) = wanted
        .split_once(':')
        .ok_or("expected made-up:SEED:JUNCTIONS")?;
    let path = std::env::temp_dir().join(format!("city-shapes-{}.osm.pbf", std::process::id()));
    generate(seed.parse()?, junctions.parse()?, &path)?;
    let archive = open_map(&path);
    std::fs::remove_file(&path)?;
    Ok(archive?)
}

/// The table's cells of one map.
fn measure(map: &str) -> Result<String, Box<dyn Error>> {
    let archive = open(map)?;
    let network = &archive.network;
    let turns = TurnGraph::of(network, PROFILE);
    let edge_of = |road: RoadId| {
        let edges = [false, true].map(|backward| network.road_edge(road, backward));
        edges.map(|edge| edge.filter(|&edge| turns.is_usable(edge)))
    };
    let roads: Vec<RoadId> = network
        .roads()
        .filter(|&road| edge_of(road).iter().any(Option::is_some))
        .collect();
    let mut degree = vec![0_usize; network.node_count()];
    let mut lengths = Vec::with_capacity(roads.len());
    let (mut driven, mut crow, mut one_way) = (0.0, 0.0, 0_usize);
    for &road in &roads {
        let (start, end) = network.road_ends(road);
        degree[start.index()] += 1;
        degree[end.index()] += 1;
        let metres = network.road_length(road).as_metres();
        let straight = network
            .node_at(start)
            .crow_distance(network.node_at(end))
            .as_metres();
        lengths.push(metres);
        if straight > 20.0 {
            (driven, crow) = (driven + metres, crow + straight);
        }
        one_way += usize::from(edge_of(road).iter().any(Option::is_none));
    }
    lengths.sort_by(f64::total_cmp);
    let total: f64 = lengths.iter().sum();
    let cells = cells_with_junctions(network, &degree);
    let degrees: Vec<usize> = degree.into_iter().filter(|&degree| degree > 0).collect();
    let share = |of: &dyn Fn(usize) -> bool| {
        percent(
            degrees.iter().filter(|degree| of(**degree)).count(),
            degrees.len(),
        )
    };
    let cuts = Separators::of(&turns, &archive);
    Ok(format!(
        "{} | {:.0} | {:.0} | {}, {}, {} % | {:.2} | {:.0} | {:.0} | {:.3} | {} % | {} | {} | {} | {}",
        degrees.len(),
        total / 1000.0,
        degrees.len() as f64 / cells.max(1) as f64,
        share(&|degree| degree == 1),
        share(&|degree| degree == 3),
        share(&|degree| degree >= 4),
        degrees.iter().sum::<usize>() as f64 / degrees.len().max(1) as f64,
        lengths.get(lengths.len() / 2).unwrap_or(&0.0),
        total / lengths.len().max(1) as f64,
        driven / f64::max(crow, 1.0),
        percent(one_way, roads.len()),
        cuts.whole,
        cuts.around(10_000),
        cuts.around(1_000),
        cuts.height,
    ))
}

/// How many cells of about a square kilometre hold a junction.
fn cells_with_junctions(network: &RoadNetwork, degree: &[usize]) -> usize {
    let mut cells: BTreeSet<(i32, i32)> = BTreeSet::new();
    for node in network.nodes().filter(|node| degree[node.index()] > 0) {
        let at = network.node_at(node);
        let widened = f64::from(at.lng_e7()) * at.lat().to_radians().cos();
        #[allow(
            clippy::cast_possible_truncation,
            reason = "a degree is far below 32 bits"
        )]
        cells.insert((at.lat_e7() / CELL_E7, widened as i32 / CELL_E7));
    }
    cells.len()
}

fn percent(part: usize, whole: usize) -> usize {
    (part * 100 + whole / 2) / whole.max(1)
}

/// What the nested dissection found, read from the elimination tree of its order.
struct Separators {
    /// Directed edges in the separator of the whole network.
    whole: usize,
    /// Edges on the longest way to the root.
    height: usize,
    /// Size of each piece that was cut, and of its separator.
    cuts: Vec<(usize, usize)>,
}

impl Separators {
    fn of(turns: &TurnGraph, archive: &RoadArchive) -> Self {
        let nodes = turns.state_count();
        let mut neighbours = vec![Vec::new(); nodes];
        for (state, here) in (0_u32..).zip(0..nodes) {
            for (head, _) in turns.turns_from(state) {
                neighbours[here].push(head as usize);
                neighbours[head as usize].push(here);
            }
        }
        let mut rank = vec![0; nodes];
        let order = archive.edge_orders.of(PROFILE).edges().iter();
        let states = order.flat_map(|&edge| turns.states_of(edge));
        for (place, &state) in states.enumerate() {
            rank[state as usize] = place;
        }
        let parent = elimination_tree(nodes, &neighbours, &rank);
        let mut sizes = vec![1_usize; nodes];
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); nodes];
        for child in 0..nodes {
            if let Some(parent) = parent[child] {
                sizes[parent] += sizes[child];
                children[parent].push(child);
            }
        }
        let mut depth = vec![1_usize; nodes];
        for child in (0..nodes).rev() {
            depth[child] = parent[child].map_or(1, |parent| depth[parent] + 1);
        }
        let root = (0..nodes)
            .filter(|&rank| parent[rank].is_none())
            .max_by_key(|&rank| sizes[rank]);
        let mut cuts = Vec::new();
        let mut open: Vec<usize> = root.into_iter().collect();
        while let Some(top) = open.pop() {
            let whole = sizes[top];
            let (mut at, mut chain) = (top, 1);
            loop {
                let mut below = children[at].clone();
                below.sort_by_key(|&child| std::cmp::Reverse(sizes[child]));
                let Some(&largest) = below.first() else { break };
                let second = below.get(1).map_or(0, |&child| sizes[child]);
                if second as f64 >= BRANCH_SHARE * whole as f64 {
                    cuts.push((whole, chain));
                    open.extend(below.into_iter().filter(|&child| sizes[child] > 100));
                    break;
                }
                (at, chain) = (largest, chain + 1);
            }
        }
        Self {
            whole: cuts.first().map_or(0, |cut| cut.1),
            height: depth.into_iter().max().unwrap_or(0),
            cuts,
        }
    }

    /// Mean separator of the pieces of about so many nodes: half to twice.
    fn around(&self, nodes: usize) -> String {
        let found: Vec<usize> = self
            .cuts
            .iter()
            .filter(|(piece, _)| (nodes / 2..=nodes * 2).contains(piece))
            .map(|cut| cut.1)
            .collect();
        if found.is_empty() {
            return "-".to_owned();
        }
        format!(
            "{:.1}",
            found.iter().sum::<usize>() as f64 / found.len() as f64
        )
    }
}

/// The parent of each rank in the elimination tree: the lowest higher neighbour once everything below is contracted
/// (Liu 1990, "The role of elimination trees in sparse factorization", with path compression).
fn elimination_tree(nodes: usize, neighbours: &[Vec<usize>], rank: &[usize]) -> Vec<Option<usize>> {
    let mut at_rank = vec![0; nodes];
    for (node, &rank) in rank.iter().enumerate() {
        at_rank[rank] = node;
    }
    let mut parent = vec![None; nodes];
    let mut ancestor: Vec<Option<usize>> = vec![None; nodes];
    for high in 0..nodes {
        let lower: BTreeSet<usize> = neighbours[at_rank[high]]
            .iter()
            .map(|&node| rank[node])
            .filter(|&low| low < high)
            .collect();
        for mut at in lower {
            while let Some(next) = ancestor[at].replace(high) {
                if next == high {
                    break;
                }
                at = next;
            }
            if at != high && parent[at].is_none() {
                parent[at] = Some(high);
            }
        }
    }
    parent
}
