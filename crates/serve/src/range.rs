//! Parts of a blob: `Range` (RFC 9110, 14).

use std::io::{self, Seek, SeekFrom};

use hyper::StatusCode;
use hyper::header::{ACCEPT_RANGES, CONTENT_RANGE, IF_RANGE, RANGE};

use crate::answer::{Answer, Content};
use crate::request::Asked;

/// What of a representation is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    /// From the first to the last, both included.
    Bytes(u64, u64),
    /// Nothing that there is.
    Unsatisfiable,
}

/// The answer with a whole blob, as the part that was asked for. `etag` is the blob's, with quotes.
pub(crate) fn part(answer: Answer, asked: &Asked, etag: &str) -> io::Result<Answer> {
    let answer = answer.with(ACCEPT_RANGES, "bytes");
    // RFC 9110, 13.1.5: else the range is not meant.
    let still_meant = asked.header(IF_RANGE).is_none_or(|validator| validator == etag);
    let Some(range) = asked.header(RANGE).filter(|_| still_meant) else { return Ok(answer) };
    let size = answer.content.length();
    match wanted(range, size) {
        Part::Whole => Ok(answer),
        Part::Unsatisfiable => {
            let mut refused = Answer::empty(StatusCode::RANGE_NOT_SATISFIABLE);
            refused.headers = answer.headers;
            Ok(refused.with(CONTENT_RANGE, format!("bytes */{size}")))
        }
        Part::Bytes(first, last) => {
            let content = cut(answer.content, first, last)?;
            let mut part = Answer::new(StatusCode::PARTIAL_CONTENT, content);
            part.headers = answer.headers;
            Ok(part.with(CONTENT_RANGE, format!("bytes {first}-{last}/{size}")))
        }
    }
}

/// What does not parse is ignored, and so are several ranges at once, as 14.2 allows: nobody who
/// downloads blobs asks for them.
fn wanted(range: &str, size: u64) -> Part {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // A number too large to be kept is beyond every end.
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let Some((unit, set)) = range.split_once('=') else { return Part::Whole };
    if !unit.eq_ignore_ascii_case("bytes") {
        return Part::Whole;
    }
    let Some((first, last)) = set.trim().split_once('-') else { return Part::Whole };
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => Part::Whole,
        (Some(first), last) if last.is_some() || set.trim().ends_with('-') => {
            if first >= size {
                return Part::Unsatisfiable;
            }
            Part::Bytes(first, last.unwrap_or(u64::MAX).min(size - 1))
        }
        (None, Some(count)) if first.is_empty() => match count.min(size) {
            0 => Part::Unsatisfiable,
            count => Part::Bytes(size - count, size - 1),
        },
        _ => Part::Whole,
    }
}

fn cut(content: Content, first: u64, last: u64) -> io::Result<Content> {
    Ok(match content {
        Content::Bytes(bytes) => Content::Bytes(bytes.slice(first as usize..=last as usize)),
        Content::File(mut file, _) => {
            file.seek(SeekFrom::Start(first))?;
            Content::File(file, last - first + 1)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_in_all_forms() {
        let check = |range: &str, size: u64, expected: Part| {
            assert_eq!(wanted(range, size), expected, "{range} of {size}");
        };
        check("bytes=0-", 10, Part::Bytes(0, 9));
        check("bytes=3-", 10, Part::Bytes(3, 9));
        check("bytes=3-5", 10, Part::Bytes(3, 5));
        check("bytes=9-9", 10, Part::Bytes(9, 9));
        check("BYTES= 3-500", 10, Part::Bytes(3, 9));
        check("bytes=-4", 10, Part::Bytes(6, 9));
        check("bytes=-40", 10, Part::Bytes(0, 9));
        check("bytes=3-99999999999999999999", 10, Part::Bytes(3, 9));
        for beyond in ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=99999999999999999999-"] {
            check(beyond, 10, Part::Unsatisfiable);
        }
        for nothing in ["bytes=0-", "bytes=-1"] {
            check(nothing, 0, Part::Unsatisfiable);
        }
        for ignored in [
            "bytes=5-3",
            "bytes=-",
            "bytes=a-b",
            "bytes=1-b",
            "bytes=a-1",
            "bytes",
            "lines=0-1",
            "bytes=0-1,3-4",
            "bytes=+1-2",
            "",
        ] {
            check(ignored, 10, Part::Whole);
        }
    }
}
