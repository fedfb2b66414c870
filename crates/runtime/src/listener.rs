//! Connections in bounds: so many at once, and none that is silent for long.

use axum::serve::Listener;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// A TCP listener for [`axum::serve`] that accepts no more than so many connections at once; the others wait in
/// the system's queue.
#[derive(Debug)]
pub struct BoundedListener {
    listener: TcpListener,
    connections: Arc<Semaphore>,
    idle: Duration,
}

/// A connection that counts, and that ends with an error once nothing was read or written for as long as may be.
#[derive(Debug)]
pub struct BoundedStream {
    stream: TcpStream,
    idle: Duration,
    deadline: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl BoundedListener {
    /// At most `connections_max` at once, each silent for at most `idle`.
    pub fn new(listener: TcpListener, connections_max: usize, idle: Duration) -> Self {
        Self { listener, connections: Arc::new(Semaphore::new(connections_max)), idle }
    }
}

impl Listener for BoundedListener {
    type Io = BoundedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (BoundedStream, SocketAddr) {
        // The semaphore is never closed: only this listener has it.
        let Ok(place) = self.connections.clone().acquire_owned().await else { std::future::pending().await };
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let deadline = Box::pin(sleep(self.idle));
        (BoundedStream { stream, idle: self.idle, deadline, _place: place }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl BoundedStream {
    /// Ends a wait that took too long, and begins the next one after something moved.
    fn watch<T>(&mut self, context: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            let deadline = Instant::now() + self.idle;
            self.deadline.as_mut().reset(deadline);
            return poll;
        }
        ready!(self.deadline.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for BoundedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.watch(context, poll)
    }
}

impl AsyncWrite for BoundedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, poll)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::BoundedListener;
    use axum::serve::Listener;
    use std::io::ErrorKind;
    use std::task::{Context, Waker};
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    async fn bound(connections_max: usize, idle: Duration) -> (BoundedListener, std::net::SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (BoundedListener::new(listener, connections_max, idle), address)
    }

    #[tokio::test]
    async fn a_connection_too_many_waits_until_another_ends() {
        let (mut listener, address) = bound(1, Duration::from_secs(600)).await;
        let mut clients =
            [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        let (mut first, _) = listener.accept().await;
        clients[0].write_all(b"one").await.unwrap();
        let mut bytes = [0; 3];
        first.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"one");
        {
            let mut waiting = Box::pin(listener.accept());
            assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        drop(first);
        let (mut second, _) = listener.accept().await;
        second.write_all(b"two").await.unwrap();
        clients[1].read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"two");
    }

    #[tokio::test]
    async fn a_silent_connection_ends() {
        let (mut listener, address) = bound(1, Duration::ZERO).await;
        let _silent = TcpStream::connect(address).await.unwrap();
        let (mut accepted, _) = listener.accept().await;
        let error = accepted.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
