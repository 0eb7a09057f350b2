//! What connected drivers cost the server: pings, idle connections, handshakes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use doorstep_bench_harness::rows::{Peer as Figure, Row, Unit, Wanted};
use doorstep_routing::{NodeId, SplitMix64};
use tokio::runtime::Runtime;
use tokio::time::sleep;

use crate::child::{Server, cpu_s, memory_mib};
use crate::debian;
use crate::fleet::{Arrival, Fleet, mqtt_subscriber};
use crate::servers;

pub(crate) const ABOUT: &str = "Server and drivers are processes of their own on one machine of two cores, over loopback; only the server's CPU time and \
    memory count. `ping-cpu`: 5,000 connected drivers send one fix a ping, 20,000 pings a second together, for ten seconds after two of warming up; the CPU \
    time is divided by the pings that arrived. Ours is the whole dispatch server with its journal: each fix is decoded, checked and written to the index. \
    quinn is a server that decodes each datagram and drops it, s2n-quic the same on a stream a driver, raw UDP the same on a bare socket; Mosquitto hands \
    each ping on to one subscriber. Wanted is the smaller of 1.2 times Mosquitto and 0.4 times quinn in the same run. `idle-memory`: what 2,000 more drivers \
    add to the server's resident memory. `handshake-cpu`: 1,000 drivers connect one after another; ours includes the token and the welcome. With tickets \
    (`resumed`) ours shall take at most 0.65 of a full one, and the peer is quinn.";

const DRIVERS: usize = 5_000;
const PINGS_PER_S: u32 = 20_000;
const WARM_UP: Duration = Duration::from_secs(2);
const SPAN: Duration = Duration::from_secs(10);
const IDLE_DRIVERS: usize = 2_000;
const HANDSHAKES: usize = 1_000;
/// A run that loses more than this share of its pings has measured something else.
const LOST_MAX: f64 = 0.1;
/// Sockets of raw UDP; more change nothing for the server.
const UDP_SOCKETS: usize = 64;

/// Where drivers are: junctions of the city.
pub(crate) fn places() -> Result<Vec<[i32; 2]>> {
    let router = servers::router()?;
    let (network, mut random) = (router.network(), SplitMix64::new(11));
    let place = |_| {
        let node = NodeId::from_index(random.below(network.node_count()));
        let at = network.node_at(node);
        [at.lat_e7(), at.lng_e7()]
    };
    Ok((0..DRIVERS).map(place).collect())
}

pub(crate) fn rows() -> Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut rows = vec![ping_row(&runtime)?, memory_row(&runtime)?];
    rows.extend(handshake_rows(&runtime)?);
    Ok(rows)
}

fn ping_row(runtime: &Runtime) -> Result<Row> {
    let places = places()?;
    let arrival = arrival(DRIVERS, 32);
    let ours = runtime.block_on(async {
        let mut server = Server::start("ours")?;
        let fleet = Fleet::ours(&server, arrival).await?;
        ping_cpu("ours", fleet, server.pid(), &places, || server.taken()).await
    });
    let mosquitto = mosquitto(runtime, &places);
    let quinn = runtime.block_on(async {
        let mut server = Server::start("quinn")?;
        let fleet = Fleet::quinn(&server, arrival).await?;
        ping_cpu("quinn", fleet, server.pid(), &places, || server.taken()).await
    });
    let s2n = runtime.block_on(async {
        let mut server = Server::start("s2n-quic")?;
        let fleet = Fleet::s2n(&server, arrival).await?;
        ping_cpu("s2n-quic", fleet, server.pid(), &places, || server.taken()).await
    });
    let udp = runtime.block_on(async {
        let mut server = Server::start("udp")?;
        let fleet = Fleet::udp(&server, UDP_SOCKETS)?;
        ping_cpu("raw UDP", fleet, server.pid(), &places, || server.taken()).await
    });
    // Without a peer its half of what is wanted cannot be met.
    let times = |share: f64, peer: &Result<f64>| peer.as_ref().map_or(0.0, |one| share * one);
    let most = times(1.2, &mosquitto).min(times(0.4, &quinn));
    let peer = |name: &str, figure: Result<f64>| Figure {
        name: name.into(),
        figure: figure.map_err(|why| format!("absent, {why}")),
    };
    Ok(Row {
        name: "ping-cpu".into(),
        unit: Unit::Micros,
        ours: ours.map_err(|why| why.to_string()),
        wanted: Wanted::AtMost(most),
        peers: vec![
            peer("Mosquitto, one subscriber", mosquitto),
            peer("quinn 0.11", quinn),
            peer("s2n-quic 1, a stream each", s2n),
            peer("raw UDP", udp),
        ],
    })
}

fn mosquitto(runtime: &Runtime, places: &[[i32; 2]]) -> Result<f64> {
    let broker = debian::Peer::mosquitto()?;
    let heard = Arc::new(AtomicU64::new(0));
    let fleet = Fleet::mqtt(broker.address, DRIVERS)?;
    let (counted, mut topic) = (Arc::clone(&heard), 0_usize);
    // Topics are of one length and nothing else holds "p/0": counting their ends counts pings.
    mqtt_subscriber(broker.address, move |bytes| {
        for &byte in bytes {
            topic = match (topic, byte) {
                (0, b'p') => 1,
                (1, b'/') => 2,
                (2, b'0') => {
                    counted.fetch_add(1, Ordering::Relaxed);
                    0
                }
                _ => 0,
            };
        }
    })?;
    let taken = || Ok(heard.load(Ordering::Relaxed));
    runtime.block_on(ping_cpu("Mosquitto", fleet, broker.pid(), places, taken))
}

