//! `doorstep route-server`: the router over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use doorstep_route_server::http::{Server, router};
use doorstep_route_server::serve::Bound;
use doorstep_route_server::{Atlas, Engines, Limits, Page};
use doorstep_routing::{Distance, Profile, RoadArchive, Router};
use tokio_util::sync::CancellationToken;

use super::{asked_to_stop, parse_listen};

/// Serves routes, tables, nearest roads, trips and isochrones over HTTP.
///
/// Speaks OSRM's API, version 1 (`/route`, `/table`, `/nearest`, `/trip`), so that its clients work unchanged, and
/// answers `/isochrone` in Valhalla's shape. Stops at Ctrl-C, after the answers under way.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep route-server --map porto.road --profile car --listen 127.0.0.1:5000
  curl 'http://127.0.0.1:5000/route/v1/car/-8.6110,41.1496;-8.6569,41.1621?overview=false'
  curl 'http://127.0.0.1:5000/isochrone?json=%7B%22locations%22:%5B%7B%22lat%22:41.1496,%22lon%22:-8.611%7D%5D,%22costing%22:%22auto%22,%22contours%22:%5B%7B%22time%22:10%7D%5D%7D'")]
pub(crate) struct RouteServerArgs {
    /// A road archive, or an OpenStreetMap extract that is imported in memory
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// Whom to serve, once for each profile; one profile alone is served under every name
    #[arg(long, value_name = "PROFILE", default_value = "scooter")]
    profile: Vec<Profile>,
    /// The address to serve on; port 0 lets the system choose
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:5000", value_parser = parse_listen)]
    listen: SocketAddr,
    /// How far a coordinate may be from the nearest road, in metres
    #[arg(long, value_name = "METRES", default_value_t = 1000)]
    snap_limit: u32,
    /// How many coordinates a table may have; memory grows with its square
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().table_coordinates_max)]
    max_table_size: usize,
}

pub(crate) fn run(args: RouteServerArgs) -> anyhow::Result<ExitCode> {
    let archive = doorstep_maps::open_map(&args.map)?;
    let limits = Limits {
        table_coordinates_max: args.max_table_size,
        ..Limits::default()
    };
    let atlas = prepare(&archive, &args.profile, args.snap_limit, limits);
    // The archive is not needed any more: the routers hold what they use of it.
    drop(archive);
    serve(args.listen, &atlas, None)
}

/// Prepares a router for each profile that is named, each once.
pub(crate) fn prepare(
    archive: &RoadArchive,
    profiles: &[Profile],
    snap_limit: u32,
    limits: Limits,
) -> Arc<Atlas> {
    let mut wanted: Vec<Profile> = Vec::new();
    for &profile in profiles {
        if !wanted.contains(&profile) {
            wanted.push(profile);
        }
    }
    let routers = wanted
        .iter()
        .map(|&profile| {
            Router::new(archive, profile).with_snap_limit(Distance::from_metres(snap_limit))
        })
        .collect();
    Arc::new(Atlas::new(Engines::new(routers), limits))
}

/// Serves until it is asked to stop; says where once it does.
#[allow(clippy::print_stdout, reason = "the address goes to standard output")]
pub(crate) fn serve(
    listen: SocketAddr,
    atlas: &Arc<Atlas>,
    page: Option<Page>,
) -> anyhow::Result<ExitCode> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let bound = Bound::to(listen).await?;
        let asked_to_stop = asked_to_stop();
        let profiles: Vec<&str> = atlas.profiles().map(Profile::name).collect();
        println!(
            "serving {} on http://{}",
            profiles.join(", "),
            bound.address()
        );
        let stop = CancellationToken::new();
        let asked = stop.clone();
        tokio::spawn(async move {
            if asked_to_stop.await.is_ok() {
                asked.cancel();
            }
        });
        let server = Server::new(Arc::clone(atlas), threads);
        bound.serve(router(server, page), stop).await;
        Ok(ExitCode::SUCCESS)
    })
}
