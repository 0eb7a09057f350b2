//! `doorstep why`.

mod table;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use doorstep_api::explanation::Explanation;
use serde_json::Value;

use super::operator::Operator;
use super::server_address::ServerAddress;

/// Tells why an order went to its driver.
///
/// Asks a running system: who was asked and when, by which rule, what each driver would have cost and what waiting
/// would have cost. Costs are minutes that somebody loses. Without options it asks the demo on this machine.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep why 01981c7e-5d3a-7c11-9a55-0c1e2f3a4b5c
  doorstep why 4b5c
  doorstep why 4b5c --server https://10.0.0.5:8080 --ca ca.pem --token-key token.key --json

Exit codes: 0 told, 1 the order is not known or the system does not answer, 2 wrong command line.")]
pub(crate) struct WhyArgs {
    /// The order: its id, or at least four characters of the beginning or end of it, as the city view shows
    order: String,
    #[command(flatten)]
    server: ServerAddress,
    /// A file with the key that signs tokens, as made by `doorstep token`; the demo needs none
    #[arg(long, value_name = "FILE")]
    token_key: Option<PathBuf>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: WhyArgs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answer = runtime.block_on(ask(&args))?;
    let text = if args.json {
        format!("{answer}\n")
    } else {
        let told: Explanation = serde_json::from_value(answer)
            .context("the system answers something that this version does not understand")?;
        table::render(&told)
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        Ok(()) | Err(_) => Ok(ExitCode::SUCCESS),
    }
}

async fn ask(args: &WhyArgs) -> anyhow::Result<Value> {
    let operator = Operator {
        server: &args.server,
        token_key: args.token_key.as_deref(),
        name: "why",
    };
    let order = args.order.trim_start_matches('#');
    operator
        .get(&["city", "orders", order, "why"], &[])
        .await
        .with_context(|| format!("order {}", args.order))
}
