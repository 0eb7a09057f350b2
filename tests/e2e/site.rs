//! A folder with a map and the keys of an installation, and the commands that run in it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use doorstep_dispatch_wire::token::{Audience, Claims, TokenKey};
use doorstep_maps::Contents;
use doorstep_routing::LatLng;

/// `city.road`, `token.key` and `gateway.secret` in a folder that goes with this value.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    token_key: TokenKey,
    /// Two places on roads, some hundred metres apart.
    pub(crate) places: [LatLng; 2],
}

impl Site {
    pub(crate) fn new() -> Self {
        doorstep_web::tls::install_provider();
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let (extract, archive) = (file("city.osm.pbf"), file("city.road"));
        doorstep_maps::generate(7, 400, &extract).unwrap();
        doorstep_maps::import(&extract, &archive, Contents::RoadsAndFeatures, &|_| {}).unwrap();
        let token_key = TokenKey::generate().unwrap();
        std::fs::write(file("token.key"), token_key.to_text()).unwrap();
        std::fs::write(file("gateway.secret"), "a secret of the tests").unwrap();
        Self {
            token_key,
            places: two_places(&archive),
            folder,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `doorstep` in the folder, with arguments that hold no spaces.
    pub(crate) fn doorstep(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorstep"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder());
        command
    }

    /// A token for anybody, good for an hour.
    pub(crate) fn token(&self, audience: Audience, subject: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let expires_at = now + Duration::from_secs(3_600);
        self.token_key.sign(&Claims {
            audience,
            subject: subject.to_owned(),
            expires_at_ms: u64::try_from(expires_at.as_millis()).unwrap(),
        })
    }
}

fn two_places(archive: &Path) -> [LatLng; 2] {
    let archive = doorstep_maps::open_map(archive).unwrap();
    let network = &archive.network;
    let (south_west, north_east) = network.bounds().unwrap();
    let middle = LatLng::from_e7(
        i32::midpoint(south_west.lat_e7(), north_east.lat_e7()),
        i32::midpoint(south_west.lng_e7(), north_east.lng_e7()),
    );
    let nodes = || network.nodes().map(|node| network.node_at(node));
    let metres = |from: LatLng, to: &LatLng| to.crow_distance(from).as_millimetres() / 1_000;
    let first = nodes().min_by_key(|at| metres(middle, at)).unwrap();
    let apart = nodes().filter(|at| metres(first, at) > 150);
    [first, apart.min_by_key(|at| metres(first, at)).unwrap()]
}
