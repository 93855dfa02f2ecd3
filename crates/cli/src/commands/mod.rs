//! One module a command: each takes its arguments and the session, and answers on standard output.

mod archive;
mod cache;
mod completions;
mod copy;
mod documents;
mod history;
mod images;
mod init;
mod inspect;
mod login;
mod names;
mod prune;
mod remote;
mod remote_lists;
mod serve;
mod stored;
mod table;
mod version;
mod why;

use crate::build;
use crate::error::Error;
use crate::flags::Command;
use crate::session::Session;

/// Runs a command.
pub(crate) fn run(command: &Command, session: &Session) -> Result<(), Error> {
    match command {
        Command::Build(arguments) => build::build(arguments, session),
        Command::Plan(arguments) => build::plan(arguments, session),
        Command::Lock(arguments) => build::lock(arguments, session),
        Command::Outdated(arguments) => build::outdated(arguments, session),
        Command::Init(arguments) => init::init(arguments, session),
        Command::Push(arguments) => remote::push(arguments, session),
        Command::Pull(arguments) => remote::pull(arguments, session),
        Command::Copy(arguments) => copy::copy(arguments, session),
        Command::Images(arguments) => images::images(arguments, session),
        Command::Inspect(arguments) => inspect::inspect(arguments, session),
        Command::History(arguments) => history::history(arguments, session),
        Command::Why(arguments) => why::why(arguments, session),
        Command::Tag(arguments) => names::tag(arguments, session),
        Command::Rmi(arguments) => names::rmi(arguments, session),
        Command::Save(arguments) => archive::save(arguments, session),
        Command::Load(arguments) => archive::load(arguments, session),
        Command::LsTags(arguments) => remote_lists::ls_tags(arguments, session),
        Command::Referrers(arguments) => remote_lists::referrers(arguments, session),
        Command::Login(arguments) => login::login(arguments, session),
        Command::Logout(arguments) => login::logout(arguments, session),
        Command::Prune(arguments) => prune::prune(arguments, session),
        Command::Cache(arguments) => cache::cache(arguments, session),
        Command::Serve(arguments) => serve::serve(arguments, session),
        Command::Version(report) => version::version(report, session),
        Command::Completions(shell) => completions::completions(*shell, session),
    }
}
