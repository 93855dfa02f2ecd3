//! Scripts at random, from a grammar: short, ending, and the same for the same seed.
//!
//! They work in a directory of their own on files of a few names, and do nothing of which the
//! outcome is open: no two commands of a pipeline write to the same place, and every reader reads
//! all that there is.

/// Whose language is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Posix,
    Bash,
}

/// A source of scripts.
pub(crate) struct Grammar {
    dialect: Dialect,
    state: u64,
    /// How many compound commands the place that is written is in.
    depth: usize,
    loops: usize,
    is_in_function: bool,
}

const VARIABLES: &[&str] = &["a", "b", "c", "unset", "long_name"];
const FILES: &[&str] = &["one.txt", "two.txt", "data", "new", "dir/three.txt", "sp ace"];
const PATTERNS: &[&str] =
    &["*", "?", "a*", "*.txt", "[ab]*", "[!a]*", "*o*", "t?o.txt", "d*/*", "'*'", "nothing*", "x"];
const LITERALS: &[&str] =
    &["x", "ab", "foo", "bar.txt", "10", "7", "0", "-n", "a=b", "/", ".", "one.txt", "é", "-"];
const QUOTED: &[&str] =
    &["a b", "  two  spaces ", "", "*", "x;y", "tab\there", "$a", "\\n", "#no", "q"];

/// What each script has in front.
const BEGIN: &str = "mkdir /scratch && cd /scratch && mkdir dir && printf 'b\\na\\nc c\\n' > one.txt \
    && printf '10 x\\n9 y\\n10 x\\n' > two.txt && echo deep > dir/three.txt && : > data \
    && printf 'x:1\\ny 2\\nlast' > list";

impl Grammar {
    pub(crate) fn new(dialect: Dialect, seed: u64) -> Self {
        Grammar { dialect, state: seed, depth: 0, loops: 0, is_in_function: false }
    }

    /// A script, as its statements.
    pub(crate) fn script(&mut self) -> Vec<String> {
        let mut statements = vec![BEGIN.to_owned()];
        let mut is_traced = false;
        if self.once_in(4) {
            let options = ["set -e", "set -u", "set -f", "set -eu", "set -x"];
            let more = ["set -o pipefail", "set -euo pipefail", "shopt -s nullglob"];
            let is_bash = self.dialect == Dialect::Bash && self.once_in(3);
            let set = self.pick(if is_bash { &more } else { &options });
            is_traced = set == "set -x";
            statements.push(set.to_owned());
        }
        for _ in 0..=self.below(6) {
            let statement = self.statement();
            // Who of a pipeline is traced first is open.
            if !is_traced || !statement.contains(" | ") {
                statements.push(statement);
            }
        }
        statements
    }

    /// Vigna's SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }

