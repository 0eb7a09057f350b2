//! Journals that are cut, damaged, full, in use, of another setup and of earlier formats.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorstep_dispatch_core::{Policy, Span};
use doorstep_dispatch_wire::journal::{self as wire, DriverLost, Record, record::Input};
use doorstep_routing::SplitMix64;
use prost::Message;

use super::disk::Disk;
use super::folder::{list, segment_path, snapshot_path};
use super::frames::{Checksum, put_frame};
use super::legacy::LegacySetup;
use super::segment::{SegmentReader, SegmentWriter};
use super::{Journal, JournalError, Replay, Replayed, Rotation, Setup, State, snapshot_closed};

/// A state that is all its records.
#[derive(Debug, Clone, PartialEq)]
struct Records {
    all: Vec<Record>,
    setup: Setup,
    stream: String,
    /// Number of a record that is refused.
    refused: Option<u64>,
}

impl Records {
    fn under(setup: &Setup) -> Self {
        Self {
            all: Vec::new(),
            setup: setup.clone(),
            stream: String::new(),
            refused: None,
        }
    }

    fn count(&self) -> u64 {
        self.all.len() as u64
    }
}

impl Replay for Records {
    fn restore(&mut self, snapshot: wire::Snapshot) -> Result<(), String> {
        let count = u64::from_le_bytes(snapshot.state.as_slice().try_into().unwrap());
        self.all = (1..=count).map(record).collect();
        self.setup = Setup::from_message(&snapshot.setup.unwrap())?;
        self.stream = snapshot.stream;
        Ok(())
    }

    fn begin_segment(&mut self, segment: &wire::Segment) -> Result<(), String> {
        assert_eq!(segment.first_record, self.count());
        assert_eq!(segment.digest, self.digest());
        self.setup = Setup::from_message(segment.setup.as_ref().unwrap())?;
        self.stream.clone_from(&segment.stream);
        Ok(())
    }

    fn record(&mut self, record: Record) -> Result<(), String> {
        if self.refused == Some(self.count()) {
            return Err("no input".to_owned());
        }
        self.all.push(Record {
            durable_bytes: None,
            ..record
        });
        Ok(())
    }
}

impl State for Records {
    fn setup(&self) -> &Setup {
        &self.setup
    }

    fn change_setup(&mut self, setup: &Setup) -> Result<(), String> {
        self.setup = setup.clone();
        Ok(())
    }

    fn stream(&self) -> &str {
        &self.stream
    }

    fn digest(&self) -> [u8; 32] {
        *blake3::hash(&self.count().to_le_bytes()).as_bytes()
    }

    fn snapshot(&self) -> wire::Snapshot {
        wire::Snapshot {
            state: self.count().to_le_bytes().to_vec(),
            ..wire::Snapshot::default()
        }
    }
}

fn setup() -> Setup {
    Setup::for_test("seed=7", &Policy::default())
}

fn record(number: u64) -> Record {
    Record {
        now_ms: number,
        input: Some(Input::DriverLost(DriverLost {
            driver_id: number * 1_000,
        })),
        ..Record::default()
    }
}

fn records(numbers: impl IntoIterator<Item = u64>) -> Vec<Record> {
    numbers.into_iter().map(record).collect()
}

fn open(folder: &Path) -> Result<(Journal, Replayed, Records), JournalError> {
    let mut state = Records::under(&setup());
    Journal::open(folder, &setup(), &mut state)
        .map(|(journal, replayed)| (journal, replayed, state))
}

fn write(folder: &Path, numbers: impl IntoIterator<Item = u64>) {
    let (mut journal, ..) = open(folder).unwrap();
    for number in numbers {
        journal.append(record(number));
    }
    journal.write(true).unwrap();
}

fn read(folder: &Path) -> (Vec<Record>, Replayed) {
    let (_, replayed, state) = open(folder).unwrap();
    (state.all, replayed)
}

/// The file that is written.
fn last_segment(folder: &Path) -> PathBuf {
    list(folder).unwrap().segments.pop().unwrap().1
}

