//! `doorstep dispatch replay` and `doorstep dispatch journal`: what a journal holds, and what to do when it is damaged.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use doorstep_dispatch_core::{Alternative, DecisionRecord, DeliveryId, Outcome, Time};
use doorstep_dispatch_server::{
    JournalError, JournalReport, Repair, ReplayOptions, ReplayedRecord, check_journal,
    repair_journal, replay_journal,
};
use doorstep_routing::{Profile, Router};
use serde_json::json;
use uuid::Uuid;

use super::hex;

/// Lines of what is lost that a repair prints; the rest is counted.
const LOST_SHOWN: usize = 20;

/// Replays a journal and prints what happened and what it caused.
///
/// The same journal gives the same text and the same digest, on any machine and with any map. The server must not be running.
#[derive(Args)]
#[command(after_help = "Examples:
  doorstep dispatch replay journal
  doorstep dispatch replay journal --until 2026-12-01T12:30:00Z --json
  doorstep dispatch replay journal --explain 01981c7e-5d3a-7c11-9a55-0c1e2f3a4b5c

Exit codes: 0 replayed, 1 the journal is damaged or this version decides otherwise, 2 wrong command line.")]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    journal: JournalArgs,
    /// Stop before the first record after this time (RFC 3339, such as 2026-12-01T12:30:00Z)
    #[arg(long, value_name = "TIME")]
    until: Option<jiff::Timestamp>,
    /// Print what concerns this delivery only, and why it went to its drivers
    #[arg(long, value_name = "ORDER")]
    explain: Option<Uuid>,
    /// Print one JSON object a record, and one with the digest at the end
    #[arg(long)]
    json: bool,
}

/// Checks a journal, or repairs one that is damaged.
#[derive(Subcommand)]
#[command(after_help = "Examples:
  doorstep dispatch journal check journal
  doorstep dispatch journal repair journal
  doorstep dispatch journal repair journal --yes")]
pub(crate) enum JournalCommand {
    Check(CheckArgs),
    Repair(RepairArgs),
}

/// Replays a journal without printing it and says what it holds.
///
/// Every record must give what it gave, and every snapshot must be what the records before it lead to. The server must not be
/// running.
#[derive(Args)]
#[command(after_help = "Example: doorstep dispatch journal check journal

Exit codes: 0 whole, 1 damaged or of another version, 2 wrong command line.")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    journal: JournalArgs,
}

/// Says what a damaged journal has lost, and with --yes cuts it before the damage.
///
/// What lies behind the damage cannot be replayed without what is missing. It is moved aside, nothing is deleted; open
/// deliveries are requested again by the control plane.
#[derive(Args)]
#[command(after_help = "Examples:
  doorstep dispatch journal repair journal
  doorstep dispatch journal repair journal --yes

Exit codes: 0 whole or repaired, 1 damaged and not repaired, 2 wrong command line.")]
pub(crate) struct RepairArgs {
    /// The folder of the journal
    folder: PathBuf,
    /// Do it
    #[arg(long)]
    yes: bool,
}

#[derive(Args)]
struct JournalArgs {
    /// The folder of the journal
    folder: PathBuf,
    /// The map that wrote it: needed for journals of version 0.1.0 only
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// The profile that wrote it, with --map
    #[arg(long, default_value = "scooter", requires = "map")]
    profile: Profile,
}

impl JournalArgs {
    fn router(&self) -> anyhow::Result<Option<Arc<Router>>> {
        let Some(map) = &self.map else {
            return Ok(None);
        };
        let archive = doorstep_maps::open_map(map)?;
        Ok(Some(Arc::new(Router::new(&archive, self.profile))))
    }

    /// An earlier journal without its map is one step from being read.
    fn with_advice(
        &self,
        report: Result<JournalReport, JournalError>,
    ) -> anyhow::Result<JournalReport> {
        match report {
            Err(JournalError::OtherSetup { path, found, .. }) if self.map.is_none() => bail!(
                "journal {path} is of version 0.1.0 and was written with {found:?}: name the map that wrote it with --map"
            ),
            report => Ok(report?),
        }
    }
}

