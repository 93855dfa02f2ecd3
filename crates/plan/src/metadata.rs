//! Instructions that change only the config.

use oci::{ImageConfig, ImagePath};
use recipe::{CommandLine, Healthcheck, Instruction, Word};

use crate::error::{PlanError, Step};
use crate::stage::StagePlanner;

/// The shell of the shell form where no `SHELL` says otherwise (Docker's reference, "SHELL").
const DEFAULT_SHELL: [&str; 2] = ["/bin/sh", "-c"];

/// Applies an instruction that makes no layer.
pub(crate) fn apply(planner: &mut StagePlanner<'_, '_>, instruction: &Instruction) -> Step<()> {
    match instruction {
        Instruction::Arg(arguments) => declare(planner, arguments)?,
        Instruction::Env(pairs) => set_environment(planner, pairs)?,
        Instruction::Label(pairs) => set_labels(planner, pairs)?,
        Instruction::Cmd(command) => {
            let command = command_line(&planner.state.config, command);
            planner.state.config.set_cmd(Some(&command));
            planner.state.cmd_is_own = true;
        }
        Instruction::Entrypoint(command) => {
            let command = command_line(&planner.state.config, command);
            planner.state.config.set_entrypoint(Some(&command));
            // A base's CMD is made for the base's entry point (Docker's reference, "Understand how
            // CMD and ENTRYPOINT interact").
            if !planner.state.cmd_is_own {
                planner.state.config.set_cmd(None);
            }
        }
        Instruction::Expose(words) => expose(planner, words)?,
        Instruction::Healthcheck(check) => set_healthcheck(planner, check),
        Instruction::Maintainer(name) => planner.state.config.set_author(name),
        Instruction::OnBuild(trigger) => {
            let mut triggers = planner.state.config.on_build();
            triggers.push(trigger.node.clone());
            planner.state.config.set_on_build(&triggers);
        }
        Instruction::Shell(shell) => planner.state.config.set_shell(shell),
        Instruction::StopSignal(word) => {
            let signal = planner.expand(word)?;
            if !is_signal(&signal) {
                let message = format!("`{signal}` is not a signal");
                return Err(PlanError::recipe(word.span.clone(), message)
                    .with_hint("name one as SIGTERM, TERM or 15")
                    .into());
            }
            planner.state.config.set_stop_signal(&signal);
        }
        Instruction::User(word) => {
            let user = planner.expand(word)?;
            if user.is_empty() {
                return Err(PlanError::recipe(word.span.clone(), "USER is empty").into());
            }
            planner.state.config.set_user(&user);
        }
        Instruction::Volume(words) => add_volumes(planner, words)?,
        Instruction::Add(_)
        | Instruction::Copy(_)
        | Instruction::Debian(_)
        | Instruction::Python(_)
        | Instruction::Run(_)
        | Instruction::Workdir(_) => {
            unreachable!("{} makes a layer and is planned elsewhere", instruction.name())
        }
    }
    Ok(())
}

/// The directory that relative paths are below: `/` where none is set.
pub(crate) fn working_directory(config: &ImageConfig) -> ImagePath {
    ImagePath::lexical(config.working_dir().unwrap_or("/"))
}

fn declare(planner: &mut StagePlanner<'_, '_>, arguments: &[recipe::Argument]) -> Step<()> {
    for argument in arguments {
        let shared = &mut *planner.shared;
        planner.state.scope.declare(
            argument,
            shared.request.build_args,
            Some(&shared.global),
            &mut shared.warnings,
        )?;
    }
    Ok(())
}

/// All pairs of a line see the environment as it was before the line (Docker's reference,
/// "Environment replacement").
fn expand_pairs(
    planner: &mut StagePlanner<'_, '_>,
    pairs: &[(Word, Word)],
) -> Step<Vec<(String, String)>> {
    let mut expanded = Vec::new();
    for (name, value) in pairs {
        let text = planner.expand(name)?;
        if text.is_empty() {
            return Err(PlanError::recipe(name.span.clone(), "the name is empty").into());
        }
        expanded.push((text, planner.expand(value)?));
    }
    Ok(expanded)
}

fn set_environment(planner: &mut StagePlanner<'_, '_>, pairs: &[(Word, Word)]) -> Step<()> {
    for (name, value) in expand_pairs(planner, pairs)? {
        planner.state.config.set_env(&name, &value);
        planner.state.scope.set_env(&name, &value);
    }
    Ok(())
}

fn set_labels(planner: &mut StagePlanner<'_, '_>, pairs: &[(Word, Word)]) -> Step<()> {
    for (key, value) in expand_pairs(planner, pairs)? {
        planner.state.config.set_label(&key, &value);
    }
    Ok(())
}

