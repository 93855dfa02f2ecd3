//! The instructions, one parser each (BuildKit's `instructions/parse.go`).

mod copy;
mod healthcheck;

use std::ops::Range;

use crate::flag::{self, Flags};
use crate::heredoc::Announced;
use crate::line::Line;
use crate::split::{Json, JsonString, Parts, first_gap, json, parts, plain_words, quoted_words};
use crate::suggest::did_you_mean;
use crate::{
    Argument, CommandLine, Diagnostic, Instruction, Mount, Rule, Run, Span, Spanned, StageBase,
    Word, mount,
};

/// Every keyword.
pub(crate) const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// An instruction on its way to a type.
pub(crate) struct Request<'a> {
    pub(crate) line: &'a Line,
    pub(crate) parts: Parts,
    pub(crate) heredocs: Vec<Announced>,
    pub(crate) escape: char,
    /// The known keyword, in upper case.
    pub(crate) keyword: &'static str,
    pub(crate) warnings: &'a mut Vec<Diagnostic>,
}

/// The known keyword for one that was written.
pub(crate) fn keyword(written: &str, span: Span) -> Result<&'static str, Diagnostic> {
    if let Some(known) = KEYWORDS.iter().find(|known| written.eq_ignore_ascii_case(known)) {
        return Ok(known);
    }
    // What is not even Dockerfile-like may be one endless word.
    let shown: String = written.chars().take(40).collect();
    let more = if shown.len() < written.len() { "…" } else { "" };
    let error = Diagnostic::error(span, format!("there is no instruction `{shown}{more}`"));
    let letters =
        written.len() - written.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
    let begun = KEYWORDS.iter().find(|known| written[..letters].eq_ignore_ascii_case(known));
    Err(match (did_you_mean(written, KEYWORDS), begun) {
        (_, Some(known)) => error.with_hint(format!("put a space behind `{known}`")),
        (Some(hint), None) => error.with_hint(hint),
        (None, None) => error,
    })
}

/// Parses anything but `FROM`.
pub(crate) fn parse(mut request: Request<'_>) -> Result<Instruction, Diagnostic> {
    let request = &mut request;
    Ok(match request.keyword {
        "ADD" => Instruction::Add(copy::add(request)?),
        "ARG" => Instruction::Arg(arguments(request)?),
        "CMD" => Instruction::Cmd(plain_command(request)?),
        "COPY" => Instruction::Copy(copy::copy(request)?),
        "ENTRYPOINT" => Instruction::Entrypoint(plain_command(request)?),
        "ENV" => Instruction::Env(pairs(request)?),
        "EXPOSE" => Instruction::Expose(expose(request)?),
        "HEALTHCHECK" => Instruction::Healthcheck(healthcheck::healthcheck(request)?),
        "LABEL" => Instruction::Label(pairs(request)?),
        "MAINTAINER" => {
            let message = "MAINTAINER is deprecated; a label says the same";
            request.warn(Rule::MaintainerDeprecated, request.keyword_span(), message);
            Instruction::Maintainer(request.single()?.text)
        }
        "ONBUILD" => Instruction::OnBuild(on_build(request)?),
        "RUN" => Instruction::Run(run(request)?),
        "SHELL" => Instruction::Shell(shell(request)?),
        "STOPSIGNAL" => Instruction::StopSignal(request.single()?),
        "USER" => Instruction::User(request.single()?),
        "VOLUME" => Instruction::Volume(volume(request)?),
        // `FROM` does not come here, and `keyword` gives no other.
        _ => Instruction::Workdir(request.single()?),
    })
}

