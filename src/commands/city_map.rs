//! The drawing of a map file for the city view, as `control-plane` and `serve` send it.

use std::path::Path;

use super::say;

/// Reads a map of either kind and draws it as JSON. Says so if the map tells nothing but roads.
pub(crate) fn drawing_of(map: &Path) -> anyhow::Result<Vec<u8>> {
    let drawing = doorstep_maps::open_drawing(map)?;
    if !drawing.has_features {
        say(&format!(
            "{} holds roads only: the city view shows streets without water, parks and names; \
             `doorstep map import` of the extract writes them too",
            map.display()
        ));
    }
    Ok(serde_json::to_vec(&drawing)?)
}
