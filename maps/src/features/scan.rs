//! Pass 1 over one block: which ways, relations and nodes of it a map shows.

use doorstep_routing::{AreaKind, LatLng, PlaceName, PlaceRank, WaterwayKind};
use osmpbf::Element;

use super::kinds;
use crate::MapError;
use crate::osm::extract::position;
use crate::osm::pbf::Block;
use crate::osm::tags::Tags;
use crate::osm::wire;
use crate::tally::{ObjectId, Reason, Tally};

/// What a way is, by its own tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    Coast,
    Waterway(WaterwayKind),
    Area(AreaKind),
}

/// A way that a map shows.
pub(super) struct ShownWay {
    pub(super) id: i64,
    pub(super) kind: LineKind,
    pub(super) refs: Vec<i64>,
}

/// A named place that is drawn as an area.
pub(super) struct PlaceOutline {
    pub(super) id: ObjectId,
    pub(super) rank: PlaceRank,
    pub(super) name: String,
    pub(super) population: u32,
    /// Nodes of its outline; empty until the ways of a relation are known.
    pub(super) refs: Vec<i64>,
    pub(super) ways: Vec<i64>,
}

/// A relation of ways that make up an area.
pub(super) struct AreaRelation {
    pub(super) id: i64,
    pub(super) kind: AreaKind,
    pub(super) outer: Vec<i64>,
    pub(super) inner: Vec<i64>,
}

/// What one block holds that a map shows.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) has_nodes: bool,
    pub(super) has_ways: bool,
    pub(super) ways: Vec<ShownWay>,
    pub(super) areas: Vec<AreaRelation>,
    pub(super) outlines: Vec<PlaceOutline>,
    pub(super) names: Vec<(i64, PlaceName)>,
    pub(super) tally: Tally,
}

/// Looks at all objects of a block.
pub(super) fn scan_block(block: &Block<'_>) -> Result<Scan, MapError> {
    let mut scan = Scan::default();
    let mut has_areas = false;
    for element in block.content.elements() {
        match element {
            Element::DenseNode(node) => {
                scan.has_nodes = true;
                if node.raw_tags().len() > 0 {
                    let at = position(node.nano_lat(), node.nano_lon());
                    scan.node(node.id(), at, &node.tags().collect());
                }
            }
            Element::Node(node) => {
                scan.has_nodes = true;
                if node.raw_tags().len() > 0 {
                    let at = position(node.nano_lat(), node.nano_lon());
                    scan.node(node.id(), at, &node.tags().collect());
                }
            }
            Element::Way(way) => {
                scan.has_ways = true;
                if way.raw_refs().len() > 1 && way.tags().len() > 0 {
                    scan.way(way.id(), &way.tags().collect(), || way.refs().collect());
                }
            }
            Element::Relation(relation) => {
                let tags = relation.tags().collect();
                has_areas |= kinds::area(&tags).is_some() || kinds::place(&tags).is_some();
            }
        }
    }
    if has_areas {
        scan.relations_of(block)?;
    }
    Ok(scan)
}

impl Scan {
    fn node(&mut self, id: i64, at: Option<LatLng>, tags: &Tags<'_>) {
        if let (Some((rank, name, population)), Some(at)) = (kinds::place(tags), at) {
            let name = PlaceName {
                rank,
                population,
                at,
                name,
            };
            self.names.push((id, name));
        }
    }

    fn way(&mut self, id: i64, tags: &Tags<'_>, refs: impl FnOnce() -> Vec<i64>) {
        let kind = if kinds::is_coastline(tags) {
            LineKind::Coast
        } else if let Some(kind) = kinds::area(tags) {
            LineKind::Area(kind)
        } else if let Some(kind) = kinds::waterway(tags) {
            LineKind::Waterway(kind)
        } else if let Some((rank, name, population)) = kinds::place(tags) {
            self.outlines.push(PlaceOutline {
                id: ObjectId::Way(id),
                rank,
                name,
                population,
                refs: refs(),
                ways: Vec::new(),
            });
            return;
        } else {
            return;
        };
        self.ways.push(ShownWay {
            id,
            kind,
            refs: refs(),
        });
    }

    fn relations_of(&mut self, block: &Block<'_>) -> Result<(), MapError> {
        let decoded = block.relations()?;
        let strings = &decoded.strings;
        let text = |index: u32| std::str::from_utf8(strings.entries.get(index as usize)?).ok();
        for relation in decoded.groups.iter().flat_map(|group| &group.relations) {
            let pairs = relation.keys.iter().zip(&relation.values);
            let tags: Tags<'_> = pairs
                .filter_map(|(key, value)| Some((text(*key)?, text(*value)?)))
                .collect();
            self.relation(&tags, relation, strings);
        }
        Ok(())
    }

    fn relation(
        &mut self,
        tags: &Tags<'_>,
        relation: &wire::Relation,
        strings: &wire::StringTable,
    ) {
        if !tags.is_any("type", &["multipolygon", "boundary"]) {
            return;
        }
        let (outer, inner) = members(relation, strings);
        if let Some(kind) = kinds::area(tags) {
            if outer.is_empty() {
                let object = ObjectId::Relation(relation.id);
                self.tally.note(Reason::AreaWithoutOutline, object);
                return;
            }
            self.areas.push(AreaRelation {
                id: relation.id,
                kind,
                outer,
                inner,
            });
        } else if let Some((rank, name, population)) = kinds::place(tags) {
            self.outlines.push(PlaceOutline {
                id: ObjectId::Relation(relation.id),
                rank,
                name,
                population,
                refs: Vec::new(),
                ways: outer,
            });
        }
    }
}

/// Outer and inner ways of a relation.
fn members(relation: &wire::Relation, strings: &wire::StringTable) -> (Vec<i64>, Vec<i64>) {
    let mut id = 0_i64;
    let (mut outer, mut inner) = (Vec::new(), Vec::new());
    let kinds_and_roles = relation.member_kinds.iter().zip(&relation.roles);
    for (&step, (&kind, &role)) in relation.members.iter().zip(kinds_and_roles) {
        id = id.wrapping_add(step);
        if kind != wire::MEMBER_WAY {
            continue;
        }
        let role = usize::try_from(role)
            .ok()
            .and_then(|role| strings.entries.get(role));
        match role.map(Vec::as_slice) {
            Some(b"" | b"outer") => outer.push(id),
            Some(b"inner") => inner.push(id),
            _ => {}
        }
    }
    (outer, inner)
}