impl Request<'_> {
    pub(crate) fn keyword_span(&self) -> Span {
        self.line.span(self.parts.keyword.clone())
    }

    fn arguments(&self) -> &str {
        &self.line.text[self.parts.arguments.clone()]
    }

    fn flags(&self, known: &[flag::Known]) -> Result<Flags, Diagnostic> {
        flag::parse(self.keyword, known, &self.parts.flags, self.line)
    }

    fn warn(&mut self, rule: Rule, span: Span, message: impl Into<String>) {
        self.warnings.push(Diagnostic::warning(rule, span, message));
    }

    /// An error at the keyword.
    fn missing(&self, what: &str, hint: &str) -> Diagnostic {
        let message = format!("`{}` has no {what}", self.keyword);
        Diagnostic::error(self.keyword_span(), message).with_hint(hint)
    }

    /// The whole argument as one word.
    fn single(&self) -> Result<Word, Diagnostic> {
        self.flags(flag::NONE)?;
        if self.arguments().is_empty() {
            return Err(self.missing("argument", "it takes exactly one"));
        }
        Ok(self.line.word(self.parts.arguments.clone()))
    }

    /// The arguments as words, of a JSON array or between white space.
    fn list(&self) -> Result<Vec<Word>, Diagnostic> {
        match self.json()? {
            Some(strings) => Ok(strings
                .into_iter()
                .map(|(text, range)| Word { text, span: self.line.span(range) })
                .collect()),
            None => Ok(self.words(self.parts.arguments.clone())),
        }
    }

    fn words(&self, range: Range<usize>) -> Vec<Word> {
        let words = plain_words(&self.line.text, range);
        words.into_iter().map(|range| self.line.word(range)).collect()
    }

    fn json(&self) -> Result<Option<Vec<JsonString>>, Diagnostic> {
        self.json_in(self.parts.arguments.clone())
    }

    fn json_in(&self, range: Range<usize>) -> Result<Option<Vec<JsonString>>, Diagnostic> {
        match json(&self.line.text, range.clone()) {
            Json::No => Ok(None),
            Json::Strings(strings) => Ok(Some(strings)),
            Json::Mixed => {
                let message = "an array in exec form holds something that is not a string";
                let error = Diagnostic::error(self.line.span(range), message);
                Err(error.with_hint("put every element in double quotes"))
            }
        }
    }

    /// A command in exec form or in shell form.
    fn command(&self, range: Range<usize>) -> Result<CommandLine, Diagnostic> {
        Ok(match self.json_in(range.clone())? {
            Some(strings) => CommandLine::Exec(strings.into_iter().map(|(text, _)| text).collect()),
            None => CommandLine::Shell(self.line.text[range].to_owned()),
        })
    }
}

/// `FROM [--platform=P] IMAGE [AS NAME]`
pub(crate) fn from(mut request: Request<'_>) -> Result<StageBase, Diagnostic> {
    let words = request.words(request.parts.arguments.clone());
    let (image, name) = match words.as_slice() {
        [image] => (image, None),
        [image, keyword, name] if keyword.text.eq_ignore_ascii_case("as") => {
            from_as_casing(&mut request, keyword);
            (image, Some(stage_name(&mut request, name)?))
        }
        [] => return Err(request.missing("image", "to start from nothing, write `FROM scratch`")),
        [_, second, ..] => {
            let span = second.span.start..words[words.len() - 1].span.end;
            let error = Diagnostic::error(span, "`FROM` has more than an image and a name");
            return Err(error.with_hint(
                match words.iter().any(|word| word.text.starts_with('#')) {
                    true => "a comment stands on a line of its own",
                    false => "it is written `FROM IMAGE` or `FROM IMAGE AS NAME`",
                },
            ));
        }
    };
    let flags = request.flags(flag::FROM)?;
    Ok(StageBase { image: image.clone(), platform: flags.value("platform"), name })
}

fn from_as_casing(request: &mut Request<'_>, keyword: &Word) {
    let from = request.line.text[request.parts.keyword.clone()].to_owned();
    let expected = if from == from.to_ascii_uppercase() {
        "AS"
    } else if from == from.to_ascii_lowercase() {
        "as"
    } else {
        return;
    };
    if keyword.text != expected {
        let message = format!("`{}` and `{from}` differ in case", keyword.text);
        request.warn(Rule::FromAsCasing, keyword.span.clone(), message);
    }
}

