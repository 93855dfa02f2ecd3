//! Three ways to show events: bars on a terminal, lines with the time, and JSON.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle as BarStyle};
use jiff::Timestamp;
use recipe::Severity;
use serde_json::{Map, Value, json};

use super::{Event, Outcome, StepId};
use crate::environment::Colors;
use crate::flags::ProgressStyle;
use crate::units;

type Stream = Mutex<Box<dyn Write + Send>>;

/// A way to show events.
pub(super) enum Screen {
    /// Warnings and errors only.
    Quiet(Stream),
    /// Finished steps as lines, running ones as bars below them.
    Tty(Box<Bars>),
    /// A line an event.
    Plain(Stream),
    /// A JSON object an event.
    Json(Stream),
}

impl Screen {
    pub(super) fn new(
        style: ProgressStyle,
        colors: Colors,
        stream: Box<dyn Write + Send>,
    ) -> Screen {
        let stream = Mutex::new(stream);
        match style {
            ProgressStyle::Quiet => Screen::Quiet(stream),
            ProgressStyle::Tty => Screen::Tty(Box::new(Bars::new(colors))),
            ProgressStyle::Plain => Screen::Plain(stream),
            ProgressStyle::Json => Screen::Json(stream),
        }
    }

    /// How many milliseconds pass between two [`Event::Advanced`] of a step; `None` if they are not
    /// shown.
    pub(super) fn interval(&self) -> Option<u64> {
        match self {
            Screen::Quiet(_) => None,
            Screen::Tty(_) => Some(50),
            Screen::Plain(_) => Some(5000),
            Screen::Json(_) => Some(250),
        }
    }

    pub(super) fn show(&self, event: &Event<'_>, now: Timestamp) {
        match self {
            Screen::Quiet(stream) => {
                if let Event::Request { .. } | Event::Finding { .. } | Event::Failed { .. } = event
                    && let Some(line) = plain(event, now)
                {
                    write_line(stream, &line);
                }
            }
            Screen::Tty(bars) => bars.show(event),
            Screen::Plain(stream) => {
                if let Some(line) = plain(event, now) {
                    write_line(stream, &line);
                }
            }
            Screen::Json(stream) => write_line(stream, &json(event, now)),
        }
    }
}

/// Writes a line whole. If nobody reads standard error, work goes on all the same.
fn write_line(stream: &Stream, line: &str) {
    let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = stream.write_all(format!("{line}\n").as_bytes());
}

fn plain(event: &Event<'_>, now: Timestamp) -> Option<String> {
    let time = now.strftime("%Y-%m-%dT%H:%M:%SZ");
    Some(match event {
        Event::Started { name, .. } => format!("{time} {name}"),
        Event::Advanced { name, bytes, total, .. } => {
            format!("{time} {name}: {}", amount(*bytes, *total))
        }
        Event::Finished { name, outcome, bytes, elapsed, .. } => {
            format!("{time} {name}: {}", ending(*outcome, *bytes, *elapsed))
        }
        Event::Note { text } => format!("{time} {text}"),
        Event::Request { text } => format!("debug: {text}"),
        Event::Finding { rendered, .. } => (*rendered).to_owned(),
        Event::Failed { rendered, .. } => return rendered.map(str::to_owned),
    })
}

fn amount(bytes: u64, total: Option<u64>) -> String {
    match total {
        Some(total) => format!("{} of {}", units::size(bytes), units::size(total)),
        None => units::size(bytes),
    }
}

/// How long a step without bytes takes for its time to be of interest.
const WORTH_TELLING: Duration = Duration::from_millis(50);

fn ending(outcome: Outcome, bytes: u64, elapsed: Duration) -> String {
    let word = outcome.word();
    match outcome {
        Outcome::Done if bytes > 0 => {
            format!("{word}, {} in {:.1}s", units::size(bytes), elapsed.as_secs_f64())
        }
        Outcome::Done if elapsed >= WORTH_TELLING => {
            format!("{word} in {:.1}s", elapsed.as_secs_f64())
        }
        _ => word.to_owned(),
    }
}

