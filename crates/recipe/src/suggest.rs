//! What somebody may have meant: the nearest of a few known names.

/// The candidate nearest to `typed`, unless none is near or one is the same.
///
/// A name is near if one slip of the fingers in a short word, or two in a longer one, lead to it
/// (insertion, deletion, substitution or transposition), or if `typed` is how it alone begins.
///
/// ```
/// assert_eq!(recipe::closest("biuld", ["build", "test"]), Some("build"));
/// assert_eq!(recipe::closest("deploy", ["build", "test"]), None);
/// ```
pub fn closest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Longer words are no slips, and comparing them costs the product of the lengths.
    const MAX_CHARACTERS: usize = 64;
    let typed = typed.to_lowercase();
    let length = typed.chars().count();
    if length > MAX_CHARACTERS {
        return None;
    }
    let allowed = if length <= 3 { 1 } else { 2 };
    let mut nearest: Option<(usize, &str)> = None;
    let mut begun = Vec::new();
    for candidate in candidates {
        let lower = candidate.to_lowercase();
        if lower == typed {
            return None;
        }
        if length >= 3 && lower.starts_with(&typed) {
            begun.push(candidate);
        }
        let distance = strsim::damerau_levenshtein(&typed, &lower);
        if distance <= allowed && nearest.is_none_or(|(best, _)| distance < best) {
            nearest = Some((distance, candidate));
        }
    }
    match (nearest, begun.as_slice()) {
        (Some((_, candidate)), _) => Some(candidate),
        (None, [only]) => Some(only),
        _ => None,
    }
}

/// `did you mean …?`, if something is near.
pub(crate) fn did_you_mean<'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    closest(typed, candidates).map(|name| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn nearest_name() {
        let names = ["ADD", "COPY", "ENTRYPOINT", "ENV", "RUN", "CMD"];
        let check = |typed, expected| assert_eq!(closest(typed, names), expected, "{typed}");
        check("RNU", Some("RUN"));
        check("copt", Some("COPY"));
        check("ENTRY", Some("ENTRYPOINT"));
        check("ENTERPOINT", Some("ENTRYPOINT"));
        check("apt-get", None);
        check("FOO", None);
        check("run", None);
        check(&"x".repeat(100_000), None);
    }
}
