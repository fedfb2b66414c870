//! What people look at, as JSON: each path asks one module of this crate about the newest moment.

use super::Service;
use super::problem::Problem;
use crate::cases::{self, Alert, Filter};
use crate::directory;
use crate::error::Error;
use crate::item;
use crate::lots;
use crate::moment::Moment;
use crate::overview;
use crate::verify::{self, Claim};
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Items or lots of a list when nobody says.
const LISTED: usize = 50;

/// The routes.
pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/v1/system", get(system))
        .route("/v1/rules", get(rules))
        .route("/v1/alerts", get(alerts))
        .route("/v1/alerts/{case}", get(case))
        .route("/v1/items", get(items))
        .route("/v1/items/{*key}", get(one_item))
        .route("/v1/verify", post(verify))
        .route("/v1/lots", get(lot_list))
        .route("/v1/lots/{gtin}/{lot}", get(lot))
        .route("/v1/parties", get(parties))
        .route("/v1/contracts", get(contracts))
}

type Answer = Result<Response, Problem>;
type Asked<T> = Result<Query<T>, QueryRejection>;

/// A text to look for, and how many to give.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    q: Option<String>,
    limit: Option<usize>,
}

fn parameters<T>(asked: Asked<T>) -> Result<T, Problem> {
    let refused = |rejection: QueryRejection| {
        Problem::of(StatusCode::BAD_REQUEST, "parameters", &rejection.body_text())
    };
    asked.map(|Query(parameters)| parameters).map_err(refused)
}

/// An answer as JSON that nobody keeps.
fn told(answer: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(answer).map_err(|error| Error::Output(error.to_string()))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, body).into_response())
}

fn not_found(detail: &str) -> Problem {
    Problem::of(StatusCode::NOT_FOUND, "not-found", detail)
}

#[derive(Serialize)]
struct System {
    #[serde(flatten)]
    overview: overview::Overview,
    /// May the process be given work? As `/ready` says.
    ready: bool,
}

async fn system(State(service): State<Arc<Service>>) -> Answer {
    let overview = overview::overview(&Moment::newest(&service.engine)).await?;
    let ready = service.health.missing().is_some_and(|missing| missing.is_empty());
    told(&System { overview, ready })
}

#[derive(Serialize)]
struct Rules<'a> {
    rules: &'a [super::Rule],
}

async fn rules(State(service): State<Arc<Service>>) -> Answer {
    told(&Rules { rules: &service.rules })
}

async fn alerts(State(service): State<Arc<Service>>, filter: Asked<Filter>) -> Answer {
    let filter = parameters(filter)?;
    let mut page = cases::page(&Moment::newest(&service.engine), &filter).await?;
    service.entitle(&mut page.alerts);
    told(&page)
}

#[derive(Serialize)]
struct WithRule<'a> {
    #[serde(flatten)]
    case: cases::Case,
    rule: Option<&'a super::Rule>,
}

async fn case(State(service): State<Arc<Service>>, Path(key): Path<String>) -> Answer {
    let case = cases::case(&Moment::newest(&service.engine), &key).await?;
    let mut case = case.ok_or_else(|| not_found("nobody was ever told of such a case"))?;
    service.entitle(std::iter::once(&mut case.alert).chain(&mut case.members));
    let rule = service.rules.iter().find(|rule| rule.code == case.alert.rule);
    told(&WithRule { case, rule })
}

#[derive(Serialize)]
struct Items {
    snapshot: crate::snapshot::SnapshotName,
    items: Vec<item::Found>,
}

async fn items(State(service): State<Arc<Service>>, look: Asked<Look>) -> Answer {
    let Look { q, limit } = parameters(look)?;
    let moment = Moment::newest(&service.engine);
    let items = item::search(&moment, &q.unwrap_or_default(), limit.unwrap_or(LISTED)).await?;
    told(&Items { snapshot: moment.name(), items })
}

/// The key stands in the path encoded as any segment is, so that what is encoded in the key itself is encoded twice;
/// its own slashes and colons may also stand as they are.
async fn one_item(State(service): State<Arc<Service>>, uri: axum::http::Uri) -> Answer {
    let key = uri.path().trim_start_matches("/v1/items/");
    let key = key.replace("%2F", "/").replace("%2f", "/").replace("%3A", ":").replace("%3a", ":");
    let key = key.replace("%25", "%");
    let found = item::item(&Moment::newest(&service.engine), &key).await?;
    let mut found = found.ok_or_else(|| not_found("nothing was told of such an item"))?;
    let flagged = found.pedigree.entries.iter_mut().flat_map(|entry| &mut entry.alerts);
    service.entitle(flagged.chain(&mut found.pedigree.other_alerts));
    told(&found)
}

async fn verify(State(service): State<Arc<Service>>, claim: Result<Json<Claim>, JsonRejection>) -> Answer {
    let refused = |rejection: JsonRejection| Problem::of(rejection.status(), "body", &rejection.body_text());
    let Json(claim) = claim.map_err(refused)?;
    let mut answer = verify::verify(&Moment::newest(&service.engine), &claim).await?;
    service.entitle(&mut answer.alerts);
    told(&answer)
}

async fn lot_list(State(service): State<Arc<Service>>, look: Asked<Look>) -> Answer {
    let Look { q, limit } = parameters(look)?;
    told(&lots::lots(&Moment::newest(&service.engine), q.as_deref(), limit.unwrap_or(LISTED)).await?)
}

async fn lot(State(service): State<Arc<Service>>, Path((gtin, lot)): Path<(String, String)>) -> Answer {
    let reach = lots::reach(&Moment::newest(&service.engine), &gtin, &lot).await?;
    let mut reach = reach.ok_or_else(|| not_found("neither chain nor registry knows such a lot"))?;
    service.entitle(&mut reach.alerts);
    told(&reach)
}

async fn parties(State(service): State<Arc<Service>>, look: Asked<Look>) -> Answer {
    let Look { q, .. } = parameters(look)?;
    told(&directory::parties(&Moment::newest(&service.engine), q.as_deref()).await?)
}

async fn contracts(State(service): State<Arc<Service>>) -> Answer {
    told(&directory::contracts(&Moment::newest(&service.engine)).await?)
}

impl Service {
    /// Gives cases the titles of their rules.
    fn entitle<'a>(&self, alerts: impl IntoIterator<Item = &'a mut Alert>) {
        for alert in alerts {
            let rule = self.rules.iter().find(|rule| rule.code == alert.rule);
            alert.title = rule.map(|rule| rule.title.clone());
        }
    }
}
