//! Gives each place its door: the point on a road where a driver stops for it.

use doorstep_routing::snapping::Snapper;
use doorstep_routing::{Distance, Door, Place, Profile, RoadNetwork, TurnGraph};
use rayon::prelude::*;

use crate::tally::{ObjectId, Reason, Tally};

/// Places farther than this from any road get no door: no delivery is possible there.
const WALK_MAX: Distance = Distance::from_metres(250);

/// Snaps places to the roads that a scooter can get to and away from; those that it cannot reach are kept and counted.
pub(crate) fn find_doors(
    network: &RoadNetwork,
    places: &mut [(ObjectId, Place)],
    tally: &mut Tally,
) {
    if places.is_empty() {
        return;
    }
    let snapper = Snapper::new(network, &TurnGraph::of(network, Profile::Scooter));
    places.par_iter_mut().for_each(|(_, place)| {
        let snap = snapper.snap(network, place.at, WALK_MAX);
        place.door = snap.ok().map(|snap| Door {
            edge: snap.edge(),
            at: snap.at(),
        });
    });
    for (object, _) in places.iter().filter(|(_, place)| place.door.is_none()) {
        tally.note(Reason::PlaceUnreachable, *object);
    }
}
