//! What an import read, kept and dropped, and why.

use std::fmt;

use doorstep_routing::{AreaKind, MapFeatures, PlaceKind, Profile, RoadArchive, TurnGraph};
use rayon::prelude::*;
use serde::Serialize;

/// What an import read, kept and dropped; the same for the same file, however many cores read it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImportReport {
    /// Bytes of the extract.
    pub bytes: u64,
    /// Objects in the extract.
    pub read: ObjectCounts,
    /// What the archive holds.
    pub kept: Kept,
    /// What the archive shows besides roads; `None` if that was not asked for.
    pub features: Option<FeatureCounts>,
    /// Relations with a turn restriction that is in the archive, as one or more forbidden paths.
    pub restrictions: u64,
    /// For each profile, how much of the network can be driven from anywhere in it to anywhere else.
    pub components: Vec<ComponentShare>,
    /// What was left out, by kind of object and reason.
    pub dropped: Vec<Dropped>,
}

/// How many objects of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ObjectCounts {
    /// OpenStreetMap nodes, with and without tags.
    pub nodes: u64,
    /// Lines and areas.
    pub ways: u64,
    /// Groups of objects.
    pub relations: u64,
}

/// What an archive holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Kept {
    /// OpenStreetMap ways that are roads.
    pub ways: u64,
    /// Junctions and ends of roads.
    pub nodes: u64,
    /// Stretches of road between nodes.
    pub roads: u64,
    /// Directions of roads.
    pub edges: u64,
    /// Points that give roads their shape between nodes.
    pub points: u64,
    /// Length of all roads, each counted once.
    pub road_km: f64,
    /// Paths of edges that turn restrictions forbid.
    pub forbidden_paths: u64,
    /// Restaurants, fast food and cafés with a name.
    pub restaurants: u64,
    /// House numbers.
    pub addresses: u64,
}

/// How much an archive shows besides roads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FeatureCounts {
    /// Areas of sea; 0 where there is no coast, or one that is broken.
    pub sea: u64,
    /// Lakes, rivers as areas, basins.
    pub water: u64,
    /// Parks, woods, grass and cemeteries.
    pub green: u64,
    /// Rivers and canals as lines.
    pub waterways: u64,
    /// Names of cities, towns, villages, suburbs and neighbourhoods.
    pub names: u64,
}

impl FeatureCounts {
    pub(crate) fn of(features: &MapFeatures) -> Self {
        let kinds = features.areas.iter().map(|area| area.kind);
        let of_kind = |wanted| kinds.clone().filter(|kind| *kind == wanted).count() as u64;
        let (sea, water) = (of_kind(AreaKind::Sea), of_kind(AreaKind::Water));
        Self {
            sea,
            water,
            green: features.areas.len() as u64 - sea - water,
            waterways: features.waterways.len() as u64,
            names: features.names.len() as u64,
        }
    }
}

/// The largest strongly connected component of one profile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ComponentShare {
    /// The profile's name.
    pub profile: &'static str,
    /// Nodes that the profile can reach or leave at all.
    pub nodes: u64,
    /// Those of them in the largest component.
    pub in_largest: u64,
    /// The same as a share, 0 to 1.
    pub share: f64,
}

/// One reason for leaving objects out, or for not doing all that their tags say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// Kind of object: `node`, `way`, `tag`, `restriction`, `place`, `area` or `coast`.
    pub object: &'static str,
    /// The reason, as a person reads it.
    pub reason: &'static str,
    /// Number of objects.
    pub count: u64,
    /// The first of them in the file, at most five: `n`, `w` or `r` for node, way or relation, and the id.
    pub examples: Vec<String>,
}

impl Kept {
    /// Counts what is in an archive; `ways` are those that it was made from.
    pub(crate) fn of(archive: &RoadArchive, ways: u64) -> Self {
        let network = &archive.network;
        let addresses = archive
            .places
            .iter()
            .filter(|place| place.kind == PlaceKind::Address)
            .count() as u64;
        Self {
            ways,
            nodes: network.node_count() as u64,
            roads: network.road_count() as u64,
            edges: network.edge_count() as u64,
            points: network
                .roads()
                .map(|road| network.inner_points(road).len() as u64)
                .sum(),
            road_km: network
                .roads()
                .map(|road| network.road_length(road).as_metres())
                .sum::<f64>()
                / 1000.0,
            forbidden_paths: network.forbidden_paths().len() as u64,
            restaurants: archive.places.len() as u64 - addresses,
            addresses,
        }
    }
}

