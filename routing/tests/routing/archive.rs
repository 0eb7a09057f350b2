//! Archives come back as they were, and damage is an error that names its byte.

use doorstep_routing::{
    ArchiveError, AreaKind, FeatureArea, LatLng, MapFeatures, PlaceName, PlaceRank, RoadArchive,
    Waterway, WaterwayKind,
};
use proptest::prelude::{any, prop};
use proptest::proptest;

use crate::support::{archive_of, random_network};

fn archive_bytes() -> Vec<u8> {
    archive_of(random_network(3, 6)).to_bytes()
}

#[test]
fn an_archive_comes_back_as_it_was() {
    let archive = archive_of(random_network(3, 12));
    let bytes = archive.to_bytes();
    let back = RoadArchive::from_bytes(&bytes).expect("what was written");
    assert_eq!(back.to_bytes(), bytes);
    assert_eq!(back.places, archive.places);
    assert_eq!(back.edge_orders, archive.edge_orders);
    assert_eq!(back.attribution, archive.attribution);
    assert!(
        back.network
            .forbidden_paths()
            .eq(archive.network.forbidden_paths())
    );
}

/// One of everything, with numbers of every length.
fn features() -> MapFeatures {
    let at = LatLng::from_e7;
    let ring = vec![at(-900_000_000, 5), at(7, 1_800_000_000), at(0, -300)];
    MapFeatures {
        bounds: Some((at(-1, -2), at(3, 4))),
        areas: AreaKind::ALL
            .into_iter()
            .map(|kind| FeatureArea {
                kind,
                outer: ring.clone(),
                holes: vec![ring.clone(); kind as usize],
            })
            .collect(),
        waterways: vec![Waterway {
            kind: WaterwayKind::Canal,
            line: ring,
        }],
        names: vec![PlaceName {
            rank: PlaceRank::Village,
            population: u32::MAX,
            at: at(8, 9),
            name: "Għarb".to_owned(),
        }],
    }
}

#[test]
fn features_are_a_section_that_readers_of_roads_skip() {
    let archive = archive_of(random_network(3, 12));
    for features in [features(), MapFeatures::default()] {
        let bytes = archive.to_bytes_with_features(&features);
        let (back, found) =
            RoadArchive::from_bytes_with_features(&bytes).expect("what was written");
        assert_eq!(found, Some(features));
        assert_eq!(back.to_bytes(), archive.to_bytes());
        assert_eq!(
            RoadArchive::from_bytes(&bytes).expect("roads").to_bytes(),
            archive.to_bytes()
        );
    }
    // An archive of roads only, as older versions wrote it.
    let (_, found) =
        RoadArchive::from_bytes_with_features(&archive.to_bytes()).expect("roads only");
    assert_eq!(found, None);
}

#[test]
fn every_flipped_byte_is_noticed() {
    let good = archive_of(random_network(3, 6)).to_bytes_with_features(&features());
    let mut bytes = good.clone();
    for at in 0..bytes.len() {
        for mask in [1, 0x80, 0xff] {
            bytes[at] ^= mask;
            let error = RoadArchive::from_bytes_with_features(&bytes)
                .expect_err(&format!("byte {at} was flipped with {mask:#x}"));
            assert!(error.to_string().contains("byte "), "byte {at}: {error}");
            bytes[at] ^= mask;
        }
    }
    assert_eq!(bytes, good);
}

#[test]
fn every_truncation_is_noticed() {
    let bytes = archive_bytes();
    for length in 0..bytes.len() {
        let error =
            RoadArchive::from_bytes(&bytes[..length]).expect_err(&format!("cut to {length} bytes"));
        assert!(
            error.to_string().contains("byte "),
            "cut to {length}: {error}"
        );
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(matches!(
        RoadArchive::from_bytes(&longer),
        Err(ArchiveError::Length { .. })
    ));
}

proptest! {
    #[test]
    fn random_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        assert!(RoadArchive::from_bytes(&bytes).is_err());
    }

    #[test]
    fn random_bytes_after_the_magic_are_an_error(tail in prop::collection::vec(any::<u8>(), 0..2000)) {
        let bytes = [b"DOORROAD\x01\0\0\0".as_slice(), &tail].concat();
        assert!(RoadArchive::from_bytes(&bytes).is_err());
    }
}
