//! The files of the pages, built into the binary and served below `/assets/` in the folders where they are written.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::get;
use bytes::Bytes;

use crate::content::{Content, guarded};

/// The city view, with `{{names}}` to be filled in.
pub const CITY: &str = include_str!("../pages/city/index.html");
/// The page of `map view`, with `{{names}}` to be filled in.
pub const MAP_VIEW: &str = include_str!("../pages/map_view/index.html");
/// The module that puts states into words; the city view without scripts has to use the same.
pub const FORMAT_JS: &str = include_str!("../pages/city/format.js");

macro_rules! assets {
    ($($path:literal),* $(,)?) => {
        [$(asset($path, include_bytes!(concat!("../pages/", $path)))),*]
    };
}

static ASSETS: LazyLock<Vec<(&'static str, Content)>> = LazyLock::new(|| {
    assets![
        "city/assign.js",
        "city/assignment.js",
        "city/card.js",
        "city/city.js",
        "city/detail.js",
        "city/dom.js",
        "city/figures.js",
        "city/format.js",
        "city/interpolation.js",
        "city/main.js",
        "city/movers.js",
        "city/order_list.js",
        "city/orders.js",
        "city/palette.js",
        "city/reasons.js",
        "city/spark.js",
        "city/sprites.js",
        "city/stream.js",
        "city/why.js",
        "map_view/ask.js",
        "map_view/map_view.css",
        "map_view/map_view.js",
        "map_view/overlay.js",
        "map_view/panel.js",
        "map_view/words.js",
        "shared/drawing.js",
        "shared/icon.svg",
        "shared/labels.js",
        "shared/projection.js",
        "shared/streets.js",
        "shared/style.css",
        "shared/view.js",
    ]
    .into()
});

fn asset(path: &'static str, bytes: &'static [u8]) -> (&'static str, Content) {
    let content_type = match path.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "application/octet-stream",
    };
    (path, Content::new(content_type, Bytes::from_static(bytes)))
}

/// The file of that path below `/assets/`, such as `shared/view.js`.
#[must_use]
pub fn find(path: &str) -> Option<&'static Content> {
    let mut assets = ASSETS.iter();
    assets
        .find(|(known, _)| *known == path)
        .map(|(_, content)| content)
}

/// The addresses of the files.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{*path}", get(show_asset))
}

async fn show_asset(Path(path): Path<String>, headers: HeaderMap) -> Response<Body> {
    guarded(find(&path).map_or_else(
        || {
            let mut missing = Response::new(Body::empty());
            *missing.status_mut() = StatusCode::NOT_FOUND;
            missing
        },
        |content| content.answer(&headers),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use std::fs;
    use std::path::{Path, PathBuf};

    use axum::http::{Request, header};
    use tower::ServiceExt as _;

    use super::*;

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("pages")
    }

    /// The text of each served file.
    fn texts() -> impl Iterator<Item = (&'static str, &'static str)> {
        ASSETS
            .iter()
            .map(|(path, content)| (*path, std::str::from_utf8(content.plain()).unwrap()))
    }

    #[test]
    fn every_file_of_the_pages_is_built_in() {
        for page in ["city", "map_view", "shared"] {
            for entry in fs::read_dir(folder().join(page)).unwrap() {
                let entry = entry.unwrap();
                let path = format!("{page}/{}", entry.file_name().into_string().unwrap());
                // The page itself is filled in by its server; tests run with Node.
                if entry.file_type().unwrap().is_file() && !path.ends_with("/index.html") {
                    assert!(find(&path).is_some(), "{path} is in pages/ but not served");
                }
            }
        }
    }

    #[test]
    fn every_import_and_link_is_served() {
        for (path, text) in texts().filter(|(path, _)| path.ends_with(".js")) {
            let own_folder = path.split_once('/').unwrap().0;
            for rest in text.split("from \"").skip(1) {
                let written = rest.split('"').next().unwrap();
                let target = match (written.strip_prefix("./"), written.strip_prefix("../")) {
                    (Some(name), _) => format!("{own_folder}/{name}"),
                    (None, Some(target)) => target.to_owned(),
                    (None, None) => panic!("{path} imports {written}, which is no relative path"),
                };
                assert!(find(&target).is_some(), "{path} imports {written}");
            }
        }
        for index in [CITY, MAP_VIEW] {
            assert!(index.contains("\"/assets/"));
            for rest in index.split("\"/assets/").skip(1) {
                let path = rest.split('"').next().unwrap();
                assert!(find(path).is_some(), "a page links {path}");
            }
        }
    }

    #[test]
    fn shared_files_import_no_page() {
        for (path, text) in texts().filter(|(path, _)| path.starts_with("shared/")) {
            assert!(!text.contains("from \"../"), "{path} imports a page's file");
        }
    }

    #[test]
    fn the_pages_are_small_and_need_no_other_host() {
        let total: usize = texts().map(|(_, text)| text.len()).sum();
        assert!(total < 400 * 1024, "{total} bytes without the maps");
        for (name, text) in texts().chain([("city", CITY), ("map_view", MAP_VIEW)]) {
            let namespaces_aside = text.replace("http://www.w3.org/2000/svg", "");
            for far in ["http://", "https://", "url(//", "src=\"//"] {
                assert!(!namespaces_aside.contains(far), "{name} reaches for {far}");
            }
        }
        for index in [CITY, MAP_VIEW] {
            for inline in ["<script>", "<style", " style=\"", " onclick=", " onload="] {
                assert!(
                    !index.contains(inline),
                    "a page has {inline}, which the content security policy blocks"
                );
            }
        }
    }

    #[tokio::test]
    async fn files_are_sent_with_type_policy_and_validator() {
        let get = |path: &'static str| async move {
            let request = Request::get(path).body(Body::empty()).unwrap();
            routes::<()>().oneshot(request).await.unwrap()
        };
        for (path, content_type) in [
            ("/assets/city/main.js", "text/javascript; charset=utf-8"),
            ("/assets/shared/style.css", "text/css; charset=utf-8"),
            ("/assets/shared/icon.svg", "image/svg+xml"),
        ] {
            let answer = get(path).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            let headers = answer.headers();
            assert_eq!(headers[header::CONTENT_TYPE], content_type);
            assert!(headers.contains_key(header::ETAG));
            let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'"), "{policy}");
        }
        for wrong in [
            "/assets/main.js",
            "/assets/city/nothing.js",
            "/assets/city/index.html",
            "/assets/city/..%2f..%2fsrc%2flib.rs",
            "/assets/city/../shared/view.js",
        ] {
            assert_eq!(get(wrong).await.status(), StatusCode::NOT_FOUND, "{wrong}");
        }
    }
}
