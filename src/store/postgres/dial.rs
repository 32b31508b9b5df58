//! Makes connections to the server, each with a task that reads from it.
//!
//! The task hears what the server says beside its answers. A warning counts: it is how the server says that it has stopped
//! waiting for a standby. A warning is counted before the answer that follows it is handed on, since one task reads both in
//! the order in which they come.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use deadpool_postgres::{ClientWrapper, PoolError};
use tokio::task::JoinHandle;
use tokio_postgres::error::Severity;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Error, Socket};

use super::failure::Failure;
use super::options::Password;

/// Connects to one address.
pub(super) struct Dialer {
    config: Config,
    /// Asked for each connection, where the password is not in the URL for good.
    password: Option<Password>,
    connect: Box<Connect>,
}

/// A connection of the store.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) client: ClientWrapper,
    warnings: Arc<AtomicU64>,
}

/// What becomes of what the server says beside its answers.
pub(super) type Hear = Box<dyn Fn(AsyncMessage) + Send>;

type Connect = dyn Fn(Config, Hear) -> Connecting + Send + Sync;
type Connecting = Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send>>;

impl Dialer {
    pub(super) fn new<T>(config: Config, password: Option<Password>, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + Sync,
        T::TlsConnect: Send + Sync,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let connect = move |config: Config, hear: Hear| -> Connecting {
            let tls = tls.clone();
            Box::pin(async move {
                let (client, mut connection) = config.connect(tls).await?;
                let reading = tokio::spawn(async move {
                    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
                        match message {
                            Ok(message) => hear(message),
                            Err(error) => {
                                tracing::debug!(%error, "a connection to PostgreSQL broke");
                                return;
                            }
                        }
                    }
                });
                Ok((client, reading))
            })
        };
        Self { config, password, connect: Box::new(connect) }
    }

    /// A connection whose warnings are counted.
    pub(super) async fn connection(&self) -> Result<Connection, Failure> {
        let warnings = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&warnings);
        let count = move |message| {
            if is_warning(&message) {
                counted.fetch_add(1, Ordering::Release);
            }
        };
        let (client, reading) = self.dial(Box::new(count)).await?;
        Ok(Connection { client: ClientWrapper::new(client, reading), warnings })
    }

    /// A connection, and the task that reads from it, which ends with the client.
    pub(super) async fn dial(&self, hear: Hear) -> Result<(Client, JoinHandle<()>), Failure> {
        let mut config = self.config.clone();
        if let Some(password) = &self.password {
            config.password(password.ask().await.map_err(Failure::Password)?);
        }
        let connected = (self.connect)(config, hear).await;
        connected.map_err(|error| Failure::Connecting(Box::new(PoolError::Backend(error))))
    }
}

impl Connection {
    /// How often the server has warned so far.
    pub(super) fn warnings(&self) -> u64 {
        self.warnings.load(Ordering::Acquire)
    }
}

/// The severity is told in a field that is not translated; an engine that leaves it out still gives the class of the code.
fn is_warning(message: &AsyncMessage) -> bool {
    match message {
        AsyncMessage::Notice(notice) => {
            notice.parsed_severity() == Some(Severity::Warning) || notice.code().code().starts_with("01")
        }
        _ => false,
    }
}
