//! Durations on the command line: `90s`, `2m`, `1h 30m`.

use std::time::Duration;

/// Reads a positive duration with a unit.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text
        .parse()
        .map_err(|_| format!("'{text}' is not a duration: expected one such as 60s, 2m or 1h"))?;
    match Duration::try_from(span) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(format!("'{text}' is not longer than nothing")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse;

    #[test]
    fn units_are_read() {
        assert_eq!(parse("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(parse("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(parse("1h 30m"), Ok(Duration::from_secs(5_400)));
    }

    #[test]
    fn nonsense_is_refused_with_an_example() {
        assert!(parse("soon").unwrap_err().contains("60s"));
        assert!(parse("0s").is_err());
        assert!(parse("-5s").is_err());
        assert!(parse("60").is_err());
    }
}
