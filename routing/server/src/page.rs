//! The page where a person clicks two points, and the drawing of its map.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::routing::get;
use doorstep_web::content::{Content, escape, fill, guarded};
use doorstep_web::pages;

const JSON: &str = "application/json";

/// A page for one map, ready to be sent.
pub struct Page {
    index: Content,
    profiles: Content,
    drawing: Content,
}

impl Page {
    /// A page for a drawing of the map (JSON as the city view reads it). `name` is what the map is called, `attribution`
    /// whom to credit, `profiles` what is asked for with every click.
    #[must_use]
    pub fn prepare(name: &str, attribution: &str, profiles: &[&str], drawing: Vec<u8>) -> Self {
        let index = fill(pages::MAP_VIEW, |field| match field {
            "name" => Some(Cow::Owned(escape(name))),
            "attribution" => Some(Cow::Owned(escape(attribution))),
            _ => None,
        });
        let profiles = format!("[\"{}\"]", profiles.join("\",\""));
        Self {
            index: Content::new("text/html; charset=utf-8", index.into()),
            profiles: Content::new(JSON, profiles.into()),
            drawing: Content::new(JSON, drawing.into()),
        }
    }
}

/// The addresses of the page.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(page: Page) -> Router<S> {
    Router::new()
        .route("/", get(show_page))
        .route("/map.json", get(show_map))
        .route("/profiles.json", get(show_profiles))
        .with_state(Arc::new(page))
        .merge(pages::routes())
}

async fn show_page(State(page): State<Arc<Page>>, headers: HeaderMap) -> Response<Body> {
    guarded(page.index.answer(&headers))
}

async fn show_profiles(State(page): State<Arc<Page>>, headers: HeaderMap) -> Response<Body> {
    guarded(page.profiles.answer(&headers))
}

async fn show_map(State(page): State<Arc<Page>>, headers: HeaderMap) -> Response<Body> {
    guarded(page.drawing.answer(&headers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_as_text() {
        let page = Page::prepare("a<b", "© \"them\"", &["car"], b"{}".to_vec());
        let index = std::str::from_utf8(page.index.plain()).unwrap();
        assert!(index.contains("a&lt;b") && index.contains("© &quot;them&quot;"));
        assert!(!index.contains("{{"));
    }
}
