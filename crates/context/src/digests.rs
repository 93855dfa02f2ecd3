//! Digests of many files, read in parallel, each at most once.

use std::cmp::Reverse;
use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use layer::Content;
use oci::Digester;

use crate::listing::Origin;
use crate::stat_cache::Places;
use crate::{Context, ContextError, Listed, StatCache};

/// Files from this size on are begun first, so that none is left to one thread at the end.
const LARGE: u64 = 8 << 20;

/// How much is read at a time: fits the second-level cache of one core.
const BUFFER: usize = 128 << 10;

/// The contents of `wanted`, in their order; see [`Context::digest`].
pub(crate) fn digest(
    context: &Context,
    wanted: &[&Listed],
    cache: &mut StatCache,
    threads: NonZeroUsize,
) -> Result<Vec<Content>, ContextError> {
    let places = Places::of(context.identity());
    let mut contents: Vec<Option<Content>> = Vec::with_capacity(wanted.len());
    let mut unknown = Vec::new();
    for (index, listed) in wanted.iter().enumerate() {
        let known = match &listed.origin {
            Origin::Inode(signature) => cache
                .known(places.at(&listed.path), signature)
                .map(|digest| Content { digest, size: signature.size }),
            Origin::Member { content, .. } => Some(*content),
            Origin::Nothing => None,
        };
        if known.is_none() {
            unknown.push(index);
        }
        contents.push(known);
    }
    // Stable: small files stay in the order of their directories.
    unknown.sort_by_key(|index| Reverse(wanted[*index].size() / LARGE));
    for (index, content) in read_all(context, wanted, &unknown, threads)? {
        if let Origin::Inode(signature) = &wanted[index].origin {
            cache.remember(places.at(&wanted[index].path), *signature, content.digest);
        }
        contents[index] = Some(content);
    }
    Ok(contents.into_iter().flatten().collect())
}

/// Reads those of `wanted` that `unknown` says, each thread taking the next when it is done.
fn read_all(
    context: &Context,
    wanted: &[&Listed],
    unknown: &[usize],
    threads: NonZeroUsize,
) -> Result<Vec<(usize, Content)>, ContextError> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut buffer = vec![0; BUFFER];
        let mut done = Vec::new();
        while let Some(index) = unknown.get(next.fetch_add(1, Ordering::Relaxed)) {
            match read(context, wanted[*index], &mut buffer) {
                Ok(content) => done.push((*index, content)),
                Err(error) => {
                    // The others need not go on.
                    next.store(unknown.len(), Ordering::Relaxed);
                    return Err((*index, error));
                }
            }
        }
        Ok(done)
    };
    let threads = threads.get().min(unknown.len());
    let results = std::thread::scope(|scope| {
        // A thread that the system does not give is not needed.
        let others: Vec<_> = (1..threads)
            .map_while(|_| std::thread::Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        let mut results = vec![work()];
        for other in others {
            results.push(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    });
    let mut done = Vec::with_capacity(unknown.len());
    let mut first: Option<(usize, ContextError)> = None;
    for result in results {
        match result {
            Ok(more) => done.extend(more),
            Err((index, error)) => {
                if first.as_ref().is_none_or(|(first, _)| index < *first) {
                    first = Some((index, error));
                }
            }
        }
    }
    match first {
        Some((_, error)) => Err(error),
        None => Ok(done),
    }
}

fn read(context: &Context, listed: &Listed, buffer: &mut [u8]) -> Result<Content, ContextError> {
    let mut file = context.open(listed)?;
    let mut digester = Digester::sha256();
    let mut size = 0;
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(Content { digest: digester.finish(), size }),
            Ok(read) => {
                digester.update(&buffer[..read]);
                size += read as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ContextError::from_io(error, &listed.path)),
        }
    }
}
