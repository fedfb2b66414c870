//! Named questions, asked as a client asks.

use super::{Reply, Server, request};
use crate::limits::Limits;
use axum::http::StatusCode;
use serde_json::{Value, json};

const CONTRACT: &str = "0x0000000000000000000000000000000000000001";

impl Server {
    async fn get_as(&mut self, path: &str, accept: &str) -> Reply {
        self.send(request("GET", path, &[("accept", accept)], "")).await
    }
}

#[tokio::test]
async fn every_query_is_listed_with_what_it_takes_and_gives() {
    let reply = Server::new(1, Limits::default()).get_as("/v1/queries", "*/*").await;
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, "application/json"));
    let listed: Value = serde_json::from_str(&reply.body).unwrap();
    let queries = listed["queries"].as_array().unwrap();
    assert_eq!(queries.len(), crate::named::catalogue().unwrap().len());
    let reach = queries.iter().find(|query| query["name"] == "recall-reach").unwrap();
    assert_eq!(
        reach["parameters"],
        json!([
            {"name": "gtin", "type": "gtin", "required": true, "default": null, "doc": "the product"},
            {"name": "lot", "type": "text", "required": false, "default": null, "doc": "the lot; all lots when left out"},
            {"name": "limit", "type": "integer", "required": false, "default": "1000",
                "doc": "rows at most; the answer says when there are more"},
        ])
    );
    assert_eq!(reach["columns"][0], json!({"name": "chain", "doc": "the chain that tells it"}));
    for key in ["title", "asks", "why", "sql"] {
        assert!(reach[key].as_str().is_some_and(|text| !text.is_empty()), "{key}");
    }
}

#[tokio::test]
async fn an_answer_is_a_document_or_what_accept_says() {
    let mut server = Server::new(3, Limits::default());
    let path = format!("/v1/queries/contract-activity?contract={CONTRACT}&since=");
    let reply = server.get_as(&path, "application/json").await;
    assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, "application/json"));
    assert!(reply.header("x-rxtrail-snapshot").starts_with("commit=7; "), "{:?}", reply.headers);
    let hash = format!("0x{:064x}", 9);
    let column = |name: &str, of: &str| json!({"name": name, "type": of});
    assert_eq!(
        serde_json::from_str::<Value>(&reply.body).unwrap(),
        json!({
            "snapshot": {"commit": 7, "chains": [
                {"chain": 1, "head": {"number": 4, "hash": hash}, "finalized": {"number": 2, "hash": hash}}
            ]},
            "columns": [
                column("chain", "integer"), column("day", "date"), column("kind", "text"),
                column("events", "integer"), column("items", "integer"), column("actors", "integer"),
                column("refused", "integer"),
            ],
            "rows": [[1, "1970-01-01", "kind-1", 1, 1, 1, 0]],
            "truncated": false,
        })
    );
    let csv = "chain,day,kind,events,items,actors,refused\n1,1970-01-01,kind-1,1,1,1,0\n";
    assert_eq!(server.get_as(&path, "text/csv").await.body, csv);
    let line = "{\"chain\":1,\"day\":\"1970-01-01\",\"kind\":\"kind-1\",\"events\":1,\"items\":1,\"actors\":1,\"refused\":0}\n";
    assert_eq!(server.get_as(&path, "application/x-ndjson").await.body, line);
    let parquet = server.get_as(&path, "application/vnd.apache.parquet").await.body;
    assert!(parquet.starts_with("PAR1") && parquet.ends_with("PAR1"));
}

#[tokio::test]
async fn a_document_says_whether_rows_were_cut_off_and_is_whole_without_any() {
    let mut server = Server::new(3, Limits::default());
    for (arguments, rows, truncated) in [
        ("&limit=0", json!([]), true),
        ("&since=1970-01-02", json!([]), false),
        ("&limit=1", json!([[1, "1970-01-01", "kind-1", 1, 1, 1, 0]]), false),
    ] {
        let reply = server
            .get_as(&format!("/v1/queries/contract-activity?contract={CONTRACT}{arguments}"), "*/*")
            .await;
        let document: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!((&document["rows"], &document["truncated"]), (&rows, &json!(truncated)), "{arguments}");
        assert_eq!(reply.header("x-rxtrail-truncated"), truncated.to_string());
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_a_problem_with_a_stable_code() {
    let mut server = Server::new(1, Limits::default());
    for (path, status, code) in [
        ("/v1/queries/nothing", 404, "not-found"),
        ("/v1/queries/contract-activty", 404, "not-found"),
        ("/v1/queries/contract-activity", 400, "parameters"),
        ("/v1/queries/contract-activity?contract=0x1", 400, "parameters"),
        ("/v1/queries/contract-activity?address=0x1", 400, "parameters"),
        ("/v1/queries/recall-reach?gtin=04012345111119", 400, "parameters"),
        ("/v1/queries/recall-reach?gtin=%FF", 400, "parameters"),
        ("/v1/queries/%FF", 400, "parameters"),
    ] {
        let reply = server.get_as(path, "*/*").await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (status, code), "{path}");
    }
    let reply = server.get_as("/v1/queries/open-cases", "image/png").await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (406, "accept"));
    let reply = server.send(request("POST", "/v1/queries/open-cases", &[], "")).await;
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (405, "method"));
}
