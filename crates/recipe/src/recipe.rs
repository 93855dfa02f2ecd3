//! The recipe: what the user asked for, typed, with its place in the file. Nothing is resolved.

use std::collections::BTreeMap;
use std::ops::Range;

use oci::{Platform, RepositoryName};

use crate::{DebianPackages, PythonPackages};

/// A byte range in the source text.
pub type Span = Range<usize>;

/// Something and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The thing.
    pub node: T,
    /// Where.
    pub span: Span,
}

/// Text in which variables are still to be expanded and quotes still to be taken off
/// ([`expand()`](crate::expand())).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As written, with line continuations already joined.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// A whole recipe: stages in order, the last one being what is built unless a target is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// The parser directives at the top.
    pub directives: Directives,
    /// `ARG`s before the first `FROM`: seen by `FROM` lines, and by stages that repeat them.
    pub global_args: Vec<Spanned<Argument>>,
    /// The stages.
    pub stages: Vec<Stage>,
    /// `# check=` comments right before an instruction, which hold for that instruction alone.
    pub local_checks: Vec<Spanned<CheckOptions>>,
    /// What to build for if the command line does not say; a Dockerfile cannot either.
    pub platforms: Vec<Platform>,
    /// Annotations of the image's manifest; a Dockerfile has none.
    pub annotations: BTreeMap<String, String>,
    /// Who keeps what came of builds; a Dockerfile does not say.
    pub cache: CacheNames,
}

/// The repositories that keep what came of builds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheNames {
    /// Those that are asked.
    pub from: Vec<RepositoryName>,
    /// Those that are told, if it is said.
    pub to: Option<Vec<RepositoryName>>,
}

/// Parser directives (`# key=value` before anything else).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directives {
    /// `syntax`: a front end image, noted and not run.
    pub syntax: Option<String>,
    /// `escape`: `\` or a backtick.
    pub escape: char,
    /// `check`: rules to skip, and whether a warning is an error.
    pub check: CheckOptions,
}

/// The `check` directive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckOptions {
    /// Rules not to report; `all` is every rule.
    pub skip: Vec<String>,
    /// Whether a reported rule fails the build.
    pub error: bool,
    /// Experimental rules to report all the same; `all` is every one.
    pub experimental: Vec<String>,
}

/// One stage: a base and what is laid on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// What the `FROM` line names.
    pub base: StageBase,
    /// Where the `FROM` line is.
    pub span: Span,
    /// The instructions that follow.
    pub instructions: Vec<Step>,
}

/// What a stage starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageBase {
    /// An image, an earlier stage, a named context or `scratch`.
    pub image: Word,
    /// `--platform`.
    pub platform: Option<Word>,
    /// `AS name`, in lower case.
    pub name: Option<Spanned<String>>,
}

/// An instruction in a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it says.
    pub instruction: Instruction,
    /// The instruction as written, continuations joined, for histories and messages.
    pub text: String,
    /// Where, from the keyword to the end of the instruction (heredocs included).
    pub span: Span,
}

/// The instructions of a Dockerfile, and those that only a `plywood.toml` has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// `ADD`
    Add(Add),
    /// `ARG`, possibly several.
    Arg(Vec<Argument>),
    /// `CMD`
    Cmd(CommandLine),
    /// `COPY`
    Copy(Copy),
    /// The packages that `[debian]` asks for; there is no keyword for it.
    Debian(DebianPackages),
    /// `ENTRYPOINT`
    Entrypoint(CommandLine),
    /// `ENV`
    Env(Vec<(Word, Word)>),
    /// `EXPOSE`
    Expose(Vec<Word>),
    /// `HEALTHCHECK`
    Healthcheck(Healthcheck),
    /// `LABEL`
    Label(Vec<(Word, Word)>),
    /// `MAINTAINER`
    Maintainer(String),
    /// `ONBUILD` and the instruction it keeps for later, as written.
    OnBuild(Spanned<String>),
    /// The packages that `[python]` asks for; there is no keyword for it.
    Python(PythonPackages),
    /// `RUN`
    Run(Run),
    /// `SHELL`
    Shell(Vec<String>),
    /// `STOPSIGNAL`
    StopSignal(Word),
    /// `USER`
    User(Word),
    /// `VOLUME`
    Volume(Vec<Word>),
    /// `WORKDIR`
    Workdir(Word),
}

/// One name of an `ARG` and its default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// The name.
    pub name: String,
    /// The default, if one was given; variables are expanded in it, not in the name.
    pub default: Option<Word>,
    /// Where.
    pub span: Span,
}

