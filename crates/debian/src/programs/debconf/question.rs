//! Questions: their values, flags, variables and owners, and the template that each is made from.

use bstr::{BStr, BString, ByteSlice};
use shell::{Reason, Stop};

use super::language::Wording;
use super::session::Session;
use super::words::expand_variables;

impl Session {
    /// Whether there is a question of this name.
    pub(super) fn has_question(&mut self, name: &BStr) -> bool {
        if !self.questions.contains_key(name) && self.config.has(name) {
            self.questions.insert(name.into(), None);
        }
        self.questions.contains_key(name)
    }

    /// Makes a question that is not there.
    pub(super) fn new_question(
        &mut self,
        name: &BStr,
        owner: &BStr,
        kind: &BStr,
    ) -> Result<(), Stop> {
        if kind.is_empty() || self.questions.contains_key(name) {
            let why = format!("makes a question {name} that debconf itself stumbles at");
            return Err(Stop::refuse("debconf", Reason::Use(why)));
        }
        if self.config.add_owner(name, owner, kind) {
            self.set_flag(name, BStr::new("seen"), BStr::new("false"));
            self.questions.insert(name.into(), None);
        }
        Ok(())
    }

    pub(super) fn add_question_owner(&mut self, name: &BStr, owner: &BStr, kind: &BStr) {
        let _ = self.config.add_owner(name, owner, kind);
    }

    /// Takes an owner away; with the last one, the question, and its hold on the template.
    pub(super) fn remove_question_owner(&mut self, name: &BStr, owner: &BStr) {
        let template = self.config.field(name, "template").map(BString::from);
        self.config.remove_owner(name, owner);
        if let Some(template) = template.filter(|template| !template.is_empty())
            && !self.config.has(name)
        {
            self.templates.remove_owner(template.as_bstr(), name);
            self.questions.remove(name);
        }
    }

    /// Makes a question one of another template.
    pub(super) fn set_template(&mut self, name: &BStr, template: &BStr) {
        let old = self.config.field(name, "template").map(BString::from);
        if old.as_ref().is_some_and(|old| *old == template) {
            return;
        }
        if let Some(old) = old.filter(|old| !old.is_empty()) {
            self.templates.remove_owner(old.as_bstr(), name);
        }
        if let Some(record) = self.config.change(name) {
            record.fields.insert("template".into(), template.into());
        }
        let kind = self.templates.field(template, "type").unwrap_or_default().to_owned();
        let _ = self.templates.add_owner(template, name, kind.as_bstr());
    }

    /// The template of a question, if it is there.
    fn template_of(&mut self, name: &BStr) -> Option<BString> {
        let template = BString::from(self.config.field(name, "template")?);
        self.has_template(template.as_bstr()).then_some(template)
    }

    /// A field of the question, or else of its template.
    pub(super) fn text(&mut self, name: &BStr, field: &str, wording: Wording) -> BString {
        if let Some(own) = self.config.field(name, field) {
            return own.into();
        }
        let template = self.template_of(name);
        template.map(|it| self.template_text(it.as_bstr(), field, wording)).unwrap_or_default()
    }

    /// Its type.
    pub(super) fn kind(&mut self, name: &BStr) -> BString {
        self.text(name, "type", Wording::Shown)
    }

    /// Its value, or else the default.
    pub(super) fn value(&mut self, name: &BStr) -> BString {
        if let Some(value) = self.config.field(name, "value") {
            return value.into();
        }
        let template = self.template_of(name);
        let default = |it: BString| self.template_text(it.as_bstr(), "default", Wording::Shown);
        template.map(default).unwrap_or_default()
    }

    pub(super) fn set_value(&mut self, name: &BStr, value: BString) {
        if let Some(record) = self.config.change(name) {
            record.fields.insert("value".into(), value);
        }
    }

    /// A text of its template, with the question's variables in it.
    pub(super) fn wording(&mut self, name: &BStr, field: &str, wording: Wording) -> BString {
        let template = self.template_of(name);
        let text = template.map(|it| self.template_text(it.as_bstr(), field, wording));
        self.expanded(name, &text.unwrap_or_default())
    }

    /// A text with the question's variables in it.
    pub(super) fn expanded(&self, name: &BStr, text: &[u8]) -> BString {
        let record = self.config.record(name);
        expand_variables(text, |variable| {
            record?.variables.get(variable).map(|value| value.as_bstr())
        })
    }

    /// A flag. `isdefault` is an old name for the contrary of `seen`.
    pub(super) fn flag(&self, name: &BStr, flag: &BStr) -> BString {
        match flag == "isdefault" {
            true if self.config.flag(name, BStr::new("seen")) == "true" => "false".into(),
            true => "true".into(),
            false => self.config.flag(name, flag),
        }
    }

    pub(super) fn set_flag(&mut self, name: &BStr, flag: &BStr, value: &BStr) {
        let (flag, value) = match flag == "isdefault" {
            true if value == "true" => (BStr::new("seen"), BStr::new("false")),
            true => (BStr::new("seen"), BStr::new("true")),
            false => (flag, value),
        };
        if let Some(record) = self.config.change(name) {
            record.flags.insert(flag.into(), value.into());
        }
    }

    pub(super) fn is_seen(&self, name: &BStr) -> bool {
        self.config.flag(name, BStr::new("seen")) == "true"
    }

    pub(super) fn set_variable(&mut self, name: &BStr, variable: &BStr, value: BString) {
        if let Some(record) = self.config.change(name) {
            record.variables.insert(variable.into(), value);
        }
    }
}
