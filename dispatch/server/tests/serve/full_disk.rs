//! A journal on a disk that fills up, and has room again.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use doorstep_dispatch_server::Config;
use tonic::Code;

use crate::town::{Town, config, corner, delivery, request, soon};

/// A file system in memory of 256 KiB, gone when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this process may not mount one.
    fn mount(at: &Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
            .arg(at)
            .output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        mounted.then(|| Self(at.to_owned()))
    }

    /// Writes a file until there is no room left.
    fn fill(&self) {
        let mut filler = File::create(self.0.join("filler")).unwrap();
        while filler.write(&[0; 4_096]).is_ok_and(|written| written > 0) {}
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Says why; a failure where everything has to run.
#[allow(clippy::print_stdout, reason = "a test that is not run says so")]
fn not_run() {
    assert!(
        std::env::var_os("DOORSTEP_REQUIRE_ALL").is_none(),
        "no small disk can be mounted: run as root"
    );
    println!("not run: no small disk can be mounted without root");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_waited_for_and_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path()) else {
        return not_run();
    };
    let setup = Config {
        journal_dir: Some(folder.path().join("journal")),
        ..config()
    };
    let town = Town::start_with(setup.clone()).await;
    let mut control_plane = town.control_plane().await;
    disk.fill();
    let mut acknowledged = Vec::new();
    let mut refused = None;
    // What is left of the file's last page takes a few.
    for number in 1..=250 {
        match control_plane
            .request_delivery(request(number, town.now_ms()))
            .await
        {
            Ok(_) => acknowledged.push(number),
            Err(status) => {
                assert_eq!(status.code(), Code::Unavailable, "{status}");
                assert!(
                    status.message().contains("disk of the journal is full"),
                    "{status}"
                );
                refused = Some(number);
                break;
            }
        }
    }
    let refused = refused.expect("the disk is full before 250 deliveries");
    assert!(town.server.vitals().is_stalled());
    let status = control_plane
        .request_delivery(request(refused, town.now_ms()))
        .await;
    assert_eq!(status.unwrap_err().code(), Code::Unavailable, "still full");

    disk.free();
    soon("room on the disk", async {
        while town.server.vitals().is_stalled() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    // The one that was refused is known: it took effect with the journal, and repeating it changes nothing.
    let repeated = request(refused, town.now_ms());
    let repeated = control_plane.request_delivery(repeated).await;
    assert!(
        repeated.as_ref().map_or_else(
            |status| status.code() == Code::AlreadyExists,
            |answer| !answer.get_ref().created
        ),
        "{repeated:?}"
    );
    let mut driver = town.driver(1, corner(1, 1)).await;
    driver.offer().await;
    acknowledged.push(refused);
    town.stop().await;

    let second_life = Town::start_with(setup).await;
    let mut watch = second_life.watch(0).await;
    for number in acknowledged {
        let event = watch.until(
            number,
            doorstep_dispatch_wire::dispatch::DeliveryState::Searching,
        );
        assert!(!event.await.is_empty(), "{}", delivery(number));
    }
    second_life.stop().await;
}
