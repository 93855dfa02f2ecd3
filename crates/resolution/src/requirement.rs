//! What a requirement's text means.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;
use std::str::FromStr;

use python::{GivenFile, Origin, Requirement};
use url::Url;
use uv_distribution_filename::{DistExtension, SourceDistFilename, WheelFilename};
use uv_distribution_types::{Requirement as Parsed, RequirementSource};
use uv_normalize::{ExtraName, PackageName};
use uv_pep508::{MarkerTree, Pep508Error, Pep508ErrorSource, VerbatimUrl};
use uv_pypi_types::VerbatimParsedUrl;
use uv_redacted::DisplaySafeUrl;

use crate::credentials::strip;
use crate::target::Environment;
use crate::{ResolutionError, Unsupported};

/// A requirement, understood.
pub(crate) struct Asked {
    pub(crate) parsed: Parsed,
    /// The requirement's and those of its URL's fragment.
    pub(crate) hashes: Vec<String>,
    pub(crate) origin: Origin,
    /// As it was written, without credentials.
    pub(crate) text: String,
    /// If it is for one file that is not looked up in an index.
    pub(crate) direct: Option<Direct>,
}

/// One file.
#[derive(Clone)]
pub(crate) enum Direct {
    /// At a URL, without credentials and fragment.
    Url(Url),
    /// The one of [`GivenFile::path`].
    Given(String),
}

/// What requirements are read with.
pub(crate) struct Reader<'a> {
    /// Where each given file is on this machine.
    pub(crate) given: &'a HashMap<String, PathBuf>,
    pub(crate) environment: &'a Environment,
}

impl Reader<'_> {
    /// Those of the requirements whose markers hold. What the others name is not looked at: it may
    /// be for another platform.
    pub(crate) fn read_all(&self, all: &[Requirement]) -> Result<Vec<Asked>, ResolutionError> {
        let read = all.iter().map(|requirement| self.read(requirement));
        read.filter_map(Result::transpose).collect()
    }

    fn read(&self, requirement: &Requirement) -> Result<Option<Asked>, ResolutionError> {
        let text = requirement.text.trim();
        let place = Place { text: redacted(text).into_owned(), origin: &requirement.origin };
        let bare = split_bare(text);
        let asked = match &bare.reference {
            Some(reference) => self.read_file(&bare, reference, &place)?,
            None => self.read_named(text, &place)?,
        };
        let Some(mut asked) = asked else { return Ok(None) };
        if let RequirementSource::Url { ext, .. } = &asked.parsed.source {
            self.check_archive(ext, &asked, &place)?;
        }
        asked.hashes.splice(0..0, requirement.hashes.iter().cloned());
        Ok(Some(asked))
    }

    fn applies(&self, marker: MarkerTree) -> bool {
        marker.evaluate(&self.environment.markers, &[])
    }

    /// A URL or path without a name in front, which the file's own name has.
    fn read_file(
        &self,
        bare: &Bare<'_>,
        reference: &Reference<'_>,
        place: &Place<'_>,
    ) -> Result<Option<Asked>, ResolutionError> {
        let marker = bare.marker.map(|marker| place.marker(marker)).transpose()?;
        let marker = marker.unwrap_or(MarkerTree::TRUE);
        if !self.applies(marker) {
            return Ok(None);
        }
        let extras = bare.extras.map(|extras| place.extras(extras)).transpose()?;
        let (direct, source, filename) = match reference {
            Reference::Url(url) => place.url(url)?,
            Reference::Path(path) => self.path(path, place)?,
        };
        let name = if let Ok(wheel) = WheelFilename::from_str(&filename) {
            self.check_wheel(&wheel, place)?;
            wheel.name
        } else if let Ok(source) = SourceDistFilename::parsed_normalized_filename(&filename) {
            source.name
        } else {
            return Err(place.invalid(None, format!("`{filename}` is not the name of a wheel")));
        };
        let hashes = fragment_hashes(&source);
        let parsed = Parsed {
            name,
            extras: extras.unwrap_or_default().into(),
            groups: Box::default(),
            marker,
            source,
            origin: None,
        };
        Ok(Some(place.asked(parsed, hashes, Some(direct))))
    }

    /// PEP 508, with a name in front.
    fn read_named(&self, text: &str, place: &Place<'_>) -> Result<Option<Asked>, ResolutionError> {
        let parsed = uv_pep508::Requirement::<VerbatimParsedUrl>::from_str(text)
            .map_err(|error| place.malformed(error))?;
        if !self.applies(parsed.marker) {
            return Ok(None);
        }
        let mut parsed = Parsed::from(parsed);
        let what = match &mut parsed.source {
            RequirementSource::Registry { .. } => {
                return Ok(Some(place.asked(parsed, Vec::new(), None)));
            }
            RequirementSource::Url { location, url, .. } => {
                location.remove_credentials();
                let mut clean = url.to_url();
                clean.remove_credentials();
                *url = VerbatimUrl::from_url(clean);
                let mut bare = Url::from(location.clone());
                bare.set_fragment(None);
                let hashes = fragment_hashes(&parsed.source);
                return Ok(Some(place.asked(parsed, hashes, Some(Direct::Url(bare)))));
            }
            RequirementSource::GitDirectory { .. } | RequirementSource::GitPath { .. } => {
                Unsupported::Repository
            }
            RequirementSource::Path { .. } => Unsupported::UnknownFile,
            RequirementSource::Directory { .. } => Unsupported::Directory,
        };
        Err(place.unsupported(what))
    }

    fn path(
        &self,
        path: &str,
        place: &Place<'_>,
    ) -> Result<(Direct, RequirementSource, String), ResolutionError> {
        let path = normalized(path);
        let Some(staged) = self.given.get(&path) else {
            let is_archive = DistExtension::from_path(&path).is_ok();
            let what = if is_archive { Unsupported::UnknownFile } else { Unsupported::Directory };
            return Err(place.unsupported(what));
        };
        let filename = path.rsplit('/').next().unwrap_or(&path).to_owned();
        let ext = DistExtension::from_path(&filename)
            .map_err(|_| place.invalid(None, format!("`{filename}` is not a wheel")))?;
        if !matches!(ext, DistExtension::Wheel) {
            return Err(place.unsupported(Unsupported::SourceArchive));
        }
        let url = VerbatimUrl::from_absolute_path(staged)
            .map_err(|error| place.invalid(None, error.to_string()))?;
        let install_path = staged.clone().into_boxed_path();
        Ok((Direct::Given(path), RequirementSource::Path { install_path, ext, url }, filename))
    }

    fn check_archive(
        &self,
        ext: &DistExtension,
        asked: &Asked,
        place: &Place<'_>,
    ) -> Result<(), ResolutionError> {
        if !matches!(ext, DistExtension::Wheel) {
            return Err(place.unsupported(Unsupported::SourceArchive));
        }
        let Some(Direct::Url(url)) = &asked.direct else { return Ok(()) };
        match WheelFilename::from_str(&last_segment(url)) {
            Ok(wheel) => self.check_wheel(&wheel, place),
            Err(error) => Err(place.invalid(None, error.to_string())),
        }
    }

    fn check_wheel(&self, wheel: &WheelFilename, place: &Place<'_>) -> Result<(), ResolutionError> {
        if wheel.is_compatible(&self.environment.tags) {
            return Ok(());
        }
        Err(ResolutionError::UnfitFile {
            filename: wheel.to_string(),
            origin: place.origin.clone(),
            target: self.environment.described.clone(),
        })
    }
}

