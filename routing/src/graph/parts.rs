//! The flat arrays of a network and the check that they fit together.

use std::fmt;

use super::names::Names;
use super::profile::{Profile, ProfileSet};
use super::road_class::RoadClass;
use super::turns::DrivingSide;
use crate::ids::EdgeId;
use crate::units::{LatLng, TravelTime};

/// The arrays of a [`super::RoadNetwork`], not yet checked.
///
/// ```text
/// node ──first_out──▶ edge ──lane──▶ road ──first_point──▶ points
///                      │ head, times  │ length, class, way
/// ```
#[derive(Clone, Debug, Default)]
pub(crate) struct NetworkParts {
    pub(crate) nodes: Vec<LatLng>,
    /// One entry a node and one more: where its outgoing edges start.
    pub(crate) first_out: Vec<u32>,
    pub(crate) head: Vec<u32>,
    /// `road * 2`, plus 1 if the edge runs against the road's geometry.
    pub(crate) lane: Vec<u32>,
    /// One entry an edge in each profile; [`TravelTime::MAX`] forbids the edge.
    pub(crate) free_flow: [Vec<TravelTime>; Profile::COUNT],
    /// One entry a road and one more: where its points between the two ends start.
    pub(crate) first_point: Vec<u32>,
    pub(crate) points: Vec<LatLng>,
    /// In millimetres, along the geometry.
    pub(crate) road_length: Vec<u32>,
    pub(crate) road_class: Vec<RoadClass>,
    pub(crate) road_way: Vec<i64>,
    /// Entries of `names`, one a road.
    pub(crate) road_name: Vec<u32>,
    pub(crate) road_reference: Vec<u32>,
    pub(crate) is_roundabout: Vec<bool>,
    pub(crate) names: Names,
    /// One entry an edge: the profiles that may use it only where a trip starts or ends.
    pub(crate) destination_only: Vec<ProfileSet>,
    /// One entry a node.
    pub(crate) has_signals: Vec<bool>,
    /// One entry a forbidden path and one more: where its edges start.
    pub(crate) first_forbidden: Vec<u32>,
    pub(crate) forbidden_edges: Vec<EdgeId>,
    pub(crate) forbidden_profiles: Vec<ProfileSet>,
    pub(crate) driving_side: DrivingSide,
}

/// An array of the network, as errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the arrays")]
pub enum Part {
    Nodes,
    FirstOut,
    Head,
    Lane,
    FreeFlow(Profile),
    FirstPoint,
    Points,
    RoadLength,
    RoadClass,
    RoadWay,
    RoadName,
    RoadReference,
    Roundabout,
    DestinationOnly,
    Signals,
    FirstForbidden,
    ForbiddenEdges,
    ForbiddenProfiles,
}

impl fmt::Display for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nodes => out.write_str("nodes"),
            Self::FirstOut => out.write_str("first outgoing edges"),
            Self::Head => out.write_str("heads"),
            Self::Lane => out.write_str("lanes"),
            Self::FreeFlow(profile) => write!(out, "{profile} times"),
            Self::FirstPoint => out.write_str("first points"),
            Self::Points => out.write_str("points"),
            Self::RoadLength => out.write_str("road lengths"),
            Self::RoadClass => out.write_str("road classes"),
            Self::RoadWay => out.write_str("road ways"),
            Self::RoadName => out.write_str("road names"),
            Self::RoadReference => out.write_str("road references"),
            Self::Roundabout => out.write_str("roundabouts"),
            Self::DestinationOnly => out.write_str("destination-only edges"),
            Self::Signals => out.write_str("signals"),
            Self::FirstForbidden => out.write_str("first forbidden edges"),
            Self::ForbiddenEdges => out.write_str("forbidden edges"),
            Self::ForbiddenProfiles => out.write_str("profiles of forbidden paths"),
        }
    }
}

/// Why arrays are no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what the fields are")]
pub enum NetworkError {
    /// An array is longer or shorter than those it belongs to.
    #[error("{part} has {found} entries instead of {wanted}")]
    Count {
        part: Part,
        found: usize,
        wanted: usize,
    },
    /// More entries than 31 bits can number.
    #[error("{part} has {found} entries, more than {max}")]
    TooMany {
        part: Part,
        found: usize,
        max: usize,
    },
    /// An entry refers to something that is not there.
    #[error("{part}, entry {index}: {value} is not below {limit}")]
    OutOfRange {
        part: Part,
        index: usize,
        value: u32,
        limit: usize,
    },
    /// Offsets that run backwards, do not start at 0 or do not end at the end.
    #[error("{part}, entry {index}: {value} where {wanted} was due")]
    Offsets {
        part: Part,
        index: usize,
        value: u32,
        wanted: String,
    },
    /// Two edges run in the same direction of one road, or between other nodes than its twin.
    #[error(
        "{part}, entry {index}: road {road} is claimed by edge {other} too, which does not fit"
    )]
    Lane {
        part: Part,
        index: usize,
        road: u32,
        other: u32,
    },
    /// A road that no edge uses.
    #[error("{part}, entry {index}: no edge uses this road")]
    UnusedRoad { part: Part, index: usize },
    /// A forbidden path of a single edge, or of edges that do not follow on each other.
    #[error(
        "{part}, entry {index}: a forbidden path needs at least two edges that follow on each other"
    )]
    Path { part: Part, index: usize },
}

impl NetworkError {
    /// The array and the entry that the error is about.
    #[must_use]
    pub const fn place(&self) -> (Part, usize) {
        match *self {
            Self::Count { part, .. } | Self::TooMany { part, .. } => (part, 0),
            Self::OutOfRange { part, index, .. }
            | Self::Offsets { part, index, .. }
            | Self::Lane { part, index, .. }
            | Self::UnusedRoad { part, index }
            | Self::Path { part, index } => (part, index),
        }
    }
}

