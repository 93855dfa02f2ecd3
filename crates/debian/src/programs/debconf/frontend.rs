//! Who asks the questions: nobody, or a terminal that is not there (debconf(7), "Frontends").

use bstr::{BStr, BString, ByteSlice};
use shell::files::Last;
use shell::process::errno;
use shell::{Process, Reason, Stop};

use super::session::Session;
use super::words::{joined, wrap};

/// A front end.
#[derive(Debug, Clone, Default)]
pub(super) struct FrontEnd {
    pub(super) kind: Kind,
    /// There is a program to send mail by, which errors that nobody sees are sent with.
    pub(super) can_mail: bool,
    title: BString,
}

/// Kinds of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    /// Nobody is asked.
    #[default]
    Noninteractive,
    /// Lines are written and read.
    Teletype,
    /// A program that paints windows.
    Dialog,
}

/// How wide the texts of a front end are.
const WIDTH: usize = 76;
const TELETYPE_WIDTH: usize = 80;

const NO_DIALOG: &str =
    "No usable dialog-like program is installed, so the dialog based frontend cannot be used.";

impl Kind {
    /// Whether there is somebody to be asked.
    pub(super) fn is_interactive(self) -> bool {
        self != Kind::Noninteractive
    }

    /// What it can do beyond asking.
    pub(super) fn capability(self) -> &'static str {
        if self == Kind::Dialog { "backup" } else { "" }
    }
}

impl Session {
    /// Chooses a front end, as the settings have it and the image allows, and says which ones do
    /// not work.
    pub(super) fn choose_frontend(&mut self, process: &mut Process<'_, '_>) -> Result<(), Stop> {
        let has_address =
            self.settings.preferred("DEBCONF_ADMIN_EMAIL", "admin_email") != Some(BStr::new(""));
        self.frontend.can_mail = has_address && in_path(process, "mail")?;
        let wanted = self.wanted_frontend();
        let wanted = match wanted.to_str() {
            Ok(name) if name.bytes().all(|byte| is_of_word(byte) || byte == b'-') => name,
            _ => {
                let why = format!("is to ask by {wanted}, which is no front end");
                return Err(process.refuse(Reason::Use(why)));
            }
        };
        if wanted.starts_with(|first: char| first.is_ascii_uppercase()) {
            self.warn(b"Please do not capitalize the first letter of the debconf frontend.");
        }
        let wanted = capitalized(wanted);
        for (at, name) in candidates(&wanted).enumerate() {
            if at > 0 {
                self.warn(format!("falling back to frontend: {name}").as_bytes());
            }
            match begin(process, name)? {
                Ok(kind) => {
                    self.frontend.kind = kind;
                    return Ok(());
                }
                Err(why) => {
                    self.warn(format!("unable to initialize frontend: {name}").as_bytes());
                    self.warn(format!("({why})").as_bytes());
                }
            }
        }
        Ok(())
    }

    /// The front end that is asked for.
    pub(super) fn wanted_frontend(&mut self) -> BString {
        if let Some(name) = self.settings.preferred("DEBIAN_FRONTEND", "frontend") {
            return name.into();
        }
        let value = self.value_if_known("debconf/frontend");
        value.map_or_else(
            || "dialog".into(),
            |value| {
                let (first, rest) = value.split_at(1);
                [&first.to_ascii_lowercase(), rest].concat().into()
            },
        )
    }

    /// The title that questions of a package have.
    pub(super) fn set_default_title(&mut self, package: &BStr) {
        self.frontend.title = joined(&[b"Configuring ", package]);
    }

    pub(super) fn set_title(&mut self, title: BString) {
        self.frontend.title = title;
    }

