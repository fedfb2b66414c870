//! Exit codes: the same in every version, so that scripts can rely on them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well.
    Ok,
    /// The command ran, and what it looked for is there: damage, a missed fraud, a warning of `check`.
    Findings,
    /// The command line is wrong.
    Usage,
    /// A statement or an argument cannot be used (EX_USAGE).
    Request,
    /// Data is not what it should be (EX_DATAERR).
    Data,
    /// A node, or the process that holds the data folder, cannot be reached (EX_UNAVAILABLE).
    Unavailable,
    /// A fault in rxtrail itself (EX_SOFTWARE).
    Software,
    /// A file cannot be read or written (EX_IOERR).
    Io,
    /// The system does not allow it (EX_NOPERM).
    Permission,
    /// The configuration cannot be used (EX_CONFIG).
    Config,
    /// Ended by SIGINT or SIGTERM, with everything committed written.
    Interrupted,
}

impl Exit {
    /// Every way to end, with its code and meaning.
    pub(crate) const TABLE: &'static [(Self, u8, &'static str)] = &[
        (Self::Ok, 0, "all is well"),
        (Self::Findings, 1, "findings: damage, a missed or false alert of demo, an item or check that fails"),
        (Self::Usage, 2, "the command line is wrong"),
        (Self::Request, 64, "a statement, item or argument cannot be used"),
        (Self::Data, 65, "data is not what it should be"),
        (Self::Unavailable, 69, "a node, or the process that holds the data folder, cannot be reached"),
        (Self::Software, 70, "a fault in rxtrail itself"),
        (Self::Io, 74, "a file or address cannot be read, written or listened on"),
        (Self::Permission, 77, "the system does not allow it"),
        (Self::Config, 78, "the configuration cannot be used"),
        (Self::Interrupted, 130, "ended by SIGINT or SIGTERM, everything committed is on disk"),
    ];

    /// The code.
    pub(crate) fn code(self) -> u8 {
        Self::TABLE.iter().find(|(exit, ..)| *exit == self).map_or(70, |(_, code, _)| *code)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table as the help shows it.
pub(crate) fn help() -> String {
    let lines = Exit::TABLE.iter().map(|(_, code, meaning)| format!("  {code:>3}  {meaning}"));
    format!("Exit codes:\n{}", lines.collect::<Vec<_>>().join("\n"))
}
