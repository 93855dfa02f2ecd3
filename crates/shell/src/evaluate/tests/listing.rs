//! The simple commands of a script, as they are written.

use bstr::ByteSlice;

use crate::evaluate::dialect::Dialect;
use crate::{WrittenCommand, simple_commands};

fn listed(script: &str) -> Vec<WrittenCommand> {
    simple_commands(script.as_bytes(), Dialect::Bash).expect("a script")
}

#[test]
fn commands_are_listed_wherever_they_are() {
    for (script, expected) in [
        ("a && b -x 'y z' || ! c | d; e", &["a", "b -x 'y z'", "c", "d", "e"][..]),
        ("a && b & c", &[": &", "a", "b", "c"]),
        ("{ a & b; } | c", &[": &", "a", "b", "c"]),
        ("for x in $(a) $(b) c; do d $x; done", &["a", "x=$(a)", "b", "d $x"]),
        ("case $(a) in x) b;; *) c; esac <$(d)", &["a", "b", "c", "d"]),
        ("f() { a; }; f x; function g { b; }; g", &["a", "b"]),
        ("x=$(a) b \"$(c \"$(d)\")\"", &["x=$(a) b \"$(c \"$(d)\")\"", "a", "c \"$(d)\"", "d"]),
        ("((a) | b); ((1 + $(c)))", &["a", "b", "c"]),
        ("echo $((a); (b)) `c \\`d\\``", &["echo $((a); (b)) `c \\`d\\``", "a", "b", "c `d`", "d"]),
        (
            "export x=$(a) y=(b $(c)); z[$(d)]=1",
            &["export x=$(a) y=(b $(c))", "a", "c", "z[$(d)]=1", "d"],
        ),
        ("a \\\n  b # c\n>f", &["a \\\n  b", ">f"]),
    ] {
        let found = simple_commands(script.as_bytes(), Dialect::Bash).unwrap_or_default();
        let found: Vec<String> = found.iter().map(|command| command.text.to_string()).collect();
        assert_eq!(found, expected, "{script}");
    }
}

#[test]
fn here_documents_stay_with_their_commands() {
    for (script, expected) in [
        (
            "cat <<'E' > x; b\n$(a)\nE\ncat <<E\n$(b)\nE\nc",
            &["cat <<'E' > x\n$(a)\nE\n", "b", "cat <<E\n$(b)\nE\n", "b", "c"][..],
        ),
        ("a <<E <<-F | b\n1\nE\n\t2\n\tF\nc", &["a <<E <<-F\n1\nE\n\t2\n\tF\n", "b", "c"]),
        ("x=$(a <<E\n1\nE\n) b <<F\n2\nF", &["x=$(a <<E\n1\nE\n) b <<F\n2\nF\n", "a <<E\n1\nE\n"]),
        ("while a; do b <<E; done <<F\n1\nE\n2\nF\n", &["a", "b <<E\n1\nE\n"]),
    ] {
        let found: Vec<String> =
            listed(script).iter().map(|command| command.text.to_string()).collect();
        assert_eq!(found, expected, "{script}");
    }
}

#[test]
fn words_are_listed_with_and_without_quotes() {
    let script = r#"x=1 "a"b 'c d' "$e \$f \g" g\ h ~/i "${j:-"k"}"'"' <x l"#;
    let commands = listed(script);
    let words = |of: fn(&crate::WrittenWord) -> &bstr::BString| -> Vec<String> {
        commands[0].words.iter().map(|word| of(word).as_bstr().to_string()).collect()
    };
    assert_eq!(
        words(|word| &word.written),
        [r#""a"b"#, "'c d'", r#""$e \$f \g""#, r"g\ h", "~/i", r#""${j:-"k"}"'"'"#, "l"]
    );
    assert_eq!(
        words(|word| &word.bare),
        ["ab", "c d", r"$e $f \g", "g h", "~/i", r#"${j:-"k"}""#, "l"]
    );
}

#[test]
fn what_is_no_script_has_no_commands() {
    for (script, expected) in [
        (
            "a\nif b",
            "`the script` is not understood: syntax error: the end of the text is not expected here",
        ),
        ("a\ncoproc b", "`the script` is not understood: `coproc`"),
    ] {
        let refusal = simple_commands(script.as_bytes(), Dialect::Bash).unwrap_err();
        assert_eq!(refusal.to_string(), expected);
        assert_eq!(refusal.line, Some(2));
    }
    let deep = "(".repeat(10_000);
    assert!(simple_commands(deep.as_bytes(), Dialect::Dash).is_err());
}
