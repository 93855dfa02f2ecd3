//! Questions as they are shown, to people or to nobody.

use bstr::{BStr, BString, ByteSlice};
use shell::{Reason, Stop};

use super::frontend::Kind;
use super::language::Wording;
use super::session::Session;
use super::words::split_choices;

/// A question that is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) question: BString,
    pub(super) kind: BString,
    pub(super) shown: Shown,
    /// It counts as seen afterwards.
    pub(super) marks_seen: bool,
}

/// Whom a question is shown to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    ToPeople,
    ToNobody,
}

impl Shown {
    /// Whom the front end shows a question to: nobody needs to choose where there is no choice.
    pub(super) fn of(session: &mut Session, question: &BStr, kind: &BStr) -> Shown {
        let choices = match kind.as_bytes() {
            b"select" | b"multiselect" => {
                split_choices(&session.wording(question, "choices", Wording::Shown)).len()
            }
            _ => 2,
        };
        let is_terse = session.settings.preferred("DEBCONF_TERSE", "terse");
        let is_terse = is_terse.is_some_and(|terse| terse != "false");
        match kind.as_bytes() {
            b"select" if choices < 2 => Shown::ToNobody,
            b"multiselect" if choices < 1 => Shown::ToNobody,
            b"note" if is_terse && session.frontend.kind == Kind::Teletype => Shown::ToNobody,
            _ => Shown::ToPeople,
        }
    }
}

impl Element {
    /// Shows the question, and gives the value that it has then.
    ///
    /// # Errors
    /// A refusal if somebody would have to answer.
    pub(super) fn show(&self, session: &mut Session) -> Result<BString, Stop> {
        let name = self.question.as_bstr();
        match (self.shown, self.kind.as_bytes()) {
            (Shown::ToNobody, b"select") => Ok(choice(session, name)),
            (Shown::ToNobody, b"text") => Ok(BString::default()),
            (Shown::ToNobody, b"error") => {
                if !session.is_seen(name) {
                    if session.frontend.can_mail {
                        return Err(refuse(name, "is mailed to somebody"));
                    }
                    show_text(session, name);
                }
                Ok(BString::default())
            }
            (
                Shown::ToNobody,
                b"boolean" | b"multiselect" | b"note" | b"password" | b"string" | b"",
            ) => Ok(session.value(name)),
            (Shown::ToPeople, b"text" | b"error" | b"note")
                if session.frontend.kind == Kind::Teletype =>
            {
                show_text(session, name);
                Ok(BString::default())
            }
            (Shown::ToPeople, _) => Err(refuse(
                name,
                "has to be answered by somebody; DEBIAN_FRONTEND=noninteractive takes what is set",
            )),
            (Shown::ToNobody, other) => {
                Err(refuse(name, &format!("is of the type {}, which is none", other.as_bstr())))
            }
        }
    }
}

/// The value if it is one of the choices, or else the first of them.
fn choice(session: &mut Session, name: &BStr) -> BString {
    let choices = split_choices(&session.wording(name, "choices", Wording::Plain));
    let value = session.value(name);
    match choices.contains(&value) {
        true => value,
        false => choices.into_iter().next().unwrap_or_default(),
    }
}

fn show_text(session: &mut Session, name: &BStr) {
    let short = session.wording(name, "description", Wording::Shown);
    let long = session.wording(name, "extended_description", Wording::Shown);
    session.display(&[&short[..], b"\n\n", &long, b"\n"].concat());
}

fn refuse(name: &BStr, what: &str) -> Stop {
    Stop::refuse("debconf", Reason::Use(format!("asks {name}, which {what}")))
}
