//! A shift in Python that nothing goes well in, against a server of its own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use doorstep_dispatch_wire::dispatch::{DeliveryEvent, DeliveryState, RequestDeliveryRequest};
use uuid::Uuid;

use crate::journal::{Site, unix_ms};

/// Whoever has declined is asked again at once.
const PATIENT: &str = "[dispatch.policy]\nround_interval = \"100ms\"\ndecline_cool_off = \"1ms\"\n";

/// A shift in Python: its process, and what it says.
struct PythonShift {
    process: Child,
    said: std::io::Lines<BufReader<std::process::ChildStdout>>,
    complaints: std::path::PathBuf,
}

impl PythonShift {
    /// `None` without Python and aioquic, where they are not required.
    fn start(site: &Site) -> Option<Self> {
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = project.join("tests/openapi/.venv/bin/python");
        if !python.exists() {
            let is_required = std::env::var_os("DOORSTEP_REQUIRE_ALL").is_some();
            assert!(
                !is_required,
                "tests/openapi/install.sh brings Python with aioquic"
            );
            return None;
        }
        let folder = site.folder.path();
        fs::write(folder.join("driver.token"), site.driver_token(7)).unwrap();
        let [lat, lng] = [site.at.lat_e7, site.at.lng_e7].map(|e7| f64::from(e7) / 1e7);
        let complaints = folder.join("shift");
        let mut process = Command::new(python)
            .arg(project.join("tests/e2e/shift.py"))
            .arg(site.quic.to_string())
            .args(["server.der", "driver.token"])
            .arg(format!("{lat},{lng}"))
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&complaints).unwrap())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap()).lines();
        Some(Self {
            process,
            said,
            complaints,
        })
    }

    /// Reads until a line begins so.
    fn until(&mut self, wanted: &str) {
        let begins = |line: &std::io::Result<String>| {
            let line = line.as_ref();
            line.is_ok_and(|line| line.starts_with(wanted))
        };
        let line = self.said.find(begins);
        let complaints = || fs::read_to_string(&self.complaints).unwrap();
        assert!(line.is_some(), "no {wanted:?}: {}", complaints());
    }
}

impl Drop for PythonShift {
    fn drop(&mut self) {
        // It has usually ended already.
        let _ = self.process.kill();
    }
}

/// A second client, in another language and over another QUIC: a declined offer, another network, a killed server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_python_driver_works_a_shift_through_everything() {
    let site = Site::new(PATIENT);
    let (mut process, _) = site.start();
    let Some(mut shift) = PythonShift::start(&site) else {
        return;
    };
    shift.until("on duty, session 1");
    let now = unix_ms();
    let request = RequestDeliveryRequest {
        delivery_id: Uuid::now_v7().to_string(),
        pickup: Some(site.at),
        dropoff: Some(site.at),
        placed_at_ms: now,
        ready_at_ms: now,
    };
    site.client().await.request_delivery(request).await.unwrap();
    shift.until("decline");
    shift.until("accept");
    shift.until("picked up");
    shift.until("network changed");
    shift.until("acknowledged");
    process.kill();
    (process, _) = site.start();
    shift.until("connection lost");
    shift.until("on duty, session 2");
    shift.until("dropped off");
    shift.until("the shift is over");
    assert!(shift.process.wait().unwrap().success());
    let events = site.events(0).await;
    let mut told = events.iter().map(DeliveryEvent::state);
    let wanted = [
        DeliveryState::Searching,
        DeliveryState::Offered,
        DeliveryState::Searching,
        DeliveryState::Offered,
        DeliveryState::Assigned,
        DeliveryState::PickedUp,
        DeliveryState::DroppedOff,
    ];
    assert!(
        wanted.iter().all(|&state| told.any(|one| one == state)),
        "{events:?}"
    );
    process.kill();
}
