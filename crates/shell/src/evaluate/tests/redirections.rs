//! Redirections and here-documents.
//!
//! What is expected is what dash 0.5.12 and bash 5.2 of Debian 12 print.

use super::{Shells, check};

#[test]
fn redirections_are_as_the_real_ones_have_them() {
    check(CASES);
}

const CASES: &[(Shells, &str, &str)] = &[
    (
        Shells::Both,
        "echo err >&2; echo a 2>&1 >/dev/null; { echo out; echo err >&2; } 2>&1",
        "out\nerr\n!err\n",
    ),
    (Shells::Both, "echo 'echo sourced $1; return 4; echo no' > s; . ./s; echo $?", "sourced\n4\n"),
    (
        Shells::Dash,
        r#"echo 'echo "script $0 $1"; exit 5' > s.sh; sh s.sh arg; echo $?; printf '#!/bin/sh\necho shebang $1\n' > t; ./t; echo $?"#,
        "script s.sh arg\n5\n126\n!/bin/sh: 1: ./t: Permission denied\n",
    ),
    (
        Shells::Bash,
        r#"echo 'echo "script $0 $1"; exit 5' > s.sh; sh s.sh arg; echo $?; printf '#!/bin/sh\necho shebang $1\n' > t; ./t; echo $?"#,
        "script s.sh arg\n5\n126\n!/bin/bash: line 1: ./t: Permission denied\n",
    ),
    (
        Shells::Both,
        "echo 'echo from stdin; echo $1' | sh -s a; echo 'echo x' | sh; sh < /dev/null; echo $?",
        "from stdin\na\nx\n0\n",
    ),
    (
        Shells::Dash,
        "echo a > /dev/full; echo $?; printf a >&-; echo $?; echo -n >&-; echo $?",
        "1\n1\n0\n!/bin/sh: 1: echo: echo: I/O error\n!/bin/sh: 1: printf: printf: I/O error\n",
    ),
    (
        Shells::Bash,
        "echo a > /dev/full; echo $?; printf a >&-; echo $?; echo -n >&-; echo $?; env echo a >&-; echo $?",
        "1\n1\n0\n1\n!/bin/bash: line 1: echo: write error: No space left on device\n!/bin/bash: line 1: printf: write error: Bad file descriptor\n!echo: write error: Bad file descriptor\n",
    ),
];
