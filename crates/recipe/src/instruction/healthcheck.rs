//! `HEALTHCHECK`: its command, times and retries.

use super::Request;
use crate::flag::{self, Flags};
use crate::{CommandLine, Diagnostic, Healthcheck, duration};

/// `HEALTHCHECK [flags] CMD …` or `HEALTHCHECK NONE`
pub(super) fn healthcheck(request: &Request<'_>) -> Result<Healthcheck, Diagnostic> {
    let arguments = request.parts.arguments.clone();
    let text = request.arguments();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let kind = arguments.start..arguments.start + end;
    let rest = arguments.end - text[end..].trim_start().len()..arguments.end;
    let flags = request.flags(flag::HEALTHCHECK)?;
    let form = "it is written `HEALTHCHECK CMD COMMAND` or `HEALTHCHECK NONE`";
    match text[..end].to_ascii_uppercase().as_str() {
        "" => Err(request.missing("command", form)),
        "NONE" if rest.is_empty() => Ok(Healthcheck::None),
        "NONE" => {
            let message = "`HEALTHCHECK NONE` takes no arguments";
            Err(Diagnostic::error(request.line.span(rest), message))
        }
        "CMD" => {
            let command = request.command(rest.clone())?;
            if rest.is_empty() || command == CommandLine::Exec(Vec::new()) {
                let message = "`HEALTHCHECK CMD` has no command";
                return Err(Diagnostic::error(request.line.span(kind), message).with_hint(form));
            }
            Ok(Healthcheck::Command {
                command,
                interval: interval(&flags, "interval")?,
                timeout: interval(&flags, "timeout")?,
                start_period: interval(&flags, "start-period")?,
                start_interval: interval(&flags, "start-interval")?,
                retries: retries(&flags)?,
            })
        }
        _ => {
            let message = format!("`HEALTHCHECK` cannot be `{}`", &text[..end]);
            Err(Diagnostic::error(request.line.span(kind), message).with_hint(form))
        }
    }
}

/// A duration of 0, or of a millisecond and more.
fn interval(flags: &Flags, name: &str) -> Result<i64, Diagnostic> {
    const MILLISECOND: i64 = 1_000_000;
    let Some(value) = flags.value(name) else { return Ok(0) };
    match duration::parse(&value.text) {
        Some(nanoseconds) if nanoseconds == 0 || nanoseconds >= MILLISECOND => Ok(nanoseconds),
        Some(_) => {
            let message = format!("`--{name}` is shorter than a millisecond");
            Err(Diagnostic::error(value.span, message).with_hint("0 stands for the default"))
        }
        None => {
            let message = format!("`{}` is not a duration", value.text);
            Err(Diagnostic::error(value.span, message)
                .with_hint("write a number with a unit (ms, s, m, h), such as 30s or 1m30s"))
        }
    }
}

fn retries(flags: &Flags) -> Result<i64, Diagnostic> {
    let Some(value) = flags.value("retries") else { return Ok(0) };
    match value.text.parse::<i32>() {
        Ok(count) if count >= 0 => Ok(i64::from(count)),
        _ => {
            let message = format!("`--retries` cannot be `{}`", value.text);
            Err(Diagnostic::error(value.span, message)
                .with_hint("it is a number of times, 0 standing for the default"))
        }
    }
}
