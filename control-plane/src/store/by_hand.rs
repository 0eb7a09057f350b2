//! Assignments by hand: the note in the order's log and the idempotency key commit together.

use crate::domain::delivery::{self, AssignOutcome, ByHand, Event as DeliveryEvent};
use crate::domain::ids::OrderId;
use crate::domain::lifecycle::{Command, Event, Order};
use crate::domain::scope::Scope;
use crate::store::engine::transact;
use crate::store::keys::{self, Answer, Keyed, Known};
use crate::store::{CommandError, OrderStore, StoreError, orders};

/// What became of a note.
#[derive(Clone, Debug)]
pub(crate) enum Noted {
    /// Written down; the order as it is now.
    New(Box<Order>),
    /// The key was used before: the same answer again.
    Replayed(Answer),
    /// The key belongs to another request.
    KeyReused,
}

impl OrderStore {
    /// What is remembered under a key, before anything is done.
    pub(crate) async fn known_key(&self, keyed: &Keyed<'_>) -> Result<Known, StoreError> {
        transact!(self.database, StoreError, |tx| {
            keys::known(tx, keyed).await
        })
    }

    /// Notes in the order's log who gave it to whom and why, once for each key.
    pub(crate) async fn note_by_hand(
        &self,
        id: OrderId,
        keyed: &Keyed<'_>,
        by_hand: &ByHand,
        outcome: AssignOutcome,
        answer: &Answer,
    ) -> Result<Noted, CommandError> {
        transact!(self.database, CommandError, |tx| {
            let mut order = orders::lock(tx, Scope::Admin, id)
                .await?
                .ok_or(CommandError::NotFound)?;
            if !keys::remember(tx, keyed, answer).await? {
                return match keys::known(tx, keyed).await? {
                    Known::Answered(answer) => Ok(Noted::Replayed(answer)),
                    Known::Other | Known::No => Ok(Noted::KeyReused),
                };
            }
            let note = delivery::Command::NoteByHand {
                by_hand: by_hand.clone(),
                outcome,
            };
            let recorded = order.handle(keyed.now_ms, Command::Delivery(note))?;
            orders::append(tx, &order, &recorded).await?;
            Ok(Noted::New(Box::new(order)))
        })
    }

    /// Every assignment by hand of an order and when it was, oldest first.
    pub(crate) async fn by_hand(&self, id: OrderId) -> Result<Vec<(i64, ByHand)>, StoreError> {
        let log = self.log(Scope::Admin, id).await?.unwrap_or_default();
        Ok(log
            .into_iter()
            .filter_map(|recorded| match recorded.event {
                Event::Delivery(DeliveryEvent::AssignedByHand(by_hand)) => {
                    Some((recorded.at_ms, by_hand))
                }
                _ => None,
            })
            .collect())
    }
}
