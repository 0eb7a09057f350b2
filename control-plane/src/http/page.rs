//! Pages of lists.

use doorstep_api::number::PageLimit;

use crate::platform::problem::Problem;

/// How many entries a page has, or 400 when it is out of range.
pub(crate) fn entries(limit: Option<PageLimit>) -> Result<u32, Problem> {
    let limit = limit.unwrap_or(PageLimit::DEFAULT);
    if limit.is_in_range() {
        return Ok(limit.0);
    }
    let detail = format!(
        "limit is {} to {}, not {}",
        PageLimit::MIN,
        PageLimit::MAX,
        limit.0
    );
    Err(Problem::bad_request("invalid_query", detail).param("limit"))
}
