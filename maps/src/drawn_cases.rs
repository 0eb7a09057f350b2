//! Small maps drawn as text, written as PBF files and read back: what comes out of an import, case by case.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use doorstep_routing::{
    Distance, EdgeId, LatLng, PlaceKind, Profile, RestrictionKind, RoadArchive,
};
use petgraph::algo::dijkstra;
use petgraph::graph::{DiGraph, NodeIndex};
use proptest::prelude::*;

use crate::osm::wire::{self, MEMBER_NODE, MEMBER_WAY};
use crate::osm::write::{self, NewMap, NewNode, NewRelation, NewWay, OwnedTags};
use crate::{ImportReport, MapError, read, unwatched};

type TagList = &'static [(&'static str, &'static str)];

const STREET: TagList = &[("highway", "residential")];
const ONE_WAY: TagList = &[("highway", "residential"), ("oneway", "yes")];

/// A map whose nodes are the letters of a drawing; columns and lines are 0.001 degrees apart.
struct Sketch {
    map: NewMap,
    letters: BTreeMap<LatLng, char>,
}

fn owned(tags: TagList) -> OwnedTags {
    tags.iter()
        .map(|(key, value)| (*key, (*value).to_owned()))
        .collect()
}

impl Sketch {
    fn new(drawing: &str) -> Self {
        let mut sketch = Self {
            map: NewMap::default(),
            letters: BTreeMap::new(),
        };
        for (line, text) in (0..).zip(drawing.lines()) {
            for (column, letter) in (0..)
                .zip(text.chars())
                .filter(|(_, letter)| letter.is_alphabetic())
            {
                let (lat_e7, lng_e7) = (410_000_000 - 10_000 * line, -86_000_000 + 10_000 * column);
                sketch
                    .letters
                    .insert(LatLng::from_e7(lat_e7, lng_e7), letter);
                sketch.map.nodes.push(NewNode {
                    id: i64::from(u32::from(letter)),
                    lat_e7,
                    lng_e7,
                    tags: Vec::new(),
                });
            }
        }
        sketch
    }

    /// A way over letters; those that were not drawn are nodes that the file lacks.
    fn way(mut self, id: i64, letters: &str, tags: TagList) -> Self {
        let nodes = letters
            .chars()
            .map(|letter| i64::from(u32::from(letter)))
            .collect();
        self.map.ways.push(NewWay {
            id,
            nodes,
            tags: owned(tags),
        });
        self
    }

    fn tag(mut self, letter: char, tags: TagList) -> Self {
        let id = i64::from(u32::from(letter));
        self.map
            .nodes
            .iter_mut()
            .filter(|node| node.id == id)
            .for_each(|node| node.tags = owned(tags));
        self
    }

    fn restriction(mut self, from: i64, via: char, to: i64, kind: &'static str) -> Self {
        let via = i64::from(u32::from(via));
        self.map.relations.push(NewRelation {
            id: 1 + i64::try_from(self.map.relations.len()).unwrap(),
            members: vec![
                ("from", MEMBER_WAY, from),
                ("via", MEMBER_NODE, via),
                ("to", MEMBER_WAY, to),
            ],
            tags: vec![
                ("type", "restriction".to_owned()),
                ("restriction", kind.to_owned()),
            ],
        });
        self
    }

    fn read(&self) -> Imported {
        let mut bytes = Vec::new();
        write::write_pbf(&self.map, &mut bytes).unwrap();
        let (archive, report) = read_bytes(&bytes).unwrap();
        Imported {
            archive,
            report,
            letters: self.letters.clone(),
        }
    }
}

fn read_bytes(bytes: &[u8]) -> Result<(RoadArchive, ImportReport), MapError> {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("drawn.osm.pbf");
    fs::write(&path, bytes).unwrap();
    read(&path, &unwatched)
}

struct Imported {
    archive: RoadArchive,
    report: ImportReport,
    letters: BTreeMap<LatLng, char>,
}

impl Imported {
    /// An edge as the letters along it; `?` for a point that was not drawn.
    fn name(&self, edge: EdgeId) -> String {
        let letter = |at: LatLng| self.letters.get(&at).copied().unwrap_or('?');
        self.archive
            .network
            .edge_geometry(edge)
            .map(letter)
            .collect()
    }

    /// The edges that a profile may drive, sorted by name.
    fn edges(&self, profile: Profile) -> Vec<String> {
        let network = &self.archive.network;
        let open = network
            .edges()
            .filter(|edge| network.free_flow_time(*edge, profile).is_some());
        let mut names: Vec<String> = open.map(|edge| self.name(edge)).collect();
        names.sort();
        names
    }