impl ComponentShare {
    /// The shares of all profiles in an archive.
    #[must_use]
    pub fn of(archive: &RoadArchive) -> Vec<Self> {
        Profile::ALL
            .into_par_iter()
            .map(|profile| Self::of_profile(archive, profile))
            .collect()
    }

    #[allow(
        clippy::cast_precision_loss,
        reason = "counts of nodes stay below 2^31"
    )]
    fn of_profile(archive: &RoadArchive, profile: Profile) -> Self {
        let network = &archive.network;
        let turns = TurnGraph::of(network, profile);
        let (mut touched, mut usable) = (
            vec![false; network.node_count()],
            vec![false; network.node_count()],
        );
        for edge in network
            .edges()
            .filter(|edge| network.free_flow_time(*edge, profile).is_some())
        {
            for node in [network.tail(edge), network.head(edge)] {
                touched[node.index()] = true;
                usable[node.index()] |= turns.is_usable(edge);
            }
        }
        let count = |nodes: &[bool]| nodes.iter().filter(|counts| **counts).count() as u64;
        let (nodes, in_largest) = (count(&touched), count(&usable));
        let share = if nodes == 0 {
            0.0
        } else {
            in_largest as f64 / nodes as f64
        };
        Self {
            profile: profile.name(),
            nodes,
            in_largest,
            share,
        }
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ObjectCounts {
            nodes,
            ways,
            relations,
        } = self.read;
        writeln!(
            out,
            "read     {:>11} bytes, {nodes} nodes, {ways} ways, {relations} relations",
            self.bytes
        )?;
        self.kept.write(out)?;
        if let Some(shown) = &self.features {
            shown.write(out)?;
        }
        writeln!(out, "{:<8} {:>11} turn restrictions", "", self.restrictions)?;
        write_shares(out, &self.components)?;
        for (index, dropped) in self.dropped.iter().enumerate() {
            let title = if index == 0 { "dropped" } else { "" };
            let Dropped {
                object,
                reason,
                count,
                examples,
            } = dropped;
            let examples = examples.join(" ");
            writeln!(
                out,
                "{title:<8} {count:>11} {object:<12} {reason}: {examples}"
            )?;
        }
        Ok(())
    }
}

impl FeatureCounts {
    pub(crate) fn write(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, what) in [
            (self.sea, "areas of sea"),
            (self.water, "areas of water"),
            (self.waterways, "stretches of rivers and canals"),
            (self.green, "parks, woods and other green"),
            (self.names, "names of places"),
        ] {
            writeln!(out, "{:<8} {count:>11} {what}", "")?;
        }
        Ok(())
    }
}

impl Kept {
    pub(crate) fn write(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "kept     {:>11} ways", self.ways)?;
        for (count, what) in [
            (self.roads, format!("roads, {:.1} km", self.road_km)),
            (self.edges, "edges".to_owned()),
            (self.nodes, "nodes".to_owned()),
            (self.points, "points between nodes".to_owned()),
            (self.forbidden_paths, "forbidden paths".to_owned()),
            (self.restaurants, "restaurants".to_owned()),
            (self.addresses, "addresses".to_owned()),
        ] {
            writeln!(out, "{:<8} {count:>11} {what}", "")?;
        }
        Ok(())
    }
}

pub(crate) fn write_shares(out: &mut fmt::Formatter<'_>, shares: &[ComponentShare]) -> fmt::Result {
    for (index, part) in shares.iter().enumerate() {
        let title = if index == 0 { "connected" } else { "" };
        let share = part.share * 100.0;
        let ComponentShare {
            in_largest,
            nodes,
            profile,
            ..
        } = part;
        writeln!(
            out,
            "{title:<9} {share:>9.1}% of the nodes for profile {profile} ({in_largest} of {nodes})"
        )?;
    }
    Ok(())
}
