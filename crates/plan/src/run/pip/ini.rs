//! pip's configuration files, read and written as Python's `configparser` does.

/// A file: sections in their order, each with keys in theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ini {
    pub(super) sections: Vec<Section>,
}

/// What stands under one `[name]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) name: String,
    /// Keys in small letters, and values; one of several lines has line ends in it.
    pub(super) entries: Vec<(String, String)>,
}

/// A section whose keys hold for all others, which no file of pip's needs.
const DEFAULTS: &str = "DEFAULT";

impl Ini {
    /// Reads a file (Python's documentation, `configparser`, "Supported INI File Structure").
    ///
    /// # Errors
    /// What is wrong with it, as a fragment.
    pub(super) fn parse(text: &str) -> Result<Ini, &'static str> {
        let mut ini = Ini::default();
        let mut depth = 0;
        let mut is_continued = false;
        for line in text.lines() {
            let value = line.trim();
            if value.starts_with(['#', ';']) {
                continue;
            }
            if value.is_empty() {
                // An empty line belongs to a value that goes on behind it.
                if is_continued {
                    ini.continue_value("");
                }
                continue;
            }
            let own_depth = line.len() - line.trim_start().len();
            if is_continued && own_depth > depth {
                ini.continue_value(value);
                continue;
            }
            depth = own_depth;
            is_continued = match value.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')) {
                Some((name, _)) => {
                    ini.open(name)?;
                    false
                }
                None => {
                    ini.add(value)?;
                    true
                }
            };
        }
        let entries = ini.sections.iter_mut().flat_map(|section| &mut section.entries);
        entries.for_each(|(_, value)| value.truncate(value.trim_end().len()));
        Ok(ini)
    }

    fn open(&mut self, name: &str) -> Result<(), &'static str> {
        if name == DEFAULTS {
            return Err("has a section of defaults, which is not built in");
        }
        if self.section(name).is_some() {
            return Err("has a section twice");
        }
        self.sections.push(Section { name: name.to_owned(), entries: Vec::new() });
        Ok(())
    }

    fn add(&mut self, line: &str) -> Result<(), &'static str> {
        let section = self.sections.last_mut().ok_or("has a key outside of any section")?;
        let (key, value) = line.split_once(['=', ':']).ok_or("has a line that is no key")?;
        let key = key.trim_end().to_lowercase();
        if section.value(&key).is_some() {
            return Err("has a key twice");
        }
        section.entries.push((key, value.trim_start().to_owned()));
        Ok(())
    }

    fn continue_value(&mut self, line: &str) {
        let last = self.sections.last_mut().and_then(|section| section.entries.last_mut());
        if let Some((_, value)) = last {
            value.push('\n');
            value.push_str(line);
        }
    }

    /// The section of a name.
    pub(super) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// Gives a key another value, in the place of the old one or at the end.
    pub(super) fn set(&mut self, section: &str, key: &str, value: &str) {
        let at = self.sections.iter().position(|known| known.name == section);
        let at = at.unwrap_or_else(|| {
            self.sections.push(Section { name: section.to_owned(), entries: Vec::new() });
            self.sections.len() - 1
        });
        let entries = &mut self.sections[at].entries;
        match entries.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value.to_owned(),
            None => entries.push((key.to_owned(), value.to_owned())),
        }
    }

    /// Takes a key away, and its section if nothing is left in it; whether it was there.
    pub(super) fn unset(&mut self, section: &str, key: &str) -> bool {
        let Some(at) = self.sections.iter().position(|known| known.name == section) else {
            return false;
        };
        let entries = &mut self.sections[at].entries;
        let before = entries.len();
        entries.retain(|(known, _)| known != key);
        let was_there = entries.len() < before;
        if entries.is_empty() {
            self.sections.remove(at);
        }
        was_there
    }

    /// The text, without the comments that it was read with.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for section in &self.sections {
            text.push_str(&format!("[{}]\n", section.name));
            for (key, value) in &section.entries {
                text.push_str(&format!("{key} = {}\n", value.replace('\n', "\n\t")));
            }
            text.push('\n');
        }
        text
    }
}

impl Section {
    /// The value of a key.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.entries.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_and_written_as_configparser_does() {
        let text = "# a\n[global]\nIndex-URL: https://a.example/simple\n; b\ntimeout=60\n\
            extra-index-url =\n    https://b.example\n\n    https://c.example\n[install]\nuser = no";
        let mut ini = Ini::parse(text).unwrap();
        ini.set("install", "user", "yes");
        ini.set("list", "format", "columns");
        let visible = ini.text().replace(" \n", " .\n").replace("\t\n", "\t.\n");
        insta::assert_snapshot!(visible, @r"
        [global]
        index-url = https://a.example/simple
        timeout = 60
        extra-index-url = .
        	https://b.example
        	.
        	https://c.example

        [install]
        user = yes

        [list]
        format = columns

        ");
        assert!(ini.unset("list", "format"));
        assert!(!ini.unset("list", "format"));
        assert!(!ini.unset("global", "none"));
        assert!(ini.section("list").is_none());
    }

    #[test]
    fn what_is_not_right_is_said() {
        for (text, expected) in [
            ("a = b", "has a key outside of any section"),
            ("[a]\nb", "has a line that is no key"),
            ("[a]\nb=1\nB=2", "has a key twice"),
            ("[a]\n[a]", "has a section twice"),
            ("[DEFAULT]", "has a section of defaults, which is not built in"),
        ] {
            assert_eq!(Ini::parse(text), Err(expected), "{text}");
        }
    }
}
