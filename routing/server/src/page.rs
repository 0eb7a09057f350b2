//! The page where a person clicks two points: its files, built into the binary, and the drawing of its map.

use std::io::{self, Write};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Nothing from afar, nothing inline.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const SCRIPT: &str = "text/javascript; charset=utf-8";
const JSON: &str = "application/json";
const INDEX: &str = include_str!("../web/index.html");

/// One file of the page.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    etag: String,
}

/// Files of the page's own, and those that it shares with the city view.
static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    macro_rules! asset {
        ($folder:literal, $name:literal, $content_type:expr) => {
            (
                $name,
                $content_type,
                include_bytes!(concat!($folder, $name)) as &[u8],
            )
        };
    }
    let files = [
        asset!("../web/", "ask.js", SCRIPT),
        asset!("../web/", "map_view.css", "text/css; charset=utf-8"),
        asset!("../web/", "map_view.js", SCRIPT),
        asset!("../web/", "overlay.js", SCRIPT),
        asset!("../web/", "panel.js", SCRIPT),
        asset!("../web/", "words.js", SCRIPT),
        asset!("../../../control-plane/web/", "drawing.js", SCRIPT),
        asset!("../../../control-plane/web/", "icon.svg", "image/svg+xml"),
        asset!("../../../control-plane/web/", "projection.js", SCRIPT),
        asset!("../../../control-plane/web/", "streets.js", SCRIPT),
        asset!(
            "../../../control-plane/web/",
            "style.css",
            "text/css; charset=utf-8"
        ),
        asset!("../../../control-plane/web/", "view.js", SCRIPT),
    ];
    files
        .map(|(name, content_type, bytes)| Asset {
            name,
            content_type,
            bytes,
            etag: etag(bytes),
        })
        .into()
});

/// A page for one map, ready to be sent.
pub struct Page {
    index: Bytes,
    profiles: Bytes,
    drawing_gzip: Bytes,
    drawing: Bytes,
    drawing_etag: String,
}

impl Page {
    /// A page for a drawing of the map (JSON as the city view reads it). `name` is what the map is called, `attribution`
    /// whom to credit, `profiles` what is asked for with every click.
    ///
    /// # Errors
    /// If the drawing cannot be compressed.
    pub fn prepare(
        name: &str,
        attribution: &str,
        profiles: &[&str],
        drawing: Vec<u8>,
    ) -> io::Result<Self> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&drawing)?;
        let index = INDEX
            .replace("{{name}}", &escape(name))
            .replace("{{attribution}}", &escape(attribution));
        Ok(Self {
            index: index.into(),
            profiles: format!("[\"{}\"]", profiles.join("\",\"")).into(),
            drawing_gzip: encoder.finish()?.into(),
            drawing_etag: etag(&drawing),
            drawing: drawing.into(),
        })
    }
}

/// The addresses of the page.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(page: Page) -> Router<S> {
    Router::new()
        .route("/", get(show_page))
        .route("/map.json", get(show_map))
        .route("/profiles.json", get(show_profiles))
        .route("/assets/{name}", get(show_asset))
        .with_state(Arc::new(page))
}

async fn show_page(State(page): State<Arc<Page>>) -> Response<Body> {
    guarded("text/html; charset=utf-8", page.index.clone())
}

async fn show_profiles(State(page): State<Arc<Page>>) -> Response<Body> {
    guarded(JSON, page.profiles.clone())
}

async fn show_map(State(page): State<Arc<Page>>, headers: HeaderMap) -> Response<Body> {
    let is_accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accepted| {
            accepted
                .split(',')
                .any(|coding| coding.trim().eq_ignore_ascii_case("gzip"))
        });
    let body = if is_accepted {
        &page.drawing_gzip
    } else {
        &page.drawing
    };
    let mut response = cached(&headers, &page.drawing_etag, JSON, body.clone());
    let of_response = response.headers_mut();
    of_response.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if is_accepted {
        of_response.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

async fn show_asset(Path(name): Path<String>, headers: HeaderMap) -> Response<Body> {
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) => cached(
            &headers,
            &asset.etag,
            asset.content_type,
            Bytes::from_static(asset.bytes),
        ),
        None => with_status(guarded("text/plain", Bytes::new()), StatusCode::NOT_FOUND),
    }
}

/// The bytes, or "not modified" when the browser has them. Browsers ask each time, so an update shows at once.
fn cached(
    headers: &HeaderMap,
    etag: &str,
    content_type: &'static str,
    body: Bytes,
) -> Response<Body> {
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let mut response = if known == Some(etag) {
        with_status(
            guarded(content_type, Bytes::new()),
            StatusCode::NOT_MODIFIED,
        )
    } else {
        guarded(content_type, body)
    };
    let headers = response.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(header::ETAG, etag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn with_status(mut response: Response<Body>, status: StatusCode) -> Response<Body> {
    *response.status_mut() = status;
    response
}

fn guarded(content_type: &'static str, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
    ] {
        headers.insert(name, value);
    }
    response
}

/// A strong validator of some bytes.
fn etag(bytes: &[u8]) -> String {
    format!("\"{}\"", &blake3::hash(bytes).to_hex()[..20])
}

/// Text as HTML shows it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The page itself is filled in first; the other file tells Node how to read the scripts.
    const NOT_SERVED: [&str; 2] = ["index.html", "package.json"];

    fn is_served(name: &str) -> bool {
        ASSETS.iter().any(|asset| asset.name == name)
    }

    #[test]
    fn every_file_of_the_page_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_file() && !NOT_SERVED.contains(&name.as_str()) {
                assert!(is_served(&name), "{name} is in web/ but not served");
            }
        }
    }

    #[test]
    fn every_import_and_link_is_served() {
        for asset in ASSETS.iter().filter(|asset| asset.name.ends_with(".js")) {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            for rest in text.split("from \"./").skip(1) {
                let name = rest.split('"').next().unwrap();
                assert!(is_served(name), "{} imports {name}", asset.name);
            }
        }
        for rest in INDEX.split("\"/assets/").skip(1) {
            let name = rest.split('"').next().unwrap();
            assert!(is_served(name), "the page links {name}");
        }
    }

    #[test]
    fn nothing_is_inline_or_from_afar() {
        assert!(!INDEX.contains("style=") && !INDEX.contains("onclick"));
        assert!(!INDEX.contains("http://") && !INDEX.contains("https://"));
        let page = Page::prepare("a<b", "© \"them\"", &["car"], b"{}".to_vec()).unwrap();
        let index = std::str::from_utf8(&page.index).unwrap();
        assert!(index.contains("a&lt;b") && index.contains("© &quot;them&quot;"));
        assert!(!index.contains("{{"));
    }
}
