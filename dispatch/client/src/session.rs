//! One connection: the hello, then frames both ways until it ends.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use doorstep_dispatch_wire::codec::{FRAME_BYTES_MAX, FrameDecoder, encode_frame};
use doorstep_dispatch_wire::driver::client_frame::Body as ClientBody;
use doorstep_dispatch_wire::driver::server_frame::Body as ServerBody;
use doorstep_dispatch_wire::driver::{ClientFrame, Hello, OfferReceipt, ServerFrame, Welcome};
use doorstep_dispatch_wire::version::{CloseCode, PROTOCOL};
use quinn::{Connection, ConnectionError, Endpoint, RecvStream, SendStream, VarInt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::config::Config;
use crate::link::{LinkCommand, LinkEvent, Wanted};
use crate::pings::Pings;

/// How long the end of a session waits for the server to take the last frames.
const GOODBYE_MAX: Duration = Duration::from_secs(1);

/// Why a connection was lost or could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The reason the server gave, if it closed the connection and the code is known.
    pub code: Option<CloseCode>,
    /// For a log.
    pub why: String,
}

impl Loss {
    fn new(why: impl fmt::Display) -> Self {
        Self {
            code: None,
            why: why.to_string(),
        }
    }

    /// What the connection itself knows says more than the stream that broke with it.
    fn of(connection: &Connection, why: impl fmt::Display) -> Self {
        connection
            .close_reason()
            .map_or_else(|| Self::new(why), Self::from)
    }
}

