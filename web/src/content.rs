//! Bytes that are the same for every reader: hashed and compressed once, sent with validators and the page's policy.

use std::borrow::Cow;
use std::io::Write;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Nothing from other hosts, nothing inline.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Bytes ready to be sent. Clones share them.
#[derive(Clone, Debug)]
pub struct Content {
    content_type: &'static str,
    plain: Bytes,
    /// Absent when compression saves nothing.
    gzip: Option<Bytes>,
    etag: HeaderValue,
}

impl Content {
    /// Hashes and compresses the bytes: about 10 ms a megabyte, done once.
    #[must_use]
    pub fn new(content_type: &'static str, plain: Bytes) -> Self {
        let gzip = compress(&plain).filter(|gzip| gzip.len() < plain.len());
        let etag = format!("\"{}\"", &blake3::hash(&plain).to_hex()[..20]);
        Self {
            content_type,
            plain,
            gzip,
            // Hexadecimal digits between quotes are always a header value.
            etag: HeaderValue::from_str(&etag).unwrap_or(HeaderValue::from_static("\"\"")),
        }
    }

    /// The bytes as they were given.
    #[must_use]
    pub const fn plain(&self) -> &Bytes {
        &self.plain
    }

    /// Answers a request with these headers: the bytes, compressed if the client takes gzip, or 304 if it has them.
    /// Clients ask each time (`no-cache`), so an update shows at once.
    #[must_use]
    pub fn answer(&self, request: &HeaderMap) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if self.gzip.is_some() {
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        if self.is_known(request) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        let content_type = HeaderValue::from_static(self.content_type);
        headers.insert(header::CONTENT_TYPE, content_type);
        let body = match &self.gzip {
            Some(gzip) if accepts_gzip(request) => {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                gzip
            }
            _ => &self.plain,
        };
        *response.body_mut() = Body::from(body.clone());
        response
    }

    fn is_known(&self, request: &HeaderMap) -> bool {
        let tags = request
            .get(header::IF_NONE_MATCH)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("");
        tags.split(',').any(|tag| {
            let tag = tag.trim();
            tag == "*" || tag.trim_start_matches("W/").as_bytes() == self.etag.as_bytes()
        })
    }
}

/// Adds the headers of a page to an answer: content security policy, no sniffing, no referrer.
#[must_use]
pub fn guarded(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    let no_sniffing = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, no_sniffing);
    let no_referrer = HeaderValue::from_static("no-referrer");
    headers.insert(header::REFERRER_POLICY, no_referrer);
    response
}

/// Replaces each `{{name}}` of a page; a name without a value stays as it is.
pub fn fill(template: &str, value: impl Fn(&str) -> Option<Cow<'static, str>>) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            filled.push_str("{{");
            rest = after;
            continue;
        };
        match value(name) {
            Some(text) => filled.push_str(&text),
            None => filled.extend(["{{", name, "}}"]),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// Text that cannot become markup.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

fn compress(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing into memory does not fail; if it did, the plain bytes would be sent.
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

fn accepts_gzip(request: &HeaderMap) -> bool {
    let accepted = request
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use std::io::Read;

    use axum::body::to_bytes;
    use axum::http::{HeaderName, StatusCode};
    use flate2::read::GzDecoder;

    use super::*;

    const TEXT: &str = "the same words, the same words, the same words, the same words";

    fn asked(headers: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pairs = headers.iter().cloned();
        pairs
            .map(|(name, value)| (name, HeaderValue::from_static(value)))
            .collect()
    }

    fn text() -> Content {
        Content::new("text/plain", Bytes::from_static(TEXT.as_bytes()))
    }

    #[tokio::test]
    async fn gzip_is_sent_to_clients_that_take_it() {
        for (accepted, is_zipped) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("br", false),
            ("gzip;q=0, br", false),
        ] {
            let request = asked(&[(header::ACCEPT_ENCODING, accepted)]);
            let answer = text().answer(&request);
            assert_eq!(answer.headers()[header::VARY], "Accept-Encoding");
            let coding = answer.headers().get(header::CONTENT_ENCODING).is_some();
            assert_eq!(coding, is_zipped, "{accepted}");
            let bytes = to_bytes(answer.into_body(), 1_000).await.unwrap();
            let mut read = String::new();
            if is_zipped {
                GzDecoder::new(&*bytes).read_to_string(&mut read).unwrap();
            } else {
                read = String::from_utf8(bytes.to_vec()).unwrap();
            }
            assert_eq!(read, TEXT);
        }
    }

    #[test]
    fn what_does_not_shrink_is_not_compressed() {
        let content = Content::new("text/plain", Bytes::from_static(b"x"));
        let answer = content.answer(&asked(&[(header::ACCEPT_ENCODING, "gzip")]));
        assert_eq!(answer.headers().get(header::CONTENT_ENCODING), None);
    }

    #[test]
    fn known_bytes_are_not_sent_again() {
        let first = text().answer(&HeaderMap::new());
        let etag = first.headers()[header::ETAG].to_str().unwrap();
        for (known, status) in [
            (etag.to_owned(), StatusCode::NOT_MODIFIED),
            (format!("\"other\", W/{etag}"), StatusCode::NOT_MODIFIED),
            ("*".to_owned(), StatusCode::NOT_MODIFIED),
            ("\"other\"".to_owned(), StatusCode::OK),
        ] {
            let mut request = HeaderMap::new();
            request.insert(header::IF_NONE_MATCH, known.parse().unwrap());
            assert_eq!(text().answer(&request).status(), status, "{known}");
        }
    }

    #[test]
    fn fills_known_names_only() {
        let filled = fill("a {{x}} b {{y}} c {{", |name| {
            (name == "x").then(|| "1".into())
        });
        assert_eq!(filled, "a 1 b {{y}} c {{");
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(
            escape("<b a='1' c=\"2\">&"),
            "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;"
        );
    }
}
