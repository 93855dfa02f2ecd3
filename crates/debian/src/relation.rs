//! Relations between packages: `Depends` and its like (Debian Policy 7.1).
//!
//! They are read leniently, as dpkg reads them from what others built, and printed as dpkg prints
//! them into its database: `a (>= 1), b:any | c`.

use std::fmt;

use crate::version::Version;

/// One item of a relationship field: any of its alternatives satisfies it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Relation {
    /// In the order in which they are preferred; one at least.
    pub alternatives: Vec<Alternative>,
}

/// A package, and which versions of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Alternative {
    /// The package's name, or that of a virtual one.
    pub name: Box<str>,
    /// What stands behind a colon: `any`, `native` or an architecture.
    pub qualifier: Option<Box<str>>,
    /// Which versions.
    pub constraint: Option<(Operator, Version)>,
    /// Lists of architectures and of build profiles, with their brackets: `[!i386]`, `<!nocheck>`.
    /// Only relations of sources have them (Debian Policy 7.1, "Architecture restriction list").
    pub restrictions: Vec<Box<str>>,
}

/// How a version has to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `<<`
    Earlier,
    /// `<=`, and `<`, which means the same.
    EarlierOrEqual,
    /// `=`
    Equal,
    /// `>=`, and `>`, which means the same.
    LaterOrEqual,
    /// `>>`
    Later,
}

/// The fields that hold relations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Field {
    PreDepends,
    Depends,
    Recommends,
    Suggests,
    Enhances,
    Breaks,
    Conflicts,
    Replaces,
    Provides,
}

/// What is wrong with a relationship field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{item}` {problem}")]
pub struct RelationError {
    /// The item, as far as it was understood, cut to a line.
    pub item: String,
    /// What it is.
    pub problem: &'static str,
}

impl Relation {
    /// The items of a field. Empty ones, as a comma at the end makes them, are none.
    ///
    /// # Errors
    /// What is no relation.
    pub fn parse_all(text: &str) -> Result<Vec<Relation>, RelationError> {
        let items = text.split(',').filter(|item| !item.trim().is_empty());
        items.map(Relation::parse).collect()
    }

    /// One item.
    ///
    /// # Errors
    /// What is no relation.
    pub fn parse(text: &str) -> Result<Relation, RelationError> {
        let alternatives = text.split('|').map(Alternative::parse).collect::<Result<_, _>>()?;
        Ok(Relation { alternatives })
    }
}

impl Alternative {
    /// Any version of a package.
    pub fn named(name: &str) -> Alternative {
        Alternative {
            name: name.into(),
            qualifier: None,
            constraint: None,
            restrictions: Vec::new(),
        }
    }

    /// One alternative.
    ///
    /// # Errors
    /// What is none.
    pub fn parse(text: &str) -> Result<Alternative, RelationError> {
        let problem = |problem| RelationError { item: shown(text), problem };
        let text = text.trim();
        let end = text.find(ends_name).unwrap_or(text.len());
        let (name, mut rest) = text.split_at(end);
        let (name, qualifier) = match name.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier)),
            None => (name, None),
        };
        if name.is_empty() {
            return Err(problem("names no package"));
        }
        if qualifier.is_some_and(str::is_empty) {
            return Err(problem("has nothing behind its colon"));
        }
        let mut alternative = Alternative::named(name);
        alternative.qualifier = qualifier.map(Into::into);
        while let Some(kind) = rest.trim_start().chars().next() {
            let close = match kind {
                '(' => ')',
                '[' => ']',
                '<' => '>',
                _ => return Err(problem("has more behind it")),
            };
            let (inside, behind) =
                rest.trim_start()[1..].split_once(close).ok_or_else(|| problem("is not closed"))?;
            if kind != '(' {
                let words: Vec<&str> = inside.split_whitespace().collect();
                alternative.restrictions.push(format!("{kind}{}{close}", words.join(" ")).into());
            } else if alternative.constraint.is_some() {
                return Err(problem("has two versions"));
            } else {
                alternative.constraint = Some(constraint(inside).map_err(problem)?);
            }
            rest = behind;
        }
        Ok(alternative)
    }

    /// Whether a version is one of those meant.
    pub fn allows(&self, version: &Version) -> bool {
        self.constraint.as_ref().is_none_or(|(operator, wanted)| operator.holds(version, wanted))
    }
}

fn ends_name(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '(' | '[' | '<')
}

fn constraint(text: &str) -> Result<(Operator, Version), &'static str> {
    let text = text.trim();
    let end = text.find(|letter| !matches!(letter, '<' | '>' | '=')).unwrap_or(text.len());
    let (operator, version) = text.split_at(end);
    let operator = match operator {
        "<<" => Operator::Earlier,
        "<=" | "<" => Operator::EarlierOrEqual,
        // dpkg takes a version alone for this one.
        "=" | "" => Operator::Equal,
        ">=" | ">" => Operator::LaterOrEqual,
        ">>" => Operator::Later,
        _ => return Err("compares in no known way"),
    };
    let version = version.trim();
    if version.is_empty() || version.contains(char::is_whitespace) {
        return Err("has no version behind its operator");
    }
    Ok((operator, Version::new(version)))
}