    fn variable(&mut self) -> &'static str {
        self.pick(VARIABLES)
    }

    fn file(&mut self) -> String {
        let file = self.pick(FILES);
        if file.contains(' ') { format!("'{file}'") } else { file.to_owned() }
    }

    /// Statements in a line.
    fn list(&mut self) -> String {
        self.depth += 1;
        let statements: Vec<_> = (0..=self.below(2)).map(|_| self.statement()).collect();
        self.depth -= 1;
        statements.join("\n")
    }

    fn statement(&mut self) -> String {
        if self.depth >= 3 || self.below(3) == 0 {
            return self.command();
        }
        match self.below(21) {
            0 | 1 => self.conditional(),
            2 => self.for_loop(),
            3 => self.while_loop(),
            4 | 5 => self.case(),
            6 if !self.is_in_function => self.function(),
            7 => format!("( {}\n)", self.list()),
            8 => format!("{{ {}\n}}{}", self.list(), self.redirection()),
            9 | 10 => self.pipeline(),
            11 => format!("{} && {} || {}", self.test(), self.command(), self.command()),
            12 => format!("! {}\necho \"not: $?\"", self.test()),
            13 => self.here_document(),
            14 => self.positional(),
            15 => self.read_loop(),
            16 => {
                format!("set {}\n{}", self.pick(&["-e", "+e", "-f", "+f", "-u", "+u"]), self.list())
            }
            17 => format!(
                "trap 'echo trapped $?; {}' EXIT",
                self.pick(&["true", "false", "exit 4", ":"])
            ),
            18 => self.leaving(),
            19 => format!("eval {}", quoted(&self.command())),
            _ if self.dialect == Dialect::Bash => self.of_bash(),
            _ => self.special(),
        }
    }

    fn command(&mut self) -> String {
        match self.below(16) {
            0..=2 => self.assignment(),
            3..=5 => format!("echo {}", self.words()),
            6 | 7 => format!("printf '[%s]' {}; echo", self.words()),
            8 => format!("echo \"$(( {} ))\"", self.arithmetic(2)),
            9 | 10 => self.file_command(),
            11 => format!("echo {} {} {}", self.words(), self.pick(&[">", ">>"]), self.file()),
            12 => format!("cat {}", self.file()),
            13 => format!(
                "{}={} {}",
                self.variable(),
                self.value(),
                self.pick(&["true", "env | grep '^a='", "sh -c 'echo \"<$a>\"'", ":"])
            ),
            14 => self.test(),
            _ => self.special(),
        }
    }

    fn special(&mut self) -> String {
        let variable = self.variable();
        match self.below(9) {
            0 => format!("export {variable}"),
            1 => format!("unset {variable}"),
            2 => format!("export {variable}={}", self.value()),
            3 => format!(
                "IFS={}; echo {}; unset IFS",
                self.pick(&["':'", "','", "' '", "''", "x", "':, '"]),
                self.words()
            ),
            4 => format!(
                "echo \"$?\" \"$#\" {}",
                self.pick(&["\"$-\" | tr -d a-zA-Z", "$1", "\"${2-}\""])
            ),
            5 => format!(
                "umask {}; touch {}; umask 022",
                self.pick(&["077", "002", "0"]),
                self.file()
            ),
            6 => "cd dir; pwd; cd ..; echo \"$OLDPWD\"".into(),
            7 => format!("command -v {}", self.pick(&["echo", "cat", "nothing-here", "if", "f"])),
            _ => format!(
                "{variable}={}; : \"${{{variable}:={}}}\"; echo \"${variable}\"",
                self.value(),
                self.value()
            ),
        }
    }

    fn assignment(&mut self) -> String {
        let (name, value) = (self.variable(), self.value());
        match self.below(4) {
            0 => format!("{name}={value} {}={}", self.variable(), self.value()),
            1 => format!("{name}=${{{name}-}}{value}"),
            _ => format!("{name}={value}"),
        }
    }

    /// A word where nothing is split.
    fn value(&mut self) -> String {
        self.word()
    }

    fn words(&mut self) -> String {
        let words: Vec<_> = (0..=self.below(3)).map(|_| self.word()).collect();
        words.join(" ")
    }

    fn word(&mut self) -> String {
        let parts: Vec<_> = (0..=self.below(5) / 3).map(|_| self.part()).collect();
        parts.concat()
    }

    fn part(&mut self) -> String {
        match self.below(13) {
            0..=2 => self.pick(LITERALS).to_owned(),
            3 => format!("'{}'", self.pick(QUOTED)),
            4 | 5 => format!("\"{}\"", self.inside_quotes()),
            6 | 7 => format!("${}", self.braced(false)),
            8 => self.pick(PATTERNS).to_owned(),
            9 if self.depth < 3 => self.substitution(),
            10 => format!("$(( {} ))", self.arithmetic(1)),
            11 => self
                .pick(&["$?", "$#", "$*", "$@", "\"$*\"", "\"$@\"", "\\$", "\\ ", "\\*", "\\\\"])
                .to_owned(),
            _ => format!("${}", self.variable()),
        }
    }

    fn inside_quotes(&mut self) -> String {
        match self.below(7) {
            0 => self.pick(QUOTED).replace('\\', "\\\\"),
            1 => format!("{} {}", self.pick(LITERALS), self.pick(LITERALS)),
            2 => format!("${}", self.variable()),
            3 => format!("${}", self.braced(true)),
            4 if self.depth < 3 => self.substitution(),
            5 => format!("-$(( {} ))-", self.arithmetic(1)),
            _ => format!("<${{{}}}>", self.variable()),
        }
    }

    /// The braces of an expansion.
    fn braced(&mut self, is_quoted: bool) -> String {
        let name = self.variable();
        let word = self.argument(is_quoted);
        match self.below(14) {
            0 => format!("{{#{name}}}"),
            1 | 2 => {
                let operator = self.pick(&["#", "##", "%", "%%"]);
                format!("{{{name}{operator}{}}}", self.pick(PATTERNS))
            }
            3 => format!("{{{name}{}{}}}", self.pick(&["#", "%", "##", "%%"]), word),
            4 if self.once_in(4) => format!("{{{name}{}{word}}}", self.pick(&["?", ":?"])),
            5 if self.dialect == Dialect::Bash => self.braced_of_bash(name),
            6 => format!("{{{name}{}{word}}}", self.pick(&["=", ":="])),
            7..=9 => format!("{{{name}{}{word}}}", self.pick(&["+", ":+"])),
            _ => format!("{{{name}{}{word}}}", self.pick(&["-", ":-"])),
        }
    }

    fn braced_of_bash(&mut self, name: &str) -> String {
        match self.below(6) {
            0 => format!("{{{name}/{}/{}}}", self.pick(PATTERNS), self.pick(LITERALS)),
            1 => format!(
                "{{{name}//{}/{}}}",
                self.pick(&["o", "a", "?", "[ab]"]),
                self.pick(LITERALS)
            ),
            2 => format!("{{{name}:{}}}", self.pick(&["1", "0:2", " -1", "1:1", "9"])),
            3 => format!("{{{name}{}}}", self.pick(&["^", "^^", ",", ",,"])),
            4 => format!("{{!{name}-}}"),
            _ => format!("{{{name}/#{}/{}}}", self.pick(&["a", "f", "?"]), self.pick(LITERALS)),
        }
    }

    /// The word in an expansion's braces.
    fn argument(&mut self, is_quoted: bool) -> String {
        match self.below(6) {
            0 => String::new(),
            1 => format!("${}", self.variable()),
            2 if !is_quoted => format!("'{}'", self.pick(&["a b", "*", "q"])),
            3 => format!("\"{}\"", self.pick(&["a  b", "*", "$a"])),
            4 => format!("{} {}", self.pick(LITERALS), self.pick(LITERALS)),
            _ => self.pick(LITERALS).to_owned(),
        }
    }

    fn substitution(&mut self) -> String {
        self.depth += 1;
        let inner = match self.below(4) {
            0 => self.pipeline(),
            1 => format!("cat {}", self.file()),
            _ => self.command(),
        };
        self.depth -= 1;
        // Nested backquotes want escapes, and these are others than people write.
        if self.once_in(6) && !inner.contains(['`', '\\', '"', '$']) {
            format!("`{inner}`")
        } else if inner.starts_with('(') {
            format!("$( {inner} )")
        } else {
            format!("$({inner})")
        }
    }

    fn arithmetic(&mut self, depth: u64) -> String {
        if depth == 0 || self.once_in(3) {
            return match self.below(5) {
                0 => "n".into(),
                1 => "${n:-3}".into(),
                2 => self.pick(&["0x1f", "010", "-3"]).into(),
                _ => self.below(12).to_string(),
            };
        }
        let (one, other) = (self.arithmetic(depth - 1), self.arithmetic(depth - 1));
        match self.below(8) {
            0 => format!("({one}) ? {other} : {}", self.arithmetic(depth - 1)),
            1 => format!("{}({one})", self.pick(&["-", "!", "~", "+"])),
            2 => format!("n {} {one}", self.pick(&["=", "+=", "-=", "*=", "|=", "<<="])),
            3 => format!("({one}) {} ({other})", self.pick(&["/", "%"])),
            _ => {
                let operators = [
                    "+", "-", "*", "<", ">", "<=", "==", "!=", "&&", "||", "&", "|", "^", "<<",
                    ">>",
                ];
                format!("({one}) {} ({other})", self.pick(&operators))
            }
        }
    }

    fn test(&mut self) -> String {
        match self.below(9) {
            0 => format!(
                "[ {} {} \"{}\" ]",
                self.quoted_word(),
                self.pick(&["=", "!="]),
                self.pick(LITERALS)
            ),
            1 => format!("[ {} {} ]", self.pick(&["-n", "-z"]), self.quoted_word()),
            2 => {
                format!("[ {} {} ]", self.pick(&["-f", "-d", "-e", "-s", "-x", "-L"]), self.file())
            }
            3 => format!(
                "[ $(( {} )) {} {} ]",
                self.arithmetic(1),
                self.pick(&["-lt", "-ge", "-eq", "-ne"]),
                self.below(9)
            ),
            4 => format!("test {} -a ! {}", self.quoted_word(), self.quoted_word()),
            5 => format!("grep -q {} {}", self.pick(&["a", "10", "'^c'", "nothing"]), self.file()),
            6 => "false".into(),
            7 => format!("[ {} ]", self.word()),
            _ => "true".into(),
        }
    }

    fn quoted_word(&mut self) -> String {
        format!("\"{}\"", self.inside_quotes())
    }

    fn conditional(&mut self) -> String {
        let (test, then) = (self.test(), self.list());
        match self.below(3) {
            0 => format!("if {test}; then {then}\nfi"),
            1 => format!("if {test}; then {then}\nelse {}\nfi", self.list()),
            _ => format!(
                "if {test}; then {then}\nelif {}; then {}\nelse {}\nfi",
                self.test(),
                self.list(),
                self.list()
            ),
        }
    }

    fn for_loop(&mut self) -> String {
        let name = self.variable();
        let words = match self.below(4) {
            0 => String::new(),
            1 => format!("in {}", self.pick(PATTERNS)),
            _ => format!("in {}", self.words()),
        };
        self.loops += 1;
        let list = self.list();
        self.loops -= 1;
        format!("for {name} {words}\ndo {list}\necho \"${name}\"\ndone{}", self.redirection())
    }

    fn while_loop(&mut self) -> String {
        // Nested loops count with different variables.
        let counter = format!("i{}", self.depth);
        self.loops += 1;
        let list = self.list();
        self.loops -= 1;
        let most = self.below(4);
        let head = match self.once_in(2) {
            true => format!("while [ ${counter} -lt {most} ]"),
            false => format!("until [ ${counter} -ge {most} ]"),
        };
        format!("{counter}=0\n{head}; do {counter}=$(({counter} + 1))\n{list}\ndone")
    }

    fn case(&mut self) -> String {
        let word = self.word();
        let mut arms = String::new();
        for _ in 0..=self.below(3) {
            let pattern = match self.below(4) {
                0 => format!("{} | {}", self.pick(PATTERNS), self.pick(LITERALS)),
                1 => format!("\"${}\"", self.variable()),
                2 => format!("{}*", self.pick(LITERALS)),
                _ => self.pick(PATTERNS).to_owned(),
            };
            let end = match self.dialect {
                Dialect::Bash => self.pick(&[";;", ";;", ";&", ";;&"]),
                Dialect::Posix => ";;",
            };
            arms.push_str(&format!("({pattern}) {}\n{end}\n", self.list()));
        }
        format!("case {word} in\n{arms}esac")
    }

    fn function(&mut self) -> String {
        let was =
            (std::mem::replace(&mut self.is_in_function, true), std::mem::take(&mut self.loops));
        let list = self.list();
        (self.is_in_function, self.loops) = was;
        let local = match self.below(3) {
            0 => format!("local {}={}\n", self.variable(), self.quoted_word()),
            _ => String::new(),
        };
        let name = self.pick(&["f", "g"]);
        format!("{name}() {{ {local}{list}\n}}\n{name} {}\necho \"{name}: $?\"", self.words())
    }

    fn leaving(&mut self) -> String {
        let leave = match self.below(4) {
            0 if self.is_in_function => format!("return {}", self.below(4)),
            1 if self.loops > 0 => "break".into(),
            2 if self.loops > 0 => "continue".into(),
            _ => format!("exit {}", self.below(4)),
        };
        format!("{} && {leave}", self.test())
    }

    fn redirection(&mut self) -> String {
        match self.below(4) {
            0 => format!(" > {}", self.file()),
            1 => " 2>&1".into(),
            2 => " 2> /dev/null".into(),
            _ => String::new(),
        }
    }

    fn pipeline(&mut self) -> String {
        let source = match self.below(4) {
            0 => format!("cat {}", self.file()),
            1 => format!("printf '%s\\n' {}", self.words()),
            2 => "printf 'b 2\\na 10\\nb 1\\n'".into(),
            _ => format!("echo {}", self.words()),
        };
        let filters: Vec<_> = (0..=self.below(2)).map(|_| self.filter()).collect();
        format!("{source} | {}", filters.join(" | "))
    }

    fn filter(&mut self) -> &'static str {
        self.pick(&[
            "sort",
            "sort -r",
            "sort -n",
            "sort -u",
            "sort -k2,2n",
            "uniq",
            "uniq -c",
            "wc -l",
            "wc -c",
            "tr a-z A-Z",
            "tr -d a",
            "tr -s ' '",
            "cut -d' ' -f1",
            "cut -c1-2",
            "cut -d' ' -f2-",
            "sed 's/a/X/g'",
            "sed -n '1p'",
            "sed '/b/d'",
            "sed -e 's/ .*//' -e '$!d'",
            "sed 's/\\(.\\)\\(.\\)/\\2\\1/'",
            "grep a",
            "grep -v a",
            "grep -c .",
            "grep -o '[a-z]'",
            "awk '{print $1}'",
            "awk '{s += $2} END {print s}'",
            "awk -F. '{print NF, $NF}'",
            "cat",
            "cat -n",
            "tail -n 1",
            "tail -n +2",
            "tac",
            "rev",
            "xargs",
            "xargs -n 1 echo",
            "while read -r a b; do echo \"$b-$a\"; done",
            "tee /dev/null",
            "{ read x; cat; echo \"$x\"; }",
            "nl",
            "paste -s -d,",
            "fold -w 3",
            "od -c",
        ])
    }

    fn here_document(&mut self) -> String {
        let body: Vec<_> = (0..=self.below(3))
            .map(|_| match self.below(5) {
                0 => format!("${}", self.variable()),
                1 => format!("$(( {} ))", self.arithmetic(1)),
                2 => format!("a \\$b \\\\ \"{}\" '`'", self.pick(LITERALS)).replace('`', ""),
                3 => format!("${}", self.braced(true)),
                _ => self.words().replace(['`', '"', '\''], ""),
            })
            .collect();
        let (mark, indent) = match self.below(3) {
            0 => ("'END'", ""),
            1 => ("END", ""),
            _ => ("END", "\t"),
        };
        let operator = if indent.is_empty() { "<<" } else { "<<-" };
        let target = match self.below(3) {
            0 => format!(" > {}", self.file()),
            1 => format!(" | {}", self.filter()),
            _ => String::new(),
        };
        let body = body.join(&format!("\n{indent}"));
        format!("cat {operator}{mark}{target}\n{indent}{body}\n{indent}END")
    }

    fn positional(&mut self) -> String {
        let show = self.pick(&[
            "echo \"$#\" \"$*\"",
            "printf '<%s>' \"$@\"; echo",
            "shift; echo \"$@\"",
            "for v; do echo \"- $v\"; done",
            "echo \"${1:-none}\" \"${@}\"",
            "shift 2; echo \"$?\"",
            "while [ $# -gt 0 ]; do echo \"$1\"; shift; done",
        ]);
        format!("set -- {}\n{show}", self.words())
    }

    fn read_loop(&mut self) -> String {
        let read = self.pick(&[
            "read -r a",
            "read -r a b",
            "IFS=: read -r a b",
            "read a",
            "IFS= read -r a",
        ]);
        self.depth += 1;
        let command = self.command();
        self.depth -= 1;
        // No command writes to these.
        let file = self.pick(&["list", "list", "missing"]);
        format!("while {read}; do echo \"[$a] [$b]\"\n{command} < /dev/null\ndone < {file}")
    }

    fn file_command(&mut self) -> String {
        let (one, other) = (self.file(), self.file());
        match self.below(20) {
            0 => format!("touch {one}"),
            1 => format!("mkdir {} {one}", self.pick(&["-p", ""])),
            2 => format!("rm {} {one}", self.pick(&["-f", "-rf", "", "-r"])),
            3 | 4 => format!("cp {} {one} {other}", self.pick(&["", "-r", "-a", "-p"])),
            5 | 6 => format!("mv {} {one} {other}", self.pick(&["", "-f", "-n"])),
            7 => format!("ln {} {one} {other}", self.pick(&["-s", "-sf", "", "-f"])),
            8 => format!("ls {} {one}", self.pick(&["", "-1", "-a", "-d"])),
            9 => format!("wc -l {one} {other}"),
            10 => format!(
                "chmod {} {one}",
                self.pick(&["755", "u+x", "go-r", "a=r", "g=u", "+x", "600"])
            ),
            11 => format!("sort {one} {other}"),
            12 => format!(
                "sed -i {} {one}",
                self.pick(&["'s/a/b/'", "'1d'", "'$a end'", "'/b/s/$/!/'"])
            ),
            13 => {
                format!("grep {} a {one} {other}", self.pick(&["", "-n", "-l", "-c", "-h", "-s"]))
            }
            14 => format!(
                "find . {} | sort",
                self.pick(&[
                    "-type f",
                    "-name '*.txt'",
                    "-maxdepth 1",
                    "-type d -name 'd*'",
                    "! -name data",
                    "-empty"
                ])
            ),
            15 => format!("head -n {} {one}", self.below(3)),
            16 => format!("basename {one} {}; dirname {other}", self.pick(&["", ".txt"])),
            17 => format!("rmdir {one}"),
            18 => format!("readlink {} {one}", self.pick(&["", "-f", "-m", "-e"])),
            _ => format!("cat {one} {other} > joined; wc -c < joined"),
        }
    }

    fn of_bash(&mut self) -> String {
        match self.below(12) {
            0 => format!(
                "[[ {} {} {} ]]; echo $?",
                self.word_for_test(),
                self.pick(&["==", "!=", "="]),
                self.pick(PATTERNS)
            ),
            1 => format!(
                "[[ {} =~ {} ]] && echo \"${{BASH_REMATCH[0]}}\"",
                self.word_for_test(),
                self.pick(&["^a", "o+", "[0-9]+", "(.)(.)", "x$"])
            ),
            2 => format!(
                "l=({}); echo \"${{#l[@]}}\" \"${{l[@]}}\" \"${{l[1]-none}}\"",
                self.words()
            ),
            3 => format!(
                "l=({}); l+=({}); for v in \"${{l[@]}}\"; do echo \"$v\"; done",
                self.words(),
                self.words()
            ),
            4 => format!(
                "echo {}{{{},{}}}{}",
                self.pick(&["x", "", "a/"]),
                self.pick(LITERALS),
                self.pick(&["", "y", "{1,2}"]),
                self.pick(&["", ".txt"])
            ),
            5 => format!(
                "echo {}",
                self.pick(&["{1..4}", "{a..e..2}", "x{3..1}", "{01..03}", "{1..x}"])
            ),
            6 => format!("cat <<< {}", self.word()),
            7 => format!("(( {} )); echo $?", self.arithmetic(2)),
            8 => format!("for (( k = 0; k < {}; k++ )); do echo $k; done", self.below(4)),
            9 => format!("echo $'a\\tb\\x41\\n'\"${}\"", self.variable()),
            10 => {
                "declare -A m=([x]=1 [y]='2 3'); m[z]=4; echo \"${m[y]}\" \"${#m[@]}\" \"${m[x]}\""
                    .into()
            }
            _ => format!("printf -v a '%05d' {}; echo \"$a\" &> new", self.below(100)),
        }
    }

    fn word_for_test(&mut self) -> String {
        match self.below(3) {
            0 => format!("${}", self.variable()),
            1 => self.quoted_word(),
            _ => self.pick(&["foo", "ab", "x", "10", "a.txt"]).to_owned(),
        }
    }
}

fn quoted(command: &str) -> String {
    format!("'{}'", command.replace('\'', "'\\''"))
}
