//! The commands that a script speaks to debconf by, and what they are answered (debconf-devel(7),
//! "THE DEBCONF PROTOCOL").

use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use shell::files::{FileError, Last};
use shell::machine::Machine;
use shell::{Reason, Stop};

use super::elements::{Element, Shown};
use super::language::Wording;
use super::session::{Session, rank};
use super::words::{escape, joined, split_escaped_words, split_words};

/// One conversation: whoever speaks, and what is asked of it.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// The package that owns what is made.
    pub(super) owner: BString,
    capabilities: Option<Vec<BString>>,
    /// Questions that are to be asked, and are not yet.
    elements: Vec<Element>,
    busy: Vec<BString>,
    /// Questions that are seen once all is over.
    seen: Vec<BString>,
    has_progress: bool,
    has_ended: bool,
}

/// A code, and what stands behind it.
struct Reply(u8, Option<BString>);

const SUCCESS: u8 = 0;
const ESCAPED_DATA: u8 = 1;
const BAD_PARAMETERS: u8 = 10;
const SYNTAX_ERROR: u8 = 20;
const INVISIBLE: u8 = 30;
const BAD_VERSION: u8 = 30;
const INTERNAL_ERROR: u8 = 100;

type Answer = Result<Reply, Stop>;

/// A file's bytes by its path, for the command that reads one.
type ReadFile<'a> = dyn FnMut(&BStr) -> Result<Result<Arc<[u8]>, String>, Stop> + 'a;

/// The bytes of the file at a path.
pub(super) fn read_file(
    machine: &mut Machine<'_>,
    directory: &oci::ImagePath,
    path: &BStr,
) -> Result<Result<Arc<[u8]>, String>, Stop> {
    let found = machine.files.find(directory, path, Last::Followed);
    let data = found.and_then(|(path, _)| machine.files.data(&path));
    match data {
        Ok(data) => Ok(Ok(data.bytes(machine.outside, &mut machine.budget)?)),
        Err(FileError::Errno(error)) => Ok(Err(error.to_string())),
        Err(FileError::Stop(stop)) => Err(stop),
    }
}

impl Module {
    pub(super) fn new(owner: &BStr) -> Self {
        Module { owner: owner.into(), ..Module::default() }
    }

    /// What a line is answered, without the end of a line.
    pub(super) fn answer(
        &mut self,
        session: &mut Session,
        line: &[u8],
        files: &mut ReadFile<'_>,
    ) -> Result<BString, Stop> {
        if self.has_ended {
            return Ok(BString::default());
        }
        let mut words = match self.escapes() {
            true => split_escaped_words(line).into_iter(),
            false => split_words(line).into_iter(),
        };
        let line = line.as_bstr();
        let Some(command) = words.next().map(|word| word.to_ascii_lowercase()) else {
            return Ok(format!("20 Bad line \"{line}\" received from confmodule.").into());
        };
        let words: Vec<BString> = words.collect();
        if command == b"stop" {
            self.finish(session);
            return Ok(BString::default());
        }
        let Reply(code, text) = match self.command(session, &command, &words, files)? {
            Some(reply) => reply,
            None => {
                let what: [&[u8]; 5] = [
                    b"Unsupported command \"",
                    &command,
                    b"\" (full line was \"",
                    line,
                    b"\") received from confmodule.",
                ];
                Reply(SYNTAX_ERROR, Some(joined(&what)))
            }
        };
        let text = text.map(|text| [b" ", &text[..]].concat()).unwrap_or_default();
        let answer = [code.to_string().as_bytes(), &text].concat();
        // An answer is a line.
        Ok(answer.split(|byte| *byte == b'\n').next().unwrap_or_default().into())
    }

    /// The end of the conversation: what was shown is seen.
    pub(super) fn finish(&mut self, session: &mut Session) {
        self.has_ended = true;
        for question in std::mem::take(&mut self.seen) {
            if session.has_question(question.as_bstr()) {
                session.set_flag(question.as_bstr(), BStr::new("seen"), BStr::new("true"));
            }
        }
    }

