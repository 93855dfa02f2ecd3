//! Nothing that the program says holds a secret, however much it is asked to say.

use std::process::Output;

use testbed::{Registry, Result, leak, output, output_on};

use super::site::{SOMEBODY, Site};

super::in_each_guise!([debug_shows_requests_and_no_secrets]);

fn debug_shows_requests_and_no_secrets(site: &Site) -> Result {
    let name = site.reference("team/app:1");
    site.build("team/app:1", "nothing to hide")?;
    let second = Registry::start()?.reference("copied/app:1");
    let host = site.registry.host();
    let mut said = Vec::new();
    if site.has_login() {
        let words = ["--debug", "login", "--username", SOMEBODY.user, "--password-stdin", &host];
        let mut login = site.plywood.command(words);
        said.push(heard("login", output_on(SOMEBODY.password.as_bytes(), &mut login)?));
    }
    let (other, app) = (site.reference("other/app:1"), site.reference("team/app"));
    for words in [
        ["--debug", "push", &name].as_slice(),
        &["--debug", "pull", &name],
        &["--debug", "copy", &name, &other],
        &["--debug", "ls-tags", &app],
        // Fails, since this registry is stopped: errors, too, must not tell.
        &["--debug", "copy", &name, &second],
        &["--debug", "rmi", "--remote", &name],
    ] {
        said.push(heard(words[1], output(&mut site.plywood.command(words))?));
    }
    let push = said.iter().find(|(command, _)| *command == "push").unwrap();
    assert!(push.1.contains("PUT") && push.1.contains("/v2/team/app/manifests/1"), "{}", push.1);
    for (command, text) in &said {
        assert_eq!(leak::in_text(text), None, "{command}: {text}");
    }
    Ok(())
}

/// Both streams of a command.
fn heard(command: &str, output: Output) -> (&str, String) {
    let streams = [output.stdout, output.stderr].concat();
    (command, String::from_utf8_lossy(&streams).into_owned())
}
