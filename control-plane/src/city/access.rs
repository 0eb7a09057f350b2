//! Who may see the city view: the operator, by token or cookie, or everybody where the configuration says so.

use axum::http::{HeaderMap, HeaderValue, header};
use doorstep_dispatch_wire::token::Audience;

use super::live::Live;

const COOKIE: &str = "doorstep_city";

/// Who acts on a page that everybody may open.
const ANYBODY: &str = "anybody on the open page";

/// Whether these headers open the page.
pub(crate) fn is_allowed(live: &Live, headers: &HeaderMap) -> bool {
    actor(live, headers).is_some()
}

/// Who looks at the page or acts on it: the subject of the admin token, if these headers open the page.
pub(crate) fn actor(live: &Live, headers: &HeaderMap) -> Option<String> {
    let named = bearer(headers)
        .or_else(|| cookie(headers))
        .and_then(|token| subject(live, token));
    named.or_else(|| live.config().public.then(|| ANYBODY.to_owned()))
}

/// The cookie that stands for a token given in the address, if the token is good.
pub(crate) fn exchange(live: &Live, token: &str) -> Option<HeaderValue> {
    subject(live, token)?;
    HeaderValue::from_str(&format!(
        "{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"
    ))
    .ok()
}

/// Whom a good admin token names.
fn subject(live: &Live, token: &str) -> Option<String> {
    let config = live.config();
    let now_ms = u64::try_from(config.clock.now_ms()).unwrap_or(0);
    config
        .token_key
        .verify(token, Audience::Admin, now_ms)
        .ok()
        .map(|claims| claims.subject)
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
