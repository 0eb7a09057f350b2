//! Who may see the city view, and who may give orders away on it: the operator, by token or cookie. Where the configuration
//! says so everybody may look, and everybody at this machine may give orders away.

use std::net::IpAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, header};
use doorstep_dispatch_wire::token::{Audience, Claims};

use super::live::Live;
use crate::platform::extract::TokenEnd;

const COOKIE: &str = "doorstep_city";

/// Who acts without a token.
const ANYBODY: &str = "anybody on the open page";

/// Whether these headers open the page.
pub(crate) fn is_allowed(live: &Live, headers: &HeaderMap) -> bool {
    live.config().public || named(live, headers).is_some()
}

/// How long these headers open the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    /// Everybody may look.
    ForEverybody,
    /// For as long as the token is good.
    Until(TokenEnd),
}

/// How long a stream of the page may go on; `None`: it may not begin.
pub(crate) fn opened(live: &Live, headers: &HeaderMap) -> Option<Opened> {
    if live.config().public {
        return Some(Opened::ForEverybody);
    }
    claims(live, headers).map(|claims| Opened::Until(TokenEnd::of(&claims)))
}

/// Who gives orders away, or asks what it would change: the subject of the admin token. Without one anybody at this machine,
/// where the configuration says so.
pub(crate) fn assigner(live: &Live, headers: &HeaderMap) -> Option<String> {
    named(live, headers).or_else(|| {
        (live.config().public_assignments && is_addressed_to_loopback(headers))
            .then(|| ANYBODY.to_owned())
    })
}

/// Whether the browser believes to talk to its own machine. A page from elsewhere whose name was made to lead here does not.
fn is_addressed_to_loopback(headers: &HeaderMap) -> bool {
    let authority = headers
        .get(header::HOST)
        .and_then(|host| Authority::try_from(host.as_bytes()).ok());
    authority.is_some_and(|authority| {
        let host = authority.host();
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        bare.eq_ignore_ascii_case("localhost")
            || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    })
}

/// Whom the token of these headers names, if it is good.
fn named(live: &Live, headers: &HeaderMap) -> Option<String> {
    claims(live, headers).map(|claims| claims.subject)
}

/// What the admin token of these headers says, if it is good.
fn claims(live: &Live, headers: &HeaderMap) -> Option<Claims> {
    bearer(headers)
        .or_else(|| cookie(headers))
        .and_then(|token| verified(live, token))
}

/// The cookie that stands for a token given in the address, if the token is good.
pub(crate) fn exchange(live: &Live, token: &str) -> Option<HeaderValue> {
    verified(live, token)?;
    HeaderValue::from_str(&format!(
        "{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"
    ))
    .ok()
}

/// What a good admin token says.
fn verified(live: &Live, token: &str) -> Option<Claims> {
    let config = live.config();
    let now_ms = u64::try_from(config.clock.now_ms()).unwrap_or(0);
    config.token_key.verify(token, Audience::Admin, now_ms).ok()
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

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::is_addressed_to_loopback;

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        let is_own = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
            is_addressed_to_loopback(&headers)
        };
        for host in [
            "localhost",
            "LocalHost:8080",
            "127.0.0.1",
            "127.8.9.10:8080",
            "[::1]",
            "[::1]:8080",
        ] {
            assert!(is_own(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8080",
            "0.0.0.0:8080",
            "192.168.1.7:8080",
            "[::]:8080",
            "[2001:db8::1]",
        ] {
            assert!(!is_own(host), "{host}");
        }
        assert!(!is_addressed_to_loopback(&HeaderMap::new()));
    }
}
