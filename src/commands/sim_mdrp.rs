//! `doorstep sim mdrp`: days of real demand, and how good the dispatcher is on them.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use doorstep_dispatch_core::Matching;
use doorstep_sim::mdrp::{Chance, Instance, Kpis, Outcome, Preparation, Rules, policy, run};
use indicatif::{ParallelProgressIterator, ProgressBar, ProgressStyle};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde_json::json;

use super::hex;

/// Runs days of the Meal Delivery Routing Problem and prints how well they went.
///
/// An instance is one day of one city: orders with the times when they are placed and ready, restaurants, and drivers with
/// their shifts. The same dispatch core that serves a real city serves it, minute by minute, without knowing what comes.
/// Undelivered and late are per cent, times are minutes, cost is dollars an order; bundle is orders picked up at once.
/// The same instance, policy and seed give the same figures and files on any machine.
#[derive(clap::Args)]
#[command(
    override_usage = "doorstep sim mdrp --suite <DIR> [OPTIONS]\n       doorstep sim mdrp <INSTANCE_DIR> [OPTIONS]",
    after_help = "Examples:
  doorstep sim mdrp --suite public_instances --policy foodmatch --rules open
  doorstep sim mdrp --suite public_instances --stochastic --json | jq .mean.rtp_mean
  doorstep sim mdrp public_instances/0o50t75s1p100 --out solution"
)]
pub(crate) struct MdrpArgs {
    /// Folder of one instance, with its orders.txt
    #[arg(
        value_name = "INSTANCE_DIR",
        required_unless_present = "suite",
        conflicts_with = "suite"
    )]
    instance: Option<PathBuf>,
    /// Run every instance folder below this one, in parallel
    #[arg(long, value_name = "DIR")]
    suite: Option<PathBuf>,
    /// How orders get to drivers
    #[arg(long, value_enum, default_value = "doorstep")]
    policy: PolicyName,
    /// What drivers may be told: the publisher's rules to the letter, or bundles across restaurants and pickups on the way
    #[arg(long, value_enum, default_value = "mdrp")]
    rules: RulesName,
    /// Write the publisher's three solution files here (in a folder for each instance with --suite)
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Whether the ready time of each order is known when it is placed, or only its restaurant's mean preparation
    #[arg(long, value_enum, default_value = "known")]
    prep: PrepName,
    /// Preparation differs from what is known (standard deviation 8 min), one offer in five is declined, answers take 20 s
    #[arg(long, conflicts_with = "prep")]
    stochastic: bool,
    /// What all chance grows from
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum PolicyName {
    Nearest,
    Mdrp,
    Foodmatch,
    Doorstep,
}

