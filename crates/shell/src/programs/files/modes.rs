//! File modes as chmod(1) takes them: `0755`, `u=rwX,go-w` (coreutils manual, "File permissions").

/// Changes to a mode, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ModeChange(Vec<Clause>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Clause {
    /// The bits that it is about; `None` if nobody is named, so that the umask counts.
    affected: Option<u32>,
    operation: Operation,
    source: Source,
    /// The bits that were written out, for a directory's set-id bits in octal modes.
    mentioned: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Add,
    Remove,
    Set,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// These bits.
    Bits(u32),
    /// These, and execution where it is a directory or executable by someone.
    BitsAndX(u32),
    /// What the user, group or others have now: their shift.
    Copied(u32),
}

/// What a mode belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    File,
    Directory,
}

const ALL: u32 = 0o7777;
const SET_IDS: u32 = 0o6000;

impl ModeChange {
    /// Reads a mode; `None` if it is none.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        if text.first().is_some_and(u8::is_ascii_digit) {
            let bits = octal(text)?;
            // Leading zeros make the digits count for a directory's set-id bits.
            let mentioned = if text.len() < 5 { (bits & SET_IDS) | 0o1777 } else { ALL };
            let source = Source::Bits(bits);
            let affected = Some(ALL);
            let operation = Operation::Set;
            return Some(ModeChange(vec![Clause { affected, operation, source, mentioned }]));
        }
        let mut clauses = Vec::new();
        for part in text.split(|byte| *byte == b',') {
            parse_part(part, &mut clauses)?;
        }
        Some(ModeChange(clauses))
    }

    /// This mode and no other.
    pub(super) fn exactly(mode: u32) -> Self {
        let source = Source::Bits(mode & ALL);
        let operation = Operation::Set;
        ModeChange(vec![Clause { affected: Some(ALL), operation, source, mentioned: ALL }])
    }

    /// The mode that comes of `mode`.
    pub(super) fn apply(&self, mode: u32, subject: Subject, umask: u32) -> u32 {
        self.0.iter().fold(mode & ALL, |mode, clause| clause.apply(mode, subject, umask))
    }
}

fn octal(text: &[u8]) -> Option<u32> {
    let bits = text.iter().try_fold(0u32, |bits, byte| match byte {
        b'0'..=b'7' => bits.checked_mul(8).map(|bits| bits | u32::from(byte - b'0')),
        _ => None,
    })?;
    (bits <= ALL).then_some(bits)
}

/// `ug+rw-x`: who, and then one operation or more.
fn parse_part(part: &[u8], clauses: &mut Vec<Clause>) -> Option<()> {
    let end = part.iter().position(|byte| !b"ugoa".contains(byte)).unwrap_or(part.len());
    let (who, mut rest) = part.split_at(end);
    let affected = who.iter().fold(0, |bits, who| {
        bits | match who {
            b'u' => 0o4700,
            b'g' => 0o2070,
            b'o' => 0o1007,
            _ => ALL,
        }
    });
    if rest.is_empty() {
        return None;
    }
    while let Some((operation, operand)) = rest.split_first() {
        let operation = match operation {
            b'+' => Operation::Add,
            b'-' => Operation::Remove,
            b'=' => Operation::Set,
            _ => return None,
        };
        let end = operand.iter().position(|byte| b"+-=".contains(byte)).unwrap_or(operand.len());
        let (operand, next) = operand.split_at(end);
        let is_octal = operand.first().is_some_and(u8::is_ascii_digit);
        let clause = match (is_octal, who.is_empty()) {
            (true, true) => {
                let bits = octal(operand)?;
                let source = Source::Bits(bits);
                Clause { affected: Some(ALL), operation, source, mentioned: ALL }
            }
            (true, false) => return None,
            (false, is_nobody) => {
                let affected = (!is_nobody).then_some(affected);
                let (source, mentioned) = parse_operand(operand)?;
                Clause { affected, operation, source, mentioned }
            }
        };
        clauses.push(clause);
        rest = next;
    }
    Some(())
}

fn parse_operand(operand: &[u8]) -> Option<(Source, u32)> {
    match operand {
        b"u" => return Some((Source::Copied(6), 0)),
        b"g" => return Some((Source::Copied(3), 0)),
        b"o" => return Some((Source::Copied(0), 0)),
        _ => {}
    }
    let bits = operand.iter().try_fold(0, |bits, letter| {
        Some(match letter {
            b'r' => bits | 0o444,
            b'w' => bits | 0o222,
            b'x' => bits | 0o111,
            b's' => bits | SET_IDS,
            b't' => bits | 0o1000,
            b'X' => bits,
            _ => return None,
        })
    })?;
    let source = match operand.contains(&b'X') {
        true => Source::BitsAndX(bits),
        false => Source::Bits(bits),
    };
    Some((source, bits))
}

