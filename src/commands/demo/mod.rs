//! `doorstep demo`: a whole city in one process, on real sockets.

mod city;
mod duration;
mod servers;
mod summary;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use doorstep_sim_live::{LiveConfig, audit};
use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use self::city::City;
use self::servers::{Servers, WARM_UP_SPEEDUP};
use self::summary::Summary;
use super::serving::{block_on, stop_signal};

/// Real time that the summary may take once the demo is asked to stop.
const SUMMARY_GRACE: Duration = Duration::from_secs(3);

/// Runs a whole city in one process, on real sockets, with a page to watch it.
///
/// Drivers ping over QUIC, customers and restaurants talk HTTP, the control plane asks dispatch over gRPC. One clock
/// runs `--speedup` times as fast for all of it. Without `--map` the city is Malta, if cargo has fetched it
/// (`make demo` does), else a synthetic one.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  doorstep demo\n  doorstep demo --map porto.osm.pbf --drivers 500 --orders-per-hour 600 \
                        --speedup 60 --for 120s --headless --json\n\nExit codes: 0 all went well, 1 something failed or \
                        an order was lost, 2 wrong command line."
)]
pub(crate) struct DemoArgs {
    /// The city: an OpenStreetMap extract (.osm.pbf) or a road archive (.road).
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Drivers on duty.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    drivers: u32,
    /// Orders placed in an hour of the city.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    orders_per_hour: u32,
    /// How many times as fast as life.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=120))]
    speedup: u32,
    /// How much of the city's time passes quickly at the start, so that the page opens on a city at work [default: 20m, with
    /// --headless 0s]
    #[arg(long, value_name = "DURATION", value_parser = crate::commands::token::parse_span)]
    warm_up: Option<Duration>,
    /// Ends by itself after so much real time, such as `60s` or `2m`; without it on Ctrl-C.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration::parse)]
    runs_for: Option<Duration>,
    /// Keeps the database and the journal here; without it in a folder that is gone at the end.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the page and the API are served; port 0 takes any free one. Who reaches it may look; orders can be given away
    /// by hand only on this machine, by a loopback address.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080", value_parser = super::parse_listen)]
    listen: SocketAddr,
    /// No page and no progress, only the summary.
    #[arg(long)]
    headless: bool,
    /// Prints the summary as one JSON object.
    #[arg(long)]
    json: bool,
    /// Decides where people live and what they do.
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

impl DemoArgs {
    /// Real time of the warm-up; none for a city that runs as fast anyway.
    fn warm_up_real(&self) -> Duration {
        let usual = if self.headless { 0 } else { 20 * 60 };
        let city = self.warm_up.unwrap_or(Duration::from_secs(usual));
        if self.speedup >= WARM_UP_SPEEDUP {
            return Duration::ZERO;
        }
        city / WARM_UP_SPEEDUP
    }
}

pub(crate) fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let progress = Progress::new(!args.headless);
    let city = City::open(&args, &progress)?;
    block_on(async {
        let stop = stop_signal()?;
        let Some(summary) = live(&args, city, &progress, &stop).await? else {
            return Ok(ExitCode::SUCCESS);
        };
        print_summary(&summary, args.json)?;
        Ok(if summary.is_sound() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(1)
        })
    })
}

