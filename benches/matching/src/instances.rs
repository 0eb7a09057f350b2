//! The input: that of the peers' scripts, or made-up input of the same size where they are not installed.

use anyhow::{Context, Result, ensure};
use doorstep_dispatch_core::optimization::assignment::{DenseCosts, SparseCosts};

use crate::batch_routes::{Batch, DriverStart, OrderVisits, Visit};
use crate::peers::Peers;
use crate::set_partition::Bundles;

/// What leaving an order out costs, in the scripts too.
const UNSERVED: i64 = 7200;

/// How the sections name the input.
pub(crate) fn about(peers: &Peers) -> &'static str {
    if peers.missing().is_none() {
        "The input of the peers' scripts."
    } else {
        "Made-up input, because the peers are not installed."
    }
}

pub(crate) fn sparse(peers: &Peers) -> Result<SparseCosts> {
    let words = match peers.instance("sp_10000.bin")? {
        Some(words) => words,
        None => made_up::sparse(10_000, 15_000, 20),
    };
    let [rows, columns, choices, rest @ ..] = words.as_slice() else {
        anyhow::bail!("no head");
    };
    let (rows, choices) = (*rows as usize, *choices as usize);
    let mut costs = SparseCosts::with_capacity(*columns, rows, rows * choices);
    for row in rest.chunks_exact(2 * choices) {
        let choice = |pair: &[u32]| (pair[0], i64::from(pair[1]));
        costs.push_row(UNSERVED, row.chunks_exact(2).map(choice));
    }
    ensure!(costs.row_count() == rows, "{} rows", costs.row_count());
    Ok(costs)
}

pub(crate) fn dense(peers: &Peers) -> Result<DenseCosts> {
    let words = match peers.instance("lap_1000.bin")? {
        Some(words) => words,
        None => made_up::dense(1000),
    };
    let (&size, costs) = words.split_first().context("no head")?;
    let costs: Result<Vec<i32>, _> = costs.iter().map(|&cost| i32::try_from(cost)).collect();
    Ok(DenseCosts::new(size as usize, costs?))
}

pub(crate) fn bundles(peers: &Peers) -> Result<Bundles> {
    let words = match peers.instance("setp_1000.bin")? {
        Some(words) => words,
        None => made_up::bundles(1000, 500),
    };
    let [orders, drivers, _, rest @ ..] = words.as_slice() else {
        anyhow::bail!("no head");
    };
    let mut bundles = Bundles::new(*drivers as usize, vec![UNSERVED; *orders as usize]);
    for bundle in rest.chunks_exact(5) {
        let held: Vec<u32> = bundle[1..4]
            .iter()
            .copied()
            .filter(|&order| order != u32::MAX)
            .collect();
        bundles.push(bundle[0], &held, i64::from(bundle[4]));
    }
    Ok(bundles)
}

/// Stops take a minute; an order is ready at some time and due 45 minutes later; three orders fit a driver, who works for
/// four hours.
pub(crate) fn batch(peers: &Peers, drivers: usize, orders: usize) -> Result<Batch> {
    let words = match peers.batch(drivers, orders)? {
        Some(words) => words,
        None => made_up::batch(drivers, orders),
    };
    let places = drivers + 2 * orders;
    let (ready, travel) = words
        .get(2..)
        .and_then(|rest| rest.split_at_checked(orders))
        .context("no head")?;
    ensure!(
        travel.len() == places * places,
        "{} travel times",
        travel.len()
    );
    let visit = |at: usize, open: u32, due: u32| Visit {
        at,
        open,
        close: due,
        service: 60,
    };
    let order = |(order, &ready): (usize, &u32)| OrderVisits {
        pickup: visit(drivers + order, ready, ready + 2700),
        dropoff: visit(drivers + orders + order, 0, ready + 2700),
        load: 1,
    };
    let start = |at: usize| DriverStart {
        at,
        from: 0,
        until: 14_400,
        capacity: 3,
    };
    Ok(Batch {
        drivers: (0..drivers).map(start).collect(),
        orders: ready.iter().enumerate().map(order).collect(),
        travel: travel.to_vec(),
        places,
    })
}

