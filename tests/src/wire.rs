//! A wire between two processes that can be cut: bytes go through it, or every connection breaks and none is made.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A wire.
#[derive(Debug)]
pub(crate) struct Wire {
    address: SocketAddr,
    is_whole: watch::Sender<bool>,
    end: Arc<Mutex<Option<String>>>,
    task: JoinHandle<()>,
}

impl Wire {
    /// A wire of which one end is known; the other is named by [`Wire::lead_to`].
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (is_whole, end) = (watch::Sender::new(true), Arc::<Mutex<Option<String>>>::default());
        let task = tokio::spawn(carry(listener, is_whole.subscribe(), Arc::clone(&end)));
        Self { address, is_whole, end, task }
    }

    /// The end that is known.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Names the other end.
    pub(crate) fn lead_to(&self, address: &str) {
        *self.end.lock().expect("nobody panics with it") = Some(address.to_owned());
    }

    /// Breaks every connection; none is made until the wire is mended.
    pub(crate) fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    /// Connections can be made again.
    pub(crate) fn mend(&self) {
        self.is_whole.send_replace(true);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(listener: TcpListener, is_whole: watch::Receiver<bool>, end: Arc<Mutex<Option<String>>>) {
    while let Ok((near, _)) = listener.accept().await {
        let end = end.lock().expect("nobody panics with it").clone();
        let (Some(end), true) = (end, *is_whole.borrow()) else { continue };
        let mut is_whole = is_whole.clone();
        tokio::spawn(async move {
            let Ok(far) = TcpStream::connect(end).await else { return };
            let (mut near, mut far) = (near, far);
            tokio::select! {
                // A connection that breaks is what it is here for.
                _ = copy_bidirectional(&mut near, &mut far) => {}
                _ = is_whole.wait_for(|whole| !whole) => {}
            }
        });
    }
}
