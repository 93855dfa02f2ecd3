//! `debconf-show`: what is answered (debconf-show(1)).

use bstr::{BStr, BString, ByteSlice};
use shell::options::{Options, Order, Takes, long};
use shell::process::Run;
use shell::{Process, Reason, Stop};

use super::database::Access;
use super::session::Session;
use crate::outside::Outside;

const USAGE: &[u8] = b"Usage:\x20
    debconf-show packagename [...] [--db=dbname]
    debconf-show --listowners [--db=dbname]
    debconf-show --listdbs
";

/// The real one lists in the order of a hash, which differs each time; here, it is that of names.
pub(super) fn debconf_show(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    let known = [
        long("--db", &["db"], Takes::Value),
        long("--listowners", &["listowners"], Takes::Nothing),
        long("--listdbs", &["listdbs"], Takes::Nothing),
    ];
    let options = Options::of(process, &known, Order::Anywhere)?;
    if let Some(option) = ["--db", "--listdbs"].into_iter().find(|option| options.has(option)) {
        return Err(process.refuse(Reason::Option(option.to_owned())));
    }
    if options.operands.is_empty() && !options.has("--listowners") {
        process.write_to(2, USAGE)?;
        return Ok(1);
    }
    let mut session = match Session::open(process, Access::Read)? {
        Ok(session) => session,
        Err(status) => return Ok(status),
    };
    let text = match options.has("--listowners") {
        true => owners(&session),
        false => answers(&mut session, &options.operands)?,
    };
    process.write(text)?;
    Ok(0)
}

fn owners(session: &Session) -> Vec<u8> {
    let records = session.config.names();
    let records = records.iter().filter_map(|name| session.config.record(name.as_bstr()));
    let owners: std::collections::BTreeSet<&BString> =
        records.flat_map(|record| &record.owners).collect();
    owners.iter().flat_map(|owner| [&owner[..], b"\n"].concat()).collect()
}

fn answers(session: &mut Session, packages: &[BString]) -> Result<Vec<u8>, Stop> {
    let mut text = Vec::new();
    for name in session.config.names() {
        let name = name.as_bstr();
        let owners = session.config.record(name).map(|record| record.owners.clone());
        let owners = owners.unwrap_or_default();
        for _ in packages.iter().filter(|package| owners.contains(*package)) {
            let mark: &[u8] = if session.is_seen(name) { b"* " } else { b"  " };
            let value = match session.kind(name) == BStr::new("password") {
                true => " (password omitted)".into(),
                false => session.value(name),
            };
            let blank: &[u8] = match value.is_empty() || value.starts_with(b" (pass") {
                true => b"",
                false => b" ",
            };
            text.extend([mark, name, b":", blank, &value, b"\n"].concat());
        }
    }
    Ok(text)
}
