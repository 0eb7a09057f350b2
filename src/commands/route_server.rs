//! `doorstep route-server`: the router over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use doorstep_route_server::http::{HEAD_BYTES_MAX, Server, router};
use doorstep_route_server::{Atlas, Engines, Limits, Page};
use doorstep_routing::{Distance, Profile, RoadArchive, Router};
use doorstep_web::readiness::Readiness;
use doorstep_web::serve::Bound;

use super::parse_listen;
use super::serving::{ServingArgs, block_on, stop_signal};

/// Serves routes, tables, nearest roads, trips and isochrones over HTTP.
///
/// Speaks OSRM's API, version 1 (`/route`, `/table`, `/nearest`, `/trip`), so that its clients work unchanged, and
/// answers `/isochrone` in Valhalla's shape. Stops at SIGTERM or Ctrl-C, after the answers under way.
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
    #[command(flatten)]
    serving: ServingArgs,
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
    serve(args.listen, &args.serving, &atlas, None)
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
pub(crate) fn serve(
    listen: SocketAddr,
    serving: &ServingArgs,
    atlas: &Arc<Atlas>,
    page: Option<Page>,
) -> anyhow::Result<ExitCode> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    block_on(async {
        let stop = stop_signal()?;
        let mut config = serving.config()?;
        config.limits.head_bytes_max = HEAD_BYTES_MAX;
        let bound = Bound::to(listen).await?;
        let watched = serving.watch(&Readiness::default()).await?;
        announce(atlas, config.scheme(), bound.address());
        let server = Server::new(Arc::clone(atlas), threads);
        let serving = bound.serve(router(server, page), config, stop.clone());
        let stopping = async {
            stop.cancelled().await;
            watched.is_stopping();
        };
        tokio::join!(serving, stopping);
        watched.end().await;
        Ok(ExitCode::SUCCESS)
    })
}

#[allow(clippy::print_stdout, reason = "the address goes to standard output")]
fn announce(atlas: &Atlas, scheme: &str, address: SocketAddr) {
    let profiles: Vec<&str> = atlas.profiles().map(Profile::name).collect();
    println!("serving {} on {scheme}://{address}", profiles.join(", "));
}
