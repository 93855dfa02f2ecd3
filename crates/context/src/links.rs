//! Where a path leads when symbolic links are followed inside a context, by name.

use oci::ImagePath;

use crate::LinkError;

/// What to do when the last component of a path is a symbolic link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastComponent {
    /// Go where it leads, as for a source that `COPY` names.
    Follow,
    /// Stay, as for what lies below a directory that is copied.
    Keep,
}

/// What stands at a path, as far as following links goes.
pub(crate) enum Step {
    Directory,
    Link(Vec<u8>),
    Other,
}

/// Linux's MAXSYMLINKS (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// Follows the links on the way to `path`, asking `look` for each path that is come by.
///
/// The context's root is `/`: an absolute target starts there, and `..` stops there.
pub(crate) fn follow<E: From<LinkError>>(
    path: &ImagePath,
    last: LastComponent,
    mut look: impl FnMut(&ImagePath) -> Result<Option<Step>, E>,
) -> Result<ImagePath, E> {
    let mut here = ImagePath::root();
    let mut to_go: Vec<Vec<u8>> = path.components().rev().map(<[u8]>::to_vec).collect();
    let mut links = 0;
    while let Some(component) = to_go.pop() {
        if component == b".." {
            here = here.parent().unwrap_or(here);
            continue;
        }
        let next = here.join(&component);
        let Some(step) = look(&next)? else {
            let path = path.clone();
            return Err(match links {
                0 => LinkError::Missing { path }.into(),
                _ => LinkError::Dangling { path, target: next }.into(),
            });
        };
        match step {
            Step::Link(target) if !to_go.is_empty() || last == LastComponent::Follow => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(LinkError::Loop { path: path.clone() }.into());
                }
                if target.starts_with(b"/") {
                    here = ImagePath::root();
                }
                let parts = target.split(|b| *b == b'/').rev();
                to_go.extend(parts.filter(|part| !matches!(*part, b"" | b".")).map(Vec::from));
            }
            Step::Other if !to_go.is_empty() => {
                return Err(LinkError::NotDirectory { path: path.clone(), file: next }.into());
            }
            Step::Directory | Step::Link(_) | Step::Other => here = next,
        }
    }
    Ok(here)
}