const AT_ONCE: Rotation = Rotation {
    age_max: Duration::ZERO,
    records_max: 1,
};

/// Writes each run of numbers as a segment of its own, and the last as the open one.
fn write_segments(folder: &Path, runs: &[&[u64]]) {
    let (mut journal, _, mut state) = open(folder).unwrap();
    for (index, run) in runs.iter().enumerate() {
        for &number in *run {
            journal.append(record(number));
            state.all.push(record(number));
        }
        journal.write(true).unwrap();
        if index + 1 < runs.len() {
            assert!(journal.rotate(AT_ONCE, state.digest()).unwrap());
        }
    }
}

#[test]
fn records_come_back_in_order_after_several_openings() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 1..=3);
    write(folder.path(), 4..=5);
    let (found, replayed) = read(folder.path());
    assert_eq!(found, records(1..=5));
    let wanted = Replayed {
        records: 5,
        ..Replayed::default()
    };
    assert_eq!(replayed, wanted);
}

#[test]
fn a_stream_keeps_its_name_as_long_as_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let name = |folder: &Path| open(folder).unwrap().0.stream().to_owned();
    let first = name(folder.path());
    write_segments(folder.path(), &[&[1], &[2], &[3]]);
    assert_eq!(name(folder.path()), first);
    snapshot_closed(folder.path(), Duration::ZERO, &mut Records::under(&setup())).unwrap();
    assert_eq!(name(folder.path()), first);
    let other = tempfile::tempdir().unwrap();
    assert_ne!(name(other.path()), first, "another journal");
}

#[test]
fn a_tail_cut_anywhere_loses_only_the_last_record() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 1..=2);
    let path = last_segment(folder.path());
    let before = fs::metadata(&path).unwrap().len();
    write(folder.path(), 3..=3);
    let whole = fs::read(&path).unwrap();
    for cut in before + 1..whole.len() as u64 {
        fs::write(&path, &whole[..usize::try_from(cut).unwrap()]).unwrap();
        let (found, replayed) = read(folder.path());
        assert_eq!(found, records(1..=2), "cut at {cut}");
        assert_eq!(replayed.torn_bytes, cut - before, "cut at {cut}");
        assert_eq!(fs::metadata(&path).unwrap().len(), before, "cut at {cut}");
        let aside = path.with_extension(format!("torn-at-{before}"));
        assert_eq!(
            fs::metadata(aside).unwrap().len(),
            cut - before,
            "cut at {cut}"
        );
        write(folder.path(), 4..=4);
        assert_eq!(read(folder.path()).0, records([1, 2, 4]), "cut at {cut}");
    }
}

/// Each byte of a segment of three synced records, damaged: what was acknowledged is not passed over in silence.
#[test]
fn a_flipped_bit_before_the_last_record_is_an_error_that_says_where() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), []);
    let path = last_segment(folder.path());
    let mut ends = vec![fs::metadata(&path).unwrap().len()];
    for number in 1..=3 {
        write(folder.path(), number..=number);
        ends.push(fs::metadata(&path).unwrap().len());
    }
    let whole = fs::read(&path).unwrap();
    let line = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for place in line..whole.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x10;
        fs::write(&path, &damaged).unwrap();
        let opened = open(folder.path()).map(|(_, replayed, _)| replayed.records);
        if place as u64 >= ends[2] {
            // Nothing behind it says that it had been synced: as after a crash in the middle of its write.
            assert_eq!(opened.unwrap(), 2, "byte {place}");
            continue;
        }
        let starts = [line as u64, ends[0], ends[1]];
        let start = starts.into_iter().rfind(|&start| start <= place as u64);
        let error = opened.unwrap_err();
        let JournalError::Damaged { offset, length, .. } = &error else {
            panic!("byte {place}: {error}");
        };
        assert_eq!(
            (Some(*offset), *length),
            (start, whole.len() as u64),
            "byte {place}"
        );
        let text = error.to_string();
        assert!(
            text.contains(".segment") && text.contains("journal repair"),
            "{text}"
        );
        assert_eq!(
            fs::read(&path).unwrap(),
            damaged,
            "byte {place}: left as it is"
        );
    }
}

