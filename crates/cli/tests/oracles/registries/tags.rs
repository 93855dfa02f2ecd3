//! `ls-tags`, and `push --all-tags`.

use testbed::{Request, Result};

use super::site::{APP, Site};

super::in_each_guise!([tags_are_listed, all_tags_are_pushed]);

fn tags_are_listed(site: &Site) -> Result {
    for tag in ["1", "latest", "v2.0-rc.1"] {
        site.build_and_push(&format!("{APP}:{tag}"))?;
    }
    let listed = site.plywood.answer(["ls-tags", &site.reference(APP)])?;
    // docker-registry 2.8 lists them as its file system does.
    let mut listed: Vec<&str> = listed.lines().collect();
    listed.sort();
    assert_eq!(listed, ["1", "latest", "v2.0-rc.1"]);
    assert_eq!(site.skopeo().tags(APP)?, listed);
    Ok(())
}

/// Every tag that the store has of a repository goes, and what they share goes once.
fn all_tags_are_pushed(site: &Site) -> Result {
    let first = site.build("team/app:1", "first")?;
    let second = site.build("team/app:2", "second")?;
    site.build("other/app:3", "third")?;
    site.plywood.answer(["tag", &site.reference("team/app:2"), &site.reference("team/app:new")])?;
    let requests =
        site.requests_of(|| site.plywood.answer(["push", "--all-tags", &site.reference(APP)]))?;
    assert_eq!(site.skopeo().tags(APP)?, ["1", "2", "new"]);
    for (name, digest) in
        [("team/app:1", &first), ("team/app:2", &second), ("team/app:new", &second)]
    {
        assert_eq!(&site.skopeo().digest(name)?, digest);
    }
    let wanted = &site.blobs("team/app:1")? | &site.blobs("team/app:2")?;
    let uploaded: Vec<_> = super::site::all(&requests, Request::uploaded);
    assert_eq!(uploaded, wanted.into_iter().collect::<Vec<_>>(), "{requests:#?}");
    Ok(())
}
