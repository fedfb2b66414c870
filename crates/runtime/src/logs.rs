//! Logs on standard error: text to a terminal, JSON otherwise, and no registered secret in either.

use crate::error::{Error, Result};
use std::io::{self, IsTerminal, Write};
use std::str::FromStr;
use std::sync::Arc;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// What a secret is replaced by.
const MASK: &str = "***";

/// How lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// Text to a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One object a line, for machines.
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("'{text}' is none of auto, text, json")),
        }
    }
}

/// How to log.
#[derive(Clone, Default)]
pub struct Options {
    /// What is logged: a level, or `target=level` pairs, as in `info,ingest=debug`.
    pub filter: String,
    /// How lines look.
    pub format: Format,
    /// Colours, when lines are text.
    pub has_colours: bool,
    /// Texts that must not come through, whoever logs them: keys, passwords, addresses that hold a key.
    pub secrets: Vec<String>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("filter", &self.filter)
            .field("format", &self.format)
            .field("has_colours", &self.has_colours)
            .field("secrets", &self.secrets.len())
            .finish()
    }
}

/// Starts logging, once in a process.
///
/// # Errors
/// [`Error::Filter`] when the filter cannot be read, [`Error::LogsStarted`] at the second call.
pub fn start(options: &Options) -> Result<()> {
    let subscriber = subscriber(options, io::stderr().is_terminal(), io::stderr)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| Error::LogsStarted)
}

type AnySubscriber = Box<dyn Subscriber + Send + Sync>;

fn subscriber<W>(options: &Options, is_terminal: bool, writer: W) -> Result<AnySubscriber>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder()
        .parse(&options.filter)
        .map_err(|error| Error::Filter { filter: options.filter.clone(), detail: error.to_string() })?;
    let writer = Masked { writer, secrets: forms(&options.secrets) };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false);
    let is_text = match options.format {
        Format::Auto => is_terminal,
        Format::Text => true,
        Format::Json => false,
    };
    Ok(if is_text {
        Box::new(lines.with_ansi(is_terminal && options.has_colours).finish())
    } else {
        Box::new(lines.json().flatten_event(true).finish())
    })
}

/// Every form in which a line may show a secret: as it is, and escaped within quotes. Longest first, so that a
/// secret that holds another goes as a whole.
fn forms(secrets: &[String]) -> Arc<[String]> {
    let mut forms = Vec::new();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let json = serde_json::Value::from(secret.as_str()).to_string();
        let debug = format!("{secret:?}");
        forms.extend([json, debug].map(|quoted| quoted[1..quoted.len() - 1].to_owned()));
        forms.push(secret.clone());
    }
    forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    forms.dedup();
    forms.into()
}

/// A writer that lets no secret through. Each line comes to it in one piece.
struct Masked<W> {
    writer: W,
    secrets: Arc<[String]>,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Masked<W> {
    type Writer = Masked<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Masked { writer: self.writer.make_writer(), secrets: self.secrets.clone() }
    }
}

impl<W: Write> Write for Masked<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut text = String::from_utf8_lossy(line);
        for secret in self.secrets.iter() {
            if text.contains(secret) {
                text = text.replace(secret, MASK).into();
            }
        }
        self.writer.write_all(text.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, Options, subscriber};
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What `work` logs, without the time at the beginning of each line.
    fn logged(options: &Options, is_terminal: bool, work: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = subscriber(options, is_terminal, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, work);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn options(filter: &str, secrets: &[&str]) -> Options {
        let secrets = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        Options { filter: filter.into(), secrets, ..Options::default() }
    }

    #[test]
    fn people_get_text_and_machines_get_json() {
        let log = || tracing::info!(block = 7, "appended");
        let text = logged(&options("info", &[]), true, log);
        assert!(text.ends_with(" INFO runtime::logs::tests: appended block=7\n"), "{text}");
        let json = logged(&options("info", &[]), false, log);
        let mut json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let time = json.as_object_mut().unwrap().remove("timestamp").unwrap();
        assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
        let expected = r#"{"block":7,"level":"INFO","message":"appended","target":"runtime::logs::tests"}"#;
        assert_eq!(json.to_string(), expected);
        let forced = Options { format: Format::Text, ..options("info", &[]) };
        assert!(logged(&forced, false, log).ends_with("appended block=7\n"));
    }

    #[test]
    fn the_filter_chooses_by_target_and_level() {
        let log = || {
            tracing::debug!("quiet");
            tracing::debug!(target: "ingest", "loud");
            tracing::warn!("heard");
        };
        let text = logged(&options("warn,ingest=debug", &[]), true, log);
        let heard: Vec<&str> =
            text.lines().filter_map(|line| line.split_once(": ")).map(|(_, end)| end).collect();
        assert_eq!(heard, ["loud", "heard"]);
        let error = subscriber(&options("info,=x=", &[]), true, io::sink).err().unwrap().to_string();
        assert!(error.starts_with("log filter 'info,=x=': "), "{error}");
    }

    #[test]
    fn no_secret_comes_through_in_any_form() {
        let secrets = ["k\"1\\2", "https://node.example/v2/abcdef", "abcdef", ""];
        let log = || {
            tracing::info!(
                url = "https://node.example/v2/abcdef",
                key = "k\"1\\2",
                "asked with k\"1\\2 and abcdef"
            );
        };
        for is_terminal in [true, false] {
            let line = logged(&options("info", &secrets), is_terminal, log);
            assert!(!line.contains("abcdef") && !line.contains("1\\"), "{line}");
            assert!(line.contains("asked with *** and ***"), "{line}");
        }
        let shown = format!("{:?}", options("info", &secrets));
        assert_eq!(shown, r#"Options { filter: "info", format: Auto, has_colours: false, secrets: 4 }"#);
    }
}
