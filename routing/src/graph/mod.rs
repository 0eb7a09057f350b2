//! The road network: nodes, directed edges, roads with geometry, and the vehicles that may use them.

mod builder;
mod geometry;
mod names;
mod network;
mod parts;
mod profile;
mod road_class;
mod turns;

pub use builder::{BuildError, Direction, DraftEdge, Road, RoadNetworkBuilder};
pub(crate) use names::Names;
pub use network::RoadNetwork;
pub(crate) use parts::{EDGE_TIME_MAX, NetworkParts};
pub use parts::{NetworkError, Part};
pub use profile::{Profile, ProfileSet};
pub use road_class::RoadClass;
pub use turns::{DrivingSide, ForbiddenPath};
