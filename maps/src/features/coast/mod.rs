//! Turns coastline ways, which a map's edge has cut, into closed areas of sea.
//!
//! ```text
//!        ways: land on the left           sea: on the right, closed clockwise along the edge of the map
//!     ┌───────────────┐                  ┌───────────────┐
//!     │   land    ↑   │                  │   land    ↑▒▒▒│
//!     │      ┌────┘   │        ->        │      ┌────┘▒▒▒│
//!     │  →───┘   ↻    │                  →──────┘▒▒▒○▒▒▒▒│     ○ an island is a hole
//!     └───────────────┘                  └▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒┘
//! ```
//! Whoever draws a coast in OpenStreetMap keeps the land on its left (<https://wiki.openstreetmap.org/wiki/Tag:natural%3Dcoastline>).
//! Of data that contradicts itself no sea is made: a map that lacks the sea is blank, one that paints streets as sea is wrong.
//!
//! 1. Ways are joined where one ends and another begins. Closed chains inside the map are islands.
//! 2. Other chains are cut at the edge. An end inside the map, where an extract lacks the nodes beyond, is led straight to
//!    the nearest edge; where two ways just end and are nearer to each other, the coast has a gap.
//! 3. Along the edge, ends and beginnings must alternate: from each end the sea goes on clockwise to the next beginning.
//! 4. Positions that are known to be land, such as junctions of streets, must not lie in the sea.
//!
//! Time is O(n log n) for n points, and memory O(n); loose ends beyond [`LOOSE_ENDS_MAX`] are refused.

mod chains;
mod close;
mod frame;
mod rings;
#[cfg(test)]
mod tests;

use doorstep_routing::LatLng;

pub(crate) use frame::{Frame, Point, point, position};
pub(crate) use rings::{RingIndex, doubled_area};

use chains::{Chain, CoastLine, join};

/// More loose ends than any sound map has; each is held against the whole coast.
pub const LOOSE_ENDS_MAX: usize = 200;

/// Of the positions that are known to be land, this share may lie in the sea: bridges, piers and dams do. In permille.
const LAND_IN_SEA_PERMILLE_MAX: usize = 20;

/// How many positions are held against the sea; of more, every n-th is.
const LAND_SAMPLES_MAX: usize = 20_000;

/// A way with `natural=coastline`: land on its left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoastWay {
    /// OpenStreetMap's id, to name in a report.
    pub id: i64,
    /// Its points in the direction of the way.
    pub line: Vec<LatLng>,
    /// Whether the way comes from before its first point, and goes on behind its last, over nodes that the extract lacks:
    /// then it surely leaves the map there.
    pub is_cut: [bool; 2],
}

/// An area: an anticlockwise outer ring and clockwise holes, none of which repeats its first point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polygon {
    /// At least three points.
    pub outer: Vec<LatLng>,
    /// Rings inside the outer one.
    pub holes: Vec<Vec<LatLng>>,
}

/// What is wrong with a coast. All but the last three leave the map without sea.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CoastFault {
    /// A way jumps from one end of the world to the other.
    AcrossAntimeridian,
    /// Two ends inside the map that are nearer to each other than to the edge: a way is missing or turned around.
    Gap,
    /// More than [`LOOSE_ENDS_MAX`] loose ends.
    TooManyLooseEnds,
    /// The way from a loose end to the edge would cross the coast.
    CrossesItself,
    /// Two coasts that are neighbours along the edge have the sea on different sides.
    SidesDisagree,
    /// Too many positions that are land lie in what would be sea.
    LandInSea,
    /// Fewer than two different points; left out.
    TooShort,
    /// A ring in the sea with its land outside; taken for an island.
    IslandTurned,
    /// A ring on land; left out.
    RingOnLand,
}

impl CoastFault {
    /// Whether no sea is made because of it.
    #[must_use]
    pub const fn is_fatal(self) -> bool {
        match self {
            Self::AcrossAntimeridian
            | Self::Gap
            | Self::TooManyLooseEnds
            | Self::CrossesItself
            | Self::SidesDisagree
            | Self::LandInSea => true,
            Self::TooShort | Self::IslandTurned | Self::RingOnLand => false,
        }
    }

    /// What an import's report says.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::AcrossAntimeridian => "no sea is drawn: a way jumps across the 180th meridian",
            Self::Gap => {
                "no sea is drawn: the coastline has a gap or a way that runs the wrong way round"
            }
            Self::TooManyLooseEnds => "no sea is drawn: the coastline has hundreds of loose ends",
            Self::CrossesItself => {
                "no sea is drawn: the coastline cannot be closed without crossing itself"
            }
            Self::SidesDisagree => {
                "no sea is drawn: neighbouring coastlines have the sea on different sides"
            }
            Self::LandInSea => {
                "no sea is drawn: streets would lie in it, so the coastline runs the wrong way round"
            }
            Self::TooShort => "fewer than two nodes",
            Self::IslandTurned => "island that runs the wrong way round, taken for an island",
            Self::RingOnLand => "ring of coastline on land",
        }
    }
}

