//! Random command sequences: no order breaks, every order ends, the books balance.

use std::collections::HashSet;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::effects::{Effect, effects};
use crate::domain::ids::{CustomerId, DriverId, ItemId, OrderId, PaymentId, QuoteId, RestaurantId};
use crate::domain::ledger::{Account, Kind};
use crate::domain::money::{BasisPoints, Currency};
use crate::domain::pricing::{Tariff, Wanted, price};
use crate::domain::restaurant::MenuItem;

fn terms(price_minor: i64) -> Terms {
    let id = |n: u128| Uuid::from_u128(n);
    let item_id = ItemId::from_uuid(id(6));
    let menu = [MenuItem {
        item_id,
        name: "soup".into(),
        price_minor,
        available: true,
    }];
    let tariff = Tariff {
        currency: Currency::EUR,
        base_fee_minor: 190,
        included_m: 1_000,
        per_km_minor: 60,
        commission: BasisPoints::new(1_499),
        driver_share: BasisPoints::new(7_777),
    };
    let place = |lat| Place::from_degrees(lat, 14.5).unwrap();
    Terms {
        order_id: OrderId::from_uuid(id(1)),
        customer_id: CustomerId::from_uuid(id(2)),
        restaurant_id: RestaurantId::from_uuid(id(3)),
        restaurant_name: "Nenu".into(),
        quote_id: QuoteId::from_uuid(id(4)),
        payment_id: PaymentId::from_uuid(id(5)),
        payment_method: "sandbox_ok".into(),
        price: price(
            &menu,
            &[Wanted {
                item_id,
                quantity: 3,
            }],
            2_500,
            &tariff,
        )
        .unwrap(),
        pickup: place(35.9),
        dropoff: place(35.91),
        distance_m: 2_500,
        travel_time_ms: 300_000,
        time_outs: TimeOuts {
            payment_ms: 900_000,
            accept_ms: 600_000,
            pickup_ms: 5_400_000,
            dropoff_ms: 10_800_000,
        },
    }
}

fn opened() -> Order {
    Order::opened(terms(777), 1_000)
}

fn capture(order: &Order) -> Command {
    Command::Payment(payment::Command::Capture {
        gateway_payment_id: "gw_1".into(),
        amount: order.due(),
    })
}

fn report(seq: u32, phase: delivery::Phase) -> Command {
    Command::Delivery(delivery::Command::Report(delivery::Report {
        seq,
        at_ms: 0,
        phase,
        driver_id: Some(DriverId::new(7)),
        pickup_eta_ms: None,
        dropoff_eta_ms: None,
        pickup_band: None,
        dropoff_band: None,
        promised_dropoff_ms: None,
        search_level: 0,
    }))
}

/// A report that dispatch dates.
fn report_at(seq: u32, phase: delivery::Phase, at_ms: i64) -> Command {
    match report(seq, phase) {
        Command::Delivery(delivery::Command::Report(report)) => {
            Command::Delivery(delivery::Command::Report(delivery::Report {
                at_ms,
                ..report
            }))
        }
        other => other,
    }
}

/// Paid, accepted at 3,000 for 9,000, and assigned.
fn assigned() -> Order {
    let mut order = opened();
    order.handle(2_000, capture(&order)).unwrap();
    order
        .handle(
            3_000,
            Command::Order(order::Command::Accept { ready_at_ms: 9_000 }),
        )
        .unwrap();
    order
        .handle(4_000, report(1, delivery::Phase::Assigned))
        .unwrap();
    order
}

fn states(recorded: &[Recorded]) -> Vec<String> {
    recorded.iter().map(|r| format!("{:?}", r.event)).collect()
}

