//! The files of the page, built into the binary.

use std::sync::LazyLock;

use super::map::etag_of;

/// One file of the page.
pub(crate) struct Asset {
    pub(crate) name: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) bytes: &'static [u8],
    pub(crate) etag: String,
}

/// The page itself, with `{{names}}` to be filled in.
pub(crate) const INDEX: &str = include_str!("../../web/index.html");

macro_rules! assets {
    ($($name:literal: $content_type:expr,)*) => {
        vec![$(asset($name, $content_type, include_bytes!(concat!("../../web/", $name)))),*]
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    assets! {
        "assign.js": SCRIPT,
        "assignment.js": SCRIPT,
        "city.js": SCRIPT,
        "detail.js": SCRIPT,
        "dom.js": SCRIPT,
        "drawing.js": SCRIPT,
        "figures.js": SCRIPT,
        "format.js": SCRIPT,
        "icon.svg": "image/svg+xml",
        "interpolation.js": SCRIPT,
        "main.js": SCRIPT,
        "movers.js": SCRIPT,
        "order_list.js": SCRIPT,
        "orders.js": SCRIPT,
        "palette.js": SCRIPT,
        "projection.js": SCRIPT,
        "spark.js": SCRIPT,
        "reasons.js": SCRIPT,
        "sprites.js": SCRIPT,
        "stream.js": SCRIPT,
        "streets.js": SCRIPT,
        "style.css": "text/css; charset=utf-8",
        "view.js": SCRIPT,
        "why.js": SCRIPT,
    }
});

fn asset(name: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Asset {
    Asset {
        name,
        content_type,
        bytes,
        etag: etag_of(bytes),
    }
}

/// The file of that name.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{ASSETS, INDEX, find};

    /// The page itself is filled in first; the other file tells Node how to read the scripts.
    const NOT_SERVED: [&str; 2] = ["index.html", "package.json"];

    #[test]
    fn every_file_of_the_page_is_built_in() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_file() && !NOT_SERVED.contains(&name.as_str()) {
                assert!(find(&name).is_some(), "{name} is in web/ but not served");
            }
        }
    }

    #[test]
    fn every_import_and_link_is_served() {
        for asset in ASSETS.iter().filter(|asset| asset.name.ends_with(".js")) {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            for rest in text.split("from \"./").skip(1) {
                let name = rest.split('"').next().unwrap();
                assert!(find(name).is_some(), "{} imports {name}", asset.name);
            }
        }
        for rest in INDEX.split("/city/assets/").skip(1) {
            let name = rest.split('"').next().unwrap();
            assert!(find(name).is_some(), "index.html links {name}");
        }
    }

    #[test]
    fn the_page_is_small_and_needs_nothing_from_afar() {
        let total: usize =
            INDEX.len() + ASSETS.iter().map(|asset| asset.bytes.len()).sum::<usize>();
        assert!(total < 300 * 1024, "{total} bytes without the map");
        let texts = ASSETS
            .iter()
            .map(|asset| (asset.name, std::str::from_utf8(asset.bytes).unwrap()));
        for (name, text) in texts.chain([("index.html", INDEX)]) {
            let namespaces_aside = text.replace("http://www.w3.org/2000/svg", "");
            for far in ["http://", "https://", "url(//", "src=\"//"] {
                assert!(!namespaces_aside.contains(far), "{name} reaches for {far}");
            }
        }
        for inline in ["<script>", "<style", " style=\"", " onclick=", " onload="] {
            assert!(
                !INDEX.contains(inline),
                "index.html has {inline}, which the content security policy blocks"
            );
        }
    }
}
