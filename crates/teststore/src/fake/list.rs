//! Listings: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>, and the older
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>, which some clients still use.

use std::fmt::Write as _;
use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Shared;
use super::answer::{Failure, Outcome, with_document};
use super::asked::Asked;
use super::state::{Object, Objects};
use super::xml::escape;
use crate::encode_key;

/// Most names of an answer.
const MOST: usize = 1000;

/// One answer.
struct Page<'a> {
    objects: Vec<(&'a str, &'a Object)>,
    folders: Vec<&'a str>,
    /// From where the next one goes on, if this is not all.
    next: Option<Bound<String>>,
}

/// Which of the two is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Goes on behind a name that the client has seen.
    One,
    /// Goes on where a token says.
    Two,
}

pub(super) fn objects(shared: &Shared, asked: &Asked, version: Version) -> Outcome {
    let state = shared.state.lock();
    let objects = state.buckets.get(&asked.bucket);
    let objects = objects.ok_or_else(Failure::no_bucket)?;
    let value = |name| asked.query(name).unwrap_or("");
    let most = match asked.query("max-keys") {
        Some(digits) => digits
            .parse::<usize>()
            .map_err(|_| Failure::invalid("max-keys is no number"))?
            .min(MOST),
        None => MOST,
    };
    let (prefix, delimiter) = (value("prefix"), value("delimiter"));
    let from = match (version, asked.query("continuation-token")) {
        (Version::One, _) => behind_marker(value("marker"), prefix, delimiter),
        (Version::Two, Some(token)) => place(token)?,
        (Version::Two, None) => match value("start-after") {
            "" => Bound::Unbounded,
            key => Bound::Excluded(key.to_owned()),
        },
    };
    let page = page(objects, prefix, delimiter, from, most);
    Ok(with_document(&write(asked, &page, most, version)))
}

fn page<'a>(
    objects: &'a Objects,
    prefix: &str,
    delimiter: &str,
    from: Bound<String>,
    most: usize,
) -> Page<'a> {
    let mut page = Page {
        objects: Vec::new(),
        folders: Vec::new(),
        next: None,
    };
    let mut from = match from {
        Bound::Included(key) | Bound::Excluded(key) if key.as_str() < prefix => {
            Bound::Included(prefix.to_owned())
        }
        Bound::Unbounded => Bound::Included(prefix.to_owned()),
        from @ (Bound::Included(_) | Bound::Excluded(_)) => from,
    };
    loop {
        let mut rest = objects.range((from.clone(), Bound::Unbounded));
        let Some((key, object)) = rest.next().filter(|(key, _)| key.starts_with(prefix)) else {
            return page;
        };
        if page.objects.len() + page.folders.len() == most {
            page.next = (most > 0).then_some(from);
            return page;
        }
        let folder = folder(key, prefix, delimiter);
        from = match folder {
            None => {
                page.objects.push((key, object));
                Bound::Excluded(key.clone())
            }
            Some(folder) => {
                page.folders.push(folder);
                match behind(folder) {
                    Some(next) => Bound::Included(next),
                    None => return page,
                }
            }
        };
    }
}

/// The name up to the delimiter behind the prefix.
fn folder<'a>(key: &'a str, prefix: &str, delimiter: &str) -> Option<&'a str> {
    if delimiter.is_empty() {
        return None;
    }
    let at = key.get(prefix.len()..)?.find(delimiter)?;
    key.get(..prefix.len() + at + delimiter.len())
}

/// The least key that is behind all that begin with this.
fn behind(start: &str) -> Option<String> {
    let mut letters: Vec<char> = start.chars().collect();
    while let Some(last) = letters.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

/// A marker that is a folder stands for all that is in it.
fn behind_marker(marker: &str, prefix: &str, delimiter: &str) -> Bound<String> {
    if marker.is_empty() {
        return Bound::Unbounded;
    }
    let folder = marker
        .starts_with(prefix)
        .then(|| folder(marker, prefix, delimiter));
    match folder.flatten().and_then(behind) {
        Some(next) => Bound::Included(next),
        None => Bound::Excluded(marker.to_owned()),
    }
}

fn token(place: &Bound<String>) -> String {
    let text = match place {
        Bound::Included(key) => format!("i{key}"),
        Bound::Excluded(key) => format!("e{key}"),
        Bound::Unbounded => String::new(),
    };
    URL_SAFE_NO_PAD.encode(text)
}

fn place(token: &str) -> Result<Bound<String>, Failure> {
    let wrong = || Failure::invalid("The continuation token is not one of this store.");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| wrong())?;
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    if let Some(key) = text.strip_prefix('i') {
        return Ok(Bound::Included(key.to_owned()));
    }
    let key = text.strip_prefix('e').ok_or_else(wrong)?;
    Ok(Bound::Excluded(key.to_owned()))
}

