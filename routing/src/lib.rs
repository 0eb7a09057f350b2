//! Paths, travel times and matrices on a road network, without files, clocks or threads of its own.

pub mod archive;
pub mod bearing;
pub mod cch;
pub mod dijkstra;
pub mod features;
pub mod graph;
pub mod ids;
pub mod isochrone;
mod matrix;
mod metric;
pub mod ordering;
pub mod places;
mod random;
mod route;
pub mod router;
pub mod simplification;
pub mod snapping;
pub mod steps;
pub mod turn_graph;
pub mod units;

pub use archive::{ArchiveError, RoadArchive};
pub use features::{
    AreaKind, FeatureArea, MapFeatures, PlaceName, PlaceRank, Waterway, WaterwayKind,
};
pub use graph::{
    BuildError, Direction, DraftEdge, DrivingSide, ForbiddenPath, NetworkError, Profile,
    ProfileSet, Road, RoadClass, RoadNetwork, RoadNetworkBuilder,
};
pub use ids::{EdgeId, NodeId, RoadId};
pub use matrix::Matrix;
pub use metric::Metric;
pub use ordering::{EdgeOrder, EdgeOrders};
pub use places::{Door, LocalName, Place, PlaceKind};
pub use random::SplitMix64;
pub use route::Route;
pub use router::{Router, Workspace};
pub use snapping::{Snap, SnapError};
pub use turn_graph::TurnGraph;
pub use units::{CoordinateError, Distance, LatLng, TravelTime};
