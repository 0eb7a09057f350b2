//! The reader of OpenStreetMap extracts: any file gives a map or an error.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use doorstep_fuzz::extract_of_block;
use doorstep_maps::{read, unwatched};
use libfuzzer_sys::fuzz_target;

/// Where the file lies that is read; in memory where the system has such a place.
fn path() -> &'static PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() {
            memory
        } else {
            std::env::temp_dir()
        };
        folder.join(format!("doorstep-fuzz-{}.osm.pbf", std::process::id()))
    })
}

// The first byte chooses: the rest is a whole file, or one block of objects in a sound file.
fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, rest)) = bytes.split_first() else {
        return;
    };
    let written = if kind % 4 == 0 {
        fs::write(path(), rest)
    } else {
        fs::write(path(), extract_of_block(rest))
    };
    written.expect("a file of a few kilobytes");
    let _ = read(path(), &unwatched);
});
