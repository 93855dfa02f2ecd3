//! What helps an author: the name that was probably meant.

/// The candidate closest to `name`, if one is close enough to be meant.
pub(crate) fn closest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let scored = candidates
        .iter()
        .map(|candidate| (strsim::osa_distance(&lower, &candidate.to_lowercase()), *candidate));
    let (distance, candidate) = scored.min()?;
    (distance <= (name.len() / 3).clamp(1, 4)).then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn close_means_close() {
        assert_eq!(
            closest("requirments.txt", &["setup.py", "requirements.txt"]),
            Some("requirements.txt")
        );
        assert_eq!(closest("App", &["app"]), Some("app"));
        assert_eq!(closest("main", &["test", "lint"]), None);
    }
}
