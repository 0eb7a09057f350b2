//! Counts the gRPC calls by method and status code.

use std::pin::Pin;
use std::task::{Context, Poll};

use tonic::Code;
use tonic::codegen::http::{Request, Response};
use tower::{Layer, Service};

use crate::metrics;

/// The methods of the service, as paths end; others are counted together.
const METHODS: &[&str] = &[
    "RequestDelivery",
    "ChangeReadyTime",
    "CancelDelivery",
    "Quote",
    "WatchDeliveries",
    "DeliveriesHead",
    "Drivers",
    "Explain",
    "Status",
    "PreviewAssignment",
    "AssignDelivery",
    "Trip",
];

/// Puts [`CountCalls`] around a service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountCallsLayer;

impl<S> Layer<S> for CountCallsLayer {
    type Service = CountCalls<S>;

    fn layer(&self, inner: S) -> CountCalls<S> {
        CountCalls { inner }
    }
}

/// Counts what a service answers.
#[derive(Debug, Clone)]
pub(crate) struct CountCalls<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for CountCalls<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let method = method(request.uri().path());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            if let Ok(response) = &answer {
                // An error comes with the headers; an answer that has begun well ends its status behind the body.
                let code = response.headers().get("grpc-status");
                let code = code.map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes()));
                metrics::rpc_call(method, code_name(code));
            }
            answer
        })
    }
}

fn method(path: &str) -> &'static str {
    let last = path.rsplit('/').next().unwrap_or_default();
    let known = METHODS.iter().find(|method| **method == last);
    known.copied().unwrap_or("other")
}

fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::{METHODS, method};

    #[test]
    fn every_method_of_the_service_has_its_own_label() {
        let service = include_str!("../../wire/proto/dispatch.proto");
        let methods = service
            .lines()
            .filter_map(|line| line.trim().strip_prefix("rpc "));
        let mut names: Vec<&str> = methods
            .map(|line| line.split('(').next().unwrap())
            .collect();
        let mut listed = METHODS.to_vec();
        names.sort_unstable();
        listed.sort_unstable();
        assert_eq!(names, listed);
        assert_eq!(method("/doorstep.dispatch.v1.Dispatch/Quote"), "Quote");
        assert_eq!(method("/whatever"), "other");
    }
}
