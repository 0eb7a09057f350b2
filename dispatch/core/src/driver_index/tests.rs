//! The index against looking at every driver.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const FREE: u32 = 1;
const LARGE: u32 = 2;

/// Every driver looked at.
#[derive(Default)]
struct Oracle(BTreeMap<DriverId, (LatLng, u32)>);

impl Oracle {
    fn nearest(
        &self,
        at: LatLng,
        count: usize,
        radius: Distance,
        filter: Filter,
    ) -> Vec<Neighbour> {
        let mut all: Vec<Neighbour> = self
            .0
            .iter()
            .filter(|(driver, (_, attributes))| {
                filter.lets_through(Attributes(*attributes)) && is_eligible(**driver)
            })
            .map(|(&driver, (place, _))| Neighbour {
                distance: at.crow_distance(*place),
                driver,
            })
            .filter(|neighbour| neighbour.distance <= radius)
            .collect();
        all.sort_unstable();
        all.truncate(count);
        all
    }
}

fn is_eligible(driver: DriverId) -> bool {
    !driver.0.is_multiple_of(5)
}

#[derive(Debug, Clone)]
enum Step {
    Place(u64, i32, i32),
    Attributes(u64, u32),
    Remove(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let driver = 0..400_u64;
    prop_oneof![
        8 => (driver.clone(), -1000..1000_i32, -1000..1000_i32).prop_map(|(driver, north, east)| Step::Place(driver, north, east)),
        2 => (driver.clone(), 0..4_u32).prop_map(|(driver, bits)| Step::Attributes(driver, bits)),
        1 => driver.prop_map(Step::Remove),
    ]
}

/// A coordinate on Earth, shifted; longitudes go on beyond the 180th meridian.
fn shifted(lat: i32, lng: i32, north: i64, east: i64) -> LatLng {
    let lat = (i64::from(lat) + north).clamp(-900_000_000, 900_000_000);
    let lng = (i64::from(lng) + east + 5_400_000_000).rem_euclid(3_600_000_000) - 1_800_000_000;
    LatLng::from_e7(
        i32::try_from(lat).expect("clamped"),
        i32::try_from(lng).expect("wrapped"),
    )
}

fn compare(
    steps: Vec<Step>,
    centre: (i32, i32),
    spread: i64,
    asks: &[(i64, i64, usize, u32)],
) -> Result<(), TestCaseError> {
    let (lat, lng) = centre;
    let (mut index, mut oracle) = (DriverIndex::default(), Oracle::default());
    for step in steps {
        match step {
            Step::Place(driver, north, east) => {
                let at = shifted(
                    lat,
                    lng,
                    i64::from(north) * spread,
                    i64::from(east) * spread,
                );
                index.place(DriverId(driver), at);
                oracle.0.entry(DriverId(driver)).or_insert((at, 0)).0 = at;
            }
            Step::Attributes(driver, bits) => {
                index.set_attributes(DriverId(driver), Attributes(bits));
                oracle
                    .0
                    .entry(DriverId(driver))
                    .and_modify(|row| row.1 = bits);
            }
            Step::Remove(driver) => {
                index.remove(DriverId(driver));
                oracle.0.remove(&DriverId(driver));
            }
        }
    }
    prop_assert!(index.is_consistent());
    prop_assert_eq!(index.len(), oracle.0.len());
    for (&driver, &(at, bits)) in &oracle.0 {
        prop_assert_eq!(index.position(driver), Some(at));
        prop_assert_eq!(index.attributes(driver), Some(Attributes(bits)));
    }
    let filters = [
        Filter::ANY,
        Filter { all: FREE, none: 0 },
        Filter {
            all: FREE,
            none: LARGE,
        },
    ];
    for &(north, east, count, radius_m) in asks {
        let at = shifted(lat, lng, north * spread, east * spread);
        let radius = Distance::from_metres(radius_m);
        for filter in filters {
            let found = index.nearest(at, count, radius, filter, is_eligible);
            prop_assert_eq!(found, oracle.nearest(at, count, radius, filter));
        }
        let mut all = index.within(at, radius, filters[1]);
        all.retain(|neighbour| is_eligible(neighbour.driver));
        prop_assert_eq!(all, oracle.nearest(at, usize::MAX, radius, filters[1]));
    }
    Ok(())
}

fn asks() -> impl Strategy<Value = Vec<(i64, i64, usize, u32)>> {
    prop::collection::vec(
        (-1100..1100_i64, -1100..1100_i64, 0..40_usize, 1..30_000_u32),
        1..8,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// Cities anywhere, beside the poles and across the 180th meridian too, from a yard to a country in size.
    #[test]
    fn finds_what_looking_at_everyone_finds(
        lat in prop_oneof![8 => -650_000_000..650_000_000_i32, 1 => 850_000_000..=900_000_000_i32, 1 => -900_000_000..=-850_000_000_i32],
        lng in prop_oneof![4 => -1_800_000_000..=1_800_000_000_i32, 1 => 1_799_000_000..=1_800_000_000_i32, 1 => Just(0)],
        spread in prop_oneof![Just(0_i64), 1..20_i64, 20..2_000_i64, 2_000..20_000_i64],
        steps in prop::collection::vec(step(), 1..1500),
        asks in asks(),
    ) {
        compare(steps, (lat, lng), spread, &asks)?;
    }

    /// The distance without trigonometry is the one with it, to the millimetre.
    #[test]
    fn distances_are_the_same(
        lat in -890_000_000..890_000_000_i32,
        lng in -1_800_000_000..=1_800_000_000_i32,
        north in -1_000_000..1_000_000_i64,
        east in -3_000_000..3_000_000_i64,
        nearer in 1..10_000_i64,
    ) {
        let at = LatLng::from_e7(lat, lng);
        let to = shifted(lat, lng, north / nearer, east / nearer);
        if let Some(plane) = plane::Plane::new(at, Distance::from_metres(3_000)) {
            prop_assert_eq!(plane.distance(to), at.crow_distance(to));
        }
    }
}

/// A crowd at one door, and then gone: more drivers than a leaf of the lowest level has places for.
#[test]
fn a_crowd_at_one_place_comes_and_goes() {
    let door = LatLng::from_e7(411_500_000, -86_100_000);
    let mut index = DriverIndex::default();
    for driver in 0..1_000 {
        index.place(DriverId(driver), door);
    }
    assert!(index.is_consistent());
    let found = index.nearest(door, 3, Distance::from_metres(1), Filter::ANY, |driver| {
        driver.0 > 500
    });
    let ids: Vec<u64> = found.iter().map(|neighbour| neighbour.driver.0).collect();
    assert_eq!(
        ids,
        [501, 502, 503],
        "equal distances are in the order of ids"
    );
    for driver in (0..1_000).rev() {
        index.remove(DriverId(driver));
        assert!(index.is_consistent());
    }
    assert!(index.is_empty());
}

/// A crowd that crosses the city leaves no empty squares behind.
#[test]
fn memory_does_not_grow_with_the_way_of_a_crowd() {
    let mut index = DriverIndex::default();
    let mut most = 0;
    for step in 0..400 {
        for driver in 0..100 {
            index.place(
                DriverId(driver),
                LatLng::from_e7(411_500_000 + step * 7_919, -86_100_000 + step * 6_007),
            );
        }
        if step == 20 {
            most = index.tree.rows();
        }
    }
    assert!(index.is_consistent());
    assert!(
        index.tree.rows() <= 2 * most,
        "{} rows after {most}",
        index.tree.rows()
    );
}
