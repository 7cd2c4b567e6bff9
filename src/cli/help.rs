//! `-h` and `--help`: one layout, flags by group, examples first. `-h` leaves out what few need;
//! `--help` has all flags and the exit codes.

use clap::CommandFactory;

use super::low::Cli;

/// The command line as clap sees it. `brief` only changes what help shows.
pub fn command(brief: bool) -> clap::Command {
    let command = Cli::command().help_template(template()).mut_subcommands(show_all);
    let command = command.mut_subcommand("doctor", super::doctor::shorten);
    match brief {
        true => command.after_help(MORE),
        false => show_all(command).after_help(format!("{CONVENTIONS}\n\n{EXIT_CODES}")),
    }
}

/// clap gives a command with flags that `-h` hides a second, airier layout; one is enough.
fn show_all(command: clap::Command) -> clap::Command {
    command.mut_args(|arg| arg.hide_short_help(false)).mut_subcommands(show_all)
}

/// In clap's language, where words in braces are replaced.
fn template() -> String {
    format!(
        "{{about}}\n\n{EXAMPLES}\n\n{{usage-heading}} {{usage}}\n\n{{all-args}}{{after-help}}\n"
    )
}

pub const EXAMPLES: &str = "\
Examples:
  blast localhost:8080                    64 connections, 10 s, as answers come
  blast -c 10k -R 50k http://host/        50,000 due a second, on time or not
  blast -n 1M -b @order.json host/orders  a million POSTs of a file";

const MORE: &str = "`blast --help` has the rarer flags and the exit codes.";

pub const CONVENTIONS: &str = "\
What is typed of the URL, -H, --body, --json-body and --form may hold placeholders, drawn anew for
each request: {{int 1 100}} {{float 0 1 2}} {{choice a b c}} {{uuid}} {{seq}} {{string 12}}
{{hex 16}} {{now rfc3339|unix|unix_ms}} {{env NAME}}; two braces themselves are {{\"{{\"}}.
Numbers take k, M and G; times take ns, us, ms, s, m and h, and are seconds without.
The report goes to stdout, all else to stderr.";

/// Stays in step with `error::Exit`: a test compares them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    the run was done and its report written
  1    could not run, a report could not be written, or the audit failed
  2    the command line is wrong
  3    a threshold failed, --abort-on ended the run, or a soak leaks or degrades
  4    not a valid measurement: open loop, and blast or its host was the limit
  130  interrupted (SIGINT), the report printed
  143  terminated (SIGTERM, SIGHUP), the report printed";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Exit;

    #[test]
    fn every_exit_code_stands_in_the_help() {
        use Exit::*;
        for exit in [Done, Failed, Usage, Threshold, Invalid, Interrupted, Terminated] {
            assert!(EXIT_CODES.contains(&format!("\n  {:<5}", exit.code())), "{exit:?}");
        }
    }

    #[test]
    fn the_command_is_well_formed() {
        command(true).debug_assert();
        command(false).debug_assert();
    }
}
