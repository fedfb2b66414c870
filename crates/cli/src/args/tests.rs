//! The help, and what the command line takes.

use super::{Arguments, Command};
use clap::{CommandFactory as _, Parser as _};

#[test]
fn the_help_is_what_it_was() {
    let mut command = Arguments::command().term_width(100);
    insta::assert_snapshot!("help", command.render_long_help().to_string());
    for name in [
        "demo", "run", "sql", "queries", "pedigree", "check", "simulate", "store", "rederive", "replay",
        "rewind", "rules",
    ] {
        let command = command.find_subcommand_mut(name).unwrap();
        insta::assert_snapshot!(format!("help-{name}"), command.render_help().to_string());
    }
}

#[test]
fn the_command_line_holds_together() {
    Arguments::command().debug_assert();
}

#[test]
fn questions_are_answered_on_loopback_only() {
    let parse = |listen: &str| Arguments::try_parse_from(["rxtrail", "demo", "--listen", listen]);
    assert!(matches!(parse("[::1]:0").unwrap().command, Command::Demo(demo) if demo.listen.port() == 0));
    let error = parse("0.0.0.0:80").unwrap_err().to_string();
    assert!(error.contains("0.0.0.0:80 is no loopback address"), "{error}");
}

#[test]
fn every_exit_code_is_in_the_help_and_none_is_twice() {
    let help = Arguments::command().render_long_help().to_string();
    let mut codes: Vec<u8> = crate::exit::Exit::TABLE
        .iter()
        .map(|(exit, code, _)| {
            assert_eq!(exit.code(), *code);
            *code
        })
        .collect();
    for (_, code, meaning) in crate::exit::Exit::TABLE {
        assert!(help.contains(&format!("{code:>3}  ")), "{code} {meaning}");
    }
    codes.dedup();
    assert_eq!(codes, [0, 1, 2, 64, 65, 69, 70, 74, 77, 78, 130]);
}