fn shown(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(100).collect()
}

impl Operator {
    /// Whether `version` is so to `other`.
    pub fn holds(self, version: &Version, other: &Version) -> bool {
        let order = version.order(other);
        match self {
            Operator::Earlier => order.is_lt(),
            Operator::EarlierOrEqual => order.is_le(),
            Operator::Equal => order.is_eq(),
            Operator::LaterOrEqual => order.is_ge(),
            Operator::Later => order.is_gt(),
        }
    }
}

impl Field {
    /// All of them.
    pub const ALL: [Field; 9] = [
        Field::PreDepends,
        Field::Depends,
        Field::Recommends,
        Field::Suggests,
        Field::Enhances,
        Field::Breaks,
        Field::Conflicts,
        Field::Replaces,
        Field::Provides,
    ];

    /// Its name in a stanza.
    pub fn name(self) -> &'static str {
        match self {
            Field::PreDepends => "Pre-Depends",
            Field::Depends => "Depends",
            Field::Recommends => "Recommends",
            Field::Suggests => "Suggests",
            Field::Enhances => "Enhances",
            Field::Breaks => "Breaks",
            Field::Conflicts => "Conflicts",
            Field::Replaces => "Replaces",
            Field::Provides => "Provides",
        }
    }
}

/// A field's value in the form that dpkg gives it in `status`.
pub struct Normal<'a>(pub &'a [Relation]);

impl fmt::Display for Normal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        separated(f, self.0, ", ")
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        separated(f, &self.alternatives, " | ")
    }
}

fn separated<T: fmt::Display>(f: &mut fmt::Formatter<'_>, all: &[T], between: &str) -> fmt::Result {
    for (at, one) in all.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        one.fmt(f)?;
    }
    Ok(())
}

impl fmt::Display for Alternative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(qualifier) = &self.qualifier {
            write!(f, ":{qualifier}")?;
        }
        if let Some((operator, version)) = &self.constraint {
            write!(f, " ({operator} {})", without_zero_epoch(version.as_str()))?;
        }
        self.restrictions.iter().try_for_each(|list| write!(f, " {list}"))
    }
}

/// dpkg keeps an epoch as a number, and writes it if it is not zero, or if there would be doubt.
fn without_zero_epoch(version: &str) -> &str {
    match version.split_once(':') {
        Some((epoch, rest)) if epoch.bytes().all(|digit| digit == b'0') && !rest.contains(':') => {
            rest
        }
        _ => version,
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operator::Earlier => "<<",
            Operator::EarlierOrEqual => "<=",
            Operator::Equal => "=",
            Operator::LaterOrEqual => ">=",
            Operator::Later => ">>",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> String {
        match Relation::parse_all(text) {
            Ok(relations) => Normal(&relations).to_string(),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn fields_are_printed_as_dpkg_prints_them() {
        let table = [
            ("", ""),
            ("a,b|c", "a, b | c"),
            ("a(>=1)|b ( << 2-3 ),\n c:any (=0:4) ,", "a (>= 1) | b (<< 2-3), c:any (= 4)"),
            ("a (< 1), b (> 2), c (3)", "a (<= 1), b (>= 2), c (= 3)"),
            ("a (>= 1:2), b (= 0:1:2)", "a (>= 1:2), b (= 0:1:2)"),
            ("a:native [ amd64  !i386 ] <!x y> <z>", "a:native [amd64 !i386] <!x y> <z>"),
            ("a (>= 1) [amd64]", "a (>= 1) [amd64]"),
            ("a (>= 1", "error: `a (>= 1` is not closed"),
            ("a b", "error: `a b` has more behind it"),
            ("a | ", "error: `` names no package"),
            (":any", "error: `:any` names no package"),
            ("a:", "error: `a:` has nothing behind its colon"),
            ("a (=< 1)", "error: `a (=< 1)` compares in no known way"),
            ("a (>=)", "error: `a (>=)` has no version behind its operator"),
            ("a (= 1) (= 2)", "error: `a (= 1) (= 2)` has two versions"),
            ("a (= é) ö", "error: `a (= é) ö` has more behind it"),
        ];
        for (text, expected) in table {
            assert_eq!(normal(text), expected, "{text}");
        }
    }

    #[test]
    fn a_version_is_held_against_the_constraint() {
        let allows =
            |text: &str, version| Alternative::parse(text).unwrap().allows(&Version::new(version));
        assert!(allows("a", "1"));
        assert!(allows("a (>= 1~)", "1~rc1"));
        assert!(!allows("a (>> 1)", "1-0"));
        assert!(allows("a (<< 1-2)", "1-1+b3"));
    }

    proptest::proptest! {
        #[test]
        fn what_is_printed_reads_the_same(text in "[a-c(:)<>=| ,0-9~\\[\\]é-]{0,40}") {
            if let Ok(relations) = Relation::parse_all(&text) {
                let printed = Normal(&relations).to_string();
                let again = Relation::parse_all(&printed).unwrap();
                proptest::prop_assert_eq!(Normal(&again).to_string(), printed);
            }
        }
    }
}
