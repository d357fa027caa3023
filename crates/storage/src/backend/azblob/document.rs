//! The documents of Azure: listings, lists of blocks, errors.
//!
//! Read by events and not by shapes, since a name is text to the last space, and libraries that fill shapes cut spaces off.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use super::super::object::{ObjectError, ObjectErrorKind, ObjectResult};

/// Elements in each other; documents have six.
const DEEPEST: usize = 16;

/// An element with what is in it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    /// Its name or its text is percent-encoded: it has characters that XML cannot say.
    encoded: bool,
    text: String,
    children: Vec<Self>,
}

impl Element {
    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of a child; `None` also if it is empty.
    fn text_of(&self, name: &str) -> Option<&str> {
        let text = self.child(name)?.text.as_str();
        (!text.is_empty()).then_some(text)
    }

    /// Its text as it is meant; `None` if that is none.
    fn decoded(&self) -> Option<String> {
        if !self.encoded {
            return Some(self.text.clone());
        }
        let text = percent_decode_str(&self.text).decode_utf8().ok()?;
        Some(text.into_owned())
    }
}

/// The root of a document.
fn parse(document: &[u8]) -> ObjectResult<Element> {
    let text = std::str::from_utf8(document).map_err(unreadable)?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().map_err(unreadable)? {
            Event::Start(start) if open.len() < DEEPEST => open.push(element(&start)),
            Event::Start(_) => return Err(unreadable("elements within elements")),
            Event::Empty(start) => close(&mut open, element(&start)),
            Event::End(_) => {
                // The reader has seen that each end has its start.
                if let Some(done) = open.pop() {
                    close(&mut open, done);
                }
            }
            Event::Text(text) => add(&mut open, &text),
            Event::CData(text) => add(&mut open, &text),
            Event::GeneralRef(reference) => {
                if let Some(letter) = reference.resolve_char_ref().map_err(unreadable)? {
                    add(&mut open, letter.encode_utf8(&mut [0; 4]));
                } else {
                    let text = resolve_predefined_entity(&reference);
                    add(&mut open, text.ok_or_else(|| unreadable("an entity"))?);
                }
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    let root = match (open.pop(), open.is_empty()) {
        (Some(mut document), true) => document.children.pop(),
        _ => None,
    };
    root.ok_or_else(|| unreadable("it has no end"))
}

fn element(start: &BytesStart<'_>) -> Element {
    let encoded = start.attributes().flatten();
    let mut encoded = encoded.filter(|attribute| attribute.key.as_ref() == "Encoded");
    Element {
        name: start.name().as_ref().to_owned(),
        encoded: encoded.any(|attribute| attribute.value.as_ref() == "true"),
        ..Element::default()
    }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(last) = open.last_mut() {
        last.text.push_str(text);
    }
}

fn close(open: &mut [Element], done: Element) {
    if let Some(last) = open.last_mut() {
        last.children.push(done);
    }
}

fn unreadable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ObjectError {
    let context = "the store sent a document that cannot be read";
    ObjectError::with_source(ObjectErrorKind::Unavailable, context, error)
}

/// One page of a container.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) blobs: Vec<ListedBlob>,
    pub(super) prefixes: Vec<String>,
    /// Set if there is more.
    pub(super) next: Option<String>,
}

/// A blob in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ListedBlob {
    pub(super) name: String,
    pub(super) size: u64,
    /// As HTTP writes times.
    pub(super) modified: Option<String>,
    pub(super) etag: String,
    /// `None` if it is the usual one of the account.
    pub(super) tier: Option<String>,
    /// Names in lower case.
    pub(super) metadata: BTreeMap<String, String>,
}

impl Listing {
    /// Reads the answer of List Blobs.
    pub(super) fn parse(document: &[u8]) -> ObjectResult<Self> {
        let root = parse(document)?;
        let blobs = root.child("Blobs");
        let blobs = blobs.ok_or_else(|| unreadable("a listing without blobs"))?;
        let mut listing = Self {
            next: root.text_of("NextMarker").map(str::to_owned),
            ..Self::default()
        };
        for blob in blobs.all("Blob") {
            // One whose name is no text cannot be asked for.
            if let Some(name) = blob.child("Name").and_then(Element::decoded) {
                listing.blobs.push(listed(name, blob)?);
            }
        }
        let prefixes = blobs.all("BlobPrefix");
        let names = prefixes.filter_map(|prefix| prefix.child("Name")?.decoded());
        listing.prefixes = names.collect();
        Ok(listing)
    }
}

