//! Which shell's language is spoken.

/// A shell whose language is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Debian's `sh`, POSIX and little more.
    Dash,
    /// GNU's.
    Bash,
    /// BusyBox's: POSIX with some of bash's additions.
    Ash,
}

impl Dialect {
    /// The language of a program, by the name of its file without links.
    pub(super) fn of_program(file_name: Option<&[u8]>) -> Option<Dialect> {
        match file_name? {
            b"dash" => Some(Dialect::Dash),
            b"bash" => Some(Dialect::Bash),
            b"busybox" | b"ash" => Some(Dialect::Ash),
            _ => None,
        }
    }

    /// Whether words and operators that bash adds are read.
    pub(super) fn is_bash(self) -> bool {
        self == Dialect::Bash
    }

    /// Whether BusyBox's shell has it, too.
    pub(super) fn has_common_additions(self) -> bool {
        self != Dialect::Dash
    }
}

/// Whether a name may be a variable's: letters, digits, underscores, no digit in front.
pub(super) fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(|first| is_name_start(*first)) && name.iter().all(|b| is_name_byte(*b))
}

/// Whether a name may start with this.
pub(super) fn is_name_start(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphabetic()
}

/// Whether a name may hold this.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}
