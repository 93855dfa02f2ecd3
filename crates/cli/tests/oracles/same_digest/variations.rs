//! The ways of building that must not matter.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use testbed::{Context, Failure, Plywood, Result, plywood::printed_digest, program, run, stdout};

use super::{Directory, FILES, LINKS, SPARSE, Setting, Variation};
use crate::support::plywood;

pub(super) const ALL: &[Variation] = &[
    // The environment.
    variation("TZ east", |s| environment(s, "TZ", "Asia/Kathmandu")),
    variation("TZ west", |s| environment(s, "TZ", "America/St_Johns")),
    variation("LANG", |s| environment(s, "LANG", "de_DE.UTF-8")),
    variation("LC_ALL Turkish", |s| environment(s, "LC_ALL", "tr_TR.UTF-8")),
    variation("LC_ALL C", |s| environment(s, "LC_ALL", "C")),
    variation("another user's name", |s| environment(s, "USER", "somebody-else")),
    variation("proxy", |s| environment(s, "HTTPS_PROXY", "http://127.0.0.1:9")),
    variation("no colour", |s| environment(s, "NO_COLOR", "1")),
    variation("HOME elsewhere", |s| with_directory(s, "HOME")),
    variation("HOME unset", |s| s.context()?.build_with(s, |c| c.env_remove("HOME"))),
    variation("XDG_CACHE_HOME elsewhere", |s| with_directory(s, "XDG_CACHE_HOME")),
    variation("TMPDIR elsewhere", |s| with_directory(s, "TMPDIR")),
    variation("store elsewhere", |s| with_directory(s, "PLYWOOD_STORE")),
    // The process.
    variation("one job", |s| s.context()?.build(s, &["--jobs", "1"])),
    variation("two jobs", |s| s.context()?.build(s, &["--jobs", "2"])),
    variation("seven jobs", |s| s.context()?.build(s, &["--jobs", "7"])),
    variation("one processor", one_processor),
    variation("umask of the build 077", |s| umask_of_the_build(s, "077")),
    variation("umask of the build 000", |s| umask_of_the_build(s, "000")),
    variation("another user", another_user),
    variation("plain progress", |s| s.context()?.build(s, &["--progress", "plain"])),
    variation("JSON progress", |s| s.context()?.build(s, &["--progress", "json"])),
    variation("quiet", |s| s.context()?.build(s, &["--quiet"])),
    // How the context is named.
    variation("relative path", relative_path),
    variation("path with a slash behind", slash_behind),
    variation("path through a link", path_through_a_link),
    variation("Dockerfile named", dockerfile_named),
    // How the context came to be.
    variation("old times", |s| touched(s, 0)),
    variation("times of the far future", |s| touched(s, 4_102_444_800)),
    variation("times all different", times_all_different),
    variation("created backwards", created_backwards),
    variation("checked out under umask 002", |s| checked_out(s, "002")),
    variation("checked out under umask 022", |s| checked_out(s, "022")),
    variation("owned by another user", owned_by_another_user),
    variation("directories open to a group", directories_open_to_a_group),
    variation("a real hole in the sparse file", real_hole),
    variation("in memory", in_memory),
    variation("with ignored files", with_ignored_files),
    // As a tar.
    variation("tar on stdin", |s| tar_on_stdin(s, &[])),
    variation("tar in name order", |s| tar_on_stdin(s, &["--sort=name"])),
    variation("tar by somebody", |s| tar_on_stdin(s, &["--owner=someone:4321", "--group=some:99"])),
    variation("tar in ustar", |s| tar_on_stdin(s, &["--format=ustar"])),
    variation("tar in pax", |s| tar_on_stdin(s, &["--format=pax"])),
    variation("tar with holes", |s| tar_on_stdin(s, &["--sparse"])),
    variation("tar of old times", |s| tar_on_stdin(s, &["--mtime=@1"])),
    variation("tar compressed on stdin", |s| tar_on_stdin(s, &["--gzip"])),
    variation("tar in zstd on stdin", |s| tar_on_stdin(s, &["--zstd"])),
    variation("tarball", tarball),
    // What was there before.
    variation("built before", built_before),
    variation("built before, without the cache", built_before_without_the_cache),
    variation("two builds at once", two_builds_at_once),
    variation("other content before", other_content_before),
];

const fn variation(name: &'static str, build: fn(&Setting) -> Result<String>) -> Variation {
    Variation { name, build }
}

fn environment(setting: &Setting, name: &str, value: &str) -> Result<String> {
    setting.context()?.build_with(setting, |command| command.env(name, value))
}

fn with_directory(setting: &Setting, name: &str) -> Result<String> {
    let directory = tempfile::tempdir().unwrap();
    setting.context()?.build_with(setting, |command| command.env(name, directory.path()))
}