fn listed(name: String, blob: &Element) -> ObjectResult<ListedBlob> {
    let nothing = Element::default();
    let properties = blob.child("Properties").unwrap_or(&nothing);
    let size = properties.text_of("Content-Length");
    let size = size.and_then(|size| size.parse().ok());
    let inferred = properties.text_of("AccessTierInferred") == Some("true");
    let tier = properties.text_of("AccessTier").filter(|_| !inferred);
    let metadata = blob.child("Metadata").unwrap_or(&nothing);
    Ok(ListedBlob {
        name,
        size: size.ok_or_else(|| unreadable("a blob without a size"))?,
        modified: properties.text_of("Last-Modified").map(str::to_owned),
        etag: properties.text_of("Etag").unwrap_or_default().to_owned(),
        tier: tier.map(str::to_owned),
        metadata: metadata
            .children
            .iter()
            .map(|value| (value.name.to_ascii_lowercase(), value.text.clone()))
            .collect(),
    })
}

/// Reads the answer of Get Block List: the names of the blocks that a blob is made of.
pub(super) fn committed_blocks(document: &[u8]) -> ObjectResult<Vec<String>> {
    let root = parse(document)?;
    let blocks = root.child("CommittedBlocks").map(|list| list.all("Block"));
    let names = blocks.into_iter().flatten();
    Ok(names
        .filter_map(|block| block.text_of("Name"))
        .map(str::to_owned)
        .collect())
}

/// An error that Azure explains.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: Option<String>,
    /// Its first line: the others say when.
    pub(super) message: Option<String>,
}

impl Fault {
    /// Reads what it can.
    pub(super) fn parse(document: &[u8]) -> Self {
        let Ok(root) = parse(document) else {
            return Self::default();
        };
        let message = root.text_of("Message").and_then(|text| text.lines().next());
        Self {
            code: root.text_of("Code").map(str::to_owned),
            message: message.map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_read_to_the_last_space() {
        let document = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\
            <EnumerationResults ContainerName=\"c\"><Prefix>p</Prefix><Blobs>\
            <Blob><Name> a &amp;&#x41; </Name><Properties><Last-Modified>Wed, 01 Jan 2020 00:00:00 GMT</Last-Modified>\
            <Etag>0x8D</Etag><Content-Length>7</Content-Length><AccessTier>Hot</AccessTier>\
            <AccessTierInferred>true</AccessTierInferred></Properties><Metadata><Mtime>1.5</Mtime></Metadata></Blob>\
            <BlobPrefix><Name>b/</Name></BlobPrefix>\
            <Blob><Name Encoded=\"true\">c%01%EF%BF%BE</Name><Properties><Content-Length>0</Content-Length>\
            <AccessTier>Cool</AccessTier></Properties><Metadata /></Blob>\
            <BlobPrefix><Name>d/</Name></BlobPrefix></Blobs><NextMarker>2!x</NextMarker></EnumerationResults>";
        let listing = Listing::parse(document.as_bytes()).unwrap();
        let [first, second] = listing.blobs.as_slice() else {
            unreachable!("there are two")
        };
        assert_eq!(first.name, " a &A ");
        assert_eq!((first.size, first.etag.as_str()), (7, "0x8D"));
        assert_eq!(first.tier, None);
        assert_eq!(first.metadata["mtime"], "1.5");
        assert_eq!(second.name, "c\u{1}\u{fffe}");
        assert_eq!(second.tier.as_deref(), Some("Cool"));
        assert_eq!(listing.prefixes, ["b/", "d/"]);
        assert_eq!(listing.next.as_deref(), Some("2!x"));
    }

    #[test]
    fn an_answer_that_broke_off_is_no_listing() {
        for document in [
            "",
            "<EnumerationResults><Blobs>",
            "<EnumerationResults></EnumerationResults>",
            "<html><body>busy</body></html>",
            "not even that",
            &"<a>".repeat(1000),
        ] {
            let failed = Listing::parse(document.as_bytes()).unwrap_err();
            assert_eq!(failed.kind(), ObjectErrorKind::Unavailable, "{document}");
        }
    }

    #[test]
    fn an_error_has_a_code_and_a_sentence_and_no_header_of_ours() {
        let document = "<?xml version=\"1.0\"?><Error><Code>InvalidHeaderValue</Code>\
            <Message>The value is wrong.\nRequestId:1\nTime:2</Message>\
            <HeaderValue>https://a/b?sig=secret</HeaderValue></Error>";
        let fault = Fault::parse(document.as_bytes());
        assert_eq!(fault.code.as_deref(), Some("InvalidHeaderValue"));
        assert_eq!(fault.message.as_deref(), Some("The value is wrong."));
        assert_eq!(Fault::parse(b"<html"), Fault::default());
    }

    #[test]
    fn the_blocks_of_a_blob_are_read() {
        let document = "<BlockList><CommittedBlocks><Block><Name>QQ==</Name><Size>1</Size></Block>\
            <Block><Name>Qg==</Name><Size>1</Size></Block></CommittedBlocks><UncommittedBlocks/></BlockList>";
        assert_eq!(
            committed_blocks(document.as_bytes()).unwrap(),
            ["QQ==", "Qg=="]
        );
    }
}
