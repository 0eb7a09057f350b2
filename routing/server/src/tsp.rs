//! Short tours through some points: exact for a few, insertion and local search for more.

/// What an arc costs that must not be used; far above any sum of real ones, and sums of it still fit.
pub(crate) const FORBIDDEN: i64 = 1 << 50;

/// Up to so many points the tour is the shortest there is.
pub(crate) const EXACT_MAX: usize = 11;

/// How many improving moves are made at most for each point; reached only on made-up costs.
const MOVES_MAX: usize = 60;

/// Costs between points, not the same in both directions.
pub(crate) struct Costs {
    count: usize,
    cells: Vec<i64>,
}

impl Costs {
    /// A square table, filled cell by cell (row, column).
    pub(crate) fn new(count: usize, mut cost: impl FnMut(usize, usize) -> i64) -> Self {
        let cells = (0..count * count)
            .map(|cell| cost(cell / count, cell % count))
            .collect();
        Self { count, cells }
    }

    fn between(&self, from: usize, to: usize) -> i64 {
        self.cells[from * self.count + to]
    }

    /// What a closed tour costs.
    #[must_use]
    pub(crate) fn of(&self, tour: &[usize]) -> i64 {
        let next = tour.iter().cycle().skip(1);
        tour.iter()
            .zip(next)
            .map(|(&from, &to)| self.between(from, to))
            .sum()
    }
}

/// A short closed tour through all points, from point 0; ties go to the lower index.
#[must_use]
pub(crate) fn tour(costs: &Costs) -> Vec<usize> {
    match costs.count {
        0 => Vec::new(),
        1..=3 => best_of_few(costs),
        4..=EXACT_MAX => exact(costs),
        _ => improve(costs, insert_farthest(costs)),
    }
}

fn best_of_few(costs: &Costs) -> Vec<usize> {
    let tour: Vec<usize> = (0..costs.count).collect();
    let other: Vec<usize> = std::iter::once(0).chain((1..costs.count).rev()).collect();
    if costs.of(&other) < costs.of(&tour) {
        other
    } else {
        tour
    }
}

/// Dynamic programming over subsets (Held and Karp 1962; Bellman 1962): n² 2ⁿ steps.
fn exact(costs: &Costs) -> Vec<usize> {
    let others = costs.count - 1;
    let cell = |set: usize, last: usize| set * others + last;
    let mut best = vec![(i64::MAX, usize::MAX); others << others];
    for last in 0..others {
        best[cell(1 << last, last)] = (costs.between(0, last + 1), usize::MAX);
    }
    for set in 1..1_usize << others {
        for last in (0..others).filter(|last| set >> last & 1 == 1) {
            let rest = set & !(1 << last);
            for before in (0..others).filter(|before| rest >> before & 1 == 1) {
                let cost = best[cell(rest, before)].0 + costs.between(before + 1, last + 1);
                if cost < best[cell(set, last)].0 {
                    best[cell(set, last)] = (cost, before);
                }
            }
        }
    }
    let mut set = (1 << others) - 1;
    let closed = |last: usize| best[cell(set, last)].0 + costs.between(last + 1, 0);
    let mut last = (0..others)
        .min_by_key(|&last| closed(last))
        .unwrap_or_default();
    let mut tour = Vec::with_capacity(costs.count);
    while last != usize::MAX {
        tour.push(last + 1);
        let before = best[cell(set, last)].1;
        set &= !(1 << last);
        last = before;
    }
    tour.push(0);
    tour.reverse();
    tour
}

/// Farthest insertion: the point that is farthest from the tour comes next, where it costs least.
fn insert_farthest(costs: &Costs) -> Vec<usize> {
    let near = |a: usize, b: usize| costs.between(a, b).min(costs.between(b, a));
    let mut tour = vec![0];
    let mut away: Vec<i64> = (0..costs.count).map(|point| near(0, point)).collect();
    let mut left: Vec<usize> = (1..costs.count).collect();
    while let Some(position) = (0..left.len()).rev().max_by_key(|&index| away[left[index]]) {
        let point = left.remove(position);
        let detour = |place: usize| {
            let (before, after) = (tour[place], tour[(place + 1) % tour.len()]);
            costs.between(before, point) + costs.between(point, after)
                - costs.between(before, after)
        };
        let place = (0..tour.len())
            .min_by_key(|&place| detour(place))
            .unwrap_or_default();
        tour.insert(place + 1, point);
        for &other in &left {
            away[other] = away[other].min(near(point, other));
        }
    }
    tour
}

