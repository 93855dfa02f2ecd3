//! A branch of a git repository is pinned, and moves when somebody wants it to.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use testbed::plywood::printed_digest;
use testbed::{Context, Failure, Plywood, Result, program, run, stdout};

use crate::support::plywood;

/// A repository that `git daemon` serves.
struct Served {
    directory: tempfile::TempDir,
    port: u16,
    daemon: Child,
}

impl Drop for Served {
    fn drop(&mut self) {
        // Its group has the process that serves, too.
        let group = format!("-{}", self.daemon.id());
        let _ = program("kill").args(["--", &group]).status();
        let _ = self.daemon.wait();
    }
}

impl Served {
    fn start() -> Result<Self> {
        use std::os::unix::process::CommandExt;
        let directory = tempfile::tempdir().map_err(Failure::doing("make a repository"))?;
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = free.map_err(Failure::doing("find a port"))?.port();
        run(git(directory.path()).args(["init", "--quiet", "--initial-branch=main", "repo"]))?;
        let mut daemon = program("git");
        daemon.args(["daemon", "--export-all", "--listen=127.0.0.1"]);
        daemon.arg(format!("--port={port}"));
        daemon.arg(format!("--base-path={}", directory.path().display()));
        let daemon = daemon.process_group(0).spawn().map_err(Failure::doing("serve it"))?;
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
            sleep(Duration::from_millis(50));
        }
        Ok(Served { directory, port, daemon })
    }

    /// Commits a file with this text; which commit that is.
    fn commit(&self, text: &str) -> Result<String> {
        let repository = self.directory.path().join("repo");
        std::fs::write(repository.join("file"), text).map_err(Failure::doing("write a file"))?;
        run(git(&repository).args(["add", "file"]))?;
        run(git(&repository).args(["commit", "--quiet", "--message", text]))?;
        Ok(stdout(git(&repository).args(["rev-parse", "HEAD"]))?.trim().to_owned())
    }
}

fn git(directory: &Path) -> Command {
    let mut git = program("git");
    git.current_dir(directory).args(["-c", "user.name=n", "-c", "user.email=n@example.org"]);
    git
}

fn build(plywood: &Plywood, context: &Context, more: &[&str]) -> Result<String> {
    printed_digest(plywood.command(["build", "--quiet"]).args(more).arg(context.path()))
}

#[test]
fn a_branch_stays_where_it_was() -> Result {
    let served = Served::start()?;
    let first = served.commit("first")?;
    let address = format!("git://127.0.0.1:{}/repo", served.port);
    let context = Context::with_dockerfile(&format!("FROM scratch\nADD {address}#main /x\n"))?;
    let lock = || std::fs::read_to_string(context.path().join("plywood.lock")).unwrap();
    let digest = build(&plywood()?, &context, &[])?;
    assert!(lock().contains(&format!("commit = \"{first}\"")), "{}", lock());
    let second = served.commit("second")?;
    let elsewhere = plywood()?;
    assert_eq!(build(&elsewhere, &context, &["--locked"])?, digest);
    let (code, said) = elsewhere.refusal(["outdated".as_ref(), context.path().as_os_str()])?;
    assert_eq!(code, 12, "{said}");
    run(elsewhere.command(["lock", "--upgrade"]).arg(context.path()))?;
    assert!(lock().contains(&format!("commit = \"{second}\"")), "{}", lock());
    assert_ne!(build(&elsewhere, &context, &["--locked"])?, digest);
    Ok(())
}
