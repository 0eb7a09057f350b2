//! Nothing depends on the number of threads.

use doorstep_routing::TurnGraph;
use doorstep_routing::ordering::nested_dissection;
use doorstep_routing::router::contract;
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
                let profile = profile_of(seed);
                let turns = TurnGraph::of(&network, profile);
                let cch = contract(&turns, order.of(profile));
                let weights = turns.weights(network.free_flow_times(profile));
                let basic = cch.customize(weights);
                let perfect = cch.perfect(&basic);
                (
                    order,
                    cch.edge_count(),
                    [basic, perfect].map(|metric| metric.digest()),
                )
            })
        };
        let alone = run(1);
        assert!(alone == run(2) && alone == run(4), "seed {seed}");
    }
}
