//! What a driver's app may send: any bytes give frames, fixes and tokens, or an error.
#![no_main]

use doorstep_dispatch_wire::codec::{FrameDecoder, encode_frame};
use doorstep_dispatch_wire::driver::client_frame::Body;
use doorstep_dispatch_wire::driver::{ClientFrame, Ping};
use doorstep_dispatch_wire::ping::decode_fixes;
use doorstep_dispatch_wire::token::{Audience, TokenKey};
use libfuzzer_sys::fuzz_target;
use prost::Message as _;

fuzz_target!(|bytes: &[u8]| {
    let mut fixes = Vec::new();
    if let Ok(ping) = Ping::decode(bytes) {
        // Whether it is refused is its own affair.
        let _ = decode_fixes(&ping, &mut fixes);
    }
    let key = TokenKey::from_bytes(&[7; 32]).expect("32 bytes");
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(
            key.verify(text, Audience::Driver, 0).is_err(),
            "nobody signed {text:?}"
        );
    }
    // In two pieces, as a stream brings it.
    let mut decoder = FrameDecoder::new();
    for piece in [&bytes[..bytes.len() / 2], &bytes[bytes.len() / 2..]] {
        if decoder.push(piece).is_err() {
            return;
        }
        while let Ok(Some(frame)) = decoder.try_next::<ClientFrame>() {
            if let Some(Body::Hello(hello)) = &frame.body {
                let _ = key.verify(&hello.token, Audience::Driver, 0);
            }
            let mut again = Vec::new();
            encode_frame(&frame, &mut again).expect("a frame that was read can be written");
        }
    }
});
