//! One row for each thing measured: the line that is printed, and the section of a page with the table of all rows.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::table::{Column, table};

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Held in seconds, shown in microseconds.
    Micros,
    /// Held in seconds, shown in milliseconds.
    Millis,
    /// Held and shown in seconds.
    Seconds,
    /// Of memory or disk, 2^20 bytes each.
    Mebibytes,
    /// Of memory, held in 2^20 bytes and shown in 2^10 bytes.
    Kibibytes,
    /// Requests a second: more is better.
    PerSecond,
    /// Edges of a graph, counted.
    Edges,
    /// Of a hundred, above a bound.
    Percent,
    /// Held and shown in minutes.
    Minutes,
    /// Held and shown in dollars, of a day.
    Dollars,
}

/// What we want of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wanted {
    /// Ours is at most this, in the unit's own measure (seconds for times).
    AtMost(f64),
    /// Ours is at most the best peer's.
    NoMoreThanPeer,
    /// Ours is no farther than the second from the first: a method as published, no better and no worse.
    Within(f64, f64),
    /// Ours is at least so many times the best peer's.
    TimesPeer(f64),
}

/// One measured peer, or why it was not.
#[derive(Clone, Debug, PartialEq)]
pub struct Peer {
    /// What it is called, with its version or settings.
    pub name: String,
    /// In the unit of the row, or why it was not measured.
    pub figure: std::result::Result<f64, String>,
}

impl Peer {
    /// One that was measured.
    pub fn new(name: impl Into<String>, figure: f64) -> Self {
        Self {
            name: name.into(),
            figure: Ok(figure),
        }
    }

    /// One that was not, and why.
    pub fn missing(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            figure: Err(why.into()),
        }
    }
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// What its figures count.
    pub unit: Unit,
    /// Ours, or why it was not measured.
    pub ours: std::result::Result<f64, String>,
    /// What others did in the same run or wrote down.
    pub peers: Vec<Peer>,
    /// What ours is held against.
    pub wanted: Wanted,
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
    pub fn verdict(&self) -> &'static str {
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

    fn ours_text(&self) -> String {
        match &self.ours {
            Ok(figure) => show(*figure, self.unit),
            Err(why) => why.clone(),
        }
    }

    fn peers_text(&self) -> String {
        let peers = self.peers.iter().map(|peer| match &peer.figure {
            Ok(figure) => format!("{} {}", peer.name, show(*figure, self.unit)),
            Err(why) => format!("{}: {why}", peer.name),
        });
        peers.collect::<Vec<_>>().join("; ")
    }

    /// What is wanted, in words.
    fn wanted_words(&self) -> String {
        match self.wanted {
            Wanted::AtMost(_) => format!("≤ {}", self.wanted_text()),
            Wanted::Within(..) => self.wanted_text(),
            Wanted::NoMoreThanPeer => "ahead of the best peer".to_owned(),
            Wanted::TimesPeer(times) => format!("≥ {times} × the best peer"),
        }
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
pub fn show(figure: f64, unit: Unit) -> String {
    let (value, suffix) = match unit {
        Unit::Micros => (figure * 1e6, "us"),
        Unit::Millis => (figure * 1e3, "ms"),
        Unit::Seconds => (figure, "s"),
        Unit::Mebibytes => (figure, "MiB"),
        Unit::Kibibytes => (figure * 1024.0, "KiB"),
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
pub fn rows_table(rows: &[Row]) -> String {
    let columns = [
        Column::words("what", |row: &Row| row.name.clone()),
        Column::words("ours", Row::ours_text),
        Column::words("peers", Row::peers_text),
        Column::words("ratio to the best", Row::ratio_text),
        Column::words("wanted", Row::wanted_words),
        Column::words("", |row: &Row| row.verdict().to_owned()),
    ];
    table(&columns, rows)
}

/// One heading, a sentence about what was measured, and its table.
pub struct Section {
    title: String,
    about: String,
    table: String,
}

impl Section {
    /// A table of rows.
    pub fn of_rows(title: &str, about: &str, rows: &[Row]) -> Self {
        Self::of_table(title, about, rows_table(rows))
    }

    /// A table that is written already.
    pub fn of_table(title: &str, about: &str, table: String) -> Self {
        Self {
            title: title.to_owned(),
            about: about.to_owned(),
            table,
        }
    }
}

/// Puts a section between its markers on a page and leaves the rest of it alone.
///
/// # Errors
///
/// If the page cannot be read or written, or has no such markers.
pub fn write_section(page: &Path, marker: &str, section: &Section) -> Result<()> {
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
    fn a_table_has_all_that_is_known_of_a_row() {
        let peers = vec![Peer::new("slow", 2e-3), Peer::missing("absent", "failed")];
        let mut missing = row(0.0, Vec::new(), Unit::Millis, Wanted::NoMoreThanPeer);
        missing.ours = Err("not run".to_owned());
        let rows = [
            row(1e-3, peers, Unit::Millis, Wanted::AtMost(2e-3)),
            missing,
        ];
        assert_eq!(
            rows_table(&rows),
            "| what | ours | peers | ratio to the best | wanted | |\n|---|---|---|---|---|---|\n\
             | thing | 1.00ms | slow 2.00ms; absent: failed | 0.500 | ≤ 2.00ms | ok |\n\
             | thing | not run | | - | ahead of the best peer | missing |\n"
        );
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
