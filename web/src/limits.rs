//! Limits by address and by principal: requests a second, and streams at a time. Who is above reads 429 with `retry-after`.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::figures::is_event_stream;
use crate::serve::ClientAddr;
use crate::streams::until_the_end;

/// How long a client whose streams are too many is asked to wait, in seconds.
const STREAMS_RETRY_S: u64 = 5;

/// So many requests in a row, then one each `every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Real time in which one more is allowed.
    pub every: Duration,
    /// How many may come at once; 1 or more.
    pub burst: u32,
}

/// The limits of a server; `None` lets all through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests of one address: IPv4, or the first 64 bits of IPv6. Behind a proxy that is not trusted all clients share it.
    pub address: Option<Rate>,
    /// Requests of one principal.
    pub principal: Option<Rate>,
    /// Requests of one address to routes that make something without a principal, such as customers.
    pub anonymous: Option<Rate>,
    /// Event streams of one principal at a time; those of an address where there is no principal.
    pub streams_max: Option<u32>,
    /// Addresses and principals remembered, 8 bytes each and as much again for the table. When it is full, newcomers share
    /// one allowance until others have recovered theirs.
    pub remembered_max: usize,
}

impl Default for RateLimits {
    fn default() -> Self {
        let rate = |every_ms, burst| {
            Some(Rate {
                every: Duration::from_millis(every_ms),
                burst,
            })
        };
        Self {
            address: rate(5, 1_000),
            principal: rate(20, 100),
            anonymous: rate(6_000, 30),
            streams_max: Some(20),
            remembered_max: 100_000,
        }
    }
}

impl RateLimits {
    /// No limit at all: for tests and cities whose people are simulated.
    pub const NONE: Self = Self {
        address: None,
        principal: None,
        anonymous: None,
        streams_max: None,
        remembered_max: 0,
    };
}

type Principal = Box<dyn Fn(&HeaderMap) -> Option<String> + Send + Sync>;

/// Counts the requests of a server against its limits.
pub struct Limiter {
    limits: RateLimits,
    /// Routes that make something without a principal.
    anonymous: &'static [(Method, &'static str)],
    principal: Principal,
    hashes: RandomState,
    allowances: Mutex<Allowances>,
    streams: Mutex<HashMap<u64, u32>>,
}

impl Limiter {
    /// `principal` says who sends a request, if the request proves it; `anonymous` are the templates of routes that make
    /// something without a principal.
    pub fn new(
        limits: RateLimits,
        anonymous: &'static [(Method, &'static str)],
        principal: impl Fn(&HeaderMap) -> Option<String> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let remembered_max = limits.remembered_max;
        Arc::new(Self {
            limits,
            anonymous,
            principal: Box::new(principal),
            hashes: RandomState::new(),
            allowances: Mutex::new(Allowances::new(remembered_max, Instant::now())),
            streams: Mutex::default(),
        })
    }

    fn key(&self, kind: &str, who: impl Hash) -> u64 {
        self.hashes.hash_one((kind, who))
    }

    /// Takes one from each allowance that the request needs, or says which is used up and for how long.
    fn take(&self, request: &Request, principal: Option<&str>) -> Result<(), Refused> {
        let address = address_of(request);
        let route = request.extensions().get::<MatchedPath>();
        let is_anonymous = route.is_some_and(|route| {
            let mut routes = self.anonymous.iter();
            routes.any(|(method, path)| method == request.method() && *path == route.as_str())
        });
        let wanted = [
            (
                "address",
                self.limits.address,
                address.map(|a| self.key("address", a)),
            ),
            (
                "principal",
                self.limits.principal,
                principal.map(|p| self.key("principal", p)),
            ),
            (
                "anonymous",
                self.limits.anonymous.filter(|_| is_anonymous),
                address.map(|a| self.key("anonymous", a)),
            ),
        ];
        let now = Instant::now();
        let mut allowances = lock(&self.allowances);
        for (limit, rate, key) in wanted {
            if let (Some(rate), Some(key)) = (rate, key) {
                let taken = allowances.take(key, rate, now);
                taken.map_err(|wait| Refused {
                    limit,
                    retry_after_s: wait.as_secs() + 1,
                })?;
            }
        }
        Ok(())
    }

    /// A place among the streams of a principal, given back when dropped.
    fn enter(self: &Arc<Self>, key: u64) -> Result<Place, Refused> {
        let mut streams = lock(&self.streams);
        let open = streams.entry(key).or_default();
        if self.limits.streams_max.is_some_and(|max| *open >= max) {
            return Err(Refused {
                limit: "streams",
                retry_after_s: STREAMS_RETRY_S,
            });
        }
        *open += 1;
        Ok(Place {
            limiter: Arc::clone(self),
            key,
        })
    }
}

