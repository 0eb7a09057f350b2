//! Every answer of the router against Dijkstra's algorithm on its turn-expanded graph, to the millisecond.
//!
//! `make test` checks some hundred pairs on the small maps at hand; `make test-full` sets `DOORSTEP_FULL`, which checks ten
//! thousand pairs on every map, for every profile, and says what it has seen.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "the helpers of tests fail like tests"
)]

mod graphs;
mod oracle;
mod pairs;
mod published;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use doorstep_maps::{generate, read, unwatched};
use doorstep_routing::{Profile, RoadArchive, RoadClass, Router, SplitMix64, TravelTime};

use crate::oracle::Oracle;
use crate::pairs::Pairs;

/// Maps of at most so many bytes are in the fast part.
const FAST_BYTES_MAX: u64 = 200_000;

/// How much is checked.
#[derive(Clone, Copy)]
struct Effort {
    sources: usize,
    targets: usize,
    all_profiles: bool,
}

fn is_full() -> bool {
    std::env::var_os("DOORSTEP_FULL").is_some_and(|full| full == "1")
}

fn effort() -> Effort {
    if is_full() {
        Effort {
            sources: 100,
            targets: 100,
            all_profiles: true,
        }
    } else {
        Effort {
            sources: 12,
            targets: 25,
            all_profiles: false,
        }
    }
}

/// The folder with real maps and graphs.
fn data() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    std::env::var_os("DOORSTEP_DATA").map_or(beside, PathBuf::from)
}

/// What lies in a folder of the data, sorted; none with a line that says so.
fn files(folder: &str, suffix: &str) -> Vec<PathBuf> {
    let folder = data().join(folder);
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(suffix))
        .collect();
    found.sort();
    if found.is_empty() {
        say(&format!(
            "skipped: no {suffix} in {}; set DOORSTEP_DATA",
            folder.display()
        ));
    }
    found
}

/// Past the capture of the test runner, so that a person sees what was checked.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[test]
fn all_answers_on_real_maps_are_exact() {
    let mut maps = files("osm", ".osm.pbf");
    if !is_full() {
        maps.retain(|map| fs::metadata(map).unwrap().len() <= FAST_BYTES_MAX);
    }
    for (seed, map) in (1..).zip(&maps) {
        check_map(map, seed);
    }
}

#[test]
fn all_answers_on_a_made_up_city_are_exact() {
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("made-up.osm.pbf");
    generate(11, if is_full() { 60_000 } else { 3_000 }, &map).unwrap();
    check_map(&map, 11);
}

fn check_map(map: &Path, seed: u64) {
    let (archive, _) = read(map, &unwatched).unwrap();
    let effort = effort();
    let profiles = Profile::ALL.into_iter().enumerate();
    let chosen = profiles.filter(|(at, _)| effort.all_profiles || *at as u64 == seed % 4);
    for (_, profile) in chosen {
        let name = map.file_name().unwrap().to_string_lossy();
        check_profile(
            &archive,
            profile,
            seed,
            effort,
            &format!("{name}, {profile}, seed {seed}"),
        );
    }
}

fn check_profile(archive: &RoadArchive, profile: Profile, seed: u64, effort: Effort, what: &str) {
    let free_flow = Router::new(archive, profile);
    let mut random = SplitMix64::new(seed);
    let Some(pairs) = Pairs::draw(&free_flow, &mut random, effort.sources, effort.targets) else {
        say(&format!("{what}: no road"));
        return;
    };
    let mut reached = check(&free_flow, &pairs, &format!("{what}, free flow"));
    let rush = free_flow.with_times(rush_hour(&free_flow), 1);
    reached += check(&rush, &pairs, &format!("{what}, rush hour"));
    let wild = rush.with_times(random_times(&rush, &mut random), 2);
    reached += check(&wild, &pairs, &format!("{what}, random times"));
    // Few changes take the way of partial customization, many that of a full one: both end at the same metric.
    for (share, epoch) in [(1000, 3), (30, 4)] {
        let changed = change_some(&rush, &mut random, share);
        let patched = rush.with_times(changed.clone(), epoch);
        let whole = free_flow.with_times(changed, epoch);
        assert_eq!(patched.epoch(), epoch, "{what}");
        reached += check(&patched, &pairs, &format!("{what}, one in {share} changed"));
        check(
            &whole,
            &pairs.few(),
            &format!("{what}, one in {share} changed, anew"),
        );
    }
    // Those who still hold the routers of other epochs see their own times and no others.
    check(
        &rush,
        &pairs.few(),
        &format!("{what}, rush hour after swaps"),
    );
    check(
        &free_flow,
        &pairs.few(),
        &format!("{what}, free flow after swaps"),
    );
    if is_full() {
        let asked = 5 * effort.sources * effort.targets;
        say(&format!(
            "{what}: {asked} pairs in 5 metrics are exact, {reached} with a way"
        ));
    }
}

/// Checks one router on all pairs; the answer is how many have a way.
fn check(router: &Router, pairs: &Pairs, what: &str) -> usize {
    let oracle = Oracle::new(router);
    pairs.check(router, &oracle, what)
}

/// A rush hour made up by class: the more important the road, the slower it has become.
fn rush_hour(router: &Router) -> Vec<TravelTime> {
    let network = router.network();
    let tenths = |class| match class {
        RoadClass::Motorway | RoadClass::Trunk => 22,
        RoadClass::Primary | RoadClass::Secondary => 18,
        RoadClass::Tertiary => 14,
        _ => 11,
    };
    let times = network.edges().zip(router.metric().times());
    times
        .map(|(edge, &time)| {
            if time == TravelTime::MAX {
                return time;
            }
            TravelTime::from_millis(time.as_millis() * tenths(network.class(edge)) / 10)
        })
        .collect()
}

/// Times that have nothing to do with lengths, many of them equal, some nothing; one in 50 edges is closed.
fn random_times(router: &Router, random: &mut SplitMix64) -> Vec<TravelTime> {
    let times = router.metric().times().iter();
    times
        .map(|&time| match random.below(100) {
            _ if time == TravelTime::MAX => time,
            0 | 1 => TravelTime::MAX,
            2..10 => TravelTime::ZERO,
            10..20 => TravelTime::from_millis(random.below(1_000_000) as u32),
            _ => TravelTime::from_millis(1000 * random.below(60) as u32),
        })
        .collect()
}

/// The same times but for one in `share`, which become slower, faster, or closed.
fn change_some(router: &Router, random: &mut SplitMix64, share: usize) -> Vec<TravelTime> {
    let times = router.metric().times().iter();
    times
        .map(|&time| {
            if time == TravelTime::MAX || random.below(share) != 0 {
                return time;
            }
            match random.below(4) {
                0 => TravelTime::MAX,
                1 => TravelTime::from_millis(time.as_millis() / 3),
                _ => TravelTime::from_millis(time.as_millis() * 3 + 1),
            }
        })
        .collect()
}
