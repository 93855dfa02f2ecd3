//! Nothing that the program says holds a secret, however much it is asked to say.

use testbed::{Guise, Login, Registry, Result, leak, output, output_on};

use super::site::{SOMEBODY, Site};

super::in_each_guise!([debug_shows_requests_and_no_secrets]);

const ANOTHER: Login = Login { user: "another", password: "SECRET of another" };

fn debug_shows_requests_and_no_secrets(site: &Site) -> Result {
    let name = site.reference("team/app:1");
    site.build("team/app:1", "nothing to hide")?;
    if site.has_login() {
        let (user, host) = (SOMEBODY.user, site.registry.host());
        let words = ["--debug", "login", "--username", user, "--password-stdin", &host];
        let mut login = site.plywood.command(words);
        let said = output_on(SOMEBODY.password.as_bytes(), &mut login)?;
        assert!(said.status.success());
        nothing_secret("login", &[said.stdout, said.stderr].concat());
    }
    let (other, app) = (site.reference("other/app:1"), site.reference("team/app"));
    for (words, request) in [
        (["push", &name].as_slice(), "PUT"),
        (&["pull", &name], "HEAD"),
        (&["copy", &name, &other], "POST"),
        (&["ls-tags", &app], "GET"),
        (&["rmi", "--remote", &name], "DELETE"),
    ] {
        let said = output(&mut site.plywood.command([&["--debug"], words].concat()))?;
        assert!(said.status.success(), "{words:?}");
        let text = nothing_secret(words[0], &[said.stdout, said.stderr].concat());
        let shown = text.lines().any(|line| line.contains(request) && line.contains("/v2/"));
        assert!(shown, "{words:?}: {text}");
    }
    // Errors, too, must not tell: one for want of a password, one for a wrong one.
    let guarded = Registry::start_as(&Guise::Htpasswd(ANOTHER))?;
    let there = guarded.reference("copied/app:1");
    let said = output(&mut site.plywood.command(["--debug", "copy", &other, &there]))?;
    assert!(!said.status.success());
    nothing_secret("copy", &[said.stdout, said.stderr].concat());
    let words = ["--debug", "login", "-u", "another", "--password-stdin", &guarded.host()];
    let said = output_on(SOMEBODY.password.as_bytes(), &mut site.plywood.command(words))?;
    assert!(!said.status.success());
    nothing_secret("login", &[said.stdout, said.stderr].concat());
    Ok(())
}

/// What a command said, in which no secret is.
#[track_caller]
fn nothing_secret(command: &str, said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said).into_owned();
    assert_eq!(leak::in_text(&said), None, "{command}: {said}");
    said
}