impl Clause {
    fn apply(&self, mode: u32, subject: Subject, umask: u32) -> u32 {
        let is_directory = subject == Subject::Directory;
        // A directory's set-id bits stay unless they are mentioned.
        let spared = match is_directory {
            true => SET_IDS & !self.mentioned_for(),
            false => 0,
        };
        let bits = match self.source {
            Source::Bits(bits) => bits,
            Source::BitsAndX(bits) if is_directory || mode & 0o111 != 0 => bits | 0o111,
            Source::BitsAndX(bits) => bits,
            Source::Copied(shift) => ((mode >> shift) & 7) * 0o111,
        };
        let mask = self.affected.unwrap_or(!umask & ALL) & !spared;
        let bits = bits & mask;
        match self.operation {
            Operation::Add => mode | bits,
            Operation::Remove => mode & !bits,
            Operation::Set => {
                let kept = match self.affected {
                    Some(affected) => !affected,
                    None => 0,
                };
                (mode & (kept | spared)) | bits
            }
        }
    }

    /// The set-id bits that the clause says something about.
    fn mentioned_for(&self) -> u32 {
        match self.affected {
            Some(affected) => self.mentioned & affected,
            None => self.mentioned,
        }
    }
}

/// `rwxr-xr-x`.
pub(super) fn permissions(mode: u32) -> String {
    let special = [(6, 0o4000, 's', 'S'), (3, 0o2000, 's', 'S'), (0, 0o1000, 't', 'T')];
    let triples = special.iter().flat_map(|(shift, bit, with, without)| {
        let bits = mode >> shift;
        let letter = |wanted: u32, letter| if bits & wanted != 0 { letter } else { '-' };
        let last = match (mode & bit != 0, bits & 1 != 0) {
            (true, true) => *with,
            (true, false) => *without,
            (false, _) => letter(1, 'x'),
        };
        [letter(4, 'r'), letter(2, 'w'), last]
    });
    triples.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_change_as_chmod_changes_them() {
        let check = |text: &str, mode: u32, subject, umask: u32, expected: u32| {
            let change = ModeChange::parse(text.as_bytes()).expect(text);
            let changed = change.apply(mode, subject, umask);
            assert_eq!(changed, expected, "{text} of {mode:o}: {changed:o}");
        };
        use Subject::{Directory, File};
        check("755", 0o600, File, 0o22, 0o755);
        check("u=rwX,go=rX", 0o640, File, 0o22, 0o644);
        check("u=rwX,go=rX", 0o740, File, 0o22, 0o755);
        check("a+X", 0o600, Directory, 0o22, 0o711);
        check("+w", 0o444, File, 0o22, 0o644);
        check("a+w", 0o444, File, 0o22, 0o666);
        check("g=u", 0o640, File, 0o22, 0o660);
        check("go=", 0o755, File, 0o22, 0o700);
        check("o=g", 0o751, File, 0o22, 0o755);
        check("u+s,+t", 0o755, File, 0o22, 0o5755);
        check("=r", 0o777, File, 0o77, 0o400);
        check("755", 0o2770, Directory, 0o22, 0o2755);
        check("00755", 0o2770, Directory, 0o22, 0o755);
        check("g-s", 0o2770, Directory, 0o22, 0o770);
        check("g=rx", 0o2770, Directory, 0o22, 0o2750);
        check("a=rx", 0o2770, Directory, 0o22, 0o2555);
        check("g=rx", 0o2770, File, 0o22, 0o750);
        check("u+r-w+x", 0o200, File, 0o22, 0o500);
        check("+644", 0o100, File, 0o22, 0o744);
        for bad in ["", "zz", "a", "99", "77777", "u+q", "u+rg", "a,b", "u+5", "755x"] {
            assert_eq!(ModeChange::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn permissions_are_shown_as_ls_shows_them() {
        assert_eq!(permissions(0o755), "rwxr-xr-x");
        assert_eq!(permissions(0o4644), "rwSr--r--");
        assert_eq!(permissions(0o1777), "rwxrwxrwt");
        assert_eq!(permissions(0o2010), "-----s---");
    }
}
