//! Paths, travel times and matrices on a road network, without files, clocks or threads of its own.

pub mod archive;
pub mod cch;
pub mod dijkstra;
pub mod graph;
pub mod ids;
mod matrix;
pub mod ordering;
pub mod places;
mod route;
pub mod router;
pub mod snapping;
pub mod units;

pub use archive::{ArchiveError, RoadArchive};
pub use graph::{
    BuildError, Direction, DraftEdge, NetworkError, Profile, RestrictionKind, Road, RoadClass,
    RoadNetwork, RoadNetworkBuilder, TurnRestriction,
};
pub use ids::{EdgeId, NodeId, RoadId};
pub use matrix::Matrix;
pub use ordering::NodeOrder;
pub use places::{Place, PlaceKind};
pub use route::Route;
pub use router::{Router, Workspace};
pub use snapping::{Snap, SnapError};
pub use units::{CoordinateError, Distance, LatLng, TravelTime};
