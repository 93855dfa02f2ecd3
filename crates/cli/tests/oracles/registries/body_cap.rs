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
    // A session that is left behind stays until somebody cleans up.
    let sessions = |method: &str, status: u64| {
        let uploads = seen.iter().filter(|request| request.path.contains("/blobs/uploads/"));
        uploads.filter(|request| request.method == method && request.status == status).count()
    };
    let ended = sessions("PUT", 201) + sessions("DELETE", 204);
    assert_eq!(sessions("POST", 202), ended, "{seen:#?}");
    Ok(())
}