/// Where a requirement is written, for its errors.
struct Place<'a> {
    text: String,
    origin: &'a Origin,
}

impl Place<'_> {
    fn asked(&self, parsed: Parsed, hashes: Vec<String>, direct: Option<Direct>) -> Asked {
        Asked { parsed, hashes, origin: self.origin.clone(), text: self.text.clone(), direct }
    }

    fn invalid(&self, column: Option<usize>, problem: String) -> ResolutionError {
        let problem = redacted(&problem).into_owned();
        ResolutionError::Invalid {
            text: self.text.clone(),
            origin: self.origin.clone(),
            column,
            problem,
        }
    }

    fn unsupported(&self, what: Unsupported) -> ResolutionError {
        ResolutionError::Unsupported { text: self.text.clone(), origin: self.origin.clone(), what }
    }

    fn malformed(&self, error: Pep508Error<VerbatimParsedUrl>) -> ResolutionError {
        if is_repository(&error.input) {
            return self.unsupported(Unsupported::Repository);
        }
        if let Pep508ErrorSource::UrlError(_) = error.message
            && !error.input.contains("://")
        {
            return self.unsupported(Unsupported::UnknownFile);
        }
        let before = error.input.get(..error.start).unwrap_or_default();
        let column = before.chars().count() + 1;
        let problem = match error.message {
            Pep508ErrorSource::String(text) | Pep508ErrorSource::UnsupportedRequirement(text) => {
                first_line(&text)
            }
            Pep508ErrorSource::UrlError(error) => error.to_string(),
        };
        self.invalid(Some(column), uncapitalized(&problem))
    }

    fn marker(&self, text: &str) -> Result<MarkerTree, ResolutionError> {
        MarkerTree::from_str(text).map_err(|error| self.invalid(None, error.message.to_string()))
    }

    fn extras(&self, text: &str) -> Result<Vec<ExtraName>, ResolutionError> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let parse = |name| ExtraName::from_str(name);
        names.map(parse).collect::<Result<_, _>>().map_err(|e| self.invalid(None, e.to_string()))
    }

    fn url(&self, text: &str) -> Result<(Direct, RequirementSource, String), ResolutionError> {
        let bad = |error: url::ParseError| self.invalid(None, error.to_string());
        if is_repository(text) {
            return Err(self.unsupported(Unsupported::Repository));
        }
        let mut url = Url::parse(text).map_err(bad)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(self.unsupported(Unsupported::UnknownFile));
        }
        strip(&mut url);
        let verbatim = VerbatimUrl::from_url(DisplaySafeUrl::from_url(url.clone()));
        let mut bare = url;
        bare.set_fragment(None);
        let filename = last_segment(&bare);
        let ext = DistExtension::from_path(&filename)
            .map_err(|_| self.invalid(None, format!("`{filename}` is not a wheel")))?;
        let location = DisplaySafeUrl::from_url(bare.clone());
        let source = RequirementSource::Url { location, subdirectory: None, ext, url: verbatim };
        Ok((Direct::Url(bare), source, filename))
    }
}