fn write(asked: &Asked, page: &Page<'_>, most: usize, version: Version) -> String {
    let url = asked.query("encoding-type") == Some("url");
    let name = |key: &str| if url { encode_key(key) } else { escape(key) };
    let mut text =
        String::from("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    let _ = write!(
        text,
        "<Name>{}</Name><Prefix>{}</Prefix><KeyCount>{}</KeyCount><MaxKeys>{most}</MaxKeys>\
         <IsTruncated>{}</IsTruncated>",
        escape(&asked.bucket),
        name(asked.query("prefix").unwrap_or("")),
        page.objects.len() + page.folders.len(),
        page.next.is_some()
    );
    if url {
        text.push_str("<EncodingType>url</EncodingType>");
    }
    if let Some(delimiter) = asked.query("delimiter") {
        let _ = write!(text, "<Delimiter>{}</Delimiter>", name(delimiter));
    }
    let last_key = page.objects.last().map(|(key, _)| *key);
    match (&page.next, version) {
        (None, _) => {}
        (Some(_), Version::One) => {
            let last = last_key.max(page.folders.last().copied()).unwrap_or("");
            let _ = write!(text, "<NextMarker>{}</NextMarker>", name(last));
        }
        (Some(next), Version::Two) => {
            let next = token(next);
            let _ = write!(
                text,
                "<NextContinuationToken>{next}</NextContinuationToken>"
            );
        }
    }
    for (key, object) in &page.objects {
        let _ = write!(
            text,
            "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size>\
             <StorageClass>{}</StorageClass></Contents>",
            name(key),
            object.modified.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            escape(&object.etag()),
            object.data.size,
            escape(&object.attributes.storage_class)
        );
    }
    for folder in &page.folders {
        let _ = write!(
            text,
            "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
            name(folder)
        );
    }
    text.push_str("</ListBucketResult>");
    text
}

#[cfg(test)]
mod tests {
    use super::super::content::Data;
    use super::super::state::Attributes;
    use super::*;

    fn walk(keys: &[&str], prefix: &str, delimiter: &str, most: usize) -> (Vec<String>, usize) {
        let object = Object::new(Data::pattern(0, 0), Attributes::default(), 0);
        let objects: Objects = keys
            .iter()
            .map(|key| ((*key).to_owned(), object.clone()))
            .collect();
        let (mut names, mut pages, mut from) = (Vec::new(), 0, Bound::Unbounded);
        loop {
            let page = page(&objects, prefix, delimiter, from, most);
            pages += 1;
            let mut all: Vec<&str> = page.objects.iter().map(|(key, _)| *key).collect();
            all.extend(&page.folders);
            all.sort_unstable();
            names.extend(all.into_iter().map(str::to_owned));
            match page.next {
                Some(next) => from = place(&token(&next)).ok().unwrap(),
                None => return (names, pages),
            }
        }
    }

    #[test]
    fn a_marker_goes_on_behind_a_name_or_a_folder() {
        let of = |marker, prefix| behind_marker(marker, prefix, "/");
        assert_eq!(of("", ""), Bound::Unbounded);
        assert_eq!(of("a", ""), Bound::Excluded("a".to_owned()));
        assert_eq!(of("a/", ""), Bound::Included("a0".to_owned()));
        assert_eq!(of("a/", "a/"), Bound::Excluded("a/".to_owned()));
        assert_eq!(of("a/b/", "a/"), Bound::Included("a/b0".to_owned()));
    }

    #[test]
    fn pages_of_any_size_name_everything_once() {
        let keys = [
            "a",
            "a/",
            "a/b",
            "a/c/d",
            "a/c/e",
            "a//f",
            "a0",
            "b",
            "\u{10ffff}/x",
        ];
        for most in 1..10 {
            let (names, pages) = walk(&keys, "", "/", most);
            assert_eq!(names, ["a", "a/", "a0", "b", "\u{10ffff}/"]);
            assert_eq!(pages, 5_usize.div_ceil(most));
            assert_eq!(walk(&keys, "a/", "/", most).0, ["a/", "a//", "a/b", "a/c/"]);
            assert_eq!(walk(&keys, "a/c", "", most).0, ["a/c/d", "a/c/e"]);
            assert!(walk(&keys, "none", "/", most).0.is_empty());
        }
    }
}
