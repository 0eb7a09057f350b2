//! The hierarchy on graphs without roads whose answers others have published.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use doorstep_routing::cch::{Cch, PlainQuery};

use crate::{files, is_full};

/// A directed graph as offsets, heads and weights.
struct Graph {
    first_out: Vec<u32>,
    head: Vec<u32>,
    weight: Vec<u32>,
}

#[test]
fn published_answers_come_out() {
    let mut graphs = files("graphs/fast_paths", ".gr");
    if !is_full() {
        graphs.retain(|graph| fs::metadata(graph).unwrap().len() < 300_000);
    }
    for path in graphs {
        check(&path);
    }
}

/// Every published answer, on basic and on perfect weights.
fn check(path: &Path) {
    let graph = read(path);
    let cch = Cch::contract(&graph.first_out, &graph.head, &order(&graph));
    let basic = cch.customize(graph.weight.clone());
    let perfect = cch.perfect(&basic);
    let mut query = PlainQuery::new(&cch);
    let answers = fs::read_to_string(path.with_extension("answers.tsv")).unwrap();
    let mut count = 0;
    for line in answers.lines().skip(1) {
        let fields: Vec<i64> = line
            .split('\t')
            .map(|field| field.parse().unwrap())
            .collect();
        let [from, to] = [fields[0], fields[1]].map(|node| u32::try_from(node).unwrap());
        let wanted = u32::try_from(fields[2]).ok();
        for metric in [&basic, &perfect] {
            let found = query.weight(&cch, metric, from, to);
            assert_eq!(found, wanted, "{}: {line}", path.display());
        }
        count += 1;
    }
    assert!(count >= 2000, "{}: only {count} answers", path.display());
}

/// Lines `a from to weight`. Loops and weights below 1 are dropped, of parallel edges the shortest is kept.
fn read(path: &Path) -> Graph {
    let text = fs::read_to_string(path).unwrap();
    let parse = |line: &str| -> [u32; 3] {
        let fields = line.split_whitespace().skip(1);
        let fields: Vec<u32> = fields.map(|field| field.parse().unwrap()).collect();
        fields.try_into().unwrap()
    };
    let mut edges: Vec<[u32; 3]> = text.lines().map(parse).collect();
    let nodes = edges.iter().flat_map(|edge| &edge[..2]).max().unwrap() + 1;
    edges.retain(|&[from, to, weight]| from != to && weight > 0);
    edges.sort_unstable();
    edges.dedup_by_key(|edge| [edge[0], edge[1]]);
    let starts = (0..=nodes).map(|node| edges.partition_point(|edge| edge[0] < node));
    Graph {
        first_out: starts.map(|start| u32::try_from(start).unwrap()).collect(),
        head: edges.iter().map(|edge| edge[1]).collect(),
        weight: edges.iter().map(|edge| edge[2]).collect(),
    }
}

/// Nodes by rank: whichever has the fewest neighbours left is next. There are no coordinates to cut by.
fn order(graph: &Graph) -> Vec<u32> {
    let nodes = graph.first_out.len() - 1;
    let mut neighbours: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); nodes];
    for tail in 0..nodes {
        for &head in &graph.head[graph.first_out[tail] as usize..graph.first_out[tail + 1] as usize]
        {
            neighbours[tail].insert(head as usize);
            neighbours[head as usize].insert(tail);
        }
    }
    let mut left: BTreeSet<(usize, usize)> = neighbours
        .iter()
        .enumerate()
        .map(|(node, around)| (around.len(), node))
        .collect();
    let mut order = Vec::with_capacity(nodes);
    while let Some((_, node)) = left.pop_first() {
        order.push(u32::try_from(node).unwrap());
        let around = std::mem::take(&mut neighbours[node]);
        for &one in &around {
            left.remove(&(neighbours[one].len(), one));
            neighbours[one].remove(&node);
            neighbours[one].extend(around.iter().filter(|&&other| other != one));
            left.insert((neighbours[one].len(), one));
        }
    }
    order
}