/// A write of several records of which the system kept the later part only: none of it was acknowledged.
#[test]
fn an_interrupted_write_with_whole_records_behind_the_gap_is_moved_aside() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 1..=2);
    let path = last_segment(folder.path());
    let before = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    write(folder.path(), 3..=6);
    let mut bytes = fs::read(&path).unwrap();
    bytes[before..before + 20].fill(0);
    fs::write(&path, &bytes).unwrap();
    let (found, replayed) = read(folder.path());
    assert_eq!(found, records(1..=2));
    assert_eq!(replayed.torn_bytes, (bytes.len() - before) as u64);
}

/// What some file systems leave behind a write that power cut short.
#[test]
fn zeros_at_the_end_are_no_records() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 1..=2);
    let path = last_segment(folder.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes.resize(bytes.len() + 4_096, 0);
    fs::write(&path, bytes).unwrap();
    let (found, replayed) = read(folder.path());
    assert_eq!(found, records(1..=2));
    assert_eq!(replayed.torn_bytes, 4_096);
}

/// A disk that fails when it is told to, and keeps only what was synced when asked what survived.
#[derive(Debug, Clone, Default)]
struct FaultyDisk(Arc<Mutex<FaultyState>>);

#[derive(Debug, Default)]
struct FaultyState {
    file: Vec<u8>,
    durable: Vec<u8>,
    /// Bytes that still fit.
    room: usize,
    syncs_fail: bool,
}

impl Disk for FaultyDisk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let state = &mut *self.0.lock().unwrap();
        let fits = bytes
            .len()
            .min(state.room - state.file.len().min(state.room));
        state.file.extend_from_slice(&bytes[..fits]);
        if fits < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let state = &mut *self.0.lock().unwrap();
        if state.syncs_fail {
            // The pages are gone, and the next sync would succeed without them.
            let lost = state.durable.len();
            state.file[lost..].fill(0);
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.durable = state.file.clone();
        Ok(())
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        let state = &mut *self.0.lock().unwrap();
        state.file.truncate(usize::try_from(bytes).unwrap());
        Ok(())
    }
}

/// Whatever fails in between: after a write that succeeded, everything appended before it is on stable storage, once.
#[test]
fn a_disk_that_was_full_loses_nothing_and_doubles_nothing() {
    for seed in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 0..0);
        let path = last_segment(folder.path());
        let header = fs::read(&path).unwrap();
        let salt = SegmentReader::open(&path).unwrap().header.salt;
        let mut random = SplitMix64::new(seed);
        let disk = FaultyDisk::default();
        {
            let state = &mut *disk.0.lock().unwrap();
            state.file.clone_from(&header);
            state.durable.clone_from(&header);
        }
        let mut segment = SegmentWriter::over(disk.clone(), &path, salt, header.len() as u64);
        let (mut appended, mut acknowledged) = (0, 0);
        for _ in 0..40 {
            {
                let state = &mut *disk.0.lock().unwrap();
                state.room = if random.below(2) == 0 {
                    state.file.len() + random.below(40)
                } else {
                    usize::MAX
                };
                state.syncs_fail = random.below(3) == 0;
            }
            for _ in 0..random.below(4) {
                appended += 1;
                segment.append(record(appended));
            }
            let durable = random.below(3) > 0;
            match segment.write(durable) {
                Ok(()) if durable => acknowledged = appended,
                Ok(()) => {}
                Err(error) => assert!(error.is_disk_full(), "seed {seed}: {error}"),
            }
            // Power goes here: only what was synced is left.
            fs::write(&path, &disk.0.lock().unwrap().durable).unwrap();
            let (found, _) = read(folder.path());
            assert!(found.len() as u64 >= acknowledged, "seed {seed}");
            assert_eq!(found, records(1..=found.len() as u64), "seed {seed}");
        }
    }
}

