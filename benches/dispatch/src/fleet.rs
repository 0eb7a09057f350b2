//! The drivers of a measured server: connections of each kind that ping.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use doorstep_dispatch_wire::driver::LatLng as DriverAt;
use doorstep_dispatch_wire::ping::encode_fixes;
use doorstep_dispatch_wire::token::{Audience, Claims};
use doorstep_dispatch_wire::version::ALPN;
use doorstep_driver_client::{
    Config as LinkConfig, DriverLink, LinkEvent, LinkEvents, Motion, PingFix, client_endpoint,
};
use prost::Message;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, Endpoint};
use rustls::RootCertStore;
use rustls::client::Resumption;
use tokio::time::{sleep, timeout};

use crate::child::Server;
use crate::servers::{S2N_PING_BYTES, key, s2n_limits, transport};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// Drivers behind one socket here. Phones have one each; that changes nothing for the server.
const DRIVERS_A_SOCKET: usize = 1_000;
const CONNECT_MAX: Duration = Duration::from_secs(20);
const MOTION: Motion = Motion {
    speed_mm_s: 8_000,
    heading_cdeg: 9_000,
};

/// How drivers connect.
#[derive(Clone, Copy)]
pub(crate) struct Arrival {
    /// Number of the first of them.
    pub(crate) first: u64,
    pub(crate) drivers: usize,
    /// Handshakes under way at a time.
    pub(crate) at_once: usize,
    /// Whether they come back with a ticket of the connection before.
    pub(crate) resumes: bool,
}

/// Drivers who are connected.
pub(crate) enum Fleet {
    Ours(Vec<(DriverLink, LinkEvents)>),
    Quinn(Vec<Connection>),
    S2n {
        _client: s2n_quic::Client,
        drivers: Vec<(s2n_quic::Connection, s2n_quic::stream::SendStream)>,
    },
    Udp(Vec<UdpSocket>),
    Mqtt(Vec<TcpStream>),
}

impl Fleet {
    pub(crate) async fn ours(server: &Server, arrival: Arrival) -> Result<Self> {
        let resuming = |_| client_endpoint(ANY, &[&server.certificate]);
        let sockets = 0..arrival.drivers.div_ceil(DRIVERS_A_SOCKET);
        let endpoints: Vec<Endpoint> = if arrival.resumes {
            sockets.map(resuming).collect::<Result<_, _>>()?
        } else {
            let anew = |_| endpoint(&server.certificate, &[ALPN], false);
            sockets.map(anew).collect::<Result<_>>()?
        };
        let (mut links, key) = (Vec::new(), key()?);
        while links.len() < arrival.drivers {
            let first = links.len();
            for driver in first..arrival.drivers.min(first + arrival.at_once) {
                let token = key.sign(&Claims {
                    audience: Audience::Driver,
                    subject: (arrival.first + u64::try_from(driver)?).to_string(),
                    expires_at_ms: u64::MAX,
                });
                let endpoint = &endpoints[driver / DRIVERS_A_SOCKET];
                let config = LinkConfig::new(server.address, token);
                links.push(doorstep_driver_client::connect(endpoint, config));
            }
            for (_, events) in &mut links[first..] {
                let event = timeout(CONNECT_MAX, events.recv()).await?;
                let is_up = matches!(event, Some(LinkEvent::Up(_)));
                ensure!(is_up, "no welcome but {event:?}");
            }
        }
        Ok(Self::Ours(links))
    }

    pub(crate) async fn quinn(server: &Server, arrival: Arrival) -> Result<Self> {
        let sockets = 0..arrival.drivers.div_ceil(DRIVERS_A_SOCKET);
        let one = |_| endpoint(&server.certificate, &[], arrival.resumes);
        let endpoints: Vec<Endpoint> = sockets.map(one).collect::<Result<_>>()?;
        let mut connections = Vec::new();
        while connections.len() < arrival.drivers {
            let first = connections.len();
            let last = arrival.drivers.min(first + arrival.at_once);
            let begun: Vec<_> = (first..last)
                .map(|at| endpoints[at / DRIVERS_A_SOCKET].connect(server.address, "localhost"))
                .collect::<Result<_, _>>()?;
            for connecting in begun {
                connections.push(timeout(CONNECT_MAX, connecting).await??);
            }
        }
        Ok(Self::Quinn(connections))
    }

    pub(crate) async fn s2n(server: &Server, arrival: Arrival) -> Result<Self> {
        let chain = std::str::from_utf8(&server.certificate)?;
        let client = s2n_quic::Client::builder()
            .with_tls(chain)?
            .with_limits(s2n_limits()?)?
            .with_io(ANY)?
            .start()?;
        let mut drivers = Vec::new();
        while drivers.len() < arrival.drivers {
            let count = (arrival.drivers - drivers.len()).min(arrival.at_once);
            let begun: Vec<_> = (0..count)
                .map(|_| {
                    let to = s2n_quic::client::Connect::new(server.address);
                    tokio::spawn(client.connect(to.with_server_name("localhost")))
                })
                .collect();
            for connecting in begun {
                let mut connection = timeout(CONNECT_MAX, connecting).await???;
                let stream = connection.open_send_stream().await?;
                drivers.push((connection, stream));
            }
        }
        Ok(Self::S2n {
            _client: client,
            drivers,
        })
    }

    pub(crate) fn udp(server: &Server, sockets: usize) -> Result<Self> {
        let one = |_| {
            let socket = UdpSocket::bind(ANY)?;
            socket.connect(server.address)?;
            anyhow::Ok(socket)
        };
        Ok(Self::Udp((0..sockets).map(one).collect::<Result<_>>()?))
    }

