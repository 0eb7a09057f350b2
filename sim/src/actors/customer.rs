//! A customer with one order: places it, may change their mind, may leave a review.

use doorstep_dispatch_core::{Span, Time};

use crate::demand::OrderPlan;

/// From the door closing to the review, in city time.
const EATING: Span = Span::from_mins(20);

/// What happens to a customer's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomerEvent {
    /// The order was refused: the card was declined, the restaurant said no, a request failed.
    Refused,
    /// The food left the restaurant.
    PickedUp,
    /// The food is here.
    Delivered,
    /// The order is off.
    Cancelled,
}

/// What a customer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomerAction {
    /// Places the order.
    Place,
    /// Does not want the food any more.
    Cancel,
    /// Rates the order.
    Review {
        /// 1 to 5.
        stars: u8,
    },
}

/// A customer during one order.
#[derive(Debug, Clone)]
pub struct CustomerActor {
    plan: OrderPlan,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Hungry,
    Waiting { cancel_at: Option<Time> },
    Eating { review_at: Option<Time> },
    Done,
}

impl CustomerActor {
    /// A customer who is going to do what the plan says.
    #[must_use]
    pub fn new(plan: OrderPlan) -> Self {
        Self {
            plan,
            state: State::Hungry,
        }
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &OrderPlan {
        &self.plan
    }

    /// Nothing will happen any more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// When this customer next does something unasked.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        match self.state {
            State::Hungry => Some(self.plan.place_at),
            State::Waiting { cancel_at } => cancel_at,
            State::Eating { review_at } => review_at,
            State::Done => None,
        }
    }

    /// Does what is due by `now`.
    pub fn handle_deadline(&mut self, now: Time) -> Option<CustomerAction> {
        if self.next_deadline().is_none_or(|due| now < due) {
            return None;
        }
        match self.state {
            State::Hungry => {
                let cancel_at = self.plan.cancels_after.map(|span| now.after(span));
                self.state = State::Waiting { cancel_at };
                Some(CustomerAction::Place)
            }
            State::Waiting { .. } => {
                self.state = State::Waiting { cancel_at: None };
                Some(CustomerAction::Cancel)
            }
            State::Eating { .. } => {
                self.state = State::Done;
                self.plan
                    .review_stars
                    .map(|stars| CustomerAction::Review { stars })
            }
            State::Done => None,
        }
    }

    /// Takes note of what happened to the order.
    pub fn handle(&mut self, now: Time, event: CustomerEvent) {
        self.state = match (self.state, event) {
            (State::Waiting { .. }, CustomerEvent::PickedUp) => State::Waiting { cancel_at: None },
            (State::Waiting { .. }, CustomerEvent::Delivered) => match self.plan.review_stars {
                Some(_) => State::Eating {
                    review_at: Some(now.after(EATING)),
                },
                None => State::Done,
            },
            (_, CustomerEvent::Refused | CustomerEvent::Cancelled) => State::Done,
            (state, CustomerEvent::PickedUp | CustomerEvent::Delivered) => state,
        };
    }
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_core::{Span, Time};
    use doorstep_routing::LatLng;

    use super::{CustomerAction, CustomerActor, CustomerEvent};
    use crate::demand::OrderPlan;

    fn plan(cancels_after: Option<Span>, review_stars: Option<u8>) -> OrderPlan {
        OrderPlan {
            number: 0,
            place_at: Time::from_millis(1_000),
            customer: 0,
            restaurant: 0,
            dropoff: LatLng::from_e7(0, 0),
            basket: vec![(0, 1)],
            card_declines: false,
            cancels_after,
            review_stars,
        }
    }

    #[test]
    fn orders_once_at_the_planned_time() {
        let mut customer = CustomerActor::new(plan(None, None));
        assert_eq!(customer.handle_deadline(Time::from_millis(999)), None);
        assert_eq!(
            customer.handle_deadline(Time::from_millis(1_000)),
            Some(CustomerAction::Place)
        );
        assert_eq!(customer.next_deadline(), None);
        customer.handle(Time::from_millis(2_000), CustomerEvent::Delivered);
        assert!(customer.is_done());
    }

    #[test]
    fn changes_its_mind_only_before_the_food_is_on_its_way() {
        let place =
            |customer: &mut CustomerActor| customer.handle_deadline(Time::from_millis(1_000));
        let mut early = CustomerActor::new(plan(Some(Span::from_secs(5)), None));
        place(&mut early);
        assert_eq!(
            early.handle_deadline(Time::from_millis(6_000)),
            Some(CustomerAction::Cancel)
        );
        assert_eq!(early.next_deadline(), None);

        let mut late = CustomerActor::new(plan(Some(Span::from_secs(5)), None));
        place(&mut late);
        late.handle(Time::from_millis(3_000), CustomerEvent::PickedUp);
        assert_eq!(late.handle_deadline(Time::from_millis(6_000)), None);
    }

    #[test]
    fn reviews_after_the_meal() {
        let mut customer = CustomerActor::new(plan(None, Some(4)));
        customer.handle_deadline(Time::from_millis(1_000));
        customer.handle(Time::from_millis(2_000), CustomerEvent::Delivered);
        let due = customer.next_deadline().unwrap();
        assert_eq!(
            customer.handle_deadline(due),
            Some(CustomerAction::Review { stars: 4 })
        );
        assert!(customer.is_done());
    }
}
