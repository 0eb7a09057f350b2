//! The city view: the page that shows the drivers and the orders on the map.
//!
//! ```text
//!  dispatch ──poll──> DriverPicture ─┐
//!                                    ├─> Picture ──twice a second──> delta ──> every viewer (SSE)
//!  order feed ───────────────────────┘       └──when a viewer comes or falls behind──> snapshot
//! ```

mod access;
mod assets;
mod assignment;
mod live;
mod map;
mod message;
mod order_row;
mod page;
mod picture;
mod poll;
mod routes;
mod why;
mod window;

use axum::extract::FromRef;
use utoipa_axum::router::OpenApiRouter;

use crate::app::AppState;

pub(crate) use live::{Live, LiveConfig, run};
pub(crate) use map::MapFile;
pub(crate) use picture::ORDERS_MAX;
pub(crate) use poll::poll_dispatch;

/// The routes of the page, its map, its stream and its questions.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::from(
        routes::router()
            .merge(why::router())
            .merge(assignment::router()),
    )
}

impl FromRef<AppState> for Live {
    fn from_ref(state: &AppState) -> Self {
        state.live.clone()
    }
}

#[cfg(test)]
mod tests;
