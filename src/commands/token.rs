//! `doorstep token`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use doorstep_dispatch_wire::token::{Audience, Claims, TokenKey};

use super::secret_file::write_private;

/// Issues a signed token.
///
/// Prints a token that lets its holder be one driver, customer or restaurant, or an admin, until it expires. Whoever
/// has the key file can issue and check tokens: keep it secret and give the same file to every server.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  doorstep token --audience admin --subject me --key-file doorstep.key --generate
  doorstep token --audience driver --subject 7 --key-file doorstep.key --ttl 12h")]
pub(crate) struct TokenArgs {
    /// What the holder may be: driver, customer, restaurant or admin
    #[arg(long)]
    audience: Audience,
    /// Which one: the driver's number, the customer's or restaurant's id, the admin's name
    #[arg(long)]
    subject: String,
    /// The file with the key
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// How long the token is good, such as 90s, 30m, 12h or 7d
    #[arg(long, default_value = "12h", value_parser = parse_span)]
    ttl: Duration,
    /// Make the key file if there is none
    #[arg(long)]
    generate: bool,
}

#[allow(clippy::print_stdout, reason = "the token is what was asked for")]
pub(crate) fn run(args: TokenArgs) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        args.audience != Audience::Driver || args.subject.parse::<u64>().is_ok(),
        "the subject of a driver is a number, {:?} is not",
        args.subject
    );
    if args.generate && !args.key_file.exists() {
        write_private(&args.key_file, &TokenKey::generate()?.to_text())?;
    }
    let key = read_key(&args.key_file)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let expires_at_ms = u64::try_from((now + args.ttl).as_millis())?;
    let claims = Claims {
        audience: args.audience,
        subject: args.subject,
        expires_at_ms,
    };
    println!("{}", key.sign(&claims));
    Ok(ExitCode::SUCCESS)
}

/// The key in a file that `doorstep token --generate` has made.
pub(crate) fn read_key(path: &Path) -> anyhow::Result<TokenKey> {
    let text = fs::read_to_string(path).with_context(|| {
        format!(
            "key file {} (doorstep token --generate makes one)",
            path.display()
        )
    })?;
    TokenKey::from_text(&text).with_context(|| format!("key file {}", path.display()))
}

/// A number and one of s, m, h, d.
pub(crate) fn parse_span(text: &str) -> Result<Duration, String> {
    let expected = || format!("{text:?} is not a span of time such as 90s, 30m, 12h or 7d");
    let unit = text.chars().last().ok_or_else(expected)?;
    let seconds_each = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(expected()),
    };
    let count: u32 = text[..text.len() - 1].parse().map_err(|_| expected())?;
    Ok(Duration::from_secs(u64::from(count) * seconds_each))
}

#[cfg(test)]
mod tests {
    use super::{Duration, parse_span};

    #[test]
    fn spans_are_a_number_and_a_unit() {
        assert_eq!(parse_span("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_span("12h"), Ok(Duration::from_secs(12 * 3_600)));
        assert_eq!(parse_span("7d"), Ok(Duration::from_secs(7 * 86_400)));
        for wrong in ["", "12", "h", "1.5h", "-1h", "12 h", "5µ"] {
            assert!(parse_span(wrong).is_err(), "{wrong:?}");
        }
    }
}
