//! `serve`: a registry of one's own.

use ::serve::Registry;
use tokio::sync::oneshot;

use crate::error::Error;
use crate::flags::ServeArguments;
use crate::interruption::Signals;
use crate::session::Session;

/// Serves a directory until it is told to end, and then the requests in flight to their end. Told
/// so twice, it ends at once.
pub(super) fn serve(arguments: &ServeArguments, session: &Session) -> Result<(), Error> {
    let registry = Registry::in_directory(&arguments.root)?;
    session.runtime()?.block_on(async {
        // Whoever reads the answer may end this right after.
        let mut signals = Signals::new()?;
        let listener = ::serve::listen(arguments.listen).await?;
        // What was asked for, with the port that it came to.
        let address = listener.local_addr().unwrap_or(arguments.listen);
        if !address.ip().is_loopback() {
            session.progress.warning(&format!(
                "{address} can be reached by other machines, and everyone may read and write"
            ));
        }
        session.progress.note(&format!("listening on http://{address}"));
        session.answer(format!("{address}\n").as_bytes())?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = ::serve::serve(listener, registry, async { drop(stopped.await) });
        let told = async {
            signals.next().await;
            drop(stop);
            signals.next().await;
        };
        tokio::select! {
            () = serving => {}
            () = told => {}
        }
        Ok(())
    })
}
