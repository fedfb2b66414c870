//! What a request asks, and in which format it wants the answer.

use super::problem::Problem;
use crate::format::Format;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    sql: String,
}

/// The statement in a body.
pub(super) fn statement(headers: &HeaderMap, body: &[u8]) -> Result<String, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let essence =
        content_type.map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    match essence.as_deref() {
        Some("application/json") => match serde_json::from_slice::<Statement>(body) {
            Ok(statement) => Ok(statement.sql),
            Err(error) => {
                let detail = format!("the body is not {{\"sql\": \"…\"}}: {error}");
                Err(Problem::of(StatusCode::BAD_REQUEST, "body", &detail))
            }
        },
        // What `curl --data` says unless told otherwise; its body is the text as it stands.
        None | Some("text/plain" | "application/sql" | "application/x-www-form-urlencoded") => {
            let text = std::str::from_utf8(body).map_err(|error| {
                Problem::of(StatusCode::BAD_REQUEST, "body", &format!("the body is not UTF-8: {error}"))
            })?;
            Ok(text.to_owned())
        }
        Some(other) => {
            let detail = format!("'{other}' is none of text/plain, application/sql, application/json");
            Err(Problem::of(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", &detail))
        }
    }
}

/// The format that `Accept` prefers; JSON when it does not say.
pub(super) fn format(headers: &HeaderMap) -> Result<Format, Problem> {
    let mut accepted = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        accepted.extend(value.to_str().unwrap_or_default().split(',').filter_map(range));
    }
    if accepted.is_empty() {
        return Ok(Format::Json);
    }
    let best = PREFERENCE.iter().map(|format| (*format, quality(&accepted, format.media_type())));
    // The first of equals: `max_by` would take the last.
    let best = best.fold(None, |best: Option<(Format, u32)>, (format, found)| match best {
        Some((_, quality)) if quality >= found => best,
        _ => Some((format, found)),
    });
    match best {
        Some((format, quality)) if quality > 0 => Ok(format),
        _ => {
            let known = PREFERENCE.map(Format::media_type).join(", ");
            Err(Problem::of(
                StatusCode::NOT_ACCEPTABLE,
                "accept",
                &format!("an answer can be one of {known}"),
            ))
        }
    }
}

/// What is given when several formats are as welcome: JSON to who takes anything.
const PREFERENCE: [Format; 5] = [Format::Json, Format::Ndjson, Format::Csv, Format::Parquet, Format::Table];

/// A media range and its quality in thousandths.
type Range = (String, u32);

fn range(text: &str) -> Option<Range> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().filter(|name| name.contains('/'))?.to_ascii_lowercase();
    let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let quality = quality.map_or(Some(1.0), |text| text.parse::<f32>().ok())?;
    // A share of 1 in thousandths: 0 to 1000 after the clamp.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some((name, (quality.clamp(0.0, 1.0) * 1000.0) as u32))
}

/// The quality that the most exact range gives to a media type (RFC 9110 §12.5.1).
fn quality(accepted: &[Range], media_type: &str) -> u32 {
    let family = media_type.split('/').next().unwrap_or_default();
    let of =
        |name: &str| accepted.iter().filter(|(range, _)| range == name).map(|(_, quality)| *quality).max();
    of(media_type).or_else(|| of(&format!("{family}/*"))).or_else(|| of("*/*")).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_range_decides_and_then_its_quality() {
        for (accept, expected) in [
            (None, Some(Format::Json)),
            (Some("*/*"), Some(Format::Json)),
            (Some("text/csv"), Some(Format::Csv)),
            (Some("text/*"), Some(Format::Csv)),
            (Some("text/plain, */*;q=0.1"), Some(Format::Table)),
            (Some("application/json;q=0.5, application/x-ndjson"), Some(Format::Ndjson)),
            (Some("application/*, application/json;q=0"), Some(Format::Ndjson)),
            (Some("application/vnd.apache.parquet"), Some(Format::Parquet)),
            (Some("text/html,application/xhtml+xml,*/*;q=0.8"), Some(Format::Json)),
            (Some("image/png"), None),
            (Some("application/json;q=0"), None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(format(&headers).ok(), expected, "{accept:?}");
        }
    }
}
