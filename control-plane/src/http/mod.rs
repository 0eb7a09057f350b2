//! The HTTP surface: one file a resource, one registration for route and specification.

use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::AppState;
use crate::city;

#[derive(OpenApi)]
#[openapi(info(
    title = "Doorstep control plane",
    description = "Restaurants, orders and money of a delivery city"
))]
struct ApiDoc;

/// All routes with their layers.
pub(crate) fn http_router(state: AppState) -> axum::Router {
    let (router, _api) = OpenApiRouter::with_openapi(ApiDoc::openapi())
        .merge(city::routes())
        .split_for_parts();
    router.with_state(state)
}