impl From<ConnectionError> for Loss {
    fn from(error: ConnectionError) -> Self {
        let code = match &error {
            ConnectionError::ApplicationClosed(close) => {
                CloseCode::from_number(close.error_code.into_inner())
            }
            _ => None,
        };
        Self {
            code,
            why: error.to_string(),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// How a session came to its end.
pub(crate) enum Ended {
    /// The app has dropped its handle or its events.
    ByApp,
    Lost(Loss),
}

/// A welcomed connection.
pub(crate) struct Session {
    connection: Connection,
    send: SendStream,
    recv: RecvStream,
    decoder: FrameDecoder,
    write_timeout: Duration,
    buffer: Vec<u8>,
}

impl Session {
    /// Connects, says hello and waits for the welcome.
    pub(crate) async fn open(endpoint: Endpoint, config: Config) -> Result<(Self, Welcome), Loss> {
        let limit = config.handshake_timeout;
        let late = |_| Loss::new(format_args!("no welcome within {limit:?}"));
        timeout(limit, Self::open_unbounded(endpoint, config))
            .await
            .map_err(late)?
    }

    async fn open_unbounded(endpoint: Endpoint, config: Config) -> Result<(Self, Welcome), Loss> {
        let connecting = endpoint
            .connect(config.server, &config.server_name)
            .map_err(Loss::new)?;
        let connection = connecting.await?;
        if connection.max_datagram_size().is_none() {
            return Err(Loss::new("the server takes no datagrams"));
        }
        let (send, recv) = connection.open_bi().await?;
        let decoder = FrameDecoder::new();
        let mut session = Self {
            connection,
            send,
            recv,
            decoder,
            write_timeout: config.write_timeout,
            buffer: Vec::new(),
        };
        let hello = Hello {
            protocol: PROTOCOL,
            token: config.token,
            device: config.device,
        };
        session
            .write(&[ClientFrame {
                number: 0,
                body: Some(ClientBody::Hello(hello)),
            }])
            .await?;
        loop {
            match session.read().await?.body {
                Some(ServerBody::Welcome(welcome)) => return Ok((session, welcome)),
                Some(_) => return Err(Loss::new("the server sent a frame before its welcome")),
                None => {}
            }
        }
    }

    /// Sends what the server must know, then carries frames both ways.
    pub(crate) async fn serve(
        &mut self,
        wanted: &mut Wanted,
        commands: &mut mpsc::Receiver<LinkCommand>,
        events: &mpsc::Sender<LinkEvent>,
        pings: &Arc<Pings>,
    ) -> Ended {
        if let Err(loss) = self
            .write(&wanted.frames_to_resume(pings.last_position()))
            .await
        {
            return Ended::Lost(loss);
        }
        pings.attach(self.connection.clone());
        loop {
            let step = tokio::select! {
                frame = self.read() => match frame {
                    Ok(frame) => self.handle_frame(frame, wanted, events).await,
                    Err(loss) => Err(Ended::Lost(loss)),
                },
                command = commands.recv(), if wanted.has_room() => match command {
                    Some(command) => self.write(&[wanted.note(command)]).await.map_err(Ended::Lost),
                    None => Err(self.say_goodbye().await),
                },
            };
            if let Err(ended) = step {
                return ended;
            }
        }
    }

    /// Lets the server read what was written before the connection closes.
    async fn say_goodbye(&mut self) -> Ended {
        if self.send.finish().is_ok() {
            // A server that does not answer in time misses the last words.
            let _ = timeout(GOODBYE_MAX, self.send.stopped()).await;
        }
        Ended::ByApp
    }

    async fn handle_frame(
        &mut self,
        frame: ServerFrame,
        wanted: &mut Wanted,
        events: &mpsc::Sender<LinkEvent>,
    ) -> Result<(), Ended> {
        let event = match frame.body {
            Some(ServerBody::Offer(offer)) => {
                let receipt = OfferReceipt {
                    offer_id: offer.offer_id,
                };
                let receipt = ClientFrame {
                    number: 0,
                    body: Some(ClientBody::OfferReceipt(receipt)),
                };
                self.write(&[receipt]).await.map_err(Ended::Lost)?;
                LinkEvent::Offer(offer)
            }
            Some(ServerBody::Acknowledged(acknowledged)) => {
                wanted.acknowledge(acknowledged.number);
                return Ok(());
            }
            Some(ServerBody::Welcome(welcome)) => LinkEvent::Up(welcome),
            Some(ServerBody::Cadence(cadence)) => LinkEvent::Cadence(cadence),
            Some(ServerBody::OfferRevoked(revoked)) => LinkEvent::OfferRevoked(revoked),
            Some(ServerBody::Plan(plan)) => LinkEvent::Plan(plan),
            Some(ServerBody::Refused(refused)) => LinkEvent::Refused(refused),
            Some(ServerBody::Advice(advice)) => LinkEvent::Advice(advice),
            // A frame of a newer server that this version does not know.
            None => return Ok(()),
        };
        events.send(event).await.map_err(|_| Ended::ByApp)
    }

    /// The next frame. Cancelling it loses nothing: bytes read stay in the decoder.
    async fn read(&mut self) -> Result<ServerFrame, Loss> {
        loop {
            if let Some(frame) = self.decoder.try_next().map_err(Loss::new)? {
                return Ok(frame);
            }
            let chunk = self.recv.read_chunk(FRAME_BYTES_MAX, true).await;
            let chunk = chunk.map_err(|error| Loss::of(&self.connection, error))?;
            let chunk = chunk
                .ok_or_else(|| Loss::of(&self.connection, "the server has ended the stream"))?;
            self.decoder.push(&chunk.bytes).map_err(Loss::new)?;
        }
    }

    async fn write(&mut self, frames: &[ClientFrame]) -> Result<(), Loss> {
        self.buffer.clear();
        for frame in frames {
            encode_frame(frame, &mut self.buffer).map_err(Loss::new)?;
        }
        match timeout(self.write_timeout, self.send.write_all(&self.buffer)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Loss::of(&self.connection, error)),
            Err(_) => Err(Loss::new(format_args!(
                "the server reads nothing for {:?}",
                self.write_timeout
            ))),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection
            .close(VarInt::from_u32(CloseCode::Done.number()), b"");
    }
}