    /// Whether the conversation is over.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    fn escapes(&self) -> bool {
        self.capabilities.as_ref().is_some_and(|all| all.iter().any(|it| *it == "escape"))
    }

    fn command(
        &mut self,
        session: &mut Session,
        command: &[u8],
        words: &[BString],
        files: &mut ReadFile<'_>,
    ) -> Result<Option<Reply>, Stop> {
        let all: Vec<&BStr> = words.iter().map(|word| word.as_bstr()).collect();
        let answer = match (command, &all[..]) {
            (b"capb", all) => self.capability(session, all),
            (b"version", []) => text(SUCCESS, "2.0"),
            (b"version", [version]) => check_version(version),
            (b"title", all) => {
                session.set_title(bstr::join(" ", all).into());
                done()
            }
            (b"beginblock" | b"endblock", _) => done(),
            (b"clear", []) => {
                self.elements.clear();
                self.busy.clear();
                done()
            }
            (b"go", []) => return self.go(session).map(Some),
            (b"info", []) => done(),
            (b"purge", []) => {
                for question in session.config.names() {
                    session.remove_question_owner(question.as_bstr(), self.owner.as_bstr());
                }
                done()
            }
            (b"exist", [question]) => boolean(session.has_question(question)),
            (b"data", [template, item, value @ ..]) if !value.is_empty() => {
                return self.data(session, template, item, value).map(Some);
            }
            (b"x_loadtemplatefile", [file, owner @ ..]) if owner.len() < 2 => {
                let owner = owner.first().copied().unwrap_or(self.owner.as_bstr()).to_owned();
                return load_file(session, file, owner.as_bstr(), files).map(Some);
            }
            (b"progress", [subcommand, words @ ..]) => {
                return self.progress(session, subcommand, words).map(Some);
            }
            (b"register", [template, name]) => {
                return self.register(session, template, name).map(Some);
            }
            _ => return self.of_question(session, command, &all),
        };
        Ok(Some(answer))
    }

    /// Commands about one question that has to be there.
    fn of_question(
        &mut self,
        session: &mut Session,
        command: &[u8],
        words: &[&BStr],
    ) -> Result<Option<Reply>, Stop> {
        let (at, least, most) = match command {
            b"input" | b"visible" => (1, 2, 2),
            b"settitle" | b"get" | b"reset" | b"unregister" => (0, 1, 1),
            b"metaget" | b"fget" => (0, 2, 2),
            b"set" => (0, 1, usize::MAX),
            b"subst" => (0, 2, usize::MAX),
            b"fset" => (0, 3, usize::MAX),
            b"info" => (0, 1, 1),
            b"version"
            | b"clear"
            | b"go"
            | b"purge"
            | b"exist"
            | b"data"
            | b"progress"
            | b"x_loadtemplatefile"
            | b"register" => return Ok(Some(wrong_number())),
            _ => return Ok(None),
        };
        if words.len() < least || words.len() > most {
            return Ok(Some(wrong_number()));
        }
        let name = words[at];
        if !session.has_question(name) {
            let quoted = matches!(command, b"input" | b"settitle" | b"info");
            let quote: &[u8] = if quoted { b"\"" } else { b"" };
            let what = joined(&[quote, name, quote, b" doesn't exist"]);
            return Ok(Some(Reply(BAD_PARAMETERS, Some(what))));
        }
        Ok(Some(match (command, words) {
            (b"input", [priority, _]) => return self.input(session, priority, name).map(Some),
            (b"settitle", _) => {
                let title = session.wording(name, "description", Wording::Shown);
                session.set_title(title);
                done()
            }
            (b"get", _) => self.value(session.value(name)),
            (b"set", [_, value @ ..]) => {
                session.set_value(name, bstr::join(" ", value).into());
                text(SUCCESS, "value set")
            }
            (b"reset", _) => {
                let default = session.text(name, "default", Wording::Shown);
                session.set_value(name, default);
                session.set_flag(name, BStr::new("seen"), BStr::new("false"));
                done()
            }
            (b"subst", [_, variable, value @ ..]) => {
                session.set_variable(name, variable, bstr::join(" ", value).into());
                done()
            }
            (b"unregister", _) => self.unregister(session, name),
            (b"metaget", [_, field]) => return self.metadata(session, name, field).map(Some),
            (b"fget", [_, flag]) => Reply(SUCCESS, Some(session.flag(name, flag))),
            (b"fset", [_, flag, value @ ..]) => {
                if *flag == "seen" {
                    self.seen.retain(|seen| *seen != name);
                }
                let value = BString::from(bstr::join(" ", value));
                session.set_flag(name, flag, value.as_bstr());
                Reply(SUCCESS, Some(session.flag(name, flag)))
            }
            // `visible` always is; of the terminal's titles there is nothing to see.
            (b"visible", _) => text(SUCCESS, "true"),
            _ => done(),
        }))
    }

    fn capability(&mut self, session: &Session, words: &[&BStr]) -> Reply {
        self.capabilities = Some(words.iter().map(|word| BString::from(*word)).collect());
        text(SUCCESS, &format!("multiselect escape {}", session.frontend.kind.capability()))
    }

    /// A value, escaped for whoever has asked for that.
    fn value(&self, value: BString) -> Reply {
        match self.escapes() {
            true => Reply(ESCAPED_DATA, Some(escape(&value).into())),
            false => Reply(SUCCESS, Some(value)),
        }
    }

    fn input(&mut self, session: &mut Session, priority: &BStr, name: &BStr) -> Answer {
        let Some(rank_of_question) = rank(priority) else {
            let what = joined(&[b"\"", priority, b"\" is not a valid priority"]);
            return Ok(Reply(SYNTAX_ERROR, Some(what)));
        };
        session.questions.insert(name.into(), Some(priority.into()));
        let kind = session.kind(name);
        let mut is_visible = true;
        if kind != "error" {
            let least = session.priority();
            let is_important = rank(least.as_bstr()).is_none_or(|least| rank_of_question >= least);
            is_visible = is_important && (session.shows_seen || !session.is_seen(name));
        }
        let mut marks_seen = is_visible;
        if is_visible && !session.frontend.kind.is_interactive() {
            is_visible = false;
            let also =
                session.settings.preferred("DEBCONF_NONINTERACTIVE_SEEN", "noninteractive_seen");
            marks_seen = also == Some(BStr::new("true"));
        }
        let shown = match is_visible && Shown::of(session, name, kind.as_bstr()) == Shown::ToPeople
        {
            true => Shown::ToPeople,
            false => Shown::ToNobody,
        };
        self.busy.push(name.into());
        if !self.elements.iter().any(|element| element.question == name) {
            self.elements.push(Element { question: name.into(), kind, shown, marks_seen });
        }
        Ok(match shown {
            Shown::ToPeople => text(SUCCESS, "question will be asked"),
            Shown::ToNobody => text(INVISIBLE, "question skipped"),
        })
    }

    fn go(&mut self, session: &mut Session) -> Answer {
        for element in std::mem::take(&mut self.elements) {
            let value = element.show(session)?;
            session.set_value(element.question.as_bstr(), value);
            if element.marks_seen {
                self.seen.push(element.question);
            }
        }
        self.busy.clear();
        Ok(text(SUCCESS, "ok"))
    }

    fn register(&mut self, session: &mut Session, template: &BStr, name: &BStr) -> Answer {
        if !session.has_question(template) {
            let what = joined(&[b"No such template, \"", template, b"\""]);
            return Ok(Reply(BAD_PARAMETERS, Some(what)));
        }
        let kind = session.kind(template);
        let owner = self.owner.as_bstr();
        if !session.has_question(name) {
            session.new_question(name, owner, kind.as_bstr())?;
        }
        session.add_question_owner(name, owner, kind.as_bstr());
        session.set_template(name, template);
        Ok(done())
    }

    fn unregister(&mut self, session: &mut Session, name: &BStr) -> Reply {
        if self.busy.iter().any(|busy| *busy == name) {
            let what = joined(&[name, b" is busy, cannot unregister right now"]);
            return Reply(BAD_PARAMETERS, Some(what));
        }
        session.remove_question_owner(name, self.owner.as_bstr());
        done()
    }

    fn metadata(&mut self, session: &mut Session, name: &BStr, field: &BStr) -> Answer {
        let field_name = field.to_ascii_lowercase();
        let value = match field_name.to_str() {
            Ok("name") => name.into(),
            Ok("priority") => match session.questions.get(name).cloned().flatten() {
                Some(priority) => priority,
                None => return Ok(text(BAD_PARAMETERS, &format!("{field} does not exist"))),
            },
            Ok("value") => session.value(name),
            Ok("template") => session.config.field(name, "template").unwrap_or_default().into(),
            Ok("owners") => {
                let owners = session.config.record(name).map(|record| record.owners.iter());
                bstr::join(", ", owners.into_iter().flatten()).into()
            }
            Ok(field @ ("description" | "extended_description" | "choices")) => {
                session.wording(name, field, Wording::Shown)
            }
            Ok(field) if is_method(field) => {
                return Err(refuse(format!("is asked for {field}, which debconf has by accident")));
            }
            Ok(field) => {
                let value = session.text(name, field, Wording::Shown);
                let texts = ["description-", "extended_description-", "choices-"];
                match texts.iter().any(|text| field.starts_with(text)) {
                    true => session.expanded(name, &value),
                    false => value,
                }
            }
            Err(_) => return Err(refuse("is asked for a field that is no text".to_owned())),
        };
        Ok(self.value(value))
    }

    fn progress(&mut self, session: &mut Session, subcommand: &BStr, words: &[&BStr]) -> Answer {
        if session.frontend.kind.is_interactive() {
            return Err(refuse("shows progress".to_owned()));
        }
        let question = match (&subcommand.to_ascii_lowercase()[..], words) {
            (b"start", [least, most, _]) if number(least) > number(most) => {
                return Ok(text(SYNTAX_ERROR, &format!("min ({least}) > max ({most})")));
            }
            (b"start", [_, _, question]) | (b"info", [question]) => Some(*question),
            (b"set" | b"step", [_]) | (b"stop", []) => None,
            (b"start" | b"info" | b"set" | b"step" | b"stop", _) => return Ok(wrong_number()),
            _ => return Ok(text(SYNTAX_ERROR, "Unknown subcommand")),
        };
        if let Some(question) = question
            && !session.has_question(question)
        {
            return Ok(text(BAD_PARAMETERS, &format!("{question} doesn't exist")));
        }
        let is_start = subcommand.eq_ignore_ascii_case(b"start");
        if !is_start && !self.has_progress {
            return Err(refuse("shows progress that has not begun".to_owned()));
        }
        self.has_progress = !subcommand.eq_ignore_ascii_case(b"stop");
        Ok(text(SUCCESS, "OK"))
    }

    fn data(
        &mut self,
        session: &mut Session,
        template: &BStr,
        item: &BStr,
        value: &[&BStr],
    ) -> Answer {
        let value = unescaped_data(&bstr::join(" ", value));
        let is_known = session.has_template(template);
        match (is_known, *item == "type") {
            (false, false) => {
                let what = format!("Template data field '{item}' received before type field");
                return Ok(text(BAD_PARAMETERS, &what));
            }
            (false, true) => {
                session.new_template(template, self.owner.as_bstr(), value.as_bstr())?;
            }
            (true, true) => return Ok(text(BAD_PARAMETERS, "Template type already set")),
            // Without a way to convert character sets, debconf takes no text.
            (true, false) => {
                if let Some(value) = session.languages.converted(b"UTF-8", value.as_bstr())
                    && let Some(record) = session.templates.change(template)
                {
                    record.fields.insert((*item).into(), value);
                }
            }
        }
        Ok(done())
    }
}

