//! The offers that are open, and a bounded memory of how the others ended.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use crate::plan::Plan;
use crate::snapshot::stored;
use crate::{Answer, DeclineReason, DeliveryId, DriverId, Offer, OfferId, RevokeReason, Time};

/// How an offer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The driver took the order.
    Accepted,
    /// The driver did not want it.
    Declined(DeclineReason),
    /// No answer in time.
    Expired,
    /// Taken back before an answer; never because it expired.
    Withdrawn(RevokeReason),
}

/// When and how an offer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfferEnd {
    /// Unix milliseconds of the city.
    pub at: Time,
    /// Accepted, declined, expired or revoked.
    pub outcome: Outcome,
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => formatter.write_str("accepted"),
            Self::Declined(_) => formatter.write_str("declined"),
            Self::Expired => formatter.write_str("expired"),
            Self::Withdrawn(why) => write!(formatter, "withdrawn, {why}"),
        }
    }
}

impl Outcome {
    /// Whether `answer` again would say the same.
    pub(crate) const fn is_answer(self, answer: Answer) -> bool {
        matches!(
            (self, answer),
            (Self::Accepted, Answer::Accept) | (Self::Declined(_), Answer::Decline(_))
        )
    }
}

/// An offer without an answer.
#[derive(Debug, Clone)]
pub(crate) struct OpenOffer {
    pub(crate) offer: Offer,
    /// All that the driver would have to do after a yes.
    pub(crate) plan: Plan,
    /// When the phone told that it has it.
    pub(crate) received_at: Option<Time>,
}

#[derive(Debug, Clone, Copy)]
struct EndedOffer {
    driver: DriverId,
    outcome: Outcome,
}

stored!(EndedOffer {
    1: driver,
    2: outcome
});

/// What is known of an offer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lookup<'a> {
    /// It waits for an answer.
    Open(&'a OpenOffer),
    /// It has ended.
    Ended(DriverId, Outcome),
    /// Never made or forgotten.
    Unknown,
}

/// All offers: at most one open for each driver, who is asked one question at a time. A delivery may have several.
#[derive(Debug, Default)]
pub(crate) struct OfferBook {
    open: BTreeMap<OfferId, OpenOffer>,
    ended: BTreeMap<OfferId, EndedOffer>,
    /// In the order in which they ended.
    ended_order: VecDeque<OfferId>,
    last: u64,
}

stored!(OfferBook {
    1: open,
    2: ended,
    3: ended_order,
    4: last
});

impl OfferBook {
    /// An id that was never used, not even by a process that ran before on the same clock:
    /// it begins with the time and leaves room for 1,024 offers a millisecond.
    pub(crate) fn next_id(&mut self, now: Time) -> OfferId {
        self.last = now
            .as_millis()
            .saturating_mul(1024)
            .max(self.last.saturating_add(1));
        OfferId(self.last)
    }

    pub(crate) fn open(&mut self, offer: Offer, plan: Plan) {
        let id = offer.offer;
        let open = OpenOffer {
            offer,
            plan,
            received_at: None,
        };
        let before = self.open.insert(id, open);
        debug_assert!(before.is_none(), "{id} was made twice");
    }

    pub(crate) fn lookup(&self, offer: OfferId) -> Lookup<'_> {
        match (self.open.get(&offer), self.ended.get(&offer)) {
            (Some(open), _) => Lookup::Open(open),
            (None, Some(ended)) => Lookup::Ended(ended.driver, ended.outcome),
            (None, None) => Lookup::Unknown,
        }
    }

    /// Notes that the phone has it.
    pub(crate) fn mark_received(&mut self, offer: OfferId, now: Time) {
        if let Some(open) = self.open.get_mut(&offer) {
            open.received_at = Some(now);
        }
    }

    /// Ends an open offer and remembers how, forgetting the oldest of more than `ended_max`.
    pub(crate) fn end(
        &mut self,
        offer: OfferId,
        outcome: Outcome,
        ended_max: usize,
    ) -> Option<OpenOffer> {
        let open = self.open.remove(&offer)?;
        self.ended.insert(
            offer,
            EndedOffer {
                driver: open.offer.driver,
                outcome,
            },
        );
        self.ended_order.push_back(offer);
        while self.ended_order.len() > ended_max {
            if let Some(oldest) = self.ended_order.pop_front() {
                self.ended.remove(&oldest);
            }
        }
        Some(open)
    }

    /// The deliveries of an open offer.
    pub(crate) fn deliveries(&self, offer: OfferId) -> &[DeliveryId] {
        self.open
            .get(&offer)
            .map_or(&[], |open| open.offer.deliveries.as_slice())
    }

    /// Open offers by id.
    pub(crate) fn iter_open(&self) -> impl Iterator<Item = &OpenOffer> {
        self.open.values()
    }

    pub(crate) fn ended_len(&self) -> usize {
        self.ended.len()
    }
}
