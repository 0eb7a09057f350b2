//! Turns a street grid into OpenStreetMap objects: streets, bridges, houses, restaurants and turn restrictions.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::streets::{Grid, Level, Metres};
use super::{GenerateReport, SOURCE_PREFIX, names};
use crate::osm::wire::{MEMBER_NODE, MEMBER_WAY};
use crate::osm::write::{NewMap, NewNode, NewRelation, NewWay, OwnedTags};

/// South-west corner of every synthetic city, in degrees: open sea.
const ORIGIN_LAT: f64 = 43.0;
const ORIGIN_LNG: f64 = -31.0;
/// Metres in a degree of latitude.
const METRES_PER_DEGREE: f64 = 111_195.0;
/// Points of the grid for each junction: a blind alley adds its end and where it leaves its street, and a point where
/// only two links meet is a bend.
const GRID_SHARE: f64 = 0.8;
/// Most links that one way runs on for.
const WAY_LINKS_MAX: usize = 12;
/// How many of the links along side streets have a blind alley.
const ALLEYS: f64 = 0.24;
/// Share of the alleys that only people with permission may enter.
const ALLEYS_PRIVATE: f64 = 0.1;
/// Links after which a street has another name.
const NAME_LINKS_MAX: usize = 24;

/// Plans a city of about `junctions` junctions.
pub(super) fn plan(seed: u64, junctions: u32) -> (NewMap, GenerateReport) {
    let on_grid = f64::from(junctions) * GRID_SHARE;
    let rows = whole((on_grid / 1.3).sqrt()).max(8);
    let columns = whole(on_grid / f64::from(rows)).max(8);
    let grid = Grid::new(seed, rows as usize, columns as usize);
    let mut city = CityPlan::new(seed, &grid);
    for row in 0..grid.rows.len() {
        city.lay_street(row, true);
    }
    for column in 0..grid.columns.len() {
        city.lay_street(column, false);
    }
    city.lay_river();
    city.restrict_turns();
    city.finish(seed)
}

/// A row or a column while it is laid.
struct Street {
    along_row: bool,
    level: Level,
    name: String,
    /// Links since it got its name.
    named: usize,
    /// The next house number.
    house: u32,
    /// The way that is not yet at its end.
    run: Option<Run>,
}

/// What all links of a way have in common.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind {
    is_bridge: bool,
    oneway: i8,
}

/// What one way is made of while its street is laid.
struct Run {
    nodes: Vec<i64>,
    kind: Kind,
    /// The junction where it starts, and the side on which it leaves it.
    start: usize,
}

/// Sides of a junction in [`City::ways_at`].
const WEST: usize = 0;
const EAST: usize = 1;
const SOUTH: usize = 2;
const NORTH: usize = 3;

struct CityPlan<'a> {
    grid: &'a Grid,
    rng: ChaCha8Rng,
    map: NewMap,
    /// Node of each junction of the grid.
    junction_nodes: Vec<i64>,
    /// The ways that end at a junction, by side; 0 where none does.
    ways_at: Vec<[i64; 4]>,
    report: GenerateReport,
}

impl<'a> CityPlan<'a> {
    fn new(seed: u64, grid: &'a Grid) -> Self {
        let report = GenerateReport {
            nodes: 0,
            ways: 0,
            relations: 0,
            junctions: 0,
            restaurants: 0,
            addresses: 0,
        };
        let junctions = grid.rows.len() * grid.columns.len();
        let mut city = Self {
            grid,
            rng: ChaCha8Rng::seed_from_u64(seed ^ 0x646f_6f72_7374_6570),
            map: NewMap::default(),
            junction_nodes: Vec::with_capacity(junctions),
            ways_at: vec![[0; 4]; junctions],
            report,
        };
        for row in 0..grid.rows.len() {
            for column in 0..grid.columns.len() {
                let node = city.add_node(grid.junction(row, column), Vec::new());
                city.junction_nodes.push(node);
            }
        }
        city
    }

    /// Lays all ways of a row or a column. A way ends where a link is missing, before and after a bridge, where it
    /// becomes one-way, and at crossings of arterials, so that turn restrictions can name it.
    fn lay_street(&mut self, number: usize, along_row: bool) {
        let (line, length) = if along_row {
            (&self.grid.rows[number], self.grid.columns.len())
        } else {
            (&self.grid.columns[number], self.grid.rows.len())
        };
        let mut street = Street {
            along_row,
            level: line.level,
            name: String::new(),
            named: NAME_LINKS_MAX,
            house: 1,
            run: None,
        };
        for step in 0..length {
            let (row, column) = if along_row {
                (number, step)
            } else {
                (step, number)
            };
            self.lay_link(&mut street, row, column);
        }
    }

