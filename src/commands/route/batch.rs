//! `doorstep route --batch`: travel time and distance for a file of pairs, one answer a line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Context, bail};
use doorstep_routing::{LatLng, Router, Workspace};
use indicatif::{ProgressBar, ProgressStyle};

use crate::commands::say;

/// A first line that only names the columns is passed over.
const HEADER: &str = "lon1,lat1,lon2,lat2";

/// What became of the pairs.
#[derive(Default)]
struct Tally {
    pairs: u64,
    /// Pairs of which a point lies on no road of the map.
    off_road: u64,
}

/// Reads pairs from `file` (`-` is standard input) and prints `seconds,metres` for each, in the same order.
///
/// Where there is no way, or a point lies on no road, both fields are empty; the latter are counted on standard error.
///
/// # Errors
/// If a line is not a pair; the answers to the lines before it are printed then.
pub(super) fn run(router: &Router, file: &Path) -> anyhow::Result<()> {
    let bar = ProgressBar::no_length();
    let (name, input): (String, Box<dyn Read>) = if file == Path::new("-") {
        ("standard input".to_owned(), Box::new(io::stdin().lock()))
    } else {
        let name = file.display().to_string();
        let input = File::open(file).with_context(|| name.clone())?;
        bar.set_length(input.metadata().map_or(0, |data| data.len()));
        bar.set_style(
            ProgressStyle::with_template("routing {bar:32} {percent} %, {eta} left")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        (name, Box::new(input))
    };
    let input = BufReader::new(bar.wrap_read(input));
    let mut out = BufWriter::new(io::stdout().lock());
    let answered = answer(router, &name, input, &mut out);
    // Answers to the lines before a malformed one are worth having.
    let flushed = out.flush();
    bar.finish_and_clear();
    let tally = match answered {
        Err(error) if is_broken_pipe(&error) => return Ok(()),
        other => other?,
    };
    flushed?;
    if tally.off_road > 0 {
        let Tally { pairs, off_road } = tally;
        say(&format!(
            "{off_road} of {pairs} pairs have a point on no road near by; their answers are empty"
        ));
    }
    Ok(())
}

/// Whoever stops reading has read enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn answer(
    router: &Router,
    name: &str,
    input: impl BufRead,
    out: &mut impl Write,
) -> anyhow::Result<Tally> {
    let mut workspace = router.workspace();
    let mut tally = Tally::default();
    for (index, line) in input.lines().enumerate() {
        let number = index + 1;
        let line = line.with_context(|| format!("{name}: line {number}"))?;
        if index == 0 && line.trim() == HEADER {
            continue;
        }
        let [from, to] = parse_pair(&line).with_context(|| format!("{name}: line {number}"))?;
        tally.pairs += 1;
        answer_pair(router, &mut workspace, &mut tally, from, to, out)?;
    }
    Ok(tally)
}

fn answer_pair(
    router: &Router,
    workspace: &mut Workspace,
    tally: &mut Tally,
    from: LatLng,
    to: LatLng,
    out: &mut impl Write,
) -> io::Result<()> {
    let (Ok(from), Ok(to)) = (router.snap(from), router.snap(to)) else {
        tally.off_road += 1;
        return writeln!(out, ",");
    };
    match router.time_and_distance(workspace, &from, &to) {
        Some((time, distance)) => {
            let (millis, metres) = (time.as_millis(), distance.as_metres());
            writeln!(out, "{}.{:03},{metres:.3}", millis / 1000, millis % 1000)
        }
        None => writeln!(out, ","),
    }
}

fn parse_pair(line: &str) -> anyhow::Result<[LatLng; 2]> {
    let mut fields = line.split(',').map(str::trim);
    let mut number = || {
        let Some(field) = fields.next() else {
            bail!("`{line}` has too few fields, wanted {HEADER} in degrees");
        };
        field
            .parse::<f64>()
            .with_context(|| format!("`{field}` is not a number, wanted {HEADER} in degrees"))
    };
    let [lng1, lat1, lng2, lat2] = [number()?, number()?, number()?, number()?];
    if fields.next().is_some() {
        bail!("`{line}` has too many fields, wanted {HEADER} in degrees");
    }
    Ok([
        LatLng::from_degrees(lat1, lng1)?,
        LatLng::from_degrees(lat2, lng2)?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_longitude_first() {
        let [from, to] = parse_pair("-8.6110,41.1496, -8.6569 ,41.1621").unwrap();
        assert_eq!((from.lat(), from.lng()), (41.1496, -8.6110));
        assert_eq!((to.lat(), to.lng()), (41.1621, -8.6569));
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        for (line, wanted) in [
            ("", "`` is not a number"),
            ("1,2,3", "too few fields"),
            ("1,2,3,4,5", "too many fields"),
            ("1,2,three,4", "`three` is not a number"),
            ("1,NaN,3,4", "is not a number"),
            ("1,91,3,4", "outside latitude"),
        ] {
            let error = parse_pair(line).unwrap_err().to_string();
            assert!(error.contains(wanted), "{line}: {error}");
        }
    }
}