    pub(crate) fn mqtt(broker: SocketAddr, drivers: usize) -> Result<Self> {
        let one = |driver| mqtt_client(broker, &format!("driver-{driver}"));
        Ok(Self::Mqtt((0..drivers).map(one).collect::<Result<_>>()?))
    }

    /// Everybody begins to work; only our drivers have to say so.
    pub(crate) async fn on_duty(&self, places: &[[i32; 2]]) -> Result<()> {
        let Self::Ours(links) = self else {
            return Ok(());
        };
        for (driver, (link, _)) in links.iter().enumerate() {
            let [lat_e7, lng_e7] = places[driver % places.len()];
            link.on_duty(DriverAt { lat_e7, lng_e7 }, None).await?;
        }
        Ok(())
    }

    fn len(&self) -> usize {
        match self {
            Self::Ours(links) => links.len(),
            Self::Quinn(connections) => connections.len(),
            Self::S2n { drivers, .. } => drivers.len(),
            Self::Udp(sockets) => sockets.len(),
            Self::Mqtt(streams) => streams.len(),
        }
    }

    /// Pings for a while, driver after driver; returns how many pings that were.
    pub(crate) async fn drive(
        &mut self,
        places: &[[i32; 2]],
        per_s: u32,
        span: Duration,
        seq: &mut u64,
    ) -> Result<u64> {
        let (begin, mut sent) = (Instant::now(), 0_u64);
        while begin.elapsed() < span {
            let due = begin.elapsed().as_millis() * u128::from(per_s) / 1_000;
            while u128::from(sent) < due {
                let driver = usize::try_from(*seq)? % self.len();
                *seq += 1;
                sent += 1;
                self.ping(driver, *seq, places[driver % places.len()])
                    .await?;
            }
            sleep(Duration::from_millis(1)).await;
        }
        Ok(sent)
    }

    /// Some metres from the driver's place.
    async fn ping(&mut self, driver: usize, seq: u64, place: [i32; 2]) -> Result<()> {
        let step = i32::try_from(seq / 5_000 % 100)? * 200;
        let fix = PingFix {
            time_ms: u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?,
            lat_e7: place[0] + step,
            lng_e7: place[1],
        };
        if let Self::Ours(links) = self {
            return Ok(links[driver].0.ping(fix, MOTION)?);
        }
        let mut ping = encode_fixes(seq, &[fix], MOTION)?.encode_to_vec();
        match self {
            Self::Ours(_) => {}
            Self::Quinn(connections) => connections[driver].send_datagram(ping.into())?,
            Self::S2n { drivers, .. } => {
                ensure!(ping.len() <= S2N_PING_BYTES, "{} bytes", ping.len());
                ping.resize(S2N_PING_BYTES, 0);
                drivers[driver].1.send(ping.into()).await?;
            }
            // The kernel's buffer is full: lost, as on the way.
            Self::Udp(sockets) => drop(sockets[driver].send(&ping)),
            Self::Mqtt(streams) => {
                let topic = format!("p/{driver:06}");
                let length = u8::try_from(2 + topic.len() + ping.len())?;
                let mut packet = vec![0x30, length, 0, u8::try_from(topic.len())?];
                packet.extend(topic.as_bytes());
                packet.append(&mut ping);
                streams[driver].write_all(&packet)?;
            }
        }
        Ok(())
    }
}

/// An endpoint whose connections trust one certificate, and use tickets or do not.
fn endpoint(certificate: &[u8], protocols: &[&[u8]], resumes: bool) -> Result<Endpoint> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.to_vec().into())?;
    let mut tls = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    if !resumes {
        tls.resumption = Resumption::disabled();
    }
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    let mut transport = transport();
    transport.keep_alive_interval(Some(Duration::from_secs(5)));
    config.transport_config(Arc::new(transport));
    let mut endpoint = Endpoint::client(ANY)?;
    endpoint.set_default_client_config(config);
    Ok(endpoint)
}

/// A connection to an MQTT 3.1.1 broker.
pub(crate) fn mqtt_client(broker: SocketAddr, id: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(broker)?;
    stream.set_nodelay(true)?;
    let length = u8::try_from(id.len())?;
    let mut packet = vec![0x10, 12 + length, 0, 4];
    packet.extend(b"MQTT\x04\x02\0\0\0");
    packet.push(length);
    packet.extend(id.as_bytes());
    stream.write_all(&packet)?;
    let mut answer = [0_u8; 4];
    stream.read_exact(&mut answer)?;
    ensure!(answer == [0x20, 2, 0, 0], "the broker says {answer:?}");
    Ok(stream)
}

/// Hears all pings; calls `heard` with the bytes of each read until the broker has gone.
pub(crate) fn mqtt_subscriber(
    broker: SocketAddr,
    mut heard: impl FnMut(&[u8]) + Send + 'static,
) -> Result<()> {
    let mut stream = mqtt_client(broker, "subscriber")?;
    stream.write_all(b"\x82\x08\0\x01\0\x03p/#\0")?;
    let mut answer = [0_u8; 5];
    stream.read_exact(&mut answer).context("no subscription")?;
    std::thread::spawn(move || {
        let mut bytes = vec![0_u8; 1 << 18];
        while let Ok(length @ 1..) = stream.read(&mut bytes) {
            heard(&bytes[..length]);
        }
    });
    Ok(())
}
