//! `--output`: where a built image goes (BuildKit's exporters, by their names and keys).

use std::path::PathBuf;

use layer::Packing;
use oci::Reference;

use super::annotation::{self, Annotation};
use super::compression;
use super::{UsageError, meaning};

/// Where a built image goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    /// To the local store, under these names.
    Store(Vec<Reference>),
    /// To the registry of each of these names.
    Registry(Vec<Reference>),
    /// To a directory with an OCI layout; the names become its tags.
    OciLayout {
        /// The directory.
        directory: PathBuf,
        /// What to call the image in it.
        names: Vec<Reference>,
    },
    /// To a tar of an OCI layout.
    OciArchive {
        /// Where the tar goes.
        destination: Destination,
        /// What to call the image in it.
        names: Vec<Reference>,
    },
    /// To a tar that `docker load` reads.
    DockerArchive {
        /// Where the tar goes.
        destination: Destination,
        /// What to call the image in it.
        names: Vec<Reference>,
    },
    /// The image's files, as a tar.
    Tar(Destination),
    /// The image's files, in a directory.
    Local(PathBuf),
}

/// Where a stream of bytes goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// To standard output.
    Stdout,
    /// To a file, written whole before it has its name.
    File(PathBuf),
}

/// What an `--output` says beside the place.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct OutputOptions {
    pub(super) compression: Option<Packing>,
    pub(super) annotations: Vec<Annotation>,
}

const FLAG: &str = "--output";
const TYPES: &[&str] = &["oci", "docker", "registry", "image", "tar", "local"];
const KEYS: &[&str] = &[
    "type",
    "dest",
    "name",
    "tar",
    "push",
    "compression",
    "compression-level",
    "force-compression",
    "oci-mediatypes",
    "rewrite-timestamp",
    "annotation.KEY",
];

/// What was typed, key by key.
#[derive(Default)]
struct Typed {
    kind: Option<String>,
    destination: Option<String>,
    names: Vec<String>,
    tar: Option<bool>,
    push: bool,
    compression: Option<String>,
    level: Option<String>,
    annotations: Vec<Annotation>,
}

/// Reads one `--output`; `tags` are the image's names unless it names its own.
pub(super) fn output(
    text: &str,
    tags: &[Reference],
) -> Result<(Output, OutputOptions), UsageError> {
    // `-o DIRECTORY` and `-o -` are short for what they were for long before types came.
    if text.is_empty() {
        return Err(UsageError::form(FLAG, text, "it is type=…,dest=…, a directory, or `-`"));
    }
    if !text.contains('=') {
        let output = match destination(text) {
            Destination::Stdout => Output::Tar(Destination::Stdout),
            Destination::File(directory) => Output::Local(directory),
        };
        return Ok((output, OutputOptions::default()));
    }
    let typed = Typed::read(text)?;
    let options =
        OutputOptions { compression: compression(&typed)?, annotations: typed.annotations.clone() };
    Ok((typed.place(text, tags)?, options))
}

impl Typed {
    fn read(text: &str) -> Result<Self, UsageError> {
        let mut typed = Typed::default();
        for field in fields(text) {
            let (key, value) = meaning::key_value(&field);
            if matches!(key, "dest" | "output") {
                typed.destination = value.filter(|place| !place.is_empty()).map(str::to_owned);
                continue;
            }
            let value = value.unwrap_or("true");
            match key {
                "type" => typed.kind = Some(value.to_owned()),
                "name" => typed.names.extend(value.split(',').map(str::to_owned)),
                "tar" => typed.tar = Some(boolean("tar", value)?),
                "push" => typed.push = boolean("push", value)?,
                "compression" => typed.compression = Some(value.to_owned()),
                "compression-level" => typed.level = Some(value.to_owned()),
                // Both are how every image is made here.
                "force-compression" | "rewrite-timestamp" => {
                    boolean(key, value)?;
                }
                "oci-mediatypes" if boolean(key, value)? => {}
                "oci-mediatypes" => {
                    return Err(UsageError::Unsupported {
                        what: "writing Docker's media types".to_owned(),
                        instead: "leave `oci-mediatypes` out: every registry takes OCI's",
                    });
                }
                _ => match key.strip_prefix("annotation") {
                    Some(rest) => typed.annotations.push(annotation(&field, rest, value)?),
                    None => return Err(unknown_key(key)),
                },
            }
        }
        Ok(typed)
    }

