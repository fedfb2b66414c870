//! The page and its files.

use super::{Server, request};
use crate::limits::Limits;
use axum::http::StatusCode;

#[tokio::test]
async fn a_path_of_the_page_is_the_page_and_loads_nothing_from_elsewhere() {
    let mut server = Server::new(0, Limits::default());
    let page = server.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
    for path in ["/alerts", "/items/01%2F04012345111118%2F21%2FA", "/lots/04012345111118/L.1"] {
        assert_eq!(server.get(path).await.body, page.body, "{path}");
    }
    let tag = page.header("etag").to_owned();
    let again = server.send(request("GET", "/alerts", &[("if-none-match", &tag)], "")).await;
    assert_eq!((again.status, again.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
}

#[tokio::test]
async fn what_the_page_names_is_there_and_never_changes() {
    let mut server = Server::new(0, Limits::default());
    let page = server.get("/").await.body;
    let named = page.split('"').filter(|text| text.starts_with("/assets/"));
    let named: Vec<String> = named.map(str::to_owned).collect();
    assert!(named.iter().any(|path| path.ends_with(".js")), "{page}");
    for path in named {
        let asset = server.get(&path).await;
        assert_eq!(asset.status, StatusCode::OK, "{path}");
        assert!(asset.header("cache-control").contains("immutable"), "{path}");
        assert_ne!(asset.header("content-type"), "application/octet-stream", "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_and_not_the_page() {
    let mut server = Server::new(0, Limits::default());
    for (method, path) in
        [("GET", "/assets/old.js"), ("GET", "/v1/nothing"), ("GET", "/v1"), ("POST", "/alerts")]
    {
        let reply = server.send(request(method, path, &[], "")).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::NOT_FOUND, "path"), "{method} {path}");
    }
}
