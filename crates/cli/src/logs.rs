//! Starts the logs, once what must not come through is known.

use crate::args::Common;
use crate::config::Settings;
use crate::error::{Error, Result};
use std::io::stderr;
use url::Url;

/// A path of fewer characters is no key: masking `/rpc` would hide half of every line.
const KEY_CHARS: usize = 12;

/// Starts the logs of a command. With `settings`, no endpoint's key comes through.
///
/// # Errors
/// When the filter cannot be read.
pub(crate) fn start(common: &Common, settings: Option<&Settings>) -> Result<()> {
    let format = common.log_format.parse().map_err(Error::Request)?;
    let endpoints =
        settings.iter().flat_map(|settings| &settings.chains).flat_map(|chain| &chain.ingest.endpoints);
    let urls = endpoints.flat_map(|endpoint| std::iter::once(&endpoint.url).chain(&endpoint.websocket));
    let options = runtime::logs::Options {
        filter: common.log.clone(),
        format,
        has_colours: common.color.is_on(&stderr()),
        secrets: urls.flat_map(secrets).collect(),
    };
    match runtime::logs::start(&options) {
        Err(runtime::Error::LogsStarted) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What of an endpoint's address may be a key: its path, its query, its user.
fn secrets(url: &Url) -> Vec<String> {
    let path = Some(url.path()).filter(|path| path.len() > KEY_CHARS);
    let user = Some(url.username()).filter(|user| !user.is_empty());
    [path, url.query(), url.password(), user].into_iter().flatten().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_may_be_a_key_is_masked() {
        let of = |text: &str| secrets(&Url::parse(text).unwrap());
        assert_eq!(of("https://node.example/v2/0123456789abcdef"), ["/v2/0123456789abcdef"]);
        assert_eq!(of("https://me:word@node.example/?key=1"), ["key=1", "word", "me"]);
        assert_eq!(of("http://127.0.0.1:8545/rpc"), Vec::<String>::new());
    }
}
