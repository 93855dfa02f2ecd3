//! `debconf-communicate`: the protocol over the standard input and output (debconf-communicate(1)).

use bstr::{BStr, BString, ByteSlice};
use shell::Process;
use shell::options::{Options, Order};
use shell::process::Run;

use super::database::Access;
use super::protocol::{Module, read_file};
use super::run::{COMMON_OPTIONS, set_options};
use super::session::Session;
use super::settings::Settings;
use crate::outside::Outside;
use shell::Reason;

/// What it ends with if it was told nothing.
const NOTHING: u8 = 127;

pub(super) fn debconf_communicate(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let options = Options::of(process, &COMMON_OPTIONS, Order::Anywhere)?;
    let mut settings = Settings::of(process)?;
    let complaint = set_options(&mut settings, &options);
    process.write_to(2, &complaint)?;
    let mut session = match Session::open_with(process, settings, Access::Write)? {
        Ok(session) => session,
        Err(status) => return Ok(status),
    };
    session.choose_frontend(process)?;
    session.flush(process)?;
    let owner = match &options.operands[..] {
        [] => BString::from("unknown"),
        [owner] => owner.clone(),
        _ => return Err(process.refuse(Reason::Use("reads its lines from files".to_owned()))),
    };
    let mut module = Module::new(owner.as_bstr());
    let mut status = NOTHING;
    while let Some(line) = process.read_line()? {
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let directory = process.directory.clone();
        let mut files = |path: &BStr| read_file(process.machine, &directory, path);
        let answer = module.answer(&mut session, line, &mut files)?;
        session.flush(process)?;
        let code = answer.split(|byte| *byte == b' ').next().unwrap_or_default();
        status = code.to_str().ok().and_then(|code| code.parse().ok()).unwrap_or(0);
        process.write([&answer[..], b"\n"].concat())?;
    }
    module.finish(&mut session);
    session.save(process.machine)?;
    Ok(status)
}
