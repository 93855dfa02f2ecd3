//! Where configuration is read from, in apt's order (apt.conf(5), "Description").

use bstr::{BString, ByteSlice};
use oci::ImagePath;
use shell::Process;

use super::Configuration;
use super::syntax::{self, Statement};
use crate::apt::problem::{Failure, Problem};
use crate::apt::reading::{data, parts, read};

/// Files that include each other are not deeper.
const MOST_INCLUDES: usize = 10;

/// What a command line says beside the files, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// `-o NAME=VALUE`
    Option(BString),
    /// `-c FILE`
    File(BString),
}

impl Configuration {
    /// What is configured in the image for a program, `apt-get`, with what its command line says.
    ///
    /// `architectures` are the image's own, Debian's name for its platform, and those that dpkg was
    /// told to add.
    ///
    /// # Errors
    /// Files that cannot be read or understood.
    pub fn load(
        process: &mut Process<'_, '_>,
        program: &str,
        architectures: &[&str],
        given: &[Given],
    ) -> Result<Self, Failure> {
        let native = architectures.first().copied().unwrap_or_default();
        let mut configuration = Configuration::built_in(native);
        if let Some(file) = process.environment.get(&BString::from("APT_CONFIG")) {
            let path = in_directory(process, &file.clone());
            configuration.add_files(process, vec![path], 0)?;
        }
        if let Some(directory) = configuration.path("Dir::Etc::parts") {
            let files = parts(process, &directory, &["", "conf"])?;
            configuration.add_files(process, files, 0)?;
        }
        let main = configuration.path("Dir::Etc::main");
        configuration.add_files(process, main.into_iter().collect(), 0)?;
        configuration.choose_program(program);
        for given in given {
            configuration.add_given(process, given)?;
        }
        if configuration.list("APT::Architectures").is_empty() {
            for architecture in architectures {
                configuration.set("APT::Architectures::", architecture);
            }
        }
        Ok(configuration)
    }

    fn add_given(&mut self, process: &mut Process<'_, '_>, given: &Given) -> Result<(), Failure> {
        match given {
            Given::Option(option) => match option.to_str_lossy().split_once('=') {
                Some((name, value)) => {
                    self.set(name, value);
                    Ok(())
                }
                None => Err(Problem::Option { option: option.to_string() }.into()),
            },
            Given::File(file) => {
                let path = in_directory(process, file);
                if data(process, &path)?.is_none() {
                    return Err(Problem::NoFile { path: file.to_string() }.into());
                }
                self.add_files(process, vec![path], 0)
            }
        }
    }

    /// Reads files that are there, and those that they include.
    fn add_files(
        &mut self,
        process: &mut Process<'_, '_>,
        paths: Vec<ImagePath>,
        depth: usize,
    ) -> Result<(), Failure> {
        let texts = read(process, &paths)?;
        for (path, text) in paths.iter().zip(texts) {
            let Some(text) = text else { continue };
            let file = format!("/{path}");
            for statement in syntax::parse(&file, &text)? {
                process.machine.budget.step()?;
                match statement {
                    Statement::Set { name, value } => self.set(&name, &value),
                    Statement::Clear { name } => self.clear(&name),
                    Statement::Include { line, .. } if depth >= MOST_INCLUDES => {
                        let what = "Too many nested includes";
                        return Err(Problem::Configuration { file, line, what }.into());
                    }
                    Statement::Include { path, .. } => self.include(process, &path, depth + 1)?,
                }
            }
        }
        Ok(())
    }

    fn include(
        &mut self,
        process: &mut Process<'_, '_>,
        path: &str,
        depth: usize,
    ) -> Result<(), Failure> {
        let target = in_directory(process, path.as_bytes());
        let files = match path.ends_with('/') {
            true => parts(process, &target, &["", "conf"])?,
            false => vec![target],
        };
        self.add_files(process, files, depth)
    }
}

fn in_directory(process: &Process<'_, '_>, path: &[u8]) -> ImagePath {
    match path.starts_with(b"/") {
        true => ImagePath::lexical(path),
        false => process.directory.join(path),
    }
}
