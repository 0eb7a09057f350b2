//! The reader of road archives: any bytes give an error, or an archive that routes.
#![no_main]

use doorstep_fuzz::seal_archive;
use doorstep_routing::{Profile, RoadArchive, Router};
use libfuzzer_sys::fuzz_target;

/// Larger networks are read but not routed on, so that one input takes no time.
const EDGES_MAX: usize = 3000;

// The first byte chooses whether the checksums are made to fit, and the profile.
fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, rest)) = bytes.split_first() else {
        return;
    };
    let mut bytes = rest.to_vec();
    if kind % 8 != 0 {
        seal_archive(&mut bytes);
    }
    let Ok(archive) = RoadArchive::from_bytes(&bytes) else {
        return;
    };
    assert_eq!(
        RoadArchive::from_bytes(&archive.to_bytes()).map(|again| again.to_bytes()),
        Ok(archive.to_bytes()),
        "an archive that was read is written so that it can be read"
    );
    let network = &archive.network;
    if network.edge_count() > EDGES_MAX {
        return;
    }
    let router = Router::new(
        &archive,
        Profile::ALL[usize::from(kind / 8) % Profile::COUNT],
    );
    let mut workspace = router.workspace();
    let nodes: Vec<_> = network.nodes().collect();
    let ends = [nodes.first(), nodes.last()].map(|node| router.snap(network.node_at(*node?)).ok());
    if let [Some(from), Some(to)] = ends {
        let route = router.route(&mut workspace, &from, &to);
        let time = router.travel_time(&mut workspace, &from, &to);
        assert_eq!(route.map(|route| route.travel_time), time);
    }
});