    fn turns(&self) -> Vec<(String, String, RestrictionKind)> {
        let turns = self.archive.network.turn_restrictions().iter();
        turns
            .map(|turn| (self.name(turn.from), self.name(turn.to), turn.kind))
            .collect()
    }

    fn dropped(&self, object: &str, reason: &str) -> u64 {
        let found = self
            .report
            .dropped
            .iter()
            .find(|drop| drop.object == object && drop.reason.contains(reason));
        found.map_or(0, |drop| drop.count)
    }
}

#[test]
fn a_street_with_a_side_street_becomes_three_roads() {
    let map = Sketch::new("a b c d e\n\n    f")
        .way(1, "abcde", STREET)
        .way(2, "cf", STREET)
        .read();
    assert_eq!(
        map.edges(Profile::Scooter),
        ["abc", "cba", "cde", "cf", "edc", "fc"]
    );
    assert_eq!(map.report.kept.nodes, 4);
    assert_eq!(map.report.kept.points, 2);
    assert_eq!(map.archive.node_order.nodes().len(), 4);
}

#[test]
fn ways_are_joined_where_nothing_changes() {
    let map = Sketch::new("a b c d")
        .way(1, "ab", STREET)
        .way(2, "cb", STREET)
        .way(3, "cd", ONE_WAY)
        .read();
    assert_eq!(map.edges(Profile::Car), ["abc", "cba", "cd"]);
}

#[test]
fn a_one_way_drawn_backwards() {
    let map = Sketch::new("a b c")
        .way(1, "abc", &[("highway", "residential"), ("oneway", "-1")])
        .read();
    assert_eq!(map.edges(Profile::Car), ["cba"]);
}

#[test]
fn scooters_stay_off_the_motorway() {
    let map = Sketch::new("a b c\n\n  d")
        .way(1, "abc", &[("highway", "motorway")])
        .way(2, "bd", STREET)
        .read();
    assert_eq!(map.edges(Profile::Scooter), ["bd", "db"]);
    assert_eq!(map.edges(Profile::Car), ["ab", "bc", "bd", "db"]);
}

#[test]
fn private_roads_and_paths_are_dropped_with_a_reason() {
    let private = &[("highway", "service"), ("access", "private")];
    let map = Sketch::new("a b c d")
        .way(1, "ab", STREET)
        .way(2, "bc", private)
        .way(3, "cd", &[("highway", "footway")])
        .way(4, "abcd", &[("waterway", "river")])
        .read();
    assert_eq!(map.edges(Profile::Car), ["ab", "ba"]);
    assert_eq!(map.dropped("way", "closed to scooters and cars"), 1);
    assert_eq!(map.dropped("way", "path, track or site"), 1);
    assert_eq!(map.dropped("way", "not a road"), 1);
}

#[test]
fn a_clipped_way_keeps_the_parts_that_are_there() {
    let map = Sketch::new("a b c d e f")
        .way(1, "abXcdY", STREET)
        .way(2, "eZ", STREET)
        .read();
    assert_eq!(map.edges(Profile::Car), ["ab", "ba", "cd", "dc"]);
    assert_eq!(map.dropped("way", "parts beyond the edge"), 1);
    assert_eq!(map.report.kept.ways, 1);
}

#[test]
fn loops_rings_and_parallel_roads_stay_apart() {
    let map = Sketch::new("a b c\n  d\n\nx y\n z")
        .way(1, "abcdb", STREET)
        .way(2, "xyzx", ONE_WAY)
        .read();
    assert_eq!(
        map.edges(Profile::Car),
        ["ab", "ba", "bcdb", "bdcb", "xyzx"]
    );
    let parallel = Sketch::new("a b c\n  d")
        .way(1, "abc", STREET)
        .way(2, "adc", STREET)
        .way(3, "ca", STREET)
        .read();
    assert_eq!(
        parallel.edges(Profile::Car),
        ["abc", "ac", "adc", "ca", "cba", "cda"]
    );
}

#[test]
fn a_bollard_cuts_the_road_for_those_it_stops() {
    let drawn = || Sketch::new("a b c").way(1, "abc", STREET);
    let all = drawn().tag('b', &[("barrier", "bollard")]).read();
    assert_eq!(all.edges(Profile::Scooter), ["?c", "ab", "ba", "c?"]);
    let cars = drawn()
        .tag('b', &[("barrier", "bollard"), ("motorcycle", "yes")])
        .read();
    assert_eq!(cars.edges(Profile::Car), ["?c", "ab", "ba", "c?"]);
    assert_eq!(
        cars.edges(Profile::Scooter),
        ["?b", "?c", "ab", "b?", "ba", "c?"]
    );
    let network = &cars.archive.network;
    assert!(
        network
            .nodes()
            .all(|node| network.in_largest_component(node, Profile::Scooter))
    );
    assert_eq!(
        network
            .nodes()
            .filter(|node| network.in_largest_component(*node, Profile::Car))
            .count(),
        2
    );
    let lengths: Vec<Distance> = network.edges().map(|edge| network.length(edge)).collect();
    assert!(
        lengths
            .iter()
            .any(|length| (900..1100).contains(&length.as_millimetres())),
        "{lengths:?}"
    );
    let gate = drawn().tag('b', &[("barrier", "gate")]).read();
    assert_eq!(gate.edges(Profile::Car), ["abc", "cba"]);
}

