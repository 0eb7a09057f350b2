//! The hash over everything that came in and went out. Fields are written in order as little-endian integers, and
//! each kind starts with its own number, so that no two different runs write the same bytes.

use doorstep_routing::LatLng;

use crate::snapshot::{Reader, SnapshotError, Stored};
use crate::{
    Answer, DeclineReason, DeliveryEvent, DeliveryRequest, DeliveryState, EtaBand, Handled, Input,
    MilestoneKind, Offer, Output, Rejection, RevokeReason, Stop, StopKind, Time,
};

/// A running hash.
/// Chained: the hash of the digest before and of what one input added, so that it can go on from its 32 bytes.
#[derive(Debug, Default)]
pub(crate) struct Digest {
    chain: [u8; 32],
    /// Since the last result.
    hasher: blake3::Hasher,
}

impl Digest {
    pub(crate) const fn finish(&self) -> [u8; 32] {
        self.chain
    }

    pub(crate) fn input(&mut self, now: Time, input: &Input) {
        self.hasher.reset();
        self.hasher.update(&self.chain);
        self.byte(1).time(now);
        match *input {
            Input::DriverOnDuty { driver, at, until } => self
                .byte(1)
                .word(driver.0)
                .place(at)
                .option(until.map(Time::as_millis)),
            Input::DriverOffDuty { driver } => self.byte(2).word(driver.0),
            Input::DriverLost { driver } => self.byte(3).word(driver.0),
            Input::Fix { driver, fix } => self
                .byte(4)
                .word(driver.0)
                .place(fix.at)
                .time(fix.time)
                .option(fix.speed_mm_s.map(u64::from))
                .option(fix.heading_cdeg.map(u64::from)),
            Input::RequestDelivery(request) => self.byte(5).request(&request),
            Input::ReadyTimeChanged { delivery, ready_at } => {
                self.byte(6).long(delivery.0).time(ready_at)
            }
            Input::CancelDelivery { delivery } => self.byte(7).long(delivery.0),
            Input::OfferReceived { driver, offer } => self.byte(8).word(driver.0).word(offer.0),
            Input::OfferAnswered {
                driver,
                offer,
                answer,
            } => self
                .byte(9)
                .word(driver.0)
                .word(offer.0)
                .byte(match answer {
                    Answer::Accept => 0,
                    Answer::Decline(DeclineReason::Unspecified) => 1,
                    Answer::Decline(DeclineReason::TooFar) => 2,
                    Answer::Decline(DeclineReason::Break) => 3,
                    Answer::Decline(DeclineReason::Vehicle) => 4,
                    Answer::Decline(DeclineReason::Other) => 5,
                }),
            Input::Milestone {
                driver,
                delivery,
                reached,
            } => self
                .byte(10)
                .word(driver.0)
                .long(delivery.0)
                .byte(match reached {
                    MilestoneKind::ArrivedAtRestaurant => 1,
                    MilestoneKind::PickedUp => 2,
                    MilestoneKind::ArrivedAtCustomer => 3,
                    MilestoneKind::DroppedOff => 4,
                }),
            Input::Deadline => self.byte(11),
            Input::DeadlineBeside => self.byte(13),
            Input::AssignDelivery { delivery, driver } => {
                self.byte(12).long(delivery.0).word(driver.0)
            }
        };
    }

    pub(crate) fn output(&mut self, output: &Output) {
        self.byte(2);
        match output {
            Output::Offer(offer) => self.byte(1).offer(offer),
            Output::RevokeOffer { driver, offer, why } => {
                self.byte(2).word(driver.0).word(offer.0).byte(match why {
                    RevokeReason::Expired => 1,
                    RevokeReason::Cancelled => 2,
                    RevokeReason::OffDuty => 3,
                    RevokeReason::DriverLost => 4,
                    RevokeReason::TakenByAnother => 5,
                    RevokeReason::AssignedByHand => 6,
                })
            }
            Output::DeliveryChanged(event) => self.byte(3).event(event),
            Output::DriverPlan { driver, stops } => self.byte(4).word(driver.0).stops(stops),
            Output::Advise { driver, advice } => {
                self.byte(5).word(driver.0);
                match advice {
                    None => self.byte(0),
                    Some(advice) => self.byte(1).place(advice.to).time(advice.arrival),
                }
            }
        };
    }

