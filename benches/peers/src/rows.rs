//! One row for each thing measured: what is printed, and the table in `docs/performance.md`.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Held in seconds, shown in microseconds.
    Micros,
    /// Held in seconds, shown in milliseconds.
    Millis,
    /// Held and shown in seconds.
    Seconds,
    /// Mebibytes.
    Mebibytes,
    /// Requests a second: more is better.
    PerSecond,
    /// Edges.
    Edges,
    /// Of a hundred, above a bound.
    #[allow(dead_code, reason = "only the bench of the matching has such figures")]
    Percent,
    /// Minutes.
    #[allow(dead_code, reason = "only the bench of the matching has such figures")]
    Minutes,
    /// Dollars.
    #[allow(dead_code, reason = "only the bench of the matching has such figures")]
    Dollars,
}

/// What we want of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wanted {
    /// Ours is at most this, in the unit's own measure (seconds for times).
    AtMost(f64),
    /// Ours is at most the best peer's.
    NoMoreThanPeer,
    /// Ours is no farther than the second from the first: a method as published, no better and no worse.
    #[allow(dead_code, reason = "only the bench of the matching has such figures")]
    Within(f64, f64),
    /// Ours is at least so many times the best peer's.
    TimesPeer(f64),
}

/// One measured peer, or why it was not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) figure: std::result::Result<f64, String>,
}

impl Peer {
    pub(crate) fn new(name: impl Into<String>, figure: f64) -> Self {
        Self {
            name: name.into(),
            figure: Ok(figure),
        }
    }

    pub(crate) fn missing(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            figure: Err(why.into()),
        }
    }
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) unit: Unit,
    /// Ours, or why it was not measured.
    pub(crate) ours: std::result::Result<f64, String>,
    pub(crate) peers: Vec<Peer>,
    pub(crate) wanted: Wanted,
}

impl Row {
    /// The peer with the best figure.
    fn best(&self) -> Option<(&str, f64)> {
        let measured = self
            .peers
            .iter()
            .filter_map(|peer| Some((peer.name.as_str(), *peer.figure.as_ref().ok()?)));
        measured.min_by(|a, b| {
            let order = a.1.total_cmp(&b.1);
            if self.unit == Unit::PerSecond {
                order.reverse()
            } else {
                order
            }
        })
    }

    /// `ok`, `short`, or `missing` where there is nothing to judge.
    pub(crate) fn verdict(&self) -> &'static str {
        let Ok(ours) = self.ours else {
            return "missing";
        };
        let met = match (self.wanted, self.best()) {
            (Wanted::AtMost(most), _) => ours <= most,
            (Wanted::Within(centre, slack), _) => (ours - centre).abs() <= slack,
            (Wanted::NoMoreThanPeer, Some((_, peer))) => ours <= peer,
            (Wanted::TimesPeer(times), Some((_, peer))) => ours >= times * peer,
            (_, None) => return "missing",
        };
        if met { "ok" } else { "short" }
    }

    fn wanted_text(&self) -> String {
        match self.wanted {
            Wanted::AtMost(most) => show(most, self.unit),
            Wanted::Within(centre, slack) => {
                format!("{}±{}", show(centre, self.unit), show(slack, self.unit))
            }
            Wanted::NoMoreThanPeer => "peer".to_owned(),
            Wanted::TimesPeer(times) => format!("{times}xpeer"),
        }
    }

    fn ratio_text(&self) -> String {
        match (&self.ours, self.best()) {
            (Ok(ours), Some((_, peer))) if peer > 0.0 => format!("{:.3}", ours / peer),
            _ => "-".to_owned(),
        }
    }

    /// The table's line.
    fn markdown(&self) -> String {
        let ours = match &self.ours {
            Ok(figure) => show(*figure, self.unit),
            Err(why) => why.clone(),
        };
        let peers: Vec<String> = self
            .peers
            .iter()
            .map(|peer| match &peer.figure {
                Ok(figure) => format!("{} {}", peer.name, show(*figure, self.unit)),
                Err(why) => format!("{}: {why}", peer.name),
            })
            .collect();
        let wanted = match self.wanted {
            Wanted::AtMost(_) => format!("≤ {}", self.wanted_text()),
            Wanted::Within(..) => self.wanted_text(),
            Wanted::NoMoreThanPeer => "ahead of the best peer".to_owned(),
            Wanted::TimesPeer(times) => format!("≥ {times} × the best peer"),
        };
        format!(
            "| {} | {ours} | {} | {} | {wanted} | {} |",
            self.name,
            peers.join("; "),
            self.ratio_text(),
            self.verdict()
        )
    }
}

/// `BENCH name ours=… peer=NAME:… ratio=… wanted=… ok|short|missing`.
impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ours = match &self.ours {
            Ok(figure) => show(*figure, self.unit),
            Err(why) => format!("missing({why})"),
        };
        let peer = match self.best() {
            Some((name, figure)) => format!("{name}:{}", show(figure, self.unit)),
            None => self.peers.first().map_or("-".to_owned(), |peer| {
                let why = peer.figure.as_ref().err().map_or("", String::as_str);
                format!("{}:missing({why})", peer.name)
            }),
        };
        let text = format!(
            "BENCH {} ours={ours} peer={peer} ratio={} wanted={} {}",
            self.name,
            self.ratio_text(),
            self.wanted_text(),
            self.verdict()
        );
        out.write_str(&text)
    }
}