/// Local search with two moves (2-opt, Croes 1958; Or-opt, Or 1976) until neither makes the tour shorter.
fn improve(costs: &Costs, mut tour: Vec<usize>) -> Vec<usize> {
    for _ in 0..MOVES_MAX * costs.count {
        if !(move_stretch(costs, &mut tour) || reverse_stretch(costs, &mut tour)) {
            break;
        }
    }
    let start = tour.iter().position(|&point| point == 0);
    tour.rotate_left(start.unwrap_or_default());
    tour
}

/// Moves up to three neighbours to another place of the tour, as they are, if that is shorter: the first such move.
fn move_stretch(costs: &Costs, tour: &mut [usize]) -> bool {
    let count = tour.len();
    for start in 0..count {
        for length in 1..=3 {
            // Seen from the stretch, the rest of the tour is at offsets `length..count`.
            let at = |offset: usize| tour[(start + offset) % count];
            let (first, last, before) = (at(0), at(length - 1), at(count - 1));
            let saved = costs.between(before, first) + costs.between(last, at(length))
                - costs.between(before, at(length));
            for place in length..count - 1 {
                let added = costs.between(at(place), first) + costs.between(last, at(place + 1))
                    - costs.between(at(place), at(place + 1));
                if added < saved {
                    tour.rotate_left(start);
                    tour[..=place].rotate_left(length);
                    return true;
                }
            }
        }
    }
    false
}

/// Turns a stretch of the tour around if that is shorter, its inner arcs counted in their new direction: the first such
/// move. Running sums make each look constant time.
fn reverse_stretch(costs: &Costs, tour: &mut [usize]) -> bool {
    let count = tour.len();
    let sums = |cost: &dyn Fn(usize, usize) -> i64| {
        let mut sum = 0;
        let arcs = tour.windows(2).map(|pair| {
            sum += cost(pair[0], pair[1]);
            sum
        });
        std::iter::once(0).chain(arcs).collect::<Vec<i64>>()
    };
    let along = sums(&|from, to| costs.between(from, to));
    let against = sums(&|from, to| costs.between(to, from));
    for start in 1..count {
        for end in start + 1..count {
            let (before, after) = (tour[start - 1], tour[(end + 1) % count]);
            let old = costs.between(before, tour[start])
                + (along[end] - along[start])
                + costs.between(tour[end], after);
            let new = costs.between(before, tour[end])
                + (against[end] - against[start])
                + costs.between(tour[start], after);
            if new < old {
                tour[start..=end].reverse();
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All orders, one by one.
    fn shortest(costs: &Costs, tour: &mut Vec<usize>) -> i64 {
        if tour.len() == costs.count {
            return costs.of(tour);
        }
        let mut best = i64::MAX;
        for point in 0..costs.count {
            if !tour.contains(&point) {
                tour.push(point);
                best = best.min(shortest(costs, tour));
                tour.pop();
            }
        }
        best
    }

    fn is_tour(tour: &[usize], count: usize) -> bool {
        let mut sorted = tour.to_vec();
        sorted.sort_unstable();
        sorted == (0..count).collect::<Vec<_>>() && tour.first().is_none_or(|&first| first == 0)
    }

    #[test]
    fn on_a_circle_the_tour_goes_around() {
        for count in [0, 1, 2, 3, 7, 40] {
            let costs = Costs::new(count, |from, to| {
                // A step ahead is cheap, a step back dear; the points are numbered in another order.
                let (from, to) = (from * 13 % count.max(1), to * 13 % count.max(1));
                i64::try_from((to + count - from) % count).unwrap() * 10
            });
            let tour = tour(&costs);
            assert!(is_tour(&tour, count), "{tour:?}");
            let around = if count > 1 { count * 10 } else { 0 };
            assert_eq!(costs.of(&tour), i64::try_from(around).unwrap(), "{count}");
        }
    }

    proptest! {
        #[test]
        fn few_points_get_the_shortest_tour(cells in prop::collection::vec(0..1000_i64, 49), count in 1..=7_usize) {
            let costs = Costs::new(count, |from, to| cells[from * 7 + to]);
            let tour = tour(&costs);
            prop_assert!(is_tour(&tour, count));
            prop_assert_eq!(costs.of(&tour), shortest(&costs, &mut vec![0]));
        }

        #[test]
        fn search_ends_near_the_shortest(points in prop::collection::vec((0..1000_i64, 0..1000_i64), 7)) {
            let costs = Costs::new(points.len(), |from, to| {
                let (a, b) = (points[from], points[to]);
                (a.0 - b.0).abs() + (a.1 - b.1).abs() + i64::from(from > to) * 10
            });
            let start = insert_farthest(&costs);
            let found = improve(&costs, start.clone());
            prop_assert!(is_tour(&found, points.len()));
            prop_assert!(costs.of(&found) <= costs.of(&start));
            prop_assert!(costs.of(&found) * 10 <= shortest(&costs, &mut vec![0]) * 13 + 300);
        }
    }
}
