//! `find` (findutils manual). A directory's entries come by name: in which order a real directory
//! has them, nobody knows.

mod evaluate;
mod expression;
mod parse;
mod print;

use bstr::{BString, ByteSlice};
use oci::ImagePath;

use super::destination::inside;
use super::report::refuse_use;
use crate::execute::{Lookup, look_up};
use crate::files::{Errno, Kind, Last, Stat, VolumeId};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::quoted;
use crate::stop::Stop;
use parse::{Bad, Command, Links};

/// Bytes of words that one command takes, as `find` counts them.
const MOST_WORDS: usize = 128 << 10;

/// A file that the expression is asked about.
struct Place {
    /// As it is shown.
    path: BString,
    /// The operand that it was found below.
    operand: BString,
    real: ImagePath,
    stat: Stat,
    depth: usize,
    /// The file system of the operand.
    volume: VolumeId,
}

/// What is still to be done.
enum Step {
    Visit(Place),
    /// A directory, behind all that it holds.
    Leave(Place),
}

struct Search {
    command: Command,
    /// For each command with many files: those so far.
    collected: Vec<Vec<BString>>,
    is_pruned: bool,
    is_over: bool,
    status: u8,
}

/// Finds files.
pub(super) fn find(process: &mut Process<'_, '_>) -> Run {
    let command = match parse::parse(process) {
        Ok(command) => command,
        Err(Bad::Said(message)) => {
            process.complain(message)?;
            return Ok(1);
        }
        Err(Bad::Stop(stop)) => return Err(stop),
    };
    let collected = vec![Vec::new(); command.commands.len()];
    let mut search = Search { command, collected, is_pruned: false, is_over: false, status: 0 };
    for path in search.command.paths.clone() {
        search.walk(process, path)?;
    }
    for at in 0..search.collected.len() {
        search.run_collected(process, at)?;
    }
    Ok(search.status)
}

impl Search {
    fn walk(&mut self, process: &mut Process<'_, '_>, operand: BString) -> Result<(), Stop> {
        let last = match self.command.links {
            Links::Kept => Last::Kept,
            Links::OfOperands | Links::Followed => Last::Followed,
        };
        let mut found = errno(process.find(&operand, last))?;
        if last == Last::Followed && found.is_err() {
            found = errno(process.find(&operand, Last::Kept))?;
        }
        let (real, stat) = match found {
            Ok(found) => found,
            Err(error) => return self.complain(process, &operand, error),
        };
        let volume = stat.volume;
        let place = Place { path: operand.clone(), operand, real, stat, depth: 0, volume };
        let mut steps = vec![Step::Visit(place)];
        while let Some(step) = steps.pop() {
            if self.is_over {
                break;
            }
            process.machine.budget.step()?;
            match step {
                Step::Leave(place) => {
                    self.consider(process, &place)?;
                }
                Step::Visit(place) => self.visit(process, place, &mut steps)?,
            }
        }
        Ok(())
    }

    fn complain(
        &mut self,
        process: &mut Process<'_, '_>,
        path: &[u8],
        error: Errno,
    ) -> Result<(), Stop> {
        self.status = 1;
        process.complain(format!("{}: {error}", quoted(path)))
    }

    fn visit(
        &mut self,
        process: &mut Process<'_, '_>,
        place: Place,
        steps: &mut Vec<Step>,
    ) -> Result<(), Stop> {
        if !self.command.is_depth_first {
            self.is_pruned = false;
            self.consider(process, &place)?;
            if self.is_pruned || self.is_over {
                return Ok(());
            }
        }
        let is_elsewhere = self.command.is_one_volume && place.stat.volume != place.volume;
        let is_entered =
            place.stat.is_directory() && place.depth < self.command.most_depth && !is_elsewhere;
        if !is_entered {
            if self.command.is_depth_first {
                self.consider(process, &place)?;
            }
            return Ok(());
        }
        let children = match errno(process.machine.files.read_dir(&place.real))? {
            Ok(children) => children,
            Err(error) => {
                self.complain(process, &place.path, error)?;
                Default::default()
            }
        };
        let mut inner = Vec::with_capacity(children.len());
        for (name, stat) in children {
            inner.push(Step::Visit(self.child(process, &place, &name, stat)?));
        }
        if self.command.is_depth_first {
            steps.push(Step::Leave(place));
        }
        steps.extend(inner.into_iter().rev());
        Ok(())
    }

    fn child(
        &self,
        process: &Process<'_, '_>,
        above: &Place,
        name: &[u8],
        stat: Stat,
    ) -> Result<Place, Stop> {
        let path = inside(&above.path, name);
        let (mut real, mut stat) = (above.real.join(name), stat);
        if self.command.links == Links::Followed && matches!(stat.kind, Kind::Symlink(_)) {
            if let Ok(found) = errno(process.find(&path, Last::Followed))? {
                (real, stat) = found;
            }
            if stat.is_directory() && above.real.starts_with(&real) {
                return Err(refuse_use(process, "follows a link into a directory above it"));
            }
        }
        let Place { operand, depth, volume, .. } = above;
        let (operand, depth, volume) = (operand.clone(), depth + 1, *volume);
        Ok(Place { path, operand, real, stat, depth, volume })
    }

    fn consider(&mut self, process: &mut Process<'_, '_>, place: &Place) -> Result<(), Stop> {
        if place.depth < self.command.least_depth {
            return Ok(());
        }
        let expression = self.command.expression.clone();
        self.evaluate(process, &expression, place)?;
        Ok(())
    }

    /// Runs a command for a file; whether it succeeded.
    fn run(
        &mut self,
        process: &mut Process<'_, '_>,
        words: &[BString],
        place: &Place,
    ) -> Result<bool, Stop> {
        let words: Vec<BString> =
            words.iter().map(|word| BString::from(word.replace("{}", &place.path))).collect();
        Ok(self.spawn(process, words)? == Some(0))
    }

    /// Adds a file to those that a command takes at once.
    fn collect(
        &mut self,
        process: &mut Process<'_, '_>,
        at: usize,
        path: &BString,
    ) -> Result<(), Stop> {
        let length = |words: &[BString]| words.iter().map(|word| word.len() + 9).sum::<usize>();
        let held = length(&self.collected[at]) + length(&self.command.commands[at]);
        if held + path.len() + 9 > MOST_WORDS {
            self.run_collected(process, at)?;
        }
        self.collected[at].push(path.clone());
        Ok(())
    }

    fn run_collected(&mut self, process: &mut Process<'_, '_>, at: usize) -> Result<(), Stop> {
        let paths = std::mem::take(&mut self.collected[at]);
        if paths.is_empty() {
            return Ok(());
        }
        let mut words = self.command.commands[at].clone();
        words.extend(paths);
        if self.spawn(process, words)? != Some(0) {
            self.status = 1;
        }
        Ok(())
    }

    /// A command's exit status; `None` if there is no such command.
    fn spawn(
        &mut self,
        process: &mut Process<'_, '_>,
        words: Vec<BString>,
    ) -> Result<Option<u8>, Stop> {
        let path = process.environment.get(&BString::from("PATH")).map(|path| &***path);
        let found = look_up(&process.machine.files, &process.directory, path, &words[0])?;
        let error = match found {
            Lookup::Found { .. } => return process.spawn(words).map(Some),
            Lookup::Missing => Errno::NotFound,
            Lookup::NotExecutable(error) => error,
        };
        process.complain(format!("{}: {error}", quoted(&words[0])))?;
        Ok(None)
    }
}
