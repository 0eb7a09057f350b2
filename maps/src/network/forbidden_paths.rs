//! Puts turn restrictions on edges: each becomes paths of edges that must not be driven one right after the other.
//!
//! ```text
//!  no_left_turn, via node v        only_straight_on, via node v      no_u_turn, via way w
//!   from ══▶ v ══▶ to               from ══▶ v ──▶ any but to         from ══▶ w ══▶ … ══▶ to
//! ```
//! An `only_…` over ways applies after the last of them: entering the ways in the first place must stay possible.

use doorstep_routing::{BuildError, DraftEdge, Profile, ProfileSet, RoadNetworkBuilder};

use crate::osm::restrictions::{RestrictionKind, StatedRestriction, Via};
use crate::tally::Reason;

/// A path over the ways of a restriction has at most so many edges: a longer one is a mistake in the map.
const EDGES_MAX: usize = 64;

/// The end of a road at a point that a restriction may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Approach {
    /// The way at this end of the road.
    pub(super) way: i64,
    pub(super) point: u32,
    /// The point at the other end.
    pub(super) other: u32,
    /// Number of the road.
    pub(super) road: u32,
    /// Who may use the road in some direction.
    pub(super) open: ProfileSet,
    pub(super) inbound: Option<DraftEdge>,
    pub(super) outbound: Option<DraftEdge>,
}

/// All approaches, found by way and by point.
pub(super) struct Approaches {
    by_way: Vec<Approach>,
    by_point: Vec<Approach>,
}

/// A path of edges and the roads that they belong to.
#[derive(Clone, Debug, Default)]
struct Path {
    edges: Vec<DraftEdge>,
    roads: Vec<u32>,
    /// The profiles that may use all of it, by the access tags of its roads.
    open: Option<ProfileSet>,
    end: u32,
}

impl Path {
    fn with(&self, edge: DraftEdge, approach: &Approach, end: u32) -> Self {
        let mut longer = self.clone();
        longer.edges.push(edge);
        longer.roads.push(approach.road);
        longer.open = Some(common(
            longer.open.unwrap_or(ProfileSet::ALL),
            approach.open,
        ));
        longer.end = end;
        longer
    }
}

fn common(a: ProfileSet, b: ProfileSet) -> ProfileSet {
    Profile::ALL
        .into_iter()
        .filter(|profile| a.contains(*profile) && b.contains(*profile))
        .collect()
}

impl Approaches {
    pub(super) fn new(mut approaches: Vec<Approach>) -> Self {
        approaches.sort_unstable();
        let by_way = approaches.clone();
        approaches.sort_unstable_by_key(|approach| (approach.point, *approach));
        Self {
            by_way,
            by_point: approaches,
        }
    }

