//! The encoding `aws-chunked`:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>. Signatures of chunks are not checked.

/// Takes a body apart that comes in any pieces.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    line: Vec<u8>,
    /// Names, in lower case, and values.
    trailers: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In the line with the length of a chunk.
    Length,
    /// So many bytes of a chunk are to come.
    Content(u64),
    /// In the line end behind a chunk.
    Behind,
    /// In a line of the trailer.
    Trailer,
    /// Nothing more may come.
    Ended,
}

/// A line that is longer is none.
const LONGEST_LINE: usize = 4096;

impl Chunked {
    pub(super) fn new() -> Self {
        Self {
            state: State::Length,
            line: Vec::new(),
            trailers: Vec::new(),
        }
    }

    /// Takes the next bytes, and gives away the content among them.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut content: impl FnMut(&[u8]),
    ) -> Result<(), String> {
        while !bytes.is_empty() {
            if let State::Content(left) = self.state {
                let length =
                    usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                let (here, rest) = bytes.split_at(length);
                content(here);
                bytes = rest;
                let left = left - u64::try_from(length).unwrap();
                self.state = if left == 0 {
                    State::Behind
                } else {
                    State::Content(left)
                };
                continue;
            }
            let (byte, rest) = bytes.split_first().expect("it is not empty");
            bytes = rest;
            if *byte != b'\n' {
                self.line.push(*byte);
                if self.line.len() > LONGEST_LINE {
                    return Err("a line without an end".to_owned());
                }
                continue;
            }
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
            self.line(line.trim_end_matches('\r'))?;
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        self.state = match self.state {
            State::Length => {
                let digits = line.split(';').next().unwrap_or("");
                match u64::from_str_radix(digits, 16) {
                    Ok(0) => State::Trailer,
                    Ok(length) => State::Content(length),
                    Err(_) => return Err(format!("no length of a chunk: {line}")),
                }
            }
            State::Behind if line.is_empty() => State::Length,
            State::Trailer if line.is_empty() => State::Ended,
            State::Trailer => {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                let trailer = (name.to_ascii_lowercase(), value.trim().to_owned());
                self.trailers.push(trailer);
                State::Trailer
            }
            State::Behind | State::Content(_) | State::Ended => {
                return Err(format!("more than was announced: {line}"));
            }
        };
        Ok(())
    }

    /// Whether all has come. Some clients leave out the empty line at the end.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, State::Trailer | State::Ended)
    }

    pub(super) fn trailer(&self, name: &str) -> Option<&str> {
        let found = self.trailers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] =
        b"5;chunk-signature=ab\r\nhe\nlo\r\n3\r\n, y\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";

    #[test]
    fn the_content_comes_out_whatever_pieces_the_body_comes_in() {
        for size in [1, 2, 7, BODY.len()] {
            let (mut chunked, mut all) = (Chunked::new(), Vec::new());
            for piece in BODY.chunks(size) {
                chunked
                    .feed(piece, |bytes| all.extend_from_slice(bytes))
                    .unwrap();
            }
            assert_eq!(all, b"he\nlo, y");
            assert!(chunked.has_ended());
            assert_eq!(chunked.trailer("x-amz-checksum-crc32"), Some("AAAAAA=="));
        }
    }

    #[test]
    fn a_body_that_is_cut_has_not_ended() {
        for length in 0..BODY.len() - 36 {
            let mut chunked = Chunked::new();
            let start = BODY.split_at(length).0;
            chunked.feed(start, |_| {}).unwrap();
            assert!(!chunked.has_ended(), "{length}");
        }
        assert!(Chunked::new().feed(b"x\r\n", |_| {}).is_err());
    }
}
