//! Builds the hierarchy: Dibbelt, Strasser & Wagner 2016, section 4, without a dynamic graph.
//!
//! A node's upper neighbours are its own in the graph and those of its children in the elimination tree. So one pass in
//! rank order that hands every list on to the parent finds the chordal supergraph, in time linear in its size (as in the
//! symbolic Cholesky factorization of George & Liu 1981). A second pass keeps of each of its edges the directions that
//! some path over lower ranks can take (Buchhold, Wagner, Zeitz & Zündorf 2020).

use super::{Cch, Chordal, Half, NONE};

impl Cch {
    /// Contracts the nodes of a directed graph: `first_out` has one entry a node and one more, `head` one an edge,
    /// `order` the nodes by rank.
    ///
    /// # Panics
    /// If the order is not each node once, two edges have the same ends, or the hierarchy has 2^31 edges.
    #[must_use]
    pub fn contract(first_out: &[u32], head: &[u32], order: &[u32]) -> Self {
        let count = first_out.len() - 1;
        let rank = ranks(order, count);
        let upper = upper_neighbours(first_out, head, &rank);
        let parent: Vec<u32> = upper
            .iter()
            .map(|highs| highs.first().copied().unwrap_or(NONE))
            .collect();
        let renumbered = postorder(&parent);
        let rank: Vec<u32> = rank
            .into_iter()
            .map(|rank| renumbered[rank as usize])
            .collect();
        let chordal = Chordal::new(&upper, &renumbered);
        drop(upper);
        let tails = (0..count).flat_map(|node| {
            std::iter::repeat_n(rank[node], (first_out[node + 1] - first_out[node]) as usize)
        });
        let chordal_lane: Vec<u32> = tails
            .zip(head)
            .map(|(tail, &head)| chordal.lane(tail, rank[head as usize]))
            .collect();
        let mut own = [
            vec![NONE; chordal.high.len()],
            vec![NONE; chordal.high.len()],
        ];
        for (edge, &lane) in (0..).zip(&chordal_lane).filter(|&(_, &lane)| lane != NONE) {
            let own = &mut own[lane as usize & 1][lane as usize >> 1];
            assert_eq!(
                *own, NONE,
                "between two nodes there is one edge in one direction"
            );
            *own = edge;
        }
        let mut possible =
            [0, 1].map(|side: usize| own[side].iter().map(|&own| own != NONE).collect());
        chordal.close(&mut possible);
        let [up, down] = [0, 1].map(|side| chordal.half(&possible[side], &own[side]));
        let mut node = vec![0; count];
        for (index, &rank) in (0..).zip(&rank) {
            node[rank as usize] = index;
        }
        let mut tree = vec![NONE; count];
        for (old, &above) in parent
            .iter()
            .enumerate()
            .filter(|&(_, &above)| above != NONE)
        {
            tree[renumbered[old] as usize] = renumbered[above as usize];
        }
        Self {
            rank,
            node,
            parent: tree,
            up,
            down,
            chordal,
        }
    }
}

fn ranks(order: &[u32], count: usize) -> Vec<u32> {
    let mut rank = vec![NONE; count];
    for (place, &node) in (0..).zip(order) {
        assert_eq!(
            rank[node as usize], NONE,
            "node {node} comes once in the order"
        );
        rank[node as usize] = place;
    }
    assert_eq!(order.len(), count, "the order is of this graph");
    rank
}

/// For each rank its neighbours of higher rank in the supergraph, ascending.
fn upper_neighbours(first_out: &[u32], head: &[u32], rank: &[u32]) -> Vec<Vec<u32>> {
    let mut upper = vec![Vec::new(); rank.len()];
    for (node, range) in first_out.windows(2).enumerate() {
        for &head in &head[range[0] as usize..range[1] as usize] {
            let (tail, head) = (rank[node], rank[head as usize]);
            if tail != head {
                upper[tail.min(head) as usize].push(tail.max(head));
            }
        }
    }
    for low in 0..upper.len() {
        upper[low].sort_unstable();
        upper[low].dedup();
        if let Some((&parent, _)) = upper[low].split_first() {
            let (lower, higher) = upper.split_at_mut(low + 1);
            higher[parent as usize - low - 1].extend_from_slice(&lower[low][1..]);
        }
    }
    upper
}