#[test]
fn a_good_day_ends_delivered() {
    let mut order = opened();
    order
        .handle(2_000, Command::Payment(payment::Command::Send))
        .unwrap();
    order.handle(3_000, capture(&order)).unwrap();
    assert_eq!(order.state, order::State::Placed);
    let accepted = order
        .handle(
            4_000,
            Command::Order(order::Command::Accept { ready_at_ms: 9_000 }),
        )
        .unwrap();
    assert_eq!(
        states(&accepted).len(),
        2,
        "accepted and requested: {accepted:?}"
    );
    order
        .handle(5_000, report(1, delivery::Phase::Assigned))
        .unwrap();
    order
        .handle(8_000, Command::Order(order::Command::MarkReady))
        .unwrap();
    order
        .handle(9_500, report_at(2, delivery::Phase::PickedUp, 9_200))
        .unwrap();
    let delivered = order
        .handle(20_000, report_at(3, delivery::Phase::DroppedOff, 18_000))
        .unwrap();
    assert_eq!(order.state, order::State::Delivered);
    assert_eq!(order.picked_up_at_ms, Some(9_200));
    assert_eq!(order.delivered_at_ms, Some(18_000));
    assert!(delivered.iter().all(|one| one.at_ms == 18_000));
    assert_eq!(order.deadline_ms(), None);
}

#[test]
fn money_that_comes_after_the_end_goes_back() {
    let mut order = opened();
    order
        .handle(2_000, Command::Payment(payment::Command::Send))
        .unwrap();
    order
        .handle(901_000, Command::Order(order::Command::Expire))
        .unwrap();
    assert_eq!(
        (order.state, order.payment.phase),
        (order::State::Expired, payment::Phase::Sent)
    );
    order.handle(902_000, capture(&order)).unwrap();
    assert_eq!(
        (order.state, order.payment.phase),
        (order::State::Expired, payment::Phase::RefundDue)
    );
}

#[test]
fn another_amount_is_disputed_not_accepted() {
    let mut order = opened();
    let amount = Money::new(order.due().minor - 1, Currency::EUR);
    order
        .handle(
            2_000,
            Command::Payment(payment::Command::Capture {
                gateway_payment_id: "gw_1".into(),
                amount,
            }),
        )
        .unwrap();
    assert_eq!(
        (order.state, order.payment.phase),
        (order::State::PaymentFailed, payment::Phase::Disputed)
    );
}

#[test]
fn no_driver_means_cancelled_and_refunded() {
    let mut order = opened();
    order.handle(2_000, capture(&order)).unwrap();
    order
        .handle(
            3_000,
            Command::Order(order::Command::Accept { ready_at_ms: 9_000 }),
        )
        .unwrap();
    order
        .handle(4_000, report(1, delivery::Phase::NoDriver))
        .unwrap();
    assert_eq!(
        (order.state, order.payment.phase),
        (order::State::Cancelled, payment::Phase::RefundDue)
    );
}

#[test]
fn a_customer_cannot_cancel_what_is_cooking() {
    let mut order = opened();
    order.handle(2_000, capture(&order)).unwrap();
    order
        .handle(
            3_000,
            Command::Order(order::Command::Accept { ready_at_ms: 9_000 }),
        )
        .unwrap();
    let before = order.clone();
    let cancel = |by| {
        Command::Order(order::Command::Cancel {
            by,
            reason: "changed my mind".into(),
        })
    };
    let refusal = order.handle(4_000, cancel(Party::Customer)).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "the order is accepted, which does not allow `cancel`"
    );
    assert_eq!(order, before);
    order.handle(4_000, cancel(Party::Admin)).unwrap();
    assert!(order.delivery.cancel_requested);
}

#[test]
fn time_outs_follow_from_what_was_promised() {
    let time_outs = terms(777).time_outs;
    let mut order = opened();
    order.handle(2_000, capture(&order)).unwrap();
    let three_hours_ms = 3 * 3_600_000;
    let accept = order::Command::Accept {
        ready_at_ms: 3_000 + three_hours_ms,
    };
    order.handle(3_000, Command::Order(accept)).unwrap();
    let fetch_until_ms = 3_000 + three_hours_ms + time_outs.pickup_ms;
    assert_eq!(order.deadline_ms(), Some(fetch_until_ms));
    let promised_ms = 4 * 3_600_000;
    let mut picked_up = match report_at(1, delivery::Phase::PickedUp, three_hours_ms) {
        Command::Delivery(delivery::Command::Report(report)) => report,
        other => panic!("{other:?}"),
    };
    picked_up.promised_dropoff_ms = Some(promised_ms);
    let mut implausible = order.clone();
    for (order, promised_ms, base_ms) in [
        (&mut order, promised_ms, promised_ms),
        (&mut implausible, i64::MAX, three_hours_ms + 300_000),
    ] {
        picked_up.promised_dropoff_ms = Some(promised_ms);
        let command = Command::Delivery(delivery::Command::Report(picked_up));
        order.handle(three_hours_ms, command).unwrap();
        assert_eq!(order.deadline_ms(), Some(base_ms + time_outs.dropoff_ms));
    }
}

