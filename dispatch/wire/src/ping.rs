//! Fixes in one datagram: the first is whole, each later one is the difference to the one before it.

use thiserror::Error;

use crate::driver::Ping;

/// The most fixes in one ping: with differences of a few bytes they stay below the 1,200 bytes of any QUIC datagram.
pub const FIXES_PER_PING_MAX: usize = 64;

const LAT_E7_MAX: i32 = 900_000_000;
const LNG_E7_MAX: i32 = 1_800_000_000;
const FULL_CIRCLE_CDEG: u32 = 36_000;

/// One position as the phone has measured it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PingFix {
    /// Unix milliseconds of the city's clock.
    pub time_ms: u64,
    /// Latitude in 1e-7 degrees.
    pub lat_e7: i32,
    /// Longitude in 1e-7 degrees.
    pub lng_e7: i32,
}

/// Movement of the phone at its last fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Motion {
    /// Millimetres a second, 0 if unknown or still.
    pub speed_mm_s: u32,
    /// Hundredths of a degree clockwise from north, 0..=35999.
    pub heading_cdeg: u32,
}

/// Why fixes and a ping do not fit each other.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PingError {
    /// A ping reports at least one fix.
    #[error("a ping without a fix")]
    Empty,
    /// More than [`FIXES_PER_PING_MAX`].
    #[error("{count} fixes in one ping, at most {FIXES_PER_PING_MAX} may be")]
    TooMany {
        /// Fixes in the ping.
        count: usize,
    },
    /// The three lists of differences are not equally long.
    #[error("{times} time differences but {lats} and {lngs} position differences")]
    Uneven {
        /// Differences of time.
        times: usize,
        /// Differences of latitude.
        lats: usize,
        /// Differences of longitude.
        lngs: usize,
    },
    /// A fix is older than the one before it or more than 49 days younger.
    #[error("fix {index} at {time_ms} ms cannot follow the one at {before_ms} ms")]
    Time {
        /// Place in the list of fixes, from 0.
        index: usize,
        /// Time of this fix.
        time_ms: u64,
        /// Time of the fix before.
        before_ms: u64,
    },
    /// A position that is not on Earth.
    #[error("fix {index} at {lat_e7}, {lng_e7} (1e-7 degrees) is not on Earth")]
    Position {
        /// Place in the list of fixes, from 0.
        index: usize,
        /// Latitude in 1e-7 degrees.
        lat_e7: i32,
        /// Longitude in 1e-7 degrees.
        lng_e7: i32,
    },
    /// A heading of a full circle or more.
    #[error("heading {heading_cdeg} is not below {FULL_CIRCLE_CDEG}")]
    Heading {
        /// Hundredths of a degree.
        heading_cdeg: u32,
    },
}

/// The ping that reports `fixes`, oldest first.
///
/// # Errors
/// No fix or too many, times that run backwards, positions that are not on Earth.
pub fn encode_fixes(seq: u64, fixes: &[PingFix], motion: Motion) -> Result<Ping, PingError> {
    check_heading(motion.heading_cdeg)?;
    if fixes.len() > FIXES_PER_PING_MAX {
        return Err(PingError::TooMany { count: fixes.len() });
    }
    let first = fixes.first().ok_or(PingError::Empty)?;
    check_position(0, first)?;
    let mut ping = Ping {
        seq,
        time_ms: first.time_ms,
        lat_e7: first.lat_e7,
        lng_e7: first.lng_e7,
        speed_mm_s: motion.speed_mm_s,
        heading_cdeg: motion.heading_cdeg,
        ..Ping::default()
    };
    for (index, pair) in fixes.windows(2).enumerate() {
        let (before, fix) = (&pair[0], &pair[1]);
        check_position(index + 1, fix)?;
        let dt_ms = fix
            .time_ms
            .checked_sub(before.time_ms)
            .and_then(|dt_ms| u32::try_from(dt_ms).ok());
        let backwards = PingError::Time {
            index: index + 1,
            time_ms: fix.time_ms,
            before_ms: before.time_ms,
        };
        ping.dt_ms.push(dt_ms.ok_or(backwards)?);
        // Modulo 2^32 both ways, so that a step over the 180th meridian needs no case of its own.
        ping.dlat_e7.push(fix.lat_e7.wrapping_sub(before.lat_e7));
        ping.dlng_e7.push(fix.lng_e7.wrapping_sub(before.lng_e7));
    }
    Ok(ping)
}