/// The middleware: refuses what is above the limits before a handler sees it, and streams above theirs once they begin.
pub async fn limit(State(limiter): State<Arc<Limiter>>, request: Request, next: Next) -> Response {
    let principal = (limiter.principal)(request.headers());
    if let Err(refused) = limiter.take(&request, principal.as_deref()) {
        return refused.answer();
    }
    let streams_of = match &principal {
        Some(principal) => Some(limiter.key("principal", principal.as_str())),
        None => address_of(&request).map(|address| limiter.key("address", address)),
    };
    let response = next.run(request).await;
    match streams_of {
        Some(key) if limiter.limits.streams_max.is_some() && is_event_stream(&response) => {
            match limiter.enter(key) {
                Ok(place) => until_the_end(response, place),
                Err(refused) => refused.answer(),
            }
        }
        _ => response,
    }
}

/// Which limit is used up.
struct Refused {
    limit: &'static str,
    retry_after_s: u64,
}

impl Refused {
    /// Has no body: the server's own layer puts one into its form.
    fn answer(&self) -> Response {
        metrics::counter!("doorstep_http_limited_total", "limit" => self.limit).increment(1);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        let retry_after = HeaderValue::from(self.retry_after_s);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, retry_after);
        response
    }
}

/// The client's address as far as it names one household.
fn address_of(request: &Request) -> Option<u64> {
    let ClientAddr(address) = request.extensions().get::<ClientAddr>()?;
    Some(match address {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => u64::try_from(address.to_bits() >> 64).unwrap_or(u64::MAX),
    })
}

struct Place {
    limiter: Arc<Limiter>,
    key: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut streams = lock(&self.limiter.streams);
        if let Some(open) = streams.get_mut(&self.key) {
            *open -= 1;
            if *open == 0 {
                streams.remove(&self.key);
            }
        }
    }
}

/// When each allowance is whole again (the generic cell rate algorithm, ITU-T I.371): a time says as much as a bucket.
struct Allowances {
    whole_at: HashMap<u64, Instant>,
    max: usize,
    swept: Instant,
}

/// The allowance that newcomers share while the table is full.
const SHARED: u64 = 0;
/// Real time between two sweeps of a full table: a sweep reads all of it.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

impl Allowances {
    fn new(max: usize, now: Instant) -> Self {
        Self {
            whole_at: HashMap::new(),
            max,
            swept: now,
        }
    }

    /// Takes one, or says how long until there is one.
    fn take(&mut self, key: u64, rate: Rate, now: Instant) -> Result<(), Duration> {
        let key = self.place_of(key, now);
        let whole_at = self.whole_at.get(&key).map_or(now, |at| (*at).max(now));
        let next = whole_at + rate.every;
        let most = rate.every * rate.burst.max(1);
        let ahead = next.duration_since(now);
        if ahead > most {
            return Err(ahead - most);
        }
        self.whole_at.insert(key, next);
        Ok(())
    }

    fn place_of(&mut self, key: u64, now: Instant) -> u64 {
        if self.whole_at.len() < self.max || self.whole_at.contains_key(&key) {
            return key;
        }
        if now.duration_since(self.swept) >= SWEEP_EVERY {
            self.swept = now;
            self.whole_at.retain(|_, at| *at > now);
        }
        if self.whole_at.len() < self.max {
            key
        } else {
            SHARED
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        every: Duration::from_secs(2),
        burst: 3,
    };

    #[test]
    fn a_burst_then_one_each_so_often() {
        let start = Instant::now();
        let mut allowances = Allowances::new(10, start);
        for _ in 0..3 {
            assert_eq!(allowances.take(7, RATE, start), Ok(()));
        }
        assert_eq!(allowances.take(7, RATE, start), Err(RATE.every));
        let later = start + Duration::from_millis(500);
        let wait = Duration::from_millis(1_500);
        assert_eq!(
            allowances.take(7, RATE, later),
            Err(wait),
            "refusals cost nothing"
        );
        assert_eq!(allowances.take(7, RATE, later + wait), Ok(()));
        assert_eq!(
            allowances.take(8, RATE, start),
            Ok(()),
            "others are not concerned"
        );
        let rested = start + Duration::from_secs(60);
        for _ in 0..3 {
            assert_eq!(allowances.take(7, RATE, rested), Ok(()));
        }
        assert!(
            allowances.take(7, RATE, rested).is_err(),
            "rest saves up no more than a burst"
        );
    }

    #[test]
    fn the_table_is_bounded_and_newcomers_share() {
        let start = Instant::now();
        let mut allowances = Allowances::new(4, start);
        for key in 1..=1_000 {
            let _ = allowances.take(key, RATE, start);
        }
        assert_eq!(allowances.whole_at.len(), 5, "four and the shared one");
        assert!(allowances.take(1_001, RATE, start).is_err());
        let rested = start + Duration::from_secs(60);
        assert_eq!(allowances.take(1_001, RATE, rested), Ok(()));
        assert_eq!(
            allowances.whole_at.len(),
            1,
            "who has recovered is forgotten"
        );
    }
}
