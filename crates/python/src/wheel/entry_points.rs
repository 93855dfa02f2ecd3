//! `entry_points.txt`, as Python 3.11's `importlib.metadata` reads it (entry points specification).

use super::error::{WheelFault, printable};

/// The scripts that a distribution wants to have made: names and what they call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryPoints {
    /// `console_scripts`: each name once, in the order of the file.
    pub console_scripts: Vec<(String, String)>,
    /// `gui_scripts`, which are the same on Linux.
    pub gui_scripts: Vec<(String, String)>,
}

/// What a script calls: `module:attribute.attribute`, without the extras in brackets behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Callable<'a> {
    pub(super) module: &'a str,
    pub(super) attribute: &'a str,
}

impl EntryPoints {
    pub(super) fn parse(text: &str) -> Result<EntryPoints, WheelFault> {
        let mut entry_points = EntryPoints::default();
        let mut section = None;
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if line.starts_with('[') && line.ends_with(']') {
                section = Some(line.trim_matches(['[', ']']));
                continue;
            }
            let scripts = match section {
                Some("console_scripts") => &mut entry_points.console_scripts,
                Some("gui_scripts") => &mut entry_points.gui_scripts,
                _ => continue,
            };
            let (name, value) =
                line.split_once('=').ok_or_else(|| fault(line, "is no NAME = VALUE"))?;
            set(scripts, name.trim(), value.trim());
        }
        Ok(entry_points)
    }

    /// Whether there is one of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.console_scripts.iter().chain(&self.gui_scripts).any(|(known, _)| known == name)
    }
}

/// As a Python dictionary: the later value, at the place of the first.
fn set(scripts: &mut Vec<(String, String)>, name: &str, value: &str) {
    match scripts.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => *old = value.to_owned(),
        None => scripts.push((name.to_owned(), value.to_owned())),
    }
}

/// Reads what a script has to call, as pip's `distlib` does: what follows the callable's name is
/// passed over, if it is not a malformed list of extras.
pub(super) fn callable<'a>(name: &str, value: &'a str) -> Result<Callable<'a>, WheelFault> {
    let bad = |why| fault(&format!("{name} = {value}"), why);
    // What pip 23 and pip 24 make of other names is not the same, and not what was meant.
    if name.is_empty() || !name.chars().all(|c| is_word(c) || "-.+".contains(c)) {
        return Err(bad("has a name that cannot be a script's"));
    }
    if name.chars().all(|c| c == '.') {
        return Err(bad("has a name that leads out of the directory of scripts"));
    }
    let (path, rest) = value.split_at(dotted(value));
    let rest = rest.trim_start();
    if !rest.starts_with('[') && value.contains(['[', ']'])
        || rest.starts_with('[') && !is_list_of_extras(rest)
    {
        return Err(bad("has a malformed list of extras"));
    }
    match path.split(':').collect::<Vec<_>>()[..] {
        [module, attribute] if !module.is_empty() => Ok(Callable { module, attribute }),
        [_] => Err(bad("does not say what to call (MODULE:FUNCTION)")),
        _ => Err(bad("says more than one thing to call")),
    }
}

/// How much of a value is words with single dots and colons between them.
fn dotted(value: &str) -> usize {
    let mut end = 0;
    loop {
        let word = value[end..].find(|c| !is_word(c)).unwrap_or(value.len() - end);
        let separator = usize::from(end > 0);
        if word == 0 {
            return end.saturating_sub(separator);
        }
        end += word;
        if !value[end..].starts_with(['.', ':']) {
            return end;
        }
        end += 1;
    }
}

/// `[a, b-c]`, and what may be behind it.
fn is_list_of_extras(text: &str) -> bool {
    let Some((list, _)) = text[1..].split_once(']') else { return false };
    list.split(',').map(str::trim).enumerate().all(|(index, extra)| {
        let (name, value) = extra.split_once('=').unwrap_or((extra, "x"));
        let is_name = |c| is_word(c) || index == 0 && c == '-';
        !name.is_empty()
            && !value.is_empty()
            && name.chars().all(is_name)
            && value.chars().all(is_word)
    })
}

/// Python's `\w`.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn fault(entry_point: &str, why: &'static str) -> WheelFault {
    WheelFault::EntryPoint { entry_point: printable(entry_point), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections() {
        let text = "\n[console_scripts]\n# no\n a = m:f \nb=m:g [x]\na = m:h\n\n[other]\nz\n\
                    [gui_scripts]\nc = m:f\n";
        let entry_points = EntryPoints::parse(text).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(entry_points.console_scripts, [pair("a", "m:h"), pair("b", "m:g [x]")]);
        assert_eq!(entry_points.gui_scripts, [pair("c", "m:f")]);
    }

    #[test]
    fn callables() {
        let check = |value: &str, module: &str, attribute: &str| {
            assert_eq!(callable("x", value).unwrap(), Callable { module, attribute }, "{value}");
        };
        check("a.b:c.d", "a.b", "c.d");
        check("a:c [x, y]", "a", "c");
        check("a:c[x-y]", "a", "c");
        check("a:c()", "a", "c");
        check("a:c.", "a", "c");
        check("äß:c", "äß", "c");
    }

    #[test]
    fn refused() {
        let message = |name: &str, value: &str| callable(name, value).unwrap_err().to_string();
        insta::assert_snapshot!(message("x", "a"), @"its entry point `x = a` does not say what to call (MODULE:FUNCTION)");
        insta::assert_snapshot!(message("x", "a : b"), @"its entry point `x = a : b` does not say what to call (MODULE:FUNCTION)");
        insta::assert_snapshot!(message("x", "a:b:c"), @"its entry point `x = a:b:c` says more than one thing to call");
        insta::assert_snapshot!(message("x", ":b"), @"its entry point `x = :b` does not say what to call (MODULE:FUNCTION)");
        insta::assert_snapshot!(message("x", "a:b [c d]"), @"its entry point `x = a:b [c d]` has a malformed list of extras");
        insta::assert_snapshot!(message("x", "a:b x]"), @"its entry point `x = a:b x]` has a malformed list of extras");
        insta::assert_snapshot!(message("../x", "a:b"), @"its entry point `../x = a:b` has a name that cannot be a script's");
        insta::assert_snapshot!(message("..", "a:b"), @"its entry point `.. = a:b` has a name that leads out of the directory of scripts");
        insta::assert_snapshot!(message("", "a:b"), @"its entry point ` = a:b` has a name that cannot be a script's");
        let line = EntryPoints::parse("[gui_scripts]\nx").unwrap_err().to_string();
        insta::assert_snapshot!(line, @"its entry point `x` is no NAME = VALUE");
    }
}