    pub(crate) fn result(&mut self, result: Result<Handled, Rejection>) {
        self.byte(3);
        match result {
            Ok(Handled::Done) => self.byte(1),
            Ok(Handled::Already) => self.byte(2),
            Err(rejection) => {
                self.byte(3).hasher.update(rejection.name().as_bytes());
                self.byte(0)
            }
        };
        self.chain = *self.hasher.finalize().as_bytes();
    }

    /// The result of a round that was solved beside the dispatcher.
    pub(crate) fn round(&mut self, now: Time, result: &[u8]) {
        self.hasher.reset();
        self.hasher.update(&self.chain);
        self.byte(5).time(now).hasher.update(result);
    }

    fn request(&mut self, request: &DeliveryRequest) -> &mut Self {
        self.long(request.delivery.0)
            .place(request.pickup)
            .place(request.dropoff)
            .time(request.placed_at)
            .time(request.ready_at)
    }

    fn offer(&mut self, offer: &Offer) -> &mut Self {
        self.word(offer.offer.0)
            .word(offer.driver.0)
            .word(offer.deliveries.len() as u64);
        for delivery in &offer.deliveries {
            self.long(delivery.0);
        }
        self.stops(&offer.stops).time(offer.expires_at)
    }

    fn stops(&mut self, stops: &[Stop]) -> &mut Self {
        self.word(stops.len() as u64);
        stops.iter().fold(self, |digest, stop| digest.stop(stop))
    }

    fn event(&mut self, event: &DeliveryEvent) -> &mut Self {
        let state = match event.state {
            DeliveryState::Searching => 1,
            DeliveryState::Offered => 2,
            DeliveryState::Assigned => 3,
            DeliveryState::AtRestaurant => 4,
            DeliveryState::PickedUp => 5,
            DeliveryState::AtCustomer => 6,
            DeliveryState::DroppedOff => 7,
            DeliveryState::Cancelled => 8,
            DeliveryState::NoDriver => 9,
        };
        self.long(event.delivery.0)
            .word(u64::from(event.seq))
            .time(event.at)
            .byte(state)
            .option(event.driver.map(|driver| driver.0))
            .option(event.pickup_eta.map(Time::as_millis))
            .option(event.dropoff_eta.map(Time::as_millis))
            .band(event.pickup_band)
            .band(event.dropoff_band)
            .option(event.promised_dropoff.map(Time::as_millis))
            .word(u64::from(event.search_level))
    }

    fn band(&mut self, band: Option<EtaBand>) -> &mut Self {
        match band {
            None => self.byte(0),
            Some(band) => self.byte(1).time(band.p10).time(band.p50).time(band.p90),
        }
    }

    fn stop(&mut self, stop: &Stop) -> &mut Self {
        let kind = match stop.kind {
            StopKind::Pickup => 1,
            StopKind::Dropoff => 2,
        };
        self.long(stop.delivery.0)
            .byte(kind)
            .place(stop.at)
            .time(stop.eta)
    }

    fn byte(&mut self, byte: u8) -> &mut Self {
        self.hasher.update(&[byte]);
        self
    }

    fn word(&mut self, word: u64) -> &mut Self {
        self.hasher.update(&word.to_le_bytes());
        self
    }

    fn long(&mut self, long: u128) -> &mut Self {
        self.hasher.update(&long.to_le_bytes());
        self
    }

    fn time(&mut self, time: Time) -> &mut Self {
        self.word(time.as_millis())
    }

    fn place(&mut self, at: LatLng) -> &mut Self {
        self.hasher.update(&at.lat_e7().to_le_bytes());
        self.hasher.update(&at.lng_e7().to_le_bytes());
        self
    }

    fn option(&mut self, word: Option<u64>) -> &mut Self {
        match word {
            None => self.byte(0),
            Some(word) => self.byte(1).word(word),
        }
    }
}

impl Stored for Digest {
    fn store(&self, out: &mut Vec<u8>) {
        self.chain.store(out);
    }

    fn load(input: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        let chain = Stored::load(input)?;
        Ok(Self {
            chain,
            ..Self::default()
        })
    }
}