#[test]
fn a_time_out_holds_from_the_moment_somebody_is_shown_it() {
    let mut provisional = assigned();
    let deadline_ms = provisional.deadline_ms().unwrap();
    provisional
        .handle(deadline_ms, Command::Order(order::Command::Expire))
        .unwrap();
    assert_eq!(
        (provisional.state, provisional.reinstates_to),
        (order::State::Cancelled, Some(order::State::Accepted))
    );
    assert_eq!(provisional.payment.phase, payment::Phase::RefundDue);
    let late = report_at(2, delivery::Phase::DroppedOff, 20_000);

    let mut taken_back = provisional.clone();
    taken_back.handle(deadline_ms + 5, late.clone()).unwrap();
    assert_eq!(taken_back.state, order::State::Delivered);
    assert_eq!(taken_back.delivered_at_ms, Some(20_000));
    assert_eq!(taken_back.payment.phase, payment::Phase::Captured);

    let mut shown = provisional;
    shown
        .handle(deadline_ms + 4, Command::Order(order::Command::Finalize))
        .unwrap();
    shown.handle(deadline_ms + 5, late).unwrap();
    assert_eq!(shown.state, order::State::Cancelled);
    assert_eq!(shown.payment.phase, payment::Phase::RefundDue);
    assert_eq!(shown.delivery.phase, delivery::Phase::DroppedOff);
}

fn any_command() -> impl Strategy<Value = Command> {
    use delivery::Phase;
    let phases = [
        Phase::Searching,
        Phase::Offered,
        Phase::Assigned,
        Phase::AtRestaurant,
        Phase::PickedUp,
        Phase::AtCustomer,
        Phase::DroppedOff,
        Phase::Cancelled,
        Phase::NoDriver,
    ];
    let parties = [
        Party::Customer,
        Party::Restaurant,
        Party::Admin,
        Party::System,
    ];
    let cancel = |by| {
        Command::Order(order::Command::Cancel {
            by,
            reason: "x".into(),
        })
    };
    prop_oneof![
        1 => Just(Command::Payment(payment::Command::Send)),
        4 => Just(capture(&opened())),
        1 => Just(Command::Payment(payment::Command::Capture { gateway_payment_id: "gw_2".into(), amount: Money::new(1, Currency::EUR) })),
        1 => Just(Command::Payment(payment::Command::Decline { why: "no".into() })),
        1 => Just(Command::Payment(payment::Command::ConfirmRefund { refund_id: "rf".into() })),
        4 => Just(Command::Order(order::Command::Accept { ready_at_ms: 5 })),
        1 => Just(Command::Order(order::Command::Reject { reason: "closed".into() })),
        2 => Just(Command::Order(order::Command::MarkReady)),
        2 => Just(Command::Order(order::Command::Expire)),
        1 => Just(Command::Order(order::Command::Finalize)),
        1 => proptest::sample::select(parties.to_vec()).prop_map(cancel),
        8 => (1_u32..12, proptest::sample::select(phases.to_vec()), 0_i64..60_000)
            .prop_map(|(seq, phase, at_ms)| report_at(seq, phase, at_ms)),
    ]
}

