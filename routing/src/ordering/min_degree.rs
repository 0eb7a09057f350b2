//! Orders a cell of a few dozen nodes by eliminating whichever has the fewest neighbours left.

use super::cell::Cell;

/// One bit a node.
pub(super) const NODES_MAX: usize = 64;

/// The nodes in order of elimination; of equal degrees the one that comes first in the cell.
pub(super) fn order(cell: &Cell) -> Vec<u32> {
    assert!(
        cell.len() <= NODES_MAX,
        "{} nodes do not fit {NODES_MAX} bits",
        cell.len()
    );
    let mut neighbours: Vec<u64> = cell
        .positions()
        .map(|node| {
            cell.neighbours(node)
                .iter()
                .fold(0, |bits, &head| bits | 1 << head)
        })
        .collect();
    let mut left: Vec<usize> = (0..cell.len()).collect();
    let mut order = Vec::with_capacity(cell.len());
    while let Some(place) =
        (0..left.len()).min_by_key(|&place| neighbours[left[place]].count_ones())
    {
        let node = left.remove(place);
        order.push(cell.nodes[node]);
        let mut rest = neighbours[node];
        while rest != 0 {
            let neighbour = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            neighbours[neighbour] |= neighbours[node];
            neighbours[neighbour] &= !(1 << node | 1 << neighbour);
        }
    }
    order
}
