//! The definition as a whole.

use super::*;

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_argument_and_command_has_help() {
    fn walk(command: &clap::Command) {
        assert!(
            command.get_about().is_some(),
            "{} has no help",
            command.get_name()
        );
        for argument in command.get_arguments() {
            let help = argument.get_help().map(ToString::to_string);
            assert!(
                help.is_some_and(|h| !h.is_empty()),
                "{} {}",
                command.get_name(),
                argument.get_id()
            );
        }
        command.get_subcommands().for_each(walk);
    }
    let mut root = Cli::command();
    root.build();
    walk(&root);
}

#[test]
fn an_option_means_the_same_in_every_command() {
    let mut root = Cli::command();
    root.build();
    for command in root.get_subcommands() {
        for argument in command.get_arguments().filter(|a| a.get_long().is_some()) {
            let same = root
                .get_arguments()
                .find(|a| a.get_long() == argument.get_long());
            // `explain --version N` is a protocol version; elsewhere the word shows the program's. `redact` redacts anyway, so that its
            // --redact always names what else is replaced.
            let differs = ["version", "help", "redact"];
            let Some(same) = same.filter(|a| !differs.contains(&a.get_id().as_str())) else {
                continue;
            };
            let help = |a: &clap::Arg| a.get_help().map(ToString::to_string);
            assert_eq!(
                help(same),
                help(argument),
                "{} {}",
                command.get_name(),
                argument.get_id()
            );
            assert_eq!(same.get_value_names(), argument.get_value_names());
        }
    }
}

#[test]
fn an_error_of_the_parser_becomes_one_line() {
    let line = |arguments: &[&str]| match parse(arguments.iter().map(OsString::from)) {
        Err(Stop::Usage(error)) => error.to_string(),
        _ => String::from("accepted"),
    };
    assert_eq!(
        line(&["ctishark", "--color", "red", "x"]),
        "invalid value 'red' for '--color <WHEN>' [possible values: auto, always, never]"
    );
    assert_eq!(
        line(&["ctishark", "--detial", "x"]),
        "unexpected argument '--detial' found; tip: a similar argument exists: '--detail'"
    );
}
