//! What a journal holds: any bytes give a dispatcher that keeps its rules, or an error.
#![no_main]

use doorstep_dispatch_core::{
    CrowFlyTravelTimes, Dispatcher, Input, Policy, RoundResult, Time, invariants,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(result) = RoundResult::from_bytes(bytes) {
        let mut dispatcher = Dispatcher::new(Policy::default()).expect("the default works");
        dispatcher.handle_round(Time::EPOCH, result);
    }
    let Ok(mut dispatcher) = Dispatcher::restore(Policy::default(), bytes) else {
        return;
    };
    let again = Dispatcher::restore(Policy::default(), &dispatcher.snapshot());
    assert_eq!(
        again.expect("its own snapshot").digest(),
        dispatcher.digest()
    );
    let mut travel = CrowFlyTravelTimes::new(8_000);
    // A deadline cannot be refused.
    let _ = dispatcher.handle(Time::from_millis(1 << 40), Input::Deadline, &mut travel);
    while dispatcher.poll_output().is_some() {}
    let _ = invariants::check(&dispatcher);
});
