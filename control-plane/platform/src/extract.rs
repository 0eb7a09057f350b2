//! What handlers take out of a request: the caller, a body, ids; each wrong one is a problem body.

use std::str::FromStr;

use axum::Json;
use axum::extract::{FromRef, FromRequest, FromRequestParts, OptionalFromRequest, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use doorstep_dispatch_wire::token::{Audience, Claims, TokenError, TokenKey};
use serde::de::DeserializeOwned;

use crate::clock::Clock;
use crate::ids::{CustomerId, RestaurantId};
use crate::problem::Problem;
use crate::scope::Scope;

/// Who sends the request, by their bearer token.
#[derive(Clone, Copy, Debug)]
pub struct Caller(pub Scope, pub TokenEnd);

/// When a token ends, in city milliseconds: a stream that it opened ends then too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenEnd(i64);

impl TokenEnd {
    /// The end that a token's claims name.
    #[must_use]
    pub fn of(claims: &Claims) -> Self {
        Self(i64::try_from(claims.expires_at_ms).unwrap_or(i64::MAX))
    }

    /// Waits until the token is good no more.
    pub async fn reached(self, clock: &Clock) {
        clock.reached(self.0).await;
    }
}

impl Caller {
    /// The customer.
    ///
    /// # Errors
    /// 403 `wrong_role` for everybody else.
    pub fn customer(self) -> Result<CustomerId, Problem> {
        self.0.customer().ok_or_else(|| wrong_role("customer"))
    }

    /// Lets a restaurant at what is its own, and the operator at every restaurant's.
    ///
    /// # Errors
    /// 403 `wrong_role` for a customer, 404 for another restaurant.
    pub fn may_run(self, restaurant: RestaurantId) -> Result<(), Problem> {
        match self.0 {
            Scope::Admin => Ok(()),
            Scope::Restaurant(own) if own == restaurant => Ok(()),
            Scope::Restaurant(_) => Err(Problem::not_found("restaurant")),
            Scope::Customer(_) => Err(wrong_role("restaurant")),
        }
    }

    /// Lets every restaurant and the operator pass.
    ///
    /// # Errors
    /// 403 `wrong_role` for a customer.
    pub fn runs_a_restaurant(self) -> Result<(), Problem> {
        match self.0 {
            Scope::Admin | Scope::Restaurant(_) => Ok(()),
            Scope::Customer(_) => Err(wrong_role("restaurant")),
        }
    }

    /// Lets the operator pass.
    ///
    /// # Errors
    /// 403 `wrong_role` for everybody else.
    pub fn admin(self) -> Result<(), Problem> {
        match self.0 {
            Scope::Admin => Ok(()),
            Scope::Customer(_) | Scope::Restaurant(_) => Err(wrong_role("admin")),
        }
    }
}

fn wrong_role(needed: &str) -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "wrong_role",
        format!("this needs a token for audience {needed}"),
    )
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    Tokens: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let token = bearer(parts).ok_or_else(|| unauthorized("a bearer token is needed"))?;
        Tokens::from_ref(state).caller(token)
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    bearer_of(&parts.headers)
}

fn bearer_of(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(header::AUTHORIZATION)?;
    header.to_str().ok()?.strip_prefix("Bearer ")
}

fn unauthorized(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail).param("authorization")
}

/// The operator by name: the subject of an admin token.
#[derive(Clone, Debug)]
pub struct Operator(pub String);

impl<S> FromRequestParts<S> for Operator
where
    S: Send + Sync,
    Tokens: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Caller::from_request_parts(parts, state).await?.admin()?;
        let tokens = Tokens::from_ref(state);
        let claims = bearer(parts)
            .and_then(|token| tokens.verify(token, Audience::Admin).ok())
            .ok_or_else(|| wrong_role("admin"))?;
        Ok(Self(claims.subject))
    }
}

/// Signs and checks bearer tokens by the city's clock.
#[derive(Clone, Debug)]
pub struct Tokens {
    key: TokenKey,
    clock: Clock,
}

impl Tokens {
    /// Tokens of one key.
    #[must_use]
    pub const fn new(key: TokenKey, clock: Clock) -> Self {
        Self { key, clock }
    }

    /// A new token that is valid for `life_ms` milliseconds of the city's clock.
    #[must_use]
    pub fn issue(&self, audience: Audience, subject: String, life_ms: i64) -> String {
        let expires_at_ms =
            u64::try_from(self.clock.now_ms().saturating_add(life_ms)).unwrap_or(u64::MAX);
        self.key.sign(&Claims {
            audience,
            subject,
            expires_at_ms,
        })
    }

    fn verify(&self, token: &str, audience: Audience) -> Result<Claims, TokenError> {
        let now_ms = u64::try_from(self.clock.now_ms()).unwrap_or(0);
        self.key.verify(token, audience, now_ms)
    }

    /// Names who sends a request, for limits: audience and subject of a valid token. The operator has no limits.
    #[must_use]
    pub fn principal(&self, headers: &HeaderMap) -> Option<String> {
        let token = bearer_of(headers)?;
        match self.caller(token).ok()?.0 {
            Scope::Admin => None,
            Scope::Customer(id) => Some(format!("customer {id}")),
            Scope::Restaurant(id) => Some(format!("restaurant {id}")),
        }
    }

    /// What a token lets its holder see, and until when.
    fn caller(&self, token: &str) -> Result<Caller, Problem> {
        let refuse = |error: TokenError| unauthorized(error.to_string());
        // The token says what it is for; only the audiences of this interface are let in.
        let audience = match self.verify(token, Audience::Customer) {
            Ok(_) => Audience::Customer,
            Err(TokenError::WrongAudience { found, .. }) => found,
            Err(error) => return Err(refuse(error)),
        };
        let claims = self.verify(token, audience).map_err(refuse)?;
        let unknown = |_| unauthorized("the token names nobody");
        let scope = match audience {
            Audience::Customer => Scope::Customer(claims.subject.parse().map_err(unknown)?),
            Audience::Restaurant => Scope::Restaurant(claims.subject.parse().map_err(unknown)?),
            Audience::Admin => Scope::Admin,
            Audience::Driver => {
                return Err(unauthorized(
                    "a token for audience driver opens nothing here",
                ));
            }
        };
        Ok(Caller(scope, TokenEnd::of(&claims)))
    }
}

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match <Json<T> as FromRequest<S>>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => {
                let status = match rejection.status() {
                    StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
                    status => status,
                };
                Err(Problem::new(status, "invalid_body", rejection.body_text()))
            }
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Body<T> {
    type Rejection = Problem;

    /// A body that is not announced is not there.
    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        if !request.headers().contains_key(header::CONTENT_TYPE) {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state)
            .await
            .map(Some)
    }
}

/// The query of an address.
#[derive(Debug)]
pub struct QueryParams<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Problem::bad_request("invalid_query", rejection.body_text())),
        }
    }
}

/// An id in a path: nothing exists under a malformed one.
///
/// # Errors
/// 404 when the text is no such id.
pub fn path_id<T: FromStr>(text: &str, what: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::not_found(what))
}