fn stage_name(request: &mut Request<'_>, word: &Word) -> Result<Spanned<String>, Diagnostic> {
    let name = word.text.to_lowercase();
    let valid = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b));
    if !valid {
        let message = format!("`{}` cannot be a stage's name", word.text);
        let error = Diagnostic::error(word.span.clone(), message);
        return Err(error.with_hint(
            "a name begins with a letter and goes on with letters, digits, `-`, `_` and `.`",
        ));
    }
    if name != word.text {
        let message = format!("the stage name `{}` is not in lower case", word.text);
        request.warn(Rule::StageNameCasing, word.span.clone(), message);
    }
    Ok(Spanned { node: name, span: word.span.clone() })
}

fn arguments(request: &Request<'_>) -> Result<Vec<Argument>, Diagnostic> {
    request.flags(flag::NONE)?;
    let text = &request.line.text;
    let words = quoted_words(text, request.parts.arguments.clone(), request.escape);
    if words.is_empty() {
        return Err(request.missing("name", "it is written `ARG NAME` or `ARG NAME=DEFAULT`"));
    }
    let argument = |range: Range<usize>| {
        let (name, default) = match text[range.clone()].find('=') {
            Some(equals) => {
                let equals = range.start + equals;
                (range.start..equals, Some(request.line.word(equals + 1..range.end)))
            }
            None => (range.clone(), None),
        };
        if name.is_empty() {
            return Err(Diagnostic::error(request.line.span(range), "an `ARG` has no name"));
        }
        Ok(Argument { name: text[name].to_owned(), default, span: request.line.span(range) })
    };
    words.into_iter().map(argument).collect()
}

/// `ENV` and `LABEL`: `k=v …`, or the legacy `k v`, told apart by the first word.
fn pairs(request: &mut Request<'_>) -> Result<Vec<(Word, Word)>, Diagnostic> {
    request.flags(flag::NONE)?;
    let (line, keyword) = (request.line, request.keyword);
    let range = request.parts.arguments.clone();
    let form = format!("it is written `{keyword} NAME=VALUE …`");
    let words = quoted_words(&line.text, range.clone(), request.escape);
    let Some(first) = words.first() else { return Err(request.missing("name", &form)) };
    if !line.text[first.clone()].contains('=') {
        let Some((name, value)) = first_gap(&line.text, range) else {
            let message = format!("`{keyword}` has a name and no value");
            return Err(Diagnostic::error(line.span(first.clone()), message).with_hint(form));
        };
        let span = line.span(name.start..value.end);
        let message = format!("`{keyword} NAME VALUE` is the legacy form");
        let warning = Diagnostic::warning(Rule::LegacyKeyValueFormat, span, message);
        request.warnings.push(warning.with_hint(form));
        return Ok(vec![(line.word(name), line.word(value))]);
    }
    let pair = |range: Range<usize>| {
        let Some(equals) = line.text[range.clone()].find('=') else {
            let message = format!("`{}` has no `=`", &line.text[range.clone()]);
            return Err(Diagnostic::error(line.span(range), message)
                .with_hint("put a value that holds white space in quotes"));
        };
        if equals == 0 {
            let message = format!("a name of `{keyword}` is empty");
            return Err(Diagnostic::error(line.span(range), message).with_hint(form.as_str()));
        }
        let equals = range.start + equals;
        Ok((line.word(range.start..equals), line.word(equals + 1..range.end)))
    };
    words.into_iter().map(pair).collect()
}

fn expose(request: &Request<'_>) -> Result<Vec<Word>, Diagnostic> {
    request.flags(flag::NONE)?;
    let words = request.words(request.parts.arguments.clone());
    if words.is_empty() {
        return Err(request.missing("port", "it is written `EXPOSE PORT[/tcp|/udp] …`"));
    }
    Ok(words)
}

fn volume(request: &Request<'_>) -> Result<Vec<Word>, Diagnostic> {
    request.flags(flag::NONE)?;
    let mut words = request.list()?;
    if words.is_empty() {
        return Err(request.missing("path", "it is written `VOLUME PATH …`"));
    }
    for word in &mut words {
        if word.text.trim().is_empty() {
            return Err(Diagnostic::error(word.span.clone(), "a volume's path is empty"));
        }
        if word.text.trim() != word.text {
            word.text = word.text.trim().to_owned();
        }
    }
    Ok(words)
}

