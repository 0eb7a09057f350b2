//! The version of the driver protocol and the codes with which a connection is closed.

use std::fmt;

/// The application protocol agreed on in the TLS handshake; it changes only when not even
/// the hello could be understood, so that an app with an old [`PROTOCOL`] is told so.
pub const ALPN: &[u8] = b"doorstep-driver/1";

/// The number in `Hello.protocol`; a server refuses numbers that it does not know.
pub const PROTOCOL: u32 = 2;

/// Why a QUIC connection of the driver protocol was closed: the application error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// The app has ended the session.
    Done,
    /// The server stops; connect again, perhaps to another one.
    ShuttingDown,
    /// The token is missing, wrong or expired. A new one is needed.
    BadToken,
    /// Bytes that do not follow the protocol.
    BadFrame,
    /// A protocol number that the server does not speak.
    UnknownProtocol,
    /// No valid Hello in time.
    HelloLate,
    /// The same driver has connected again; this connection is the old one.
    Replaced,
    /// More frames a second than allowed.
    TooFast,
    /// The app does not read what it is sent.
    TooSlow,
}

impl CloseCode {
    const ALL: [Self; 9] = [
        Self::Done,
        Self::ShuttingDown,
        Self::BadToken,
        Self::BadFrame,
        Self::UnknownProtocol,
        Self::HelloLate,
        Self::Replaced,
        Self::TooFast,
        Self::TooSlow,
    ];

    /// The number on the wire. Numbers are never given a second meaning.
    pub fn number(self) -> u32 {
        match self {
            Self::Done => 0,
            Self::ShuttingDown => 1,
            Self::BadToken => 2,
            Self::BadFrame => 3,
            Self::UnknownProtocol => 4,
            Self::HelloLate => 5,
            Self::Replaced => 6,
            Self::TooFast => 7,
            Self::TooSlow => 8,
        }
    }

    /// The code for a number from the wire; `None` for one that this version does not know.
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|code| u64::from(code.number()) == number)
    }

    /// Whether connecting again with the same token and app can work.
    pub fn may_reconnect(self) -> bool {
        match self {
            Self::ShuttingDown | Self::HelloLate | Self::TooFast | Self::TooSlow => true,
            Self::Done
            | Self::BadToken
            | Self::BadFrame
            | Self::UnknownProtocol
            | Self::Replaced => false,
        }
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::ShuttingDown => "the server is shutting down",
            Self::BadToken => "the token is not valid",
            Self::BadFrame => "the bytes do not follow the protocol",
            Self::UnknownProtocol => "the protocol version is not known",
            Self::HelloLate => "no hello in time",
            Self::Replaced => "the driver has connected again",
            Self::TooFast => "too many frames a second",
            Self::TooSlow => "the app does not read what it is sent",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::CloseCode;

    #[test]
    fn every_code_survives_the_wire() {
        for code in CloseCode::ALL {
            assert_eq!(CloseCode::from_number(u64::from(code.number())), Some(code));
        }
        assert_eq!(CloseCode::from_number(4_000_000_000), None);
    }
}
