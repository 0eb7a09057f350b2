//! Places on drawn maps.

use super::*;

#[test]
fn places_stand_on_nodes_and_in_the_middle_of_areas() {
    let map = Sketch::new("a b\n\np q\ns r  t u")
        .way(1, "ab", STREET)
        .tag('t', &[("amenity", "cafe"), ("name", "Ness")])
        .tag(
            'u',
            &[
                ("addr:housenumber", "7"),
                ("addr:street", "Rua Nova"),
                ("amenity", "bank"),
            ],
        )
        .way(
            2,
            "pqrsp",
            &[
                ("building", "yes"),
                ("amenity", "restaurant"),
                ("name", "Tasca"),
            ],
        )
        .way(
            3,
            "pq",
            &[("amenity", "restaurant"), ("name", "Not an area")],
        )
        .read();
    let mut places: Vec<(PlaceKind, &str)> = map
        .archive
        .places
        .iter()
        .map(|place| (place.kind, place.name.as_str()))
        .collect();
    places.sort_unstable();
    assert_eq!(
        places,
        [
            (PlaceKind::Restaurant, "Tasca"),
            (PlaceKind::Cafe, "Ness"),
            (PlaceKind::Address, "Rua Nova 7")
        ]
    );
    let tasca = map
        .archive
        .places
        .iter()
        .find(|place| place.name == "Tasca")
        .unwrap();
    assert_eq!(tasca.at, LatLng::from_e7(409_975_000, -85_990_000));
    assert_eq!(map.dropped("place", "neither a node nor a closed way"), 1);
}

#[test]
fn a_place_has_its_door_on_the_nearest_road_that_a_scooter_can_reach() {
    let cafe = &[("amenity", "cafe"), ("name", "Ness")];
    let bar = &[("amenity", "fast_food"), ("name", "Far")];
    // p is nearest to the footway cd, which is not for scooters; q is 700 m from any road.
    let map = Sketch::new("a   b\n  p\nc   d\n\n\n\n\n\nq")
        .way(1, "ab", STREET)
        .way(2, "cd", &[("highway", "footway")])
        .way(3, "ac", &[("highway", "footway")])
        .tag('p', cafe)
        .tag('q', bar)
        .read();
    let place = |name: &str| {
        let found = map.archive.places.iter().find(|place| place.name == name);
        found.unwrap().clone()
    };
    let door = place("Ness").door.unwrap();
    assert_eq!(map.name(door.edge), "ab");
    assert_eq!(door.at.lat_e7(), 410_000_000);
    assert_eq!(place("Far").door, None);
    assert_eq!(map.dropped("place", "no road within"), 1);
    let far = map
        .report
        .dropped
        .iter()
        .find(|drop| drop.object == "place")
        .unwrap();
    assert_eq!(far.examples, [format!("n{}", u32::from('q'))]);
}

#[test]
fn a_place_keeps_its_kitchen_hours_and_names_through_the_archive() {
    let tags = &[
        ("amenity", "restaurant"),
        ("name", "Tasca"),
        ("name:en", "Tavern"),
        ("cuisine", "portuguese"),
        ("opening_hours", "Mo-Su 12:00-15:00"),
        ("addr:street", "Rua Nova"),
        ("addr:housenumber", "7"),
    ];
    let map = Sketch::new("a b\n\np")
        .way(1, "ab", STREET)
        .tag('p', tags)
        .read();
    let back = RoadArchive::from_bytes(&map.archive.to_bytes()).unwrap();
    let place = &back.places[0];
    assert_eq!(place, &map.archive.places[0]);
    assert_eq!(
        (place.name_in("en"), place.name_in("pt")),
        ("Tavern", "Tasca")
    );
    assert_eq!(place.address, "Rua Nova 7");
    assert_eq!(place.opening_hours, "Mo-Su 12:00-15:00");
}

#[test]
fn a_place_may_be_a_relation_with_outer_ways() {
    let mut sketch = Sketch::new("a b\n\np q\ns r")
        .way(1, "ab", STREET)
        .way(7, "pqr", &[])
        .way(8, "rsp", &[]);
    let relation = |id, members: &[(&'static str, i32, i64)]| NewRelation {
        id,
        members: members.to_vec(),
        tags: owned(&[
            ("type", "multipolygon"),
            ("amenity", "restaurant"),
            ("name", "Tasca"),
        ]),
    };
    let outer = |way| ("outer", MEMBER_WAY, way);
    sketch.map.relations.push(relation(
        5,
        &[outer(7), outer(8), ("inner", MEMBER_WAY, 99)],
    ));
    sketch
        .map
        .relations
        .push(relation(6, &[outer(7), outer(99)]));
    let map = sketch.read();
    assert_eq!(map.archive.places.len(), 1);
    assert_eq!(
        map.archive.places[0].at,
        LatLng::from_e7(409_975_000, -85_990_000)
    );
    assert_eq!(map.archive.places[0].osm_id, 5);
    assert_eq!(map.dropped("place", "corners missing"), 1);
}
