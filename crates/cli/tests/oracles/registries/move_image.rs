//! `push` and `pull`.

use testbed::{Kind, Request, Result};

use super::site::{APP, Site, all, unpacked};
use crate::support::plywood;

super::in_each_guise!([pushed_and_pulled, pushed_again, pushed_to_another_repository]);

/// Others read what was pushed, and another store gets the same.
fn pushed_and_pulled(site: &Site) -> Result {
    let name = "team/app:1";
    let digest = site.build_and_push(name)?;
    assert_eq!(site.skopeo().digest(name)?, digest);
    let tree = site.skopeo().tree(name)?;
    assert!(matches!(tree.at("srv/noise").unwrap().kind, Kind::File { size: 3_145_728, .. }));

    let elsewhere = plywood()?;
    site.enter(&elsewhere)?;
    let reference = site.reference(name);
    let pulling = || elsewhere.answer(["pull", "--quiet", &reference]);
    let requests = site.requests_of(pulling)?;
    let blobs: Vec<String> = site.blobs(name)?.into_iter().collect();
    assert_eq!(all(&requests, Request::downloaded), blobs, "each blob once: {requests:#?}");

    let directory = tempfile::tempdir().unwrap();
    let layout = format!("oci:{}:x", directory.path().join("layout").display());
    let copied = elsewhere.answer(["copy", "--quiet", &format!("store:{reference}"), &layout])?;
    assert_eq!(copied.trim_end(), digest);
    let differences = tree.differences(&unpacked(&directory)?, "the registry", "the other store");
    assert!(differences.is_empty(), "{differences:#?}");
    // What is there is not moved again.
    let again = site.requests_of(pulling)?;
    assert_eq!(all(&again, Request::downloaded), [""; 0], "{again:#?}");
    Ok(())
}

/// One question is enough to know that there is nothing to do.
fn pushed_again(site: &Site) -> Result {
    site.build_and_push("team/app:1")?;
    let again =
        site.requests_of(|| site.plywood.answer(["push", &site.reference("team/app:1")]))?;
    let asked: Vec<_> = again
        .iter()
        .filter(|request| request.path != "/v2/")
        .map(|request| format!("{} {} {}", request.method, request.path, request.status))
        .collect();
    assert_eq!(asked, ["HEAD /v2/team/app/manifests/1 200"], "{again:#?}");
    if let testbed::Guise::Tokens(_) = site.guise {
        assert_eq!(
            site.registry.token_requests().len(),
            1,
            "{:#?}",
            site.registry.token_requests()
        );
    }
    Ok(())
}

/// The registry has the layers already: they are mounted, and no byte of them moves.
fn pushed_to_another_repository(site: &Site) -> Result {
    let digest = site.build_and_push("team/app:1")?;
    let (here, there) = (site.reference("team/app:1"), site.reference("other/app:1"));
    site.plywood.answer(["tag", &here, &there])?;
    let requests = site.requests_of(|| site.plywood.answer(["push", &there]))?;
    let blobs: Vec<String> = site.blobs("team/app:1")?.into_iter().collect();
    assert_eq!(all(&requests, Request::mounted), blobs, "{requests:#?}");
    assert!(!requests.iter().any(Request::starts_upload), "{requests:#?}");
    assert_eq!(site.skopeo().digest("other/app:1")?, digest);

    if let testbed::Guise::Tokens(_) = site.guise {
        let both = [format!("repository:{APP}:pull"), "repository:other/app:pull,push".to_owned()];
        let asked = site.registry.token_requests();
        let has_both = asked.iter().any(|asked| both.iter().all(|it| asked.scopes.contains(it)));
        assert!(has_both, "one token for both repositories: {asked:#?}");
    }
    Ok(())
}