/// The sea of a map, and what was wrong with its coast.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coast {
    /// Areas of sea that do not overlap; empty without a coast, or with one that is broken.
    pub sea: Vec<Polygon>,
    /// What was found to be wrong, each with the OpenStreetMap id of a way.
    pub faults: Vec<(CoastFault, i64)>,
}

/// Closes a coast within `bounds` (south-west and north-east corner). `land` are positions that are known to be land; there
/// may be none.
///
/// Ways may come in any order and reach beyond the bounds; the same ways in another order give the same areas up to their
/// order. Without a coast inside the bounds there is no sea, since nothing says on which side it would be.
#[must_use]
pub fn close_coast(ways: &[CoastWay], bounds: (LatLng, LatLng), land: &[LatLng]) -> Coast {
    let mut faults = Vec::new();
    let sea = match Frame::new(bounds) {
        Some(frame) => try_close(ways, &frame, land, &mut faults).unwrap_or_else(|fault| {
            faults.push(fault);
            Vec::new()
        }),
        None => Vec::new(),
    };
    Coast { sea, faults }
}

fn try_close(
    ways: &[CoastWay],
    frame: &Frame,
    land: &[LatLng],
    faults: &mut Vec<(CoastFault, i64)>,
) -> Result<Vec<Polygon>, (CoastFault, i64)> {
    let mut lines = Vec::with_capacity(ways.len());
    for way in ways {
        let mut line: Vec<Point> = way.line.iter().map(|at| point(*at)).collect();
        line.dedup();
        if line.len() < 2 {
            faults.push((CoastFault::TooShort, way.id));
        } else if line
            .windows(2)
            .any(|pair| (pair[0][0] - pair[1][0]).abs() > 1_800_000_000)
        {
            return Err((CoastFault::AcrossAntimeridian, way.id));
        } else {
            lines.push(CoastLine {
                way: way.id,
                points: line,
                is_cut: way.is_cut,
            });
        }
    }
    // The same line twice, as old extracts have it, is one coast.
    lines.sort_by(|a, b| (&a.points, a.way).cmp(&(&b.points, b.way)));
    lines.dedup_by(|later, earlier| later.points == earlier.points);
    let mut chains = join(&lines);
    close::lead_ends_to_edge(&mut chains, frame)?;
    let (islands, parts) = cut(chains, frame);
    let outers = close::along_edge(&parts, frame)?;
    let sea = close::with_islands(outers, &islands, frame, faults);
    if is_land_in(&sea, land) {
        let way = islands
            .first()
            .or(parts.first())
            .map_or(0, |chain| chain.way);
        return Err((CoastFault::LandInSea, way));
    }
    Ok(sea.into_iter().map(polygon).collect())
}

/// Rings that lie inside the map as a whole, and the parts of all others inside it, from edge to edge.
fn cut(chains: Vec<Chain>, frame: &Frame) -> (Vec<Chain>, Vec<Chain>) {
    let (mut islands, mut parts) = (Vec::new(), Vec::new());
    for mut chain in chains {
        if chain.is_closed {
            if chain.points.len() < 3 {
                continue;
            }
            match chain.points.iter().position(|at| !frame.holds(*at)) {
                None => {
                    islands.push(chain);
                    continue;
                }
                Some(outside) => {
                    chain.points.rotate_left(outside);
                    chain.points.push(chain.points[0]);
                }
            }
        }
        parts.extend(frame.cut(&chain.points).into_iter().map(|points| Chain {
            way: chain.way,
            points,
            is_closed: false,
            is_cut: [false; 2],
        }));
    }
    (islands, parts)
}

/// An outer ring with its holes, each in its direction.
type Rings = (Vec<Point>, Vec<Vec<Point>>);

fn is_land_in(sea: &[Rings], land: &[LatLng]) -> bool {
    let rings = sea
        .iter()
        .flat_map(|(outer, holes)| std::iter::once(outer).chain(holes));
    let index = RingIndex::new(rings.map(Vec::as_slice));
    // For each ring the number of its area: the outer ring is the first of it.
    let areas: Vec<usize> = sea
        .iter()
        .enumerate()
        .flat_map(|(area, (_, holes))| std::iter::repeat_n(area, 1 + holes.len()))
        .collect();
    let is_wet = |at: &LatLng| {
        let around = index.around(point(*at));
        around
            .chunk_by(|a, b| areas[*a as usize] == areas[*b as usize])
            .any(|of_area| {
                let first = of_area[0] as usize;
                of_area.len() == 1 && (first == 0 || areas[first - 1] != areas[first])
            })
    };
    let step = land.len() / LAND_SAMPLES_MAX + 1;
    let samples = land.iter().step_by(step);
    let wet = samples.clone().filter(|at| is_wet(at)).count();
    wet * 1000 > samples.count() * LAND_IN_SEA_PERMILLE_MAX
}

fn polygon((outer, holes): Rings) -> Polygon {
    let positions = |ring: Vec<Point>| ring.into_iter().map(position).collect();
    Polygon {
        outer: positions(outer),
        holes: holes.into_iter().map(positions).collect(),
    }
}
