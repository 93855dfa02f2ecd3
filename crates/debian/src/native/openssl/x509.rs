//! `openssl x509` (openssl-x509(1)): the numbers that names are found by, and fingerprints.

use bstr::{BString, ByteSlice};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use shell::process::{Run, errno};
use shell::{Process, Reason, Stop};

use crate::native::certificate::{Certificate, held, written};

/// How a certificate is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Binary,
}

/// A question about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    SubjectHash,
    OldSubjectHash,
    IssuerHash,
    OldIssuerHash,
    Fingerprint,
}

struct Asked {
    input: BString,
    output: Option<BString>,
    read_as: Option<Form>,
    written_as: Form,
    questions: Vec<Question>,
    digest: Option<&'static str>,
    is_shown: bool,
}

pub(super) fn x509(process: &mut Process<'_, '_>) -> Run {
    let asked = asked(process)?;
    let bytes = match errno(process.open_bytes(&asked.input))? {
        Ok(bytes) => bytes,
        Err(why) => {
            // What it says more has the address of a thread in it.
            let input = &asked.input;
            let message =
                format!("Could not open file or uri for loading certificate from {input}");
            process.write_to(
                2,
                format!("{message}\n{why}\nUnable to load certificate\n").as_bytes(),
            )?;
            return Ok(1);
        }
    };
    let text = match asked.read_as {
        Some(Form::Binary) => None,
        _ => held(&bytes).and_then(|all| all.into_iter().find_map(|held| held.certificate)),
    };
    let binary = || match asked.read_as {
        Some(Form::Text) => None,
        _ => Certificate::read(&bytes),
    };
    let Some(certificate) = text.or_else(binary) else {
        let input = &asked.input;
        let message =
            format!("Could not read certificate from {input}\nUnable to load certificate\n");
        process.write_to(2, message.as_bytes())?;
        return Ok(1);
    };
    let mut answer = Vec::new();
    for question in &asked.questions {
        answer.extend_from_slice(question.answer(&certificate, asked.digest).as_bytes());
    }
    if asked.is_shown {
        match asked.written_as {
            Form::Text => answer.extend(written(&certificate.der)),
            Form::Binary => answer.extend_from_slice(&certificate.der),
        }
    }
    let Some(output) = asked.output else {
        process.write(answer)?;
        return Ok(0);
    };
    process.machine.budget.hold(answer.len())?;
    match errno(crate::native::save(process, &output, answer))? {
        Ok(()) => Ok(0),
        Err(why) => {
            process
                .write_to(2, format!("Can't open \"{output}\" for writing, {why}\n").as_bytes())?;
            Ok(1)
        }
    }
}

fn asked(process: &Process<'_, '_>) -> Result<Asked, Stop> {
    let mut asked = Asked {
        input: "/dev/stdin".into(),
        output: None,
        read_as: None,
        written_as: Form::Text,
        questions: Vec::new(),
        digest: None,
        is_shown: true,
    };
    let mut words = process.arguments().iter();
    while let Some(word) = words.next() {
        let refuse = || process.refuse(Reason::Option(format!("x509 {word}")));
        let text = word.to_str().map_err(|_| refuse())?;
        // Options may have two dashes.
        let name = match text.strip_prefix("--").or(text.strip_prefix('-')) {
            Some(name) if !name.is_empty() => name,
            _ => return Err(refuse()),
        };
        match name {
            "in" => asked.input = words.next().cloned().ok_or_else(refuse)?,
            "out" => asked.output = Some(words.next().cloned().ok_or_else(refuse)?),
            "inform" => asked.read_as = Some(form(words.next()).ok_or_else(refuse)?),
            "outform" => asked.written_as = form(words.next()).ok_or_else(refuse)?,
            "noout" => asked.is_shown = false,
            "hash" | "subject_hash" => asked.questions.push(Question::SubjectHash),
            "subject_hash_old" => asked.questions.push(Question::OldSubjectHash),
            "issuer_hash" => asked.questions.push(Question::IssuerHash),
            "issuer_hash_old" => asked.questions.push(Question::OldIssuerHash),
            "fingerprint" => asked.questions.push(Question::Fingerprint),
            "md5" => asked.digest = Some("md5"),
            "sha1" => asked.digest = Some("sha1"),
            "sha256" => asked.digest = Some("sha256"),
            _ => return Err(refuse()),
        }
    }
    Ok(asked)
}

fn form(word: Option<&BString>) -> Option<Form> {
    match word?.to_ascii_uppercase().as_slice() {
        b"PEM" => Some(Form::Text),
        b"DER" => Some(Form::Binary),
        _ => None,
    }
}

impl Question {
    fn answer(self, certificate: &Certificate, digest: Option<&str>) -> String {
        let Certificate { der, subject, issuer } = certificate;
        match self {
            Question::SubjectHash => format!("{:08x}\n", subject.hash()),
            Question::OldSubjectHash => format!("{:08x}\n", subject.old_hash()),
            Question::IssuerHash => format!("{:08x}\n", issuer.hash()),
            Question::OldIssuerHash => format!("{:08x}\n", issuer.old_hash()),
            Question::Fingerprint => {
                let bytes = match digest {
                    Some("md5") => Md5::digest(der).to_vec(),
                    Some("sha256") => Sha256::digest(der).to_vec(),
                    _ => Sha1::digest(der).to_vec(),
                };
                let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
                // The name as it was written, or the standard one's own.
                format!("{} Fingerprint={}\n", digest.unwrap_or("SHA1"), pairs.join(":"))
            }
        }
    }
}