/// What the ledger holds after a log; each kind of transfer at most once.
fn balances(log: &[Recorded]) -> Vec<(Account, i64)> {
    let mut order = None::<Order>;
    let mut kinds = HashSet::new();
    let mut balances: Vec<(Account, i64)> = Vec::new();
    for recorded in log {
        match (&mut order, &recorded.event) {
            (None, Event::Opened(terms)) => {
                order = Some(Order::opened((**terms).clone(), recorded.at_ms))
            }
            (Some(order), event) => order.evolve(recorded.at_ms, event),
            (None, event) => panic!("a log begins with the opening, not {event:?}"),
        }
        for effect in effects(order.as_ref().unwrap(), recorded) {
            let Effect::Transfer(transfer) = effect else {
                continue;
            };
            assert!(kinds.insert(transfer.kind()), "{:?} twice", transfer.kind());
            assert_eq!(
                transfer
                    .entries()
                    .iter()
                    .map(|entry| entry.amount_minor)
                    .sum::<i64>(),
                0
            );
            for entry in transfer.entries() {
                match balances
                    .iter_mut()
                    .find(|(account, _)| *account == entry.account)
                {
                    Some((_, balance)) => *balance += entry.amount_minor,
                    None => balances.push((entry.account, entry.amount_minor)),
                }
            }
        }
    }
    assert!(
        !(kinds.contains(&Kind::Settlement) && kinds.contains(&Kind::Refund)),
        "paid out and refunded"
    );
    balances
}

proptest! {
    #[test]
    fn any_commands_leave_a_log_that_folds_and_books_that_balance(
        commands in proptest::collection::vec(any_command(), 0..40),
    ) {
        let mut order = opened();
        let mut log = vec![Recorded { seq: 1, at_ms: 1_000, event: Event::Opened(Box::new(order.terms.clone())) }];
        let mut now_ms = 1_000;
        for command in commands {
            now_ms += 1_000;
            let before = order.clone();
            match order.handle(now_ms, command.clone()) {
                Ok(events) => log.extend(events),
                Err(_) => prop_assert_eq!(&order, &before),
            }
            let is_final = before.state.is_end() && before.reinstates_to.is_none();
            prop_assert!(!is_final || order.state == before.state, "{:?} after its end by {command:?}", before.state);
            // What is taken back was shown to nobody, and its money was not given back.
            if before.state.is_end() && order.state != before.state {
                prop_assert_eq!(before.payment.phase, payment::Phase::RefundDue);
                prop_assert_eq!(order.payment.phase, payment::Phase::Captured);
                prop_assert!(matches!(order.state, order::State::PickedUp | order::State::Delivered));
            }
            if matches!(command, Command::Order(order::Command::Finalize)) {
                prop_assert_eq!(order.reinstates_to.is_some() && order.payment.phase == payment::Phase::RefundDue, false);
            }
            if let Some(delivered_ms) = order.delivered_at_ms {
                prop_assert!((order.picked_up_at_ms.unwrap()..=now_ms).contains(&delivered_ms));
                prop_assert!(order.picked_up_at_ms >= order.accepted_at_ms);
            }
            // The same command again changes nothing, or is refused.
            let once = order.clone();
            if let Ok(events) = order.handle(now_ms, command.clone()) {
                prop_assert!(events.is_empty(), "{command:?} twice: {events:?}");
            }
            prop_assert_eq!(&once, &order);
        }
        let seqs: Vec<u32> = log.iter().map(|recorded| recorded.seq).collect();
        prop_assert_eq!(seqs, (1..=order.seq).collect::<Vec<u32>>());
        prop_assert_eq!(Order::fold(log.clone()), Some(order.clone()));
        let json: Vec<Event> = log.iter().map(|r| serde_json::from_str(&serde_json::to_string(&r.event).unwrap()).unwrap()).collect();
        prop_assert_eq!(json, log.iter().map(|r| r.event.clone()).collect::<Vec<_>>());

        // Left alone, each order ends: its deadlines end it, and no deadline is left.
        while let Some(deadline_ms) = order.deadline_ms() {
            let events = order.handle(deadline_ms, Command::Order(order::Command::Expire)).unwrap();
            prop_assert!(!events.is_empty(), "{:?} does not end", order.state);
            log.extend(events);
        }
        prop_assert!(order.state.is_end());
        if order.payment.phase == payment::Phase::RefundDue {
            log.extend(order.handle(now_ms, Command::Payment(payment::Command::ConfirmRefund { refund_id: "rf".into() })).unwrap());
        }
        let held = balances(&log).iter().find(|(account, _)| *account == Account::CustomerFunds).map_or(0, |(_, b)| *b);
        prop_assert_eq!(held, 0, "the customer's money is still held: {:?} {:?}", order.state, order.payment.phase);
    }
}
