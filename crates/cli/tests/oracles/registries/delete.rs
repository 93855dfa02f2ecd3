//! `rmi --remote`.

use testbed::Result;

use super::site::Site;

super::in_each_guise!([deleted_from_the_registry]);

/// The image is gone for others, too, and what shares its layers is not.
fn deleted_from_the_registry(site: &Site) -> Result {
    site.build_and_push("team/app:1")?;
    let kept = site.build_and_push("team/app:2")?;
    let reference = site.reference("team/app:1");
    site.plywood.answer(["rmi", "--remote", &reference])?;

    let failure = site.skopeo().manifest("team/app:1").unwrap_err().to_string();
    assert!(failure.contains("manifest unknown"), "{failure}");
    assert_eq!(site.skopeo().digest("team/app:2")?, kept);
    let (code, said) = site.plywood.refusal(["rmi", "--remote", &reference])?;
    assert!(code != 0 && said.contains("team/app:1"), "{code}: {said}");
    Ok(())
}
