//! Any sequence of inputs, sensible or not, keeps the rules and can be repeated.

use doorstep_dispatch_core::{
    AdvicePolicy, Answer, Bundling, DeclineReason, DeliveryId, Dispatcher, DriverId, Fix, Input,
    Matching, MilestoneKind, OFFERS_AT_ONCE_LIMIT, OfferId, Policy, SearchLevel, Span, StopKind,
    Time,
};
use doorstep_routing::Distance;
use proptest::prelude::*;

use crate::town::{START, Town, place};

/// What happens next; drivers, deliveries and offers are few, so that they meet.
#[derive(Debug, Clone)]
enum Event {
    /// An input that says everything.
    Plain(Input),
    /// A fix taken so long from now.
    Fix {
        driver: u64,
        north: i32,
        offset_s: i64,
    },
    Request {
        delivery: u128,
        /// One of a few, so that orders meet there.
        restaurant: i32,
        customer: i32,
        ready_s: u64,
    },
    /// An offer is received by its driver, or by another.
    Received {
        back: usize,
        foreign: bool,
    },
    Answered {
        back: usize,
        foreign: bool,
        answer: Answer,
    },
    /// A driver does one of the stops of the plan, mostly the first, sometimes one whose turn has not come.
    Work {
        driver: u64,
        stop: usize,
    },
    Wait {
        seconds: u64,
    },
    /// One of the deliveries that are not over is given to a driver by hand.
    ByHand {
        driver: u64,
        nth: usize,
    },
}