    /// Lays the link that leads on from a junction, if there is one, and ends the way that comes there if it must.
    fn lay_link(&mut self, street: &mut Street, row: usize, column: usize) {
        let (along_row, level) = (street.along_row, street.level);
        let here = self.grid.index(row, column);
        let (crossing, there) = if along_row {
            (&self.grid.columns[column], here + 1)
        } else {
            (&self.grid.rows[row], here + self.grid.columns.len())
        };
        let link = self.grid.link(row, column, along_row);
        let kind = link.map(|link| Kind {
            is_bridge: self.grid.crosses_river(row, column, along_row),
            oneway: link.oneway,
        });
        let ended = street.run.take_if(|run| {
            kind != Some(run.kind)
                || level.min(crossing.level) >= Level::Secondary
                || run.nodes.len() > WAY_LINKS_MAX
        });
        if let Some(done) = ended {
            self.add_street(&done, here, along_row, level, &street.name);
        }
        let Some(kind) = kind else {
            street.named = NAME_LINKS_MAX;
            return;
        };
        street.named += 1;
        if street.named > NAME_LINKS_MAX && street.run.is_none() {
            street.name = names::street(&mut self.rng, level >= Level::Secondary);
            (street.named, street.house) = (0, 1);
        }
        let mut run = street.run.take().unwrap_or_else(|| Run {
            nodes: vec![self.junction_nodes[here]],
            kind,
            start: here,
        });
        if !kind.is_bridge {
            run.nodes.extend(self.settle_link(here, there, street));
        }
        run.nodes.push(self.junction_nodes[there]);
        street.run = Some(run);
    }

    fn add_street(&mut self, run: &Run, end: usize, along_row: bool, level: Level, name: &str) {
        let (class, limit) = match level {
            Level::Primary => ("primary", Some("60")),
            Level::Secondary => ("secondary", Some("50")),
            Level::Tertiary => ("tertiary", None),
            Level::Side if self.rng.random_bool(0.06) => ("living_street", None),
            Level::Side if self.rng.random_bool(0.12) => ("unclassified", None),
            Level::Side => ("residential", None),
        };
        let mut tags: OwnedTags = vec![("highway", class.to_owned()), ("name", name.to_owned())];
        tags.extend(limit.map(|limit| ("maxspeed", limit.to_owned())));
        match run.kind.oneway {
            1 => tags.push(("oneway", "yes".to_owned())),
            -1 => tags.push(("oneway", "-1".to_owned())),
            _ => {}
        }
        if run.kind.is_bridge {
            tags.extend([("bridge", "yes".to_owned()), ("layer", "1".to_owned())]);
        }
        let way = self.add_way(run.nodes.clone(), tags);
        let [leaves, arrives] = if along_row {
            [EAST, WEST]
        } else {
            [NORTH, SOUTH]
        };
        self.ways_at[run.start][leaves] = way;
        self.ways_at[end][arrives] = way;
    }

    /// Puts bends, houses, restaurants, a bollard or a blind alley along a link; the answer is the nodes on it.
    fn settle_link(&mut self, here: usize, there: usize, street: &mut Street) -> Vec<i64> {
        let level = street.level;
        let [from, to] = [here, there].map(|junction| self.position(junction));
        let mut on_link = Vec::new();
        if level == Level::Side && self.rng.random_bool(0.005) {
            on_link.push(self.add_node(
                along(from, to, 0.3, 0.0),
                vec![("barrier", "bollard".to_owned())],
            ));
        }
        if level == Level::Side && self.rng.random_bool(ALLEYS) {
            let mouth = self.add_node(along(from, to, 0.5, 0.0), Vec::new());
            on_link.push(mouth);
            let depth = self.rng.random_range(0.15..0.5) * distance(from, to);
            self.add_alley(mouth, along(from, to, 0.5, depth));
        } else if self.rng.random_bool(0.5) {
            let aside = self.rng.random_range(-0.35..0.35) * distance(from, to);
            on_link.push(self.add_node(along(from, to, 0.6, aside), Vec::new()));
        }
        if self
            .rng
            .random_bool(if level == Level::Side { 0.5 } else { 0.3 })
        {
            let side = if self.rng.random_bool(0.5) {
                12.0
            } else {
                -12.0
            };
            let tags = vec![
                ("addr:housenumber", street.house.to_string()),
                ("addr:street", street.name.clone()),
            ];
            self.add_node(along(from, to, 0.4, side), tags);
            self.report.addresses += 1;
            street.house += 1;
        }
        if self
            .rng
            .random_bool(if level == Level::Side { 0.004 } else { 0.03 })
        {
            self.add_restaurant(along(from, to, 0.7, 15.0));
        }
        on_link
    }

    fn add_alley(&mut self, mouth: i64, end: Metres) {
        let end = self.add_node(end, Vec::new());
        let class = ["service", "residential"][usize::from(self.rng.random_bool(0.6))];
        let mut tags: OwnedTags = vec![("highway", class.to_owned())];
        if self.rng.random_bool(ALLEYS_PRIVATE) {
            tags.push(("access", "private".to_owned()));
        } else {
            self.report.junctions += 2;
        }
        self.add_way(vec![mouth, end], tags);
    }