fn command_line(config: &ImageConfig, command: &CommandLine) -> Vec<String> {
    match command {
        CommandLine::Exec(arguments) => arguments.clone(),
        CommandLine::Shell(text) => {
            let shell = config.shell().filter(|shell| !shell.is_empty());
            let mut line = shell.unwrap_or_else(|| DEFAULT_SHELL.map(str::to_owned).to_vec());
            line.push(text.clone());
            line
        }
    }
}

fn set_healthcheck(planner: &mut StagePlanner<'_, '_>, check: &Healthcheck) {
    let healthcheck = match check {
        Healthcheck::None => oci::Healthcheck {
            test: vec!["NONE".to_owned()],
            interval: 0,
            timeout: 0,
            start_period: 0,
            start_interval: 0,
            retries: 0,
        },
        Healthcheck::Command {
            command,
            interval,
            timeout,
            start_period,
            start_interval,
            retries,
        } => {
            // The shell form runs in the container's shell, named by a word of its own.
            let test = match command {
                CommandLine::Exec(arguments) => {
                    std::iter::once("CMD".to_owned()).chain(arguments.iter().cloned()).collect()
                }
                CommandLine::Shell(text) => vec!["CMD-SHELL".to_owned(), text.clone()],
            };
            oci::Healthcheck {
                test,
                interval: *interval,
                timeout: *timeout,
                start_period: *start_period,
                start_interval: *start_interval,
                retries: *retries,
            }
        }
    };
    planner.state.config.set_healthcheck(&healthcheck);
}

fn expose(planner: &mut StagePlanner<'_, '_>, words: &[Word]) -> Step<()> {
    for word in words {
        let ports = planner.state.scope.expand_words(word, &mut planner.shared.warnings)?;
        for port in ports {
            let Some(declared) = parse_ports(&port) else {
                let message = format!("`{port}` is not a port");
                return Err(PlanError::recipe(word.span.clone(), message)
                    .with_hint("ports are written 80, 80/udp or 8000-8010/tcp")
                    .into());
            };
            for port in declared {
                planner.state.config.expose(&port);
            }
        }
    }
    Ok(())
}

/// `80`, `80/udp`, `8000-8010/tcp`: each port as the config names it.
fn parse_ports(text: &str) -> Option<Vec<String>> {
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return None;
    }
    // `ip:hostPort:containerPort` publishes; only the last part says what is exposed.
    let range = range.rsplit(':').next().unwrap_or(range);
    let number = |text: &str| text.parse::<u16>().ok().filter(|_| !text.starts_with('+'));
    let (first, last) = match range.split_once('-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(range)?, number(range)?),
    };
    if first > last {
        return None;
    }
    Some((first..=last).map(|port| format!("{port}/{protocol}")).collect())
}

fn add_volumes(planner: &mut StagePlanner<'_, '_>, words: &[Word]) -> Step<()> {
    for word in words {
        let path = planner.expand(word)?;
        if path.is_empty() {
            return Err(PlanError::recipe(word.span.clone(), "a volume's path is empty").into());
        }
        planner.state.config.add_volume(&path);
    }
    Ok(())
}

/// Linux's signals, by name with or without `SIG`, or by number (signal(7)).
fn is_signal(text: &str) -> bool {
    const NAMES: [&str; 34] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "IOT", "BUS", "FPE", "KILL", "USR1", "SEGV",
        "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CLD", "CONT", "STOP", "TSTP", "TTIN",
        "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "POLL", "PWR", "SYS",
    ];
    if let Ok(number) = text.parse::<u8>() {
        return (1..=64).contains(&number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let real_time = |prefix: &str, sign: char| {
        name.strip_prefix(prefix).is_some_and(|offset| {
            offset.is_empty()
                || offset
                    .strip_prefix(sign)
                    .and_then(|offset| offset.parse::<u8>().ok())
                    .is_some_and(|offset| (1..=15).contains(&offset))
        })
    };
    NAMES.contains(&name) || real_time("RTMIN", '+') || real_time("RTMAX", '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports() {
        assert_eq!(parse_ports("80"), Some(vec!["80/tcp".into()]));
        assert_eq!(parse_ports("53/UDP"), Some(vec!["53/udp".into()]));
        assert_eq!(parse_ports("1-3/tcp").map(|ports| ports.len()), Some(3));
        assert_eq!(parse_ports("127.0.0.1:80:8080"), Some(vec!["8080/tcp".into()]));
        for wrong in ["", "x", "70000", "3-1", "80/icmp", "+80"] {
            assert_eq!(parse_ports(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn signals() {
        for right in ["SIGTERM", "term", "9", "SIGRTMIN+3", "RTMAX-1"] {
            assert!(is_signal(right), "{right}");
        }
        for wrong in ["", "0", "65", "SIGFOO", "RTMIN-1"] {
            assert!(!is_signal(wrong), "{wrong}");
        }
    }
}