#[test]
fn turn_restrictions_find_their_edges() {
    // 1 comes from a to b, 2 leads on to c, 3 down to d.
    let map = Sketch::new("a b c\n\n  d")
        .way(1, "ab", STREET)
        .way(2, "bc", STREET)
        .way(3, "bd", STREET)
        .restriction(1, 'b', 3, "no_right_turn")
        .restriction(2, 'b', 2, "no_u_turn")
        .restriction(3, 'b', 1, "only_left_turn")
        .restriction(1, 'b', 99, "no_left_turn")
        .read();
    let text = |from: &str, to: &str, kind| (from.to_owned(), to.to_owned(), kind);
    let mut turns = map.turns();
    turns.sort();
    assert_eq!(
        turns,
        [
            text("ab", "bd", RestrictionKind::No),
            text("cb", "bc", RestrictionKind::No),
            text("db", "ba", RestrictionKind::Only),
        ]
    );
    assert_eq!(map.dropped("restriction", "roads not in the network"), 1);
}

#[test]
fn a_restriction_keeps_its_node_and_names_the_way_next_to_it() {
    // Without the restriction b would be joined over: the turn back at b needs it. Ways 2 and 3 are joined over c.
    let map = Sketch::new("a b c d")
        .way(1, "ab", STREET)
        .way(2, "bc", STREET)
        .way(3, "cd", STREET)
        .restriction(1, 'b', 1, "no_u_turn")
        .restriction(2, 'b', 1, "no_straight_on")
        .read();
    assert_eq!(map.edges(Profile::Car), ["ab", "ba", "bcd", "dcb"]);
    let turns: Vec<(String, String)> = map
        .turns()
        .into_iter()
        .map(|(from, to, _)| (from, to))
        .collect();
    assert_eq!(turns.len(), 2);
    assert!(
        turns.contains(&("dcb".to_owned(), "ba".to_owned())),
        "{turns:?}"
    );
}

#[test]
fn a_restriction_whose_way_runs_past_its_node_is_unclear() {
    let map = Sketch::new("a b c\n\n  d")
        .way(1, "abc", STREET)
        .way(3, "bd", STREET)
        .restriction(1, 'b', 3, "no_right_turn")
        .read();
    assert_eq!(map.turns(), []);
    assert_eq!(map.dropped("restriction", "direction unclear"), 1);
}

#[test]
fn places_stand_on_nodes_and_in_the_middle_of_areas() {
    let map = Sketch::new("a b\n\np q\ns r  t u")
        .way(1, "ab", STREET)
        .tag('t', &[("amenity", "cafe"), ("name", "Ness")])
        .tag(
            'u',
            &[
                ("addr:housenumber", "7"),
                ("addr:street", "Rua Nova"),
                ("amenity", "bank"),
            ],
        )
        .way(
            2,
            "pqrsp",
            &[
                ("building", "yes"),
                ("amenity", "restaurant"),
                ("name", "Tasca"),
            ],
        )
        .way(
            3,
            "pq",
            &[("amenity", "restaurant"), ("name", "Not an area")],
        )
        .read();
    let mut places: Vec<(PlaceKind, &str)> = map
        .archive
        .places
        .iter()
        .map(|place| (place.kind, place.name.as_str()))
        .collect();
    places.sort_unstable();
    assert_eq!(
        places,
        [
            (PlaceKind::Restaurant, "Tasca"),
            (PlaceKind::Cafe, "Ness"),
            (PlaceKind::Address, "Rua Nova 7")
        ]
    );
    let tasca = map
        .archive
        .places
        .iter()
        .find(|place| place.name == "Tasca")
        .unwrap();
    assert_eq!(tasca.at, LatLng::from_e7(409_975_000, -85_990_000));
    assert_eq!(map.dropped("place", "neither a node nor a closed way"), 1);
}

