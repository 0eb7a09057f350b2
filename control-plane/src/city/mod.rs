//! The city view: the page that shows the drivers and the orders on the map.

use utoipa_axum::router::OpenApiRouter;

use crate::app::AppState;

/// The routes of the page, its map and its stream.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
}