    /// Shows a text, below the title if that was not shown yet.
    pub(super) fn display(&mut self, text: &[u8]) {
        let width = match self.frontend.kind {
            Kind::Noninteractive => WIDTH,
            _ => {
                let columns = self.settings.variable("COLUMNS").and_then(|it| it.to_str().ok());
                columns.and_then(|columns| columns.parse().ok()).unwrap_or(TELETYPE_WIDTH)
            }
        };
        let is_terse = self.settings.preferred("DEBCONF_TERSE", "terse") == Some(BStr::new("true"));
        if is_terse && self.frontend.kind == Kind::Teletype {
            return;
        }
        let title = std::mem::take(&mut self.frontend.title);
        if !title.is_empty() {
            let line = vec![b'-'; title.len()];
            self.output.extend([&title[..], b"\n", &line, b"\n\n"].concat());
        }
        let text = wrap(text, width);
        // Of newlines at the end, one makes an empty line.
        let lines = text.trim_end_with(|letter| letter == '\n');
        if !lines.is_empty() {
            self.output.extend([lines, b"\n"].concat());
        }
        if lines.len() < text.len() {
            self.output.push(b'\n');
        }
    }
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn capitalized(name: &str) -> String {
    let mut name = name.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

/// A front end, and those that are tried if it does not work.
fn candidates(wanted: &str) -> impl Iterator<Item = &str> {
    let fallbacks: &[&str] = match wanted {
        "Kde" => &["Qt", "Dialog", "Readline", "Teletype"],
        "Qt" | "Gnome" | "Web" | "Gtk" | "Slang" => &["Dialog", "Readline", "Teletype"],
        "Dialog" | "Editor" => &["Readline", "Teletype"],
        "Readline" => &["Teletype", "Dialog"],
        "Text" => &["Readline", "Teletype", "Dialog"],
        _ => &[],
    };
    std::iter::once(wanted).chain(fallbacks.iter().copied()).chain(["Noninteractive"])
}

/// A front end that works; the error is why this one does not.
fn begin(process: &mut Process<'_, '_>, name: &str) -> Result<Result<Kind, String>, Stop> {
    match name {
        "Noninteractive" => Ok(Ok(Kind::Noninteractive)),
        "Teletype" => Ok(Ok(Kind::Teletype)),
        "Dialog" => dialog(process),
        // There is no terminal; what is needed else for one is looked for first.
        "Readline" => Ok(Err(match has_file(process, READLINE)? {
            true => "This frontend requires a controlling tty.".to_owned(),
            false => lacks_readline(process)?,
        })),
        "Kde" | "Qt" | "Gnome" | "Gtk" | "Web" | "Editor" => {
            Err(process.refuse(Reason::Use(format!("is to ask by the front end {name}"))))
        }
        _ => {
            // What is behind the first word is a matter of Perl's that it does not come to.
            let name = name.split('-').next().unwrap_or_default();
            Ok(Err(format!(
                "Can't locate Debconf/FrontEnd/{name}.pm in @INC (you may need to install the \
                 Debconf::FrontEnd::{name} module) (@INC contains: {}) at (eval 16) line 2.",
                places_of_modules(process)?
            )))
        }
    }
}

const READLINE: &[&str] = &["perl", "Term/ReadLine.pm"];

fn lacks_readline(process: &mut Process<'_, '_>) -> Result<String, Stop> {
    Ok(format!(
        "Can't locate Term/ReadLine.pm in @INC (you may need to install the Term::ReadLine module) \
         (@INC contains: {}) at /usr/share/perl5/Debconf/FrontEnd/Readline.pm line 7.",
        places_of_modules(process)?
    ))
}

fn dialog(process: &mut Process<'_, '_>) -> Result<Result<Kind, String>, Stop> {
    let variable = |name: &str| process.environment.get(BStr::new(name)).cloned();
    let why = match variable("TERM").unwrap_or_default() {
        term if term.is_empty() => "TERM is not set, so the dialog frontend is not usable.",
        term if term.to_ascii_lowercase().contains_str("emacs") => {
            "Dialog frontend is incompatible with emacs shell buffers"
        }
        term if term == "dumb" || term == "unknown" => {
            "Dialog frontend will not work on a dumb terminal, an emacs shell buffer, or without a \
             controlling terminal."
        }
        _ if in_path(process, "whiptail")? || in_path(process, "dialog")? => {
            return Ok(Ok(Kind::Dialog));
        }
        _ => {
            let module = "/usr/share/perl5/Debconf/FrontEnd/Dialog.pm";
            let line = match errno(process.open_bytes(module.as_bytes()))? {
                Ok(text) => text.lines().position(|line| line.contains_str(NO_DIALOG)),
                Err(_) => None,
            };
            let line = line.map_or(78, |line| line + 1);
            return Ok(Err(format!("{NO_DIALOG} at {module} line {line}.")));
        }
    };
    Ok(Err(why.to_owned()))
}

/// Whether `PATH` has a program of this name.
pub(super) fn in_path(process: &mut Process<'_, '_>, name: &str) -> Result<bool, Stop> {
    let path = process.environment.get(BStr::new("PATH")).map(|path| &path[..]);
    let found =
        shell::execute::look_up(&process.machine.files, &process.directory, path, name.as_bytes())?;
    Ok(matches!(found, shell::execute::Lookup::Found { .. }))
}

/// The version of the image's Perl, `5.36.0`: what its program is called by, too.
fn version(process: &mut Process<'_, '_>) -> Result<String, Stop> {
    let Ok((programs, _)) = errno(process.find(b"/usr/bin", Last::Followed))? else {
        return Ok(String::new());
    };
    let Ok(entries) = errno(process.machine.files.read_dir(&programs))? else {
        return Ok(String::new());
    };
    let version = |name: &BString| {
        let version = name.strip_prefix(b"perl")?.to_str().ok()?;
        let is_whole = version.split('.').count() == 3
            && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        is_whole.then(|| version.to_owned())
    };
    Ok(entries.keys().find_map(version).unwrap_or_default())
}

/// Where Debian's Perl looks for modules (perl(1), "@INC").
fn places_of_modules(process: &mut Process<'_, '_>) -> Result<String, Stop> {
    let whole = version(process)?;
    let short = whole.rsplit_once('.').map_or("", |(short, _)| short);
    let machine = match process.machine.platform.architecture.as_str() {
        "amd64" => "x86_64-linux-gnu",
        "arm64" => "aarch64-linux-gnu",
        "386" => "i386-linux-gnu",
        "arm" => "arm-linux-gnueabihf",
        "ppc64le" => "powerpc64le-linux-gnu",
        "s390x" => "s390x-linux-gnu",
        "riscv64" => "riscv64-linux-gnu",
        other => other,
    };
    Ok(format!(
        "/etc/perl /usr/local/lib/{machine}/perl/{whole} /usr/local/share/perl/{whole} \
         /usr/lib/{machine}/perl5/{short} /usr/share/perl5 /usr/lib/{machine}/perl-base \
         /usr/lib/{machine}/perl/{short} /usr/share/perl/{short} /usr/local/lib/site_perl"
    ))
}

/// Whether Perl has this module of its own.
fn has_file(process: &mut Process<'_, '_>, module: &[&str]) -> Result<bool, Stop> {
    let whole = version(process)?;
    let short = whole.rsplit_once('.').map_or("", |(short, _)| short).to_owned();
    for version in [whole, short] {
        let path = format!("/usr/share/{}/{version}/{}", module[0], module[1]);
        if errno(process.find(path.as_bytes(), Last::Followed))?.is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}