/// Runs the command by way of another program that is given it as its last arguments.
fn by_way_of(command: &Command, program: &str, arguments: &[&str]) -> Command {
    let mut wrapper = Command::new(program);
    wrapper.args(arguments).arg(command.get_program()).args(command.get_args());
    wrapper.env_clear();
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    wrapper.envs(set);
    wrapper
}

fn one_processor(setting: &Setting) -> Result<String> {
    let (plywood, context) = (plywood()?, setting.context()?);
    let mut command = setting.command(&plywood, &[]);
    command.arg(context.path());
    printed_digest(&mut by_way_of(&command, "taskset", &["--cpu-list", "0"]))
}

fn umask_of_the_build(setting: &Setting, umask: &str) -> Result<String> {
    let (plywood, context) = (plywood()?, setting.context()?);
    let mut command = setting.command(&plywood, &[]);
    command.arg(context.path());
    let script = format!("umask {umask}; exec \"$@\"");
    printed_digest(&mut by_way_of(&command, "sh", &["-c", &script, "sh"]))
}

/// The binary may lie where only its builder can go, so the other user gets a copy.
fn another_user(setting: &Setting) -> Result<String> {
    const NOBODY: u32 = 65534;
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let binary = place.path().join("plywood");
    fs::copy(env!("CARGO_BIN_EXE_plywood"), &binary).unwrap();
    let plywood = Plywood::new(&binary)?;
    chown(plywood.home(), Some(NOBODY), Some(NOBODY)).unwrap();
    let context = setting.context()?;
    let mut command = setting.command(&plywood, &[]);
    command.arg(context.path());
    let arguments = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    printed_digest(&mut by_way_of(&command, "setpriv", &arguments))
}

fn relative_path(setting: &Setting) -> Result<String> {
    let (plywood, context) = (plywood()?, setting.context()?);
    printed_digest(setting.command(&plywood, &[]).arg(".").current_dir(context.path()))
}

fn slash_behind(setting: &Setting) -> Result<String> {
    let (plywood, context) = (plywood()?, setting.context()?);
    printed_digest(setting.command(&plywood, &[]).arg(context.path().join("src/..").join("")))
}

fn path_through_a_link(setting: &Setting) -> Result<String> {
    let (plywood, context) = (plywood()?, setting.context()?);
    let place = tempfile::tempdir().unwrap();
    let link = place.path().join("link");
    symlink(context.path(), &link).unwrap();
    printed_digest(setting.command(&plywood, &[]).arg(link))
}

fn dockerfile_named(setting: &Setting) -> Result<String> {
    let context = setting.context()?;
    let file = context.path().join("Dockerfile").display().to_string();
    context.build(setting, &["--file", &file])
}

fn touched(setting: &Setting, seconds: u64) -> Result<String> {
    let context = setting.context()?;
    touch_all(&context, |_| seconds)?;
    context.build(setting, &[])
}

fn times_all_different(setting: &Setting) -> Result<String> {
    let context = setting.context()?;
    touch_all(&context, |number| 1_000_000_000 + 86_399 * number)?;
    context.build(setting, &[])
}

/// Sets the time of every path, links too; the deepest first, so that directories keep theirs.
fn touch_all(context: &Directory, seconds: impl Fn(u64) -> u64) -> Result {
    for (number, path) in context.paths().iter().rev().enumerate() {
        let time = format!("@{}", seconds(number as u64));
        run(program("touch").args(["--no-dereference", "--date", &time]).arg(path))?;
    }
    Ok(())
}

fn created_backwards(setting: &Setting) -> Result<String> {
    let mut context = Context::new()?;
    for (path, target) in LINKS.iter().rev() {
        context = context.link(path, target)?;
    }
    context = context.file(SPARSE.0, vec![0; SPARSE.1])?;
    for (path, executable, content) in FILES.iter().rev() {
        let mode = if *executable { 0o755 } else { 0o644 };
        context = context.file_with_mode(path, content, mode)?;
    }
    Directory(context.file("Dockerfile", setting.dockerfile())?).build(setting, &[])
}

/// A clone by git, which sets modes by the umask and keeps no times.
fn checked_out(setting: &Setting, umask: &str) -> Result<String> {
    let clone = setting.context()?.remade(|from, to| {
        let script = format!(
            "umask {umask}; git init -q \"$1\" && cd \"$1\" && git add -Af . && \
             git -c user.name=n -c user.email=e commit -qm m && \
             mkdir \"$2/clone\" && git clone -q \"$1\" \"$2/clone\" && rm -rf \"$2/clone/.git\" && \
             cp -R --preserve=mode,links \"$2/clone/.\" \"$2\" && rm -rf \"$2/clone\""
        );
        run(program("sh").args(["-c", &script, "sh"]).args([from, to]))
    })?;
    let mode = fs::metadata(clone.path().join("src/main.py")).unwrap().permissions().mode() & 0o777;
    let expected = if umask == "002" { 0o664 } else { 0o644 };
    if mode != expected {
        return Err(Failure::new(format!("the clone has mode {mode:o}")));
    }
    clone.build(setting, &[])
}

