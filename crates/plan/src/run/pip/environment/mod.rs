//! `python -m venv`: a virtual environment, as the image's own `venv` would make it.
//!
//! Nothing of it is made up: the scripts that activate it are templates in the image's standard
//! library, its pip is a wheel there, and in what the versions of `venv` differ is read off its
//! source.

mod ensurepip;
mod manner;

use layer::Attributes;
use oci::ImagePath;
use shell::files::{Errno, FileError, FileResult, Last, NewNode};
use shell::options::{Known, Order, Takes, long};
use shell::{Data, Missing, Process, Reason, Stop as ShellStop};

use super::super::outside::RunOutside;
use super::called::CalledBy;
use super::gather::{Ended, number};
use super::interpreter::Python;
use super::misused;
use super::place::make_directory;
use super::scene::Scene;
use manner::Manner;

const SHOWN: &str = "python -m venv";
const FILE_MODE: u32 = 0o666;
/// The directories of templates that count on Linux.
const TEMPLATES: [&str; 2] = ["common", "posix"];

const KNOWN: &[Known] = &[
    long("--system-site-packages", &["system-site-packages"], Takes::Nothing),
    long("--symlinks", &["symlinks"], Takes::Nothing),
    long("--clear", &["clear"], Takes::Nothing),
    long("--without-pip", &["without-pip"], Takes::Nothing),
    long("--upgrade-deps", &["upgrade-deps"], Takes::Nothing),
    long("--without-scm-ignore-files", &["without-scm-ignore-files"], Takes::Nothing),
];

/// An environment while it is made.
struct Making<'a> {
    options: &'a shell::options::Options,
    /// `sys.executable`
    executable: &'a str,
    /// The same without links.
    real: ImagePath,
    python: &'a Python,
    /// The standard library.
    library: ImagePath,
    manner: Manner,
    /// The environment's directory, absolute.
    directory: ImagePath,
}

/// Whether the configuration says that the system's packages are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    Seen,
    Hidden,
}

/// Makes environments, and gives the exit status.
pub(super) fn create(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    executable: &str,
    arguments: &[String],
) -> Result<u8, Ended> {
    let words: Vec<bstr::BString> = arguments.iter().map(|word| word.as_str().into()).collect();
    let options = shell::options::Options::read(&words, KNOWN, Order::Anywhere)
        .map_err(|option| ShellStop::refuse(SHOWN, Reason::Option(option)))?;
    if options.operands.is_empty() {
        return Err(misused(SHOWN, "is given no directory".to_owned()).into());
    }
    let scene = Scene::of(run, &process.machine.files)?;
    let python = Python::find(run, process, &scene, executable)?;
    if python.is_environment {
        let reason = "is run by the Python of another environment, which is not built in";
        return Err(misused(SHOWN, reason.to_owned()).into());
    }
    let real = match process.find(executable.as_bytes(), Last::Followed) {
        Ok((real, _)) => real,
        Err(FileError::Errno(errno)) => return Err(failed(process, errno, executable)),
        Err(FileError::Stop(stop)) => return Err(stop.into()),
    };
    let prefix = real.parent().and_then(|bin| bin.parent()).unwrap_or_else(ImagePath::root);
    let library = prefix.join("lib").join(format!("python{}", python.series()));
    read_ahead(run, process, &library)?;
    let Some(source) = text(process, &library.join("venv/__init__.py"))? else {
        let line = format!("{executable}: No module named venv\n");
        process.write_to(2, line.as_bytes())?;
        return Ok(1);
    };
    let manner = Manner::of(&source, &python)?;
    for written in &options.operands {
        let directory = match written.starts_with(b"/") {
            true => ImagePath::lexical(&written[..]),
            false => process.directory.join(&written[..]),
        };
        if directory.to_str().is_none_or(|text| text.contains([':', '\n'])) {
            let reason = "is given a directory with characters that have no place in a `PATH`";
            return Err(misused(SHOWN, reason.to_owned()).into());
        }
        let making = Making {
            options: &options,
            executable,
            real: real.clone(),
            python: &python,
            library: library.clone(),
            manner,
            directory,
        };
        let status = making.make(run, process)?;
        if status != 0 {
            return Ok(status);
        }
    }
    Ok(0)
}