/// New ranks in which every subtree is a range; the supergraph of both orders is the same.
fn postorder(parent: &[u32]) -> Vec<u32> {
    let mut size = vec![1_u32; parent.len()];
    for (rank, &parent) in parent.iter().enumerate() {
        if parent != NONE {
            size[parent as usize] += size[rank];
        }
    }
    // A node takes the last number of its range; its children share out the rest, the highest child the highest part.
    let mut roots_end = u32::try_from(parent.len()).expect("ranks have 32-bit numbers");
    let mut end = vec![0; parent.len()];
    let mut children_end = vec![0; parent.len()];
    for rank in (0..parent.len()).rev() {
        let free = if parent[rank] == NONE {
            &mut roots_end
        } else {
            &mut children_end[parent[rank] as usize]
        };
        end[rank] = *free;
        *free -= size[rank];
        children_end[rank] = end[rank] - 1;
    }
    end.iter_mut().for_each(|end| *end -= 1);
    end
}

impl Chordal {
    fn new(upper: &[Vec<u32>], renumbered: &[u32]) -> Self {
        let mut old = vec![0_usize; upper.len()];
        for (rank, &new) in renumbered.iter().enumerate() {
            old[new as usize] = rank;
        }
        let (mut first, mut high) = (vec![0], Vec::new());
        for old in old {
            let start = high.len();
            high.extend(upper[old].iter().map(|&high| renumbered[high as usize]));
            high[start..].sort_unstable();
            first.push(u32::try_from(high.len()).expect("fewer than 2^32 edges"));
        }
        assert!(
            high.len() < 1 << 31,
            "{} edges are too many to count twice",
            high.len()
        );
        Self { first, high }
    }

    /// Twice the edge between two ranks, plus 1 if it leads down.
    fn lane(&self, from: u32, to: u32) -> u32 {
        if from == to {
            return NONE;
        }
        let edges = self.edges(from.min(to));
        let place = self.high[edges.clone()]
            .binary_search(&from.max(to))
            .expect("the supergraph holds every edge of the graph");
        2 * u32::try_from(edges.start + place).expect("fewer than 2^31 edges")
            + u32::from(from > to)
    }

    /// Marks which directions, up and down, lower triangles make possible.
    fn close(&self, [up, down]: &mut [Vec<bool>; 2]) {
        let mut place = vec![NONE; self.first.len() - 1];
        let (first_below, below) = group(self.first.len() - 1, &self.high);
        let low = self.lows();
        for rank in (0..).take(self.first.len() - 1) {
            for edge in self.edges(rank) {
                place[self.high[edge] as usize] =
                    u32::try_from(edge).expect("fewer than 2^31 edges");
            }
            let range =
                first_below[rank as usize] as usize..first_below[rank as usize + 1] as usize;
            for &below in &below[range] {
                let (in_from, out_to) = (up[below as usize], down[below as usize]);
                let end = self.first[low[below as usize] as usize + 1] as usize;
                for edge in below as usize + 1..end {
                    let target = place[self.high[edge] as usize] as usize;
                    up[target] |= out_to & up[edge];
                    down[target] |= in_from & down[edge];
                }
            }
        }
    }

    fn lows(&self) -> Vec<u32> {
        let mut low = Vec::with_capacity(self.high.len());
        for (rank, &end) in (0..).zip(&self.first[1..]) {
            low.resize(end as usize, rank);
        }
        low
    }

    /// The possible edges of one direction.
    fn half(&self, possible: &[bool], all_own: &[u32]) -> Half {
        let (mut first, mut high, mut low) = (vec![0], Vec::new(), Vec::new());
        let (mut own, mut chordal) = (Vec::new(), Vec::new());
        for rank in (0..).take(self.first.len() - 1) {
            for edge in self.edges(rank).filter(|&edge| possible[edge]) {
                high.push(self.high[edge]);
                low.push(rank);
                own.push(all_own[edge]);
                chordal.push(u32::try_from(edge).expect("fewer than 2^31 edges"));
            }
            first.push(u32::try_from(high.len()).expect("fewer than 2^31 edges"));
        }
        let (first_below, below) = group(self.first.len() - 1, &high);
        Half {
            first,
            high,
            low,
            own,
            chordal,
            first_below,
            below,
        }
    }
}

/// Groups the places of a list by the value there: where each group starts, and the places in ascending order.
pub(super) fn group(groups: usize, values: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut first = vec![0_u32; groups + 1];
    for &value in values {
        first[value as usize + 1] += 1;
    }
    for index in 0..groups {
        first[index + 1] += first[index];
    }
    let mut next = first.clone();
    let mut places = vec![0; values.len()];
    for (place, &value) in (0..).zip(values) {
        places[next[value as usize] as usize] = place;
        next[value as usize] += 1;
    }
    (first, places)
}
