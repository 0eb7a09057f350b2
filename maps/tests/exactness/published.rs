//! Distances on the roads of another importer's export: central Seoul as `OSMnx` saw it, against our import of the same roads.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fs;

use doorstep_maps::{read, unwatched};
use doorstep_routing::{Profile, RoadNetwork, SplitMix64};

use crate::{data, is_full, say};

/// A directed graph: for each node the nodes that its edges lead to, with their lengths in millimetres.
type Graph = Vec<Vec<(usize, u64)>>;

/// `OSMnx` rounds each length to a millimetre and measures on a sphere of another radius than ours.
const TOLERANCE: f64 = 0.003;

#[test]
fn distances_in_seoul_are_those_of_osmnx() {
    let export = data().join("graphs/seoul-centre/seoul.graphml");
    let extract = data().join("osm/seoul-centre.osm.pbf");
    let Ok(text) = fs::read_to_string(&export) else {
        say(&format!(
            "skipped: no {}; set DOORSTEP_DATA",
            export.display()
        ));
        return;
    };
    let (theirs, places) = parse(&text);
    let (archive, _) = read(&extract, &unwatched).unwrap();
    let (ours, nodes) = graph_of(&archive.network);
    let both: Vec<(usize, usize)> = places
        .iter()
        .filter_map(|(at, &node)| Some((node, *nodes.get(at)?)))
        .collect();
    assert!(
        both.len() * 10 > theirs.len() * 9,
        "{} of {} nodes are in both",
        both.len(),
        theirs.len()
    );
    let mut random = SplitMix64::new(5);
    let mut compared = 0;
    for _ in 0..if is_full() { 50 } else { 5 } {
        let (their_source, our_source) = both[random.below(both.len())];
        let [their_tree, our_tree] = [(&theirs, their_source), (&ours, our_source)]
            .map(|(graph, source)| distances(graph, source));
        for &(their_node, our_node) in &both {
            let [theirs, ours] = [their_tree[their_node], our_tree[our_node]];
            assert_eq!(
                theirs.is_some(),
                ours.is_some(),
                "way from {our_source} to {our_node}"
            );
            if let (Some(theirs), Some(ours)) = (theirs, ours) {
                let apart = theirs.abs_diff(ours) as f64;
                assert!(
                    apart <= 1000.0 + TOLERANCE * theirs as f64,
                    "from {our_source} to {our_node}: ours {ours} mm, theirs {theirs} mm"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 5_000, "only {compared} pairs have a way");
}

/// The roads that a car may drive, and each junction by its position.
fn graph_of(network: &RoadNetwork) -> (Graph, BTreeMap<(i32, i32), usize>) {
    let mut graph: Graph = vec![Vec::new(); network.node_count()];
    for edge in network.edges() {
        if network.free_flow_time(edge, Profile::Car).is_some() {
            let length = network.length(edge).as_millimetres();
            graph[network.tail(edge).index()].push((network.head(edge).index(), length));
        }
    }
    let at = network.nodes().map(|node| {
        let at = network.node_at(node);
        ((at.lat_e7(), at.lng_e7()), node.index())
    });
    (graph, at.collect())
}

fn distances(graph: &Graph, source: usize) -> Vec<Option<u64>> {
    let mut reached = vec![None; graph.len()];
    let mut queue = BinaryHeap::from([Reverse((0, source))]);
    while let Some(Reverse((far, node))) = queue.pop() {
        if reached[node].is_some() {
            continue;
        }
        reached[node] = Some(far);
        queue.extend(
            graph[node]
                .iter()
                .map(|&(next, length)| Reverse((far + length, next))),
        );
    }
    reached
}

/// What the export holds: a line for each tag, `d4` and `d5` the position of a node, `d13` the length of an edge.
fn parse(text: &str) -> (Graph, BTreeMap<(i32, i32), usize>) {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut graph = Graph::new();
    let mut places = BTreeMap::new();
    let (mut node, mut edge, mut lat) = (0, (0, 0), 0);
    for line in text.lines().map(str::trim) {
        if line.starts_with("<node ") {
            node = graph.len();
            numbers.insert(attribute(line, "id"), node);
            graph.push(Vec::new());
        } else if line.starts_with("<edge ") {
            edge = (
                numbers[attribute(line, "source")],
                numbers[attribute(line, "target")],
            );
        } else if let Some(value) = value(line, "d4") {
            lat = e7(value);
        } else if let Some(value) = value(line, "d5") {
            places.insert((lat, e7(value)), node);
        } else if let Some(value) = value(line, "d13") {
            let millimetres = (value.parse::<f64>().unwrap() * 1000.0).round() as u64;
            graph[edge.0].push((edge.1, millimetres));
        }
    }
    (graph, places)
}

fn attribute<'a>(line: &'a str, name: &str) -> &'a str {
    let start = line.find(&format!("{name}=\"")).unwrap() + name.len() + 2;
    let length = line[start..].find('"').unwrap();
    &line[start..start + length]
}

fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(&format!("<data key=\"{key}\">"))?;
    rest.strip_suffix("</data>")
}

fn e7(degrees: &str) -> i32 {
    (degrees.parse::<f64>().unwrap() * 1e7).round() as i32
}
