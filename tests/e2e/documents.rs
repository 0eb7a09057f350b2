//! Every command in the documents is one that works: `sh` blocks are run, line by line, in a folder with a small town.
//!
//! ```text
//!   doorstep …                      has to end well
//!   doorstep …  # until Ctrl-C      has to say something or serve, and to end well when it is interrupted
//!   …           # not run: WHY      is not run; on a line of its own before the first command: nothing of the block
//!   <!-- not run: WHY -->           in the line above the block: the same
//! ```
//!
//! A fenced block that holds a command must be an `sh` block.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What a line that ends by itself may take.
const RUN_MAX: Duration = Duration::from_secs(240);

/// What one that serves may take to say where, and to end.
const SERVE_MAX: Duration = Duration::from_secs(60);

/// Programs whose lines are commands.
const PROGRAMS: &[&str] = &[
    "doorstep", "make", "cargo", "curl", "python3", "rustup", "apt", "buildah",
];

/// Pages with a test of their own for all that is in them.
const TESTED_ELSEWHERE: &[&str] = &["operations.md"];

#[derive(Debug)]
struct Block {
    page: String,
    line: usize,
    language: String,
    lines: Vec<String>,
    /// Why the line above says that nothing of it is run.
    not_run: Option<String>,
}

/// The fenced blocks of a page.
fn blocks(page: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let mut above = "";
    for (number, line) in (1..).zip(text.lines()) {
        match (line.trim().strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => {
                open = Some(Block {
                    page: page.to_owned(),
                    line: number,
                    language: language.trim().to_owned(),
                    lines: Vec::new(),
                    not_run: above
                        .strip_prefix("<!-- not run:")
                        .and_then(|rest| rest.strip_suffix("-->"))
                        .map(|reason| reason.trim().to_owned()),
                });
            }
            (None, Some(block)) => block.lines.push(line.trim().to_owned()),
            (None, None) => {}
        }
        above = line.trim();
    }
    assert!(open.is_none(), "{page}: a block is not closed");
    blocks
}

fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(Path::new(ROOT).join("docs")).unwrap();
    let mut pages: Vec<PathBuf> = docs
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .filter(|path| !TESTED_ELSEWHERE.iter().any(|name| path.ends_with(name)))
        .chain(["README.md", "CONTRIBUTING.md"].map(|name| Path::new(ROOT).join(name)))
        .collect();
    pages.sort();
    pages
}

/// What to do with a line.
#[derive(Debug, PartialEq)]
enum Step<'a> {
    Nothing,
    Run(&'a str),
    Serve(&'a str),
    NotRun(&'a str),
}

fn step(line: &str) -> Step<'_> {
    let (command, comment) = match line.split_once('#') {
        Some((command, comment)) => (command.trim(), comment.trim()),
        None => (line.trim(), ""),
    };
    if let Some(reason) = comment.strip_prefix("not run:") {
        return Step::NotRun(reason.trim());
    }
    match (command.is_empty(), comment.contains("until Ctrl-C")) {
        (true, _) => Step::Nothing,
        (false, true) => Step::Serve(command),
        (false, false) => Step::Run(command),
    }
}

fn is_command(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    PROGRAMS.contains(&first)
}

/// A shell line, with the binary under test as `doorstep` and the folder's own for everything else.
fn shell(line: &str, folder: &Path) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_doorstep"));
    let path = format!(
        "{}:{}",
        binary.parent().unwrap().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut command = Command::new("bash");
    // The shell is replaced by the command, so that a signal reaches it.
    let exec = if line.contains(['|', ';', '>', '&']) {
        ""
    } else {
        "exec "
    };
    command
        .args(["-ec", &format!("{exec}{line}")])
        .current_dir(folder)
        .env("PATH", path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Reads both outputs to their ends; each line is sent on.
fn listen(child: &mut Child) -> mpsc::Receiver<String> {
    let (lines, said) = mpsc::channel();
    let outputs: [Box<dyn Read + Send>; 2] = [
        Box::new(child.stdout.take().unwrap()),
        Box::new(child.stderr.take().unwrap()),
    ];
    for output in outputs {
        let lines = lines.clone();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                drop(lines.send(line));
            }
        });
    }
    said
}

