//! Where a path leads (distribution-spec 1.1, "Endpoints").

/// What a request is about. Names and references are as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// end-1.
    Base,
    /// Docker's list of repositories.
    Catalog,
    /// end-4a to end-4c and end-11: a new upload.
    Uploads(&'a str),
    /// end-5, end-6, end-13 and end-14: an upload under way.
    Session(&'a str, &'a str),
    /// end-2 and end-10.
    Blob(&'a str, &'a str),
    /// end-3, end-7 and end-9.
    Manifest(&'a str, &'a str),
    /// end-8.
    Tags(&'a str),
    /// end-12.
    Referrers(&'a str, &'a str),
    /// Nothing that is known.
    Unknown,
}

impl<'a> Route<'a> {
    /// Reads a path from its end: a repository may have any of these words in its name.
    pub(crate) fn of(path: &'a str) -> Self {
        let Some(rest) = path.strip_prefix("/v2") else { return Route::Unknown };
        match rest {
            "" | "/" => return Route::Base,
            "/_catalog" => return Route::Catalog,
            _ => {}
        }
        let Some((before, last)) = rest.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'))
        else {
            return Route::Unknown;
        };
        if let Some(name) = before.strip_suffix("/blobs/uploads") {
            return if last.is_empty() { Route::Uploads(name) } else { Route::Session(name, last) };
        }
        match before.rsplit_once('/') {
            // With or without the slash at the end.
            Some((name, "blobs")) if last == "uploads" => Route::Uploads(name),
            Some((name, "blobs")) => Route::Blob(name, last),
            Some((name, "manifests")) => Route::Manifest(name, last),
            Some((name, "referrers")) => Route::Referrers(name, last),
            Some((name, "tags")) if last == "list" => Route::Tags(name),
            _ => Route::Unknown,
        }
    }

    /// The repository's name, as it came.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn repository(&self) -> Option<&'a str> {
        match self {
            Route::Uploads(name)
            | Route::Session(name, _)
            | Route::Blob(name, _)
            | Route::Manifest(name, _)
            | Route::Tags(name)
            | Route::Referrers(name, _) => Some(name),
            Route::Base | Route::Catalog | Route::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_from_their_end() {
        let check =
            |path: &str, expected: Route<'_>| assert_eq!(Route::of(path), expected, "{path}");
        check("/v2/", Route::Base);
        check("/v2", Route::Base);
        check("/v2/_catalog", Route::Catalog);
        check("/v2/a/b/blobs/uploads/", Route::Uploads("a/b"));
        check("/v2/a/blobs/uploads", Route::Uploads("a"));
        check("/v2/a/blobs/uploads/x", Route::Session("a", "x"));
        check("/v2/a/blobs/sha256:0", Route::Blob("a", "sha256:0"));
        check("/v2/a/blobs/blobs/sha256:0", Route::Blob("a/blobs", "sha256:0"));
        check("/v2/a/blobs/uploads/manifests/1", Route::Manifest("a/blobs/uploads", "1"));
        check("/v2/a/manifests/manifests/1", Route::Manifest("a/manifests", "1"));
        check("/v2/a/tags/list/tags/list", Route::Tags("a/tags/list"));
        check("/v2/a/referrers/sha256:0", Route::Referrers("a", "sha256:0"));
        for unknown in ["/", "/v1/", "/v2/a", "/v2/a/tags", "/v2/a/tags/other", "/v2/blobs/x"] {
            check(unknown, Route::Unknown);
        }
    }
}
