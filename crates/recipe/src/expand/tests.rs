//! What the words of recipes become. The cases are BuildKit's (`shell/envVarTest`, `wordsTest` and
//! `lex_test.go`) and more.

use super::{expand, expand_heredoc, expand_words};

const ERROR: &str = "<error>";

fn values<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
}

#[test]
fn one_word() {
    let variables =
        values(&[("PWD", "/home"), ("SHELL", "bash"), ("KOREAN", "한국어"), ("NULL", "")]);
    for (word, expected) in [
        ("hello", "hello"),
        ("he'll'o", "hello"),
        ("he'llo", ERROR),
        ("he\\'llo", "he'llo"),
        ("he\\\\'llo", ERROR),
        ("abc\\tdef", "abctdef"),
        ("\"abc\\tdef\"", "abc\\tdef"),
        ("\"abc\\\\tdef\"", "abc\\tdef"),
        ("'abc\\tdef'", "abc\\tdef"),
        ("hello\\", "hello"),
        ("hello\\\\", "hello\\"),
        ("\"hello", ERROR),
        ("\"hello\\\"", ERROR),
        ("\"hel'lo\"", "hel'lo"),
        ("'hello\\'", "hello\\"),
        ("'hello\\there'", "hello\\there"),
        ("'hello\\\\there'", "hello\\\\there"),
        ("\"''\"", "''"),
        ("$.", "$."),
        ("he$1x", "hex"),
        ("he$.x", "he$.x"),
        ("he$pwd.", "he."),
        ("he$PWD", "he/home"),
        ("he\\$PWD", "he$PWD"),
        ("he\\\\$PWD", "he\\/home"),
        ("\"he\\$PWD\"", "he$PWD"),
        ("\"he\\\\$PWD\"", "he\\/home"),
        ("\\${}", "${}"),
        ("he\\${}xx", "he${}xx"),
        ("${}", ERROR),
        ("he${}xx", ERROR),
        ("he${hi}xx", "hexx"),
        ("he${PWD}", "he/home"),
        ("he${.}", ERROR),
        ("he${XXX:-000}xx", "he000xx"),
        ("he${PWD:-000}xx", "he/homexx"),
        ("he${XXX:-$PWD}xx", "he/homexx"),
        ("he${XXX:-${PWD:-yyy}}xx", "he/homexx"),
        ("he${XXX:-${YYY:-yyy}}xx", "heyyyxx"),
        ("he${XXX:YYY}", ERROR),
        ("he${XXX?}", ERROR),
        ("he${XXX:?}", ERROR),
        ("he${PWD?}", "he/home"),
        ("he${PWD:?}", "he/home"),
        ("he${NULL?}", "he"),
        ("he${NULL:?}", ERROR),
        ("he${XXX:+${PWD}}xx", "hexx"),
        ("he${PWD:+${XXX}}xx", "hexx"),
        ("he${PWD:+${SHELL}}xx", "hebashxx"),
        ("he${PWD:+000}xx", "he000xx"),
        ("'he${XX}'", "he${XX}"),
        ("\"he'$PWD'\"", "he'/home'"),
        ("'\"hello\"'", "\"hello\""),
        ("'he\\$PWD'", "he\\$PWD"),
        ("he${PWD", ERROR),
        ("he${PWD:=000}xx", ERROR),
        ("he${PWD:+${PWD}:}xx", "he/home:xx"),
        ("he${XXX:-\\$PWD:}xx", "he$PWD:xx"),
        ("he${XXX:-\\${PWD}z}xx", "he${PWDz}xx"),
        ("안녕하세요", "안녕하세요"),
        ("안'녕'하세요", "안녕하세요"),
        ("안'녕하세요", ERROR),
        ("안녕\\'하세요", "안녕'하세요"),
        ("안녕\\t하세요", "안녕t하세요"),
        ("\"안녕하세요\\\"", ERROR),
        ("안녕$PWD", "안녕/home"),
        ("안녕${XXX:-\\${PWD}z}xx", "안녕${PWDz}xx"),
        ("안녕$KOREAN", "안녕한국어"),
        ("${{aaa}", ERROR),
        ("${aaa}}", "}"),
        ("${aaa", ERROR),
        ("${aaa:-bbb}}", "bbb}"),
        ("${aaa:-bbb", ERROR),
        ("${aaa:-bbb ${foo}", ERROR),
        ("${aaa:-bbb {foo}", "bbb {foo"),
        ("${:}", ERROR),
        ("${:-bbb}", ERROR),
        ("${:+bbb}", ERROR),
        // Positional and special parameters are never set (POSIX.1-2017, XCU 2.5.1 and 2.5.2).
        ("$999aaa", "aaa"),
        ("${999:+bbb}aaa", "aaa"),
        ("${001:-bbb}aaa", "bbbaaa"),
        ("$@@@", "@@"),
        ("${@:-bbb}aaa", "bbbaaa"),
        ("$*$#$?$-$$$!$0", ""),
        ("${*}${#}${?}${-}${$}${!}${0}", ""),
        ("${#:-bbb}", "bbb"),
        ("${-:+bbb}", ""),
        // Quotes work inside braces, those inside quotes too.
        ("\"${XXX:-\"a b\"}\"", "a b"),
        ("${XXX:-'}'}", "}"),
        ("a  b", "a  b"),
        ("<<EOF", "<<EOF"),
        ("a<b", "a<b"),
        ("$", "$"),
        ("", ""),
        ("${PWD!}", ERROR),
        ("${PWD:", ERROR),
        ("${", ERROR),
        ("${/a/b}", ERROR),
    ] {
        let result = expand(word, '\\', &variables);
        let text = result.as_ref().map_or(ERROR, |expansion| expansion.text.as_str());
        assert_eq!(text, expected, "{word}: {result:?}");
    }
}

