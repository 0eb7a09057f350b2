//! Something that is kept as long as an answer is being sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

struct Keeping<T> {
    inner: Body,
    _kept: T,
}

impl<T: Send + Unpin + 'static> HttpBody for Keeping<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Keeps a value until the body of the answer has been sent or given up.
pub(crate) fn until_the_end<T: Send + Unpin + 'static>(response: Response, kept: T) -> Response {
    response.map(|inner| Body::new(Keeping { inner, _kept: kept }))
}
