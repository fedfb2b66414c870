//! A WebSocket client of the few frames that the tests need (RFC 6455).

use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

pub(crate) struct Socket(BufStream<TcpStream>);

impl Socket {
    /// Connects and upgrades.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let mut stream = BufStream::new(TcpStream::connect(address).await.unwrap());
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        // The answer to the sample key of RFC 6455 §1.3.
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        Self(stream)
    }

    /// Calls a method and waits for its answer.
    pub(crate) async fn call(&mut self, method: &str, params: Value) -> Value {
        self.send(&json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }).to_string())
            .await;
        let answer = self.next().await;
        assert_eq!(answer["id"], 7, "{answer}");
        answer
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Value {
        let text = self.frame().await;
        serde_json::from_slice(&text).unwrap()
    }

    /// The results of the next notices of subscriptions, each with its subscription.
    pub(crate) async fn notices(&mut self, count: usize) -> Vec<(Value, Value)> {
        let mut notices = Vec::new();
        for _ in 0..count {
            let mut notice = self.next().await;
            assert_eq!(notice["method"], "eth_subscription", "{notice}");
            notices.push((notice["params"]["subscription"].take(), notice["params"]["result"].take()));
        }
        notices
    }

    async fn send(&mut self, text: &str) {
        let length = u16::try_from(text.len()).unwrap();
        let mask = [1, 2, 3, 4];
        let mut frame = vec![0x81, 0x80 | 126];
        frame.extend(length.to_be_bytes());
        frame.extend(mask);
        frame.extend(text.bytes().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.0.write_all(&frame).await.unwrap();
        self.0.flush().await.unwrap();
    }

    async fn frame(&mut self) -> Vec<u8> {
        assert_eq!(self.0.read_u8().await.unwrap(), 0x81, "one whole text frame");
        let length = match self.0.read_u8().await.unwrap() {
            126 => u64::from(self.0.read_u16().await.unwrap()),
            127 => self.0.read_u64().await.unwrap(),
            short => u64::from(short),
        };
        let mut text = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut text).await.unwrap();
        text
    }
}
