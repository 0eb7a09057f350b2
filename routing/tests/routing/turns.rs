//! Signs, small enough to see: what may follow on what.

use doorstep_routing::{
    Direction, DraftEdge, EdgeId, LatLng, NodeId, Profile, ProfileSet, Road, RoadClass,
    RoadNetwork, RoadNetworkBuilder, Router, TravelTime, TurnGraph,
};

use crate::support::archive_of;

/// Streets between nodes that are letters, each taking ten seconds.
struct Town {
    builder: RoadNetworkBuilder,
    edges: Vec<(String, DraftEdge)>,
}

impl Town {
    /// Letters by row and column, about 100 m apart.
    fn new(drawing: &[&str]) -> (Self, String) {
        let mut builder = RoadNetworkBuilder::new();
        let mut letters = String::new();
        for (row, line) in (0_i32..).zip(drawing) {
            for (column, letter) in (0_i32..)
                .zip(line.chars())
                .filter(|(_, letter)| *letter != ' ')
            {
                builder.add_node(LatLng::from_e7(
                    410_000_000 - 9000 * row,
                    -86_000_000 + 12_000 * column,
                ));
                letters.push(letter);
            }
        }
        (
            Self {
                builder,
                edges: Vec::new(),
            },
            letters,
        )
    }

    fn street(&mut self, letters: &str, ends: &str, direction: Direction) {
        let node = |index: usize| {
            let letter = ends.chars().nth(index).expect("two ends");
            NodeId::from_index(letters.find(letter).expect("a node"))
        };
        let road = Road {
            start: node(0),
            end: node(1),
            inner_points: &[],
            class: RoadClass::Residential,
            way: 1,
            name: "",
            reference: "",
            roundabout: false,
            forward: direction,
            backward: direction,
        };
        let back: String = ends.chars().rev().collect();
        let added = self.builder.add_road(&road).expect("a road between nodes");
        for (name, edge) in [ends.to_owned(), back].into_iter().zip(added) {
            self.edges.push((name, edge.expect("open both ways")));
        }
    }

    fn edge(&self, name: &str) -> DraftEdge {
        self.edges
            .iter()
            .find(|(other, _)| other == name)
            .expect("a street")
            .1
    }

    fn forbid(&mut self, names: &[&str]) {
        let edges: Vec<DraftEdge> = names.iter().map(|name| self.edge(name)).collect();
        self.builder
            .add_forbidden_path(&edges, ProfileSet::ALL)
            .expect("streets that follow");
    }
}

const OPEN: Direction = Direction {
    times: [Some(TravelTime::from_millis(10_000)); Profile::COUNT],
    destination_only: ProfileSet::EMPTY,
};
const ONLY: Direction = Direction {
    destination_only: ProfileSet::ALL,
    ..OPEN
};

/// The letters that a fastest way passes between the middles of two streets.
fn way(network: RoadNetwork, letters: &str, from: &str, to: &str) -> Option<String> {
    let router = Router::new(&archive_of(network), Profile::Foot);
    let network = router.network();
    let letter = |node: NodeId| letters.chars().nth(node.index()).expect("a letter");
    let name = |edge: EdgeId| [network.tail(edge), network.head(edge)].map(letter);
    let middle = |ends: &str| {
        let edge = network
            .edges()
            .find(|&edge| name(edge).iter().collect::<String>() == ends)
            .expect("a street");
        let [tail, head] =
            [network.tail(edge), network.head(edge)].map(|node| network.node_at(node));
        let at = LatLng::from_e7(
            i32::midpoint(tail.lat_e7(), head.lat_e7()),
            i32::midpoint(tail.lng_e7(), head.lng_e7()),
        );
        router.snap(at).expect("on a street")
    };
    let edges = router.path(&mut router.workspace(), &middle(from), &middle(to))?;
    let first = name(edges[0])[0];
    Some(
        std::iter::once(first)
            .chain(edges.iter().map(|&edge| name(edge)[1]))
            .collect(),
    )
}