    /// Some restaurants are buildings, so that places on areas are met too.
    fn add_restaurant(&mut self, at: Metres) {
        let amenity =
            ["restaurant", "restaurant", "fast_food", "cafe"][self.rng.random_range(0..4_usize)];
        let tags: OwnedTags = vec![
            ("amenity", amenity.to_owned()),
            ("name", names::restaurant(&mut self.rng)),
        ];
        self.report.restaurants += 1;
        if self.rng.random_bool(0.8) {
            self.add_node(at, tags);
            return;
        }
        let corners = [(-6.0, -4.0), (6.0, -4.0), (6.0, 4.0), (-6.0, 4.0)];
        let mut ring: Vec<i64> = corners
            .iter()
            .map(|(east, north)| {
                self.add_node(
                    Metres {
                        east: at.east + east,
                        north: at.north + north,
                    },
                    Vec::new(),
                )
            })
            .collect();
        ring.push(ring[0]);
        let building = [("building", "yes".to_owned())]
            .into_iter()
            .chain(tags)
            .collect();
        self.add_way(ring, building);
    }

    fn lay_river(&mut self) {
        let mut ring: Vec<i64> = self
            .grid
            .river_outline()
            .into_iter()
            .map(|at| self.add_node(at, Vec::new()))
            .collect();
        ring.push(ring[0]);
        let name = "River Tam".to_owned();
        self.add_way(
            ring,
            vec![
                ("natural", "water".to_owned()),
                ("water", "river".to_owned()),
                ("name", name),
            ],
        );
    }

    /// Forbids a left turn or turning round at some crossings of arterials, and commands straight on at a few.
    fn restrict_turns(&mut self) {
        for junction in 0..self.ways_at.len() {
            let ways = self.ways_at[junction];
            if ways.contains(&0) || !self.rng.random_bool(0.4) {
                continue;
            }
            let (kind, from, to) = match self.rng.random_range(0..4) {
                0 => ("no_left_turn", ways[WEST], ways[NORTH]),
                1 => ("no_left_turn", ways[SOUTH], ways[WEST]),
                2 => ("no_u_turn", ways[EAST], ways[EAST]),
                _ => ("only_straight_on", ways[NORTH], ways[SOUTH]),
            };
            let via = self.junction_nodes[junction];
            let id = next_id(self.map.relations.len());
            self.map.relations.push(NewRelation {
                id,
                members: vec![
                    ("from", MEMBER_WAY, from),
                    ("via", MEMBER_NODE, via),
                    ("to", MEMBER_WAY, to),
                ],
                tags: vec![
                    ("type", "restriction".to_owned()),
                    ("restriction", kind.to_owned()),
                ],
            });
        }
    }

    fn finish(mut self, seed: u64) -> (NewMap, GenerateReport) {
        self.map.source = format!("{SOURCE_PREFIX}, seed {seed}");
        let crossings = (0..self.junction_nodes.len()).filter(|&at| self.grid.is_crossing(at));
        self.report.junctions += crossings.count() as u64;
        self.report.nodes = self.map.nodes.len() as u64;
        self.report.ways = self.map.ways.len() as u64;
        self.report.relations = self.map.relations.len() as u64;
        (self.map, self.report)
    }

    fn position(&self, junction: usize) -> Metres {
        let columns = self.grid.columns.len();
        self.grid.junction(junction / columns, junction % columns)
    }

    fn add_node(&mut self, at: Metres, tags: OwnedTags) -> i64 {
        let id = next_id(self.map.nodes.len());
        let lat = ORIGIN_LAT + at.north / METRES_PER_DEGREE;
        let lng = ORIGIN_LNG + at.east / (METRES_PER_DEGREE * ORIGIN_LAT.to_radians().cos());
        self.map.nodes.push(NewNode {
            id,
            lat_e7: e7(lat),
            lng_e7: e7(lng),
            tags,
        });
        id
    }

    fn add_way(&mut self, nodes: Vec<i64>, tags: OwnedTags) -> i64 {
        let id = next_id(self.map.ways.len());
        self.map.ways.push(NewWay { id, nodes, tags });
        id
    }
}

fn next_id(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX - 1) + 1
}

/// A point so far along a link, 0 to 1, and so many metres to its left.
fn along(from: Metres, to: Metres, share: f64, aside: f64) -> Metres {
    let (east, north) = (to.east - from.east, to.north - from.north);
    let length = distance(from, to).max(1.0);
    Metres {
        east: east.mul_add(share, from.east) - north / length * aside,
        north: north.mul_add(share, from.north) + east / length * aside,
    }
}

fn distance(from: Metres, to: Metres) -> f64 {
    (to.east - from.east).hypot(to.north - from.north)
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a city is far smaller than the range of 32 bits"
)]
fn e7(degrees: f64) -> i32 {
    (degrees * 1e7).round() as i32
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most the square root of five million"
)]
fn whole(number: f64) -> u32 {
    number.round() as u32
}