/// Replaces the content of `fixes` with what the ping reports, oldest first. The caller keeps the list for the next ping.
///
/// # Errors
/// Anything that [`encode_fixes`] would not have written.
pub fn decode_fixes(ping: &Ping, fixes: &mut Vec<PingFix>) -> Result<Motion, PingError> {
    fixes.clear();
    check_heading(ping.heading_cdeg)?;
    let (times, lats, lngs) = (ping.dt_ms.len(), ping.dlat_e7.len(), ping.dlng_e7.len());
    if times != lats || times != lngs {
        return Err(PingError::Uneven { times, lats, lngs });
    }
    if times >= FIXES_PER_PING_MAX {
        return Err(PingError::TooMany { count: times + 1 });
    }
    let mut fix = PingFix {
        time_ms: ping.time_ms,
        lat_e7: ping.lat_e7,
        lng_e7: ping.lng_e7,
    };
    check_position(0, &fix)?;
    fixes.push(fix);
    for (index, ((dt_ms, dlat_e7), dlng_e7)) in ping
        .dt_ms
        .iter()
        .zip(&ping.dlat_e7)
        .zip(&ping.dlng_e7)
        .enumerate()
    {
        let before_ms = fix.time_ms;
        let too_late = PingError::Time {
            index: index + 1,
            time_ms: u64::MAX,
            before_ms,
        };
        fix = PingFix {
            time_ms: before_ms.checked_add(u64::from(*dt_ms)).ok_or(too_late)?,
            lat_e7: fix.lat_e7.wrapping_add(*dlat_e7),
            lng_e7: fix.lng_e7.wrapping_add(*dlng_e7),
        };
        check_position(index + 1, &fix)?;
        fixes.push(fix);
    }
    Ok(Motion {
        speed_mm_s: ping.speed_mm_s,
        heading_cdeg: ping.heading_cdeg,
    })
}

fn check_position(index: usize, fix: &PingFix) -> Result<(), PingError> {
    let on_earth = (-LAT_E7_MAX..=LAT_E7_MAX).contains(&fix.lat_e7)
        && (-LNG_E7_MAX..=LNG_E7_MAX).contains(&fix.lng_e7);
    if on_earth {
        Ok(())
    } else {
        Err(PingError::Position {
            index,
            lat_e7: fix.lat_e7,
            lng_e7: fix.lng_e7,
        })
    }
}