fn plain_command(request: &Request<'_>) -> Result<CommandLine, Diagnostic> {
    request.flags(flag::NONE)?;
    request.command(request.parts.arguments.clone())
}

fn shell(request: &Request<'_>) -> Result<Vec<String>, Diagnostic> {
    request.flags(flag::NONE)?;
    let form = "it is written as a JSON array, such as `SHELL [\"/bin/bash\", \"-c\"]`";
    match request.json()? {
        Some(strings) if !strings.is_empty() => {
            Ok(strings.into_iter().map(|(text, _)| text).collect())
        }
        None if !request.arguments().is_empty() => {
            let span = request.line.span(request.parts.arguments.clone());
            Err(Diagnostic::error(span, "`SHELL` is not in exec form").with_hint(form))
        }
        _ => Err(request.missing("program", form)),
    }
}

fn run(request: &mut Request<'_>) -> Result<Run, Diagnostic> {
    let flags = request.flags(flag::RUN)?;
    let mounts: Vec<Mount> =
        flags.values("mount").iter().map(mount::parse).collect::<Result<_, _>>()?;
    let network = choice(&flags, "network", &["default", "none", "host"])?;
    let security = choice(&flags, "security", &["sandbox", "insecure"])?;
    let devices = flags.values("device");
    for device in &devices {
        mount::comma_separated(device)?;
    }
    let command = request.command(request.parts.arguments.clone())?;
    let heredocs = request.heredocs.drain(..).map(|announced| announced.heredoc).collect();
    Ok(Run { command, heredocs, mounts, network, security, devices })
}

/// A flag whose value is one of a few.
fn choice(flags: &Flags, name: &str, choices: &[&str]) -> Result<Option<Word>, Diagnostic> {
    let Some(value) = flags.value(name) else { return Ok(None) };
    if choices.contains(&value.text.as_str()) {
        return Ok(Some(value));
    }
    let message = format!("`--{name}` cannot be `{}`", value.text);
    let hint = did_you_mean(&value.text, choices.iter().copied())
        .unwrap_or_else(|| format!("it is one of {}", choices.join(", ")));
    Err(Diagnostic::error(value.span, message).with_hint(hint))
}

/// `ONBUILD` keeps an instruction's text, which has to be one all the same.
fn on_build(request: &mut Request<'_>) -> Result<Spanned<String>, Diagnostic> {
    request.flags(flag::NONE)?;
    let line = request.line;
    let range = request.parts.arguments.clone();
    if range.is_empty() {
        return Err(request.missing("instruction", "it is written `ONBUILD INSTRUCTION …`"));
    }
    let inner = parts(line, range.clone(), request.escape);
    let span = line.span(inner.keyword.clone());
    let keyword = keyword(&line.text[inner.keyword.clone()], span.clone())?;
    if matches!(keyword, "ONBUILD" | "FROM" | "MAINTAINER") {
        let message = format!("`{keyword}` cannot stand behind `ONBUILD`");
        return Err(Diagnostic::error(span, message));
    }
    let mut text = line.text[range].to_owned();
    for Announced { heredoc, raw, .. } in &request.heredocs {
        text.push('\n');
        text.push_str(raw);
        text.push_str(&heredoc.name);
    }
    let mut end = line.span(request.parts.arguments.clone()).end;
    let start = span.start;
    let heredocs: Vec<Announced> = request.heredocs.drain(..).collect();
    if let Some(last) = heredocs.last() {
        end = last.heredoc.span.end;
    }
    // Whoever builds on this image reads the instruction; the checks are about this recipe.
    let (escape, warnings) = (request.escape, &mut Vec::new());
    parse(Request { line, parts: inner, heredocs, escape, keyword, warnings })?;
    Ok(Spanned { node: text, span: start..end })
}