fn owned_by_another_user(setting: &Setting) -> Result<String> {
    let context = setting.context()?;
    run(program("chown")
        .args(["--recursive", "--no-dereference", "1234:5678"])
        .arg(context.path()))?;
    context.build(setting, &[])
}

fn directories_open_to_a_group(setting: &Setting) -> Result<String> {
    let context = setting.context()?;
    let script = "find \"$1\" -type d -exec chmod g+w {} +";
    run(program("sh").args(["-c", script, "sh"]).arg(context.path()))?;
    context.build(setting, &[])
}

fn real_hole(setting: &Setting) -> Result<String> {
    let context = setting.context()?;
    let path = context.path().join(SPARSE.0);
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(0).unwrap();
    file.set_len(SPARSE.1 as u64).unwrap();
    context.build(setting, &[])
}

/// Another file system: other inode numbers, sizes of directories, times.
fn in_memory(setting: &Setting) -> Result<String> {
    let Ok(memory) = tempfile::tempdir_in("/dev/shm") else {
        return Err(Failure::new("there is no /dev/shm"));
    };
    copy_tree(setting.context()?.path(), memory.path())?;
    printed_digest(setting.command(&plywood()?, &[]).arg(memory.path()))
}

fn with_ignored_files(setting: &Setting) -> Result<String> {
    let context = setting.context()?.0;
    Directory(context.file("more.log", "ignored too")?.file("extra.log", "and this")?)
        .build(setting, &[])
}

fn copy_tree(from: &Path, to: &Path) -> Result {
    run(program("cp").args(["--recursive", "--preserve=mode,links"]).arg(from.join(".")).arg(to))
}

/// Makes a tar of the context and gives its bytes' place.
fn tar(context: &Directory, archive: &Path, arguments: &[&str]) -> Result {
    let mut tar = program("tar");
    tar.arg("--create").arg("--file").arg(archive).args(arguments);
    run(tar.arg("--directory").arg(context.path()).arg("."))
}

fn tar_on_stdin(setting: &Setting, arguments: &[&str]) -> Result<String> {
    let place = tempfile::tempdir().unwrap();
    let archive = place.path().join("context");
    tar(&setting.context()?, &archive, arguments)?;
    let stdin = File::open(&archive).map_err(Failure::doing("open the tar"))?;
    printed_digest(setting.command(&plywood()?, &[]).arg("-").stdin(Stdio::from(stdin)))
}

/// Without `./` in front of names, and without entries for directories.
fn tarball(setting: &Setting) -> Result<String> {
    let place = tempfile::tempdir().unwrap();
    let archive = place.path().join("context.tar.gz");
    let context = setting.context()?;
    let script = "cd \"$1\" && find . -not -type d -printf '%P\\n' | sort -r | \
        tar --create --gzip --file \"$2\" --files-from -";
    run(program("sh").args(["-c", script, "sh"]).args([context.path(), &archive]))?;
    printed_digest(setting.command(&plywood()?, &[]).arg(&archive))
}

fn built_before(setting: &Setting) -> Result<String> {
    let (plywood, context) = (plywood()?, setting.context()?);
    stdout(setting.command(&plywood, &[]).arg(context.path()))?;
    printed_digest(setting.command(&plywood, &[]).arg(context.path()))
}

fn built_before_without_the_cache(setting: &Setting) -> Result<String> {
    let (plywood, context) = (plywood()?, setting.context()?);
    stdout(setting.command(&plywood, &[]).arg(context.path()))?;
    printed_digest(setting.command(&plywood, &["--no-cache"]).arg(context.path()))
}

fn two_builds_at_once(setting: &Setting) -> Result<String> {
    let (plywood, context) = (plywood()?, setting.context()?);
    let build = || printed_digest(setting.command(&plywood, &[]).arg(context.path()));
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(build);
        (build(), one.join().unwrap())
    });
    match (one?, other?) {
        (one, other) if one == other => Ok(one),
        (one, other) => Err(Failure::new(format!("{one} and {other}"))),
    }
}

/// The caches know another version of a file, of the same size and with the same time.
fn other_content_before(setting: &Setting) -> Result<String> {
    let plywood = plywood()?;
    let (path, _, content) = FILES[3];
    let other = content.replace("main", "niam");
    let context = Directory(setting.context()?.0.file(path, other)?);
    stdout(setting.command(&plywood, &[]).arg(context.path()))?;
    let context = Directory(context.0.file(path, content)?);
    printed_digest(setting.command(&plywood, &[]).arg(context.path()))
}
