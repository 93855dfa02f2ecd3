//! Files that are not there, not to be had, or not to be copied.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::attempt::{Attempt, refused};
use crate::layers::{file, tar};

#[test]
fn missing_files() {
    insta::assert_snapshot!(refused("FROM scratch\nCOPY app.tx /app\n"), @"
    exit 4
    error: `app.tx` is not in the build context
     --> context/Dockerfile:2:6
      |
    2 | COPY app.tx /app
      |      ^^^^^^
      |
      = hint: did you mean `app.txt`?
    ");
    insta::assert_snapshot!(refused("FROM scratch\nCOPY app.txt sources /app/\n"), @"
    exit 4
    error: `sources` is not in the build context
     --> context/Dockerfile:2:14
      |
    2 | COPY app.txt sources /app/
      |              ^^^^^^^
    ");
    insta::assert_snapshot!(refused("FROM scratch\nADD app.txt/sub /app/\n"), @"
    exit 4
    error: `app.txt/sub` is not in the build context
     --> context/Dockerfile:2:5
      |
    2 | ADD app.txt/sub /app/
      |     ^^^^^^^^^^^
    ");
    let attempt = Attempt::of("FROM scratch\nCOPY config/setings.toml /\n");
    let attempt = attempt.file("config/settings.toml", "");
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 4
    error: `config/setings.toml` is not in the build context
     --> context/Dockerfile:2:6
      |
    2 | COPY config/setings.toml /
      |      ^^^^^^^^^^^^^^^^^^^
      |
      = hint: did you mean `config/settings.toml`?
    ");
}

#[test]
fn files_in_another_directory() {
    let attempt = Attempt::of("FROM scratch\nCOPY settings.toml /\n");
    let attempt = attempt.file("config/settings.toml", "");
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 4
    error: `settings.toml` is not in the build context
     --> context/Dockerfile:2:6
      |
    2 | COPY settings.toml /
      |      ^^^^^^^^^^^^^
      |
      = hint: there is `config/settings.toml`
    ");
}

#[test]
fn ignored_files() {
    let attempt = Attempt::of("FROM scratch\nCOPY app.txt /\n").file(".dockerignore", "*.txt\n");
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 4
    error[CopyIgnoredFile]: `app.txt` is not in the build context
     --> context/Dockerfile:2:6
      |
    2 | COPY app.txt /
      |      ^^^^^^^
      |
      = hint: .dockerignore excludes it; an exception is `!app.txt`
    ");
    let own = attempt.file("Dockerfile.dockerignore", "app.*\n");
    insta::assert_snapshot!(own.refused(&[]), @"
    exit 4
    error[CopyIgnoredFile]: `app.txt` is not in the build context
     --> context/Dockerfile:2:6
      |
    2 | COPY app.txt /
      |      ^^^^^^^
      |
      = hint: context/Dockerfile.dockerignore excludes it; an exception is `!app.txt`
    ");
}

#[test]
fn paths_that_lead_out() {
    insta::assert_snapshot!(refused("FROM scratch\nCOPY ../secret /\n"), @"
    exit 4
    error: `../secret` is outside of the build context
     --> context/Dockerfile:2:6
      |
    2 | COPY ../secret /
      |      ^^^^^^^^^
      |
      = hint: build from a directory further up, or name the other directory with --build-context NAME=DIR and COPY --from=NAME
    ");
    insta::assert_snapshot!(refused("FROM scratch\nCOPY a/../../secret /\n"), @"
    exit 4
    error: `a/../../secret` is outside of the build context
     --> context/Dockerfile:2:6
      |
    2 | COPY a/../../secret /
      |      ^^^^^^^^^^^^^^
      |
      = hint: build from a directory further up, or name the other directory with --build-context NAME=DIR and COPY --from=NAME
    ");
    let attempt = Attempt::of("FROM scratch\nCOPY up/secret /\n").link("up", "..");
    fs::write(attempt.scene.path("secret"), "secret\n").unwrap();
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 4
    error: `up` is a link to `..`, which is outside of the build context
     --> context/Dockerfile:2:6
      |
    2 | COPY up/secret /
      |      ^^^^^^^^^
      |
      = hint: links are followed inside of the context only: copy what this one leads to into the context
    ");
    let attempt = Attempt::of("FROM scratch\nCOPY secret /\n").link("secret", "../secret");
    fs::write(attempt.scene.path("secret"), "secret\n").unwrap();
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 4
    error: `secret` is a link to `../secret`, which is outside of the build context
     --> context/Dockerfile:2:6
      |
    2 | COPY secret /
      |      ^^^^^^
      |
      = hint: links are followed inside of the context only: copy what this one leads to into the context
    ");
    let attempt = Attempt::of("FROM scratch\nCOPY system/passwd /\n").link("system", "/etc");
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 4
    error: `system` is a link to `/etc`, which is outside of the build context
     --> context/Dockerfile:2:6
      |
    2 | COPY system/passwd /
      |      ^^^^^^^^^^^^^
      |
      = hint: links are followed inside of the context only: copy what this one leads to into the context
    ");
    let attempt = Attempt::of("FROM scratch\nCOPY around /\n").link("around", "around");
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 4
    error: `around` is a link to `around`, which leads back to itself
     --> context/Dockerfile:2:6
      |
    2 | COPY around /
      |      ^^^^^^
    ");
}

#[test]
fn a_dockerfile_s_name_may_lead_out_and_its_files_may_not() {
    let attempt = Attempt::new();
    fs::write(attempt.scene.path("Dockerfile"), "FROM scratch\nCOPY ../Dockerfile /\n").unwrap();
    insta::assert_snapshot!(attempt.refused(&["--file=Dockerfile"]), @"
    exit 4
    error: `../Dockerfile` is outside of the build context
     --> Dockerfile:2:6
      |
    2 | COPY ../Dockerfile /
      |      ^^^^^^^^^^^^^
      |
      = hint: build from a directory further up, or name the other directory with --build-context NAME=DIR and COPY --from=NAME
    ");
}

#[test]
fn sockets_and_pipes() {
    let attempt = Attempt::of("FROM scratch\nCOPY . /app/\n");
    let socket = UnixListener::bind(attempt.context("control.sock")).unwrap();
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 4
    error: `control.sock` is a socket, which an image cannot take
     --> context/Dockerfile:2:6
      |
    2 | COPY . /app/
      |      ^
      |
      = hint: exclude it, in .dockerignore or with --exclude
    ");
    drop(socket);
    fs::remove_file(attempt.context("control.sock")).unwrap();
    let made = Command::new("mkfifo").arg(attempt.context("pipe")).status().unwrap();
    assert!(made.success());
    insta::assert_snapshot!(attempt.refused(&[]), @"
    exit 4
    error: `pipe` is a named pipe, which an image cannot take
     --> context/Dockerfile:2:6
      |
    2 | COPY . /app/
      |      ^
      |
      = hint: exclude it, in .dockerignore or with --exclude
    ");
    insta::assert_snapshot!(Attempt::of("FROM scratch\nCOPY pipe /\n").fifo("pipe").refused(&[]), @"
    exit 4
    error: `pipe` is a named pipe, which an image cannot take
     --> context/Dockerfile:2:6
      |
    2 | COPY pipe /
      |      ^^^^
      |
      = hint: exclude it, in .dockerignore or with --exclude
    ");
}

impl Attempt {
    /// Adds a named pipe to the context.
    fn fifo(self, path: &str) -> Self {
        let made = Command::new("mkfifo").arg(self.context(path)).status().unwrap();
        assert!(made.success());
        self
    }

    /// The build as somebody who is not root, for whom modes count.
    fn unprivileged(&self, more: &[&str]) -> Command {
        let command = self.command(more);
        if !rustix::process::geteuid().is_root() {
            return command;
        }
        // The scene is closed to others, and so may be the directory that the program is in.
        let (nobody, root) = (65534, self.scene.directory.path());
        fs::set_permissions(root, Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(self.scene.path("store")).unwrap();
        for path in ["store", "out", "tmp"] {
            chown(self.scene.path(path), Some(nobody), Some(nobody)).unwrap();
        }
        let program = self.scene.path("plywood");
        fs::copy(command.get_program(), &program).unwrap();
        let mut lowered = Command::new(program);
        lowered.args(command.get_args()).env_clear();
        lowered.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        lowered.current_dir(root).uid(nobody).gid(nobody);
        lowered
    }

    fn close(&self, path: &str) {
        fs::set_permissions(self.context(path), Permissions::from_mode(0o000)).unwrap();
    }

    fn open(&self, path: &str) {
        fs::set_permissions(self.context(path), Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn files_that_may_not_be_read() {
    let attempt = Attempt::of("FROM scratch\nCOPY . /app/\n").file("keys/private.pem", "secret\n");
    attempt.close("keys/private.pem");
    insta::assert_snapshot!(attempt.refusal_of(&mut attempt.unprivileged(&[])), @"
    exit 4
    error: failed to read the build context: read `context/keys/private.pem`: permission denied
    hint: make it readable, or leave it out of the build: add `keys/private.pem` to .dockerignore
    ");
    attempt.close("keys");
    insta::assert_snapshot!(attempt.refusal_of(&mut attempt.unprivileged(&[])), @"
    exit 4
    error: failed to read `context/keys`: permission denied
     --> context/Dockerfile:2:1
      |
    2 | COPY . /app/
      | ^^^^^^^^^^^^
      |
      = hint: make it readable, or leave it out of the build: add `keys` to .dockerignore
    ");
    // What is not copied need not be read, and the hint works.
    fs::write(attempt.context(".dockerignore"), "keys\n").unwrap();
    let built = attempt.unprivileged(&["--output=type=oci,dest=out/x.tar"]).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    attempt.open("keys");
}

#[test]
fn a_dockerfile_that_may_not_be_read() {
    let attempt = Attempt::of("FROM scratch\nCOPY . /app/\n");
    attempt.close("Dockerfile");
    insta::assert_snapshot!(attempt.refusal_of(&mut attempt.unprivileged(&[])), @"
    exit 4
    error: failed to read `context/Dockerfile`: Permission denied (os error 13)
    hint: make it readable for the user who builds
    ");
}

#[test]
fn a_store_that_may_not_be_written() {
    let attempt = Attempt::of("FROM scratch\nCOPY . /app/\n");
    let mut command = attempt.unprivileged(&[]);
    fs::create_dir_all(attempt.scene.path("store")).unwrap();
    fs::set_permissions(attempt.scene.path("store"), Permissions::from_mode(0o555)).unwrap();
    insta::assert_snapshot!(attempt.refusal_of(&mut command), @"
    exit 8
    error: failed to create `HOME/store/plywood/locks`: Permission denied (os error 13)
    hint: choose a directory that you may write to
    ");
    fs::set_permissions(attempt.scene.path("store"), Permissions::from_mode(0o755)).unwrap();
}

/// Somebody writes to a file all the while. It is large enough that he cannot be missed.
#[test]
fn a_file_that_grows_while_it_is_read() {
    let attempt = Attempt::of("FROM scratch\nCOPY . /app/\n").file("log", vec![b'x'; 16 << 20]);
    let ended = AtomicBool::new(false);
    let refusal = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut log = File::options().append(true).open(attempt.context("log")).unwrap();
            while !ended.load(Ordering::Relaxed) {
                log.write_all(b"another line\n").unwrap();
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
        });
        let refusal = attempt.scene.ended(&attempt.command(&[]).output().unwrap());
        ended.store(true, Ordering::Relaxed);
        refusal
    });
    insta::assert_snapshot!(crate::attempt::shown(&refusal), @"
    exit 4
    error: failed to read the build context: read `context/log`: it changed while it was read
    hint: build again when nothing writes to the context any more
    ");
    attempt.assert_nothing_left();
}

#[test]
fn tarballs_that_are_none() {
    let climbing = tar(&[file("Dockerfile", b"FROM scratch\n"), file("../victim", b"")]);
    let cut = tar(&[file("Dockerfile", b"FROM scratch\n"), file("x", &[1; 4000])]);
    let attempt = Attempt::new()
        .file("none.tar", [b'a'; 700])
        .file("cut.tar", &cut[..3000])
        .file("climbing.tar", climbing);
    let build = |name: &str| attempt.scene.refusal(&["build", "--tag=app", name]);
    insta::assert_snapshot!(build("context/cut.tar"), @"
    exit 4
    error: failed to read the build context `context/cut.tar`: read the archive: it is cut off after 3000 bytes, in `x`
    hint: the archive is incomplete or damaged: make or fetch it again
    ");
    insta::assert_snapshot!(build("context/climbing.tar"), @"
    exit 4
    error: failed to read the build context `context/climbing.tar`: accept an entry of the archive: path `../victim` has a `..` in it
    hint: the archive is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(build("context/none.tar"), @"
    exit 4
    error: failed to use `context/none.tar` as the build context: it is not a tar archive
    hint: give a directory, a tarball, or `-` for a tar on standard input
    ");
    attempt.assert_nothing_left();
}
