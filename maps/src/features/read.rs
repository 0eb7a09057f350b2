//! Reads what a map shows from an extract, in three passes: objects, the ways of relations, positions of nodes.

use std::collections::HashSet;

use doorstep_routing::{
    AreaKind, FeatureArea, LatLng, MapFeatures, PlaceName, Waterway, WaterwayKind,
};
use rayon::prelude::*;

use super::areas::{self, Ground, NoArea};
use super::coast::{Coast, CoastWay, Frame, Point, Polygon, close_coast, point};
use super::scan::{AreaRelation, LineKind, PlaceOutline, Scan, ShownWay, scan_block};
use crate::MapError;
use crate::osm::areas::nodes_of_ways;
use crate::osm::extract::{locate_nodes, node_index};
use crate::osm::pbf::PbfFile;
use crate::places::centre;
use crate::progress::{Progress, Watcher};
use crate::tally::{ObjectId, Reason, Tally};

/// A header whose box is this many times as wide or high as what is on the map says nothing about its edge.
const HEADER_BOX_TIMES_MAX: f64 = 10.0;

/// How many positions on land are held against each cut area.
const LAND_SAMPLES: usize = 2_000;

/// Reads sea, water, green and names. `land` are positions that are known to be on land, such as junctions of streets.
pub(crate) fn read(
    file: &PbfFile,
    land: &[LatLng],
    watcher: Watcher<'_>,
) -> Result<(MapFeatures, Tally), MapError> {
    watcher(Progress::Phase {
        name: "reading water, green and names",
        bytes: file.blob_bytes(|_| true),
    });
    let scans = file.map_blocks(watcher, |_| true, scan_block)?;
    let has_nodes: Vec<bool> = scans.iter().map(|scan| scan.has_nodes).collect();
    let has_ways: Vec<bool> = scans.iter().map(|scan| scan.has_ways).collect();
    let mut found = merge(scans);
    let members = member_ways(&mut found, file, watcher, |index| has_ways[index])?;
    let lines = Lines::locate(&found, &members, file, watcher, |index| has_nodes[index])?;
    Ok(assemble(found, &members, &lines, file.bounds, land))
}

fn merge(scans: Vec<Scan>) -> Scan {
    let mut all = Scan::default();
    let (mut ways, mut areas) = (HashSet::new(), HashSet::new());
    let (mut outlines, mut names) = (HashSet::new(), HashSet::new());
    for scan in scans {
        all.tally.merge(&scan.tally);
        all.ways
            .extend(scan.ways.into_iter().filter(|way| ways.insert(way.id)));
        all.areas
            .extend(scan.areas.into_iter().filter(|area| areas.insert(area.id)));
        let fresh = scan.outlines.into_iter();
        all.outlines
            .extend(fresh.filter(|outline| outlines.insert(outline.id)));
        all.names
            .extend(scan.names.into_iter().filter(|(id, _)| names.insert(*id)));
    }
    all
}

/// The ways of relations with the ids of their nodes, sorted by id.
struct Members(Vec<(i64, Vec<i64>)>);

impl Members {
    fn refs(&self, way: i64) -> Option<&[i64]> {
        let index = self.0.binary_search_by_key(&way, |(id, _)| *id).ok()?;
        Some(&self.0[index].1)
    }
}

fn member_ways(
    found: &mut Scan,
    file: &PbfFile,
    watcher: Watcher<'_>,
    has_ways: impl Fn(usize) -> bool + Sync,
) -> Result<Members, MapError> {
    let of_areas = found
        .areas
        .iter()
        .flat_map(|area| area.outer.iter().chain(&area.inner));
    let of_outlines = found.outlines.iter().flat_map(|outline| &outline.ways);
    let mut wanted: Vec<i64> = of_areas.chain(of_outlines).copied().collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(Members(Vec::new()));
    }
    let ways = file.map_blocks(watcher, has_ways, |block| Ok(nodes_of_ways(block, &wanted)))?;
    let mut ways: Vec<(i64, Vec<i64>)> = ways.into_iter().flatten().collect();
    // Stable, so that of two ways with the same id the first counts.
    ways.sort_by_key(|(way, _)| *way);
    ways.dedup_by_key(|(way, _)| *way);
    let members = Members(ways);
    for outline in &mut found.outlines {
        let refs = outline.ways.iter().filter_map(|way| members.refs(*way));
        outline.refs.extend(refs.flatten());
    }
    Ok(members)
}

/// Where the nodes of all lines are.
struct Lines {
    node_ids: Vec<i64>,
    positions: Vec<Option<LatLng>>,
}

