//! Closed rings: which way they run, and which of them a point lies in.

use super::frame::Point;

/// Twice the area of a ring that does not repeat its first point; positive if it runs anticlockwise.
pub(crate) fn doubled_area(ring: &[Point]) -> i128 {
    let next = ring.iter().cycle().skip(1);
    ring.iter()
        .zip(next)
        .map(|(a, b)| i128::from(a[0]) * i128::from(b[1]) - i128::from(b[0]) * i128::from(a[1]))
        .sum()
}

/// Positive if `c` lies to the left of the line from `a` to `b`, 0 if on it.
pub(crate) fn side(a: Point, b: Point, c: Point) -> i128 {
    let along = |to: Point| [i128::from(to[0] - a[0]), i128::from(to[1] - a[1])];
    let ([bx, by], [cx, cy]) = (along(b), along(c));
    bx * cy - by * cx
}

/// Whether two segments cross at a point that is inside both.
pub(crate) fn cross(a: Point, b: Point, c: Point, d: Point) -> bool {
    let opposite = |one: i128, other: i128| (one > 0 && other < 0) || (one < 0 && other > 0);
    opposite(side(a, b, c), side(a, b, d)) && opposite(side(c, d, a), side(c, d, b))
}

/// Rings in rows of edges, so that a question looks at one row only.
///
/// There are as many rows as keep the entries below three for each edge, however long the edges are.
pub(crate) struct RingIndex {
    south: i64,
    row_height: i64,
    rows: Vec<Vec<u32>>,
    edges: Vec<(Point, Point, u32)>,
}

impl RingIndex {
    pub(crate) fn new<'a>(rings: impl Iterator<Item = &'a [Point]>) -> Self {
        let mut edges = Vec::new();
        for (number, ring) in (0_u32..).zip(rings) {
            let next = ring.iter().cycle().skip(1);
            edges.extend(
                ring.iter()
                    .zip(next)
                    .filter(|(a, b)| a[1] != b[1])
                    .map(|(a, b)| (*a, *b, number)),
            );
        }
        let ys = edges.iter().flat_map(|(a, b, _)| [a[1], b[1]]);
        let (south, north) = (ys.clone().min().unwrap_or(0), ys.max().unwrap_or(0));
        let tall: i64 = edges.iter().map(|(a, b, _)| (a[1] - b[1]).abs()).sum();
        let height = north - south + 1;
        let count = i64::try_from(edges.len()).unwrap_or(i64::MAX);
        let rows = (i128::from(count) * i128::from(height) / i128::from(tall.max(1)))
            .clamp(1, i128::from(count.max(1)));
        let rows = i64::try_from(rows).unwrap_or(1);
        let mut index = Self {
            south,
            row_height: height / rows + 1,
            rows: Vec::new(),
            edges,
        };
        index.rows.resize_with(index.row(north) + 1, Vec::new);
        for (number, (a, b, _)) in (0_u32..).zip(&index.edges) {
            let (low, high) = (a[1].min(b[1]), a[1].max(b[1]));
            for row in index.row(low)..=index.row(high) {
                index.rows[row].push(number);
            }
        }
        index
    }

    fn row(&self, y: i64) -> usize {
        usize::try_from((y - self.south) / self.row_height).unwrap_or(0)
    }

    /// The numbers of the rings that a point lies in, by counting their edges east of it.
    pub(crate) fn around(&self, at: Point) -> Vec<u32> {
        if at[1] < self.south {
            return Vec::new();
        }
        let Some(row) = self.rows.get(self.row(at[1])) else {
            return Vec::new();
        };
        let mut crossed: Vec<u32> = row
            .iter()
            .map(|edge| self.edges[*edge as usize])
            .filter(|(a, b, _)| {
                let (low, high) = if a[1] < b[1] { (a, b) } else { (b, a) };
                low[1] <= at[1] && at[1] < high[1] && side(*low, *high, at) > 0
            })
            .map(|(_, _, ring)| ring)
            .collect();
        crossed.sort_unstable();
        crossed
            .chunk_by(|a, b| a == b)
            .filter(|edges| edges.len() % 2 == 1)
            .map(|edges| edges[0])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_knows_its_rings() {
        let rings = [
            vec![[0, 0], [100, 0], [100, 100], [0, 100]],
            vec![[20, 20], [20, 40], [40, 40], [40, 20]],
            vec![[200, 0], [300, 50], [200, 100]],
        ];
        assert!(doubled_area(&rings[0]) == 20_000 && doubled_area(&rings[1]) == -800);
        let index = RingIndex::new(rings.iter().map(Vec::as_slice));
        for (at, expected) in [
            ([10, 10], vec![0]),
            ([30, 30], vec![0, 1]),
            ([150, 50], vec![]),
            ([210, 50], vec![2]),
            ([30, 20], vec![0, 1]),
            ([30, 40], vec![0]),
            ([30, -1], vec![]),
            ([30, 500], vec![]),
        ] {
            assert_eq!(index.around(at), expected, "{at:?}");
        }
        assert!(RingIndex::new(std::iter::empty()).around([0, 0]).is_empty());
    }

    #[test]
    fn segments_cross_only_inside_each_other() {
        assert!(cross([0, 0], [10, 10], [0, 10], [10, 0]));
        assert!(
            !cross([0, 0], [10, 10], [10, 10], [20, 0]),
            "they share an end"
        );
        assert!(!cross([0, 0], [10, 0], [0, 5], [10, 5]));
    }
}