/// Asks for everything at once that will be read: each round may cost a pass over a layer.
fn read_ahead(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    library: &ImagePath,
) -> Result<(), ShellStop> {
    let mut paths = vec![library.join("venv/__init__.py"), library.join("ensurepip/__init__.py")];
    for part in TEMPLATES {
        let directory = library.join("venv/scripts").join(part);
        match process.machine.files.read_dir(&directory) {
            Ok(names) => paths.extend(names.into_keys().map(|name| directory.join(&name[..]))),
            Err(FileError::Errno(_)) => {}
            Err(FileError::Stop(stop)) => return Err(stop),
        }
    }
    let mut is_missing = false;
    for path in paths {
        match process.open_bytes(&[b"/", path.as_bytes()].concat()) {
            Ok(_) | Err(FileError::Errno(_)) => {}
            Err(FileError::Stop(ShellStop::Missing(missing))) => {
                run.need(missing);
                is_missing = true;
            }
            Err(FileError::Stop(stop)) => return Err(stop),
        }
    }
    match is_missing {
        true => Err(ShellStop::Missing(Missing::Told)),
        false => Ok(()),
    }
}

/// What `venv` says when a file operation fails.
fn failed(process: &mut Process<'_, '_>, errno: Errno, path: &str) -> Ended {
    let line = format!("Error: [Errno {}] {errno}: '{path}'\n", number(errno));
    match process.write_to(2, line.as_bytes()) {
        Ok(()) => Ended::Status(1),
        Err(stop) => Ended::Stop(stop),
    }
}

/// The text of a file; `None` if there is none.
fn text(process: &mut Process<'_, '_>, path: &ImagePath) -> Result<Option<String>, ShellStop> {
    match process.open_bytes(&[b"/", path.as_bytes()].concat()) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(FileError::Errno(_)) => Ok(None),
        Err(FileError::Stop(stop)) => Err(stop),
    }
}

