//! Who may ask: whoever knows that this is a loopback address and says so.
//!
//! A web page in a browser on this machine can make it send requests here. Two ways are closed: a name of the page
//! that is made to lead to 127.0.0.1 (DNS rebinding) is in `Host`, and a plain cross-site request names its page in
//! `Origin` or says `cross-site` in `Sec-Fetch-Site`.

use super::problem::Problem;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::net::IpAddr;

/// Lets requests through that come from this machine on purpose.
pub(super) async fn only(request: Request, next: Next) -> Response {
    match check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn check(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let Some(host) = text(header::HOST).filter(|host| is_loopback(host)) else {
        return Err(refused("host", "the Host header must name a loopback address or localhost"));
    };
    let same_page = |origin: &str| origin.strip_prefix("http://").is_some_and(|page| page == host);
    if text(header::ORIGIN).is_some_and(|origin| !same_page(origin)) {
        return Err(refused("origin", "a page of another origin may not ask here"));
    }
    let from = headers.get("sec-fetch-site").map(|value| value.to_str().unwrap_or_default());
    match from {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => Err(refused("origin", "a page of another site may not ask here")),
    }
}

fn refused(code: &'static str, detail: &str) -> Problem {
    Problem::of(StatusCode::FORBIDDEN, code, detail)
}

/// Is this a loopback address or `localhost`, with or without a port?
fn is_loopback(host: &str) -> bool {
    let without_port = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    // Only an address of version 6 has colons, and then brackets.
    let bare = without_port.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match bare {
        Some(bare) => bare.parse::<std::net::Ipv6Addr>().is_ok_and(|address| address.is_loopback()),
        None => {
            without_port.eq_ignore_ascii_case("localhost")
                || without_port
                    .parse::<IpAddr>()
                    .is_ok_and(|address| address.is_ipv4() && address.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1",
            "127.0.0.1:7474",
            "127.8.9.10:1",
            "[::1]",
            "[::1]:80",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:7474",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "10.0.0.1:80",
            "[::2]:80",
            "::1",
            "[::1",
            "0.0.0.0:80",
            "127.0.0.1:80:90",
            "localhost:x",
            "user@localhost",
            "[::ffff:127.0.0.1]:80",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