    fn place(&self, text: &str, tags: &[Reference]) -> Result<Output, UsageError> {
        let missing = |key| UsageError::MissingKey { argument: FLAG, text: text.to_owned(), key };
        let names = match self.names.as_slice() {
            [] => tags.to_vec(),
            names => meaning::tagged(FLAG, names)?,
        };
        let kind = self.kind.as_deref().ok_or_else(|| missing("type"))?;
        let destination = self.destination.as_deref().map(destination);
        Ok(match (kind, destination) {
            ("registry", _) => Output::Registry(names),
            ("image", _) if self.push => Output::Registry(names),
            // `type=docker` with no place loads the image: into the store, as there is no daemon.
            ("image", _) | ("docker", None) => Output::Store(names),
            ("docker", Some(destination)) => Output::DockerArchive { destination, names },
            ("oci", Some(Destination::File(directory))) if self.tar == Some(false) => {
                Output::OciLayout { directory, names }
            }
            ("oci", Some(destination)) => Output::OciArchive { destination, names },
            ("tar", Some(destination)) => Output::Tar(destination),
            ("local", Some(Destination::File(directory))) => Output::Local(directory),
            ("local", Some(Destination::Stdout)) => {
                return Err(UsageError::Conflict {
                    first: "`type=local`".to_owned(),
                    second: "`dest=-`".to_owned(),
                    instead: "use type=tar,dest=- for a stream",
                });
            }
            ("oci" | "tar" | "local", None) => return Err(missing("dest")),
            _ => return Err(UsageError::unknown(FLAG, kind, TYPES)),
        })
    }
}

fn destination(text: &str) -> Destination {
    match text {
        "-" => Destination::Stdout,
        file => Destination::File(PathBuf::from(file)),
    }
}

fn compression(typed: &Typed) -> Result<Option<Packing>, UsageError> {
    let text = match (&typed.compression, &typed.level) {
        (Some(name), Some(level)) => format!("{name}:{level}"),
        (Some(name), None) => name.clone(),
        (None, Some(level)) => format!("gzip:{level}"),
        (None, None) => return Ok(None),
    };
    compression::compression(FLAG, &text).map(Some)
}

/// `annotation.KEY=VALUE`, and `annotation-SCOPE.KEY=VALUE` (BuildKit's `exporter/containerimage`).
fn annotation(field: &str, rest: &str, value: &str) -> Result<Annotation, UsageError> {
    let form = || UsageError::form(FLAG, field, "it is annotation.KEY=VALUE");
    let (scope, key) = rest.split_once('.').ok_or_else(form)?;
    let text = match scope.strip_prefix('-') {
        Some(scope) => format!("{scope}:{key}={value}"),
        None if scope.is_empty() => format!("{key}={value}"),
        None => return Err(form()),
    };
    annotation::annotation(FLAG, &text)
}

fn boolean(key: &str, value: &str) -> Result<bool, UsageError> {
    // The words of Go's strconv.ParseBool, which Docker reads these keys with.
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(UsageError::form(FLAG, &format!("{key}={value}"), "it is true or false")),
    }
}

fn unknown_key(key: &str) -> UsageError {
    UsageError::UnknownKey { argument: FLAG, key: key.to_owned(), known: KEYS }
}

/// The fields of one line of CSV: `"` keeps commas in a field (RFC 4180, 2.5 to 2.7).
fn fields(text: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                push(&mut fields, '"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => push(&mut fields, other),
        }
    }
    fields
}

