//! Lines that hold themselves, ten thousand times: what recurses would use up the stack.

/// A thing that holds itself: its name, the shell, what it begins with, what is innermost, and
/// what it ends with.
pub(crate) const NESTED: &[(&str, &str, &str, &str, &str)] = &[
    ("subshells", "sh", "( ", ":", " )"),
    ("groups", "sh", "{ ", ":", "; }"),
    ("parentheses without blanks", "sh", "(", ":", ")"),
    ("substitutions", "sh", "echo $(", ":", ")"),
    ("quoted substitutions", "sh", "echo \"$(", ":", ")\""),
    ("arithmetic in arithmetic", "sh", "echo $((", "1", "))"),
    ("defaults", "sh", "echo ${a:-", "x", "}"),
    ("quoted defaults", "sh", "echo \"${a:-", "x", "}\""),
    ("conditions", "sh", "if :; then ", ":", "; fi"),
    ("conditions in conditions", "sh", "if ", ":", "; then :; fi"),
    ("loops", "sh", "while ", "false", "; do :; done"),
    ("for loops", "sh", "for i in 1; do ", ":", "; done"),
    ("cases", "sh", "case x in x) ", ":", ";; esac"),
    ("functions", "sh", "f() { ", ":", "; }"),
    ("negations", "sh", "! ", ":", ""),
    ("pipes", "sh", ": | ", ":", ""),
    ("ands", "sh", ": && ", ":", ""),
    ("lists", "sh", ":;", ":", ""),
    ("evals", "sh", "eval ", ":", ""),
    ("commands", "sh", "command ", ":", ""),
    ("environments", "sh", "env ", ":", ""),
    ("assignments", "sh", "a=1 ", ":", ""),
    ("redirections", "sh", "> /f ", ":", ""),
    ("quotes", "sh", "\"'", ":", "'\""),
    ("backslashes", "sh", "\\\\", ":", ""),
    ("dollars", "sh", "$", "x", ""),
    ("here-documents", "sh", "cat <<A $(", ":", "\n)\nA\n"),
    ("conditions of bash", "bash", "[[ ( ", "x", " ) ]]"),
    ("braces", "bash", "echo {a,", "b", "}"),
    ("process substitutions", "bash", "cat <(", ":", ")"),
    ("let in let", "bash", "((", "1", "))"),
    ("arrays", "bash", "a[", "1", "]=x"),
];

/// Those of [`NESTED`], and the ones whose inside only repeats, at a depth.
pub(crate) fn nested(depth: usize) -> Vec<(String, &'static str, String)> {
    let whole = |(name, shell, open, inner, close): &(&str, &'static str, &str, &str, &str)| {
        let script = format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
        ((*name).to_owned(), *shell, script)
    };
    let mut all: Vec<_> = NESTED.iter().map(whole).collect();
    let inside =
        |name: &str, shell, before: &str, open: &str, inner: &str, close: &str, after: &str| {
            let script =
                format!("{before}{}{inner}{}{after}", open.repeat(depth), close.repeat(depth));
            (name.to_owned(), shell, script)
        };
    all.extend([
        inside("parentheses of arithmetic", "sh", "echo $((", "(", "1", ")", "))"),
        inside("signs of arithmetic", "sh", "echo $((", "- ", "1", "", "))"),
        inside("choices of arithmetic", "sh", "echo $((", "1?", "1", ":1", "))"),
        inside("sums of arithmetic", "sh", "echo $((1", "+1", "", "", "))"),
        inside("powers of arithmetic", "bash", "echo $((1", "**1", "", "", "))"),
        inside("assignments of arithmetic", "sh", "echo $((", "a=", "1", "", "))"),
        inside("parentheses of [[", "bash", "[[ ", "( ", "x", " )", " ]]"),
        inside("negations of [[", "bash", "[[ ", "! ", "x", "", " ]]"),
        inside("braces of braces", "bash", "echo ", "{a,", "b", "}", ""),
        inside("sums of braces", "bash", "echo ", "{a,b}", "", "", ""),
        inside("parentheses of test", "sh", "[ ", "\\( ", "x", " \\)", " ]"),
        inside("negations of test", "sh", "[ ", "! ", "x", "", " ]"),
        inside("parentheses of expr", "sh", "expr ", "\\( ", "1", " \\)", ""),
        inside("parentheses of find", "sh", "find /etc ", "\\( ", "-true", " \\)", ""),
        inside("negations of find", "sh", "find /etc ", "! ", "-true", "", ""),
        inside("parentheses of awk", "sh", "awk 'BEGIN { print ", "(", "1", ")", " }'"),
        inside("braces of awk", "sh", "awk 'BEGIN ", "{", "", "}", "'"),
        inside("signs of awk", "sh", "awk 'BEGIN { print ", "- ", "1", "", " }'"),
        inside("conditions of awk", "sh", "awk 'BEGIN { ", "if (1) ", "print", "", " }'"),
        inside("braces of sed", "sh", "sed '", "{", "p", "}", "' /etc/passwd"),
        inside("groups of grep", "sh", "grep -E '", "(", "x", ")", "' /etc/passwd"),
        inside("stars of grep", "sh", "grep -E 'x", "*", "", "", "' /etc/passwd"),
        inside("choices of grep", "sh", "grep -E 'x", "|x", "", "", "' /etc/passwd"),
        inside("groups of sed", "sh", "sed 's/", "\\(", "x", "\\)", "/y/' /etc/passwd"),
        inside("brackets of a pattern", "sh", "case x in ", "[", "x", "]", ") ;; esac"),
        inside("extended patterns", "bash", "shopt -s extglob\ncase x in ", "@(", "x", ")", ") ;; esac"),
        inside("directories", "sh", "mkdir -p ", "a/", "", "", "; find . | tail -n 1 | wc -c; cp -r a b; ls -R b | wc -l; chmod -R 700 b; tar cf x.tar b; rm -rf a b"),
        inside("directories up", "sh", "cat ", "../", "etc/passwd", "", ""),
        inside("branches", "sh", "if false; then :; ", "elif false; then :; ", "", "", "fi"),
        inside("arms", "sh", "case x in ", "y) ;; ", "", "", "esac"),
        inside("words", "sh", "echo ", "x ", "", "", "| wc -w"),
        inside("one word", "sh", "echo ", "xxxxxxxxxx", "", "", "| wc -c"),
        inside("globs", "sh", "echo /", "*/", "", "", ""),
        inside("stars", "sh", "echo /many/", "*", "x", "", ""),
        inside("lines", "sh", "", ":\n", "", "", ""),
        inside("lines that go on", "sh", "echo x ", "\\\n", "y", "", ""),
        inside("here-documents in turn", "sh", "", "cat <<A\nx\nA\n", "", "", ""),
        inside("functions that call", "sh", "f() { :; }; ", "g() { f; }; ", "g", "", ""),
        inside("shells", "sh", "", "sh -c ", ":", "", ""),
        inside("links", "sh", "i=0; while [ $i -lt 60 ]; do ln -s l$i l$((i=i+1)); done; cat l59; : ", "x", "", "", ""),
    ]);
    all
}
