//! Which shell.

/// The shell whose language, builtins and messages are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Debian's `sh`.
    Dash,
    /// GNU's.
    Bash,
    /// BusyBox's.
    Ash,
}
