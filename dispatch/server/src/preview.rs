//! What a manual assignment would change, as messages of the wire.

use doorstep_dispatch_core::{AssignmentPreview, AssignmentWarning, Later, Time};
use doorstep_dispatch_wire::dispatch::{self, assignment_warning as warning};

use crate::convert::{delivery_state, delivery_text, dispatch_stop};
use crate::explain::declined_for;

/// The answer to a call that asks what would change at `now`.
pub(crate) fn previewed(
    now: Time,
    preview: &AssignmentPreview,
) -> dispatch::PreviewAssignmentResponse {
    dispatch::PreviewAssignmentResponse {
        now_ms: now.as_millis(),
        state: delivery_state(preview.state).into(),
        from_driver_id: preview.from.map(|driver| driver.0),
        no_longer_asked: preview
            .no_longer_asked
            .iter()
            .map(|driver| driver.0)
            .collect(),
        pickup_before_ms: preview.pickup_before.map(Time::as_millis),
        pickup_after_ms: preview.pickup_after.as_millis(),
        dropoff_before_ms: preview.dropoff_before.map(Time::as_millis),
        dropoff_after_ms: preview.dropoff_after.as_millis(),
        promised_dropoff_ms: preview.promised_dropoff.map(Time::as_millis),
        stops: preview.stops.iter().map(dispatch_stop).collect(),
        later: preview.later.iter().map(later).collect(),
        warnings: preview
            .warnings
            .iter()
            .map(|against| dispatch::AssignmentWarning {
                kind: Some(kind(against)),
            })
            .collect(),
    }
}

fn later(later: &Later) -> dispatch::LaterDropoff {
    dispatch::LaterDropoff {
        delivery_id: delivery_text(later.delivery),
        before_ms: later.before.as_millis(),
        after_ms: later.after.as_millis(),
    }
}

fn kind(against: &AssignmentWarning) -> warning::Kind {
    match *against {
        AssignmentWarning::AfterShift { until } => warning::Kind::AfterShift(warning::AfterShift {
            until_ms: until.as_millis(),
        }),
        AssignmentWarning::TooLongAfterClick {
            delivery,
            takes,
            max,
        } => warning::Kind::TooLongAfterClick(warning::TooLongAfterClick {
            delivery_id: delivery_text(delivery),
            takes_ms: takes.as_millis(),
            max_ms: max.as_millis(),
        }),
        AssignmentWarning::AfterPromise { delivery, promised } => {
            warning::Kind::AfterPromise(warning::AfterPromise {
                delivery_id: delivery_text(delivery),
                promised_ms: promised.as_millis(),
            })
        }
        AssignmentWarning::DidNotTake { times, at, reason } => {
            warning::Kind::DidNotTake(warning::DidNotTake {
                times,
                at_ms: at.as_millis(),
                reason: reason.map(|reason| declined_for(reason).into()),
            })
        }
        AssignmentWarning::CoolingOff { until } => warning::Kind::CoolingOff(warning::CoolingOff {
            until_ms: until.as_millis(),
        }),
        AssignmentWarning::FarAway { metres, max } => {
            warning::Kind::FarAway(warning::FarAway { metres, max_m: max })
        }
        AssignmentWarning::OldFix { age } => warning::Kind::OldFix(warning::OldFix {
            age_ms: age.as_millis(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use doorstep_dispatch_core::{DeclineReason, DeliveryId, DeliveryState, DriverId, Span};

    use super::*;

    #[test]
    fn everything_that_would_change_is_told() {
        let at = Time::from_millis;
        let delivery = DeliveryId(7);
        let preview = AssignmentPreview {
            delivery,
            state: DeliveryState::Assigned,
            driver: DriverId(1),
            from: Some(DriverId(2)),
            no_longer_asked: vec![DriverId(3)],
            pickup_before: Some(at(10)),
            pickup_after: at(11),
            dropoff_before: None,
            dropoff_after: at(12),
            promised_dropoff: Some(at(13)),
            stops: Vec::new(),
            later: vec![Later {
                delivery,
                before: at(20),
                after: at(21),
            }],
            warnings: vec![
                AssignmentWarning::AfterShift { until: at(1) },
                AssignmentWarning::TooLongAfterClick {
                    delivery,
                    takes: Span::from_secs(2),
                    max: Span::from_secs(1),
                },
                AssignmentWarning::AfterPromise {
                    delivery,
                    promised: at(2),
                },
                AssignmentWarning::DidNotTake {
                    times: 3,
                    at: at(4),
                    reason: Some(DeclineReason::Vehicle),
                },
                AssignmentWarning::CoolingOff { until: at(5) },
                AssignmentWarning::FarAway { metres: 6, max: 5 },
                AssignmentWarning::OldFix {
                    age: Span::from_secs(7),
                },
            ],
        };
        let told = previewed(at(9), &preview);
        assert_eq!((told.now_ms, told.from_driver_id), (9, Some(2)));
        assert_eq!(told.state(), dispatch::DeliveryState::Assigned);
        assert_eq!(told.no_longer_asked, [3]);
        assert_eq!(
            (told.pickup_before_ms, told.pickup_after_ms),
            (Some(10), 11)
        );
        assert_eq!((told.dropoff_before_ms, told.dropoff_after_ms), (None, 12));
        assert_eq!(told.promised_dropoff_ms, Some(13));
        assert_eq!((told.later[0].before_ms, told.later[0].after_ms), (20, 21));
        let mut kinds: Vec<_> = told
            .warnings
            .iter()
            .map(|warning| std::mem::discriminant(warning.kind.as_ref().unwrap()))
            .collect();
        kinds.dedup();
        assert_eq!(kinds.len(), preview.warnings.len());
        let Some(warning::Kind::DidNotTake(no)) = &told.warnings[3].kind else {
            panic!("{told:?}");
        };
        assert_eq!(no.reason(), dispatch::DeclineReason::Vehicle);
    }
}
