//! Journals that are cut, damaged, full, in use and of another setup.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use doorstep_dispatch_core::Policy;
use doorstep_dispatch_wire::journal::{DriverLost, Record, record::Input};
use doorstep_routing::SplitMix64;

use super::disk::Disk;
use super::{FILE_NAME, Journal, JournalError, Replayed, Setup, stream};

fn setup() -> Setup {
    Setup::for_test("seed=7", &Policy::default())
}

fn record(number: u64) -> Record {
    Record {
        durable_bytes: None,
        now_ms: number,
        input: Some(Input::DriverLost(DriverLost {
            driver_id: number * 1_000,
        })),
    }
}

fn write(folder: &Path, numbers: impl IntoIterator<Item = u64>) {
    let (mut journal, _) = Journal::open(folder, &setup(), |_| Ok(())).unwrap();
    for number in numbers {
        journal.append(record(number));
    }
    journal.write(true).unwrap();
}

fn read(folder: &Path) -> (Vec<Record>, Replayed) {
    let mut records = Vec::new();
    let (_, replayed) = Journal::open(folder, &setup(), |mut record| {
        record.durable_bytes = None;
        records.push(record);
        Ok(())
    })
    .unwrap();
    (records, replayed)
}

#[test]
fn records_come_back_in_order_after_several_openings() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 1..=3);
    write(folder.path(), 4..=5);
    let (records, replayed) = read(folder.path());
    assert_eq!(records, (1..=5).map(record).collect::<Vec<_>>());
    assert_eq!(
        replayed,
        Replayed {
            records: 5,
            torn_bytes: 0
        }
    );
}

#[test]
fn a_stream_keeps_its_name_as_long_as_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let name = || {
        let (journal, _) = Journal::open(folder.path(), &setup(), |_| Ok(())).unwrap();
        journal.stream().to_owned()
    };
    let first = name();
    write(folder.path(), 1..=1);
    assert_eq!(name(), first);
    fs::remove_file(folder.path().join(FILE_NAME)).unwrap();
    let second = name();
    assert_ne!(second, first, "a new journal");
    fs::remove_file(folder.path().join(stream::FILE_NAME)).unwrap();
    let third = name();
    assert_ne!(third, second, "a journal of an older version gets a name");
    assert_eq!(name(), third);
}

#[test]
fn a_tail_cut_anywhere_loses_only_the_last_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    write(folder.path(), 1..=2);
    let before = fs::metadata(&path).unwrap().len();
    write(folder.path(), 3..=3);
    let whole = fs::read(&path).unwrap();
    for cut in before + 1..whole.len() as u64 {
        fs::write(&path, &whole[..usize::try_from(cut).unwrap()]).unwrap();
        let (records, replayed) = read(folder.path());
        assert_eq!(records, [record(1), record(2)], "cut at {cut}");
        assert_eq!(
            replayed,
            Replayed {
                records: 2,
                torn_bytes: cut - before
            },
            "cut at {cut}"
        );
        assert_eq!(fs::metadata(&path).unwrap().len(), before, "cut at {cut}");
        let aside = path.with_extension(format!("torn-at-{before}"));
        assert_eq!(
            fs::metadata(aside).unwrap().len(),
            cut - before,
            "cut at {cut}"
        );
        write(folder.path(), 4..=4);
        assert_eq!(
            read(folder.path()).0,
            [record(1), record(2), record(4)],
            "cut at {cut}"
        );
    }
}

