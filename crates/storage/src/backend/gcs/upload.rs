//! Uploads that are too long for one call: a resumable session, which takes parts one after the other.
//! <https://cloud.google.com/storage/docs/performing-resumable-uploads>
//!
//! The address of a session is a secret: whoever knows it may write to the object. It is the id of the upload, which nothing
//! shows.
//!
//! Google may keep less of a part than was sent, and a connection may break in the middle of one. So every answer says how far
//! the session is, what is missing is sent from there, and a part whose answer got lost is asked for before it is sent again.
//! Of the last part that is how one learns that the object was made.

use bytes::Bytes;
use http::header::{CONTENT_RANGE, LOCATION, RANGE};
use http::{Method, Uri};

use super::super::object::{NextPart, ObjectError, ObjectErrorKind, ObjectResult, UploadRef};
use super::client::{Call, Client};
use super::document::Kept;
use super::error::refused_by_session;
use super::place::Url;

/// Every part but the last has a multiple of so many bytes.
pub(super) const GRAIN: u64 = 256 << 10;

const SENDING: &str = "write a part";

/// How far a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// It has so many bytes.
    Has(u64),
    /// It has become the object.
    Ended,
}

/// Begins a session; `to` is where, with the name of the object and its conditions. Tells its address, which must be `encrypted`
/// if that is asked for.
pub(super) async fn begin(
    client: &Client,
    to: Url,
    kept: &Kept,
    encrypted: bool,
) -> ObjectResult<String> {
    let to = to.with("uploadType", "resumable");
    let call = Call::new(Method::POST, &to).json(kept)?;
    let answer = client.send("begin an upload", call).await?;
    let address = answer.header(LOCATION.as_str());
    let address = address.and_then(|address| session(address, encrypted));
    let address = address.ok_or_else(|| {
        let context = "the store gave an upload no address that can be used";
        ObjectError::new(ObjectErrorKind::Internal, context)
    })?;
    // What follows goes to the same connection.
    drop(answer.document().await);
    Ok(address)
}

/// See [`ObjectStore::put_next`](super::super::object::ObjectStore::put_next).
pub(super) async fn put_next(client: &Client, to: &UploadRef, part: &NextPart) -> ObjectResult<()> {
    let end = part.offset.saturating_add(part.body.len() as u64);
    let total = part.last.then_some(end);
    let mut have = part.offset;
    if part.again {
        match ask(client, to, total).await? {
            Progress::Ended => return ended(part),
            Progress::Has(bytes) => have = bytes,
        }
    }
    // It had all of it.
    if have == end && !part.last {
        return Ok(());
    }
    loop {
        let before = have;
        match send(client, to, rest(part, have)?, have, total).await? {
            Progress::Ended => return ended(part),
            Progress::Has(bytes) if bytes == end && !part.last => return Ok(()),
            Progress::Has(bytes) if bytes > before => have = bytes,
            Progress::Has(_) => {
                let context = "the store took nothing of a part";
                return Err(ObjectError::new(ObjectErrorKind::Unavailable, context));
            }
        }
    }
}

/// Ends a session that is not to become an object.
pub(super) async fn abort(client: &Client, to: &UploadRef) -> ObjectResult<()> {
    let call = Call::to(Method::DELETE, &to.id);
    let answer = client.send_unsigned(call).await?;
    // 499 says that this call has done it; 404 and 410, that there is none.
    if answer.status().is_success() || answer.status().as_u16() == 499 {
        return Ok(());
    }
    Err(refused_by_session("give up an upload", answer).await)
}

/// Bytes of a part that the session does not have yet.
fn rest(part: &NextPart, have: u64) -> ObjectResult<Bytes> {
    let gone = have.checked_sub(part.offset);
    let gone = gone.and_then(|gone| usize::try_from(gone).ok());
    let gone = gone.filter(|gone| *gone <= part.body.len());
    let gone = gone.ok_or_else(|| {
        let context = "the store has another number of bytes than were sent to it";
        ObjectError::new(ObjectErrorKind::Internal, context)
    })?;
    Ok(part.body.slice(gone..))
}