#[test]
fn backtick_escapes() {
    let variables = values(&[("A", "x")]);
    for (word, expected) in [
        ("C:\\$A", "C:\\x"),
        ("`$A", "$A"),
        ("``$A", "`x"),
        ("\"`$A\\n\"", "$A\\n"),
        ("${A#\\x}", ERROR),
    ] {
        let result = expand(word, '`', &variables);
        let text = result.as_ref().map_or(ERROR, |expansion| expansion.text.as_str());
        assert_eq!(text, expected, "{word}: {result:?}");
    }
}

#[test]
fn operators_and_what_they_asked_for() {
    type Pairs = &'static [(&'static str, &'static str)];
    const XY: Pairs = &[("FOO", "xxyy"), ("BAR", ""), ("X", "x")];
    let cases: &[(&str, Pairs, &str, &str, &str)] = &[
        ("x ${UNUSED}", &[], "x ", "", "UNUSED"),
        ("${FOO-a} ${BAR-b} ${BAZ-c}", XY, "xxyy  c", "BAR FOO", "BAZ"),
        ("${FOO:-a} ${BAR:-b} ${BAZ:-c}", XY, "xxyy b c", "BAR FOO", "BAZ"),
        ("${FOO+a} ${BAR+b} ${BAZ+c}", XY, "a b ", "BAR FOO", "BAZ"),
        ("${FOO:+a} ${BAR:+b} ${BAZ:+c}", XY, "a  ", "BAR FOO", "BAZ"),
        ("${FOO?a}${BAR?b}", XY, "xxyy", "BAR FOO", ""),
        ("${FOO#()[]{\\}^$.\\*\\?|\\\\}", &[("FOO", "()[]{}^$.*?|\\x")], "x", "FOO", ""),
        ("${FOO%%\\**}", &[("FOO", "xx**")], "xx", "FOO", ""),
        ("${FOO#*x*y}", XY, "y", "FOO", ""),
        ("${FOO#*}", XY, "xxyy", "FOO", ""),
        ("${FOO##*}", XY, "", "FOO", ""),
        ("${FOO#$X}", XY, "xyy", "FOO X", ""),
        ("${FOO#$BAR}", XY, "xxyy", "BAR FOO", ""),
        ("${FOO#}${FOO##}${FOO%}${FOO%%}", XY, "xxyyxxyyxxyyxxyy", "FOO", ""),
        ("${FOO##*x}", XY, "yy", "FOO", ""),
        ("${FOO#*x}", XY, "xyy", "FOO", ""),
        ("${FOO%y*}", XY, "xxy", "FOO", ""),
        ("${FOO%%y*}", XY, "xx", "FOO", ""),
        ("${FOO%x}", XY, "xxyy", "FOO", ""),
        ("${FOO#?\\?}", &[("FOO", "???y")], "?y", "FOO", ""),
        ("${FOO%%\\**\\*}", &[("FOO", "a***yy*")], "a", "FOO", ""),
        ("${FOO%é*}", &[("FOO", "aéé🖖")], "aé", "FOO", ""),
        ("${NO%x}", XY, "", "", "NO"),
        ("${FOO//x/a}${FOO/x/a}", XY, "aayyaxyy", "FOO", ""),
        ("${FOO/$BAR/ww}", XY, "wwxxyy", "BAR FOO", ""),
        ("${FOO///}", XY, "xxyy", "FOO", ""),
        ("${FOO///}", &[], "", "", "FOO"),
        ("${FOO//\\//\\/}", &[("FOO", "/tmp/foo.txt")], "\\/tmp\\/foo.txt", "FOO", ""),
        ("${FOO/$N/} ${FOO//$N/}", &[("FOO", "/t/t/b"), ("N", "/t")], "/t/b /b", "FOO N", ""),
        (
            "${F/$N/.} ${F//$N/.}",
            &[("F", "/f*/*/*.t"), ("N", "\\*/")],
            "/f.*/*.t /f..*.t",
            "F N",
            "",
        ),
        (
            "${F/$N/$R}",
            &[("F", "http://g.de"), ("N", "http://"), ("R", "https://")],
            "https://g.de",
            "F N R",
            "",
        ),
        ("${FOO//x/$0}", &[("FOO", "x"), ("0", "$1")], "$1", "0 FOO", ""),
        ("${V:+-${V}}", &[("V", "")], "", "V", ""),
        ("${NO:-${FOO}}", XY, "xxyy", "FOO", "NO"),
    ];
    for (word, pairs, text, used, unset) in cases {
        let result = expand(word, '\\', &values(pairs)).unwrap();
        let shown = (result.text.as_str(), result.used.join(" "), result.unset.join(" "));
        assert_eq!(shown, (*text, (*used).to_owned(), (*unset).to_owned()), "{word}");
    }
}

