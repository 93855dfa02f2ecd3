//! nginx in front that answers 413: what is too long in one piece goes in several.

use testbed::{Guise, Request, Result};

use super::site::{Site, all};

#[test]
fn long_blobs_go_in_pieces() -> Result {
    let site = Site::new(Guise::BodyCap(1 << 20))?;
    let digest = site.build_and_push("team/app:1")?;
    assert_eq!(site.skopeo().digest("team/app:1")?, digest);
    site.skopeo().tree("team/app:1")?;
    let seen = site.registry.requests_at_the_front()?;
    let refused = seen.iter().filter(|request| request.status == 413).count();
    assert!((1..=3).contains(&refused), "{seen:#?}");
    let blobs: Vec<String> = site.blobs("team/app:1")?.into_iter().collect();
    assert_eq!(all(&site.registry.requests()?, Request::uploaded), blobs);
    // A session that was left behind would stay until somebody cleans up.
    let uploads = site.registry.storage().join("docker/registry/v2/repositories/team/app/_uploads");
    let left = std::fs::read_dir(uploads).map(Iterator::count).unwrap_or_default();
    assert_eq!(left, 0, "sessions left behind");
    Ok(())
}
