//! `--explain-run`: what each `RUN` does, command by command.

use plan::{Becomes, Plan, PlannedStep, RunReport};

/// The explanation of all `RUN`s, line by line.
pub(super) fn lines(plans: &[Plan]) -> Vec<String> {
    let mut lines = Vec::new();
    for plan in plans {
        let several = plans.len() > 1;
        for step in plan.stages.iter().flat_map(|stage| &stage.steps) {
            let platform = match several {
                true => format!(" ({})", plan.platform),
                false => String::new(),
            };
            explain(step, &platform, &mut lines);
        }
    }
    lines
}

fn explain(step: &PlannedStep, platform: &str, lines: &mut Vec<String>) {
    match &step.becomes {
        Becomes::Ran { report, .. } => {
            lines.push(format!("{}{platform}", step.text));
            explain_report(report, lines);
        }
        Becomes::NeedsExecution(execution) => {
            lines.push(format!("{}{platform}", step.text));
            explain_report(&execution.report, lines);
            lines.push(format!("  needs execution: {}", execution.why));
        }
        _ => {}
    }
}

fn explain_report(report: &RunReport, lines: &mut Vec<String>) {
    for command in &report.commands {
        let indent = "  ".repeat(command.depth + 1);
        let status = match command.status {
            Some(0) | None => String::new(),
            Some(status) => format!("  [{status}]"),
        };
        lines.push(format!("{indent}{}{status}", command.line));
        lines.extend(command.remark.iter().map(|remark| format!("{indent}    {remark}")));
        lines.extend(command.changes.iter().map(|change| format!("{indent}    {change}")));
    }
    for (url, digest) in &report.fetched {
        lines.push(format!("  fetched {url} {digest}"));
    }
    lines.extend(report.said.lines().map(|line| format!("  | {line}")));
}
