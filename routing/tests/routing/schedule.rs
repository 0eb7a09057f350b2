//! Nothing depends on the number of threads.

use doorstep_routing::cch::Cch;
use doorstep_routing::ordering::nested_dissection;
use rayon::ThreadPoolBuilder;

use crate::support::{profile_of, random_network};

#[test]
fn order_and_customization_are_the_same_at_any_number_of_threads() {
    for seed in 0..3 {
        let network = random_network(seed, 70);
        let run = |threads| {
            let pool = ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("a few threads");
            pool.install(|| {
                let order = nested_dissection(&network);
                let cch = Cch::contract(&network, &order);
                let metric = cch.customize(network.free_flow_times(profile_of(seed)).to_vec(), 0);
                (order, cch.edge_count(), metric.digest())
            })
        };
        let alone = run(1);
        assert!(alone == run(2) && alone == run(4), "seed {seed}");
    }
}