#[test]
fn another_file_and_another_process_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 1..=1);
    let held = open(folder.path()).unwrap();
    let second = open(folder.path());
    assert!(
        matches!(second, Err(JournalError::InUse { .. })),
        "{second:?}"
    );
    drop(held);

    fs::write(last_segment(folder.path()), [0xff; 6_000]).unwrap();
    let something = open(folder.path());
    assert!(
        matches!(something, Err(JournalError::NotAJournal { .. })),
        "{something:?}"
    );
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("shard-0.journal"), [0xff; 6_000]).unwrap();
    let something = open(other.path());
    assert!(
        matches!(something, Err(JournalError::NotAJournal { .. })),
        "{something:?}"
    );
}

/// A new version, another map and other settings go on where the old ones stopped; what was before stays under its own setup.
#[test]
fn another_setup_goes_on_in_a_segment_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 1..=2);
    let mut policy = Policy::default();
    for (seconds, next) in [(7, 3), (9, 4), (9, 5)] {
        policy.round_interval = Span::from_secs(seconds);
        let other = Setup::for_test("seed=8", &policy);
        let mut state = Records::under(&other);
        let (mut journal, replayed) = Journal::open(folder.path(), &other, &mut state).unwrap();
        assert_eq!(state.all, records(1..next));
        // Changed once, the snapshot that was written then covers all before.
        assert_eq!(
            replayed.records,
            if next == 3 {
                2
            } else {
                u64::from(next == 5) + u64::from(next == 4)
            }
        );
        assert_eq!(state.setup, other);
        journal.append(record(next));
        journal.write(true).unwrap();
    }
    assert_eq!(list(folder.path()).unwrap().segments.len(), 3);
}

#[test]
fn a_start_reads_the_newest_snapshot_and_what_is_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    write_segments(folder.path(), &[&[1, 2], &[3, 4], &[5]]);
    let kept = Duration::from_secs(3_600);
    let make = || snapshot_closed(folder.path(), kept, &mut Records::under(&setup())).unwrap();
    assert_eq!(make(), Some(4));
    assert_eq!(make(), None, "nothing was closed since");
    let (found, replayed) = read(folder.path());
    assert_eq!(found, records(1..=5));
    assert_eq!((replayed.covered, replayed.records), (4, 1));

    // Damage that a snapshot covers is not read any more, and a damaged snapshot is passed over for the segments.
    let first = segment_path(folder.path(), 0);
    let whole = fs::read(&first).unwrap();
    fs::write(&first, &whole[..whole.len() - 3]).unwrap();
    assert_eq!(read(folder.path()).0, records(1..=5));
    fs::write(&first, whole).unwrap();
    let snapshot = snapshot_path(folder.path(), 4);
    let mut bytes = fs::read(&snapshot).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&snapshot, bytes).unwrap();
    let (found, replayed) = read(folder.path());
    assert_eq!((found, replayed.records), (records(1..=5), 5));
}

#[test]
fn what_no_start_needs_is_deleted_when_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let mut closed = Vec::new();
    for last in 1..=5 {
        write_segments(folder.path(), &[&[last], &[]]);
        closed.push(last);
        let keep = if last < 5 {
            Duration::from_secs(3_600)
        } else {
            Duration::ZERO
        };
        snapshot_closed(folder.path(), keep, &mut Records::under(&setup())).unwrap();
        let listing = list(folder.path()).unwrap();
        assert!(listing.snapshots.len() <= 2, "{listing:?}");
        assert_eq!(
            listing.segments.len(),
            if last < 5 { closed.len() + 1 } else { 2 }
        );
    }
    assert_eq!(read(folder.path()).0, records(1..=5));
    // With the newest snapshot gone, the one before and the segments behind it are enough.
    fs::remove_file(snapshot_path(folder.path(), 5)).unwrap();
    assert_eq!(read(folder.path()).0, records(1..=5));
    fs::remove_file(segment_path(folder.path(), 4)).unwrap();
    let missing = open(folder.path()).map(drop).unwrap_err();
    let text = missing.to_string();
    assert!(text.contains("no records from 4 to 5"), "{text}");
}

