//! Files in any order, doubled, damaged or without roads.

use proptest::prelude::*;

use super::*;

#[test]
fn the_order_of_objects_does_not_matter_and_the_first_of_two_counts() {
    let sketch = Sketch::new("a b c\n\n  d")
        .way(1, "ab", STREET)
        .way(2, "bc", STREET)
        .way(3, "bd", STREET)
        .restriction(1, 'b', 3, "no_right_turn");
    let map = &sketch.map;
    let mut shuffled = Vec::new();
    write::write_file_header(map, &mut shuffled).unwrap();
    write::write_relations(&map.relations, &mut shuffled).unwrap();
    write::write_ways(&map.ways[..1], &mut shuffled).unwrap();
    write::write_nodes(&map.nodes[2..], &mut shuffled).unwrap();
    write::write_ways(&map.ways[1..], &mut shuffled).unwrap();
    write::write_nodes(&map.nodes[..2], &mut shuffled).unwrap();
    let (archive, _) = read_bytes(&shuffled).unwrap();
    assert_eq!(archive.to_bytes(), sketch.read().archive.to_bytes());

    write::write_nodes(&map.nodes, &mut shuffled).unwrap();
    write::write_ways(&map.ways, &mut shuffled).unwrap();
    write::write_relations(&map.relations, &mut shuffled).unwrap();
    let (doubled, report) = read_bytes(&shuffled).unwrap();
    assert_eq!(doubled.to_bytes(), archive.to_bytes());
    let counts: Vec<u64> = report.dropped.iter().map(|drop| drop.count).collect();
    assert_eq!(counts, [4, 1, 3], "{:?}", report.dropped);
}

#[test]
fn negative_ids_are_ids_like_others() {
    let mut sketch = Sketch::new("a b c\n\n  d")
        .way(1, "ab", STREET)
        .way(2, "bc", STREET)
        .way(3, "bd", STREET)
        .restriction(1, 'b', 3, "no_right_turn");
    let plain = sketch.read();
    for node in &mut sketch.map.nodes {
        node.id = -node.id;
    }
    for way in &mut sketch.map.ways {
        way.id = -way.id;
        way.nodes.iter_mut().for_each(|node| *node = -*node);
    }
    for relation in &mut sketch.map.relations {
        relation.id = -relation.id;
        relation
            .members
            .iter_mut()
            .for_each(|member| member.2 = -member.2);
    }
    let negative = sketch.read();
    let mut edges = plain.edges(Profile::Car);
    edges.sort();
    assert_eq!(negative.edges(Profile::Car), edges);
    assert_eq!(
        negative.forbidden(Profile::Car),
        plain.forbidden(Profile::Car)
    );
    assert_eq!(negative.report.dropped, plain.report.dropped);
}

#[test]
fn relations_that_refer_to_nothing_are_counted_with_their_ids() {
    let street = Sketch::new("a b").way(1, "ab", STREET);
    let map = street
        .restriction(1, 'x', 1, "no_u_turn")
        .restriction(98, 'b', 99, "no_left_turn")
        .long_restriction(1, &[97], 1, "no_u_turn")
        .restrict(&[], &[("restriction", "no_left_turn")])
        .read();
    let lost = |reason: &str| {
        let found = map
            .report
            .dropped
            .iter()
            .find(|drop| drop.reason.contains(reason))
            .unwrap();
        found.examples.clone()
    };
    assert_eq!(lost("not in the network"), ["r1", "r2", "r3"]);
    assert_eq!(lost("members missing"), ["r4"]);
}

#[test]
fn of_each_reason_the_first_five_are_named() {
    let river = &[("waterway", "river")];
    let mut sketch = Sketch::new("a b").way(1, "ab", STREET);
    for id in 10..17 {
        sketch = sketch.way(id, "ab", river);
    }
    let map = sketch.read();
    assert_eq!(map.dropped("way", "not a road"), 7);
    assert_eq!(
        map.report.dropped[0].examples,
        ["w10", "w11", "w12", "w13", "w14"]
    );
    let text = map.report.to_string();
    assert!(
        text.contains("7 way          not a road") && text.contains("w14"),
        "{text}"
    );
}

#[test]
fn a_map_without_roads_is_refused_by_name() {
    let mut bytes = Vec::new();
    let sketch = Sketch::new("a b").way(1, "ab", &[("waterway", "river")]);
    write::write_pbf(&sketch.map, &mut bytes).unwrap();
    let error = read_bytes(&bytes).unwrap_err();
    assert!(matches!(error, MapError::NoRoads { .. }));
    assert!(error.to_string().contains("drawn.osm.pbf"), "{error}");
}

/// A map with every kind of object, its blocks not compressed, so that damage reaches the decoders.
fn plain_bytes() -> Vec<u8> {
    let sketch = Sketch::new("a b c\n\n  d e")
        .way(1, "ab", STREET)
        .way(2, "bc", ONE_WAY)
        .way(3, "bd", STREET)
        .way(4, "deb", &[("building", "yes"), ("addr:housenumber", "3")])
        .tag('b', &[("barrier", "bollard"), ("motorcycle", "yes")])
        .tag('e', &[("amenity", "cafe"), ("name", "Ness")])
        .restriction(1, 'b', 3, "no_right_turn");
    let mut packed = Vec::new();
    write::write_pbf(&sketch.map, &mut packed).unwrap();
    let mut plain = Vec::new();
    let mut rest = packed.as_slice();
    while !rest.is_empty() {
        let header_end = 4 + u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let header = <wire::BlobHeader as prost::Message>::decode(&rest[4..header_end]).unwrap();
        let end = header_end + usize::try_from(header.data_size).unwrap();
        let blob = <wire::Blob as prost::Message>::decode(&rest[header_end..end]).unwrap();
        let mut raw = Vec::new();
        std::io::Read::read_to_end(
            &mut flate2::read::ZlibDecoder::new(blob.zlib.unwrap().as_slice()),
            &mut raw,
        )
        .unwrap();
        let blob = prost::Message::encode_to_vec(&wire::Blob {
            raw: Some(raw),
            raw_size: None,
            zlib: None,
        });
        let data_size = i32::try_from(blob.len()).unwrap();
        let header = prost::Message::encode_to_vec(&wire::BlobHeader {
            kind: header.kind,
            data_size,
        });
        plain.extend(u32::try_from(header.len()).unwrap().to_be_bytes());
        plain.extend(header);
        plain.extend(blob);
        rest = &rest[end..];
    }
    plain
}

#[test]
fn a_relation_with_a_member_of_unknown_kind_is_counted_and_not_a_panic() {
    let mut sketch = Sketch::new("a b")
        .way(1, "ab", STREET)
        .restriction(1, 'b', 1, "no_u_turn");
    sketch.map.relations[0].members[0].1 = 99;
    assert_eq!(sketch.read().dropped("restriction", "members missing"), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn damaged_blocks_never_panic(damage in prop::collection::vec((0..10_000_usize, any::<u8>()), 1..6)) {
        let mut bytes = plain_bytes();
        for (at, value) in damage {
            let length = bytes.len();
            bytes[at % length] = value;
        }
        if let Err(error) = read_bytes(&bytes) {
            prop_assert!(error.to_string().contains("drawn.osm.pbf"), "{}", error);
        }
    }
}
