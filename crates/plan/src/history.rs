//! A base's history, made to agree with its layers.

use oci::History;

/// The base's history if it adds up, else one nameless entry per layer.
///
/// The specification makes history optional (image-spec `config.md`, "history"), and umoci, kaniko
/// and others leave entries out; but registries exist that refuse an image whose history disagrees
/// with its layers.
pub(crate) fn consistent(history: Vec<History>, layers: usize) -> Vec<History> {
    let claimed = history.iter().filter(|entry| !entry.empty_layer).count();
    if claimed == layers {
        return history;
    }
    let nameless = History {
        created: None,
        created_by: None,
        author: None,
        comment: Some("a layer of the base image".to_owned()),
        empty_layer: false,
    };
    vec![nameless; layers]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(empty_layer: bool) -> History {
        let created_by = Some("X".to_owned());
        History { created: None, created_by, author: None, comment: None, empty_layer }
    }

    #[test]
    fn a_wrong_history_is_replaced() {
        let right = vec![step(false), step(true)];
        assert_eq!(consistent(right.clone(), 1), right);
        let replaced = consistent(right, 2);
        assert_eq!(replaced.len(), 2);
        assert!(replaced.iter().all(|entry| !entry.empty_layer && entry.created_by.is_none()));
    }
}