/// A requirement that may have no name: a URL or a path, with what may come behind.
struct Bare<'a> {
    reference: Option<Reference<'a>>,
    extras: Option<&'a str>,
    marker: Option<&'a str>,
}

enum Reference<'a> {
    Url(&'a str),
    Path(&'a str),
}

/// Takes a requirement without a name apart. As in pip, a marker's semicolon has a space in front.
fn split_bare(text: &str) -> Bare<'_> {
    let (front, marker) = match text.split_once(" ;") {
        Some((front, marker)) => (front.trim_end(), Some(marker.trim())),
        None => (text, None),
    };
    let (file, extras) = match front.strip_suffix(']').and_then(|front| front.rsplit_once('[')) {
        Some((file, extras)) => (file.trim_end(), Some(extras)),
        None => (front, None),
    };
    if let Some(scheme) = file.find("://")
        && !file[..scheme].contains(|c: char| c == '@' || c.is_whitespace())
    {
        return Bare { reference: Some(Reference::Url(file)), extras, marker };
    }
    let is_path = file.starts_with('.')
        || file.starts_with('/')
        || file.contains('/') && !file.contains('@')
        || file.ends_with(".whl") && !file.contains('@');
    if is_path {
        return Bare { reference: Some(Reference::Path(file)), extras, marker };
    }
    Bare { reference: None, extras, marker }
}

/// The URL of a requirement, if it has one.
pub(crate) fn url_in(text: &str) -> Option<&str> {
    let text = text.trim();
    if let Some(Reference::Url(url)) = split_bare(text).reference {
        return Some(url);
    }
    let (_, url) = text.split_once('@')?;
    let url = url.trim_start();
    let end = url.find(char::is_whitespace).unwrap_or(url.len());
    url[..end].contains("://").then_some(&url[..end])
}

/// `git+https://…` and the like (pip, "VCS Support").
fn is_repository(text: &str) -> bool {
    ["git+", "hg+", "svn+", "bzr+"].iter().any(|scheme| text.contains(scheme))
}

/// A text without the credentials of the URLs in it.
pub(crate) fn redacted(text: &str) -> Cow<'_, str> {
    let mut clean = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (front, behind) = rest.split_at(start + "://".len());
        clean.push_str(front);
        let is_end = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '`' | '"');
        let end = behind.find(is_end).unwrap_or(behind.len());
        let authority = &behind[..end];
        clean.push_str(authority.rsplit_once('@').map_or(authority, |(_, host)| host));
        rest = &behind[end..];
    }
    if clean.is_empty() {
        return Cow::Borrowed(text);
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

/// A path from the context's root, as [`GivenFile::path`] is.
pub(crate) fn normalized(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The file name of a given file.
pub(crate) fn filename(file: &GivenFile) -> &str {
    file.path.rsplit('/').next().unwrap_or(&file.path)
}

pub(crate) fn last_segment(url: &Url) -> String {
    let last = url.path_segments().and_then(|mut segments| segments.next_back());
    let pair = format!("a={}", last.unwrap_or_default().replace('+', "%2B"));
    let mut decoded = url::form_urlencoded::parse(pair.as_bytes());
    decoded.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// `#sha256=…`, as pip has it.
fn fragment_hashes(source: &RequirementSource) -> Vec<String> {
    let RequirementSource::Url { url, .. } = source else { return Vec::new() };
    let fragment = url.fragment().unwrap_or_default();
    let pairs = fragment.split('&').filter_map(|pair| pair.split_once('='));
    let known = pairs.filter(|(name, _)| crate::hashes::is_algorithm(name));
    known.map(|(name, digest)| format!("{name}:{digest}")).collect()
}

/// A word that begins a sentence, as one in the middle.
fn uncapitalized(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_owned(),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// Names of packages, for the options that take them.
pub(crate) fn package_name(name: &str) -> Result<PackageName, ResolutionError> {
    PackageName::from_str(name).map_err(|_| ResolutionError::BadName { name: name.to_owned() })
}