impl Making<'_> {
    fn make(
        &self,
        run: &RunOutside<'_, '_, '_>,
        process: &mut Process<'_, '_>,
    ) -> Result<u8, Ended> {
        let made = self.make_files(process);
        self.settle(process, made)?;
        if !self.options.has("--without-pip") {
            let making = ensurepip::Bundle {
                library: &self.library,
                executable: self.own_executable(),
                python: self.python,
            };
            let status = making.install(run, process)?;
            if status != 0 {
                return Ok(status);
            }
        }
        let made = self.make_scripts(process);
        self.settle(process, made)?;
        if self.options.has("--system-site-packages") {
            let made = self.write_configuration(process, System::Seen);
            self.settle(process, made)?;
        }
        match self.options.has("--upgrade-deps") {
            true => self.upgrade(run, process),
            false => Ok(0),
        }
    }

    /// `CORE_VENV_DEPS`
    fn upgrade(
        &self,
        run: &RunOutside<'_, '_, '_>,
        process: &mut Process<'_, '_>,
    ) -> Result<u8, Ended> {
        let mut arguments = ["install", "-q", "--upgrade", "pip"].map(str::to_owned).to_vec();
        let version = &self.python.interpreter().version;
        if (version.major, version.minor) < (3, 12) {
            arguments.push("setuptools".to_owned());
        }
        super::pip(run, process, &self.own_executable(), CalledBy::Module, &arguments)
    }

    fn settle(&self, process: &mut Process<'_, '_>, result: FileResult<()>) -> Result<(), Ended> {
        match result {
            Ok(()) => Ok(()),
            Err(FileError::Stop(stop)) => Err(stop.into()),
            Err(FileError::Errno(errno)) => {
                Err(failed(process, errno, &format!("/{}", self.directory)))
            }
        }
    }

    /// The environment's own interpreter, by the name that the other one was called by.
    fn own_executable(&self) -> String {
        format!("/{}", self.directory.join("bin").join(self.name()))
    }

    fn name(&self) -> &str {
        self.executable.rsplit('/').next().unwrap_or_default()
    }

    /// All but scripts and packages.
    fn make_files(&self, process: &mut Process<'_, '_>) -> FileResult<()> {
        let series = format!("python{}", self.python.series());
        if self.options.has("--clear") {
            self.clear(process)?;
        }
        let root = &self.directory;
        make_directory(process, root)?;
        let headers = match self.manner.has_own_headers {
            true => root.join("include").join(&series),
            false => root.join("include"),
        };
        make_directory(process, &headers)?;
        make_directory(process, &root.join("lib").join(&series).join("site-packages"))?;
        link(process, &root.join("lib64"), b"lib")?;
        let bin = root.join("bin");
        make_directory(process, &bin)?;
        if self.is_ignored_by_git() {
            write(process, &root.join(".gitignore"), manner::GIT_IGNORE)?;
        }
        self.write_configuration(process, System::Hidden)?;
        link(process, &bin.join(self.name()), self.executable.as_bytes())?;
        for name in self.manner.names(&self.python.series()) {
            link(process, &bin.join(name), self.name().as_bytes())?;
        }
        Ok(())
    }

    fn is_ignored_by_git(&self) -> bool {
        self.manner.ignores_git && !self.options.has("--without-scm-ignore-files")
    }

    fn clear(&self, process: &mut Process<'_, '_>) -> FileResult<()> {
        let path = [b"/", self.directory.as_bytes()].concat();
        let located = process.locate(&path, Last::Followed)?;
        if !located.stat.is_some_and(|stat| stat.is_directory()) {
            return Ok(());
        }
        for name in process.machine.files.read_dir(&located.path)?.into_keys() {
            process.machine.files.remove_all(&located.path.join(&name[..]))?;
        }
        Ok(())
    }

    /// `pyvenv.cfg`
    fn write_configuration(&self, process: &mut Process<'_, '_>, system: System) -> FileResult<()> {
        let home = self.executable.rsplit_once('/').map_or("", |(home, _)| home);
        let sees_system = system == System::Seen;
        let version = self.python.interpreter().version.full();
        let mut lines = format!(
            "home = {home}\ninclude-system-site-packages = {sees_system}\nversion = {version}\n"
        );
        if self.manner.tells_command {
            let mut arguments = Vec::new();
            let given = |id: &str| self.options.has(id);
            if given("--without-pip") {
                arguments.push("--without-pip".to_owned());
            }
            if sees_system {
                arguments.push("--system-site-packages".to_owned());
            }
            let flags = ["--clear", "--upgrade-deps"];
            arguments.extend(flags.into_iter().filter(|id| given(id)).map(str::to_owned));
            if self.manner.ignores_git && given("--without-scm-ignore-files") {
                arguments.push("--without-scm-ignore-files".to_owned());
            }
            arguments.push(format!("/{}", self.directory));
            let (executable, arguments) = (self.executable, arguments.join(" "));
            lines.push_str(&format!(
                "executable = /{}\ncommand = {executable} -m venv {arguments}\n",
                self.real
            ));
        }
        write(process, &self.directory.join("pyvenv.cfg"), &lines)
    }

    /// The scripts that activate it, from the templates of the standard library.
    fn make_scripts(&self, process: &mut Process<'_, '_>) -> FileResult<()> {
        for part in TEMPLATES {
            let directory = self.library.join("venv/scripts").join(part);
            let from = [b"/", directory.as_bytes()].concat();
            let located = process.locate(&from, Last::Followed)?;
            if located.stat.is_none() {
                continue;
            }
            for (name, stat) in process.machine.files.read_dir(&located.path)? {
                let Some(data) = stat.data().cloned() else {
                    let reason = "finds a template that is no file".to_owned();
                    return Err(misused(SHOWN, reason).into());
                };
                let target = self.directory.join("bin").join(&name[..]);
                self.make_script(process, &target, &data, &stat.attributes)?;
            }
        }
        Ok(())
    }

    fn make_script(
        &self,
        process: &mut Process<'_, '_>,
        target: &ImagePath,
        template: &Data,
        attributes: &Attributes,
    ) -> FileResult<()> {
        let bytes = process.bytes(template)?;
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return Err(misused(SHOWN, "finds a template that is not UTF-8".to_owned()).into());
        };
        let name = String::from_utf8_lossy(target.file_name().unwrap_or_default()).into_owned();
        let filled = self.manner.fill(text, &name, &self.directory, &self.own_executable());
        let is_as_it_was = filled == text;
        write(process, target, &filled)?;
        let located = process.locate(&[b"/", target.as_bytes()].concat(), Last::Followed)?;
        process.machine.files.set_mode(&located.path, attributes.mode)?;
        if is_as_it_was && self.manner.copies_times {
            process.machine.files.set_time(&located.path, attributes.mtime)?;
        }
        Ok(())
    }
}

/// Writes a file, as `open(path, 'w')` and what follows it do.
fn write(process: &mut Process<'_, '_>, path: &ImagePath, text: &str) -> FileResult<()> {
    let located = process.locate(&[b"/", path.as_bytes()].concat(), Last::Followed)?;
    let data = Data::of(text);
    let mode = FILE_MODE & !process.umask;
    match located.stat {
        Some(_) => process.machine.files.write(&located.path, data),
        None => process.machine.files.make(&located.path, NewNode::File(data), mode),
    }
}

/// Makes a symbolic link, unless something is there.
fn link(process: &mut Process<'_, '_>, path: &ImagePath, target: &[u8]) -> FileResult<()> {
    let located = process.locate(&[b"/", path.as_bytes()].concat(), Last::Kept)?;
    match located.stat {
        Some(_) => Ok(()),
        None => process.machine.files.make(&located.path, NewNode::Symlink(target.to_vec()), 0o777),
    }
}
