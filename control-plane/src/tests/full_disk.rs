//! A disk that fills up under `SQLite` and gets room again: writes come back without a restart.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::harness::{Actor, Harness, in_time};
use crate::health::Component;
use crate::store::Store;

/// A file system of four megabytes in memory, gone at the end of the test.
struct SmallDisk {
    at: tempfile::TempDir,
}

impl SmallDisk {
    /// `None` where mounting is not allowed.
    fn mount() -> Option<Self> {
        let at = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "doorstep-test"])
            .arg(at.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self { at }),
            other => {
                let required =
                    std::env::var("DOORSTEP_REQUIRE_ALL").is_ok_and(|value| value == "1");
                assert!(!required, "a tmpfs cannot be mounted: {other:?}");
                // Past the capture of the test runner, so that a person sees it.
                drop(std::io::Write::write_all(
                    &mut std::io::stderr(),
                    b"skipped: a tmpfs can only be mounted by root\n",
                ));
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.at.path()
    }

    /// Takes all the room there is.
    fn fill(&self) -> PathBuf {
        let filler = self.path().join("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        let block = [0_u8; 1_024];
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
        filler
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a connection that is being closed may still hold a file.
        drop(Command::new("umount").arg("-l").arg(self.path()).status());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_come_back_with_the_disk() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let url = format!("sqlite://{}", disk.path().join("test.db").display());
    let h = Harness::start_with(Store::open(&url).await.unwrap(), |_| {}).await;
    let nobody = Actor {
        id: String::new(),
        token: String::new(),
    };
    assert_eq!(healthz(&h).await, (200, "ok".to_owned()));
    let filler = disk.fill();
    let new = json!({ "name": "a".repeat(200) });
    in_time("a refused write", async {
        while h.post("/v1/customers", &nobody, new.clone()).await.0 == 201 {}
    })
    .await;
    let (status, body) = h.post("/v1/customers", &nobody, new.clone()).await;
    assert_eq!(status, 500, "{body}");
    let (status, told) = healthz(&h).await;
    assert_eq!(status, 503);
    assert!(told.contains("degraded: database"), "{told}");
    let why = h.app.health.fault(Component::Database).unwrap().why;
    assert!(why.contains("disk is full"), "{why}");

    std::fs::remove_file(filler).unwrap();
    for attempt in 0..3 {
        let (status, body) = h.post("/v1/customers", &nobody, new.clone()).await;
        assert_eq!(status, 201, "attempt {attempt}: {body}");
    }
    in_time("health", async {
        while healthz(&h).await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    h.stop().await;
}

async fn healthz(h: &Harness) -> (u16, String) {
    let response = h.request(Method::GET, "/healthz", "").send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}
