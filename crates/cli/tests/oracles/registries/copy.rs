//! `copy`: between two registries, and within one.

use testbed::{Registry, Request, Result, Skopeo};

use super::site::{Site, all};

super::in_each_guise!([
    copied_to_a_second_registry,
    copied_from_a_second_registry,
    copied_within_the_registry
]);

/// Each blob comes once and goes once, and the store has no part in it.
fn copied_to_a_second_registry(site: &Site) -> Result {
    let digest = site.build_and_push("team/app:1")?;
    let second = Registry::start()?;
    let (from, to) = (site.reference("team/app:1"), second.reference("copied/app:2"));
    let outgoing = site.requests_of(|| {
        let answered = site.plywood.answer(["copy", "--quiet", &from, &to])?;
        assert_eq!(answered.trim_end(), digest);
        Ok(())
    })?;
    let blobs: Vec<String> = site.blobs("team/app:1")?.into_iter().collect();
    assert_eq!(all(&outgoing, Request::downloaded), blobs, "{outgoing:#?}");
    let incoming = second.requests()?;
    assert_eq!(all(&incoming, Request::uploaded), blobs, "{incoming:#?}");
    let inspected = Skopeo::inspect(&second.place("copied/app:2"))?;
    assert_eq!(inspected["Digest"], digest.as_str());
    Ok(())
}

fn copied_from_a_second_registry(site: &Site) -> Result {
    let second = Registry::start()?;
    let digest = site.build("team/app:1", "first")?;
    let stored = format!("store:{}", site.reference("team/app:1"));
    site.plywood.answer(["copy", "--quiet", &stored, &second.reference("app:1")])?;
    let (from, to) = (second.reference("app:1"), site.reference("team/app:1"));
    let incoming = site.requests_of(|| site.plywood.answer(["copy", "--quiet", &from, &to]))?;
    let blobs: Vec<String> = site.blobs("team/app:1")?.into_iter().collect();
    assert_eq!(all(&incoming, Request::uploaded), blobs, "{incoming:#?}");
    assert_eq!(site.skopeo().digest("team/app:1")?, digest);
    Ok(())
}

/// Everything is mounted: no byte of a blob moves in either direction.
fn copied_within_the_registry(site: &Site) -> Result {
    let digest = site.build_and_push("team/app:1")?;
    let (from, to) = (site.reference("team/app:1"), site.reference("other/app:1"));
    let requests = site.requests_of(|| site.plywood.answer(["copy", "--quiet", &from, &to]))?;
    let blobs: Vec<String> = site.blobs("team/app:1")?.into_iter().collect();
    assert_eq!(all(&requests, Request::mounted), blobs, "{requests:#?}");
    assert_eq!(all(&requests, Request::downloaded), [""; 0], "{requests:#?}");
    assert!(!requests.iter().any(Request::starts_upload), "{requests:#?}");
    assert_eq!(site.skopeo().digest("other/app:1")?, digest);
    Ok(())
}
