//! `COPY` and `ADD`: their flags, sources and destination.

use super::Request;
use crate::flag::{self, Flags};
use crate::heredoc::Announced;
use crate::{Add, Copy, Diagnostic, FileMode, Owner, Source, Span, Word, expand};

/// `COPY [flags] SOURCE … DESTINATION`
pub(super) fn copy(request: &mut Request<'_>) -> Result<Copy, Diagnostic> {
    let flags = request.flags(flag::COPY)?;
    let from = flags.value("from");
    if let Some(word) = &from {
        let expanded = expand(&word.text, request.escape, &|_| None)
            .map_err(|error| error.diagnostic(word))?;
        if expanded.text != word.text {
            let message = "variables are not expanded in `--from`";
            let error = Diagnostic::error(word.span.clone(), message);
            return Err(error.with_hint("name a stage with `FROM … AS name`, and copy from that"));
        }
    }
    copied(request, &flags, from)
}

/// `ADD [flags] SOURCE … DESTINATION`
pub(super) fn add(request: &mut Request<'_>) -> Result<Add, Diagnostic> {
    let flags = request.flags(flag::ADD)?;
    Ok(Add {
        copy: copied(request, &flags, None)?,
        checksum: flags.value("checksum"),
        keep_git_dir: flags.switch("keep-git-dir").unwrap_or(false),
        unpack: flags.switch("unpack"),
    })
}

/// What `COPY` and `ADD` have in common.
fn copied(
    request: &mut Request<'_>,
    flags: &Flags,
    from: Option<Word>,
) -> Result<Copy, Diagnostic> {
    let (chown, chmod) = (flags.value("chown"), flags.value("chmod"));
    if let Some(word) = chown.as_ref().filter(|word| !word.has_variables()) {
        Owner::parse(&word.text).map_err(|error| error.diagnostic(word))?;
    }
    if let Some(word) = chmod.as_ref().filter(|word| !word.has_variables()) {
        FileMode::parse(&word.text).map_err(|error| error.diagnostic(word))?;
    }
    let (sources, destination) = sources(request)?;
    Ok(Copy {
        sources,
        destination,
        from,
        chown,
        chmod,
        link: flags.switch("link").unwrap_or(false),
        parents: flags.switch("parents").unwrap_or(false),
        exclude: flags.values("exclude"),
    })
}

fn sources(request: &mut Request<'_>) -> Result<(Vec<Source>, Word), Diagnostic> {
    let mut sources: Vec<(Source, Span)> = Vec::new();
    if request.heredocs.is_empty() {
        let words = request.list()?;
        sources.extend(words.into_iter().map(|word| (Source::Path(word.clone()), word.span)));
    } else {
        // Here-documents' words may hold white space; the rest is plain words between them.
        let mut start = request.parts.arguments.start;
        for Announced { heredoc, range, .. } in std::mem::take(&mut request.heredocs) {
            let words = request.words(start..range.start.max(start));
            sources.extend(words.into_iter().map(|word| (Source::Path(word.clone()), word.span)));
            start = range.end;
            sources.push((Source::Heredoc(heredoc), request.line.span(range)));
        }
        let words = request.words(start..request.parts.arguments.end.max(start));
        sources.extend(words.into_iter().map(|word| (Source::Path(word.clone()), word.span)));
    }
    let form = format!("it is written `{} SOURCE … DESTINATION`", request.keyword);
    match sources.pop() {
        Some((Source::Path(destination), _)) if !sources.is_empty() => {
            Ok((sources.into_iter().map(|(source, _)| source).collect(), destination))
        }
        Some((Source::Path(only), _)) => {
            let message = format!("`{}` has a source and no destination", request.keyword);
            Err(Diagnostic::error(only.span, message).with_hint(form))
        }
        Some((Source::Heredoc(_), span)) => {
            let message = format!("a here-document stands where `{}` goes to", request.keyword);
            Err(Diagnostic::error(span, message).with_hint(form))
        }
        None => Err(request.missing("source and no destination", &form)),
    }
}
