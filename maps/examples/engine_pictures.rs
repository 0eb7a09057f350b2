//! Draws the pictures of `docs/routing.md` from a made-up city: the cuts of the edge order, and how far one gets.
//!
//! ```sh
//! cargo run --release -p doorstep-maps --example engine_pictures -- docs/images
//! ```

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use doorstep_maps::{generate, read, unwatched};
use doorstep_routing::isochrone::{Detail, isochrones};
use doorstep_routing::{
    EdgeId, EdgeOrder, LatLng, Profile, RoadNetwork, Router, TravelTime, TurnGraph,
};

const PROFILE: Profile = Profile::Scooter;
/// Width of a picture, in units of its own.
const WIDTH: f64 = 800.0;
/// An edge with at least this share of the city below it is part of an early cut: colour and width of its stroke.
const CUTS: [(f64, &str, f64); 3] = [
    (0.55, "#d6336c", 3.6),
    (0.27, "#f08c00", 2.8),
    (0.07, "#1c7ed6", 2.0),
];
/// Minutes, and the colour of what is reached within them.
const MINUTES: [(u32, &str); 3] = [(6, "#c5f6fa"), (4, "#66d9e8"), (2, "#15aabf")];

fn main() -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = std::env::args()
        .nth(1)
        .ok_or("expected the folder to draw into")?
        .into();
    let map = folder.join("engine-pictures.osm.pbf");
    generate(11, 1500, &map)?;
    let read = read(&map, &unwatched);
    std::fs::remove_file(&map)?;
    let (archive, _) = read?;
    let network = &archive.network;
    let picture = Picture::of(network).ok_or("the city has no roads")?;

    let mut cuts = picture.streets(network, "#adb5bd");
    let turns = TurnGraph::of(network, PROFILE);
    let below = shares_below(&turns, archive.edge_orders.of(PROFILE));
    for (share, colour, width) in CUTS.into_iter().rev() {
        let top = below.iter().filter(|&&(_, below)| below >= share);
        let lines: String = top.map(|&(edge, _)| picture.line(network, edge)).collect();
        writeln!(
            cuts,
            r#"<path d="{lines}" stroke="{colour}" stroke-width="{width}"/>"#
        )?;
    }
    picture.write(&folder.join("nested-dissection.svg"), &cuts)?;

    let router = Router::new(&archive, PROFILE);
    let (south_west, north_east) = network.bounds().ok_or("the city has no roads")?;
    let middle = LatLng::from_e7(
        i32::midpoint(south_west.lat_e7(), north_east.lat_e7()),
        i32::midpoint(south_west.lng_e7(), north_east.lng_e7()),
    );
    let from = router.snap(middle)?;
    let limits = MINUTES.map(|(minutes, _)| TravelTime::from_millis(minutes * 60_000));
    let found = isochrones(
        &router,
        &mut router.workspace(),
        &from,
        &limits,
        Detail::default(),
    );
    let mut reach = String::new();
    for (isochrone, (_, colour)) in found.iter().zip(MINUTES) {
        let mut rings = String::new();
        for polygon in &isochrone.polygons {
            for ring in std::iter::once(&polygon.outer).chain(&polygon.holes) {
                rings += &picture.points(ring.iter().copied());
                rings.push('Z');
            }
        }
        writeln!(
            reach,
            r#"<path d="{rings}" fill="{colour}" fill-rule="evenodd"/>"#
        )?;
    }
    reach += &picture.streets(network, "#495057");
    let [x, y] = picture.at(from.at());
    writeln!(
        reach,
        r##"<circle cx="{x:.1}" cy="{y:.1}" r="6" fill="#d6336c"/>"##
    )?;
    picture.write(&folder.join("isochrones.svg"), &reach)
}

/// For each edge the share of the city that its node in the elimination tree has below it. (Liu 1986, "A Compact Row
/// Storage Scheme for Cholesky Factors Using Elimination Trees": the parent of a piece is whoever joins it next.)
#[allow(clippy::cast_precision_loss, reason = "counts of a small city")]
fn shares_below(turns: &TurnGraph, order: &EdgeOrder) -> Vec<(EdgeId, f64)> {
    let states: Vec<u32> = order
        .edges()
        .iter()
        .flat_map(|&edge| turns.states_of(edge).iter().copied())
        .collect();
    let mut rank = vec![0; states.len()];
    for (place, &state) in states.iter().enumerate() {
        rank[state as usize] = place;
    }
    let mut lower: Vec<Vec<usize>> = vec![Vec::new(); states.len()];
    for &state in &states {
        for (head, _) in turns.turns_from(state) {
            let ends = [rank[state as usize], rank[head as usize]];
            lower[ends[0].max(ends[1])].push(ends[0].min(ends[1]));
        }
    }
    let mut top: Vec<usize> = (0..states.len()).collect();
    let mut size = vec![1_usize; states.len()];
    for place in 0..states.len() {
        for mut piece in std::mem::take(&mut lower[place]) {
            while top[piece] != piece {
                piece = top[piece];
            }
            if piece != place {
                top[piece] = place;
                size[place] += size[piece];
            }
        }
    }
    let share = |size: &usize| *size as f64 / states.len() as f64;
    states
        .iter()
        .map(|&state| turns.edge(state))
        .zip(size.iter().map(share))
        .collect()
}

/// Where a city lies in its picture.
struct Picture {
    west: f64,
    north: f64,
    /// Units a degree of longitude and of latitude.
    scale: [f64; 2],
    height: f64,
}

impl Picture {
    fn of(network: &RoadNetwork) -> Option<Self> {
        let (south_west, north_east) = network.bounds()?;
        let across = WIDTH / (north_east.lng() - south_west.lng());
        let up = across
            / f64::midpoint(south_west.lat(), north_east.lat())
                .to_radians()
                .cos();
        Some(Self {
            west: south_west.lng(),
            north: north_east.lat(),
            scale: [across, up],
            height: (north_east.lat() - south_west.lat()) * up,
        })
    }

    fn at(&self, at: LatLng) -> [f64; 2] {
        [
            (at.lng() - self.west) * self.scale[0],
            (self.north - at.lat()) * self.scale[1],
        ]
    }

    fn points(&self, points: impl Iterator<Item = LatLng>) -> String {
        let mut path = String::new();
        for (index, at) in points.enumerate() {
            let [x, y] = self.at(at);
            let letter = if index == 0 { 'M' } else { 'L' };
            path += &format!("{letter}{x:.1} {y:.1}");
        }
        path
    }

    fn line(&self, network: &RoadNetwork, edge: EdgeId) -> String {
        self.points(network.edge_geometry(edge))
    }

    fn streets(&self, network: &RoadNetwork, colour: &str) -> String {
        let roads = network
            .roads()
            .map(|road| self.points(network.road_geometry(road)));
        let lines: String = roads.collect();
        format!("<path d=\"{lines}\" stroke=\"{colour}\" stroke-width=\"0.6\"/>\n")
    }

    fn write(&self, path: &Path, body: &str) -> Result<(), Box<dyn Error>> {
        let height = self.height;
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" fill=\"none\" \
             stroke-linecap=\"round\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{body}</svg>\n"
        );
        Ok(std::fs::write(path, svg)?)
    }
}
