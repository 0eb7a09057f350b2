//! Who may see the city view: the operator, by token or cookie, or everybody where the configuration says so.

use axum::http::{HeaderMap, HeaderValue, header};
use doorstep_dispatch_wire::token::Audience;

use super::live::Live;

const COOKIE: &str = "doorstep_city";

/// Whether these headers open the page.
pub(crate) fn is_allowed(live: &Live, headers: &HeaderMap) -> bool {
    let config = live.config();
    config.public
        || bearer(headers)
            .or_else(|| cookie(headers))
            .is_some_and(|token| is_admin(live, token))
}

/// The cookie that stands for a token given in the address, if the token is good.
pub(crate) fn exchange(live: &Live, token: &str) -> Option<HeaderValue> {
    if !is_admin(live, token) {
        return None;
    }
    HeaderValue::from_str(&format!(
        "{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"
    ))
    .ok()
}

fn is_admin(live: &Live, token: &str) -> bool {
    let config = live.config();
    let now_ms = u64::try_from(config.clock.now_ms()).unwrap_or(0);
    config
        .token_key
        .verify(token, Audience::Admin, now_ms)
        .is_ok()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get(header::COOKIE)?.to_str().ok()?;
    all.split(';')
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
