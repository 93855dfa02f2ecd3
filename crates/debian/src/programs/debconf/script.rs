//! Scripts that run while debconf listens to what they write, and answers.

use std::cell::RefCell;
use std::rc::Rc;

use bstr::{BStr, BString};
use oci::ImagePath;
use shell::descriptor::{Handle, Partner, dialogue};
use shell::machine::Machine;
use shell::{Process, Stop};

use super::protocol::{Module, read_file};
use super::session::Session;

/// A session that a script speaks with.
pub(super) type Shared = Rc<RefCell<Session>>;

/// What a script's lines go to.
struct Listener {
    session: Shared,
    module: Rc<RefCell<Module>>,
    directory: ImagePath,
    output: Option<Handle>,
    errors: Option<Handle>,
}

/// Runs a script of the package `owner`, and gives its exit status.
pub(super) fn run(
    process: &mut Process<'_, '_>,
    session: &Shared,
    owner: &BStr,
    words: Vec<BString>,
) -> Result<u8, Stop> {
    process.environment.insert("DEBIAN_HAS_FRONTEND".into(), "1".into());
    session.borrow_mut().flush(process)?;
    let module = Rc::new(RefCell::new(Module::new(owner)));
    let listener = Listener {
        session: Rc::clone(session),
        module: Rc::clone(&module),
        directory: process.directory.clone(),
        output: process.descriptor(1),
        errors: process.descriptor(2),
    };
    let (shared, written, read) = dialogue(Box::new(listener));
    let descriptors = process.descriptors.with(0, read).with(1, written);
    let status = process.spawn_with(words, descriptors)?;
    let unfinished = shared.borrow().unfinished_line().map(<[u8]>::to_vec);
    let mut session = session.borrow_mut();
    if let Some(line) = unfinished {
        let directory = process.directory.clone();
        let mut files = |path: &BStr| read_file(process.machine, &directory, path);
        module.borrow_mut().answer(&mut session, &line, &mut files)?;
    }
    module.borrow_mut().finish(&mut session);
    session.flush(process)?;
    Ok(status)
}

impl Partner for Listener {
    fn answer(&mut self, machine: &mut Machine<'_>, line: &[u8]) -> Result<Vec<u8>, Stop> {
        let mut session = self.session.borrow_mut();
        let mut files = |path: &BStr| read_file(machine, &self.directory, path);
        let mut module = self.module.borrow_mut();
        let mut answer = module.answer(&mut session, line, &mut files)?;
        let has_ended = module.has_ended();
        let said = [
            (&self.errors, std::mem::take(&mut session.errors)),
            (&self.output, std::mem::take(&mut session.output)),
        ];
        for (handle, text) in said {
            if let Some(handle) = handle.as_ref().filter(|_| !text.is_empty()) {
                match machine.write(handle, &text) {
                    Err(shell::descriptor::Closed::Stop(stop)) => return Err(stop),
                    // What cannot be said is lost.
                    Ok(()) | Err(shell::descriptor::Closed::Errno(_)) => {}
                }
            }
        }
        // To the end, debconf waits for the script itself, and answers nothing.
        if !has_ended {
            answer.push(b'\n');
        }
        Ok(answer.into())
    }
}
