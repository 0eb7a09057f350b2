//! A town of six by six junctions, 200 m apart, with a name on every street, a roundabout and a one-way street.

use std::sync::Arc;

use doorstep_route_server::{Atlas, Engines, Limits};
use doorstep_routing::ordering::nested_dissection;
use doorstep_routing::{
    Direction, LatLng, NodeId, Profile, Road, RoadArchive, RoadClass, RoadNetworkBuilder, Router,
    TravelTime,
};

pub(crate) const SIDE: u32 = 6;
/// Steps of 1e-7 degrees between two junctions, about 200 m.
const BLOCK: i32 = 18_000;

/// A point so many blocks north and east of the south-west corner.
pub(crate) fn at(north: f64, east: f64) -> LatLng {
    let e7 = |blocks: f64| blocks * f64::from(BLOCK) / 1e7;
    LatLng::from_degrees(e7(north), e7(east)).unwrap()
}

/// As an address has it.
pub(crate) fn written(at: LatLng) -> String {
    format!("{:.6},{:.6}", at.lng(), at.lat())
}

fn archive() -> RoadArchive {
    let mut builder = RoadNetworkBuilder::new();
    for node in 0..SIDE * SIDE {
        builder.add_node(at(f64::from(node / SIDE), f64::from(node % SIDE)));
    }
    for node in 0..SIDE * SIDE {
        let (row, column) = (node / SIDE, node % SIDE);
        let around = |a: u32, b: u32| (2..=3).contains(&a) && (2..=3).contains(&b);
        let mut add = |end: u32, name: &str, millis: u32, is_round: bool, is_one_way: bool| {
            let both = Direction::all(TravelTime::from_millis(millis));
            let road = Road {
                start: NodeId(node),
                end: NodeId(end),
                inner_points: &[],
                class: RoadClass::Residential,
                way: i64::from(node),
                name,
                reference: if row == 0 { "N 1" } else { "" },
                roundabout: is_round,
                forward: both,
                backward: if is_one_way { Direction::CLOSED } else { both },
            };
            builder.add_road(&road).unwrap();
        };
        // The four middle junctions are one roundabout: its sides are one-way, counter-clockwise.
        if column + 1 < SIDE && !(around(row, column) && around(row, column + 1)) {
            let name = format!("{row}. Row");
            add(node + 1, &name, 20_000 + 100 * row, false, row == 5);
        }
        if row + 1 < SIDE && !(around(row, column) && around(row + 1, column)) {
            let name = format!("{column}. Column");
            add(node + SIDE, &name, 21_000 + 100 * column, false, false);
        }
        if around(row, column) {
            let next = match (row, column) {
                (2, 2) => node + 1,
                (2, _) => node + SIDE,
                (_, 3) => node - 1,
                _ => node - SIDE,
            };
            add(next, "", 9_000, true, true);
        }
    }
    let network = builder.build().unwrap();
    RoadArchive {
        edge_orders: nested_dissection(&network),
        network: Arc::new(network),
        places: Vec::new(),
        attribution: "drawn for a test".to_owned(),
    }
}

/// The town behind a server of two profiles.
pub(crate) fn atlas(limits: Limits) -> Arc<Atlas> {
    let archive = archive();
    let routers = [Profile::Car, Profile::Foot].map(|profile| Router::new(&archive, profile));
    Arc::new(Atlas::new(Engines::new(routers.to_vec()), limits))
}
