//! Whether a file is what an expression asks for, and what is done with it.

use bstr::ByteSlice;

use super::expression::{Action, Expression, Test, Wanted, type_letter};
use super::print::{base, printed};
use super::{Place, Search};
use crate::files::Kind;
use crate::process::{Process, errno};
use crate::programs::files::report::refuse_use;
use crate::programs::quoting::quoted;
use crate::stop::Stop;
use crate::wildcard::matches;

impl Search {
    pub(super) fn evaluate(
        &mut self,
        process: &mut Process<'_, '_>,
        expression: &Expression,
        place: &Place,
    ) -> Result<bool, Stop> {
        match expression {
            Expression::And(all) => {
                for inner in all {
                    if self.is_over || !self.evaluate(process, inner, place)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Expression::Or(all) => {
                for inner in all {
                    if self.is_over || self.evaluate(process, inner, place)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Expression::List(all) => {
                let mut value = false;
                for inner in all {
                    value = self.evaluate(process, inner, place)?;
                }
                Ok(value)
            }
            Expression::Not(inner) => Ok(!self.evaluate(process, inner, place)?),
            Expression::Test(test) => self.test(process, test, place),
            Expression::Action(action) => self.act(process, action, place),
        }
    }

    fn test(
        &self,
        process: &mut Process<'_, '_>,
        test: &Test,
        place: &Place,
    ) -> Result<bool, Stop> {
        let stat = &place.stat;
        let attributes = &stat.attributes;
        let owners = &self.command.owners;
        Ok(match test {
            Test::Constant(value) => *value,
            Test::Name(pattern, case) => matches(pattern, base(&place.path), *case),
            Test::Path(pattern, case) => matches(pattern, &place.path, *case),
            Test::LinkName(pattern, case) => match &stat.kind {
                Kind::Symlink(target) => matches(pattern, target, *case),
                _ => false,
            },
            Test::Types(letters) => letters.contains(&type_letter(&stat.kind)),
            Test::Empty => match &stat.kind {
                Kind::File(data) => data.size() == 0,
                Kind::Directory => match errno(process.machine.files.read_dir(&place.real))? {
                    Ok(children) => children.is_empty(),
                    Err(error) => {
                        process.complain(format!("{}: {error}", quoted(&place.path)))?;
                        false
                    }
                },
                _ => false,
            },
            Test::Permissions(wanted, mode) => match wanted {
                Wanted::Exactly => attributes.mode == *mode,
                Wanted::All => attributes.mode & mode == *mode,
                Wanted::Any => *mode == 0 || attributes.mode & mode != 0,
            },
            Test::User(uid) => attributes.uid == *uid,
            Test::Group(gid) => attributes.gid == *gid,
            Test::UserId(number) => number.accepts(u64::from(attributes.uid)),
            Test::GroupId(number) => number.accepts(u64::from(attributes.gid)),
            Test::NoUser => owners.user_name(attributes.uid).is_none(),
            Test::NoGroup => owners.group_name(attributes.gid).is_none(),
            Test::NewerThan(time) => {
                let clock = process.machine.files.clock();
                if attributes.mtime == *time && *time == clock {
                    return Err(refuse_use(process, "compares times of files that were just made"));
                }
                attributes.mtime > *time
            }
            Test::Size(number, unit) => match &stat.kind {
                Kind::Directory => {
                    return Err(refuse_use(process, "asks for the size of a directory"));
                }
                _ => number.accepts(stat.size().div_ceil(*unit)),
            },
            Test::Age(number, unit) => {
                let age = process.machine.files.clock().saturating_sub(attributes.mtime);
                number.accepts(u64::try_from(age / unit).unwrap_or(0))
            }
            Test::Links(number) => match &stat.kind {
                Kind::Directory => {
                    return Err(refuse_use(process, "asks for the links of a directory"));
                }
                _ => {
                    let links = errno(process.machine.files.links(stat))?.unwrap_or(1);
                    number.accepts(links)
                }
            },
            Test::Access(wanted) => process.machine.files.may(stat, *wanted),
            Test::Same(identity) => stat.identity == *identity,
        })
    }

    fn act(
        &mut self,
        process: &mut Process<'_, '_>,
        action: &Action,
        place: &Place,
    ) -> Result<bool, Stop> {
        match action {
            Action::Print => process.write([&place.path[..], b"\n"].concat())?,
            Action::Print0 => process.write([&place.path[..], b"\0"].concat())?,
            Action::Printf(format) => {
                let text = printed(process, format, place, &self.command.owners)?;
                process.write(text)?;
            }
            Action::Delete => return self.delete(process, place),
            Action::Prune => self.is_pruned = true,
            Action::Quit => self.is_over = true,
            Action::Execute(words) => return self.run(process, words, place),
            Action::ExecuteMany(at) => self.collect(process, *at, &place.path)?,
        }
        Ok(true)
    }

    fn delete(&mut self, process: &mut Process<'_, '_>, place: &Place) -> Result<bool, Stop> {
        // The working directory under this name is passed over.
        if place.path == "." {
            return Ok(true);
        }
        let name = place.path.trim_end_with(|letter| letter == '/').as_bytes();
        let located = process.locate(name, crate::files::Last::Kept);
        let removed = located.and_then(|located| process.machine.files.remove(&located.path));
        match errno(removed)? {
            Ok(()) => Ok(true),
            Err(error) => {
                self.status = 1;
                process.complain(format!("cannot delete {}: {error}", quoted(&place.path)))?;
                Ok(false)
            }
        }
    }
}
