//! Water, green, sea and names on drawn maps.

use doorstep_routing::{AreaKind, FeatureArea, MapFeatures, PlaceRank};

use super::*;
use crate::{Contents, read_with};

struct Shown {
    features: MapFeatures,
    report: ImportReport,
    letters: BTreeMap<LatLng, char>,
}

impl Sketch {
    fn relation(mut self, id: i64, members: &[(&'static str, i64)], tags: TagList) -> Self {
        let ways = members.iter().map(|(role, way)| (*role, MEMBER_WAY, *way));
        self.map.relations.push(NewRelation {
            id,
            members: ways.collect(),
            tags: owned(tags),
        });
        self
    }

    fn show(&self) -> Shown {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("drawn.osm.pbf");
        let mut bytes = Vec::new();
        write::write_pbf(&self.map, &mut bytes).unwrap();
        fs::write(&path, bytes).unwrap();
        let (map, report) = read_with(&path, Contents::RoadsAndFeatures, &unwatched).unwrap();
        let back = map
            .archive
            .to_bytes_with_features(map.features.as_ref().unwrap());
        let (_, back) = RoadArchive::from_bytes_with_features(&back).unwrap();
        assert_eq!(back, map.features, "what an archive gives back");
        Shown {
            features: map.features.unwrap(),
            report,
            letters: self.letters.clone(),
        }
    }
}

impl Shown {
    fn areas(&self, kind: AreaKind) -> Vec<String> {
        let of_kind = self.features.areas.iter().filter(|area| area.kind == kind);
        let mut areas: Vec<String> = of_kind.map(|area| self.name(area)).collect();
        areas.sort();
        areas
    }

    /// The letters of the outer ring from the least on, then those of holes; `?` for a point that was not drawn.
    fn name(&self, area: &FeatureArea) -> String {
        let rings = std::iter::once(&area.outer).chain(&area.holes);
        let name = |ring: &Vec<LatLng>| {
            let letters = ring.iter().map(|at| self.letters.get(at).unwrap_or(&'?'));
            let mut letters: Vec<char> = letters.copied().collect();
            let least = (0..letters.len()).min_by_key(|at| letters[*at]);
            letters.rotate_left(least.unwrap_or(0));
            letters.into_iter().collect::<String>()
        };
        rings.map(name).collect::<Vec<_>>().join(" without ")
    }

    fn dropped(&self, object: &str, reason: &str) -> u64 {
        let mut all = self.report.dropped.iter();
        all.find(|drop| drop.object == object && drop.reason.contains(reason))
            .map_or(0, |drop| drop.count)
    }
}

const TYPE: (&str, &str) = ("type", "multipolygon");

#[test]
fn ways_and_relations_make_areas_with_holes() {
    let map = Sketch::new("a        b\n\n  p q r\n   s t\n   v u\n  w   x\n\nc        d")
        .way(1, "ab", STREET)
        .way(2, "prx", &[])
        .way(3, "xwp", &[])
        .way(4, "stuvs", &[])
        .way(5, "abdca", &[("leisure", "park")])
        .way(6, "pqrp", &[("landuse", "residential")])
        .way(7, "pqx", &[("natural", "wood")])
        .way(8, "cd", &[("waterway", "river")])
        .relation(
            1,
            &[("outer", 2), ("outer", 3), ("inner", 4)],
            &[TYPE, ("natural", "water")],
        )
        .relation(2, &[("outer", 2)], &[TYPE, ("landuse", "forest")])
        .relation(3, &[("inner", 4)], &[TYPE, ("landuse", "grass")])
        .show();
    assert_eq!(map.areas(AreaKind::Water), ["pwxr without stuv"]);
    assert_eq!(map.areas(AreaKind::Park), ["acdb"]);
    assert_eq!(map.areas(AreaKind::Wood), [""; 0]);
    assert_eq!(map.features.waterways.len(), 1);
    assert_eq!(map.dropped("area", "not closed"), 2, "{}", map.report);
    assert_eq!(map.dropped("area", "without outer ways"), 1);
    let shown = map.report.features.unwrap();
    assert_eq!((shown.water, shown.green, shown.sea), (1, 1, 0));
}

#[test]
fn a_coast_is_closed_along_the_edge_and_streets_tell_a_turned_one() {
    // Land in the west: the coast runs from the south to the north.
    let sketch = || {
        Sketch::new("a    m    x\n b\nc    n\n d\ne    o    y")
            .way(1, "abcde", STREET)
            .way(9, "bd", STREET)
    };
    let coast = &[("natural", "coastline")];
    let map = sketch().way(2, "on", coast).way(3, "nm", coast);
    let map = map.way(4, "aexya", &[("leisure", "park")]).show();
    assert_eq!(map.areas(AreaKind::Sea), ["mnoyx"]);
    assert_eq!(map.dropped("coast", ""), 0);
    let turned = sketch().way(2, "no", coast).way(3, "mn", coast);
    let turned = turned.way(4, "aexya", &[("leisure", "park")]).show();
    assert_eq!(turned.areas(AreaKind::Sea), [""; 0]);
    assert_eq!(turned.dropped("coast", "streets would lie in it"), 1);
    // The extract lacks the nodes W and Z beyond its edge: the ends that are left are led to it.
    let cut = Sketch::new("a    .    x\n b   m\nc    n\n d   o\ne    .    y")
        .way(1, "abcde", STREET)
        .way(2, "Won", coast)
        .way(3, "nmZ", coast)
        .way(4, "aexya", &[("leisure", "park")])
        .show();
    assert_eq!(cut.areas(AreaKind::Sea), ["?mno?yx"]);
}

#[test]
fn names_have_ranks_and_an_area_gives_way_to_a_node_of_its_name() {
    let map = Sketch::new("a b\np q\ns r\nt u")
        .way(1, "ab", STREET)
        .tag(
            't',
            &[("place", "town"), ("name", "Sliema"), ("population", "900")],
        )
        .tag('u', &[("place", "city"), ("name", "Valletta")])
        .tag(
            'a',
            &[
                ("place", "town"),
                ("name", "Mosta"),
                ("population", "22,000"),
            ],
        )
        .way(2, "pqrsp", &[("place", "suburb"), ("name", "Paceville")])
        .way(
            3,
            "pqrsp",
            &[("place", "neighbourhood"), ("name", "Sliema")],
        )
        .show();
    let names: Vec<(PlaceRank, &str)> = map
        .features
        .names
        .iter()
        .map(|place| (place.rank, place.name.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            (PlaceRank::City, "Valletta"),
            (PlaceRank::Town, "Mosta"),
            (PlaceRank::Town, "Sliema"),
            (PlaceRank::Suburb, "Paceville")
        ]
    );
}
