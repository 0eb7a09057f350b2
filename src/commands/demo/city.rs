//! The city of a demo: the user's, Malta, or a synthetic one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use doorstep_maps::{ShownMap, default_map};
use doorstep_routing::{Profile, Router};
use doorstep_sim::{Scenario, World};

use super::{DemoArgs, Progress};

const SCENARIO: &str = include_str!("../../../sim/scenarios/demo.toml");
const SYNTHETIC_JUNCTIONS: u32 = 20_000;

/// A map with people on it.
pub(crate) struct City {
    /// For the summary.
    pub(crate) name: String,
    pub(crate) router: Arc<Router>,
    pub(crate) world: Arc<World>,
    pub(crate) scenario: Scenario,
    /// The streets as JSON, for the page.
    pub(crate) drawing: Vec<u8>,
}

impl City {
    pub(crate) fn open(args: &DemoArgs, progress: &Progress) -> anyhow::Result<Self> {
        let (name, ShownMap { archive, features }) = map(args, progress)?;
        progress.show("building the router");
        let router = Arc::new(Router::new(&archive, Profile::Scooter));
        let scenario = scenario(args)?;
        let world = World::build(&archive, Arc::clone(&router), &scenario, args.seed)
            .with_context(|| format!("nobody can live in {name}"))?;
        let drawing =
            serde_json::to_vec(&doorstep_maps::city_drawing(&archive, features.as_ref()))?;
        Ok(Self {
            name,
            router,
            world: Arc::new(world),
            scenario,
            drawing,
        })
    }
}

fn scenario(args: &DemoArgs) -> anyhow::Result<Scenario> {
    let mut scenario =
        Scenario::parse("sim/scenarios/demo.toml", SCENARIO).context("the scenario of the demo")?;
    scenario.drivers.count = args.drivers;
    scenario.demand.orders_per_hour = f64::from(args.orders_per_hour);
    Ok(scenario)
}

fn map(args: &DemoArgs, progress: &Progress) -> anyhow::Result<(String, ShownMap)> {
    if let Some(path) = &args.map {
        return Ok((path.display().to_string(), open(path, progress)?));
    }
    if let Some(path) = default_map::locate() {
        return Ok(("Malta".to_owned(), open(&path, progress)?));
    }
    progress.say(&format!(
        "Malta is not here (`{}` fetches it): this is a synthetic city.",
        default_map::FETCH_COMMAND
    ));
    let folder = tempfile::tempdir()?;
    let path: PathBuf = folder.path().join("synthetic.osm.pbf");
    doorstep_maps::generate(args.seed, SYNTHETIC_JUNCTIONS, &path)?;
    Ok(("a synthetic city".to_owned(), open(&path, progress)?))
}

fn open(path: &Path, progress: &Progress) -> anyhow::Result<ShownMap> {
    progress.show(&format!("reading {}", path.display()));
    Ok(doorstep_maps::open_shown_map(path)?)
}
