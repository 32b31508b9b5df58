//! A network between a store and its server that can be told to fail, at one byte or another.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

/// What is to happen, once.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// So many of its bytes reach the server, then the connection is cut.
    CutSent(usize),
    /// All of it reaches the server, so many bytes of the answer come back, then the connection is cut.
    CutAnswer(usize),
    /// The client's end is cut at once. What it sent stays under way, until it is [released](Proxy::release).
    Hold,
    /// The same, and nobody is told: the client's end stays open and silent.
    Freeze,
}

#[derive(Clone)]
pub(crate) struct Proxy {
    inner: Arc<Inner>,
    address: SocketAddr,
}

struct Inner {
    server: Mutex<SocketAddr>,
    faults: Mutex<Vec<Fault>>,
    held: Mutex<Vec<Held>>,
    /// Whether it happened.
    happened: Notify,
    /// Cuts every connection that there was when this was sent.
    cut: watch::Sender<()>,
}

/// What was sent and is still under way.
struct Held {
    bytes: Vec<u8>,
    upstream: TcpStream,
    /// The client's end, if it is to stay open.
    _client: Option<TcpStream>,
}

impl Proxy {
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inner = Inner {
            server: Mutex::new(server),
            faults: Mutex::default(),
            held: Mutex::default(),
            happened: Notify::new(),
            cut: watch::Sender::new(()),
        };
        let proxy = Self { inner: Arc::new(inner), address: listener.local_addr().unwrap() };
        let inner = Arc::clone(&proxy.inner);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let inner = Arc::clone(&inner);
                // Before it knows where to go, so that it cannot go where nobody leads any more.
                let cut = inner.cut.subscribe();
                tokio::spawn(async move {
                    let server = *inner.server.lock().unwrap();
                    if let Ok(upstream) = TcpStream::connect(server).await {
                        let _ = inner.carry(client, upstream, cut).await;
                    }
                });
            }
        });
        proxy
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.address)
    }

    /// Another server from now on; connections to the one before are cut.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        *self.inner.server.lock().unwrap() = server;
        self.cut_all();
    }

    /// The next statement that is sent meets with this; the one after it with the next.
    pub(crate) fn arm(&self, fault: Fault) {
        self.inner.faults.lock().unwrap().push(fault);
    }

    pub(crate) fn disarm(&self) -> usize {
        std::mem::take(&mut *self.inner.faults.lock().unwrap()).len()
    }

    /// Cuts all connections there are, at both ends. What the server has begun goes on.
    pub(crate) fn cut_all(&self) {
        self.inner.cut.send_replace(());
    }

    /// Delivers what is under way, oldest first, and waits until the server has answered each. Says how much it was.
    pub(crate) async fn release(&self) -> usize {
        let held = std::mem::take(&mut *self.inner.held.lock().unwrap());
        let count = held.len();
        for Held { bytes, mut upstream, .. } in held {
            upstream.write_all(&bytes).await.unwrap();
            let mut answer = [0; 8192];
            let read = upstream.read(&mut answer).await.unwrap();
            assert!(read > 0, "the server has answered");
        }
        count
    }

    /// Waits until a fault has happened.
    pub(crate) async fn happened(&self) {
        self.inner.happened.notified().await;
    }
}

impl Inner {
    async fn carry(
        &self,
        mut client: TcpStream,
        mut upstream: TcpStream,
        mut cut: watch::Receiver<()>,
    ) -> std::io::Result<()> {
        let (mut sent, mut answered) = (vec![0; 65536], vec![0; 65536]);
        // Of a fault that this connection has met: how much is left.
        let (mut sent_left, mut answer_left) = (None::<usize>, None::<usize>);
        loop {
            tokio::select! {
                _ = cut.changed() => return Ok(()),
                read = client.read(&mut sent) => {
                    let mut count = read?;
                    if count == 0 {
                        return Ok(());
                    }
                    // Not what connects or prepares: what carries a statement out, which begins with `Bind`.
                    let is_statement = sent[0] == b'B';
                    let next = if is_statement { self.faults.lock().unwrap().pop() } else { None };
                    match next {
                        Some(Fault::CutSent(left)) => sent_left = Some(left),
                        Some(Fault::CutAnswer(left)) => answer_left = Some(left),
                        Some(fault @ (Fault::Hold | Fault::Freeze)) => {
                            let client = matches!(fault, Fault::Freeze).then_some(client);
                            let bytes = sent[..count].to_vec();
                            self.held.lock().unwrap().push(Held { bytes, upstream, _client: client });
                            self.happened.notify_one();
                            return Ok(());
                        }
                        None => {}
                    }
                    let is_cut = sent_left.is_some_and(|left| left <= count);
                    if let Some(left) = &mut sent_left {
                        count = count.min(*left);
                        *left -= count;
                    }
                    upstream.write_all(&sent[..count]).await?;
                    if is_cut {
                        self.happened.notify_one();
                        return Ok(());
                    }
                }
                read = upstream.read(&mut answered) => {
                    let mut count = read?;
                    if count == 0 {
                        return Ok(());
                    }
                    let is_cut = answer_left.is_some_and(|left| left <= count);
                    if let Some(left) = &mut answer_left {
                        count = count.min(*left);
                        *left -= count;
                    }
                    client.write_all(&answered[..count]).await?;
                    if is_cut {
                        self.happened.notify_one();
                        return Ok(());
                    }
                }
            }
        }
    }
}
