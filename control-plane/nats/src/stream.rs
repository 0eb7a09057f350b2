//! The stream: made when it is missing, and given the subjects that it lacks.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{
    Context, CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind,
};
use async_nats::jetstream::stream::{Config, RetentionPolicy, StorageType};

use crate::JetStreamConfig;

/// Why the stream could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// It could not be looked at.
    #[error("the stream {stream} cannot be read: {source}")]
    Read {
        /// Its name.
        stream: String,
        /// What the client or the server said.
        source: GetStreamError,
    },
    /// It could not be made or changed.
    #[error("the stream {stream} cannot take {subjects}: {source}")]
    Write {
        /// Its name.
        stream: String,
        /// What it should take.
        subjects: String,
        /// What the client or the server said.
        source: CreateStreamError,
    },
}

impl StreamError {
    /// The server did not answer, so nothing is said about the stream.
    #[must_use]
    pub fn is_away(&self) -> bool {
        match self {
            Self::Read { source, .. } => source.kind() == GetStreamErrorKind::Request,
            Self::Write { source, .. } => matches!(
                source.kind(),
                CreateStreamErrorKind::TimedOut | CreateStreamErrorKind::Response
            ),
        }
    }
}

/// Makes the stream if it is missing; otherwise adds the subjects it lacks and leaves everything else as it is.
pub(crate) async fn open(context: &Context, config: &JetStreamConfig) -> Result<(), StreamError> {
    let found = match context.get_stream(&config.stream).await {
        Ok(stream) => Some(stream.cached_info().config.clone()),
        Err(error) if is_missing(&error) => None,
        Err(source) => {
            let stream = config.stream.clone();
            return Err(StreamError::Read { stream, source });
        }
    };
    let written = match found {
        None => context.create_stream(wanted(config)).await.map(drop),
        Some(mut found) => {
            let before = found.subjects.len();
            for subject in &config.subjects {
                if !found.subjects.contains(subject) {
                    found.subjects.push(subject.clone());
                }
            }
            if found.subjects.len() == before {
                return Ok(());
            }
            tracing::info!(stream = config.stream, subjects = ?found.subjects, "the stream gets the subjects it lacks");
            context.update_stream(found).await.map(drop)
        }
    };
    written.map_err(|source| StreamError::Write {
        stream: config.stream.clone(),
        subjects: config.subjects.join(", "),
        source,
    })
}

fn is_missing(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn wanted(config: &JetStreamConfig) -> Config {
    Config {
        name: config.stream.clone(),
        subjects: config.subjects.clone(),
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        max_age: config.keep,
        duplicate_window: config.duplicate_window,
        num_replicas: config.replicas,
        ..Config::default()
    }
}
