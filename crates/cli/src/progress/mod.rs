//! What is going on, told while it goes on: typed events, and three ways to show them.
//!
//! Work opens a [`Step`], counts bytes on it and finishes it; it neither knows nor cares who
//! watches. Counting is an atomic addition, cheap enough for every buffer that passes.

mod event;
mod screen;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use jiff::Timestamp;
use recipe::Severity;

pub(crate) use event::{Event, Outcome, StepId};

use crate::diagnostics::Findings;
use crate::environment::Colors;
use crate::error::Error;
use crate::flags::ProgressStyle;
use crate::report;
use screen::Screen;

/// Where events are told. Clones tell to the same place.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Told>);

struct Told {
    screen: Screen,
    colors: Colors,
    next: AtomicU64,
    now: fn() -> Timestamp,
}

/// A piece of work under way. Clones are the same step; if the last is dropped before the step was
/// finished, the step has failed.
#[derive(Clone)]
pub(crate) struct Step(Arc<Running>);

struct Running {
    progress: Progress,
    id: StepId,
    name: String,
    started: Instant,
    bytes: AtomicU64,
    total: AtomicU64,
    /// Milliseconds since `started` at which bytes were last told.
    told: AtomicU64,
    finished: AtomicBool,
}

/// The total of a step whose bytes are not known in advance.
const UNKNOWN: u64 = u64::MAX;

impl Progress {
    /// Tells events on standard error, in `style`.
    pub(crate) fn to_stderr(style: ProgressStyle, colors: Colors) -> Self {
        let screen = Screen::new(style, colors, Box::new(std::io::stderr()));
        Progress::on(screen, colors, Timestamp::now)
    }

    fn on(screen: Screen, colors: Colors, now: fn() -> Timestamp) -> Self {
        Progress(Arc::new(Told { screen, colors, next: AtomicU64::new(1), now }))
    }

    /// Starts a step, with the number of bytes it will count, if that is known.
    ///
    /// A name says what is done to what: `push layer 3f2a91c04b7e`.
    pub(crate) fn step(&self, name: impl Into<String>, total: Option<u64>) -> Step {
        let running = self.running(name.into(), total);
        self.tell(&Event::Started { step: running.id, name: &running.name, total });
        Step(Arc::new(running))
    }

    /// Tells of a step that took no time: only its end.
    pub(crate) fn at_once(&self, name: impl Into<String>, outcome: Outcome) {
        self.running(name.into(), None).end(outcome);
    }

    fn running(&self, name: String, total: Option<u64>) -> Running {
        Running {
            progress: self.clone(),
            id: StepId(self.0.next.fetch_add(1, Ordering::Relaxed)),
            name,
            started: Instant::now(),
            bytes: AtomicU64::new(0),
            total: AtomicU64::new(total.unwrap_or(UNKNOWN)),
            told: AtomicU64::new(0),
            finished: AtomicBool::new(false),
        }
    }

    /// Says something that is worth a line of its own.
    pub(crate) fn note(&self, text: &str) {
        self.tell(&Event::Note { text });
    }

    /// Tells of a request to a registry, in whatever style.
    pub(crate) fn request(&self, text: &str) {
        self.tell(&Event::Request { text });
    }

    /// Warns of something that does not stop the command.
    pub(crate) fn warning(&self, message: &str) {
        self.tell(&Event::Finding {
            severity: Severity::Warning,
            message,
            rendered: &report::warning(message, self.0.colors),
            hint: None,
            rule: None,
            place: None,
        });
    }

    /// Tells each finding of a recipe.
    pub(crate) fn findings(&self, findings: &Findings) {
        for diagnostic in &findings.diagnostics {
            let rule = diagnostic.rule.map(|rule| format!("{rule:?}"));
            self.tell(&Event::Finding {
                severity: diagnostic.severity,
                message: &diagnostic.message,
                // A blank line keeps one finding's lines from the next one's.
                rendered: &format!("{}\n", findings.render(diagnostic, self.0.colors)),
                hint: diagnostic.hint.as_deref(),
                rule: rule.as_deref(),
                place: Some(&findings.place(diagnostic)),
            });
        }
    }

    /// Tells the error that ended the command.
    pub(crate) fn failed(&self, error: &Error) {
        let rendered = match error.findings() {
            // Their places say more than a chain of causes could.
            Some(findings) => {
                self.findings(findings);
                None
            }
            None => Some(report::error(error, self.0.colors)),
        };
        self.tell(&Event::Failed {
            message: &report::chain(error),
            rendered: rendered.as_deref(),
            hint: error.hint().as_deref(),
            exit: error.exit().code(),
        });
    }

    fn tell(&self, event: &Event<'_>) {
        self.0.screen.show(event, (self.0.now)());
    }
}

impl Step {
    /// Counts bytes that were moved or compressed.
    pub(crate) fn add(&self, bytes: u64) {
        let sum = self.0.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.advanced(sum);
    }

    /// Says how many bytes were moved so far, which may be less than before: some are sent twice.
    pub(crate) fn reach(&self, bytes: u64) {
        self.0.bytes.store(bytes, Ordering::Relaxed);
        self.advanced(bytes);
    }

