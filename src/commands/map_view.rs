//! `doorstep map view`: a page where a person clicks two points and sees the ways between them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use doorstep_maps::ShownMap;
use doorstep_route_server::{Limits, Page};
use doorstep_routing::Profile;

use super::parse_listen;
use super::route_server::{prepare, serve};
use super::serving::ServingArgs;

/// Serves a page with the map, where one clicks two points and sees the ways between them.
///
/// Shows the streets by class, the way of each profile with its minutes and kilometres, turn by turn, and how far one
/// gets from the start. It asks the same addresses as the clients of `doorstep route-server`, which it serves too.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep map view porto.road
  doorstep map view malta.osm.pbf --listen 127.0.0.1:8081")]
pub(crate) struct ViewArgs {
    /// A road archive, or an extract that is imported in memory
    map: PathBuf,
    /// The address to serve on; port 0 lets the system choose
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080", value_parser = parse_listen)]
    listen: SocketAddr,
    /// How far a click may be from the nearest road, in metres
    #[arg(long, value_name = "METRES", default_value_t = 1000)]
    snap_limit: u32,
    #[command(flatten)]
    serving: ServingArgs,
}

pub(crate) fn run(args: &ViewArgs) -> anyhow::Result<ExitCode> {
    let ShownMap { archive, features } = doorstep_maps::open_shown_map(&args.map)?;
    let atlas = prepare(&archive, &Profile::ALL, args.snap_limit, Limits::default());
    let drawing = serde_json::to_vec(&doorstep_maps::city_drawing(&archive, features.as_ref()))?;
    let name = args
        .map
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let profiles = Profile::ALL.map(Profile::name);
    let page = Page::prepare(&name, &archive.attribution, &profiles, drawing);
    drop(archive);
    serve(args.listen, &args.serving, &atlas, Some(page))
}