/// Nodes, edges, roads and points each stay below 2^30, so that `lane` and sums of counts fit 32 bits.
pub(crate) const ENTRIES_MAX: usize = 1 << 30;

/// A travel time above six days on one edge is refused: with it a trip that is still counted stays below 2^31.
pub(crate) const EDGE_TIME_MAX: TravelTime = TravelTime::from_millis(1 << 29);

impl NetworkParts {
    /// Checks everything that later code relies on without looking.
    pub(crate) fn check(&self) -> Result<(), NetworkError> {
        self.check_counts()?;
        check_offsets(Part::FirstOut, &self.first_out, self.head.len())?;
        check_offsets(Part::FirstPoint, &self.first_point, self.points.len())?;
        check_below(Part::Head, &self.head, self.nodes.len())?;
        check_below(Part::Lane, &self.lane, 2 * self.road_length.len())?;
        check_below(Part::RoadName, &self.road_name, self.names.len())?;
        check_below(Part::RoadReference, &self.road_reference, self.names.len())?;
        self.check_forbidden_paths()?;
        for profile in Profile::ALL {
            for (index, &time) in self.free_flow[profile.index()].iter().enumerate() {
                if time > EDGE_TIME_MAX && time != TravelTime::MAX {
                    return Err(NetworkError::OutOfRange {
                        part: Part::FreeFlow(profile),
                        index,
                        value: time.as_millis(),
                        limit: EDGE_TIME_MAX.as_millis() as usize + 1,
                    });
                }
            }
        }
        Ok(())
    }

    fn check_forbidden_paths(&self) -> Result<(), NetworkError> {
        check_offsets(
            Part::FirstForbidden,
            &self.first_forbidden,
            self.forbidden_edges.len(),
        )?;
        let edges = self.head.len();
        if let Some(index) = self
            .forbidden_edges
            .iter()
            .position(|edge| edge.index() >= edges)
        {
            return Err(NetworkError::OutOfRange {
                part: Part::ForbiddenEdges,
                index,
                value: self.forbidden_edges[index].0,
                limit: edges,
            });
        }
        for (index, range) in self.first_forbidden.windows(2).enumerate() {
            let path = &self.forbidden_edges[range[0] as usize..range[1] as usize];
            let follows = |pair: &[EdgeId]| {
                let node = self.head[pair[0].index()] as usize;
                (self.first_out[node]..self.first_out[node + 1]).contains(&pair[1].0)
            };
            if path.len() < 2 || !path.windows(2).all(follows) {
                return Err(NetworkError::Path {
                    part: Part::FirstForbidden,
                    index,
                });
            }
        }
        Ok(())
    }

    fn check_counts(&self) -> Result<(), NetworkError> {
        let (nodes, edges, roads) = (self.nodes.len(), self.head.len(), self.road_length.len());
        for (part, found) in [
            (Part::Nodes, nodes),
            (Part::Head, edges),
            (Part::RoadLength, roads),
            (Part::Points, self.points.len()),
        ] {
            if found >= ENTRIES_MAX {
                return Err(NetworkError::TooMany {
                    part,
                    found,
                    max: ENTRIES_MAX - 1,
                });
            }
        }
        let mut counts = vec![
            (Part::FirstOut, self.first_out.len(), nodes + 1),
            (Part::Lane, self.lane.len(), edges),
            (Part::FirstPoint, self.first_point.len(), roads + 1),
            (Part::RoadClass, self.road_class.len(), roads),
            (Part::RoadWay, self.road_way.len(), roads),
            (Part::RoadName, self.road_name.len(), roads),
            (Part::RoadReference, self.road_reference.len(), roads),
            (Part::Roundabout, self.is_roundabout.len(), roads),
            (Part::DestinationOnly, self.destination_only.len(), edges),
            (Part::Signals, self.has_signals.len(), nodes),
            (
                Part::FirstForbidden,
                self.first_forbidden.len(),
                self.forbidden_profiles.len() + 1,
            ),
        ];
        for profile in Profile::ALL {
            counts.push((
                Part::FreeFlow(profile),
                self.free_flow[profile.index()].len(),
                edges,
            ));
        }
        match counts
            .into_iter()
            .find(|&(_, found, wanted)| found != wanted)
        {
            Some((part, found, wanted)) => Err(NetworkError::Count {
                part,
                found,
                wanted,
            }),
            None => Ok(()),
        }
    }
}

fn check_offsets(part: Part, offsets: &[u32], end: usize) -> Result<(), NetworkError> {
    let wrong = |index, wanted: String| NetworkError::Offsets {
        part,
        index,
        value: offsets[index],
        wanted,
    };
    if offsets[0] != 0 {
        return Err(wrong(0, "0".to_owned()));
    }
    if let Some(index) = (1..offsets.len()).find(|&index| offsets[index] < offsets[index - 1]) {
        return Err(wrong(index, format!("at least {}", offsets[index - 1])));
    }
    if offsets[offsets.len() - 1] as usize != end {
        return Err(wrong(offsets.len() - 1, end.to_string()));
    }
    Ok(())
}

fn check_below(part: Part, values: &[u32], limit: usize) -> Result<(), NetworkError> {
    match values.iter().position(|&value| value as usize >= limit) {
        Some(index) => Err(NetworkError::OutOfRange {
            part,
            index,
            value: values[index],
            limit,
        }),
        None => Ok(()),
    }
}