/// Starts the servers, lets the people live until the end, and asks the servers what they saw. A demo that was asked to stop
/// and could not sum up in time has no summary.
async fn live(
    args: &DemoArgs,
    city: City,
    progress: &Progress,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Summary>> {
    let folder = DataFolder::open(args.data.as_deref())?;
    let servers = Servers::start(args, &city, folder.path()).await?;
    let mut opening = Opening {
        at: Instant::now() + args.warm_up_real(),
        line: (!args.headless).then(|| {
            format!(
                "Open http://{}/ to watch; Ctrl-C ends it.",
                servers.http_addr()
            )
        }),
    };
    let config = LiveConfig::new(
        city.world.clone(),
        city.scenario.clone(),
        format!("http://{}", servers.http_addr()),
        servers.quic_addr(),
        servers.certificate_der().to_vec(),
        servers.token_key().clone(),
        servers.live_clock(),
    );
    let shutdown = CancellationToken::new();
    let people = tokio::spawn(doorstep_sim_live::run(config.clone(), shutdown.clone()));
    let clock = servers.live_clock();
    wait_for_the_end(args.runs_for, &people, clock, progress, &mut opening, stop).await;
    shutdown.cancel();
    let summing_up = async {
        let report = people.await.context("the simulated people")??;
        let audit = audit(&config, &report)
            .await
            .context("what became of the orders")?;
        let status = servers.status().await.context("the figures of dispatch")?;
        anyhow::Ok(Summary::new(args, city.name, &report, &audit, &status))
    };
    // Whoever asked the demo to stop does not wait for long; a summary may take as long as there are orders.
    let too_late = async {
        stop.cancelled().await;
        tokio::time::sleep(SUMMARY_GRACE).await;
    };
    let summary = tokio::select! {
        summary = summing_up => Some(summary?),
        () = too_late => {
            tracing::warn!("the demo was asked to stop and ends without a summary");
            None
        }
    };
    servers.shutdown(folder.path()).await?;
    Ok(summary)
}

/// When the city has warmed up, and what is said then, once.
struct Opening {
    at: Instant,
    line: Option<String>,
}

impl Opening {
    /// Says the line when it is time; the seconds left until then.
    fn look(&mut self, progress: &Progress) -> Option<u64> {
        let left = self.at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            if let Some(line) = self.line.take() {
                progress.say(&line);
            }
            return None;
        }
        Some(left.as_secs() + 1)
    }
}

/// Until the time is over, somebody asks to stop, or the people stopped by themselves because of an error.
async fn wait_for_the_end<T>(
    runs_for: Option<Duration>,
    people: &tokio::task::JoinHandle<T>,
    clock: doorstep_sim_live::Clock,
    progress: &Progress,
    opening: &mut Opening,
    stop: &CancellationToken,
) {
    let end = async {
        match runs_for {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(end);
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            () = &mut end => return,
            () = stop.cancelled() => return,
            _ = tick.tick() => {
                if people.is_finished() {
                    return;
                }
                let time = city_time(clock);
                progress.show(&match opening.look(progress) {
                    Some(left) => format!("{time}: warming up, {left} s left"),
                    None => time,
                });
            }
        }
    }
}

/// Hours and minutes of the city's day.
fn city_time(clock: doorstep_sim_live::Clock) -> String {
    let minutes = clock.now().as_millis() / 60_000 % (24 * 60);
    format!("{:02}:{:02} in the city", minutes / 60, minutes % 60)
}

#[allow(
    clippy::print_stdout,
    reason = "the summary is what the command is for"
)]
fn print_summary(summary: &Summary, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(summary)?);
    } else {
        println!("{summary}");
    }
    Ok(())
}

/// The given folder, or one that is removed at the end.
enum DataFolder {
    Given(PathBuf),
    Temporary(tempfile::TempDir),
}

impl DataFolder {
    fn open(given: Option<&std::path::Path>) -> anyhow::Result<Self> {
        match given {
            Some(path) => {
                std::fs::create_dir_all(path)
                    .with_context(|| format!("cannot make {}", path.display()))?;
                Ok(Self::Given(path.to_path_buf()))
            }
            None => Ok(Self::Temporary(
                tempfile::tempdir().context("cannot make a temporary folder")?,
            )),
        }
    }

    fn path(&self) -> &std::path::Path {
        match self {
            Self::Given(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }
}

/// What a person sees on the terminal; silent when headless, a plain line here and there when piped.
struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(visible: bool) -> Self {
        let bar = visible.then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            ProgressBar::new_spinner().with_style(style)
        });
        Self { bar }
    }

    /// A line that stays.
    #[allow(
        clippy::print_stderr,
        reason = "on a pipe indicatif shows nothing, and the address must be seen"
    )]
    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) if bar.is_hidden() => eprintln!("{line}"),
            Some(bar) => bar.println(line),
            None => {}
        }
    }

    /// The line that changes.
    fn show(&self, line: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(line.to_owned());
            bar.tick();
        }
    }
}