pub(crate) fn replay(args: ReplayArgs) -> anyhow::Result<ExitCode> {
    let until = args.until.map(|until| until.as_millisecond());
    let options = ReplayOptions {
        router: args.journal.router()?,
        until: until.map(|until| Time::from_millis(u64::try_from(until).unwrap_or(0))),
        explain: args.explain.map(|order| DeliveryId(order.as_u128())),
    };
    let (order, is_json) = (args.explain.map(|order| order.to_string()), args.json);
    let print = move |record: ReplayedRecord| {
        let concerns = |text: &String| order.as_ref().is_none_or(|order| text.contains(order));
        if concerns(&record.what) || record.outputs.iter().any(concerns) {
            say(&if is_json {
                json_line(&record)
            } else {
                text_lines(&record)
            });
        }
    };
    let report = replay_journal(&args.journal.folder, &options, print);
    let report = args.journal.with_advice(report)?;
    if args.json {
        let end = json!({
            "digest": hex(&report.digest),
            "next_record": report.next_record,
            "ended_ms": report.ended.as_millis(),
        });
        say(&format!("{end}\n"));
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(order) = args.explain {
        let decisions = report.decisions.as_deref();
        let decisions =
            decisions.with_context(|| format!("order {order} is not in the journal"))?;
        say(&explanation(decisions));
    }
    say(&format!("digest {}\n", hex(&report.digest)));
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn run(command: JournalCommand) -> anyhow::Result<ExitCode> {
    match command {
        JournalCommand::Check(args) => {
            let options = ReplayOptions {
                router: args.journal.router()?,
                ..ReplayOptions::default()
            };
            let report = check_journal(&args.journal.folder, &options);
            say(&report_text(&args.journal.with_advice(report)?));
            Ok(ExitCode::SUCCESS)
        }
        JournalCommand::Repair(args) => {
            let Some(repair) = repair_journal(&args.folder, args.yes)? else {
                say("nothing is damaged\n");
                return Ok(ExitCode::SUCCESS);
            };
            say(&repair_text(&repair, args.yes));
            Ok(ExitCode::from(u8::from(!args.yes)))
        }
    }
}

/// Whoever reads may have seen enough.
fn say(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

fn json_line(record: &ReplayedRecord) -> String {
    let line = json!({
        "at_ms": record.at.as_millis(),
        "what": record.what,
        "result": record.result,
        "outputs": record.outputs,
    });
    format!("{line}\n")
}

fn text_lines(record: &ReplayedRecord) -> String {
    let mut text = format!("{}  {}: {}\n", clock(record.at), record.what, record.result);
    for output in &record.outputs {
        text.push_str(&format!("    {output}\n"));
    }
    text
}

fn report_text(report: &JournalReport) -> String {
    let mut text = format!(
        "segments: {}, snapshots: {}, bytes: {}\n\
         records: {} to {}, the last at {}, written by version {}\n\
         drivers: {}, open deliveries: {}, records that a start replays: {}\n",
        report.segments,
        report.snapshots,
        report.bytes,
        report.first_record,
        report.next_record,
        clock(report.ended),
        report.code,
        report.drivers,
        report.open_deliveries,
        report.start_records,
    );
    if report.torn_bytes > 0 {
        text.push_str(&format!(
            "{} bytes of an interrupted write at the end: nobody was told of it, the next start moves it aside\n",
            report.torn_bytes
        ));
    }
    if report.damaged_snapshots > 0 {
        text.push_str(&format!(
            "{} snapshots are damaged: a start passes over them\n",
            report.damaged_snapshots
        ));
    }
    text.push_str(&format!("digest {}\n", hex(&report.digest)));
    text
}

fn repair_text(repair: &Repair, is_done: bool) -> String {
    let mut text = format!(
        "{} is damaged at byte {}: record {} cannot be read\n",
        repair.path.display(),
        repair.offset,
        repair.record
    );
    let (lost, verb) = (repair.lost.len(), if is_done { "are" } else { "would be" });
    text.push_str(&format!("{lost} whole records behind it {verb} lost:\n"));
    for record in repair.lost.iter().take(LOST_SHOWN) {
        text.push_str(&format!("    {}  {}\n", clock(record.at), record.what));
    }
    if lost > LOST_SHOWN {
        text.push_str(&format!("    and {} more\n", lost - LOST_SHOWN));
    }
    for path in &repair.moved {
        text.push_str(&format!("{} {verb} moved to {0}.lost\n", path.display()));
    }
    text.push_str(match is_done {
        true => "repaired: start dispatch, the control plane requests its open deliveries again\n",
        false => "restore the file from a copy if there is one; else repair with --yes\n",
    });
    text
}

fn explanation(decisions: &[DecisionRecord]) -> String {
    if decisions.is_empty() {
        return "Nobody was asked so far.\n".to_owned();
    }
    let mut text = String::new();
    for decision in decisions {
        text.push_str(&format!(
            "{}  by {}, {}: {}\n",
            clock(decision.at),
            decision.policy.name(),
            decision.rule.name(),
            alternative(&decision.chosen)
        ));
        for other in &decision.runners_up {
            text.push_str(&format!("    rather than {}\n", alternative(other)));
        }
        if let Some(end) = decision.ended {
            let outcome = match end.outcome {
                Outcome::Declined(reason) => format!("declined ({reason:?})"),
                other => other.to_string(),
            };
            text.push_str(&format!("    {} {outcome}\n", clock(end.at)));
        }
    }
    text
}

fn alternative(one: &Alternative) -> String {
    let pickup = clock(one.pickup_eta);
    let seconds = one.cost.total() / 1_000;
    format!("{} with the food at {pickup}, cost {seconds} s", one.driver)
}

/// As RFC 3339, in UTC.
fn clock(time: Time) -> String {
    let millis = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis)
        .map_or_else(|_| time.to_string(), |time| time.to_string())
}
