//! Here-documents in all their forms.

use super::{findings, one, parsed};
use crate::{Instruction, Source, expand_heredoc, parse_dockerfile};

#[test]
fn bodies() {
    let check = |text: &str, expected: &str| assert_eq!(one(text), expected, "{text:?}");
    check("RUN <<EOF\na\nb\nEOF", "RUN sh<<<EOF> <<EOF\"a\\nb\\n\"");
    check("RUN <<EOF\nEOF\nUSER a", "RUN sh<<<EOF> <<EOF\"\"\nUSER [a]");
    check("RUN 3<<EOF\nEOF", "RUN sh<3<<EOF> 3<<EOF\"\"");
    check("RUN <<-A\n\t\ta\n b\tc\n\tA", "RUN sh<<<-A> <<A\"a\\n b\\tc\\n\"");
    check("RUN <<A\n\ta\n\tA\nA", "RUN sh<<<A> <<A\"\\ta\\n\\tA\\n\"");
    check("RUN cat <<E >f && y\nx\nE", "RUN sh<cat <<E >f && y> <<E\"x\\n\"");
    check("RUN <<  E  > f\nE", "RUN sh<<<  E  > f> <<E\"\"");
    check(
        "RUN --mount=type=cache,target=/a <<M\nx\nM",
        "RUN sh<<<M> <<M\"x\\n\" mount=Cache[(\"target\", Some(\"/a\"))]",
    );
    check("RUN <<E python3\nE", "RUN sh<<<E python3> <<E\"\"");
    check("RUN a <<E \\\n&& b\nE", "RUN sh<a <<E && b> <<E\"\"");
    // Comments, blank lines and continuations are nothing in a body; line endings stay.
    check("RUN <<E\n# a\n\nb \\\nE", "RUN sh<<<E> <<E\"# a\\n\\nb \\\\\\n\"");
    check("RUN <<E\r\na\r\nE\r\n", "RUN sh<<<E> <<E\"a\\r\\n\"");
    check("COPY <<A <<B /c\n1\nA\n2\nB", "COPY <<A\"1\\n\" <<B\"2\\n\" -> [/c]");
    check("COPY <<X <<Y /c\nY\nX\nX\nY", "COPY <<X\"Y\\n\" <<Y\"X\\n\" -> [/c]");
    check("COPY a <<b.txt c/ d/\nx\nb.txt", "COPY [a] <<b.txt\"x\\n\" [c/] -> [d/]");
    check("COPY <<A <<A /c\n1\nA\n2\nA", "COPY <<A\"1\\n\" <<A\"2\\n\" -> [/c]");
    check("COPY << A /c\nA", "COPY <<A\"\" -> [/c]");
    check("ADD <<A /c\nA", "ADD <<A\"\" -> [/c]");
}

#[test]
fn delimiters() {
    let check = |word: &str, end: &str, expected: &str| {
        let shown = one(&format!("COPY {word} /c\nx\n{end}\nUSER a"));
        assert_eq!(shown, format!("COPY {expected}\"x\\n\" -> [/c]\nUSER [a]"), "{word}");
    };
    check("<<EOF", "EOF", "<<EOF");
    check("<<'EOF'", "EOF", "<<!EOF");
    check("<<\"EOF\"", "EOF", "<<!EOF");
    check("<<-'EOF'", "\tEOF", "<<!EOF");
    check("<<eo'f'", "eof", "<<!eof");
    check("<<eo\\'f", "eo'f", "<<eo'f");
    check("<<'e'o\\'f", "eo'f", "<<!eo'f");
    check("<<'one two'", "one two", "<<!one two");
    check("<<$EOF", "$EOF", "<<$EOF");
    check("<<${EOF}", "${EOF}", "<<${EOF}");
    check("<<\\EOF", "EOF", "<<EOF");
    check("<< -EOF", "-EOF", "<<-EOF");
    check("<<- EOF", "EOF", "<<EOF");
    check("12<<EOF", "EOF", "12<<EOF");
}

#[test]
fn what_is_none() {
    let check = |text: &str, expected: &str| assert_eq!(one(text), expected, "{text:?}");
    check("USER <<E", "USER [<<E]");
    check("RUN \"<<E\"", "RUN sh<\"<<E\">");
    check("RUN '<<E'", "RUN sh<'<<E'>");
    check("RUN a<<E", "RUN sh<a<<E>");
    check("RUN x <<<E", "RUN sh<x <<<E>");
    check("RUN [\"<<E\"]", "RUN [\"<<E\"]");
    check("COPY [\"<<E\", \"b\"]", "COPY [<<E] -> [b]");
    check("RUN $((1<<2))", "RUN sh<$((1<<2))>");
    check("RUN x <<", "RUN sh<x <<>");
    // With a quote left open the shell is to complain, not the recipe's parser.
    check("RUN it's <<E", "RUN sh<it's <<E>");
    check("CMD <<E", "CMD sh<<<E>");
}

#[test]
fn places() {
    let text = "FROM a\nRUN <<-E\n\tx\nE\nUSER b";
    let recipe = parsed(text).recipe;
    let step = &recipe.stages[0].instructions[0];
    assert_eq!(&text[step.span.clone()], "RUN <<-E\n\tx\nE");
    let Instruction::Run(run) = &step.instruction else { panic!() };
    assert_eq!(&text[run.heredocs[0].span.clone()], "\tx\n");
}

#[test]
fn expansion_errors() {
    let check = |opening: &str, expected: &str| {
        let text = format!("FROM a\nCOPY {opening} /b\n\tx ${{A\n\ty\nE\n");
        let recipe = parsed(&text).recipe;
        let Instruction::Copy(copy) = &recipe.stages[0].instructions[0].instruction else {
            panic!()
        };
        let Source::Heredoc(heredoc) = &copy.sources[0] else { panic!() };
        let error = expand_heredoc(&heredoc.content, &|_| None).unwrap_err();
        assert_eq!(findings(&text, &[error.heredoc_diagnostic(heredoc)]), expected);
    };
    check("<<E", "3 «${A» `${` is not closed by `}`");
    // Where tabs were taken off, it is the whole text.
    check("<<-E", "3 «\tx ${A\n\ty\n» `${` is not closed by `}`");
}

#[test]
fn errors() {
    let check = |text: &str, expected: &str| {
        let text = format!("FROM a\n{text}");
        assert_eq!(findings(&text, &parse_dockerfile(&text).unwrap_err()), expected);
    };
    check(
        "RUN cat <<EOF >x\na\n",
        "2 «<<EOF» the here-document `EOF` has no end | end it with a line that is `EOF` and no more",
    );
    check(
        "COPY a <<E\nE",
        "2 «<<E» a here-document stands where `COPY` goes to | it is written `COPY SOURCE … DESTINATION`",
    );
    check(
        "COPY <<A <<B /c\nx\nA\n",
        "2 «<<B» the here-document `B` has no end | end it with a line that is `B` and no more",
    );
}