#[test]
fn damage_in_a_closed_segment_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    write_segments(folder.path(), &[&[1, 2], &[3]]);
    let path = segment_path(folder.path(), 0);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let cut = open(folder.path()).map(drop).unwrap_err();
    assert!(matches!(cut, JournalError::Damaged { .. }), "{cut}");
}

#[test]
fn a_record_that_is_not_understood_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 1..=2);
    let mut state = Records::under(&setup());
    state.refused = Some(1);
    let refused = Journal::open(folder.path(), &setup(), &mut state)
        .map(drop)
        .unwrap_err();
    let text = refused.to_string();
    assert!(
        text.contains("no input") && text.contains("version test"),
        "{text}"
    );
}

/// A journal as version 0.1.0 wrote it.
fn write_legacy(folder: &Path, setup: &Setup, numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let mut bytes = LegacySetup::of(setup).line().into_bytes();
    for number in numbers {
        let record = Record {
            durable_bytes: Some(bytes.len() as u64),
            ..record(number)
        };
        put_frame(&record.encode_to_vec(), Checksum::Bytes, &mut bytes);
    }
    fs::write(folder.join("shard-0.journal"), &bytes).unwrap();
    bytes
}

#[test]
fn a_journal_of_the_earlier_format_goes_on_in_segments() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = write_legacy(folder.path(), &setup(), 1..=3);
    fs::write(folder.path().join("shard-0.stream"), "name\n").unwrap();
    let (journal, replayed, state) = open(folder.path()).unwrap();
    assert_eq!((state.all, replayed.records), (records(1..=3), 3));
    assert_eq!(journal.stream(), "name");
    drop(journal);
    let retired = folder.path().join("shard-0.journal.imported");
    assert_eq!(fs::read(retired).unwrap(), bytes);
    write(folder.path(), 4..=4);
    let (found, replayed) = read(folder.path());
    assert_eq!((found, replayed.covered), (records(1..=4), 3));
}

/// Version 0.1.0 looks at this line, and does not begin an empty journal.
#[test]
fn an_earlier_version_refuses_a_folder_with_segments() {
    let folder = tempfile::tempdir().unwrap();
    let first_line = || fs::read_to_string(folder.path().join("shard-0.journal")).unwrap();
    write(folder.path(), 1..=1);
    assert!(first_line().starts_with("doorstep-journal 3"));
    fs::remove_file(last_segment(folder.path())).unwrap();
    write_legacy(folder.path(), &setup(), 1..=3);
    write(folder.path(), 4..=4);
    assert!(first_line().starts_with("doorstep-journal 3"));
}

#[test]
fn a_journal_of_the_earlier_format_needs_its_setup_and_its_acknowledged_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let other = Setup::for_test("seed=8", &Policy::default());
    write_legacy(folder.path(), &other, 1..=3);
    let refused = open(folder.path()).map(drop).unwrap_err();
    assert!(
        matches!(refused, JournalError::OtherSetup { .. }),
        "{refused}"
    );

    let bytes = write_legacy(folder.path(), &setup(), 1..=3);
    let mut damaged = bytes.clone();
    let middle = bytes.len() - 30;
    damaged[middle] ^= 1;
    fs::write(folder.path().join("shard-0.journal"), &damaged).unwrap();
    let refused = open(folder.path()).map(drop).unwrap_err();
    assert!(matches!(refused, JournalError::Damaged { .. }), "{refused}");
    fs::write(
        folder.path().join("shard-0.journal"),
        &bytes[..bytes.len() - 2],
    )
    .unwrap();
    assert_eq!(read(folder.path()).0, records(1..=2));
}

#[test]
fn a_first_start_of_the_earlier_version_that_was_cut_short_is_begun_again() {
    let header = LegacySetup::of(&setup()).line();
    for cut in 0..header.len() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("shard-0.journal"), &header[..cut]).unwrap();
        write(folder.path(), [1]);
        assert_eq!(read(folder.path()).0, records([1]), "cut at {cut}");
    }
}