/// A command in exec form or in shell form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandLine {
    /// `["program", "argument"]`; not expanded.
    Exec(Vec<String>),
    /// Text for the shell; not expanded here.
    Shell(String),
}

/// `COPY`'s sources, destination and flags, shared with `ADD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// What to copy, at least one.
    pub sources: Vec<Source>,
    /// Where to.
    pub destination: Word,
    /// `--from`: a stage, a number, an image or a named context.
    pub from: Option<Word>,
    /// `--chown`
    pub chown: Option<Word>,
    /// `--chmod`
    pub chmod: Option<Word>,
    /// `--link`
    pub link: bool,
    /// `--parents`
    pub parents: bool,
    /// `--exclude`, each
    pub exclude: Vec<Word>,
}

/// One source of a `COPY` or `ADD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A path or pattern, or for `ADD` a URL.
    Path(Word),
    /// The text of a here-document, to become a file.
    Heredoc(Heredoc),
}

/// A here-document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// The delimiter, which is the file's name in `COPY` and `ADD`.
    pub name: String,
    /// The text; leading tabs already taken off for `<<-`.
    pub content: String,
    /// Whether variables are expanded in it: the delimiter was not quoted.
    pub expand: bool,
    /// The file descriptor written in front, as in `3<<EOF`; 0 if none was.
    pub descriptor: u32,
    /// Where the content is.
    pub span: Span,
}

/// `ADD`: a copy that can also fetch and unpack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add {
    /// Sources, destination and common flags.
    pub copy: Copy,
    /// `--checksum`
    pub checksum: Option<Word>,
    /// `--keep-git-dir`
    pub keep_git_dir: bool,
    /// `--unpack`: whether archives are unpacked; by default local ones are and remote ones not.
    pub unpack: Option<bool>,
}

/// `HEALTHCHECK`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healthcheck {
    /// `NONE`
    None,
    /// `CMD`; durations in nanoseconds, 0 for Docker's default.
    Command {
        /// What to run.
        command: CommandLine,
        /// `--interval`
        interval: i64,
        /// `--timeout`
        timeout: i64,
        /// `--start-period`
        start_period: i64,
        /// `--start-interval`
        start_interval: i64,
        /// `--retries`
        retries: i64,
    },
}

/// `RUN`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The command.
    pub command: CommandLine,
    /// Here-documents of the command, in order.
    pub heredocs: Vec<Heredoc>,
    /// `--mount`, each.
    pub mounts: Vec<Mount>,
    /// `--network`
    pub network: Option<Word>,
    /// `--security`
    pub security: Option<Word>,
    /// `--device`, each.
    pub devices: Vec<Word>,
}

/// A `--mount` of a `RUN`; values may hold variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// `type`, `bind` by default.
    pub kind: MountKind,
    /// The remaining `key=value` pairs in order, keys in lower case; a key alone has no value.
    pub options: Vec<(String, Option<String>)>,
    /// Where.
    pub span: Span,
}

impl Mount {
    /// The value of an option, by its key; the last one counts.
    pub fn option(&self, key: &str) -> Option<&str> {
        let given = self.options.iter().rev().find(|(name, _)| name == key);
        given.and_then(|(_, value)| value.as_deref())
    }
}

/// The kinds of mount that a `RUN` can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MountKind {
    /// From the context, a stage or an image.
    Bind,
    /// A directory kept between builds.
    Cache,
    /// In memory.
    Tmpfs,
    /// A secret as a file or a variable.
    Secret,
    /// An agent's socket.
    Ssh,
}

impl Instruction {
    /// The keyword, or what stands in its place.
    pub fn name(&self) -> &'static str {
        match self {
            Instruction::Add(_) => "ADD",
            Instruction::Arg(_) => "ARG",
            Instruction::Cmd(_) => "CMD",
            Instruction::Copy(_) => "COPY",
            Instruction::Entrypoint(_) => "ENTRYPOINT",
            Instruction::Env(_) => "ENV",
            Instruction::Expose(_) => "EXPOSE",
            Instruction::Healthcheck(_) => "HEALTHCHECK",
            Instruction::Label(_) => "LABEL",
            Instruction::Maintainer(_) => "MAINTAINER",
            Instruction::OnBuild(_) => "ONBUILD",
            Instruction::Debian(_) => "DEBIAN",
            Instruction::Python(_) => "PYTHON",
            Instruction::Run(_) => "RUN",
            Instruction::Shell(_) => "SHELL",
            Instruction::StopSignal(_) => "STOPSIGNAL",
            Instruction::User(_) => "USER",
            Instruction::Volume(_) => "VOLUME",
            Instruction::Workdir(_) => "WORKDIR",
        }
    }
}
