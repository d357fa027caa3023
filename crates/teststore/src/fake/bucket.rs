//! Buckets, and the removal of many objects.

use std::fmt::Write as _;

use hyper::body::Incoming;

use super::answer::{Failure, Outcome, empty, with_document};
use super::asked::Asked;
use super::xml::{elements, escape, value};
use super::{Shared, receive};

/// Most objects that one request may remove.
const MOST_REMOVED: usize = 1000;

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>
pub(super) fn list(shared: &Shared) -> Outcome {
    let mut text = String::from("<ListAllMyBucketsResult><Buckets>");
    for name in shared.state.lock().buckets.keys() {
        let _ = write!(text, "<Bucket><Name>{}</Name></Bucket>", escape(name));
    }
    text.push_str("</Buckets></ListAllMyBucketsResult>");
    Ok(with_document(&text))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
pub(super) fn create(shared: &Shared, asked: &Asked) -> Outcome {
    let mut state = shared.state.lock();
    state.buckets.entry(asked.bucket.clone()).or_default();
    Ok(empty(200))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
pub(super) fn head(shared: &Shared, asked: &Asked) -> Outcome {
    exists(shared, asked)?;
    Ok(empty(200))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>
pub(super) fn location(shared: &Shared, asked: &Asked) -> Outcome {
    exists(shared, asked)?;
    Ok(with_document("<LocationConstraint/>"))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html>
pub(super) fn delete(shared: &Shared, asked: &Asked) -> Outcome {
    let mut state = shared.state.lock();
    let objects = state.buckets.get(&asked.bucket);
    if !objects.ok_or_else(Failure::no_bucket)?.is_empty() {
        return Err(Failure::new(
            409,
            "BucketNotEmpty",
            "The bucket is not empty.",
        ));
    }
    state.buckets.remove(&asked.bucket);
    Ok(empty(204))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
pub(super) async fn delete_objects(shared: &Shared, asked: &Asked, body: &mut Incoming) -> Outcome {
    let document = receive::document(shared, body).await?;
    let keys: Vec<String> = elements(&document, "Object")
        .into_iter()
        .filter_map(|object| value(object, "Key"))
        .collect();
    if keys.is_empty() || keys.len() > MOST_REMOVED {
        return Err(Failure::new(400, "MalformedXML", "1 to 1,000 objects."));
    }
    let quiet = value(&document, "Quiet").as_deref() == Some("true");
    let mut state = shared.state.lock();
    let objects = state.buckets.get_mut(&asked.bucket);
    let objects = objects.ok_or_else(Failure::no_bucket)?;
    let mut text = String::from("<DeleteResult>");
    for key in keys {
        objects.remove(&key);
        if !quiet {
            let _ = write!(text, "<Deleted><Key>{}</Key></Deleted>", escape(&key));
        }
    }
    text.push_str("</DeleteResult>");
    Ok(with_document(&text))
}

/// Fails if the bucket does not exist.
pub(super) fn exists(shared: &Shared, asked: &Asked) -> Result<(), Failure> {
    let state = shared.state.lock();
    if state.buckets.contains_key(&asked.bucket) {
        Ok(())
    } else {
        Err(Failure::no_bucket())
    }
}
