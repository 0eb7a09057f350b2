//! Frames on a stream: a varint length, then one message; the decoder takes bytes as they come and holds a bounded number.

use prost::Message;
use thiserror::Error;

/// The longest message in a frame, in bytes.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// The most bytes of a length that can still be in range: three groups of seven bits.
const LENGTH_BYTES_MAX: usize = 3;

/// What a decoder holds at most: one whole frame and one that has begun.
const BUFFERED_BYTES_MAX: usize = 2 * (FRAME_BYTES_MAX + LENGTH_BYTES_MAX);

/// Why bytes are not frames.
#[derive(Debug, Error)]
pub enum CodecError {
    /// The length announced or needed is over [`FRAME_BYTES_MAX`].
    #[error("a frame of {length} bytes is longer than {FRAME_BYTES_MAX}")]
    FrameTooLong {
        /// Bytes of the message.
        length: usize,
    },
    /// The length itself goes on for more bytes than a valid one has.
    #[error("the length of a frame takes more than {LENGTH_BYTES_MAX} bytes")]
    LengthTooLong,
    /// More bytes were pushed than are held without taking frames out.
    #[error("{buffered} bytes wait to be decoded, at most {BUFFERED_BYTES_MAX} may")]
    BufferFull {
        /// Bytes that would have been held.
        buffered: usize,
    },
    /// The frame is not a message of the expected kind.
    #[error("a frame of {length} bytes is not a message: {source}")]
    Message {
        /// Bytes of the message.
        length: usize,
        /// What the protobuf decoder met.
        source: prost::DecodeError,
    },
}

/// Appends `message` as one frame.
///
/// # Errors
/// [`CodecError::FrameTooLong`]; nothing is appended then.
pub fn encode_frame<M: Message>(message: &M, out: &mut Vec<u8>) -> Result<(), CodecError> {
    let length = message.encoded_len();
    if length > FRAME_BYTES_MAX {
        return Err(CodecError::FrameTooLong { length });
    }
    out.extend_from_slice(&message.encode_length_delimited_to_vec());
    Ok(())
}

/// Cuts a stream of bytes into messages. It allocates for bytes that have come, never for a length that was announced.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    buffer: Vec<u8>,
    /// Bytes at the front of `buffer` that are decoded already.
    taken: usize,
}

impl FrameDecoder {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes from the stream. Take all frames out between two pushes.
    ///
    /// # Errors
    /// [`CodecError::BufferFull`] when frames are not taken out.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        let buffered = self.buffer.len() + bytes.len();
        if buffered > BUFFERED_BYTES_MAX {
            return Err(CodecError::BufferFull { buffered });
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole message, or `None` until more bytes are pushed. After an error the stream is of no more use.
    ///
    /// # Errors
    /// A length out of range, or bytes that are not an `M`.
    pub fn try_next<M: Message + Default>(&mut self) -> Result<Option<M>, CodecError> {
        let waiting = &self.buffer[self.taken..];
        let Some((length, length_bytes)) = try_length(waiting)? else {
            return Ok(None);
        };
        let Some(body) = waiting.get(length_bytes..length_bytes + length) else {
            return Ok(None);
        };
        let message = M::decode(body).map_err(|source| CodecError::Message { length, source })?;
        self.taken += length_bytes + length;
        Ok(Some(message))
    }
}

/// The length at the front and the bytes it takes, `None` if it is not whole yet.
fn try_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, CodecError> {
    let mut length = 0_usize;
    for (index, byte) in bytes.iter().take(LENGTH_BYTES_MAX).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            if length > FRAME_BYTES_MAX {
                return Err(CodecError::FrameTooLong { length });
            }
            return Ok(Some((length, index + 1)));
        }
    }
    if bytes.len() >= LENGTH_BYTES_MAX {
        Err(CodecError::LengthTooLong)
    } else {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{BUFFERED_BYTES_MAX, CodecError, FRAME_BYTES_MAX, FrameDecoder, encode_frame};
    use crate::driver::{ClientFrame, Hello, OfferReceipt, client_frame::Body};

    fn hello(token: String) -> ClientFrame {
        ClientFrame {
            number: 0,
            body: Some(Body::Hello(Hello {
                protocol: 1,
                token,
                device: String::new(),
            })),
        }
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_at_both_ends() {
        let mut out = Vec::new();
        let sent = encode_frame(&hello("x".repeat(FRAME_BYTES_MAX)), &mut out);
        assert!(matches!(sent, Err(CodecError::FrameTooLong { .. })));
        assert!(out.is_empty());

        let mut decoder = FrameDecoder::new();
        decoder.push(&[0x81, 0x80, 0x04]).unwrap();
        let read = decoder.try_next::<ClientFrame>();
        assert!(
            matches!(read, Err(CodecError::FrameTooLong { length }) if length == FRAME_BYTES_MAX + 1)
        );
    }

    #[test]
    fn a_length_without_end_is_refused_after_three_bytes() {
        let mut decoder = FrameDecoder::new();
        decoder.push(&[0xff, 0xff]).unwrap();
        assert!(decoder.try_next::<ClientFrame>().unwrap().is_none());
        decoder.push(&[0xff]).unwrap();
        assert!(matches!(
            decoder.try_next::<ClientFrame>(),
            Err(CodecError::LengthTooLong)
        ));
    }

    #[test]
    fn bytes_that_nobody_takes_out_are_bounded() {
        let mut decoder = FrameDecoder::new();
        let chunk = [0_u8; 1024];
        let refused =
            (0..).find_map(|count: usize| decoder.push(&chunk).err().map(|error| (count, error)));
        let (count, error) = refused.unwrap();
        assert_eq!(count, BUFFERED_BYTES_MAX / 1024);
        assert!(matches!(error, CodecError::BufferFull { .. }));
    }

    proptest! {
        #[test]
        fn frames_survive_any_cutting_of_the_stream(
            ids in vec(any::<u64>(), 0..20),
            token in ".{0,300}",
            cut in 1_usize..40,
        ) {
            let mut frames: Vec<ClientFrame> = ids
                .into_iter()
                .map(|offer_id| ClientFrame { number: offer_id, body: Some(Body::OfferReceipt(OfferReceipt { offer_id })) })
                .collect();
            frames.push(hello(token));
            let mut bytes = Vec::new();
            for frame in &frames {
                encode_frame(frame, &mut bytes).unwrap();
            }
            let mut decoder = FrameDecoder::new();
            let mut decoded = Vec::new();
            for chunk in bytes.chunks(cut) {
                decoder.push(chunk).unwrap();
                while let Some(frame) = decoder.try_next::<ClientFrame>().unwrap() {
                    decoded.push(frame);
                }
            }
            prop_assert_eq!(decoded, frames);
        }

        #[test]
        fn random_bytes_never_panic_nor_grow_the_buffer(chunks in vec(vec(any::<u8>(), 0..400), 0..20)) {
            let mut decoder = FrameDecoder::new();
            'stream: for chunk in chunks {
                if decoder.push(&chunk).is_err() {
                    break;
                }
                loop {
                    match decoder.try_next::<ClientFrame>() {
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(_) => break 'stream,
                    }
                }
                prop_assert!(decoder.buffer.capacity() <= 2 * BUFFERED_BYTES_MAX);
            }
        }
    }
}