fn push(fields: &mut [String], character: char) {
    if let Some(field) = fields.last_mut() {
        field.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags() -> Vec<Reference> {
        vec!["app:1".parse().unwrap()]
    }

    #[track_caller]
    fn check(text: &str, expected: Output) {
        assert_eq!(output(text, &tags()).unwrap().0, expected, "{text}");
    }

    fn file(name: &str) -> Destination {
        Destination::File(name.into())
    }

    #[test]
    fn every_type_goes_to_its_place() {
        let names = tags();
        check("out", Output::Local("out".into()));
        check("-", Output::Tar(Destination::Stdout));
        check("type=local,dest=out", Output::Local("out".into()));
        check("type=tar,dest=-", Output::Tar(Destination::Stdout));
        check("type=tar,dest=a.tar", Output::Tar(file("a.tar")));
        check("type=docker", Output::Store(names.clone()));
        check("type=image", Output::Store(names.clone()));
        check("type=image,push=true", Output::Registry(names.clone()));
        check("type=registry", Output::Registry(names.clone()));
        check(
            "type=docker,dest=a.tar",
            Output::DockerArchive { destination: file("a.tar"), names: names.clone() },
        );
        check(
            "type=oci,dest=a.tar",
            Output::OciArchive { destination: file("a.tar"), names: names.clone() },
        );
        check(
            "type=oci,tar=false,dest=layout",
            Output::OciLayout { directory: "layout".into(), names },
        );
        check(
            "type=registry,\"name=localhost:5000/a,localhost:5000/b:2\"",
            Output::Registry(vec![
                "localhost:5000/a:latest".parse().unwrap(),
                "localhost:5000/b:2".parse().unwrap(),
            ]),
        );
        check("type=local,\"dest=a \"\"b\"\",c\"", Output::Local("a \"b\",c".into()));
    }

    #[test]
    fn options_of_an_output_hold_for_the_image() {
        let (_, options) =
            output("type=image,compression=zstd,compression-level=9,annotation.a=b", &[]).unwrap();
        assert_eq!(options.compression, layer::ZstdLevel::new(9).map(Packing::Zstd));
        assert_eq!(options.annotations.len(), 1);
        let (_, options) = output("type=image,annotation-index.a.b=c", &[]).unwrap();
        let expected = Annotation {
            scopes: vec![super::super::AnnotationScope::Index],
            key: "a.b".into(),
            value: "c".into(),
        };
        assert_eq!(options.annotations, [expected]);
    }

    #[test]
    fn what_is_wrong_is_named_with_the_way_out() {
        let refuse = |text: &str, expected: &str| {
            let error = output(text, &[]).unwrap_err();
            assert_eq!(format!("{error} | {}", error.hint().unwrap_or_default()), expected);
        };
        refuse(
            "type=dokcer,dest=a",
            "`dokcer` is not a value of `--output` (oci, docker, registry, image, tar, local are) \
             | did you mean `docker`?",
        );
        refuse("", "`` is not a value of `--output` | it is type=…,dest=…, a directory, or `-`");
        for lacking in ["type=oci,dest=", "type=oci,dest"] {
            refuse(lacking, &format!("`--output {lacking}` lacks `dest` | add `dest=…`"));
        }
        refuse("type=oci", "`--output type=oci` lacks `dest` | add `dest=…`");
        refuse("dest=a", "`--output dest=a` lacks `type` | add `type=…`");
        refuse(
            "type=oci,desy=a",
            "`--output` has no key `desy` (it has type, dest, name, tar, push, compression, \
             compression-level, force-compression, oci-mediatypes, rewrite-timestamp, \
             annotation.KEY) | did you mean `dest`?",
        );
        refuse(
            "type=oci,tar=maybe,dest=a",
            "`tar=maybe` is not a value of `--output` | it is true or false",
        );
        refuse(
            "type=local,dest=-",
            "`type=local` and `dest=-` cannot both be | use type=tar,dest=- for a stream",
        );
        refuse(
            "type=image,oci-mediatypes=false",
            "writing Docker's media types is not supported | leave `oci-mediatypes` out: every \
             registry takes OCI's",
        );
    }
}
