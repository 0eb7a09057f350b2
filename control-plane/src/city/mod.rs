//! The city view: the page that shows the drivers and the orders on the map.
//!
//! ```text
//!  dispatch ──poll──> DriverPicture ─┐
//!                                    ├─> Picture ──twice a second──> delta ──> every viewer (SSE)
//!  order feed ───────────────────────┘       └──when a viewer comes or falls behind──> snapshot
//! ```

mod access;
#[allow(
    unused_qualifications,
    reason = "the expansion of utoipa::path names the query type again"
)]
mod assignment;
mod card;
mod live;
mod map;
mod message;
mod order_row;
mod page;
mod picture;
mod routes;
mod why;
mod window;

use axum::extract::FromRef;

use utoipa_axum::router::OpenApiRouter;

use crate::app::AppState;

pub(crate) use live::{Live, LiveConfig, run};
pub(crate) use map::MapFile;
pub(crate) use picture::ORDERS_MAX;

/// What the handlers of the page share.
#[derive(Clone)]
struct CityState {
    app: AppState,
    live: Live,
}

impl FromRef<CityState> for AppState {
    fn from_ref(state: &CityState) -> Self {
        state.app.clone()
    }
}

impl FromRef<CityState> for Live {
    fn from_ref(state: &CityState) -> Self {
        state.live.clone()
    }
}

/// The routes of the page, its map, its stream and its questions.
pub(crate) fn router(app: AppState, live: Live) -> OpenApiRouter {
    OpenApiRouter::from(routes::router().merge(card::router()))
        .merge(why::router())
        .merge(assignment::router())
        .with_state(CityState { app, live })
}

#[cfg(test)]
mod tests;
