//! Who does pieces of work that do not depend on each other: the core has no threads of its own, its caller may lend it some.

use std::sync::{Mutex, PoisonError};

/// Does pieces of work, in any order and any threads. What comes of them is joined in the order of their numbers, so that
/// answers do not depend on how it is done.
pub trait Executor: Sync {
    /// Calls `piece` once with each number below `count`, and returns when all calls have.
    fn run(&self, count: usize, piece: &(dyn Fn(usize) + Sync));
}

/// One piece after the other, in the thread that asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct InTurn;

impl Executor for InTurn {
    fn run(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) {
        (0..count).for_each(piece);
    }
}

/// What `make` gives for each item, in the order of the items. Pieces are `chunk` items long.
pub(crate) fn map<I: Sync, T: Send>(
    executor: &dyn Executor,
    items: &[I],
    chunk: usize,
    make: impl Fn(&[I]) -> Vec<T> + Sync,
) -> Vec<T> {
    let chunks: Vec<&[I]> = items.chunks(chunk).collect();
    let made: Vec<Mutex<Vec<T>>> = chunks.iter().map(|_| Mutex::default()).collect();
    executor.run(chunks.len(), &|index| {
        let of_chunk = make(chunks[index]);
        *made[index].lock().unwrap_or_else(PoisonError::into_inner) = of_chunk;
    });
    made.into_iter()
        .flat_map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last piece first.
    struct Backwards;

    impl Executor for Backwards {
        fn run(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) {
            (0..count).rev().for_each(piece);
        }
    }

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..100).collect();
        let squares: Vec<u32> = items.iter().map(|item| item * item).collect();
        let square = |items: &[u32]| items.iter().map(|item| item * item).collect::<Vec<_>>();
        for chunk in [1, 7, 100, 1000] {
            assert_eq!(map(&InTurn, &items, chunk, square), squares);
            assert_eq!(map(&Backwards, &items, chunk, square), squares);
        }
    }
}
