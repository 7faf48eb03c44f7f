//! Answers are read up to a bound: whoever answers may be a stranger, or broken.

/// What an answer of a node may have. A full block has two megabytes of hex.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Why an answer could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It was cut off, or took too long.
    #[error("the answer was cut off")]
    Transport(#[source] reqwest::Error),
    /// It is larger than it may be.
    #[error("the answer has more than {bytes_max} bytes")]
    TooLarge {
        /// What it may have.
        bytes_max: usize,
    },
}

/// The body of an answer, of at most so many bytes; no more than that is ever held.
pub async fn read_bounded(
    mut answer: reqwest::Response,
    bytes_max: usize,
) -> Result<Vec<u8>, ReadError> {
    let too_large = || ReadError::TooLarge { bytes_max };
    let announced = answer.content_length().unwrap_or_default();
    if usize::try_from(announced).map_or(true, |announced| announced > bytes_max) {
        return Err(too_large());
    }

    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(ReadError::Transport)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    /// Answers one request with this text, then closes.
    fn answer_once(text: &'static str) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(text.as_bytes());
        });
        url
    }

    async fn read(text: &'static str) -> Result<Vec<u8>, ReadError> {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(answer_once(text)).send().await.unwrap();
        read_bounded(answer, 5).await
    }

    #[tokio::test]
    async fn no_more_than_the_bound_is_read() {
        let fits = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde";
        assert_eq!(read(fits).await.unwrap(), b"abcde");

        let announced = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabcdef";
        let unannounced = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabcdef";
        for text in [announced, unannounced] {
            let error = read(text).await.unwrap_err();
            assert!(error.to_string().contains("5 bytes"), "{error}");
        }
    }
}