/// Sends bytes from `at` on; with the `total` they are the last ones.
async fn send(
    client: &Client,
    to: &UploadRef,
    bytes: Bytes,
    at: u64,
    total: Option<u64>,
) -> ObjectResult<Progress> {
    let end = at.saturating_add(bytes.len() as u64);
    let range = match end.checked_sub(1).filter(|_| !bytes.is_empty()) {
        Some(last) => format!("bytes {at}-{last}/{}", whole(total)),
        None => format!("bytes */{}", whole(total)),
    };
    progress(client, to, &range, bytes).await
}

/// Asks how far the session is.
async fn ask(client: &Client, to: &UploadRef, total: Option<u64>) -> ObjectResult<Progress> {
    let range = format!("bytes */{}", whole(total));
    progress(client, to, &range, Bytes::new()).await
}

async fn progress(
    client: &Client,
    to: &UploadRef,
    range: &str,
    body: Bytes,
) -> ObjectResult<Progress> {
    let call = Call::to(Method::PUT, &to.id)
        .header(CONTENT_RANGE, range)
        .body(vec![body]);
    let answer = client.send_unsigned(call).await?;
    let status = answer.status();
    if status.is_success() {
        // The object is there, whatever comes.
        drop(answer.document().await);
        return Ok(Progress::Ended);
    }
    if status.as_u16() != 308 {
        return Err(refused_by_session(SENDING, answer).await);
    }
    let have = match answer.header(RANGE.as_str()) {
        None => 0,
        Some(text) => had(text).ok_or_else(|| {
            let context = "the store does not say how far an upload is";
            ObjectError::new(ObjectErrorKind::Internal, context)
        })?,
    };
    drop(answer.document().await);
    Ok(Progress::Has(have))
}

/// An object made of less than was to come would be a part of a file.
fn ended(part: &NextPart) -> ObjectResult<()> {
    if part.last {
        return Ok(());
    }
    let context = "the store ended an upload before its last part";
    Err(ObjectError::new(ObjectErrorKind::Internal, context))
}

fn whole(total: Option<u64>) -> String {
    total.map_or_else(|| "*".to_owned(), |total| total.to_string())
}

/// Bytes that a session has, by the header `Range`: `bytes=0-LAST`.
fn had(text: &str) -> Option<u64> {
    let last: u64 = text.trim().strip_prefix("bytes=0-")?.parse().ok()?;
    last.checked_add(1)
}

/// The address of a session, if it is one; over TLS, if the store is asked over TLS.
fn session(text: &str, encrypted: bool) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    let fits = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => !encrypted,
        Some(_) | None => false,
    };
    (fits && uri.authority().is_some()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(offset: u64, body: &'static [u8]) -> NextPart {
        NextPart {
            offset,
            body: Bytes::from_static(body),
            last: false,
            again: false,
        }
    }

    #[test]
    fn what_the_store_has_is_not_sent_again() {
        let part = part(10, b"0123");
        assert_eq!(rest(&part, 10).unwrap(), "0123");
        assert_eq!(rest(&part, 12).unwrap(), "23");
        assert_eq!(rest(&part, 14).unwrap(), "");
        // What it has lost cannot be sent again, what it has beside is not ours.
        assert!(rest(&part, 9).is_err());
        assert!(rest(&part, 15).is_err());
    }

    #[test]
    fn progress_is_told_by_the_last_byte() {
        assert_eq!(had("bytes=0-262143"), Some(262_144));
        for text in [
            "",
            "bytes=1-2",
            "0-2",
            "bytes=0-x",
            "bytes=0-18446744073709551615",
        ] {
            assert_eq!(had(text), None, "{text}");
        }
    }

    #[test]
    fn a_session_has_an_address_of_its_own_as_safe_as_the_store() {
        let address = "https://storage.googleapis.com/upload/x?upload_id=y";
        assert_eq!(session(address, true).as_deref(), Some(address));
        assert!(session(address, false).is_some());
        assert!(session("http://127.0.0.1:1/upload/x?upload_id=y", false).is_some());
        for text in [
            "",
            "/upload/x",
            "file:///etc/passwd",
            "not an address",
            "http://storage.googleapis.com/upload/x?upload_id=y",
        ] {
            assert_eq!(session(text, true), None, "{text}");
        }
    }
}
