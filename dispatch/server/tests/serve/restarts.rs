//! What was acknowledged outlives the process; apps come back by themselves.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;

use doorstep_dispatch_core::Policy;
use doorstep_dispatch_server::{CertificateSource, Config};
use doorstep_dispatch_wire::dispatch::DeliveryState;
use doorstep_dispatch_wire::driver::MilestoneKind;
use doorstep_driver_client::{Answer, LinkEvent, Motion, PingFix};

use crate::town::{Town, config, corner, delivery, request};

/// Drivers keep their deliveries however long the restart takes.
fn with_journal(folder: &Path) -> Config {
    let setup = config();
    let policy = Policy {
        lost_grace: setup.policy.offer_window,
        ..setup.policy
    };
    Config {
        journal_dir: Some(folder.to_owned()),
        policy,
        ..config()
    }
}

/// What a crash leaves: the files as they are while the server runs, and half a record.
fn crash_copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let copy = to.join(entry.file_name());
        fs::copy(entry.path(), &copy).unwrap();
        if copy.extension().is_none_or(|kind| kind != "segment") {
            continue;
        }
        OpenOptions::new()
            .append(true)
            .open(copy)
            .unwrap()
            .write_all(&[40, 0, 0, 0, 1, 2, 3])
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_is_assigned_twice() {
    let (before, after) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let setup = with_journal(before.path());
    let restarted = Config {
        journal_dir: Some(after.path().to_owned()),
        ..setup.clone()
    };
    let town = Town::start_with(setup).await;
    let mut control_plane = town.control_plane().await;
    let mut watch = town.watch(0).await;
    let mut first = town.driver(1, corner(1, 1)).await;
    control_plane
        .request_delivery(request(1, town.now_ms()))
        .await
        .unwrap();
    let offer = first.offer().await.offer_id;
    first.link.answer(offer, Answer::Accept).await.unwrap();
    first.plan_of(&[1]).await;
    let mut told = watch.until(1, DeliveryState::Assigned).await;
    control_plane
        .request_delivery(request(2, town.now_ms()))
        .await
        .unwrap();
    told.extend(watch.until(2, DeliveryState::Searching).await);

    crash_copy(before.path(), after.path());
    let second_life = Town::start_with(restarted).await;
    let mut watch = second_life.watch(0).await;
    for event in &told {
        assert_eq!(
            &watch.next().await,
            event,
            "events come again with their cursors"
        );
    }
    let mut control_plane = second_life.control_plane().await;
    let mut again = request(1, 0);
    again.placed_at_ms = town.now_ms();
    assert!(
        control_plane.request_delivery(again).await.is_err(),
        "it is known, with another content"
    );

    let first_again = second_life.driver_serving(1, corner(1, 1), &[1]).await;
    let mut second = second_life.driver(2, corner(2, 2)).await;
    let offered = second.offer().await;
    assert_eq!(
        offered.delivery_ids,
        [delivery(2)],
        "the other one has its driver"
    );
    second
        .link
        .answer(offered.offer_id, Answer::Accept)
        .await
        .unwrap();
    second.plan_of(&[2]).await;
    first_again
        .reach(1, MilestoneKind::PickedUp, second_life.now_ms())
        .await;
    first_again
        .reach(1, MilestoneKind::DroppedOff, second_life.now_ms())
        .await;
    let events = watch.until(1, DeliveryState::DroppedOff).await;
    assert!(
        events
            .iter()
            .all(|event| event.delivery_id != delivery(1) || event.driver_id == Some(1)),
        "{events:?}"
    );
    second_life.stop().await;
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_survives_the_restart_of_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (chain, key) = (
        folder.path().join("chain.pem"),
        folder.path().join("key.pem"),
    );
    fs::write(&chain, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let setup = Config {
        certificate: CertificateSource::Files { chain, key },
        ..with_journal(&folder.path().join("journal"))
    };

    let town = Town::start_with(setup.clone()).await;
    let mut driver = town.driver(1, corner(1, 1)).await;
    town.control_plane()
        .await
        .request_delivery(request(1, town.now_ms()))
        .await
        .unwrap();
    let offer = driver.offer().await.offer_id;
    let quic_listen: SocketAddr = town.server.quic_addr;
    town.server.shutdown().await.unwrap();
    driver
        .until("loss", |event| {
            matches!(event, LinkEvent::Down(_)).then_some(())
        })
        .await;

    // Said into the tunnel.
    driver.link.answer(offer, Answer::Accept).await.unwrap();
    let there = corner(1, 2);
    for second in 1..=100 {
        let time_ms = town.clock.now().as_millis() + second * 1_000;
        let fix = PingFix {
            time_ms,
            lat_e7: there.lat_e7(),
            lng_e7: there.lng_e7(),
        };
        driver.link.ping(fix, Motion::default()).unwrap();
    }
    assert_eq!(driver.link.pings_sent(), 0);

    let second_life = Town::start_with(Config {
        quic_listen,
        ..setup
    })
    .await;
    driver
        .until("welcome", |event| {
            matches!(event, LinkEvent::Up(_)).then_some(())
        })
        .await;
    // The offer was open when the connection went: the server has taken it back, told so, and asks anew.
    let refused = driver.refusal().await;
    assert_eq!(refused.what, "offer answer", "{}", refused.why);
    let offer = driver.offer().await;
    assert_eq!(offer.delivery_ids, [delivery(1)]);
    driver
        .link
        .answer(offer.offer_id, Answer::Accept)
        .await
        .unwrap();
    driver.plan_of(&[1]).await;
    assert_eq!(
        driver.link.pings_sent(),
        2,
        "a hundred fixes in two datagrams"
    );
    second_life.stop().await;
}
