//! What settings say about choosing: the keys of apt.conf(5) that matter for it.

use regex::{Regex, RegexBuilder};

/// How to choose.
#[derive(Debug, Clone)]
pub struct Rules<'a> {
    /// `APT::Install-Recommends`
    pub recommends: bool,
    /// `APT::Install-Suggests`
    pub suggests: bool,
    /// `APT::Install-Recommends-Sections`
    pub recommends_sections: Vec<&'a str>,
    /// `APT::Never-MarkAuto-Sections`
    pub never_automatic_sections: Vec<&'a str>,
    /// `APT::Move-Autobit-Sections`
    pub moving_sections: Vec<&'a str>,
    /// `APT::NeverAutoRemove`: POSIX's extended regular expressions, whatever the case.
    pub never_removed: NamePatterns,
    /// `APT::AutoRemove::RecommendsImportant`
    pub recommends_keep: bool,
    /// `APT::AutoRemove::SuggestsImportant`
    pub suggests_keep: bool,
    /// `APT::Ignore-Hold`
    pub ignores_holds: bool,
    /// `APT::Get::Upgrade-By-Source-Package`
    pub upgrades_by_source: bool,
    /// `APT::Get::Mark-Auto`
    pub marks_automatic: bool,
    /// `APT::Get::ReInstall`
    pub reinstalls: bool,
    /// `APT::Get::Upgrade`
    pub upgrades: bool,
    /// `APT::Get::Only-Upgrade`
    pub only_upgrades: bool,
    /// `APT::Get::Download-Only`
    pub only_downloads: bool,
    /// `APT::Get::Fix-Broken`
    pub fixes: bool,
    /// `APT::Get::Fix-Policy-Broken`
    pub fixes_recommends: bool,
    /// `APT::Get::Purge`
    pub purges: bool,
    /// `APT::Get::AutomaticRemove`
    pub removes_unused: bool,
    /// `APT::Get::Remove`
    pub removes: bool,
    /// `APT::Get::HideAutoRemove`
    pub hides_unused: bool,
    /// `APT::Get::Upgrade-Allow-New`
    pub upgrades_with_new: bool,
    /// `APT::Get::allow-downgrades`
    pub allows_downgrades: bool,
    /// `APT::Get::allow-remove-essential`
    pub allows_essential_removal: bool,
    /// `APT::Get::allow-change-held-packages`
    pub allows_held_changes: bool,
    /// `APT::Immediate-Configure`
    pub configures_essential_at_once: bool,
    /// What becomes of upgrades that are given to a part of all machines.
    pub phased: Phased,
}

/// Upgrades that are given to some machines first (Ubuntu). apt decides by a machine's id; an image
/// has none, and then apt takes all, as it does in any chroot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phased {
    /// They are taken.
    #[default]
    Taken,
    /// `APT::Get::Never-Include-Phased-Updates`
    Never,
}

/// Patterns for names of packages.
#[derive(Debug, Clone, Default)]
pub struct NamePatterns(Vec<Regex>);

/// How large a pattern may become.
const LARGEST: usize = 1 << 20;

impl Default for Rules<'_> {
    fn default() -> Self {
        Rules {
            recommends: true,
            suggests: false,
            recommends_sections: Vec::new(),
            never_automatic_sections: Vec::new(),
            moving_sections: Vec::new(),
            never_removed: NamePatterns::default(),
            recommends_keep: true,
            suggests_keep: true,
            ignores_holds: false,
            upgrades_by_source: true,
            marks_automatic: false,
            reinstalls: false,
            upgrades: true,
            only_upgrades: false,
            only_downloads: false,
            fixes: false,
            fixes_recommends: false,
            purges: false,
            removes_unused: false,
            removes: true,
            hides_unused: false,
            upgrades_with_new: false,
            allows_downgrades: false,
            allows_essential_removal: false,
            allows_held_changes: false,
            configures_essential_at_once: true,
            phased: Phased::default(),
        }
    }
}

impl Rules<'_> {
    /// Whether a section is one of several. One that is named without an area (`metapackages`) is
    /// meant in all areas, and `/name` in the main one alone.
    pub(super) fn names(sections: &[&str], section: &str) -> bool {
        if section.is_empty() || sections.is_empty() {
            return false;
        }
        let inner = match section.rsplit_once('/') {
            Some((_, inner)) => inner.to_owned(),
            None => format!("/{section}"),
        };
        sections.iter().any(|known| *known == section || *known == inner)
    }
}

impl NamePatterns {
    /// Reads patterns; gives those that are none.
    pub fn new<'p>(patterns: impl IntoIterator<Item = &'p str>) -> (NamePatterns, Vec<&'p str>) {
        let (mut read, mut bad) = (Vec::new(), Vec::new());
        for pattern in patterns {
            match name_pattern(pattern) {
                Some(regex) => read.push(regex),
                None => bad.push(pattern),
            }
        }
        (NamePatterns(read), bad)
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.is_match(name))
    }
}

/// One pattern.
pub(super) fn name_pattern(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).case_insensitive(true).size_limit(LARGEST).build().ok()
}

/// A pattern of the shell's kind, for a whole name, whatever the case (fnmatch(3)).
pub(super) fn glob_pattern(glob: &str) -> Option<Regex> {
    let mut pattern = String::from("^(?s:");
    let mut letters = glob.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '*' => pattern.push_str(".*"),
            '?' => pattern.push('.'),
            '[' if letters.clone().skip(1).any(|letter| letter == ']') => {
                pattern.push('[');
                if letters.next_if(|letter| matches!(letter, '!' | '^')).is_some() {
                    pattern.push('^');
                }
                for (at, inside) in letters.by_ref().enumerate() {
                    if inside == ']' && at > 0 {
                        break;
                    }
                    if matches!(inside, '[' | ']' | '\\' | '&' | '~' | '^') {
                        pattern.push('\\');
                    }
                    pattern.push(inside);
                }
                pattern.push(']');
            }
            '\\' => pattern.push_str(&regex::escape(&letters.next()?.to_string())),
            other => pattern.push_str(&regex::escape(&other.to_string())),
        }
    }
    name_pattern(&(pattern + ")$"))
}
