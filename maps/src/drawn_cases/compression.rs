//! Roads joined over points where nothing happens: the shortest ways stay what they were.

use proptest::prelude::*;

use super::*;

/// Lengths of the shortest ways between some of a graph's nodes.
fn shortest(
    graph: &DiGraph<(), u64>,
    nodes: &[NodeIndex],
) -> BTreeMap<(NodeIndex, NodeIndex), u64> {
    let mut lengths = BTreeMap::new();
    for from in nodes {
        let found = dijkstra(graph, *from, None, |edge| *edge.weight());
        for to in nodes {
            lengths.extend(found.get(to).map(|length| ((*from, *to), *length)));
        }
    }
    lengths
}

/// Ten nodes without edges.
fn ten_nodes() -> DiGraph<(), u64> {
    let mut graph = DiGraph::new();
    for _ in 0..10 {
        graph.add_node(());
    }
    graph
}

/// The nodes of a way, and whether it is two-way (0), one-way (1) or slow (2).
type RandomWay = (Vec<usize>, usize);

fn random_map() -> impl Strategy<Value = (Vec<(i32, i32)>, Vec<RandomWay>)> {
    let nodes = prop::collection::btree_set((0..40_i32, 0..40_i32), 10)
        .prop_map(|set| set.into_iter().collect());
    let ways = prop::collection::vec((prop::collection::vec(0..10_usize, 2..6), 0..3_usize), 1..9);
    (nodes, ways)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn compression_keeps_every_shortest_way((positions, ways) in random_map()) {
        let mut map = NewMap::default();
        let at: Vec<LatLng> =
            positions.iter().map(|(y, x)| LatLng::from_e7(410_000_000 + y * 9_000, -86_000_000 + x * 9_000)).collect();
        for (id, at) in (0..).zip(&at) {
            map.nodes.push(NewNode { id, lat_e7: at.lat_e7(), lng_e7: at.lng_e7(), tags: Vec::new() });
        }
        let mut plain = ten_nodes();
        for (id, (nodes, kind)) in (0..).zip(&ways) {
            for leg in nodes.windows(2).filter(|leg| leg[0] != leg[1]) {
                let [from, to] = [leg[0], leg[1]].map(NodeIndex::new);
                let length = at[leg[0]].crow_distance(at[leg[1]]).as_millimetres();
                plain.add_edge(from, to, length);
                if *kind != 1 {
                    plain.add_edge(to, from, length);
                }
            }
            let tags = [STREET, ONE_WAY, &[("highway", "residential"), ("maxspeed", "20")]][*kind];
            let nodes = nodes.iter().map(|node| i64::try_from(*node).unwrap()).collect();
            map.ways.push(NewWay { id, nodes, tags: owned(tags) });
        }
        let mut bytes = Vec::new();
        write::write_pbf(&map, &mut bytes).unwrap();
        let Ok((archive, _)) = read_bytes(&bytes) else {
            prop_assert_eq!(plain.edge_count(), 0);
            return Ok(());
        };
        let network = &archive.network;
        let number = |node| NodeIndex::new(at.iter().position(|at| *at == network.node_at(node)).unwrap());
        let mut compressed = ten_nodes();
        let driven = |edge: &EdgeId| network.free_flow_time(*edge, Profile::Car).is_some();
        for edge in network.edges().filter(driven) {
            let length = network.length(edge).as_millimetres();
            compressed.add_edge(number(network.tail(edge)), number(network.head(edge)), length);
        }
        let nodes: Vec<NodeIndex> = network.nodes().map(number).collect();
        prop_assert_eq!(shortest(&compressed, &nodes), shortest(&plain, &nodes));
        for junction in plain.node_indices() {
            let neighbours: BTreeSet<NodeIndex> = plain.neighbors_undirected(junction).collect();
            prop_assert!(neighbours.len() <= 2 || nodes.contains(&junction), "junction {:?} is gone", junction);
        }
    }
}
