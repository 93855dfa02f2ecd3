//! A greeting to a host on loopback: does it speak TLS?
//!
//! Making a TLS client takes longer than a whole push to a registry on this machine, so the
//! greeting is made by hand: a `ClientHello` (RFC 8446, 4.1.2), of whose answer one byte is read.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Host, Url};

use crate::transport::HELLO_LIMIT;
use crate::wire::{SpokenScheme, UrlScheme};

/// The types of TLS records that answer a greeting: a handshake's, or an alert.
const TLS_RECORDS: [u8; 2] = [0x16, 0x15];

/// What a host on loopback speaks. Where nobody answers, it is to be asked again.
pub(crate) async fn ask(url: &Url) -> SpokenScheme {
    match timeout(HELLO_LIMIT, first_byte(url)).await {
        Ok(Ok(Some(byte))) if TLS_RECORDS.contains(&byte) => {
            SpokenScheme { scheme: UrlScheme::Https, lasts: true }
        }
        Ok(Err(_)) => SpokenScheme { scheme: UrlScheme::Http, lasts: false },
        // Whoever speaks TLS answers a greeting at once.
        Ok(Ok(_)) | Err(_) => SpokenScheme { scheme: UrlScheme::Http, lasts: true },
    }
}

async fn first_byte(url: &Url) -> std::io::Result<Option<u8>> {
    let port = url.port_or_known_default().unwrap_or(443);
    let mut stream = match url.host() {
        Some(Host::Ipv4(address)) => TcpStream::connect((address, port)).await?,
        Some(Host::Ipv6(address)) => TcpStream::connect((address, port)).await?,
        Some(Host::Domain(name)) => TcpStream::connect((name, port)).await?,
        None => return Ok(None),
    };
    stream.write_all(&client_hello()).await?;
    let mut byte = [0];
    // A server that hangs up on what it does not understand has answered, too.
    let read = stream.read(&mut byte).await.unwrap_or(0);
    Ok((read > 0).then_some(byte[0]))
}

/// The shortest greeting: TLS 1.2, two suites, no extension. Whether the other side is content with
/// these does not matter. What should be random has the ends of lines, at which a server that
/// speaks HTTP sees that it is none.
fn client_hello() -> Vec<u8> {
    let mut hello = vec![0x03, 0x03];
    hello.extend_from_slice(&b"\r\n\r\n".repeat(8));
    // No session; two suites (ECDHE with AES-GCM by ECDSA and by RSA); no compression.
    hello.extend_from_slice(&[0, 0, 4, 0xc0, 0x2b, 0xc0, 0x2f, 1, 0]);
    let length = hello.len() as u8;
    let mut record = vec![0x16, 0x03, 0x01, 0, length + 4, 0x01, 0, 0, length];
    record.append(&mut hello);
    record
}
