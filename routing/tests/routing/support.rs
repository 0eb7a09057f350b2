//! Random networks: junctions on a plane with one-ways, closed, parallel and looping roads.

use std::sync::Arc;

use doorstep_routing::{
    Direction, Door, DraftEdge, LatLng, LocalName, NodeId, Place, PlaceKind, Profile, ProfileSet,
    Road, RoadArchive, RoadClass, RoadNetwork, RoadNetworkBuilder, TravelTime,
    ordering::nested_dissection,
};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

/// A generator whose sequence depends on nothing but the seed.
pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A point in a box of about 10 by 10 km around Porto.
pub(crate) fn random_point(rng: &mut ChaCha8Rng) -> LatLng {
    LatLng::from_e7(
        rng.random_range(411_000_000..412_000_000),
        rng.random_range(-87_000_000..-86_000_000),
    )
}

/// A grid with holes, detours, one-ways, dead ends, parallel roads, loops and nodes in one place; times are
/// small so that ties happen.
pub(crate) fn random_network(seed: u64, side: u32) -> RoadNetwork {
    let mut rng = rng(seed);
    let mut builder = RoadNetworkBuilder::new();
    let step = 1_000_000 / side;
    let mut last = LatLng::from_e7(411_000_000, -87_000_000);
    for row in 0..side {
        for column in 0..side {
            let mut jitter = || rng.random_range(0..step / 2).cast_signed();
            let lat = 411_000_000 + (row * step).cast_signed() + jitter();
            let lng = -87_000_000 + (column * step).cast_signed() + jitter();
            let at = LatLng::from_e7(lat, lng);
            let again = rng.random_bool(0.05);
            last = if again { last } else { at };
            builder.add_node(last);
        }
    }
    let mut added = Vec::new();
    for node in 0..side * side {
        let right = (node % side + 1 < side).then_some(node + 1);
        let below = (node + side < side * side).then_some(node + side);
        let parallel = if rng.random_bool(0.1) { right } else { None };
        let looping = rng.random_bool(0.03).then_some(node);
        for end in [right, below, parallel, looping].into_iter().flatten() {
            if rng.random_bool(0.85) {
                added.extend(add_random_road(
                    &mut builder,
                    &mut rng,
                    NodeId(node),
                    NodeId(end),
                ));
            }
        }
    }
    for length in (0..side).map(|index| 2 + index as usize % 3) {
        if let Some(walk) = random_walk(&mut rng, &added, length) {
            let profiles = ProfileSet::from_bits(rng.random_range(0..16)).expect("four bits");
            builder
                .add_forbidden_path(&walk, profiles)
                .expect("edges that follow on each other");
        }
    }
    for node in (0..side * side).filter(|node| node % 7 == 0) {
        builder.set_signals(NodeId(node));
    }
    builder
        .build()
        .expect("a network of roads between known nodes")
}

/// An edge of a network that is being built, with its ends.
#[derive(Clone, Copy)]
struct Added {
    edge: DraftEdge,
    tail: NodeId,
    head: NodeId,
}

fn add_random_road(
    builder: &mut RoadNetworkBuilder,
    rng: &mut ChaCha8Rng,
    start: NodeId,
    end: NodeId,
) -> Vec<Added> {
    let inner: Vec<LatLng> = (0..rng.random_range(0..3_u32))
        .map(|_| random_point(rng))
        .collect();
    let destination_only = if rng.random_bool(0.06) {
        ProfileSet::ALL
    } else {
        ProfileSet::EMPTY
    };
    let mut direction = |open: f64| Direction {
        times: std::array::from_fn(|_| {
            rng.random_bool(open)
                .then(|| TravelTime::from_millis(rng.random_range(0..50)))
        }),
        destination_only,
    };
    let (forward, backward) = (direction(0.8), direction(0.7));
    if forward.is_closed() && backward.is_closed() {
        return Vec::new();
    }
    let way = i64::from(start.0) * 1000 + i64::from(end.0);
    let road = Road {
        start,
        end,
        inner_points: &inner,
        class: RoadClass::Residential,
        way,
        name: "",
        reference: "",
        roundabout: false,
        forward,
        backward,
    };
    let ends = [(start, end), (end, start)];
    let edges = builder.add_road(&road).expect("known nodes");
    let added = |(edge, (tail, head)): (Option<DraftEdge>, _)| {
        Some(Added {
            edge: edge?,
            tail,
            head,
        })
    };
    edges.into_iter().zip(ends).filter_map(added).collect()
}

/// Edges that follow on each other.
fn random_walk(rng: &mut ChaCha8Rng, edges: &[Added], length: usize) -> Option<Vec<DraftEdge>> {
    let mut last = *edges.get(rng.random_range(0..edges.len().max(1)))?;
    let mut walk = vec![last.edge];
    while walk.len() < length {
        let next: Vec<Added> = edges
            .iter()
            .filter(|next| next.tail == last.head)
            .copied()
            .collect();
        last = *next.get(rng.random_range(0..next.len().max(1)))?;
        walk.push(last.edge);
    }
    Some(walk)
}

/// An archive around a network, with a few places.
pub(crate) fn archive_of(network: RoadNetwork) -> RoadArchive {
    let edge_orders = nested_dissection(&network);
    let places = [
        (PlaceKind::Cafe, "Café Ñandú"),
        (PlaceKind::Address, ""),
        (PlaceKind::Restaurant, "寿司"),
    ]
    .map(|(kind, name)| Place {
        address: "Rua Nova 7".to_owned(),
        cuisine: "pizza;sushi".to_owned(),
        opening_hours: "Mo-Su 12:00-22:00".to_owned(),
        local_names: [("en", "Rhea"), ("ja", "寿司")]
            .map(|(language, name)| LocalName {
                language: language.to_owned(),
                name: name.to_owned(),
            })
            .to_vec(),
        door: network.edges().next().map(|edge| Door {
            edge,
            at: network.node_at(NodeId(0)),
        }),
        ..Place::new(kind, name.to_owned(), network.node_at(NodeId(0)), -7)
    });
    let attribution = "© OpenStreetMap contributors".to_owned();
    RoadArchive {
        network: Arc::new(network),
        places: places.to_vec(),
        edge_orders,
        attribution,
    }
}

/// All profiles take turns with the seed.
pub(crate) fn profile_of(seed: u64) -> Profile {
    Profile::ALL[usize::try_from(seed % 4).expect("one of four")]
}
