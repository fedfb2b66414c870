//! The end: the first SIGINT or SIGTERM asks everyone to finish, the second ends the process at once.

use crate::error::{Error, Result};
use tokio_util::sync::CancellationToken;

/// Exit code after a second signal: 128 + SIGINT, as shells have it.
pub const EXIT_CODE_INTERRUPTED: i32 = 130;

/// Listens to signals from now on; the token is cancelled by the first one. Call within a runtime, once in a process.
///
/// # Errors
/// [`Error::Signals`] when the system does not let us listen.
pub fn on_signal() -> Result<CancellationToken> {
    let token = CancellationToken::new();
    let mut signals = Signals::listen().map_err(Error::Signals)?;
    let first = token.clone();
    tokio::spawn(async move {
        let name = signals.next().await;
        tracing::info!(signal = name, "finishing; a second signal ends at once");
        first.cancel();
        let name = signals.next().await;
        tracing::warn!(signal = name, "ended before everything was finished");
        std::process::exit(EXIT_CODE_INTERRUPTED);
    });
    Ok(token)
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            // Without signals there is none to wait for.
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::{EXIT_CODE_INTERRUPTED, on_signal};
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    const IN_CHILD: &str = "RXTRAIL_TEST_SHUTDOWN_CHILD";
    const ME: &str = "shutdown::tests::the_first_signal_asks_and_the_second_ends";

    /// The child says when it listens and when it was asked to finish, and then never finishes.
    fn child() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let token = on_signal().unwrap();
            println!("listening");
            token.cancelled().await;
            println!("asked");
            std::future::pending::<()>().await;
        });
    }

    fn signal(child: &Child, name: &str) {
        let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    #[test]
    fn the_first_signal_asks_and_the_second_ends() {
        if std::env::var_os(IN_CHILD).is_some() {
            return child();
        }
        for (first, second) in [("-TERM", "-INT"), ("-INT", "-TERM")] {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", ME, "--nocapture"]).env(IN_CHILD, "1").stdout(Stdio::piped());
            let mut child = command.spawn().unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            let mut wait_for = |text: &str| lines.by_ref().any(|line| line.unwrap().ends_with(text));
            assert!(wait_for("listening"));
            signal(&child, first);
            assert!(wait_for("asked"));
            signal(&child, second);
            assert_eq!(child.wait().unwrap().code(), Some(EXIT_CODE_INTERRUPTED));
        }
    }
}
