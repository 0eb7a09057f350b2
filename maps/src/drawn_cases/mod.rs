//! Small maps drawn as text, written as PBF files and read back: what comes out of an import, case by case.

mod compression;
mod damage;
mod feature_cases;
mod place_cases;
mod roads;
mod signs;
mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use doorstep_routing::{Distance, EdgeId, LatLng, PlaceKind, Profile, RoadArchive, TurnGraph};
use petgraph::algo::dijkstra;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::osm::wire::{self, MEMBER_NODE, MEMBER_WAY};
use crate::osm::write::{self, NewMap, NewNode, NewRelation, NewWay, OwnedTags};
use crate::{ImportReport, MapError, read, unwatched};

type TagList = &'static [(&'static str, &'static str)];

const STREET: TagList = &[("highway", "residential")];
const ONE_WAY: TagList = &[("highway", "residential"), ("oneway", "yes")];

/// A map whose nodes are the letters of a drawing; columns and lines are 0.001 degrees apart.
struct Sketch {
    map: NewMap,
    letters: BTreeMap<LatLng, char>,
}

fn owned(tags: TagList) -> OwnedTags {
    tags.iter()
        .map(|(key, value)| (*key, (*value).to_owned()))
        .collect()
}

impl Sketch {
    fn new(drawing: &str) -> Self {
        let mut sketch = Self {
            map: NewMap::default(),
            letters: BTreeMap::new(),
        };
        for (line, text) in (0..).zip(drawing.lines()) {
            for (column, letter) in (0..)
                .zip(text.chars())
                .filter(|(_, letter)| letter.is_alphabetic())
            {
                let (lat_e7, lng_e7) = (410_000_000 - 10_000 * line, -86_000_000 + 10_000 * column);
                sketch
                    .letters
                    .insert(LatLng::from_e7(lat_e7, lng_e7), letter);
                sketch.map.nodes.push(NewNode {
                    id: i64::from(u32::from(letter)),
                    lat_e7,
                    lng_e7,
                    tags: Vec::new(),
                });
            }
        }
        sketch
    }

    /// A way over letters; those that were not drawn are nodes that the file lacks.
    fn way(mut self, id: i64, letters: &str, tags: TagList) -> Self {
        let nodes = letters
            .chars()
            .map(|letter| i64::from(u32::from(letter)))
            .collect();
        self.map.ways.push(NewWay {
            id,
            nodes,
            tags: owned(tags),
        });
        self
    }

    fn tag(mut self, letter: char, tags: TagList) -> Self {
        let id = i64::from(u32::from(letter));
        self.map
            .nodes
            .iter_mut()
            .filter(|node| node.id == id)
            .for_each(|node| node.tags = owned(tags));
        self
    }

    fn restriction(self, from: i64, via: char, to: i64, kind: &'static str) -> Self {
        let via = ("via", MEMBER_NODE, i64::from(u32::from(via)));
        self.restrict(
            &[("from", MEMBER_WAY, from), via, ("to", MEMBER_WAY, to)],
            &[("restriction", kind)],
        )
    }

    /// A restriction over ways.
    fn long_restriction(self, from: i64, via: &[i64], to: i64, kind: &'static str) -> Self {
        let mut members = vec![("from", MEMBER_WAY, from)];
        members.extend(via.iter().map(|way| ("via", MEMBER_WAY, *way)));
        members.push(("to", MEMBER_WAY, to));
        self.restrict(&members, &[("restriction", kind)])
    }

    /// A restriction with any members and tags.
    fn restrict(
        mut self,
        members: &[(&'static str, i32, i64)],
        tags: &[(&'static str, &'static str)],
    ) -> Self {
        let kind = ("type", "restriction".to_owned());
        let tags = tags.iter().map(|(key, value)| (*key, (*value).to_owned()));
        self.map.relations.push(NewRelation {
            id: 1 + i64::try_from(self.map.relations.len()).unwrap(),
            members: members.to_vec(),
            tags: std::iter::once(kind).chain(tags).collect(),
        });
        self
    }

    fn read(&self) -> Imported {
        let mut bytes = Vec::new();
        write::write_pbf(&self.map, &mut bytes).unwrap();
        let (archive, report) = read_bytes(&bytes).unwrap();
        Imported {
            archive,
            report,
            letters: self.letters.clone(),
        }
    }
}

fn read_bytes(bytes: &[u8]) -> Result<(RoadArchive, ImportReport), MapError> {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("drawn.osm.pbf");
    fs::write(&path, bytes).unwrap();
    read(&path, &unwatched)
}

struct Imported {
    archive: RoadArchive,
    report: ImportReport,
    letters: BTreeMap<LatLng, char>,
}

impl Imported {
    /// An edge as the letters along it; `?` for a point that was not drawn.
    fn name(&self, edge: EdgeId) -> String {
        let letter = |at: LatLng| self.letters.get(&at).copied().unwrap_or('?');
        self.archive
            .network
            .edge_geometry(edge)
            .map(letter)
            .collect()
    }

    /// The edges that a profile may drive, sorted by name.
    fn edges(&self, profile: Profile) -> Vec<String> {
        let network = &self.archive.network;
        let open = network
            .edges()
            .filter(|edge| network.free_flow_time(*edge, profile).is_some());
        let mut names: Vec<String> = open.map(|edge| self.name(edge)).collect();
        names.sort();
        names
    }

    /// Forbidden paths as the names of their edges, sorted.
    fn forbidden(&self, profile: Profile) -> Vec<String> {
        let paths = self.archive.network.forbidden_paths();
        let name = |edges: &[EdgeId]| -> Vec<String> {
            edges.iter().map(|edge| self.name(*edge)).collect()
        };
        let mut names: Vec<String> = paths
            .filter(|path| path.profiles.contains(profile))
            .map(|path| name(path.edges).join(" "))
            .collect();
        names.sort();
        names
    }

    /// The edge of this name.
    fn edge(&self, name: &str) -> EdgeId {
        let mut edges = self.archive.network.edges();
        edges
            .find(|edge| self.name(*edge) == name)
            .unwrap_or_else(|| panic!("no edge {name}"))
    }

    /// What an edge takes longer than another of the same length, in milliseconds.
    fn longer(&self, profile: Profile, edge: &str, other: &str) -> i64 {
        let time = |name: &str| {
            let time = self
                .archive
                .network
                .free_flow_time(self.edge(name), profile)
                .unwrap();
            i64::from(time.as_millis())
        };
        time(edge) - time(other)
    }

    fn dropped(&self, object: &str, reason: &str) -> u64 {
        let found = self
            .report
            .dropped
            .iter()
            .find(|drop| drop.object == object && drop.reason.contains(reason));
        found.map_or(0, |drop| drop.count)
    }
}