    /// Tells how far the step is, unless it was told a moment ago.
    fn advanced(&self, sum: u64) {
        let step = &*self.0;
        let Some(interval) = step.progress.0.screen.interval() else { return };
        let elapsed = u64::try_from(step.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let told = step.told.load(Ordering::Relaxed);
        if elapsed < told.saturating_add(interval) {
            return;
        }
        // Of several threads that come at once, one tells.
        let won = step.told.compare_exchange(told, elapsed, Ordering::Relaxed, Ordering::Relaxed);
        if won.is_ok() {
            let event = Event::Advanced {
                step: step.id,
                name: &step.name,
                bytes: sum,
                total: step.total(),
            };
            step.progress.tell(&event);
        }
    }

    /// Says how many bytes there will be, once that is known.
    pub(crate) fn expect(&self, total: u64) {
        self.0.total.store(total, Ordering::Relaxed);
    }

    /// Ends the step.
    pub(crate) fn finish(self, outcome: Outcome) {
        self.0.end(outcome);
    }
}

impl Running {
    fn total(&self) -> Option<u64> {
        Some(self.total.load(Ordering::Relaxed)).filter(|total| *total != UNKNOWN)
    }

    fn end(&self, outcome: Outcome) {
        if self.finished.swap(true, Ordering::Relaxed) {
            return;
        }
        self.progress.tell(&Event::Finished {
            step: self.id,
            name: &self.name,
            outcome,
            bytes: self.bytes.load(Ordering::Relaxed),
            elapsed: self.started.elapsed(),
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end(Outcome::Failed);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(data)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What `work` shows in `style`, with the one thing that differs between runs taken out.
    fn show(style: ProgressStyle, work: impl FnOnce(&Progress)) -> String {
        let paper = Paper::default();
        let screen = Screen::new(style, Colors::None, Box::new(paper.clone()));
        let now = || "2024-01-01T12:00:00.5Z".parse().unwrap();
        work(&Progress::on(screen, Colors::None, now));
        let bytes = paper.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn work(progress: &Progress) {
        let step = progress.step("push layer 3f2a", Some(2000));
        step.add(1500);
        step.clone().add(500);
        step.finish(Outcome::Done);
        progress.at_once("push layer 77aa", Outcome::Mounted);
        progress.warning("`--cache-from` has no effect here");
        drop(progress.step("push config", None));
    }

    #[test]
    fn plain_lines_have_the_time() {
        insta::assert_snapshot!(show(ProgressStyle::Plain, work), @"
        2024-01-01T12:00:00Z push layer 3f2a
        2024-01-01T12:00:00Z push layer 3f2a: done, 2kB in 0.0s
        2024-01-01T12:00:00Z push layer 77aa: mounted
        warning: `--cache-from` has no effect here
        2024-01-01T12:00:00Z push config
        2024-01-01T12:00:00Z push config: failed
        ");
    }

    #[test]
    fn quiet_keeps_warnings() {
        insta::assert_snapshot!(
            show(ProgressStyle::Quiet, work),
            @"warning: `--cache-from` has no effect here"
        );
    }

    #[test]
    fn json_has_one_object_a_line() {
        let text = show(ProgressStyle::Json, work);
        let events: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let kinds: Vec<&str> = events.iter().map(|e| e["event"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["started", "finished", "finished", "warning", "started", "finished"]);
        assert_eq!(
            text.lines().next().unwrap(),
            r#"{"event":"started","time":"2024-01-01T12:00:00.5Z","step":1,"name":"push layer 3f2a","total":2000}"#
        );
        assert_eq!(events[1]["outcome"], "done");
        assert_eq!(events[1]["bytes"], 2000);
        assert_eq!(events[2]["outcome"], "mounted");
        assert_eq!(events[3]["message"], "`--cache-from` has no effect here");
        assert_eq!(events[5]["outcome"], "failed");
    }

    #[test]
    fn an_error_is_told_once_with_its_hint() {
        let error = || Error::from("Foo".parse::<oci::Reference>().unwrap_err());
        let json = show(ProgressStyle::Json, |progress| progress.failed(&error()));
        assert_eq!(
            json,
            "{\"event\":\"failed\",\"time\":\"2024-01-01T12:00:00.5Z\",\"message\":\"`Foo` is not \
             an image reference: repository names are lower-case\",\"hint\":\"write `foo`\",\
             \"exit\":2}\n"
        );
        let plain = show(ProgressStyle::Quiet, |progress| progress.failed(&error()));
        assert_eq!(plain.lines().count(), 2, "{plain}");
    }

    #[test]
    fn a_recipe_s_errors_are_told_one_by_one() {
        let error = || {
            let findings = Findings {
                name: "Dockerfile".into(),
                text: "FROM a\nCPOY . /\n".into(),
                diagnostics: vec![
                    recipe::Diagnostic::error(7..11, "unknown instruction `CPOY`")
                        .with_hint("did you mean `COPY`?"),
                ],
            };
            Error::Recipe(Box::new(findings))
        };
        insta::assert_snapshot!(
            show(ProgressStyle::Plain, |progress| progress.failed(&error())),
            @"
        error: unknown instruction `CPOY`
         --> Dockerfile:2:1
          |
        2 | CPOY . /
          | ^^^^
          |
          = hint: did you mean `COPY`?
        "
        );
        insta::assert_snapshot!(
            show(ProgressStyle::Json, |progress| progress.failed(&error())),
            @r#"
        {"event":"error","time":"2024-01-01T12:00:00.5Z","message":"unknown instruction `CPOY`","hint":"did you mean `COPY`?","place":"Dockerfile:2:1"}
        {"event":"failed","time":"2024-01-01T12:00:00.5Z","message":"the Dockerfile has errors","exit":3}
        "#
        );
    }

    #[test]
    fn threads_count_on_one_step() {
        let text = show(ProgressStyle::Json, |progress| {
            let step = progress.step("compress", None);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    let step = step.clone();
                    scope.spawn(move || (0..1000).for_each(|_| step.add(3)));
                }
            });
            step.finish(Outcome::Done);
        });
        let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(last["bytes"], 12000);
    }
}