/// ```text
/// a ─ b ─ c ─ d
///     │   │
///     e ─ f ─ g
/// ```
fn two_squares(kinds: &[(&str, Direction)], forbidden: &[&[&str]]) -> (RoadNetwork, String) {
    let (mut town, letters) = Town::new(&["abcd", " efg"]);
    for (ends, direction) in kinds {
        town.street(&letters, ends, *direction);
    }
    forbidden.iter().for_each(|path| town.forbid(path));
    (town.builder.build().expect("a town"), letters)
}

const ALL_OPEN: [(&str, Direction); 7] = [
    ("ab", OPEN),
    ("bc", OPEN),
    ("cd", OPEN),
    ("be", OPEN),
    ("cf", OPEN),
    ("ef", OPEN),
    ("fg", OPEN),
];

#[test]
fn a_forbidden_turn_is_driven_around() {
    let (network, letters) = two_squares(&ALL_OPEN, &[]);
    assert_eq!(way(network, &letters, "ab", "cd").as_deref(), Some("abcd"));
    let (network, letters) = two_squares(&ALL_OPEN, &[&["bc", "cd"]]);
    assert_eq!(
        way(network, &letters, "ab", "cd").as_deref(),
        Some("abefcd")
    );
}

#[test]
fn a_forbidden_path_forbids_the_whole_and_not_its_parts() {
    let path: &[&str] = &["ab", "bc", "cd"];
    let (network, letters) = two_squares(&ALL_OPEN, &[path]);
    assert_eq!(
        way(network, &letters, "ab", "cd").as_deref(),
        Some("abefcd")
    );
    let (network, letters) = two_squares(&ALL_OPEN, &[path]);
    assert_eq!(way(network, &letters, "bc", "cd").as_deref(), Some("bcd"));
    let (network, letters) = two_squares(&ALL_OPEN, &[path]);
    assert_eq!(way(network, &letters, "be", "cd").as_deref(), Some("ebcd"));
    // It may be entered, as long as it is left before its end.
    let (network, letters) = two_squares(&ALL_OPEN, &[path, &["ab", "be"]]);
    assert_eq!(way(network, &letters, "ab", "fg").as_deref(), Some("abcfg"));
}

#[test]
fn a_path_that_ends_another_one_is_noticed_too() {
    // Driving a-b-c-f-g follows the longer path until c-f, where the shorter one, begun at b-c, forbids f-g.
    let (network, letters) =
        two_squares(&ALL_OPEN, &[&["ab", "bc", "cf", "fe"], &["bc", "cf", "fg"]]);
    assert_eq!(way(network, &letters, "ab", "fg").as_deref(), Some("abefg"));
}

#[test]
fn a_destination_only_road_starts_and_ends_trips_and_carries_none() {
    let kinds = ALL_OPEN.map(|(ends, open)| (ends, if ends == "bc" { ONLY } else { open }));
    let (network, letters) = two_squares(&kinds, &[]);
    assert_eq!(
        way(network, &letters, "ab", "cd").as_deref(),
        Some("abefcd")
    );
    let (network, letters) = two_squares(&kinds, &[]);
    assert_eq!(way(network, &letters, "ab", "bc").as_deref(), Some("abc"));
    let (network, letters) = two_squares(&kinds, &[]);
    assert_eq!(way(network, &letters, "bc", "cd").as_deref(), Some("bcd"));
}

#[test]
fn turning_round_is_for_dead_ends() {
    let (network, letters) = two_squares(&ALL_OPEN, &[]);
    let turns = TurnGraph::of(&network, Profile::Car);
    let back = network.edges().filter_map(|edge| {
        let twin = network.twin(edge)?;
        turns.turn_cost(edge, twin)?;
        letters.chars().nth(network.head(edge).index())
    });
    let mut ends: Vec<char> = back.collect();
    ends.sort_unstable();
    assert_eq!(ends, ['a', 'd', 'g']);
}
