//! Measures contestants in turn, block by block, so that a disturbance of the machine meets all of them.

use std::time::Instant;

/// One contestant: it answers the query of that number.
pub type Contestant<'a> = Box<dyn FnMut(usize) + 'a>;

/// Median seconds of one call for each contestant over queries `0..queries`, in blocks that alternate between them.
/// One untimed block comes first.
pub fn race(queries: usize, blocks: usize, contestants: &mut [Contestant<'_>]) -> Vec<f64> {
    let size = queries.div_ceil(blocks).max(1);
    for run in contestants.iter_mut() {
        (0..size.min(queries)).for_each(&mut *run);
    }
    let mut samples = vec![Vec::with_capacity(queries); contestants.len()];
    for block in 0..blocks {
        for (run, samples) in contestants.iter_mut().zip(&mut samples) {
            for query in block * size..((block + 1) * size).min(queries) {
                let start = Instant::now();
                run(query);
                samples.push(start.elapsed().as_secs_f64());
            }
        }
    }
    samples.into_iter().map(median).collect()
}

/// The middle of the sorted samples; not a number if there is none.
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Seconds of one call, and what it gave.
pub fn timed<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let made = run();
    (start.elapsed().as_secs_f64(), made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_contestant_answers_every_query_after_a_block_to_warm_up() {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let medians = race(
            5,
            2,
            &mut [
                Box::new(|query| first.push(query)),
                Box::new(|query| second.push(query)),
            ],
        );
        assert_eq!(first, [0, 1, 2, 0, 1, 2, 3, 4]);
        assert_eq!(second, first);
        assert_eq!(medians.len(), 2);
    }

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_nan());
    }
}