impl PolicyName {
    const fn matching(self) -> Matching {
        match self {
            Self::Nearest => Matching::Nearest,
            Self::Mdrp => Matching::Mdrp,
            Self::Foodmatch => Matching::FoodMatch,
            Self::Doorstep => Matching::Doorstep,
        }
    }
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum RulesName {
    Mdrp,
    Open,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum PrepName {
    Known,
    Mean,
}

impl MdrpArgs {
    const fn chance(&self) -> Chance {
        if self.stochastic {
            return Chance::stochastic(self.seed);
        }
        let chance = Chance::none(self.seed);
        match self.prep {
            PrepName::Known => chance,
            PrepName::Mean => Chance {
                preparation: Preparation::RestaurantMean,
                ..chance
            },
        }
    }

    const fn rules(&self) -> Rules {
        match self.rules {
            RulesName::Mdrp => Rules::Mdrp,
            RulesName::Open => Rules::Open,
        }
    }

    /// One day, with its files if they are wanted.
    fn day(&self, folder: &Path, out: Option<&Path>) -> anyhow::Result<Outcome> {
        refuse_suite(folder)?;
        let instance = Instance::read(folder)?;
        let chance = self.chance();
        let policy = policy(self.policy.matching(), self.rules(), &instance, &chance);
        let outcome = run(&instance, policy, chance)?;
        if let Some(out) = out {
            outcome
                .write(&instance, out)
                .with_context(|| format!("solution files in {}", out.display()))?;
        }
        Ok(outcome)
    }
}

pub(crate) fn run_mdrp(args: &MdrpArgs) -> anyhow::Result<ExitCode> {
    match (&args.instance, &args.suite) {
        (Some(folder), _) => {
            let outcome = args.day(folder, args.out.as_deref())?;
            let text = if args.json {
                let mut line = serde_json::to_value(&outcome.kpis)?;
                line["digest"] = json!(hex(&outcome.digest));
                serde_json::to_string_pretty(&line)? + "\n"
            } else {
                table(std::slice::from_ref(&outcome.kpis))
            };
            print(&text)?;
        }
        (None, Some(suite)) => {
            let lines = run_suite(args, suite)?;
            let mean = Kpis::mean(&lines);
            let text = if args.json {
                serde_json::to_string_pretty(&json!({ "instances": lines, "mean": mean }))? + "\n"
            } else {
                let mut rows = lines;
                rows.push(mean);
                table(&rows)
            };
            print(&text)?;
        }
        (None, None) => bail!("give the folder of an instance, or --suite with a folder of many"),
    }
    Ok(ExitCode::SUCCESS)
}

/// A folder of many instances in the place of one.
fn refuse_suite(folder: &Path) -> anyhow::Result<()> {
    if folder.join("orders.txt").is_file() {
        return Ok(());
    }
    let days = instances_in(folder).unwrap_or_default();
    if let Some(first) = days.first() {
        bail!(
            "{folder} holds {count} instances and is none itself: run all of them with `doorstep sim mdrp --suite {folder}`, \
             or one with `doorstep sim mdrp {first}`",
            folder = folder.display(),
            count = days.len(),
            first = first.display()
        );
    }
    Ok(())
}

/// The folders of instances right below a folder, sorted.
fn instances_in(suite: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders: Vec<PathBuf> = fs::read_dir(suite)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("orders.txt").is_file())
        .collect();
    folders.sort();
    Ok(folders)
}

/// Days are independent, so that their figures do not depend on which runs first.
fn run_suite(args: &MdrpArgs, suite: &Path) -> anyhow::Result<Vec<Kpis>> {
    let folders = instances_in(suite).with_context(|| format!("suite {}", suite.display()))?;
    if folders.is_empty() {
        bail!(
            "no instance below {}: a folder with orders.txt, restaurants.txt, couriers.txt and instance_parameters.txt",
            suite.display()
        );
    }
    let style = ProgressStyle::with_template("{msg} {bar:32} {pos} of {len} days, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(folders.len() as u64).with_style(style);
    bar.set_message(args.policy.matching().name());
    let lines = folders
        .par_iter()
        .progress_with(bar.clone())
        .map(|folder| {
            let out = args
                .out
                .as_ref()
                .zip(folder.file_name())
                .map(|(out, name)| out.join(name));
            args.day(folder, out.as_deref()).map(|outcome| outcome.kpis)
        })
        .collect();
    bar.finish_and_clear();
    lines
}

fn table(lines: &[Kpis]) -> String {
    let mut text = format!(
        "{:18} {:>6} {:>8} {:>8} {:>8} {:>8} {:>8} {:>6} {:>7} {:>7}\n",
        "instance",
        "orders",
        "undel %",
        "ctd",
        "ctd p90",
        "rtp",
        "rtp p90",
        "late %",
        "$/order",
        "bundle"
    );
    for line in lines {
        text += &format!(
            "{:18} {:>6.0} {:>8.3} {:>8.2} {:>8.2} {:>8.2} {:>8.2} {:>6.2} {:>7.2} {:>7.3}\n",
            line.instance,
            line.orders,
            line.undelivered_pct,
            line.ctd_mean,
            line.ctd_p90,
            line.rtp_mean,
            line.rtp_p90,
            line.late_pct,
            line.cost_per_order,
            line.orders_per_bundle
        );
    }
    text
}

/// Writes to standard output; whoever stops reading has read enough.
fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