fn plain() -> impl Strategy<Value = Input> {
    let driver = || (0..6_u64).prop_map(DriverId);
    let delivery = || (0..30_u128).prop_map(DeliveryId);
    let reached = prop_oneof![
        Just(MilestoneKind::ArrivedAtRestaurant),
        Just(MilestoneKind::PickedUp),
        Just(MilestoneKind::ArrivedAtCustomer),
        Just(MilestoneKind::DroppedOff),
    ];
    prop_oneof![
        6 => (driver(), -4000..4000_i32, prop::option::weighted(0.4, 0..5000_u64)).prop_map(|(driver, north, seconds)| {
            let until = seconds.map(|seconds| START.after(Span::from_secs(seconds)));
            Input::DriverOnDuty { driver, at: place(north, 0), until }
        }),
        1 => driver().prop_map(|driver| Input::DriverOffDuty { driver }),
        1 => driver().prop_map(|driver| Input::DriverLost { driver }),
        1 => (delivery(), 0..4000_u64).prop_map(|(delivery, seconds)| Input::ReadyTimeChanged {
            delivery,
            ready_at: START.after(Span::from_secs(seconds)),
        }),
        1 => delivery().prop_map(|delivery| Input::CancelDelivery { delivery }),
        2 => (driver(), delivery(), reached)
            .prop_map(|(driver, delivery, reached)| Input::Milestone { driver, delivery, reached }),
        1 => Just(Input::Deadline),
        2 => (driver(), delivery())
            .prop_map(|(driver, delivery)| Input::AssignDelivery { delivery, driver }),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let answer =
        prop_oneof![4 => Just(Answer::Accept), 1 => Just(Answer::Decline(DeclineReason::Other))];
    let foreign = || prop::bool::weighted(0.1);
    prop_oneof![
        7 => plain().prop_map(Event::Plain),
        2 => (0..6_u64, -4000..4000_i32, -200..200_i64)
            .prop_map(|(driver, north, offset_s)| Event::Fix { driver, north, offset_s }),
        8 => (0..30_u128, -2..2_i32, -3000..3000_i32, 0..900_u64).prop_map(
            |(delivery, restaurant, customer, ready_s)| Event::Request { delivery, restaurant, customer, ready_s },
        ),
        1 => (0..4_usize, foreign()).prop_map(|(back, foreign)| Event::Received { back, foreign }),
        7 => (0..4_usize, foreign(), answer)
            .prop_map(|(back, foreign, answer)| Event::Answered { back, foreign, answer }),
        7 => (0..6_u64, prop_oneof![2 => Just(0), 1 => 1..3_usize]).prop_map(|(driver, stop)| Event::Work { driver, stop }),
        7 => (0..80_u64).prop_map(|seconds| Event::Wait { seconds }),
        3 => (0..6_u64, 0..8_usize).prop_map(|(driver, nth)| Event::ByHand { driver, nth }),
    ]
}

/// Mostly an open offer, else the `back`-th last one, and who is to speak about it; one that never was if there are fewer.
fn offer_of(town: &Town, back: usize, foreign: bool) -> (DriverId, OfferId) {
    let ended = || {
        let at = town.offers.len().checked_sub(back + 1)?;
        town.offers.get(at)
    };
    let open = || {
        let count = town.open_offers.len().max(1);
        town.open_offers.values().nth(back % count)
    };
    let offer = if back == 3 {
        ended()
    } else {
        open().or_else(ended)
    };
    offer.map_or((DriverId(0), OfferId(99)), |offer| {
        (DriverId(offer.driver.0 + u64::from(foreign)), offer.offer)
    })
}

fn input_of(town: &Town, event: &Event) -> Option<Input> {
    Some(match *event {
        Event::Plain(input) => input,
        Event::Fix {
            driver,
            north,
            offset_s,
        } => {
            let time =
                Time::from_millis(town.now.as_millis().saturating_add_signed(offset_s * 1000));
            let fix = Fix {
                at: place(north, 0),
                time,
                speed_mm_s: Some(0),
                heading_cdeg: None,
            };
            Input::Fix {
                driver: DriverId(driver),
                fix,
            }
        }
        Event::Request {
            delivery,
            restaurant,
            customer,
            ready_s,
        } => Input::RequestDelivery(town.order(
            delivery,
            place(restaurant * 1500, 0),
            place(0, customer),
            Span::from_secs(ready_s),
        )),
        Event::Received { back, foreign } => {
            let (driver, offer) = offer_of(town, back, foreign);
            Input::OfferReceived { driver, offer }
        }
        Event::Answered {
            back,
            foreign,
            answer,
        } => {
            let (driver, offer) = offer_of(town, back, foreign);
            Input::OfferAnswered {
                driver,
                offer,
                answer,
            }
        }
        Event::Work { driver, stop } => {
            let stop = town.plans.get(&DriverId(driver))?.get(stop)?;
            let reached = match stop.kind {
                StopKind::Pickup => MilestoneKind::PickedUp,
                StopKind::Dropoff => MilestoneKind::DroppedOff,
            };
            Input::Milestone {
                driver: DriverId(driver),
                delivery: stop.delivery,
                reached,
            }
        }
        Event::Wait { .. } => return None,
        Event::ByHand { driver, nth } => {
            let open = town.events.values().filter(|event| !event.state.is_end());
            let open: Vec<DeliveryId> = open.map(|event| event.delivery).collect();
            Input::AssignDelivery {
                delivery: *open.get(nth % open.len().max(1))?,
                driver: DriverId(driver),
            }
        }
    })
}

fn run(policy: &Policy, events: &[Event]) -> Town {
    run_in(Town::new(policy.clone()), events)
}

fn run_in(mut town: Town, events: &[Event]) -> Town {
    for event in events {
        if let Event::Wait { seconds } = event {
            town.wait(Span::from_secs(*seconds));
        } else if let Some(input) = input_of(&town, event) {
            let _ = town.send(input);
        }
    }
    town
}

/// How many drivers are asked at once and how a search widens: as it began, or in a few levels, the last ones at times
/// that a run hardly comes to.
fn searches() -> impl Strategy<Value = (usize, Vec<SearchLevel>)> {
    let at_once = || prop_oneof![2 => Just(1_usize), 3 => 2..=OFFERS_AT_ONCE_LIMIT];
    let level = (1..900_u64, 1..12_usize, 2_000..9_000_u32, at_once());
    let levels = prop::collection::vec(level, 0..4).prop_map(|levels| {
        let mut after = Span::ZERO;
        let widened =
            levels
                .into_iter()
                .map(|(seconds, candidates_max, metres, offers_at_once)| {
                    after = Span::from_millis(after.as_millis() + seconds * 1000);
                    SearchLevel {
                        after,
                        candidates_max,
                        search_radius: Distance::from_metres(metres),
                        offers_at_once,
                    }
                });
        widened.collect()
    });
    (at_once(), levels)
}

/// Every way of matching with every way of bundling; small tables, exact estimates and patient rounds in turn.
fn policies() -> impl Strategy<Value = Policy> {
    let bundling = prop_oneof![
        1 => Just(Bundling::Never),
        2 => Just(Bundling::OneRestaurant),
        2 => Just(Bundling::AcrossRestaurants),
    ];
    let flag = any::<bool>;
    let flags = (flag(), flag(), flag(), flag(), flag());
    let matching = prop::sample::select(&Matching::ALL[..]);
    (matching, bundling, flags, searches()).prop_map(
        |(
            matching,
            bundling,
            (small, exact, busy, dwelling, advised),
            (offers_at_once, search_levels),
        )| {
            let mut policy = Policy {
                matching,
                bundling,
                offers_at_once,
                search_levels,
                search_radius: Distance::from_metres(3_000),
                ..Policy::default()
            };
            if small {
                policy.drivers_max = 3;
                policy.gone_drivers_max = 2;
                policy.open_deliveries_max = 3;
                policy.ended_deliveries_max = 2;
                policy.ended_offers_max = 2;
                policy.declines_max = 1;
                policy.round_deliveries_max = 2;
                policy.candidates_max = 2;
                policy.bundle_max = 2;
            }
            if exact {
                policy.ready_sd = Span::ZERO;
            }
            if busy {
                policy.next_order_within = Span::from_mins(120);
            }
            if advised {
                policy.advice = Some(AdvicePolicy {
                    idle_after: Span::from_secs(60),
                    rest: Span::from_secs(90),
                    advices_max: 2,
                    ..AdvicePolicy::default()
                });
            }
            if dwelling {
                policy.dwells.parking = Span::from_secs(60);
                policy.dwells.leaving = Span::from_secs(30);
                policy.dwells.returning = Span::from_secs(90);
            }
            policy
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// The town checks the rules after each input; see there. A run whose dispatcher is restored from a snapshot before each
    /// input is the same run.
    #[test]
    fn rules_hold_and_runs_repeat(policy in policies(), events in prop::collection::vec(event(), 1..250)) {
        let town = run(&policy, &events);
        let restored = run_in(Town { is_restored: true, ..Town::new(policy) }, &events);
        prop_assert_eq!(town.dispatcher.digest(), restored.dispatcher.digest());
        prop_assert!(town.dispatcher.snapshot() == restored.dispatcher.snapshot());
    }

    /// A round that is solved beside the dispatcher and comes back at once asks whom a round within the deadline asks.
    #[test]
    fn rounds_beside_that_come_back_at_once_are_rounds_within(policy in policies(), events in prop::collection::vec(event(), 1..250)) {
        let inline = run(&policy, &events);
        let beside = run_in(Town { rounds_beside: Some(0), ..Town::new(policy) }, &events);
        prop_assert_eq!(inline.offers, beside.offers);
        prop_assert_eq!(inline.events, beside.events);
    }

    /// Whatever happens while a round is solved, only what still holds is offered; the town checks each offer.
    #[test]
    fn rounds_beside_offer_what_holds(
        policy in policies(),
        events in prop::collection::vec(event(), 1..250),
        delay in 1..12_usize,
        is_restored in any::<bool>(),
    ) {
        let town = || Town { rounds_beside: Some(delay), ..Town::new(policy.clone()) };
        let first = run_in(town(), &events);
        let again = run_in(Town { is_restored, ..town() }, &events);
        prop_assert_eq!(first.dispatcher.digest(), again.dispatcher.digest());
    }

    /// Bytes that were changed or cut are refused, or are a dispatcher that keeps the rules.
    #[test]
    fn any_bytes_are_refused_or_keep_the_rules(
        policy in policies(),
        events in prop::collection::vec(event(), 1..60),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let town = run(&policy, &events);
        let mut bytes = town.dispatcher.snapshot();
        for (at, byte) in changes {
            *at.get_mut(&mut bytes) = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(dispatcher) = Dispatcher::restore(policy.clone(), &bytes) {
            let mut town = Town { dispatcher, ..Town::new(policy) };
            let _ = town.dispatcher.handle(town.now, Input::Deadline, &mut town.travel);
        }
    }

    /// Whatever happened: once the world is quiet, only food on its way keeps a delivery open.
    #[test]
    fn nothing_searches_for_ever(policy in policies(), events in prop::collection::vec(event(), 1..120)) {
        let mut town = run(&policy, &events);
        town.wait(Span::from_mins(24 * 60));
        for delivery in town.dispatcher.deliveries() {
            prop_assert!(delivery.state().is_end() || delivery.state().is_served(), "{:?}", delivery);
        }
    }
}