impl Lines {
    fn locate(
        found: &Scan,
        members: &Members,
        file: &PbfFile,
        watcher: Watcher<'_>,
        has_nodes: impl Fn(usize) -> bool + Sync,
    ) -> Result<Self, MapError> {
        let of_ways = found.ways.iter().map(|way| &way.refs);
        let of_outlines = found.outlines.iter().map(|outline| &outline.refs);
        let refs = of_ways
            .chain(of_outlines)
            .chain(members.0.iter().map(|(_, refs)| refs));
        let mut node_ids: Vec<i64> = refs.flatten().copied().collect();
        node_ids.par_sort_unstable();
        node_ids.dedup();
        node_ids.shrink_to_fit();
        let mut positions = vec![None; node_ids.len()];
        if !node_ids.is_empty() {
            let located = file.map_blocks(watcher, has_nodes, |block| {
                Ok(locate_nodes(block, &node_ids))
            })?;
            for (node, at) in located.into_iter().flatten() {
                positions[node as usize].get_or_insert(at);
            }
        }
        Ok(Self {
            node_ids,
            positions,
        })
    }

    fn at(&self, id: i64) -> Option<LatLng> {
        self.positions[node_index(&self.node_ids, id)? as usize]
    }

    /// The stretches of a way whose nodes are all there, of at least two points.
    fn stretches(&self, refs: &[i64]) -> Vec<Vec<LatLng>> {
        let line: Vec<Option<LatLng>> = refs.iter().map(|id| self.at(*id)).collect();
        line.split(Option::is_none)
            .map(|stretch| stretch.iter().flatten().copied().collect())
            .filter(|stretch: &Vec<LatLng>| stretch.len() >= 2)
            .collect()
    }

    fn points(&self, refs: &[i64]) -> Vec<Vec<Point>> {
        let stretches = self.stretches(refs);
        stretches
            .iter()
            .map(|stretch| stretch.iter().map(|at| point(*at)).collect())
            .collect()
    }

    /// South-west and north-east corner of all that is known.
    fn extent(&self) -> Option<(LatLng, LatLng)> {
        let range = |of: fn(LatLng) -> i32| {
            let values = self.positions.iter().flatten().map(|at| of(*at));
            Some((values.clone().min()?, values.max()?))
        };
        let ((south, north), (west, east)) = (range(LatLng::lat_e7)?, range(LatLng::lng_e7)?);
        Some((LatLng::from_e7(south, west), LatLng::from_e7(north, east)))
    }
}

/// The edge of the map: what the file's header says, unless that is plainly not where its objects are.
fn edge(header: Option<(LatLng, LatLng)>, extent: (LatLng, LatLng)) -> (LatLng, LatLng) {
    let Some(header) = header else {
        return extent;
    };
    let size = |(south_west, north_east): (LatLng, LatLng)| {
        [
            north_east.lat() - south_west.lat(),
            north_east.lng() - south_west.lng(),
        ]
    };
    let is_plausible = size(header)
        .into_iter()
        .zip(size(extent))
        .all(|(stated, found)| stated > 0.0 && stated <= found * HEADER_BOX_TIMES_MAX);
    if is_plausible { header } else { extent }
}

fn assemble(
    found: Scan,
    members: &Members,
    lines: &Lines,
    header: Option<(LatLng, LatLng)>,
    land: &[LatLng],
) -> (MapFeatures, Tally) {
    let Scan {
        ways,
        areas,
        outlines,
        names,
        mut tally,
        ..
    } = found;
    let bounds = lines.extent().map(|extent| edge(header, extent));
    let samples: Vec<Point> = land
        .iter()
        .step_by(land.len() / LAND_SAMPLES + 1)
        .map(|at| point(*at))
        .collect();
    let ground = Ground {
        frame: bounds.and_then(Frame::new),
        land: &samples,
    };
    let mut features = MapFeatures {
        bounds,
        areas: sea(&ways, lines, bounds, land, &mut tally),
        waterways: waterways(&ways, lines),
        names: place_names(names, outlines, lines),
    };
    type Built = (AreaKind, ObjectId, Result<Vec<Polygon>, NoArea>);
    let of_ways = ways
        .par_iter()
        .filter_map(|way| area_of_way(way, lines, &ground));
    let of_relations = areas
        .par_iter()
        .map(|area| area_of_relation(area, members, lines, &ground));
    let built: Vec<Built> = of_ways.chain(of_relations).collect();
    for (kind, object, outcome) in built {
        match outcome {
            Ok(polygons) => {
                features
                    .areas
                    .extend(polygons.into_iter().map(|polygon| FeatureArea {
                        kind,
                        outer: polygon.outer,
                        holes: polygon.holes,
                    }))
            }
            Err(NoArea::Open) => tally.note(Reason::AreaOpen, object),
            Err(NoArea::BeyondEdge) => tally.note(Reason::AreaBeyondEdge, object),
        }
    }
    features.areas.sort_by_key(|area| area.kind);
    (features, tally)
}