    /// Forbids what a restriction forbids; `via` is its point, if it leads over one. The inner error is why it cannot be
    /// applied.
    pub(super) fn forbid(
        &self,
        stated: &StatedRestriction,
        via: Option<u32>,
        builder: &mut RoadNetworkBuilder,
    ) -> Result<Result<(), Reason>, BuildError> {
        let paths = match &stated.via {
            Via::Node(_) => via
                .ok_or(Reason::RestrictionNoRoads)
                .and_then(|via| self.over_point(stated, via)),
            Via::Ways(ways) => self.over_ways(stated, ways),
        };
        let paths = match paths {
            Ok(paths) => paths,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut is_for_somebody = false;
        for path in paths {
            let profiles = common(stated.profiles, path.open.unwrap_or(ProfileSet::ALL));
            if profiles.is_empty() {
                continue;
            }
            is_for_somebody = true;
            match stated.kind {
                RestrictionKind::No => builder.add_forbidden_path(&path.edges, profiles)?,
                RestrictionKind::Only => self.forbid_others(&path, stated.profiles, builder)?,
            }
        }
        Ok(if is_for_somebody {
            Ok(())
        } else {
            Err(Reason::RestrictionNobody)
        })
    }

    /// Forbids to leave a path for anything but its last edge.
    fn forbid_others(
        &self,
        path: &Path,
        profiles: ProfileSet,
        builder: &mut RoadNetworkBuilder,
    ) -> Result<(), BuildError> {
        let [.., to] = path.edges.as_slice() else {
            return Ok(());
        };
        let last_node = path.end;
        for approach in self.at_point(last_node) {
            let profiles = common(profiles, approach.open);
            if let Some(other) = approach
                .outbound
                .filter(|other| other != to && !profiles.is_empty())
            {
                let mut edges = path.edges.clone();
                edges.pop();
                edges.push(other);
                builder.add_forbidden_path(&edges, profiles)?;
            }
        }
        Ok(())
    }

    /// The turns at a point, one for each pair of ways that meets there.
    fn over_point(&self, stated: &StatedRestriction, via: u32) -> Result<Vec<Path>, Reason> {
        let mut paths = Vec::new();
        for from in &stated.from {
            for to in &stated.to {
                let inbound = self
                    .of_way_at(*from, via)
                    .filter(|approach| approach.inbound.is_some());
                let outbound = self
                    .of_way_at(*to, via)
                    .filter(|approach| approach.outbound.is_some());
                if let (Some(from), Some(to)) = (only(inbound)?, only(outbound)?)
                    && let (Some(inbound), Some(outbound)) = (from.inbound, to.outbound)
                {
                    let path = Path::default().with(inbound, from, via);
                    paths.push(path.with(outbound, to, via));
                }
            }
        }
        if paths.is_empty() {
            Err(Reason::RestrictionNoRoads)
        } else {
            Ok(paths)
        }
    }

    /// The one path from the first way of a restriction over all ways between to the last.
    fn over_ways(&self, stated: &StatedRestriction, ways: &[i64]) -> Result<Vec<Path>, Reason> {
        let (Some(from), Some(to)) = (stated.from.first(), stated.to.first()) else {
            return Err(Reason::RestrictionMembers);
        };
        if [from, to]
            .into_iter()
            .chain(ways)
            .any(|way| self.of_way(*way).is_empty())
        {
            return Err(Reason::RestrictionNoRoads);
        }
        // Where the first way comes to an end of the way that follows.
        let mut heads: Vec<Path> = self
            .of_way(*from)
            .iter()
            .filter(|approach| self.of_way_at(ways[0], approach.point).next().is_some())
            .filter_map(|approach| {
                Some(Path::default().with(approach.inbound?, approach, approach.point))
            })
            .collect();
        for (way, next) in ways.iter().zip(ways.iter().skip(1).chain([to])) {
            heads = heads
                .iter()
                .flat_map(|path| self.along(path, *way, *next))
                .collect();
        }
        let ends = heads.iter().flat_map(|path| {
            let leaving = self
                .of_way_at(*to, path.end)
                .filter(|to| !path.roads[1..].contains(&to.road));
            leaving.filter_map(|to| Some(path.with(to.outbound?, to, path.end)))
        });
        let paths: Vec<Path> = ends.collect();
        match paths.len() {
            0 => Err(Reason::RestrictionUnconnected),
            1 => Ok(paths),
            _ => Err(Reason::RestrictionUnclear),
        }
    }

    /// Goes on from a path along `way` to wherever `next` begins.
    fn along(&self, path: &Path, way: i64, next: i64) -> Vec<Path> {
        let (mut found, mut open) = (Vec::new(), vec![path.clone()]);
        while let Some(path) = open.pop() {
            for approach in self.of_way_at(way, path.end) {
                let Some(edge) = approach
                    .outbound
                    .filter(|_| !path.roads.contains(&approach.road))
                else {
                    continue;
                };
                let longer = path.with(edge, approach, approach.other);
                if self.of_way_at(next, longer.end).next().is_some() {
                    found.push(longer);
                } else if longer.edges.len() < EDGES_MAX {
                    open.push(longer);
                }
            }
        }
        found
    }

    fn of_way(&self, way: i64) -> &[Approach] {
        equal_range(&self.by_way, |approach| approach.way.cmp(&way))
    }

    fn of_way_at(&self, way: i64, point: u32) -> impl Iterator<Item = &Approach> {
        let of_way = self.of_way(way);
        equal_range(of_way, move |approach| approach.point.cmp(&point)).iter()
    }

    fn at_point(&self, point: u32) -> &[Approach] {
        equal_range(&self.by_point, |approach| approach.point.cmp(&point))
    }
}

/// The part of a sorted list that compares equal.
fn equal_range(
    sorted: &[Approach],
    order: impl Fn(&Approach) -> std::cmp::Ordering,
) -> &[Approach] {
    let start = sorted.partition_point(|approach| order(approach).is_lt());
    let end = sorted.partition_point(|approach| order(approach).is_le());
    &sorted[start..end]
}

/// The only item; several are unclear.
fn only<T>(mut items: impl Iterator<Item = T>) -> Result<Option<T>, Reason> {
    match (items.next(), items.next()) {
        (first, None) => Ok(first),
        _ => Err(Reason::RestrictionUnclear),
    }
}