/// Cities of 40 busy places in the files' formats; the same every time.
mod made_up {
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};

    type Point = [i32; 2];

    fn random() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(1)
    }

    /// Metres, near some of the busy places.
    fn city(random: &mut ChaCha8Rng, count: usize) -> Vec<Point> {
        let mut busy = ChaCha8Rng::seed_from_u64(42);
        let busy: Vec<Point> = (0..40).map(|_| around(&mut busy, [0, 0], 12_000)).collect();
        (0..count)
            .map(|_| {
                let place = busy[random.random_range(0..busy.len())];
                around(random, place, 2500)
            })
            .collect()
    }

    fn around(random: &mut ChaCha8Rng, [x, y]: Point, reach: i32) -> Point {
        let mut away = || random.random_range(-reach..=reach);
        [x + away(), y + away()]
    }

    /// Seconds along streets at 6 m/s.
    fn seconds(a: Point, b: Point) -> u32 {
        (a[0].abs_diff(b[0]) + a[1].abs_diff(b[1])) / 6
    }

    /// The nearest of some places.
    fn nearest(from: Point, places: &[Point], count: usize) -> Vec<(u32, u32)> {
        let far = places.iter().map(|&place| seconds(from, place));
        let mut far: Vec<(u32, u32)> = far.zip(0..).collect();
        far.sort_unstable();
        far.truncate(count);
        far
    }

    pub(super) fn sparse(rows: u32, columns: u32, choices: u32) -> Vec<u32> {
        let mut random = random();
        let orders = city(&mut random, rows as usize);
        let drivers = city(&mut random, columns as usize);
        let mut words = vec![rows, columns, choices];
        for order in orders {
            let near = nearest(order, &drivers, choices as usize);
            words.extend(near.into_iter().flat_map(|(cost, driver)| [driver, cost]));
        }
        words
    }

    pub(super) fn dense(size: u32) -> Vec<u32> {
        let mut random = random();
        let orders = city(&mut random, size as usize);
        let drivers = city(&mut random, size as usize);
        let costs = orders
            .iter()
            .flat_map(|&a| drivers.iter().map(move |&b| seconds(a, b)));
        std::iter::once(size).chain(costs).collect()
    }

    pub(super) fn bundles(orders: u32, drivers: u32) -> Vec<u32> {
        let mut random = random();
        let pickups = city(&mut random, orders as usize);
        let dropoffs: Vec<Point> = pickups
            .iter()
            .map(|&at| around(&mut random, at, 2500))
            .collect();
        let places = city(&mut random, drivers as usize);
        let ride = |order: usize| seconds(pickups[order], dropoffs[order]) + 150;
        let mut words = vec![orders, drivers, 0];
        for (order, name) in (0..orders as usize).zip(0_u32..) {
            for (approach, driver) in nearest(pickups[order], &places, 20) {
                words.extend([driver, name, u32::MAX, u32::MAX, approach + ride(order)]);
            }
            for (between, other) in nearest(pickups[order], &pickups, 6) {
                let far = seconds(dropoffs[order], dropoffs[other as usize]);
                if other <= name {
                    continue;
                }
                for (approach, driver) in nearest(pickups[order], &places, 8) {
                    let cost = 2 * (approach + between + ride(order)) + far + 150;
                    words.extend([driver, name, other, u32::MAX, cost]);
                }
            }
        }
        words
    }

    pub(super) fn batch(drivers: usize, orders: usize) -> Vec<u32> {
        let mut random = random();
        let mut places = city(&mut random, drivers + orders);
        for order in 0..orders {
            places.push(around(&mut random, places[drivers + order], 2500));
        }
        let mut words = vec![0, 0];
        words.extend((0..orders).map(|_| random.random_range(0..1200_u32)));
        words.extend(
            places
                .iter()
                .flat_map(|&a| places.iter().map(move |&b| seconds(a, b))),
        );
        words
    }
}
