//! `doorstep assign`.

mod words;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use doorstep_api::assignment::{AssignedByHand, AssignmentPreview, NewAssignment};
use doorstep_api::ids::DriverText;
use serde_json::Value;
use uuid::Uuid;

use super::operator::Operator;
use super::server_address::ServerAddress;

/// Gives an order to a driver of your choice, who is not asked.
///
/// The matcher leaves it there; the order's log keeps who did it and why. With --preview it only tells what would change:
/// who would lose the order, when the food would be picked up and handed over, what would come later, and what speaks
/// against it. Without other options it works on the demo on this machine.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep assign 4b5c 17 --preview
  doorstep assign 4b5c 17 --reason 'the driver is at the door anyway'
  doorstep assign 4b5c 17 --server https://10.0.0.5:8080 --ca ca.pem --token-key token.key --by ada --json

Exit codes: 0 done (or could be done), 1 it cannot be done or the system does not answer, 2 wrong command line.")]
pub(crate) struct AssignArgs {
    /// The order: its id, or at least four characters of the beginning or end of it, as the city view shows
    order: String,
    /// The driver's number
    driver: u64,
    /// Only tell what would change
    #[arg(long, conflicts_with_all = ["reason", "key"])]
    preview: bool,
    /// Why, for the order's log; at most 500 characters
    #[arg(long, default_value = "", value_name = "TEXT")]
    reason: String,
    /// The same key again has no second effect; a new one each time when left out
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Who decides, for the order's log; needs --token-key
    #[arg(
        long,
        default_value = "operator",
        requires = "token_key",
        value_name = "NAME"
    )]
    by: String,
    #[command(flatten)]
    server: ServerAddress,
    /// A file with the key that signs tokens, as made by `doorstep token`; the demo needs none
    #[arg(long, value_name = "FILE")]
    token_key: Option<PathBuf>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: AssignArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answer = runtime.block_on(ask(&args))?;
    let text = if args.json {
        format!("{answer}\n")
    } else {
        render(&args, answer)
            .context("the system answers something that this version does not understand")?
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(ExitCode::SUCCESS),
    }
}

fn render(args: &AssignArgs, answer: Value) -> serde_json::Result<String> {
    if args.preview {
        let told: AssignmentPreview = serde_json::from_value(answer)?;
        Ok(words::preview(&told))
    } else {
        let told: AssignedByHand = serde_json::from_value(answer)?;
        Ok(words::done(&told))
    }
}

async fn ask(args: &AssignArgs) -> anyhow::Result<Value> {
    let operator = Operator {
        server: &args.server,
        token_key: args.token_key.as_deref(),
        name: &args.by,
    };
    let order = args.order.trim_start_matches('#');
    let path = ["city", "orders", order, "assignment"];
    let driver = args.driver.to_string();
    let answer = if args.preview {
        operator.get(&path, &[("driver", &driver)]).await
    } else {
        let key = args.key.clone().unwrap_or_else(fresh_key);
        let assignment = NewAssignment {
            driver: DriverText(args.driver),
            reason: args.reason.as_str().into(),
        };
        let body = serde_json::to_value(&assignment)?;
        operator.post(&path, &key, &body).await
    };
    answer.with_context(|| format!("order {}", args.order))
}

fn fresh_key() -> String {
    Uuid::now_v7().to_string()
}
