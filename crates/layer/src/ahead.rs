//! A stream that is read in a thread of its own, so that who unpacks and who hashes work side by
//! side.

use std::io::{self, Read};
use std::thread::Builder;

use crossbeam_channel::{Receiver, Sender, bounded};

/// How much is handed over at once.
const PIECE: usize = 256 << 10;
/// How many pieces wait at most.
const WAITING: usize = 8;

/// The same stream, read ahead of who reads it by up to two megabytes. What goes wrong comes where
/// it went wrong.
///
/// # Errors
/// If the system gives no thread.
pub fn read_ahead(stream: impl Read + Send + 'static) -> io::Result<impl Read + Send> {
    let (writer, ahead) = ends();
    thread().spawn(move || writer.fill(stream))?;
    Ok(ahead)
}

/// Gives `read` the same stream, read ahead as by [`read_ahead`], and what it returns.
///
/// # Errors
/// If the system gives no thread.
pub fn with_read_ahead<T>(
    stream: impl Read + Send,
    read: impl FnOnce(Ahead) -> T,
) -> io::Result<T> {
    let (writer, ahead) = ends();
    std::thread::scope(|scope| {
        thread().spawn_scoped(scope, move || writer.fill(stream))?;
        Ok(read(ahead))
    })
}

fn thread() -> Builder {
    Builder::new().name("read-ahead".to_owned())
}

/// Where pieces go in, and where they come out.
fn ends() -> (Writer, Ahead) {
    let (filled, pieces) = bounded(WAITING);
    let (back, empty) = bounded(WAITING + 1);
    (Writer { filled, empty }, Ahead { pieces, back, piece: Vec::new(), at: 0 })
}

type Piece = io::Result<Vec<u8>>;

struct Writer {
    filled: Sender<Piece>,
    empty: Receiver<Vec<u8>>,
}

impl Writer {
    /// Reads to the end, or until nobody wants more.
    fn fill(self, mut stream: impl Read) {
        loop {
            let mut piece = self.empty.try_recv().unwrap_or_default();
            piece.clear();
            piece.reserve_exact(PIECE);
            let read = (&mut stream).take(PIECE as u64).read_to_end(&mut piece);
            let is_last = !matches!(read, Ok(count) if count > 0);
            // What was read before an error is handed over, too.
            let has_some = !piece.is_empty();
            if has_some && self.filled.send(Ok(piece)).is_err() {
                return;
            }
            if let Err(error) = read {
                // Nobody may be left to hear of it.
                let _ = self.filled.send(Err(error));
            }
            if is_last {
                return;
            }
        }
    }
}

/// A stream that is read ahead.
pub struct Ahead {
    pieces: Receiver<Piece>,
    back: Sender<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            // The thread is gone after the end, and after an error.
            let Ok(next) = self.pieces.recv() else { return Ok(0) };
            let used = std::mem::replace(&mut self.piece, next?);
            let _ = self.back.try_send(used);
            self.at = 0;
        }
        let count = buffer.len().min(self.piece.len() - self.at);
        buffer[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_stream() {
        for size in [0, 1, PIECE - 1, PIECE, PIECE + 1, 20 * PIECE + 3] {
            let bytes: Vec<u8> = (0..size).map(|at| (at * 7 % 251) as u8).collect();
            let mut read = Vec::new();
            read_ahead(io::Cursor::new(bytes.clone())).unwrap().read_to_end(&mut read).unwrap();
            assert!(read == bytes, "{size}");
            let mut again = Vec::new();
            let within = with_read_ahead(&bytes[..], |mut ahead| ahead.read_to_end(&mut again));
            assert_eq!((within.unwrap().unwrap(), again == bytes), (size, true));
        }
    }

    #[test]
    fn an_error_comes_behind_what_was_read_before_it() {
        struct Failing(usize);
        impl Read for Failing {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                if self.0 == 0 {
                    return Err(io::Error::other("broken"));
                }
                let count = buffer.len().min(self.0);
                self.0 -= count;
                buffer[..count].fill(1);
                Ok(count)
            }
        }
        let mut read = Vec::new();
        let error = read_ahead(Failing(PIECE + 5)).unwrap().read_to_end(&mut read).unwrap_err();
        assert_eq!((read.len(), error.to_string().as_str()), (PIECE + 5, "broken"));
    }

    #[test]
    fn who_stops_early_lets_the_thread_end() {
        let mut ahead = read_ahead(io::repeat(1)).unwrap();
        ahead.read_exact(&mut [0; 10]).unwrap();
        drop(ahead);
        let first = with_read_ahead(io::repeat(1), |mut ahead| ahead.read(&mut [0; 10]));
        assert_eq!(first.unwrap().unwrap(), 10);
    }
}
