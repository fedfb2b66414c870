//! The web page: its built files, kept in the binary, so that nothing is loaded from elsewhere.
//!
//! A path of the page that is no file is the page itself, which shows the view of that name; an asset that is not
//! there is an error, so that an old page never takes another's text for its script.

use super::problem::Problem;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

/// The files that `npm run build` made of `dashboards/web`.
#[derive(RustEmbed)]
#[folder = "../../dashboards/web/dist"]
struct Files;

/// The page itself.
const INDEX: &str = "index.html";

/// Only our own scripts and styles, nothing within the text of the page, no frames around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'";

/// The names of assets carry their hash: they never change.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// The page and its files; a problem for every other path.
pub(super) async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let of_api = path == "v1" || path.starts_with("v1/");
    if of_api || !matches!(method, Method::GET | Method::HEAD) {
        return nothing_there().into_response();
    }
    match Files::get(path) {
        Some(file) => answer(path, &file, &headers),
        None if path.starts_with("assets/") => nothing_there().into_response(),
        None => match Files::get(INDEX) {
            Some(file) => answer(INDEX, &file, &headers),
            None => nothing_there().into_response(),
        },
    }
}

fn nothing_there() -> Problem {
    let detail = "there is nothing at this path: the page is at /, questions go to /v1/…, the process is at \
                  /metrics, /health and /ready";
    Problem::of(StatusCode::NOT_FOUND, "path", detail)
}

fn answer(path: &str, file: &EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", hex::encode(file.metadata.sha256_hash()));
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = match is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => file.data.clone().into_response(),
    };
    let is_asset = path.starts_with("assets/");
    let said = [
        (header::CONTENT_TYPE, media_type(path)),
        (header::CACHE_CONTROL, if is_asset { FOREVER } else { "no-cache" }),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let headers = response.headers_mut();
    for (name, value) in said {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" | "webmanifest" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
