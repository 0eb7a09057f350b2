//! Do we and the engines tell the same times and distances for the same points? The marks that we want to meet.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use doorstep_bench_harness::table::{Column, table};
use serde_json::Value;

use crate::engines::{Engines, Query, number, text};

/// One mark: what, ours, from, to.
pub(crate) struct Mark {
    pub(crate) name: String,
    pub(crate) figure: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Mark {
    fn judgement(&self) -> [String; 2] {
        if self.least == f64::MIN {
            return ["-".to_owned(), String::new()];
        }
        let verdict = if self.is_met() { "ok" } else { "short" };
        [
            format!("{} to {}", self.least, self.most),
            verdict.to_owned(),
        ]
    }

    /// Whether it is met.
    pub(crate) fn is_met(&self) -> bool {
        (self.least..=self.most).contains(&self.figure)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [wanted, verdict] = self.judgement();
        write!(
            out,
            "AGREEMENT {}: {:.4}, wanted {wanted} {verdict}",
            self.name, self.figure
        )
    }
}

/// A table with a line for each mark.
pub(crate) fn marks_table(marks: &[Mark]) -> String {
    let columns = [
        Column::words("what", |mark: &Mark| mark.name.clone()),
        Column::words("ours", |mark: &Mark| format!("{:.4}", mark.figure)),
        Column::words("wanted", |mark: &Mark| {
            let [wanted, _] = mark.judgement();
            wanted
        }),
        Column::words("", |mark: &Mark| {
            let [_, verdict] = mark.judgement();
            verdict
        }),
    ];
    table(&columns, marks)
}

/// Answers every query of a map by `doorstep route --batch`, and holds the answers against those of OSRM and Valhalla.
pub(crate) fn marks(
    engines: &Engines,
    doorstep: &Path,
    extract: &Path,
    map: &str,
) -> Result<Vec<Mark>> {
    let queries = engines.queries(map)?;
    let ours = answers(doorstep, extract, &queries)?;
    write_answers(&engines.data(map).join("answers_ours.npy"), &ours)?;
    let osrm = read_answers(&engines.data(map).join("answers_osrm_ch.npy"))?;
    let valhalla = read_answers(&engines.data(map).join("answers_valhalla.npy"))?;
    let results = compare(engines, map)?;
    let mut marks = Vec::new();
    for (file, short) in [("osrm_ch", "osrm"), ("valhalla", "valhalla")] {
        let pair = &results["agreement"][format!("ours_over_{file}")];
        let mut add = |what: &str, path: &str, least, most| -> Result<()> {
            let (least, most) = if short == "osrm" {
                (least, most)
            } else {
                (f64::MIN, f64::MAX)
            };
            marks.push(Mark {
                name: format!("{map} {what} to {short}"),
                figure: number(pair, path)?,
                least,
                most,
            });
            Ok(())
        };
        add(
            "median time ratio",
            "/time/ratio_percentiles_1_5_25_50_75_95_99/3",
            0.85,
            1.10,
        )?;
        add("Pearson ratio of times", "/time/pearson", 0.99, 1.0)?;
        add(
            "share of times within 10 %",
            "/time/within_10pct_after_scaling",
            0.85,
            1.0,
        )?;
        add(
            "median distance ratio",
            "/distance/ratio_percentiles_1_5_25_50_75_95_99/3",
            0.99,
            1.01,
        )?;
    }
    let lost = osrm
        .iter()
        .zip(&valhalla)
        .zip(&ours)
        .filter(|((osrm, valhalla), ours)| {
            osrm[0].is_finite() && valhalla[0].is_finite() && !ours[0].is_finite()
        });
    marks.push(Mark {
        name: format!("{map} pairs that both connect and we do not"),
        #[allow(clippy::cast_precision_loss, reason = "at most 10,000")]
        figure: lost.count() as f64,
        least: 0.0,
        most: 0.0,
    });
    Ok(marks)
}

fn answers(doorstep: &Path, extract: &Path, queries: &[Query]) -> Result<Vec<[f64; 2]>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("queries.csv");
    let lines: Vec<String> = queries
        .iter()
        .map(|[from_lng, from_lat, to_lng, to_lat]| {
            format!("{from_lng:.7},{from_lat:.7},{to_lng:.7},{to_lat:.7}\n")
        })
        .collect();
    fs::write(&file, lines.concat())?;
    let arguments = [
        "route",
        "--map",
        text(extract)?,
        "--profile",
        "car",
        "--batch",
        text(&file)?,
    ];
    let output = Command::new(doorstep)
        .args(arguments)
        .output()
        .with_context(|| format!("cannot run {}", doorstep.display()))?;
    if !output.status.success() {
        bail!(
            "doorstep route: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let printed = String::from_utf8(output.stdout)?;
    let answers: Result<Vec<[f64; 2]>> = printed.lines().map(parse_answer).collect();
    let answers = answers?;
    ensure!(
        answers.len() == queries.len(),
        "doorstep route answered {} of {} lines",
        answers.len(),
        queries.len()
    );
    Ok(answers)
}

/// Two empty fields are no way.
fn parse_answer(line: &str) -> Result<[f64; 2]> {
    let (seconds, metres) = line
        .split_once(',')
        .with_context(|| format!("answer {line:?} is not seconds,metres"))?;
    if seconds.is_empty() {
        return Ok([f64::NAN; 2]);
    }
    Ok([seconds.parse()?, metres.parse()?])
}

fn compare(engines: &Engines, map: &str) -> Result<Value> {
    let data = [
        "answers_osrm_ch.npy",
        "answers_valhalla.npy",
        "answers_ours.npy",
    ];
    engines.measure("compare.py", map, &data, &data)
}

/// The format of NumPy: magic, version, length of the header, header, numbers.
fn write_answers(path: &Path, answers: &[[f64; 2]]) -> Result<()> {
    let header = format!(
        "{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, 2), }}",
        answers.len()
    );
    let padded = format!("{header:<117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(padded.len())?.to_le_bytes());
    bytes.extend(padded.as_bytes());
    for number in answers.iter().flatten() {
        bytes.extend(number.to_le_bytes());
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

fn read_answers(path: &Path) -> Result<Vec<[f64; 2]>> {
    let bytes = fs::read(path).with_context(|| {
        format!(
            "cannot read {}: run the engine's bench script first",
            path.display()
        )
    })?;
    let wrong = || {
        format!(
            "{} is not an array of pairs of 64-bit numbers",
            path.display()
        )
    };
    let header = bytes.get(8..10).with_context(wrong)?;
    let start = 10 + usize::from(u16::from_le_bytes([header[0], header[1]]));
    let (header, numbers) = bytes.split_at_checked(start).with_context(wrong)?;
    let header = String::from_utf8_lossy(header);
    let is_known = header.contains("'<f8'") && header.contains("False") && header.contains(", 2)");
    ensure!(is_known, wrong());
    let number = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    Ok(numbers
        .chunks_exact(16)
        .map(|pair| [number(&pair[..8]), number(&pair[8..])])
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.npy");
        write_answers(&path, &[[1.5, 2.5], [f64::NAN, f64::NAN]]).unwrap();
        let read = read_answers(&path).unwrap();
        assert_eq!(read[0], [1.5, 2.5]);
        assert!(read.len() == 2 && read[1][0].is_nan());
        assert_eq!(fs::read(&path).unwrap().len() % 16, 0);
    }

    #[test]
    fn an_answer_may_be_empty() {
        assert_eq!(parse_answer("12.5,300").unwrap(), [12.5, 300.0]);
        assert!(parse_answer(",").unwrap()[0].is_nan());
        assert!(parse_answer("12").is_err());
    }
}