#[test]
fn errors_say_what_and_where() {
    let variables = values(&[("FOO", "x"), ("EMPTY", "")]);
    let check = |word: &str, expected: &str| {
        let error = expand(word, '\\', &variables).unwrap_err();
        assert_eq!(format!("{}: {error}", &word[error.at.clone()]), expected, "{word}");
    };
    check("a'b", "'b: a single quote is not closed");
    check("a${FOO:-\"b}", "\"b}: a double quote is not closed");
    check("a${FOO:-b", "${FOO:-b: `${` is not closed by `}`");
    check("a${", "${: `${` is not closed by `}`");
    check("${FOO/a}", "${FOO/a}: `${FOO/…` has no second `/`");
    check("${FOO//}", "${FOO//}: `${FOO/…` has no second `/`");
    check("${}", "${}: `${` is not followed by a variable's name");
    check("${FOO:=b}", ":=: `:=` after `FOO` is not a known kind of substitution");
    check("${FOO=b}", "=: `=` after `FOO` is not a known kind of substitution");
    check("${FOO:#b}", ":#: `:#` after `FOO` is not a known kind of substitution");
    check("${FOO:", "${FOO:: `${` is not closed by `}`");
    check("${NO?set $FOO}", "${NO?set $FOO}: `NO`: set x");
    check("${NO?}", "${NO?}: `NO`: a value is required, and there is none");
    check("${EMPTY:?}", "${EMPTY:?}: `EMPTY`: a value is required, and it is empty");
    check(
        "x${FOO#\\x}",
        "${FOO#\\x}: `\\x` is not a pattern: `\\` stands before something that needs no escape",
    );
}