fn json(event: &Event<'_>, now: Timestamp) -> String {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| {
        if !value.is_null() {
            object.insert(key.to_owned(), value);
        }
    };
    let kind = match event {
        Event::Started { .. } => "started",
        Event::Advanced { .. } => "advanced",
        Event::Finished { .. } => "finished",
        Event::Note { .. } => "note",
        Event::Request { .. } => "request",
        Event::Finding { severity: Severity::Warning, .. } => "warning",
        Event::Finding { severity: Severity::Error, .. } => "error",
        Event::Failed { .. } => "failed",
    };
    put("event", json!(kind));
    put("time", json!(now.to_string()));
    match event {
        Event::Started { step, name, total } => {
            put("step", json!(step.number()));
            put("name", json!(name));
            put("total", json!(total));
        }
        Event::Advanced { step, bytes, total, .. } => {
            put("step", json!(step.number()));
            put("bytes", json!(bytes));
            put("total", json!(total));
        }
        Event::Finished { step, name, outcome, bytes, elapsed } => {
            put("step", json!(step.number()));
            put("name", json!(name));
            put("outcome", json!(outcome.word()));
            put("bytes", json!(bytes));
            put("seconds", json!(elapsed.as_secs_f64()));
        }
        Event::Note { text } | Event::Request { text } => put("text", json!(text)),
        Event::Finding { message, hint, rule, place, .. } => {
            put("message", json!(message));
            put("hint", json!(hint));
            put("rule", json!(rule));
            put("place", json!(place));
        }
        Event::Failed { message, hint, exit, .. } => {
            put("message", json!(message));
            put("hint", json!(hint));
            put("exit", json!(exit));
        }
    }
    Value::Object(object).to_string()
}

/// Bars of the steps under way.
pub(super) struct Bars {
    screen: MultiProgress,
    running: Mutex<HashMap<StepId, ProgressBar>>,
    colors: Colors,
}

impl Bars {
    fn new(colors: Colors) -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Bars { screen, running: Mutex::default(), colors }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<StepId, ProgressBar>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, event: &Event<'_>) {
        match event {
            Event::Started { step, name, total } => self.start(*step, name, *total),
            Event::Advanced { step, bytes, total, .. } => {
                if let Some(bar) = self.running().get(step) {
                    if let Some(total) = total.filter(|total| bar.length() != Some(*total)) {
                        bar.set_length(total);
                        bar.set_style(measured());
                    }
                    bar.set_position(*bytes);
                }
            }
            Event::Finished { step, name, outcome, bytes, elapsed } => {
                if let Some(bar) = self.running().remove(step) {
                    bar.finish_and_clear();
                    self.screen.remove(&bar);
                }
                self.line(&format!(
                    "{} {name}  {}",
                    self.mark(*outcome),
                    ending(*outcome, *bytes, *elapsed)
                ));
            }
            Event::Note { text } => self.line(text),
            Event::Request { text } => self.line(&format!("debug: {text}")),
            Event::Finding { rendered, .. } => self.line(rendered),
            Event::Failed { rendered, .. } => rendered.iter().for_each(|text| self.line(text)),
        }
    }

    fn start(&self, step: StepId, name: &str, total: Option<u64>) {
        let bar = match total {
            Some(total) => ProgressBar::new(total).with_style(measured()),
            None => ProgressBar::new_spinner().with_style(unmeasured()),
        };
        let bar = self.screen.add(bar.with_message(name.to_owned()));
        bar.enable_steady_tick(Duration::from_millis(100));
        self.running().insert(step, bar);
    }

    /// Prints above the bars.
    fn line(&self, text: &str) {
        let printed = self.screen.suspend(|| writeln!(std::io::stderr(), "{text}"));
        // If nobody reads standard error, work goes on all the same.
        drop(printed);
    }

    fn mark(&self, outcome: Outcome) -> String {
        let (mark, color) = match outcome {
            Outcome::Done => ("✓", AnsiColor::Green),
            Outcome::Cached | Outcome::Exists | Outcome::Mounted => ("=", AnsiColor::Blue),
            Outcome::Failed => ("✗", AnsiColor::Red),
        };
        match self.colors {
            Colors::Ansi => {
                let style: Style = color.on_default();
                format!("{style}{mark}{style:#}")
            }
            Colors::None => mark.to_owned(),
        }
    }
}

fn measured() -> BarStyle {
    style("{spinner} {msg:40!} [{bar:25}] {decimal_bytes:>10}/{decimal_total_bytes} {eta:>4}")
}

fn unmeasured() -> BarStyle {
    style("{spinner} {msg:40!} {decimal_bytes:>10} {elapsed:>4}")
}

fn style(template: &str) -> BarStyle {
    match BarStyle::with_template(template) {
        Ok(style) => style.progress_chars("=> "),
        // A template of ours that does not parse costs the bar's looks, not the build.
        Err(_) => BarStyle::default_bar(),
    }
}
