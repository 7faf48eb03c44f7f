//! The leanest way to ask a node: HTTP/1.1 over connections that stay open, requests that were encoded before. The
//! generator shares its processors with the nodes that it measures.

use anyhow::{Context, Result};
use std::io::{self, ErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Headers of an answer; a node sends about five.
const HEADERS_MAX: usize = 32;
/// Bytes of an answer; that to the largest batch is well below.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Status and body.
pub type Answer = (u16, Vec<u8>);

/// A node, and the open connections to it that nobody uses.
pub struct Door {
    authority: String,
    idle: Mutex<Vec<TcpStream>>,
}

impl Door {
    /// A door to `http://host:port`.
    pub fn new(base: &str) -> Result<Self> {
        let authority = base
            .strip_prefix("http://")
            .with_context(|| format!("expected http://…, found {base}"))?;
        Ok(Self {
            authority: authority.trim_end_matches('/').to_owned(),
            idle: Mutex::default(),
        })
    }

    /// A POST of JSON as bytes.
    pub fn request(&self, path: &str, body: &[u8]) -> Vec<u8> {
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.authority,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        request
    }

    /// Sends a request and reads its answer. A connection that the node closed meanwhile is replaced.
    pub async fn send(&self, request: &[u8]) -> io::Result<Answer> {
        let idle = self.idle().pop();
        if let Some(stream) = idle
            && let Ok(answer) = self.exchange(stream, request).await
        {
            return Ok(answer);
        }
        let stream = TcpStream::connect(&self.authority).await?;
        stream.set_nodelay(true)?;
        self.exchange(stream, request).await
    }

    async fn exchange(&self, mut stream: TcpStream, request: &[u8]) -> io::Result<Answer> {
        stream.write_all(request).await?;
        let answer = read_answer(&mut stream).await?;
        self.idle().push(stream);
        Ok(answer)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read_answer(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::with_capacity(2_048);
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err(malformed("an answer that is too long"));
        }

        let Some(head) = parse_head(&bytes)? else {
            continue;
        };
        if let Some(body) = head.body(&bytes)? {
            return Ok((head.status, body));
        }
    }
}

struct Head {
    status: u16,
    bytes: usize,
    /// `None` of a body that comes in chunks.
    body_bytes: Option<usize>,
}

impl Head {
    /// `None` while it is not complete.
    fn body(&self, bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let rest = &bytes[self.bytes..];
        match self.body_bytes {
            Some(length) => Ok(rest.get(..length).map(<[u8]>::to_vec)),
            None => join_chunks(rest),
        }
    }
}

/// `None` while the last chunk, the empty one, is not there.
fn join_chunks(mut rest: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let Ok(size) = httparse::parse_chunk_size(rest) else {
            return Err(malformed("a chunk without a size"));
        };
        let httparse::Status::Complete((start, size)) = size else {
            return Ok(None);
        };

        let end = start.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
        let (Some(chunk), Some(next)) = (rest.get(start..end), rest.get(end.saturating_add(2)..))
        else {
            return Ok(None);
        };
        if chunk.is_empty() {
            return Ok(Some(body));
        }

        body.extend_from_slice(chunk);
        rest = next;
    }
}

/// `None` while it is not complete.
fn parse_head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut answer = httparse::Response::new(&mut headers);
    let Ok(parsed) = answer.parse(bytes) else {
        return Err(malformed("an answer that is not HTTP"));
    };
    let httparse::Status::Complete(bytes) = parsed else {
        return Ok(None);
    };

    let header = |name: &str| {
        answer
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
    };

    let length = header("content-length")
        .and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok());
    if length.is_none() && header("transfer-encoding").is_none() {
        return Err(malformed("an answer without a length"));
    }

    Ok(Some(Head {
        status: answer.code.unwrap_or(0),
        bytes,
        body_bytes: length,
    }))
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// Answers `count` requests of one connection, then closes it.
    async fn serve(listener: &TcpListener, count: usize) {
        let (mut stream, _) = listener.accept().await.unwrap();
        for _ in 0..count {
            let mut request = [0; 1_024];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].ends_with(b"content-length: 2\r\n\r\n{}"));
            // In two pieces, cut within the head.
            stream
                .write_all(b"HTTP/1.1 201 Created\r\nconte")
                .await
                .unwrap();
            stream.flush().await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            stream
                .write_all(b"nt-length: 5\r\n\r\nhello")
                .await
                .unwrap();
        }
    }

    #[tokio::test]
    async fn connections_are_used_again_and_replaced_when_they_were_closed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = Door::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let request = door.request("/path", b"{}");
        let ask = async {
            for _ in 0..3 {
                assert_eq!(door.send(&request).await.unwrap(), (201, b"hello".to_vec()));
            }
        };
        let answer = async {
            serve(&listener, 2).await;
            serve(&listener, 1).await;
        };
        tokio::join!(ask, answer);
    }

    #[test]
    fn chunks_are_joined_once_the_last_is_there() {
        let whole = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
        assert_eq!(join_chunks(whole).unwrap(), Some(b"hello world".to_vec()));
        for end in 0..whole.len() {
            assert_eq!(join_chunks(&whole[..end]).unwrap(), None, "{end}");
        }
        assert!(join_chunks(b"nonsense\r\n").is_err());
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        assert!(parse_head(b"HTTP/1.1 200 OK\r\n").unwrap().is_none());
        assert!(parse_head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(parse_head(b"nonsense\r\n\r\n").is_err());
    }
}