#[test]
fn the_order_of_objects_does_not_matter_and_the_first_of_two_counts() {
    let sketch = Sketch::new("a b c\n\n  d")
        .way(1, "ab", STREET)
        .way(2, "bc", STREET)
        .way(3, "bd", STREET)
        .restriction(1, 'b', 3, "no_right_turn");
    let map = &sketch.map;
    let mut shuffled = Vec::new();
    write::write_file_header(map, &mut shuffled).unwrap();
    write::write_relations(&map.relations, &mut shuffled).unwrap();
    write::write_ways(&map.ways[..1], &mut shuffled).unwrap();
    write::write_nodes(&map.nodes[2..], &mut shuffled).unwrap();
    write::write_ways(&map.ways[1..], &mut shuffled).unwrap();
    write::write_nodes(&map.nodes[..2], &mut shuffled).unwrap();
    let (archive, _) = read_bytes(&shuffled).unwrap();
    assert_eq!(archive.to_bytes(), sketch.read().archive.to_bytes());

    write::write_nodes(&map.nodes, &mut shuffled).unwrap();
    write::write_ways(&map.ways, &mut shuffled).unwrap();
    write::write_relations(&map.relations, &mut shuffled).unwrap();
    let (doubled, report) = read_bytes(&shuffled).unwrap();
    assert_eq!(doubled.to_bytes(), archive.to_bytes());
    let counts: Vec<u64> = report.dropped.iter().map(|drop| drop.count).collect();
    assert_eq!(counts, [4, 1, 3], "{:?}", report.dropped);
}

#[test]
fn a_map_without_roads_is_refused_by_name() {
    let mut bytes = Vec::new();
    let sketch = Sketch::new("a b").way(1, "ab", &[("highway", "footway")]);
    write::write_pbf(&sketch.map, &mut bytes).unwrap();
    let error = read_bytes(&bytes).unwrap_err();
    assert!(matches!(error, MapError::NoRoads { .. }));
    assert!(error.to_string().contains("drawn.osm.pbf"), "{error}");
}

/// A map with every kind of object, its blocks not compressed, so that damage reaches the decoders.
fn plain_bytes() -> Vec<u8> {
    let sketch = Sketch::new("a b c\n\n  d e")
        .way(1, "ab", STREET)
        .way(2, "bc", ONE_WAY)
        .way(3, "bd", STREET)
        .way(4, "deb", &[("building", "yes"), ("addr:housenumber", "3")])
        .tag('b', &[("barrier", "bollard"), ("motorcycle", "yes")])
        .tag('e', &[("amenity", "cafe"), ("name", "Ness")])
        .restriction(1, 'b', 3, "no_right_turn");
    let mut packed = Vec::new();
    write::write_pbf(&sketch.map, &mut packed).unwrap();
    let mut plain = Vec::new();
    let mut rest = packed.as_slice();
    while !rest.is_empty() {
        let header_end = 4 + u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let header = <wire::BlobHeader as prost::Message>::decode(&rest[4..header_end]).unwrap();
        let end = header_end + usize::try_from(header.data_size).unwrap();
        let blob = <wire::Blob as prost::Message>::decode(&rest[header_end..end]).unwrap();
        let mut raw = Vec::new();
        std::io::Read::read_to_end(
            &mut flate2::read::ZlibDecoder::new(blob.zlib.unwrap().as_slice()),
            &mut raw,
        )
        .unwrap();
        let blob = prost::Message::encode_to_vec(&wire::Blob {
            raw: Some(raw),
            raw_size: None,
            zlib: None,
        });
        let data_size = i32::try_from(blob.len()).unwrap();
        let header = prost::Message::encode_to_vec(&wire::BlobHeader {
            kind: header.kind,
            data_size,
        });
        plain.extend(u32::try_from(header.len()).unwrap().to_be_bytes());
        plain.extend(header);
        plain.extend(blob);
        rest = &rest[end..];
    }
    plain
}

#[test]
fn a_relation_with_a_member_of_unknown_kind_is_counted_and_not_a_panic() {
    let mut sketch = Sketch::new("a b")
        .way(1, "ab", STREET)
        .restriction(1, 'b', 1, "no_u_turn");
    sketch.map.relations[0].members[0].1 = 99;
    assert_eq!(sketch.read().dropped("restriction", "members missing"), 1);
}

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
    fn damaged_blocks_never_panic(damage in prop::collection::vec((0..10_000_usize, any::<u8>()), 1..6)) {
        let mut bytes = plain_bytes();
        for (at, value) in damage {
            let length = bytes.len();
            bytes[at % length] = value;
        }
        if let Err(error) = read_bytes(&bytes) {
            prop_assert!(error.to_string().contains("drawn.osm.pbf"), "{}", error);
        }
    }

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
        for edge in network.edges() {
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
