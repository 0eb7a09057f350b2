//! Orders a cell of a few dozen edges by eliminating whichever has the fewest neighbours left.

use super::cell::{Cell, NO_EDGE};

/// One bit an edge.
pub(super) const EDGES_MAX: usize = 64;

/// The edges in order of elimination; of equal degrees the one that comes first in the cell. Two edges are neighbours
/// where one leads on to the other.
pub(super) fn order(cell: &Cell) -> Vec<u32> {
    let mut edges: Vec<(u32, [u32; 2], usize)> = Vec::new();
    for (index, link) in cell.links.iter().enumerate() {
        let [start, end] = link.ends;
        for (edge, ends) in link.edges.into_iter().zip([[start, end], [end, start]]) {
            if edge != NO_EDGE {
                edges.push((edge, ends, index));
            }
        }
    }
    assert!(
        edges.len() <= EDGES_MAX,
        "{} edges do not fit {EDGES_MAX} bits",
        edges.len()
    );
    let meets = |[_, head]: [u32; 2], [tail, _]: [u32; 2]| head == tail;
    let mut neighbours: Vec<u64> = edges
        .iter()
        .map(|&(_, ends, link)| {
            (0..edges.len())
                .filter(|&other| edges[other].2 != link)
                .filter(|&other| meets(ends, edges[other].1) || meets(edges[other].1, ends))
                .fold(0, |bits, other| bits | 1 << other)
        })
        .collect();
    let mut left: Vec<usize> = (0..edges.len()).collect();
    let mut order = Vec::with_capacity(edges.len());
    while let Some(place) =
        (0..left.len()).min_by_key(|&place| neighbours[left[place]].count_ones())
    {
        let edge = left.remove(place);
        order.push(edges[edge].0);
        let mut rest = neighbours[edge];
        while rest != 0 {
            let neighbour = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            neighbours[neighbour] |= neighbours[edge];
            neighbours[neighbour] &= !(1 << edge | 1 << neighbour);
        }
    }
    order
}