#[test]
fn several_words() {
    let variables = values(&[
        ("hi", "hi"),
        ("space", "abc  def"),
        ("leading", "  ab c"),
        ("trailing", "ab c   "),
    ]);
    for (text, expected) in [
        ("hello${no}bye", "hellobye"),
        ("hello${hi}bye", "hellohibye"),
        ("hello${space}bye", "helloabc|defbye"),
        ("hello\"${space}\"bye", "helloabc  defbye"),
        ("hello \"${space}\"bye", "hello|abc  defbye"),
        ("hello${leading}def", "hello|ab|cdef"),
        ("hello\"${leading}\" def", "hello  ab c|def"),
        ("hello${trailing}d", "helloab|c|d"),
        ("hello\"${trailing}\"d", "helloab c   d"),
        ("hel\"lo${trailing}\"", "helloab c   "),
        ("hello\" there  \"", "hello there  "),
        ("hello there   ", "hello|there"),
        ("hello\\ there", "hello there"),
        ("hello\" there", ERROR),
        ("hello\\\" there", "hello\"|there"),
        ("hello\"\\\\there\"", "hello\\there"),
        ("hello\"\\there\"", "hello\\there"),
        ("hello'$there'", "hello$there"),
        ("\"\" a", "a"),
        ("80${no:-80} ${space+443}", "8080|443"),
        ("", ""),
    ] {
        let result = expand_words(text, '\\', &variables);
        let shown = result.as_ref().map_or(ERROR.to_owned(), |words| words.words.join("|"));
        assert_eq!(shown, expected, "{text}: {result:?}");
    }
}

#[test]
fn heredocs_keep_quotes() {
    let variables = values(&[("A", "x")]);
    for (content, expected) in [
        ("don't '$A' \"$A\"\n", "don't 'x' \"x\"\n"),
        ("\\$A \\\\ \\n `$A`\n", "$A \\ n `x`\n"),
        ("${A:+'y'}", "'y'"),
        ("${A", ERROR),
    ] {
        let result = expand_heredoc(content, &variables);
        let text = result.as_ref().map_or(ERROR, |expansion| expansion.text.as_str());
        assert_eq!(text, expected, "{content}");
    }
}

#[test]
fn depth_and_size_are_bounded() {
    let none = |_: &str| None;
    let depth = 100_000;
    let closed = format!("{}x{}", "${a:-".repeat(depth), "}".repeat(depth));
    assert_eq!(expand(&closed, '\\', &none).unwrap().text, "x");
    let quoted = format!("{}x{}", "\"${a:-".repeat(depth), "}\"".repeat(depth));
    assert_eq!(expand(&quoted, '\\', &none).unwrap().text, "x");
    for open in ["${a:-", "${a/", "\"${a:-", "${a#", "$", "${"] {
        let _ = expand(&open.repeat(depth), '\\', &none);
        let _ = expand_words(&open.repeat(depth), '\\', &none);
    }
    let large = |_: &str| Some("x".repeat(1 << 20));
    let error = expand(&"$a".repeat(100), '\\', &large).unwrap_err();
    assert_eq!(error.to_string(), "it expands to more than 16 MiB");
    let error = expand(&format!("${{a//x/{}}}", "y".repeat(1000)), '\\', &large).unwrap_err();
    assert_eq!(error.to_string(), "it expands to more than 16 MiB");
}