/// Whether it ended well within a time; killed if it did not end.
fn ends_well(child: &mut Child, within: Duration) -> Result<(), String> {
    let begun = Instant::now();
    while begun.elapsed() < within {
        if let Some(status) = child.try_wait().unwrap() {
            return if status.success() {
                Ok(())
            } else {
                Err(status.to_string())
            };
        }
        thread::sleep(Duration::from_millis(20));
    }
    drop(child.kill());
    Err(format!("still running after {within:?}"))
}

fn run(line: &str, folder: &Path) -> Result<(), String> {
    let mut child = shell(line, folder).spawn().unwrap();
    let said = listen(&mut child);
    let ended = ends_well(&mut child, RUN_MAX);
    ended.map_err(|why| format!("{why}: {}", said.iter().collect::<Vec<_>>().join(" / ")))
}

fn serve(line: &str, folder: &Path) -> Result<(), String> {
    let mut child = shell(line, folder).spawn().unwrap();
    let said = listen(&mut child);
    let heard = said.recv_timeout(SERVE_MAX);
    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    let ended = ends_well(&mut child, SERVE_MAX);
    let rest = || said.iter().collect::<Vec<_>>().join(" / ");
    match (heard, interrupted.success(), ended) {
        (Ok(_), true, Ok(())) => Ok(()),
        (heard, _, ended) => Err(format!("{heard:?}, {ended:?}: {}", rest())),
    }
}

#[test]
fn every_command_of_the_documents_works() {
    let (mut run_count, mut not_run, mut failed) = (0, Vec::new(), Vec::new());
    for path in pages() {
        let page = path.strip_prefix(ROOT).unwrap().display().to_string();
        let folder = tempfile::tempdir().unwrap();
        // The scenarios, as seen from the root of the repository.
        std::os::unix::fs::symlink(Path::new(ROOT).join("sim"), folder.path().join("sim")).unwrap();
        for block in blocks(&page, &fs::read_to_string(&path).unwrap()) {
            let place = format!("{}:{}", block.page, block.line);
            let first = block.lines.first().map_or("", String::as_str);
            let reason = match (&block.not_run, step(first)) {
                (Some(reason), _) => Some(reason.as_str()),
                (None, Step::NotRun(reason)) if first.starts_with('#') => Some(reason),
                (None, _) => None,
            };
            if let Some(reason) = reason {
                assert!(!reason.is_empty(), "{place}: not run, and no reason");
                not_run.push(format!("{place} (all): {reason}"));
                continue;
            }
            if block.language != "sh" {
                let stray = block.lines.iter().find(|line| is_command(line));
                assert!(
                    stray.is_none(),
                    "{place}: {stray:?} is in a block that is not `sh`"
                );
                continue;
            }
            let steps = block.lines.iter().map(|line| step(line));
            for step in steps {
                let outcome =
                    match step {
                        Step::Nothing => continue,
                        Step::NotRun(reason) => {
                            assert!(!reason.is_empty(), "{place}: not run, and no reason");
                            not_run.push(format!("{place}: {reason}"));
                            continue;
                        }
                        Step::Run(line) => run(line, folder.path())
                            .map_err(|why| format!("{place}: {line}: {why}")),
                        Step::Serve(line) => serve(line, folder.path())
                            .map_err(|why| format!("{place}: {line}: {why}")),
                    };
                run_count += 1;
                failed.extend(outcome.err());
            }
        }
    }
    println!(
        "{run_count} commands of the documents were run, {} were not:",
        not_run.len()
    );
    for line in &not_run {
        println!("  {line}");
    }
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(run_count >= 10, "only {run_count} commands were run");
}

#[test]
fn lines_are_taken_apart() {
    assert_eq!(step("doorstep map  # a map"), Step::Run("doorstep map"));
    assert_eq!(
        step("doorstep x  # a page, until Ctrl-C"),
        Step::Serve("doorstep x")
    );
    assert_eq!(step("make y  # not run: long"), Step::NotRun("long"));
    assert_eq!(step("# only words"), Step::Nothing);
    let text = "a\n```sh\ndoorstep\n```\n```\nx\n```\n";
    let blocks = blocks("p", text);
    assert_eq!(blocks.len(), 2);
    assert_eq!((blocks[0].line, blocks[0].language.as_str()), (2, "sh"));
}