fn check_heading(heading_cdeg: u32) -> Result<(), PingError> {
    if heading_cdeg < FULL_CIRCLE_CDEG {
        Ok(())
    } else {
        Err(PingError::Heading { heading_cdeg })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
    use prost::Message;

    use super::{
        FIXES_PER_PING_MAX, LAT_E7_MAX, LNG_E7_MAX, Motion, PingError, PingFix, decode_fixes,
        encode_fixes,
    };
    use crate::driver::Ping;

    fn any_fixes() -> impl Strategy<Value = Vec<PingFix>> {
        let step = (
            any::<u32>(),
            -LAT_E7_MAX..=LAT_E7_MAX,
            -LNG_E7_MAX..=LNG_E7_MAX,
        );
        vec(step, 1..=FIXES_PER_PING_MAX).prop_map(|steps| {
            let mut time_ms = 1_700_000_000_000;
            steps
                .into_iter()
                .map(|(dt_ms, lat_e7, lng_e7)| {
                    time_ms += u64::from(dt_ms);
                    PingFix {
                        time_ms,
                        lat_e7,
                        lng_e7,
                    }
                })
                .collect()
        })
    }

    #[test]
    fn a_full_ping_of_a_fast_scooter_fits_the_smallest_datagram() {
        let fixes: Vec<PingFix> = (0..64)
            .map(|index: i32| PingFix {
                time_ms: 1_700_000_000_000 + 4_000 * u64::from(index.unsigned_abs()),
                lat_e7: 411_500_000 + 7_000 * index,
                lng_e7: -86_100_000 - 9_000 * index,
            })
            .collect();
        let ping = encode_fixes(
            u64::MAX,
            &fixes,
            Motion {
                speed_mm_s: 16_000,
                heading_cdeg: 35_999,
            },
        )
        .unwrap();
        assert!(ping.encoded_len() <= 1_100, "{} bytes", ping.encoded_len());
        let single = encode_fixes(
            70_000,
            &fixes[..1],
            Motion {
                speed_mm_s: 8_000,
                heading_cdeg: 9_000,
            },
        )
        .unwrap();
        assert!(single.encoded_len() <= 40, "{} bytes", single.encoded_len());
    }

    #[test]
    fn what_cannot_be_reported_is_refused() {
        let here = PingFix {
            time_ms: 10,
            lat_e7: 0,
            lng_e7: 0,
        };
        let earlier = PingFix { time_ms: 9, ..here };
        let nowhere = PingFix {
            lat_e7: LAT_E7_MAX + 1,
            ..here
        };
        let still = Motion::default();
        assert_eq!(encode_fixes(1, &[], still), Err(PingError::Empty));
        assert_eq!(
            encode_fixes(1, &[here, earlier], still),
            Err(PingError::Time {
                index: 1,
                time_ms: 9,
                before_ms: 10
            })
        );
        assert!(matches!(
            encode_fixes(1, &[here, nowhere], still),
            Err(PingError::Position { index: 1, .. })
        ));
        assert_eq!(
            encode_fixes(1, &[here; 65], still),
            Err(PingError::TooMany { count: 65 })
        );
        let turned = Motion {
            heading_cdeg: 36_000,
            ..still
        };
        assert_eq!(
            encode_fixes(1, &[here], turned),
            Err(PingError::Heading {
                heading_cdeg: 36_000
            })
        );
    }

    proptest! {
        #[test]
        fn fixes_survive_the_datagram(fixes in any_fixes(), seq in any::<u64>(), speed_mm_s in any::<u32>()) {
            let motion = Motion { speed_mm_s, heading_cdeg: speed_mm_s % 36_000 };
            let bytes = encode_fixes(seq, &fixes, motion).unwrap().encode_to_vec();
            let ping = Ping::decode(bytes.as_slice()).unwrap();
            let mut decoded = Vec::new();
            prop_assert_eq!(decode_fixes(&ping, &mut decoded), Ok(motion));
            prop_assert_eq!(decoded, fixes);
            prop_assert_eq!(ping.seq, seq);
        }

        #[test]
        fn random_datagrams_never_panic(bytes in vec(any::<u8>(), 0..1_500)) {
            if let Ok(ping) = Ping::decode(bytes.as_slice()) {
                let mut fixes = Vec::new();
                if decode_fixes(&ping, &mut fixes).is_ok() {
                    prop_assert!((1..=FIXES_PER_PING_MAX).contains(&fixes.len()));
                }
            }
        }

        #[test]
        fn random_differences_never_panic(
            time_ms in any::<u64>(),
            dt_ms in vec(any::<u32>(), 0..70),
            dlat_e7 in vec(any::<i32>(), 0..70),
            dlng_e7 in vec(any::<i32>(), 0..70),
        ) {
            let ping = Ping { time_ms, dt_ms, dlat_e7, dlng_e7, ..Ping::default() };
            let mut fixes = Vec::new();
            if let Ok(motion) = decode_fixes(&ping, &mut fixes) {
                prop_assert_eq!(encode_fixes(ping.seq, &fixes, motion), Ok(ping));
            }
        }
    }
}