/// Each byte of a journal of three synced records, damaged: what was acknowledged is not passed over in silence.
#[test]
fn a_flipped_bit_before_the_last_record_is_an_error_that_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    let mut ends = Vec::new();
    for number in 1..=3 {
        write(folder.path(), number..=number);
        ends.push(fs::metadata(&path).unwrap().len());
    }
    let whole = fs::read(&path).unwrap();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap() as u64 + 1;
    for place in usize::try_from(header).unwrap()..whole.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x10;
        fs::write(&path, &damaged).unwrap();
        let starts = [header, ends[0], ends[1]];
        let start = starts
            .into_iter()
            .rfind(|&start| start <= place as u64)
            .unwrap();
        let opened = Journal::open(folder.path(), &setup(), |_| Ok(()));
        if start == ends[1] {
            // Nothing behind it says that it had been synced: as after a crash in the middle of its write.
            assert_eq!(opened.unwrap().1.records, 2, "byte {place}");
            continue;
        }
        let error = opened.unwrap_err();
        let JournalError::Damaged { offset, length, .. } = &error else {
            panic!("byte {place}: {error}");
        };
        assert_eq!(
            (*offset, *length),
            (start, whole.len() as u64),
            "byte {place}"
        );
        let text = error.to_string();
        assert!(text.contains(FILE_NAME) && text.contains("empty"), "{text}");
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
    let path = folder.path().join(FILE_NAME);
    write(folder.path(), 1..=2);
    let before = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
    write(folder.path(), 3..=6);
    let mut bytes = fs::read(&path).unwrap();
    bytes[before..before + 20].fill(0);
    fs::write(&path, &bytes).unwrap();
    let (records, replayed) = read(folder.path());
    assert_eq!(records, [record(1), record(2)]);
    assert_eq!(replayed.torn_bytes, (bytes.len() - before) as u64);
}

/// What some file systems leave behind a write that power cut short.
#[test]
fn zeros_at_the_end_are_no_records() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    write(folder.path(), 1..=2);
    let mut bytes = fs::read(&path).unwrap();
    bytes.resize(bytes.len() + 4_096, 0);
    fs::write(&path, bytes).unwrap();
    let (records, replayed) = read(folder.path());
    assert_eq!(records, [record(1), record(2)]);
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
        let path = folder.path().join(FILE_NAME);
        write(folder.path(), 0..0);
        let header = fs::read(&path).unwrap();
        let mut random = SplitMix64::new(seed);
        let disk = FaultyDisk::default();
        {
            let state = &mut *disk.0.lock().unwrap();
            state.file.clone_from(&header);
            state.durable.clone_from(&header);
        }
        let mut journal = Journal::new(disk.clone(), &path, header.len() as u64, String::new());
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
                journal.append(record(appended));
            }
            let durable = random.below(3) > 0;
            match journal.write(durable) {
                Ok(()) if durable => acknowledged = appended,
                Ok(()) => {}
                Err(error) => assert!(error.is_disk_full(), "seed {seed}: {error}"),
            }
            // Power goes here: only what was synced is left.
            fs::write(&path, &disk.0.lock().unwrap().durable).unwrap();
            let (records, _) = read(folder.path());
            assert!(records.len() as u64 >= acknowledged, "seed {seed}");
            let expected: Vec<Record> = (1..=records.len() as u64).map(record).collect();
            assert_eq!(records, expected, "seed {seed}");
        }
    }
}

#[test]
fn another_setup_another_file_and_another_process_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 1..=1);
    let other = Journal::open(
        folder.path(),
        &Setup::for_test("seed=8", &Policy::default()),
        |_| Ok(()),
    );
    assert!(
        matches!(other, Err(JournalError::OtherSetup { .. })),
        "{other:?}"
    );

    let held = Journal::open(folder.path(), &setup(), |_| Ok(())).unwrap();
    let second = Journal::open(folder.path(), &setup(), |_| Ok(()));
    assert!(
        matches!(second, Err(JournalError::InUse { .. })),
        "{second:?}"
    );
    drop(held);

    fs::write(folder.path().join(FILE_NAME), [0xff; 6_000]).unwrap();
    let something = Journal::open(folder.path(), &setup(), |_| Ok(()));
    assert!(
        matches!(something, Err(JournalError::NotAJournal { .. })),
        "{something:?}"
    );
}

#[test]
fn a_first_start_that_was_cut_short_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE_NAME);
    write(folder.path(), []);
    let header = fs::read(&path).unwrap();
    for cut in 0..header.len() {
        fs::write(&path, &header[..cut]).unwrap();
        write(folder.path(), [9]);
        assert_eq!(read(folder.path()).0, [record(9)], "cut at {cut}");
    }
}

#[test]
fn a_record_that_is_not_understood_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 1..=2);
    let refused = Journal::open(folder.path(), &setup(), |_| Err("no input".to_owned()));
    assert!(
        matches!(refused, Err(JournalError::UnknownRecord { .. })),
        "{refused:?}"
    );
}