/// What of debconf's own answers to `METAGET` only since it is a method of the same name.
fn is_method(field: &str) -> bool {
    const METHODS: [&str; 13] = [
        "new",
        "get",
        "iterator",
        "choices_split",
        "variable",
        "flag",
        "value_split",
        "addowner",
        "removeowner",
        "can",
        "isa",
        "destroy",
        "autoload",
    ];
    METHODS.contains(&field)
}

fn load_file(session: &mut Session, file: &BStr, owner: &BStr, files: &mut ReadFile<'_>) -> Answer {
    let bytes = match files(file)? {
        Ok(bytes) => bytes,
        Err(error) => {
            return Ok(text(BAD_PARAMETERS, &format!("failed to open {file}: {error}")));
        }
    };
    match session.load_templates(&file.to_string(), &bytes, owner)? {
        Ok(()) => Ok(done()),
        Err(why) => Ok(text(INTERNAL_ERROR, &why.replace('\n', "\\n"))),
    }
}

fn check_version(version: &BStr) -> Reply {
    match number(version) {
        ..2 => text(BAD_VERSION, &format!("Version too low ({version})")),
        2 => text(SUCCESS, "2.0"),
        _ => text(BAD_VERSION, &format!("Version too high ({version})")),
    }
}

/// The whole number that a text begins with.
fn number(text: &BStr) -> i64 {
    let text = super::words::trim_start(text);
    let (sign, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix(b"+").unwrap_or(text)),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let value = digits.fold(0i64, |value, digit| {
        value.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
    });
    sign * value
}

/// `\n`, `\"` and `\\` are escapes in what `DATA` gives.
fn unescaped_data(value: &[u8]) -> BString {
    let mut unescaped = BString::default();
    let mut rest = value.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        let escaped = rest.next_if(|next| byte == b'\\' && b"n\"\\".contains(next));
        unescaped.push(match escaped {
            Some(b'n') => b'\n',
            Some(other) => other,
            None => byte,
        });
    }
    unescaped
}

fn done() -> Reply {
    Reply(SUCCESS, None)
}

fn text(code: u8, text: &str) -> Reply {
    Reply(code, Some(text.into()))
}

fn boolean(value: bool) -> Reply {
    text(SUCCESS, if value { "true" } else { "false" })
}

fn wrong_number() -> Reply {
    text(SYNTAX_ERROR, "Incorrect number of arguments")
}

fn refuse(why: String) -> Stop {
    Stop::refuse("debconf", Reason::Use(why))
}