fn sea(
    ways: &[ShownWay],
    lines: &Lines,
    bounds: Option<(LatLng, LatLng)>,
    land: &[LatLng],
    tally: &mut Tally,
) -> Vec<FeatureArea> {
    let coast = ways.iter().filter(|way| way.kind == LineKind::Coast);
    let coast: Vec<CoastWay> = coast.flat_map(|way| coast_of(way, lines)).collect();
    let Some(bounds) = bounds.filter(|_| !coast.is_empty()) else {
        return Vec::new();
    };
    let Coast { sea, faults } = close_coast(&coast, bounds, land);
    for (fault, way) in faults {
        tally.note(Reason::Coast(fault), ObjectId::Way(way));
    }
    sea.into_iter()
        .map(|Polygon { outer, holes }| FeatureArea {
            kind: AreaKind::Sea,
            outer,
            holes,
        })
        .collect()
}

/// The stretches of a coastline way, each with whether it was cut where nodes are missing.
fn coast_of(way: &ShownWay, lines: &Lines) -> Vec<CoastWay> {
    let line: Vec<Option<LatLng>> = way.refs.iter().map(|id| lines.at(*id)).collect();
    let is_missing = |index: Option<usize>| {
        index
            .and_then(|index| line.get(index))
            .is_some_and(Option::is_none)
    };
    let mut start = 0;
    let mut stretches = Vec::new();
    for stretch in line.split(Option::is_none) {
        let end = start + stretch.len();
        if stretch.len() >= 2 {
            stretches.push(CoastWay {
                id: way.id,
                line: stretch.iter().flatten().copied().collect(),
                is_cut: [is_missing(start.checked_sub(1)), is_missing(Some(end))],
            });
        }
        start = end + 1;
    }
    stretches
}

fn waterways(ways: &[ShownWay], lines: &Lines) -> Vec<Waterway> {
    let flowing = ways.iter().filter_map(|way| match way.kind {
        LineKind::Waterway(kind) => Some((kind, way)),
        LineKind::Coast | LineKind::Area(_) => None,
    });
    flowing
        .flat_map(|(kind, way): (WaterwayKind, &ShownWay)| {
            let stretches = lines.stretches(&way.refs).into_iter();
            stretches.map(move |line| Waterway { kind, line })
        })
        .collect()
}

fn area_of_way(
    way: &ShownWay,
    lines: &Lines,
    ground: &Ground<'_>,
) -> Option<(AreaKind, ObjectId, Result<Vec<Polygon>, NoArea>)> {
    let LineKind::Area(kind) = way.kind else {
        return None;
    };
    let is_closed = way.refs.first() == way.refs.last();
    let built = if is_closed {
        areas::build(lines.points(&way.refs), Vec::new(), ground)
    } else {
        Err(NoArea::Open)
    };
    Some((kind, ObjectId::Way(way.id), built))
}

fn area_of_relation(
    area: &AreaRelation,
    members: &Members,
    lines: &Lines,
    ground: &Ground<'_>,
) -> (AreaKind, ObjectId, Result<Vec<Polygon>, NoArea>) {
    let points = |ways: &[i64]| {
        let refs = ways.iter().filter_map(|way| members.refs(*way));
        refs.flat_map(|refs| lines.points(refs)).collect()
    };
    let built = areas::build(points(&area.outer), points(&area.inner), ground);
    (area.kind, ObjectId::Relation(area.id), built)
}

/// Names of nodes, and of outlines whose name no node has; the most important first.
fn place_names(
    nodes: Vec<(i64, PlaceName)>,
    outlines: Vec<PlaceOutline>,
    lines: &Lines,
) -> Vec<PlaceName> {
    let mut names: Vec<PlaceName> = nodes.into_iter().map(|(_, name)| name).collect();
    let known: HashSet<String> = names.iter().map(|place| place.name.clone()).collect();
    for outline in outlines {
        if known.contains(&outline.name) {
            continue;
        }
        let corners: Vec<LatLng> = outline.refs.iter().filter_map(|id| lines.at(*id)).collect();
        if let Some(at) = centre(&corners) {
            names.push(PlaceName {
                rank: outline.rank,
                population: outline.population,
                at,
                name: outline.name,
            });
        }
    }
    names.sort_by(|a, b| {
        let people = b.population.cmp(&a.population);
        a.rank
            .cmp(&b.rank)
            .then(people)
            .then_with(|| (&a.name, a.at).cmp(&(&b.name, b.at)))
    });
    names.dedup();
    names
}
