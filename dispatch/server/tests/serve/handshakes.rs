//! Connections that never come to a hello: they are bounded, and keep no driver out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use doorstep_dispatch_server::{Config, Limits};
use doorstep_dispatch_wire::version::ALPN;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, TransportConfig};
use rustls::RootCertStore;
use tokio::net::UdpSocket;

use crate::town::{Town, config, corner, soon};

/// Forwards what comes to a server, and throws its answers away: what a sender looks like who has made up the address.
async fn one_way(server: SocketAddr, forwarded: Arc<AtomicUsize>) -> SocketAddr {
    let (front, back) = (
        UdpSocket::bind("127.0.0.1:0").await.unwrap(),
        UdpSocket::bind("127.0.0.1:0").await.unwrap(),
    );
    let address = front.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 2_048];
        while let Ok((bytes, _)) = front.recv_from(&mut packet).await {
            back.send_to(&packet[..bytes], server).await.unwrap();
            forwarded.fetch_add(1, Ordering::Relaxed);
        }
    });
    address
}

/// A client that never gives up: what it takes stays taken for the whole test.
fn patient_client() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let mut client = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    let mut transport = TransportConfig::default();
    transport.max_idle_timeout(None);
    client.transport_config(Arc::new(transport));
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_from_nowhere_keep_no_driver_out() {
    let limits = Limits {
        handshakes_max: 4,
        hello_timeout: Duration::from_secs(3_600),
        idle_timeout: Duration::from_secs(3_600),
        ..Limits::default()
    };
    let town = Town::start_with(Config { limits, ..config() }).await;
    let forwarded = Arc::new(AtomicUsize::new(0));
    let nowhere = one_way(town.server.quic_addr, Arc::clone(&forwarded)).await;
    let attempts: Vec<_> = (0..20)
        .map(|_| {
            let endpoint = town.endpoint();
            let attempt = endpoint.connect_with(patient_client(), nowhere, "localhost");
            attempt.unwrap()
        })
        .collect();
    let all = async {
        while forwarded.load(Ordering::Relaxed) < attempts.len() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    soon("the packets", all).await;
    for driver in 1..=6 {
        town.driver(driver, corner(1, 1)).await;
    }
    drop(attempts);
    town.stop().await;
}
