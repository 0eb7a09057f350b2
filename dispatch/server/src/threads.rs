//! The threads that a round gets beside its own.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use doorstep_dispatch_core::Executor;

/// Threads of one round: more gain little, since most of what they could share is done by then.
const THREADS_MAX: usize = 4;

/// Does pieces of work in as many threads as there are processors, at most [`THREADS_MAX`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Threads(usize);

impl Threads {
    pub(crate) fn new() -> Self {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        Self(processors.min(THREADS_MAX))
    }
}

impl Executor for Threads {
    fn run(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return;
                }
                piece(index);
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.0.min(count) {
                scope.spawn(work);
            }
            work();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_is_done_once_by_any_number_of_threads() {
        for threads in [1, 2, 7] {
            for count in [0, 1, 3, 1_000] {
                let done: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
                Threads(threads).run(count, &|index| {
                    done[index].fetch_add(1, Ordering::Relaxed);
                });
                let all_once = done.iter().all(|done| done.load(Ordering::Relaxed) == 1);
                assert!(all_once, "{threads} threads, {count} pieces");
            }
        }
    }
}
