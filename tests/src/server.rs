//! A server that others wrote: its log in a file, and its end with that of the value.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::record::record;
use crate::{Failure, Result};

/// A running server.
pub(crate) struct Server {
    child: Child,
    name: String,
    log: PathBuf,
}

const STARTING_LIMIT: Duration = Duration::from_secs(20);
const LOGGING_LIMIT: Duration = Duration::from_secs(5);

/// A word that no log has yet.
fn word() -> String {
    format!("mark-{:?}", Instant::now()).replace(|c: char| !c.is_alphanumeric(), "-")
}

impl Server {
    /// Starts `command`, whose messages go to the file `log`.
    pub(crate) fn start(mut command: Command, log: PathBuf) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let file = File::options().create(true).append(true).open(&log);
        let file = file.map_err(Failure::doing(format!("make the log of {name}")))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        let child = command.spawn().map_err(Failure::doing(format!("run {name}")))?;
        Ok(Server { child, name, log })
    }

    /// Returns when `ask`, which sends a request with a word in it, gets an answer, and the log has
    /// that word: on a port that was taken meanwhile somebody else would answer.
    pub(crate) fn wait_until_it_answers(&mut self, ask: impl Fn(&str) -> Result) -> Result {
        let started = Instant::now();
        let word = word();
        while let Err(failure) = ask(&word).and_then(|()| self.wait_for(&word)) {
            let problem = match self.child.try_wait() {
                Ok(Some(status)) => format!("ended: {status}"),
                _ if started.elapsed() > STARTING_LIMIT => format!("does not answer: {failure}"),
                _ => {
                    std::thread::sleep(Duration::from_millis(10));
                    continue;
                }
            };
            return Err(Failure::new(format!("{} {problem}\n{}", self.name, self.log())));
        }
        Ok(())
    }

    /// Returns when the log has caught up with everything that was answered: an answer can be read
    /// before its line is written, and a request that comes later tells when it is.
    pub(crate) fn catch_up(&self, ask: impl Fn(&str) -> Result) -> Result {
        let word = word();
        ask(&word)?;
        self.wait_for(&word)?;
        std::thread::sleep(Duration::from_millis(20));
        Ok(())
    }

    fn wait_for(&self, word: &str) -> Result {
        let started = Instant::now();
        while !self.log().contains(word) {
            if started.elapsed() > LOGGING_LIMIT {
                return Err(Failure::new(format!("the log of {} does not catch up", self.name)));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Empties the log.
    pub(crate) fn forget(&self) -> Result {
        record(&self.name, self.log().as_bytes());
        let emptied = File::options().write(true).open(&self.log).and_then(|log| log.set_len(0));
        emptied.map_err(Failure::doing(format!("empty the log of {}", self.name)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        record(&self.name, self.log().as_bytes());
    }
}

/// A port of 127.0.0.1 on which nobody listens, for now.
pub(crate) fn free_port() -> Result<u16> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Failure::doing("find a free port"))
}