/// CPU seconds of a server for a ping.
async fn ping_cpu(
    name: &str,
    mut fleet: Fleet,
    pid: u32,
    places: &[[i32; 2]],
    mut taken: impl FnMut() -> Result<u64>,
) -> Result<f64> {
    fleet.on_duty(places).await?;
    let mut seq = 0;
    fleet.drive(places, PINGS_PER_S, WARM_UP, &mut seq).await?;
    sleep(Duration::from_millis(300)).await;
    let (cpu, before) = (cpu_s(pid)?, taken()?);
    let sent = fleet.drive(places, PINGS_PER_S, SPAN, &mut seq).await?;
    sleep(Duration::from_millis(300)).await;
    let (cpu, arrived) = (cpu_s(pid)? - cpu, taken()? - before);
    #[expect(clippy::cast_precision_loss, reason = "some hundred thousands")]
    let (sent, arrived) = (sent as f64, arrived as f64);
    let (lost, a_ping) = (1.0 - arrived / sent, cpu / arrived);
    println!(
        "{name}: {sent} pings in {} s, {:.2} % lost, {:.2} µs each",
        SPAN.as_secs(),
        100.0 * lost,
        1e6 * a_ping
    );
    ensure!(lost < LOST_MAX, "{:.0} % of the pings lost", 100.0 * lost);
    Ok(a_ping)
}

fn memory_row(runtime: &Runtime) -> Result<Row> {
    let places = places()?;
    let few = arrival(100, 10);
    let many = Arrival {
        first: 10_000,
        ..arrival(IDLE_DRIVERS, 32)
    };
    let mut figures = Vec::new();
    for kind in ["ours", "quinn", "s2n-quic"] {
        let mib = runtime.block_on(async {
            let server = Server::start(kind)?;
            let first = connect(kind, &server, few).await?;
            first.on_duty(&places).await?;
            sleep(Duration::from_secs(1)).await;
            let before = memory_mib(&server.pid().to_string(), "VmRSS")?;
            let fleet = connect(kind, &server, many).await?;
            fleet.on_duty(&places).await?;
            sleep(Duration::from_secs(2)).await;
            let after = memory_mib(&server.pid().to_string(), "VmRSS")?;
            drop((first, fleet));
            anyhow::Ok(after - before)
        })?;
        #[expect(clippy::cast_precision_loss, reason = "two thousand")]
        let kib = 1024.0 * mib / IDLE_DRIVERS as f64;
        println!("{kind}: {kib:.1} KiB a connected driver");
        figures.push(kib / 1024.0);
    }
    Ok(Row {
        name: "idle-memory".into(),
        unit: Unit::Kibibytes,
        ours: Ok(figures[0]),
        peers: vec![
            Figure::new("quinn 0.11", figures[1]),
            Figure::new("s2n-quic 1", figures[2]),
        ],
        wanted: Wanted::AtMost(20.0 / 1024.0),
    })
}

fn handshake_rows(runtime: &Runtime) -> Result<Vec<Row>> {
    let cpu = |kind: &str, resumes: bool| -> Result<f64> {
        let one = |first, drivers| Arrival {
            first,
            drivers,
            at_once: 1,
            resumes,
        };
        let each = runtime.block_on(async {
            let server = Server::start(kind)?;
            let first = connect(kind, &server, one(1, 20)).await?;
            let before = cpu_s(server.pid())?;
            let fleet = connect(kind, &server, one(10_000, HANDSHAKES)).await?;
            sleep(Duration::from_millis(200)).await;
            let after = cpu_s(server.pid())?;
            drop((first, fleet));
            #[expect(clippy::cast_precision_loss, reason = "a thousand")]
            anyhow::Ok((after - before) / HANDSHAKES as f64)
        })?;
        let how = if resumes { "resumed" } else { "full" };
        println!("{kind}: {:.0} µs a {how} handshake", 1e6 * each);
        Ok(each)
    };
    let full = [
        cpu("ours", false)?,
        cpu("quinn", false)?,
        cpu("s2n-quic", false)?,
    ];
    let resumed = [cpu("ours", true)?, cpu("quinn", true)?];
    let row = |name: &str, ours: f64, peers: Vec<Figure>, most: f64| Row {
        name: name.into(),
        unit: Unit::Micros,
        ours: Ok(ours),
        peers,
        wanted: Wanted::AtMost(most),
    };
    let peers = vec![
        Figure::new("quinn 0.11", full[1]),
        Figure::new("s2n-quic 1", full[2]),
    ];
    Ok(vec![
        row("handshake-cpu", full[0], peers, 150e-6),
        row(
            "handshake-cpu-resumed",
            resumed[0],
            vec![Figure::new("quinn 0.11", resumed[1])],
            0.65 * full[0],
        ),
    ])
}

const fn arrival(drivers: usize, at_once: usize) -> Arrival {
    Arrival {
        first: 1,
        drivers,
        at_once,
        resumes: false,
    }
}

async fn connect(kind: &str, server: &Server, arrival: Arrival) -> Result<Fleet> {
    match kind {
        "ours" => Fleet::ours(server, arrival).await,
        "quinn" => Fleet::quinn(server, arrival).await,
        _ => Fleet::s2n(server, arrival).await,
    }
}
