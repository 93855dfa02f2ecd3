//! Relations between packages: `Depends` and its like (Debian Policy 7.1).

use std::fmt;

use crate::version::Version;

/// One item of a relationship field: any of its alternatives satisfies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// In the order in which they are preferred; one at least.
    pub alternatives: Vec<Alternative>,
}

/// A package, and which versions of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// The package's name, or that of a virtual one.
    pub name: Box<str>,
    /// What stands behind a colon: `any`, `native` or an architecture.
    pub qualifier: Option<Box<str>>,
    /// Which versions.
    pub constraint: Option<(Operator, Version)>,
}

/// How a version has to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