/// A figure with its unit and three or four digits that count.
pub(crate) fn show(figure: f64, unit: Unit) -> String {
    let (value, suffix) = match unit {
        Unit::Micros => (figure * 1e6, "us"),
        Unit::Millis => (figure * 1e3, "ms"),
        Unit::Seconds => (figure, "s"),
        Unit::Mebibytes => (figure, "MiB"),
        Unit::PerSecond => (figure, "/s"),
        Unit::Edges => (figure, ""),
        Unit::Percent => (figure, "%"),
        Unit::Minutes => (figure, "min"),
        Unit::Dollars => (figure, "$"),
    };
    let digits = match value {
        value if unit == Unit::Edges || value >= 1000.0 => 0,
        value if value >= 100.0 => 1,
        value if value >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}{suffix}")
}

/// A table with a line for each row.
pub(crate) fn rows_table(rows: &[Row]) -> String {
    let head =
        "| what | ours | peers | ratio to the best | wanted | |\n|---|---|---|---|---|---|\n";
    let lines: Vec<String> = rows.iter().map(|row| row.markdown() + "\n").collect();
    head.to_owned() + &lines.concat()
}

/// One heading, a sentence about what was measured, and its table.
pub(crate) struct Section {
    title: String,
    about: String,
    table: String,
}

impl Section {
    pub(crate) fn of_rows(title: &str, about: &str, rows: &[Row]) -> Self {
        Self::of_table(title, about, rows_table(rows))
    }

    pub(crate) fn of_table(title: &str, about: &str, table: String) -> Self {
        Self {
            title: title.to_owned(),
            about: about.to_owned(),
            table,
        }
    }
}

/// Puts a section between its markers on a page and leaves the rest of it alone.
pub(crate) fn write_section(page: &Path, marker: &str, section: &Section) -> Result<()> {
    let start = format!("<!-- bench: {marker} -->");
    let end = format!("<!-- end of bench: {marker} -->");
    let old =
        fs::read_to_string(page).with_context(|| format!("cannot read {}", page.display()))?;
    let parts = old
        .split_once(&start)
        .and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
    let (before, after) =
        parts.with_context(|| format!("{} has no {start} … {end}", page.display()))?;
    let Section {
        title,
        about,
        table,
    } = section;
    let new = format!("{before}{start}\n### {title}\n\n{about}\n\n{table}{end}{after}");
    fs::write(page, new).with_context(|| format!("cannot write {}", page.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ours: f64, peers: Vec<Peer>, unit: Unit, wanted: Wanted) -> Row {
        Row {
            name: "thing".to_owned(),
            unit,
            ours: Ok(ours),
            peers,
            wanted,
        }
    }

    #[test]
    fn the_best_peer_is_the_fastest_that_was_measured() {
        let peers = vec![
            Peer::new("slow", 3e-6),
            Peer::missing("absent", "not installed"),
            Peer::new("fast", 2e-6),
        ];
        let row = row(1e-6, peers, Unit::Micros, Wanted::AtMost(2e-6));
        assert_eq!(
            row.to_string(),
            "BENCH thing ours=1.00us peer=fast:2.00us ratio=0.500 wanted=2.00us ok"
        );
    }

    #[test]
    fn a_method_as_published_may_be_neither_better_nor_worse() {
        for (ours, verdict) in [(1.7, "short"), (2.2, "ok"), (2.3, "short")] {
            let row = row(ours, Vec::new(), Unit::Minutes, Wanted::Within(2.0, 0.25));
            assert_eq!(row.verdict(), verdict, "{row}");
            assert!(row.to_string().contains("wanted=2.00min±0.250min"), "{row}");
        }
    }

    #[test]
    fn more_requests_are_better() {
        let peers = vec![Peer::new("slow", 100.0), Peer::new("fast", 200.0)];
        let row = row(599.0, peers, Unit::PerSecond, Wanted::TimesPeer(3.0));
        assert_eq!(row.best(), Some(("fast", 200.0)));
        assert_eq!(row.verdict(), "short");
    }

    #[test]
    fn a_missing_peer_is_said_in_the_row() {
        let peers = vec![Peer::missing("osrm", "not installed")];
        let row = row(1.0, peers, Unit::Seconds, Wanted::NoMoreThanPeer);
        assert_eq!(row.verdict(), "missing");
        assert!(row.to_string().contains("peer=osrm:missing(not installed)"));
    }

    #[test]
    fn the_rest_of_the_page_stays() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.md");
        fs::write(
            &page,
            "before\n<!-- bench: x -->\nold\n<!-- end of bench: x -->\nafter\n",
        )
        .unwrap();
        let section = Section::of_rows("City", "All of it.", &[]);
        write_section(&page, "x", &section).unwrap();
        let written = fs::read_to_string(&page).unwrap();
        assert!(written.starts_with("before\n") && written.ends_with("after\n"));
        assert!(written.contains("### City") && !written.contains("old"));
    }
}
